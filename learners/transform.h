#ifndef RF_LEARNERS_TRANSFORM_H
#define RF_LEARNERS_TRANSFORM_H
// From the raw features of an example to the inputs of a learner: what is scaled, encoded and crossed here has memory, or
// would be too much to store. Which inputs there are, and their hashes, is a function of the example alone; their values
// follow from what was learned so far.
//
// The inputs of an example: its features, one each; a number for each category that is target-encoded; the crosses.
#include "learners/scale.h"
#include "proto/example.h"
#include "proto/prediction.h"
#include "proto/setting.h"
#include "proto/state.h"

#include <stdbool.h>

struct rf_transform;
struct rf_learner_context;

enum rf_encode { RF_ENCODE_ONE_HOT, RF_ENCODE_TARGET, RF_ENCODE_BOTH };

struct rf_transform_options {
    int scale;       // enum rf_scale
    int scale_order; // after, before
    uint64_t scale_fields;
    double select_variance;
    int encode; // enum rf_encode
    struct rf_texts encode_fields;
    double encode_smoothing;
    uint64_t encode_categories;
    uint64_t cross_inputs;
    double noise;
    uint64_t noise_seed;
};

// The rows for the settings of a learner whose options hold a struct rf_transform_options called `transform`.
extern const char *const rf_transform_encode_names[], *const rf_transform_order_names[];
#define RF_TRANSFORM_ROW(type_, row_type_, field_) .type = row_type_, .name = #field_, .offset = offsetof(type_, transform.field_)
// clang-format off
#define RF_TRANSFORM_SETTINGS(type_) \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_CHOICE, scale), .fallback = "auto", .choices = rf_scale_names, \
     .help = "how numbers are scaled, by what was learned so far: standard (to mean 0 and deviation 1), min_max, max_abs, " \
             "robust (by quartiles), none; auto: standard, but none where the optimizer is indifferent to scale"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_CHOICE, scale_order), .fallback = "after", .choices = rf_transform_order_names, \
     .help = "when scalers learn the numbers of a record: after it is predicted, or before, as River did up to 0.18"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_UINT, scale_fields), .fallback = "4096", .min = 1, .max = 1 << 24, \
     .help = "number of fields that can be scaled, rounded up to a power of two; numbers of others are not used"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_REAL, select_variance), .fallback = "0", .min = 0, .max = 1e100, \
     .help = "numbers whose variance is not above it give nothing; needs scale standard"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_CHOICE, encode), .fallback = "one_hot", .choices = rf_transform_encode_names, \
     .help = "what a category becomes: one_hot (a weight each), target (a number: how its labels differ from all), or both"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_TEXTS, encode_fields), \
     .help = "categories to encode by target; all of them where none is named"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_REAL, encode_smoothing), .fallback = "10", .min = 1e-6, .max = 1e12, \
     .help = "target encoding: labels of the whole stream that stand beside those of a category"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_UINT, encode_categories), .fallback = "65536", .min = 1, .max = 1 << 26, \
     .help = "target encoding: number of categories remembered, rounded up to a power of two; others give nothing"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_UINT, cross_inputs), .fallback = "4096", .min = 1, .max = 1 << 20, \
     .help = "crosses an example can have; further ones are left out and counted"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_REAL, noise), .fallback = "0", .min = 0, .max = 1e6, \
     .help = "deviation of Gaussian noise added to scaled numbers while learning, against overfitting"}, \
    {RF_TRANSFORM_ROW(type_, RF_TYPE_UINT, noise_seed), .fallback = "1", .min = 0, .max = 9007199254740992.0, \
     .help = "where the noise begins"}
// clang-format on

// The inputs of one example, good until the next call. The arrays are for the learner's own use, and have room for one more
// input behind the last.
struct rf_inputs {
    size_t count;
    uint64_t *hash;      // [count]
    uint32_t *field;     // [count] index into the examples' field names, or RF_FIELD_CROSS and above; for explain
    double *x;           // [count]
    uint32_t (*part)[3]; // [count] of a cross: the inputs it is the product of
    size_t crosses_begin, crosses_end;
    size_t uncrossed; // crosses that found no room
};

enum rf_status rf_transform_create(const struct rf_transform_options *options, enum rf_task task,
                                   const struct rf_learner_context *context, struct rf_transform **transform_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_transform_destroy(struct rf_transform *transform);

size_t rf_transform_inputs_max(const struct rf_transform *transform); // of one example

// The inputs of an example, at what was learned so far. Changes nothing but the inputs.
const struct rf_inputs *rf_transform_see(const struct rf_transform *transform, const struct rf_examples *examples, size_t index);

// Before the step: learns the numbers of the example whose inputs rf_transform_see() made just before, and fills the values of
// those inputs again. Returns how many of its numbers found no room and are 0. Where rf_transform_moves() is false it changes
// nothing.
size_t rf_transform_learn(struct rf_transform *transform, const struct rf_examples *examples, size_t index);
bool rf_transform_moves(const struct rf_transform *transform);

// Whether that is to be done even before an example that is learned at once is predicted: `scale_order: before`.
bool rf_transform_learns_first(const struct rf_transform *transform);

// After the step: learns the label. Returns how many categories found no room.
size_t rf_transform_learn_label(struct rf_transform *transform, const struct rf_examples *examples, size_t index);

// Lists its blocks: none when nothing has memory.
void rf_transform_state(struct rf_transform *transform, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words.
enum rf_status rf_transform_check(const struct rf_transform *transform, struct rf_error *err) RF_MUST_USE;

#endif
