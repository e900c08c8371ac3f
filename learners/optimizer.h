#ifndef RF_LEARNERS_OPTIMIZER_H
#define RF_LEARNERS_OPTIMIZER_H
// How weights move. An optimizer owns a table of rows: the weights of one feature, one an output, side by side with
// what it remembers about them. It is virtual once a record; its loops are specialised by number type and outputs.
//
// The order of a step: advance() the rows, score() or score_ahead() them, take the gradient there, step() on the same rows. Two
// features of a record may share a row: each contributes to the score and to the step, and what happens once a step (decay,
// velocity) happens once.
//
// What happens once a step happens also at zero gradient: every weight is regularised and every moment decays at every tick,
// whether its feature is present or not. L1 and L2 are the rule in shrink.h; where gradients are scaled by second moments,
// L2 is thereby decoupled from them (Loshchilov and Hutter, 2019: "Decoupled weight decay regularization").
//
// The bias is a row of its own behind those of the features, the last one given, with x = 1.
#include "learners/combination.h"
#include "learners/loss.h"
#include "learners/rate.h"
#include "proto/state.h"

#include <stdbool.h>

struct rf_optimizer;

enum { RF_OPTIMIZER_REALS_MAX = 3 };

// One record to learn, or the sum of several (see waiting.h). Gradients and scores are [experts][outputs]; the loss and what it
// was told serve rules whose step is more than a multiple of the gradient.
struct rf_step {
    const uint32_t *rows; // [count]
    const double *x;      // [count], or where `is_sum` [count][outputs]
    size_t count;
    bool is_sum;      // over several records: `x` is what they add up to, each row stands once, the gradient is a common factor
    double x_largest; // the largest |x|
    const double *score;
    const double *gradient;     // by the score, times `weight`
    const struct rf_loss *loss; // of a sum NULL, and there is no score
    double label;
    double weight;   // importance of the example, above 0
    int64_t time_ms; // event time, -1: unknown
};

// What the gradient of output k is multiplied by for feature i. `outputs` is given so that it can be a constant.
static inline __attribute__((always_inline)) double rf_step_x(const struct rf_step *step, size_t i, uint32_t k,
                                                              uint32_t outputs) {
    return step->x[outputs > 1 && step->is_sum ? i * outputs + k : i];
}

// What a kind of optimizer must do. `rows` are indices into the table.
struct rf_optimizer_ops {
    const char *name;

    // The weights [count][experts][outputs] of the rows as they stand now, missed steps counted in. Changes nothing.
    void (*gather)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

    // The scores [experts][outputs] at those weights: sums of weight * x. Changes nothing.
    void (*score)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, double *score_out);

    // Catches the rows up with the steps they missed, which changes no bit of what the two above give. Touches the rows'
    // pieces, for this and for the step that follows.
    void (*advance)(struct rf_optimizer *self, const uint32_t *rows, size_t count);

    // The scores at the weights at which the gradient is to be taken, of rows just advanced. NULL: the weights themselves.
    void (*score_ahead)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, double *score_out);

    // Takes the step at a rate, on rows just advanced. False, and nothing done, when a weight could move out of bounds.
    bool (*step)(struct rf_optimizer *self, const struct rf_step *step, double rate);

    // Catches all rows up and sets their ticks to 0. NULL when rows have no tick.
    void (*renew)(struct rf_optimizer *self);

    // Makes room for records of up to so many inputs, the bias included. NULL when nothing depends on it.
    enum rf_status (*reserve)(struct rf_optimizer *self, size_t inputs_max, struct rf_error *err);

    // Lists the blocks beside the table and the ticks. NULL when there are none.
    void (*state)(struct rf_optimizer *self, struct rf_state *state);

    // Checks its own blocks and the table once restored, see rf_optimizer_check(). NULL: reals within the limit, then a tick.
    enum rf_status (*check)(const struct rf_optimizer *self, struct rf_error *err);

    void (*destroy)(struct rf_optimizer *self);
};

// How far the optimizer is: one row of state.
struct rf_ticks {
    uint64_t steps;    // taken
    uint32_t tick;     // of them since the rows' ticks were last renewed
    uint32_t reserved; // 0
};

struct rf_optimizer { // embedded first in each kind
    const struct rf_optimizer_ops *ops;
    uint32_t outputs;
    bool is_scale_free; // features need no scaling
    uint32_t experts;   // sets of weights learned side by side, 1 for most kinds
    size_t rows;        // the one of the bias included
    uint32_t bias_row;
    struct rf_rate rate;
    uint64_t rate_block; // steps for which the rate is held
    uint64_t rate_from;  // the first of the steps for which it is rate_now: both follow from the steps taken, and are no state
    double rate_now;
    double l1, l2;
    double l1_bias, l2_bias; // the same, or 0
    uint32_t tick_limit;
    double half_lives; // that passed before the record learned last, by which what is known of the experts counts less
    double *move;      // [experts * outputs] rate * gradient, of the step being taken

    unsigned char *cells; // [rows][row_size]
    size_t row_size;
    uint32_t reals; // at the start of a row
    bool has_tick;  // behind them
    bool is_double;
    double limit;      // of the size of anything stored
    bool needs_record; // steps are made from the loss of one record: sums of gradients are not for it
    struct rf_ticks *ticks;
    struct rf_block weights;                              // describes the cells
    struct rf_block *touched;                             // what to touch: as listed in a state, or `weights`
    struct rf_column columns[RF_OPTIMIZER_REALS_MAX + 2]; // of the cells
    uint32_t squares;                                     // bit i: real i of an output is never negative
};

// One number that a row holds for each output.
struct rf_optimizer_real {
    const char *name;
    enum rf_merge merge;
    bool is_square; // never negative
};

struct rf_optimizer_context {
    uint32_t outputs;
    unsigned row_bits; // log2 of the rows for features; the bias has row 2^row_bits
    double l1, l2;     // see shrink.h
    bool regularise_bias;
    bool is_double;
    uint32_t tick_limit; // steps after which ticks are renewed; 0: the largest there can be
    bool use_baseline_kernels;
};

// As the ops of these names; score_ahead() gives the scores at the weights themselves where the kind does not look ahead.
void rf_optimizer_gather(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);
void rf_optimizer_score(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count, double *score_out);
void rf_optimizer_advance(struct rf_optimizer *self, const uint32_t *rows, size_t count);
void rf_optimizer_score_ahead(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count,
                              double *score_out);
bool rf_optimizer_looks_ahead(const struct rf_optimizer *self);

double rf_optimizer_rate(struct rf_optimizer *self); // of the step that comes next

// The step, a tick. False, and nothing done, when a weight could move out of bounds.
bool rf_optimizer_step(struct rf_optimizer *self, const struct rf_step *step) RF_MUST_USE;

// To be called before the first step.
enum rf_status rf_optimizer_reserve(struct rf_optimizer *self, size_t inputs_max, struct rf_error *err) RF_MUST_USE;

// Lists its blocks; the names stay the caller's.
void rf_optimizer_state(struct rf_optimizer *self, const char *weights_name, const char *ticks_name, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when ticks contradict one another or a cell
// is out of bounds.
enum rf_status rf_optimizer_check(const struct rf_optimizer *self, struct rf_error *err) RF_MUST_USE;

void rf_optimizer_destroy(struct rf_optimizer *self);

// The registry: one row a kind. What it says of itself beside how it is made is read by rf_combination_check().
struct rf_optimizer_kind {
    enum rf_status (*create)(const void *options, const struct rf_optimizer_context *context, struct rf_optimizer **optimizer_out,
                             struct rf_error *err);
    struct rf_combination combination;
};
extern const struct rf_variant rf_optimizer_variants[]; // `registration` is a struct rf_optimizer_kind

// Makes the optimizer a variant value describes. RF_INVALID, in words, for settings that do not go together. That the
// regularisers go with the kind, rf_combination_check() has said before.
enum rf_status rf_optimizer_create(const struct rf_variant_value *value, const struct rf_optimizer_context *context,
                                   struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

// The kinds. The rule of each stands in its .c file.

struct rf_sgd_options {
    struct rf_rate rate;
    bool average; // predict by averaged weights: see optimizer_additive.c
};
enum rf_status rf_optimizer_sgd_create(const void *options, const struct rf_optimizer_context *context,
                                       struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_momentum_options {
    struct rf_rate rate;
    double momentum;
};
enum rf_status rf_optimizer_momentum_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_optimizer_nesterov_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_adagrad_options {
    struct rf_rate rate;
    double epsilon;
};
enum rf_status rf_optimizer_adagrad_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_rmsprop_options {
    struct rf_rate rate;
    double rho;
    double epsilon;
};
enum rf_status rf_optimizer_rmsprop_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_adadelta_options {
    struct rf_rate rate;
    double rho;
    double epsilon;
};
enum rf_status rf_optimizer_adadelta_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_adam_options {
    struct rf_rate rate;
    double beta1, beta2;
    double epsilon;
    int catch_up; // exact, approximate
};
extern const char *const rf_adam_catch_up_names[];
enum rf_status rf_optimizer_adam_create(const void *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_ftrl_options {
    double alpha, beta;
    double l1, l2;
    bool lagging;
};
enum rf_status rf_optimizer_ftrl_create(const void *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

// sgd with averages; rf_optimizer_sgd_create() calls it.
enum rf_status rf_optimizer_averaged_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_passive_options {
    int variant; // enum rf_passive_variant
    double c;
    bool average;
};
enum rf_status rf_optimizer_passive_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_adaptive_options {
    double rate; // NaN: auto
    double power, initial, squares, l1;
    bool adaptive, normalized, invariant, resistant;
    double half_life;         // steps; 0: none
    double half_life_seconds; // of event time; 0: none
};
enum rf_status rf_optimizer_adaptive_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;
// Of rate auto; the second for machines with AVX2, where it is built.
enum rf_status rf_optimizer_bank_create(const struct rf_adaptive_options *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_optimizer_bank_create_avx2(const struct rf_adaptive_options *options,
                                             const struct rf_optimizer_context *context, struct rf_optimizer **optimizer_out,
                                             struct rf_error *err) RF_MUST_USE;

// For the kinds: fills the base and reserves the table. A row holds each of the reals for all outputs, in the order given
// [real_count], then a tick. What is there when it fails, rf_optimizer_finish() frees.
enum rf_status rf_optimizer_init(struct rf_optimizer *self, const struct rf_optimizer_context *context,
                                 const struct rf_rate *rate, const struct rf_optimizer_real *reals, uint32_t real_count,
                                 bool has_tick, struct rf_error *err) RF_MUST_USE;
// The same, for kinds that have laid out a row themselves: self->columns, self->weights.column_count and self->row_size.
enum rf_status rf_optimizer_init_rows(struct rf_optimizer *self, const struct rf_optimizer_context *context,
                                      const struct rf_rate *rate, struct rf_error *err) RF_MUST_USE;
void rf_optimizer_finish(struct rf_optimizer *self);

// For the kinds: fills self->move with rate * gradient. False when a weight could move out of bounds by it.
bool rf_optimizer_moves(struct rf_optimizer *self, const struct rf_step *step, double rate) RF_MUST_USE;

// For the kinds: the sum of products in eight lanes by i mod 8, then ((0+4) + (2+6)) + ((1+5) + (3+7)), as the kernels do it.
struct rf_lanes {
    double sum[8];
};

static inline __attribute__((always_inline)) double rf_lanes_total(const struct rf_lanes *lanes) {
    const double *sum = lanes->sum;
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// The size of a row of which `used` bytes hold something. Small rows are rounded up to a power of two, so that none lies
// across two cache lines.
static inline size_t rf_optimizer_row_size(size_t used) {
    return used <= 4 ? 4 : used <= 8 ? 8 : used <= 16 ? 16 : used <= 32 ? 32 : (used + 7) / 8 * 8;
}

// For the kinds: the step from which the ticks count.
static inline uint64_t rf_optimizer_start(const struct rf_optimizer *self) {
    return self->ticks->steps - self->ticks->tick;
}

// What a cell of a number type may hold, in size; and what is too small to keep (slow denormals, and nothing else).
#define RF_CELL_MAX_FLOAT 1e30
#define RF_CELL_MAX_DOUBLE 1e100
#define RF_CELL_MIN_FLOAT 1.17549435082228751e-38
#define RF_CELL_MIN_DOUBLE 2.2250738585072014e-308

#endif
