#include "sinks/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { OVERHEAD = 512 }; // of a record on its way, beside key and value, at most

void rf_outbox_init(struct rf_outbox *outbox, size_t record_bytes_max) {
    *outbox = (struct rf_outbox){.record_bytes_max = record_bytes_max};
}

void rf_outbox_finish(struct rf_outbox *outbox) {
    free(outbox->list);
    free(outbox->bytes);
    *outbox = (struct rf_outbox){.record_bytes_max = outbox->record_bytes_max};
}

void rf_outbox_clear(struct rf_outbox *outbox) {
    outbox->count = 0;
    outbox->size = 0;
}

static enum rf_status provide(struct rf_outbox *outbox, size_t size) {
    if (outbox->count == outbox->capacity) {
        size_t capacity = outbox->capacity ? 2 * outbox->capacity : 256;
        struct rf_outbox_record *list = reallocarray(outbox->list, capacity, sizeof *list);
        if (!list) {
            return RF_MEMORY;
        }
        outbox->list = list;
        outbox->capacity = capacity;
    }
    if (size > outbox->room - outbox->size) {
        size_t room = 2 * (outbox->size + size);
        char *bytes = realloc(outbox->bytes, room);
        if (!bytes) {
            return RF_MEMORY;
        }
        outbox->bytes = bytes;
        outbox->room = room;
    }
    return RF_OK;
}

static size_t put(struct rf_outbox *outbox, struct rf_text text) {
    size_t at = outbox->size;
    if (text.size) {
        memcpy(outbox->bytes + at, text.data, text.size);
    }
    outbox->size += text.size;
    return at;
}

enum rf_status rf_outbox_add(struct rf_outbox *outbox, const char *topic, struct rf_text key, struct rf_text value,
                             struct rf_error *err) {
    size_t size = key.size + value.size;
    if (size + OVERHEAD > outbox->record_bytes_max) {
        return rf_fail(err, RF_FULL, "kafka: a record for topic %s takes %zu bytes, more than message.max.bytes, %zu", topic,
                       size, outbox->record_bytes_max);
    }
    if (provide(outbox, size + 1)) {
        return rf_fail(err, RF_MEMORY, "kafka: out of memory for %zu records that wait for their transaction", outbox->count);
    }
    struct rf_outbox_record *record = &outbox->list[outbox->count++];
    *record = (struct rf_outbox_record){
            .topic = topic, .key_size = key.size, .value_size = value.size, .has_key = key.data != NULL};
    record->key = put(outbox, key);
    record->value = put(outbox, value);
    return RF_OK;
}
