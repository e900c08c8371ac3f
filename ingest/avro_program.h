#ifndef RF_INGEST_AVRO_PROGRAM_H
#define RF_INGEST_AVRO_PROGRAM_H
// What a plan is made of (avro_plan.c), and what reading follows (avro_walk.c).
#include "ingest/avro_plan.h"
#include "ingest/avro_value.h"

enum rf_avro_code {
    RF_AVRO_END,          // of the datum
    RF_AVRO_SKIP,         // passes over `size` bytes
    RF_AVRO_SKIP_LONGS,   // over `at` numbers of varying size
    RF_AVRO_SKIP_SIZED,   // over `at` texts with their sizes in front
    RF_AVRO_SKIP_ITEMS,   // over an array of items of `size` bytes
    RF_AVRO_KEEP,         // reads leaf `at`
    RF_AVRO_KEEP_NUMBERS, // reads an array of numbers for leaf `at`, as a vector
    RF_AVRO_REFUSE,       // rejects the record: leaf `at` is wanted and holds others
    RF_AVRO_CALL,         // goes on at `at`, and then behind here
    RF_AVRO_RETURN,       // goes on behind the call
    RF_AVRO_JUMP,         // goes on at `at`
    RF_AVRO_BRANCH,       // of a union of `size` branches: goes on at jumps[at + branch]
    RF_AVRO_ITEMS,        // an array or a map: goes on at each of its items, then at `size`
    RF_AVRO_NEXT,         // the end of an item
};

// How the items of an array or a map are read.
enum {
    RF_AVRO_IS_MAP = 1,      // each item has its key in front
    RF_AVRO_IS_PASSED = 2,   // nothing of them is wanted: blocks that say their size are passed over
    RF_AVRO_ARE_NOTHING = 4, // they take no bytes
    RF_AVRO_IS_CHOSEN = 8,   // some are read otherwise than the rest, see choices[at]
};

struct rf_avro_op {
    uint8_t code;  // enum rf_avro_code
    uint8_t items; // of RF_AVRO_ITEMS
    uint32_t at;
    uint64_t size;
};

// Where to go on by the index of an element or by the key of a map's value.
struct rf_avro_way {
    struct rf_text key;
    uint64_t index;
    uint64_t seen; // with a key: the map that had it last, see rf_avro_plan.maps
    uint32_t at;
};

struct rf_avro_choice {
    uint32_t first, count; // of ways, sorted by index, or by size and bytes of the key
    uint32_t other;        // where to go on with all others
};

struct rf_avro_plan {
    struct rf_avro_schema types;
    struct rf_avro_op *ops; // [op_count]
    uint32_t *jumps;
    struct rf_avro_leaf *leaves;
    struct rf_avro_target *targets;
    struct rf_avro_choice *choices;
    struct rf_avro_way *ways;
    size_t op_count;
    uint64_t maps; // read so far, whose keys choose
};

#endif
