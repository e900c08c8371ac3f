// Optimizers whose weights only add up moves along the input, so that nothing happens where x is 0:
//
//     weight <- weight - move * x
//
// The move is rate_t * gradient (sgd with averages) or that of optimizer_passive.h. Predictions may be made by averaged weights
// (Polyak and Juditsky, 1992; Ruppert, 1988; the averaged perceptron of Freund and Schapire, 1999): by the mean of the weights
// after each of the steps 1 to t. A change made when s steps lay behind is part of t - s of these, so that
//
//     average = sum over changes of change * (t - s) / t = weight - moment / t,     moment = sum of change * s
//
// which costs nothing where a feature is absent. Gradients are taken at the weights themselves.
#include "learners/optimizer_kind.h"
#include "learners/optimizer_passive.h"

// How a row is read: it has no averages; it has, and they are; it has, but the weights themselves are.
enum averaged { NO_AVERAGE, AVERAGE, RAW };

struct additive {
    struct rf_optimizer base;
    struct rf_passive passive;
    bool is_passive; // else moves are multiples of the gradient
};

static void additive_destroy(struct rf_optimizer *self) {
    rf_row_sums_finish(&((struct additive *)self)->passive.input);
    rf_optimizer_finish(self);
    free(self);
}

static struct additive *additive_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == additive_destroy);
    return (struct additive *)self;
}

static enum rf_status additive_reserve(struct rf_optimizer *self, size_t count, struct rf_error *err) {
    struct additive *additive = additive_from(self);
    return additive->is_passive ? rf_row_sums_init(&additive->passive.input, count, 1, err) : RF_OK;
}

static bool find_moves(struct additive *additive, const struct rf_step *step, double rate) {
    return additive->is_passive ? rf_passive_moves(&additive->passive, &additive->base, step)
                                : rf_optimizer_moves(&additive->base, step, rate);
}

// The share of the moment that is taken off a weight.
INLINE double moment_share(const struct additive *additive) {
    uint64_t steps = additive->base.ticks->steps;
    return steps > 0 ? 1 / (double)steps : 0;
}

#define CELLS_FILE "learners/optimizer_additive_cells.h"
#include "learners/optimizer_reals.h"

// NULL, in words, when it cannot be.
static struct additive *create(const struct rf_optimizer_context *context, const struct rf_rate *rate, bool has_average,
                               struct rf_error *err) {
    static const struct rf_optimizer_ops *const kinds[2][2][2] = {
            // [is_double][has_average][has many outputs]
            {{&ops_one_float, &ops_many_float}, {&ops_one_averaged_float, &ops_many_averaged_float}},
            {{&ops_one_double, &ops_many_double}, {&ops_one_averaged_double, &ops_many_averaged_double}},
    };
    // Where a change falls in the order of steps is part of its moment: two workers' do not add up.
    static const struct rf_optimizer_real reals[] = {{"weight", RF_MERGE_SUM, false}, {"moment", RF_MERGE_NONE, false}};
    struct additive *additive = calloc(1, sizeof *additive);
    if (!additive) {
        rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
        return NULL;
    }
    additive->base.ops = kinds[context->is_double][has_average][context->outputs > 1];
    if (rf_optimizer_init(&additive->base, context, rate, reals, has_average ? 2 : 1, false, err) != RF_OK) {
        additive_destroy(&additive->base);
        return NULL;
    }
    return additive;
}

enum rf_status rf_optimizer_averaged_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    struct additive *additive = create(context, &((const struct rf_sgd_options *)options)->rate, true, err);
    if (!additive) {
        return err->status;
    }
    *optimizer_out = &additive->base;
    return RF_OK;
}

enum rf_status rf_optimizer_passive_create(const void *options, const struct rf_optimizer_context *context,
                                           struct rf_optimizer **optimizer_out, struct rf_error *err) {
    const struct rf_passive_options *own = options;
    struct additive *additive = create(context, &(struct rf_rate){.first = 1}, own->average, err);
    if (!additive) {
        return err->status;
    }
    additive->is_passive = true;
    additive->base.needs_record = true;
    additive->passive.variant = (enum rf_passive_variant)own->variant;
    additive->passive.aggressiveness = own->c;
    *optimizer_out = &additive->base;
    return RF_OK;
}
