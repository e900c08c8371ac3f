#include "ingest/avro_maker.h"

#include <stdlib.h>

enum { OPS_MAX = 1 << 22 };

void *rf_avro_add_to(struct rf_avro_maker *maker, struct rf_avro_list *list, size_t count, size_t size) {
    if (list->count + count > list->capacity) {
        size_t capacity = 2 * list->capacity + count + 16;
        void *data = capacity <= 4 * (size_t)OPS_MAX ? reallocarray(list->data, capacity, size) : NULL;
        if (!data) {
            rf_fail(maker->err, RF_MEMORY, "a plan for the schema does not fit into memory");
            return NULL;
        }
        list->data = data;
        list->capacity = capacity;
    }
    list->count += count;
    return (char *)list->data + (list->count - count) * size;
}

enum rf_status rf_avro_add_op(struct rf_avro_maker *maker, struct rf_avro_op op) {
    if (maker->ops.count == OPS_MAX) {
        return rf_fail(maker->err, RF_INVALID, "takes more than %d operations to read, must be simpler", OPS_MAX);
    }
    struct rf_avro_op *room = rf_avro_add_to(maker, &maker->ops, 1, sizeof *room);
    if (!room) {
        return maker->err->status;
    }
    *room = op;
    return RF_OK;
}

enum rf_status rf_avro_add_skip(struct rf_avro_maker *maker, enum rf_avro_code code, uint64_t amount) {
    struct rf_avro_op *last = maker->ops.count > maker->label ? rf_avro_op_at(maker, maker->ops.count - 1) : NULL;
    bool is_same = last && last->code == code;
    if (is_same && code == RF_AVRO_SKIP && last->size < UINT64_MAX - amount) {
        last->size += amount;
        return RF_OK;
    }
    if (is_same && code != RF_AVRO_SKIP) {
        last->at += (uint32_t)amount;
        return RF_OK;
    }
    bool is_bytes = code == RF_AVRO_SKIP;
    return rf_avro_add_op(
            maker,
            (struct rf_avro_op){.code = (uint8_t)code, .at = is_bytes ? 0 : (uint32_t)amount, .size = is_bytes ? amount : 0});
}

static size_t slot_of(uint32_t type, uint32_t state, size_t slots) {
    uint64_t key = (uint64_t)type << 32 | state;
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (slots - 1);
}

static enum rf_status grow_slots(struct rf_avro_maker *maker) {
    size_t capacity = maker->slots.capacity ? 2 * maker->slots.capacity : 64;
    uint32_t *slots = calloc(capacity, sizeof *slots);
    if (!slots) {
        return rf_fail(maker->err, RF_MEMORY, "a plan for the schema does not fit into memory");
    }
    const struct rf_avro_routine *routines = maker->routines.data;
    for (size_t i = 0; i < maker->routines.count; i++) {
        size_t at = slot_of(routines[i].type, routines[i].state, capacity);
        while (slots[at]) {
            at = (at + 1) & (capacity - 1);
        }
        slots[at] = (uint32_t)i + 1;
    }
    free(maker->slots.data);
    maker->slots = (struct rf_avro_list){.data = slots, .capacity = capacity};
    return RF_OK;
}

enum rf_status rf_avro_add_call(struct rf_avro_maker *maker, struct rf_avro_place place) {
    if (2 * (maker->routines.count + 1) > maker->slots.capacity && grow_slots(maker)) {
        return maker->err->status;
    }
    uint32_t *slots = maker->slots.data;
    size_t at = slot_of(place.type, place.state, maker->slots.capacity);
    const struct rf_avro_routine *routines = maker->routines.data;
    while (slots[at] && (routines[slots[at] - 1].type != place.type || routines[slots[at] - 1].state != place.state)) {
        at = (at + 1) & (maker->slots.capacity - 1);
    }
    if (!slots[at]) {
        struct rf_avro_routine *routine = rf_avro_add_to(maker, &maker->routines, 1, sizeof *routine);
        if (!routine) {
            return maker->err->status;
        }
        *routine = (struct rf_avro_routine){.type = place.type, .state = place.state};
        slots[at] = (uint32_t)maker->routines.count;
    }
    return rf_avro_add_op(maker, (struct rf_avro_op){.code = RF_AVRO_CALL, .at = slots[at] - 1});
}
