#ifndef RF_INGEST_AVRO_MAKER_H
#define RF_INGEST_AVRO_MAKER_H
// A plan in the making (avro_plan.c): its operations one after the other, and calls of routines that are added later.
#include "ingest/avro_program.h"

struct rf_avro_routine {
    uint32_t type, state;
    uint32_t at; // its first operation
};

struct rf_avro_list {
    void *data;
    size_t count, capacity;
};

struct rf_avro_maker {
    struct rf_avro_plan *plan;
    const struct rf_schema *schema;   // NULL: nothing is wanted
    const struct rf_path_plan *paths; // NULL likewise
    struct rf_error *err;

    struct rf_avro_list ops, jumps, leaves, targets, choices, ways; // of the plan
    struct rf_avro_list routines;                                   // struct rf_avro_routine
    struct rf_avro_list slots; // uint32_t: 1 + index of a routine by its hash, a power of two of them, at most half full
    size_t label;              // the operation before this one must stay as it is: somebody may go on here
    struct rf_text alone;      // an undeclared field that is wanted, while a value of its own is read; data NULL: none
};

// A piece of the schema, in the place where it stands.
struct rf_avro_place {
    uint32_t type, state;
};

// Room for `count` more, which is not cleared; NULL, with the maker's error filled: there is none.
void *rf_avro_add_to(struct rf_avro_maker *maker, struct rf_avro_list *list, size_t count, size_t size);

enum rf_status rf_avro_add_op(struct rf_avro_maker *maker, struct rf_avro_op op) RF_MUST_USE;

static inline struct rf_avro_op *rf_avro_op_at(const struct rf_avro_maker *maker, size_t index) {
    return (struct rf_avro_op *)maker->ops.data + index;
}

// Where the next operation will stand; somebody may go on there.
static inline uint32_t rf_avro_here(struct rf_avro_maker *maker) {
    maker->label = maker->ops.count;
    return (uint32_t)maker->ops.count;
}

// Passes over `amount` bytes, numbers or texts, by the code; runs of the same become one operation.
enum rf_status rf_avro_add_skip(struct rf_avro_maker *maker, enum rf_avro_code code, uint64_t amount) RF_MUST_USE;

// A call of the routine for a record in its place; what it does is added later, and the call then pointed there.
enum rf_status rf_avro_add_call(struct rf_avro_maker *maker, struct rf_avro_place place) RF_MUST_USE;

#endif
