// The adaptive, normalised, invariant rule at seven rates side by side (see optimizer_adaptive.h), each an expert whose
// predictions are mixed (see mixture.h). The numbers of a feature lie in one cell, of one cache line in single precision:
//
//     v[7], size, A[7], note       v and A in the order of the rates
//
// Loops run over eight lanes, of which the last is the size or the note and never moves: one lane a rate, so that the bits of
// a result do not depend on how many lanes an instruction takes: the file is built once for each instruction set (see kernels.h).
// With several outputs a row is a cell that holds the size and
// the note, and then a cell for each output.
#include "learners/kernels.h"
#include "learners/lanes.h"
#include "learners/loss_lanes.h"
#include "learners/optimizer_adaptive.h"
#include "proto/bytes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8, RATES = LANES - 1, LAST = LANES - 1, GROUP = 64 };

// Those that Vowpal Wabbit's users try by hand, the gap between 0.1 and 0.5 closed, and one more above.
static const double rates[RATES] = {0.05, 0.1, 0.2, 0.5, 2, 8, 32};

struct bank {
    struct rf_adaptive adaptive;
    void *reach;   // [inputs_max][outputs][LANES] z / sqrt(A), of the record being learned
    void *outputs; // [outputs] struct of a number type: of the record being learned

    // Of the record being worked on, [inputs_max, rounded up to 8] of the number type.
    void *value, *size, *z; // x, the size of its feature, x / size
    void *note;             // of its feature, in whole numbers of the same size
};

static void free_scratch(struct bank *bank) {
    free(bank->reach);
    free(bank->outputs);
    free(bank->value);
    free(bank->size);
    free(bank->z);
    free(bank->note);
}

static void bank_destroy(struct rf_optimizer *self) {
    struct bank *bank = (struct bank *)self;
    rf_adaptive_finish(&bank->adaptive);
    free_scratch(bank);
    free(bank);
}

static struct bank *bank_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == bank_destroy);
    return (struct bank *)self;
}

static enum rf_status bank_reserve(struct rf_optimizer *self, size_t inputs_max, struct rf_error *err) {
    struct bank *bank = bank_from(self);
    const size_t real_size = self->is_double ? sizeof(double) : sizeof(float);
    const size_t lanes_size = LANES * real_size, blocks = inputs_max / LANES + 1;
    free_scratch(bank);
    bank->reach = aligned_alloc(64, (inputs_max * self->outputs * lanes_size + 63) / 64 * 64);
    bank->outputs = aligned_alloc(64, (3 * self->outputs * lanes_size + 63) / 64 * 64);
    bank->value = aligned_alloc(64, (blocks * lanes_size + 63) / 64 * 64);
    bank->size = aligned_alloc(64, (blocks * lanes_size + 63) / 64 * 64);
    bank->z = aligned_alloc(64, (blocks * lanes_size + 63) / 64 * 64);
    bank->note = aligned_alloc(64, (blocks * lanes_size + 63) / 64 * 64);
    if (!bank->reach || !bank->outputs || !bank->value || !bank->size || !bank->z || !bank->note) {
        return rf_fail(err, RF_MEMORY, "out of memory for records of %zu inputs", inputs_max);
    }
    memset(bank->value, 0, blocks * lanes_size); // what lies behind the last value is worked on too
    memset(bank->size, 0, blocks * lanes_size);
    memset(bank->note, 0, blocks * lanes_size);
    return rf_adaptive_reserve(self, inputs_max, err);
}

// The changes of the scores [RATES] of one output, for their importances. With the logistic loss all are found at once.
static void find_changes(const struct bank *bank, const struct rf_step *step, uint32_t k, const double *importance,
                         double *change_out) {
    const uint32_t outputs = bank->adaptive.base.outputs;
    if (step->loss->ops != &rf_loss_logistic) {
        for (uint32_t e = 0; e < RATES; e++) {
            size_t at = (size_t)e * outputs + k;
            change_out[e] = rf_adaptive_change(&bank->adaptive, step, k, step->score[at], step->gradient[at], importance[e]);
        }
        return;
    }
    double p[LANES] = {0}, q[LANES] = {0}; // of the class that came, and of the other
    for (uint32_t e = 0; e < RATES; e++) {
        q[e] = fabs(step->gradient[(size_t)e * outputs + k]) / step->weight;
        p[e] = 1 - q[e];
    }
    rf_loss_lanes_climb(p, q, importance, change_out);
    for (uint32_t e = 0; e < RATES && step->label == 0; e++) {
        change_out[e] = -change_out[e];
    }
}

#define REAL float
#define CELLS(name) name##_float
#define COLUMN RF_F32
#define CELL_MAX 1e30f
#define CELL_MIN 1e-37f
#define ROOT rf_floats_root
#define SMALLER rf_floats_smaller
#define LARGER rf_floats_larger
#define WORD int32_t
#define OF_DOUBLES rf_floats_of_doubles
#define MASK rf_floats_mask
#define CHOOSE rf_floats_choose
#define WITH_LAST rf_floats_with_last
#define PART RF_PART_FLOATS
#define TINY 1e-30f
#include "learners/optimizer_bank_cells.h"

#define REAL double
#define CELLS(name) name##_double
#define COLUMN RF_F64
#define CELL_MAX 1e100
#define CELL_MIN 1e-300
#define ROOT rf_doubles_root
#define SMALLER rf_doubles_smaller
#define LARGER rf_doubles_larger
#define WORD int64_t
#define OF_DOUBLES rf_doubles_of_doubles
#define MASK rf_doubles_mask
#define CHOOSE rf_doubles_choose
#define WITH_LAST rf_doubles_with_last
#define PART (RF_PART_FLOATS / 2)
#define TINY 1e-100
#include "learners/optimizer_bank_cells.h"

static enum rf_status check_options(const struct rf_adaptive_options *options, struct rf_error *err) {
    if (options->l1 > 0 || options->squares > 0) {
        return rf_fail(err, RF_INVALID, "rate is auto with l1 %g and squares %g, must be a number, or they 0", options->l1,
                       options->squares);
    }
    if (!options->adaptive || !options->normalized || !options->invariant || options->power != 0.5) {
        return rf_fail(err, RF_INVALID,
                       "rate is auto with adaptive %s, normalized %s, invariant %s and power %g, must be a number, "
                       "or they true, true, true and 0.5",
                       options->adaptive ? "true" : "false", options->normalized ? "true" : "false",
                       options->invariant ? "true" : "false", options->power);
    }
    return RF_OK;
}

static enum rf_status create(const struct rf_adaptive_options *options, const struct rf_optimizer_context *context,
                             struct rf_optimizer **optimizer_out, struct rf_error *err) {
    if (check_options(options, err) != RF_OK) {
        return err->status;
    }
    struct bank *bank = calloc(1, sizeof *bank);
    if (!bank) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    struct rf_optimizer *base = &bank->adaptive.base;
    base->ops = context->is_double ? &ops_double : &ops_float;
    base->experts = RATES;
    (context->is_double ? lay_out_double : lay_out_float)(base, context->outputs);
    if (rf_adaptive_init(&bank->adaptive, options, context, err) != RF_OK) {
        goto fail;
    }
    bank->adaptive.growth = 0;
    *optimizer_out = base;
    return RF_OK;
fail:
    bank_destroy(base);
    return err->status;
}

#if defined(RF_KERNELS_AVX2)

enum rf_status rf_optimizer_bank_create_avx2(const struct rf_adaptive_options *options,
                                             const struct rf_optimizer_context *context, struct rf_optimizer **optimizer_out,
                                             struct rf_error *err) {
    return create(options, context, optimizer_out, err);
}

#else

enum rf_status rf_optimizer_bank_create(const struct rf_adaptive_options *options, const struct rf_optimizer_context *context,
                                        struct rf_optimizer **optimizer_out, struct rf_error *err) {
#if defined(RF_HAS_AVX2)
    if (rf_kernels_choose(context->use_baseline_kernels) == &rf_kernels_avx2) {
        return rf_optimizer_bank_create_avx2(options, context, optimizer_out, err);
    }
#endif
    return create(options, context, optimizer_out, err);
}

#endif
