#ifndef RF_LEARNERS_TRANSFORM_H
#define RF_LEARNERS_TRANSFORM_H
// From the raw features of an example to the inputs of a learner: what is scaled, encoded and crossed here has memory, or
// would be too much to store. Which inputs there are, and their hashes, is a function of the example alone; their values
// follow from what was learned so far.
#include "proto/example.h"
#include "proto/setting.h"
#include "proto/state.h"

#include <stdbool.h>

struct rf_transform;
struct rf_learner_context;

struct rf_transform_options {
    int scale; // standard, none
    uint64_t scale_fields;
};

// The rows for the settings of a learner whose options hold a struct rf_transform_options called `transform`.
extern const char *const rf_transform_scale_names[];
#define RF_TRANSFORM_SETTINGS(type_)                                                                                         \
    {.type = RF_TYPE_CHOICE,                                                                                                 \
     .name = "scale",                                                                                                        \
     .offset = offsetof(type_, transform.scale),                                                                             \
     .fallback = "standard",                                                                                                 \
     .choices = rf_transform_scale_names,                                                                                    \
     .help = "how numbers are scaled: standard (to mean 0 and deviation 1, as learned so far) or none"},                     \
    {                                                                                                                        \
        .type = RF_TYPE_UINT, .name = "scale_fields", .offset = offsetof(type_, transform.scale_fields), .fallback = "4096", \
        .min = 1, .max = 1 << 24,                                                                                            \
        .help = "number of fields that can be scaled, rounded up to a power of two; numbers of others are not used"          \
    }

// The inputs of one example, good until the next call. The arrays of a learner's own use, and have room for one more input
// behind the last.
struct rf_inputs {
    size_t count;
    uint64_t *hash;  // [count]
    uint32_t *field; // [count] index into the examples' field names, for explain
    double *x;       // [count]
};

enum rf_status rf_transform_create(const struct rf_transform_options *options, const struct rf_learner_context *context,
                                   struct rf_transform **transform_out, struct rf_error *err) RF_MUST_USE;
void rf_transform_destroy(struct rf_transform *transform);

size_t rf_transform_inputs_max(const struct rf_transform *transform); // of one example

// The inputs of an example, at what was learned so far. Changes nothing but the inputs.
const struct rf_inputs *rf_transform_see(const struct rf_transform *transform, const struct rf_examples *examples, size_t index);

// Learns the example, then fills the values of its inputs, which rf_transform_see() made just before, again. Returns how many
// of its numbers found no room and are 0. Does nothing where rf_transform_learns() is false.
size_t rf_transform_learn(struct rf_transform *transform, const struct rf_examples *examples, size_t index);
bool rf_transform_learns(const struct rf_transform *transform);

// Lists its blocks: none when nothing has memory.
void rf_transform_state(struct rf_transform *transform, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words.
enum rf_status rf_transform_check(const struct rf_transform *transform, struct rf_error *err) RF_MUST_USE;

#endif
