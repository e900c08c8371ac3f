#ifndef RF_LEARNERS_OPTIMIZER_H
#define RF_LEARNERS_OPTIMIZER_H
// How weights move. An optimizer owns a table of rows: the weights of one feature, one an output, side by side with
// what it remembers about them. It is virtual once a record; its loops are specialised by number type and outputs.
//
// The order of a step: advance() the rows, look_ahead(), take the gradient at those weights, step() on the same rows. Two
// features of a record may share a row: each contributes to the sum and to the step, and what happens once a step (decay,
// velocity) happens once.
#include "learners/rate.h"
#include "proto/state.h"

#include <stdbool.h>

struct rf_optimizer;

struct rf_step {
    const uint32_t *rows; // [count]
    const double *x;      // [count]
    size_t count;
    double x_largest; // the largest |x|
    double rate;
    const double *move; // [outputs] rate * gradient by the score
};

// What a kind of optimizer must do. `rows` are indices into the table.
struct rf_optimizer_ops {
    const char *name;

    // The weights [count][outputs] of the rows as they stand now, missed steps counted in. Changes nothing.
    void (*gather)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

    // Catches the rows up with the steps they missed, and gives the same weights. Touches the rows' pieces, for this and for
    // the step that follows.
    void (*advance)(struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

    // The weights at which the gradient is to be taken, of rows just advanced. NULL: the weights themselves.
    void (*look_ahead)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

    // Takes the step, on rows just advanced.
    void (*step)(struct rf_optimizer *self, const struct rf_step *step);

    // Catches all rows up and sets their ticks to 0. NULL when rows have no tick.
    void (*renew)(struct rf_optimizer *self);

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
    size_t rows;
    struct rf_rate rate;
    uint64_t rate_block; // steps for which the rate is held
    uint64_t rate_from;  // the first of the steps for which it is rate_now: both follow from the steps taken, and are no state
    double rate_now;
    double l2;
    double momentum; // 0: none
    uint32_t tick_limit;

    unsigned char *cells; // [rows][row_size]
    size_t row_size;
    uint32_t reals; // at the start of a row
    bool has_tick;  // behind them
    bool is_double;
    double limit; // of the size of anything stored
    struct rf_ticks *ticks;
    struct rf_block weights;     // describes the cells
    struct rf_block *touched;    // what to touch: as listed in a state, or `weights`
    struct rf_column columns[4]; // of the cells
};

struct rf_optimizer_context {
    uint32_t outputs;
    unsigned row_bits; // log2 of the rows
    double l2;         // adds l2 / 2 * weight^2 to the loss
    bool is_double;
    uint32_t tick_limit; // steps after which ticks are renewed; 0: the largest there can be
};

// The weights [count][outputs] of the rows, for predicting.
void rf_optimizer_gather(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

// Before a step, see above; each bit of the weights is as rf_optimizer_gather() gives it.
void rf_optimizer_advance(struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out);

// Replaces the weights just advanced by those at which the gradient is to be taken, and returns how much of a velocity is
// in them: 0 when they are the same.
double rf_optimizer_look_ahead(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight);

double rf_optimizer_rate(struct rf_optimizer *self); // of the step that comes next

// The step. False, and nothing done, when a weight could move out of bounds.
bool rf_optimizer_step(struct rf_optimizer *self, const struct rf_step *step) RF_MUST_USE;

// Lists its two blocks; the names stay the caller's.
void rf_optimizer_state(struct rf_optimizer *self, const char *weights_name, const char *ticks_name, struct rf_state *state);

// For the check of a learner whose blocks were restored: RF_CORRUPT, in words, when ticks contradict one another or a cell
// is out of bounds.
enum rf_status rf_optimizer_check(const struct rf_optimizer *self, struct rf_error *err) RF_MUST_USE;

void rf_optimizer_destroy(struct rf_optimizer *self);

// Always inlined, as its callers must be: gcc takes a function that only prefetches for one that does nothing.
static inline __attribute__((always_inline)) void rf_optimizer_prefetch(const struct rf_optimizer *self, uint32_t row) {
    __builtin_prefetch(self->cells + row * self->row_size, 1);
}

// The registry: one row a kind.
struct rf_optimizer_kind {
    enum rf_status (*create)(const void *options, const struct rf_optimizer_context *context, struct rf_optimizer **optimizer_out,
                             struct rf_error *err);
};
extern const struct rf_variant rf_optimizer_variants[]; // `registration` is a struct rf_optimizer_kind

// Makes the optimizer a variant value describes. RF_INVALID, in words, for settings that do not go together.
enum rf_status rf_optimizer_create(const struct rf_variant_value *value, const struct rf_optimizer_context *context,
                                   struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

// The kinds.

struct rf_sgd_options {
    double rate;
    int rate_decay; // enum rf_rate_decay
    double rate_start, rate_power;
};
enum rf_status rf_optimizer_sgd_create(const void *options, const struct rf_optimizer_context *context,
                                       struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

struct rf_momentum_options {
    double rate;
    int rate_decay; // enum rf_rate_decay
    double rate_start, rate_power;
    double momentum;
};
enum rf_status rf_optimizer_momentum_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_optimizer_nesterov_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) RF_MUST_USE;

// For the kinds: fills the base and reserves the table. `reals` numbers an output (weight, then velocity), then a tick.
// What is there when it fails, rf_optimizer_finish() frees.
enum rf_status rf_optimizer_init(struct rf_optimizer *self, const struct rf_optimizer_context *context, struct rf_rate rate,
                                 uint32_t reals, bool has_tick, struct rf_error *err) RF_MUST_USE;
void rf_optimizer_finish(struct rf_optimizer *self);

// The size of a row of which `used` bytes hold something. Small rows are rounded up to a power of two, so that none lies
// across two cache lines.
static inline size_t rf_optimizer_row_size(size_t used) {
    return used <= 4 ? 4 : used <= 8 ? 8 : used <= 16 ? 16 : used <= 32 ? 32 : (used + 7) / 8 * 8;
}

// What a cell of a number type may hold, in size; and what is too small to keep (slow denormals, and nothing else).
#define RF_CELL_MAX_FLOAT 1e30
#define RF_CELL_MAX_DOUBLE 1e100
#define RF_CELL_MIN_FLOAT 1.17549435082228751e-38
#define RF_CELL_MIN_DOUBLE 2.2250738585072014e-308

#endif
