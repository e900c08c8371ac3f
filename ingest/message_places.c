#include "ingest/message_places.h"

#include "ingest/base64.h"
#include "ingest/wire.h"

#include <stdlib.h>

struct place {
    uint32_t first, count; // its messages among all places
};

struct rf_message_places {
    struct place *list; // [count] the first is the file; those of one message stand together
    size_t count;
};

struct reading {
    struct rf_message_places *places;
    struct rf_text *bytes; // [capacity] beside the places: what declares each
    size_t capacity;
};

static enum rf_status add(struct reading *reading, struct rf_text bytes) {
    struct rf_message_places *places = reading->places;
    if (places->count == reading->capacity) {
        size_t capacity = reading->capacity ? 2 * reading->capacity : 16;
        struct place *list = realloc(places->list, capacity * sizeof *list);
        places->list = list ? list : places->list;
        struct rf_text *texts = realloc(reading->bytes, capacity * sizeof *texts);
        reading->bytes = texts ? texts : reading->bytes;
        if (!list || !texts) {
            return RF_MEMORY;
        }
        reading->capacity = capacity;
    }
    reading->bytes[places->count] = bytes;
    places->list[places->count++] = (struct place){0};
    return RF_OK;
}

// Adds the messages of one place, which stand behind this tag. Those within them come later: nothing recurs.
static enum rf_status read_place(struct reading *reading, size_t place, uint32_t message_tag) {
    struct rf_wire wire = rf_wire_of(reading->bytes[place]);
    struct place found = {.first = (uint32_t)reading->places->count};
    enum rf_status status = RF_OK;
    while (wire.at < wire.end && !status) {
        uint32_t tag;
        struct rf_text message;
        if (!rf_wire_tag(&wire, &tag)) {
            return RF_INVALID;
        }
        if (tag != message_tag) {
            status = rf_wire_skip(&wire, tag, RF_WIRE_DEPTH_MAX) ? RF_INVALID : RF_OK;
        } else if (rf_wire_delimited(&wire, &message)) {
            found.count++;
            status = add(reading, message);
        } else {
            status = RF_INVALID;
        }
    }
    reading->places->list[place] = found;
    return status;
}

enum rf_status rf_message_places_create(struct rf_text base64, struct rf_message_places **places_out, struct rf_error *err) {
    enum { FILE_MESSAGE = 4, NESTED_MESSAGE = 3 };
    if (!rf_base64_is_valid(base64)) {
        return rf_fail(err, RF_INVALID, "is not kept as a descriptor");
    }
    struct rf_message_places *places = calloc(1, sizeof *places);
    struct reading reading = {.places = places};
    uint8_t *file = malloc(base64.size);
    enum rf_status status = places && file ? RF_OK : RF_MEMORY;
    if (!status) {
        status = add(&reading, (struct rf_text){(const char *)file, rf_base64_decode(base64, file)});
    }
    for (size_t i = 0; !status && i < places->count; i++) {
        status = read_place(&reading, i, RF_WIRE_TAG(i ? NESTED_MESSAGE : FILE_MESSAGE, RF_WIRE_DELIMITED));
    }
    free(reading.bytes);
    free(file);
    if (status) {
        rf_message_places_destroy(places);
        return status == RF_MEMORY ? rf_fail(err, status, "descriptors of protobuf: out of memory")
                                   : rf_fail(err, status, "is no descriptor of a file");
    }
    *places_out = places;
    return RF_OK;
}

void rf_message_places_destroy(struct rf_message_places *places) {
    if (places) {
        free(places->list);
        free(places);
    }
}

bool rf_message_places_have(const struct rf_message_places *places, const uint32_t *indexes, size_t count, size_t *depth_out,
                            uint32_t *held_out) {
    const struct place *place = &places->list[0];
    for (size_t i = 0; i < count; i++) {
        if (indexes[i] >= place->count) {
            *depth_out = i;
            *held_out = place->count;
            return false;
        }
        place = &places->list[place->first + indexes[i]];
    }
    return true;
}
