#include "ingest/event.h"

#include <stdio.h>

bool rf_event_holds(const struct rf_event *event, struct rf_text name, uint64_t hash) {
    for (size_t i = 0; i < event->count; i++) {
        if (event->fields[i].hash == hash && rf_text_equal(event->fields[i].name, name)) {
            return true;
        }
    }
    for (size_t i = 0; i < event->namespace_count; i++) {
        if (event->namespaces[i].hash == hash && rf_text_equal(event->namespaces[i].name, name)) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_event_reserve(struct rf_event *event, size_t more, struct rf_arena *arena) {
    struct rf_field *fields = rf_arena_take(arena, (event->count + more) * sizeof *fields);
    if (!fields) {
        return RF_FULL;
    }
    if (event->count > 0) {
        memcpy(fields, event->fields, event->count * sizeof *fields);
    }
    event->fields = fields;
    return RF_OK;
}

struct rf_text rf_value_words(const struct rf_value *value, char room[RF_VALUE_ROOM]) {
    size_t item_size = value->type == RF_VALUE_FLOATS ? sizeof(float) : sizeof(double);
    switch (value->type) {
    case RF_VALUE_NULL:
        return rf_text_of("null");
    case RF_VALUE_FLOATS:
    case RF_VALUE_DOUBLES:
        snprintf(room, RF_VALUE_ROOM, "%zu numbers", value->text.size / item_size);
        return rf_text_of(room);
    default:
        if (value->text.data) {
            return value->text;
        }
        snprintf(room, RF_VALUE_ROOM, "%.15g", value->number);
        return rf_text_of(room);
    }
}
