// The adaptive, normalised, invariant rule at one rate: see optimizer_adaptive.h. Each of the three can be left out:
//
//     not normalized   z = x, M = 1
//     not adaptive     A^-power is 1, M^-1 in place of M^(power - 1), and the rate falls with the importance T of all records,
//     this
//                      one and those of gradient 0 included: rate (initial / (initial + T))^power, or rate T^-power where
//                      initial is 0
//     not invariant    d is the importance times the gradient
#include "learners/optimizer_adaptive.h"
#include "learners/kernels.h"
#include "learners/optimizer_kind.h"
#include "proto/bytes.h"
#include "proto/math.h"

#define LN2 0.69314718055994530942

#define BOUND 100.0 // of what counts at one record, by its mean

#define AGE_MAX 32.0 // then A is brought down: what is added has grown by 2^32
#define GAP_MAX 64.0 // half-lives that may pass between two records: then nothing is left

static const struct rf_column norms_columns[] = {
        {"weight", RF_F64, offsetof(struct rf_adaptive_norms, weight), 1, RF_MERGE_SUM},
        {"norm", RF_F64, offsetof(struct rf_adaptive_norms, norm), 1, RF_MERGE_SUM},
        {"slope", RF_F64, offsetof(struct rf_adaptive_norms, slope), 1, RF_MERGE_SUM},
        {"age", RF_F64, offsetof(struct rf_adaptive_norms, age), 1, RF_MERGE_MAX},
        {"clock_ms", RF_I64, offsetof(struct rf_adaptive_norms, clock_ms), 1, RF_MERGE_MAX},
        {"importance", RF_F64, offsetof(struct rf_adaptive_norms, importance), 1, RF_MERGE_SUM},
        {"pull", RF_F64, offsetof(struct rf_adaptive_norms, pull), 1, RF_MERGE_SUM},
};

enum rf_status rf_adaptive_init(struct rf_adaptive *self, const struct rf_adaptive_options *options,
                                const struct rf_optimizer_context *context, struct rf_error *err) {
    if (options->half_life > 0 && !(options->half_life >= 1 && options->adaptive)) {
        return rf_fail(err, RF_INVALID, "half_life is %g, must be 0, or at least 1 with adaptive true", options->half_life);
    }
    if (options->half_life_seconds > 0 && (options->half_life > 0 || !options->adaptive)) {
        return rf_fail(err, RF_INVALID, "half_life_seconds is %g, must be 0, or half_life 0 and adaptive true",
                       options->half_life_seconds);
    }
    self->options = *options;
    self->growth = options->adaptive ? 1 - 2 * options->power : 1;
    // The optimizer's own schedule is constant: without `adaptive` the rate falls with the importance, not with the steps.
    const struct rf_rate rate = {.first = isnan(options->rate) ? 1 : options->rate, .decay = RF_RATE_CONSTANT};
    self->norms = calloc(1, sizeof *self->norms);
    self->base.is_scale_free = options->normalized;
    self->base.needs_record = true; // invariance and sizes are those of single records
    self->slope = calloc((size_t)(self->base.experts ? self->base.experts : 1) * context->outputs, sizeof *self->slope);
    if (!self->norms || !self->slope) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    return rf_optimizer_init_rows(&self->base, context, &rate, err);
}

void rf_adaptive_finish(struct rf_adaptive *self) {
    free(self->norms);
    free(self->slope);
    free(self->z);
    free(self->reach);
    free(self->scaled);
    free(self->value);
    rf_optimizer_finish(&self->base);
}

enum rf_status rf_adaptive_reserve(struct rf_optimizer *self, size_t inputs_max, struct rf_error *err) {
    struct rf_adaptive *adaptive = (struct rf_adaptive *)self;
    const size_t rounded = (inputs_max + 7) / 8 * 8;
    free(adaptive->z);
    free(adaptive->reach);
    free(adaptive->scaled);
    free(adaptive->value);
    adaptive->z = calloc(inputs_max, sizeof *adaptive->z);
    adaptive->reach = calloc(rounded, sizeof *adaptive->reach);
    adaptive->scaled = calloc(rounded, sizeof *adaptive->scaled);
    adaptive->value = calloc(rounded, sizeof *adaptive->value);
    return adaptive->z && adaptive->reach && adaptive->scaled && adaptive->value
                   ? RF_OK
                   : rf_fail(err, RF_MEMORY, "out of memory for records of %zu inputs", inputs_max);
}

void rf_adaptive_state(struct rf_optimizer *self, struct rf_state *state) {
    rf_state_add(state, &(struct rf_block){
                                .name = "adaptive.norms",
                                .rows = 1,
                                .row_size = sizeof(struct rf_adaptive_norms),
                                .columns = norms_columns,
                                .column_count = sizeof norms_columns / sizeof norms_columns[0],
                                .data = ((struct rf_adaptive *)self)->norms,
                                .scope = RF_SCOPE_MODEL,
                        });
}

enum rf_status rf_adaptive_check_norms(const struct rf_optimizer *self, struct rf_error *err) {
    const struct rf_adaptive_norms *norms = ((const struct rf_adaptive *)self)->norms;
    if (!(norms->slope >= 0 && norms->slope <= RF_CELL_MAX_DOUBLE && norms->weight >= 0 && norms->weight <= RF_CELL_MAX_DOUBLE &&
          norms->norm >= 0 && norms->norm <= RF_CELL_MAX_DOUBLE)) {
        return rf_fail(err, RF_CORRUPT,
                       "the optimizer has learned an importance of %g with a norm of %g and a slope of %g, must be 0 to %g",
                       norms->weight, norms->norm, norms->slope, RF_CELL_MAX_DOUBLE);
    }
    if (!(norms->age >= 0 && norms->age <= AGE_MAX && norms->clock_ms >= 0)) {
        return rf_fail(err, RF_CORRUPT, "the optimizer has an age of %g half-lives at %lld ms, must be 0 to %g, and not below 0",
                       norms->age, (long long)norms->clock_ms, AGE_MAX);
    }
    if (!(norms->importance >= 0 && norms->importance <= RF_CELL_MAX_DOUBLE && norms->pull >= 0 &&
          norms->pull <= RF_CELL_MAX_DOUBLE)) {
        return rf_fail(err, RF_CORRUPT, "the optimizer has met an importance of %g with a pull of %g, must be 0 to %g",
                       norms->importance, norms->pull, RF_CELL_MAX_DOUBLE);
    }
    return RF_OK;
}

enum rf_status rf_adaptive_check_row(const struct rf_optimizer *self, size_t row, double size, uint32_t note,
                                     struct rf_error *err) {
    (void)self;
    if (!(size == 0 || (size >= RF_NORMALISER_MIN && size <= RF_NORMALISER_MAX))) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the weights has size %g, must be 0, or %g to %g", row, size,
                       RF_NORMALISER_MIN, RF_NORMALISER_MAX);
    }
    if ((note & ~(uint32_t)RF_NORMALISER_ALL) || (note & RF_NORMALISER_HELD) > UINT32_C(254) << 16 ||
        (note & RF_NORMALISER_LARGEST) > UINT32_C(254) << 8) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the weights has note %08x, which no value leaves behind", row, note);
    }
    return RF_OK;
}

static bool forgets(const struct rf_adaptive *self) {
    return self->options.half_life > 0 || self->options.half_life_seconds > 0;
}

double rf_adaptive_inflation(const struct rf_adaptive *self) {
    return forgets(self) ? rf_exp(LN2 * self->age) : 1;
}

double rf_adaptive_deflate(struct rf_adaptive *self) {
    double factor = forgets(self) ? rf_exp(-LN2 * self->norms->age) : 1;
    self->norms->age = 0;
    return factor;
}

// How many half-lives pass between the record before and this one.
static double gap_before(struct rf_adaptive *self, int64_t time_ms) {
    const struct rf_adaptive_norms *norms = self->norms;
    self->clock_ms = time_ms > norms->clock_ms ? time_ms : norms->clock_ms;
    if (self->options.half_life > 0) {
        return self->base.ticks->steps > 0 ? 1 / self->options.half_life : 0;
    }
    double seconds = norms->clock_ms > 0 ? (double)(self->clock_ms - norms->clock_ms) / 1000 : 0;
    return fmin(seconds / self->options.half_life_seconds, GAP_MAX);
}

const struct rf_step *rf_adaptive_bound(struct rf_adaptive *self, const struct rf_step *step, struct rf_step *bounded_out) {
    struct rf_adaptive_norms *norms = self->norms;
    const size_t count = (size_t)self->base.experts * self->base.outputs;
    const uint64_t steps = self->base.ticks->steps;
    const bool is_regression = step->loss->ops->task == RF_TASK_REGRESSION;
    double weight = step->weight, most = INFINITY, largest = 0;
    if (forgets(self)) {
        self->base.half_lives = gap_before(self, step->time_ms);
        self->age = norms->age + self->base.half_lives;
        if (self->age > AGE_MAX) {
            norms->age = self->age;
            self->base.ops->renew(&self->base);
            self->age = 0;
        }
    }
    if (!self->options.resistant) {
        return step;
    }
    if (steps > 0 && norms->weight > 0) {
        weight = fmin(weight, BOUND * norms->weight / (double)steps);
    }
    if (is_regression && norms->slope > 0) {
        most = BOUND * sqrt(norms->slope / norms->weight);
    }
    for (size_t i = 0; i < count; i++) {
        double slope = step->gradient[i] / step->weight;
        slope = slope > most ? most : slope < -most ? -most : slope;
        largest = fmax(largest, fabs(slope));
        self->slope[i] = slope * weight;
    }
    if (is_regression) {
        norms->slope = fmin(norms->slope + weight * largest * largest, RF_CELL_MAX_DOUBLE);
    }
    *bounded_out = *step;
    bounded_out->weight = weight;
    bounded_out->gradient = self->slope;
    return bounded_out;
}

double rf_adaptive_learn_norm(struct rf_adaptive *self, double norm, double weight) {
    struct rf_adaptive_norms *norms = self->norms;
    norms->weight = fmin(norms->weight + weight, RF_CELL_MAX_DOUBLE);
    norms->norm = fmin(norms->norm + weight * norm, RF_CELL_MAX_DOUBLE);
    norms->age = self->age;
    norms->clock_ms = self->clock_ms;
    if (!self->options.normalized || norms->norm == 0) {
        return 1;
    }
    double inverse = norms->weight / norms->norm;
    if (!self->options.adaptive) {
        return inverse;
    }
    return self->options.power == 0.5 ? sqrt(inverse) : rf_pow(inverse, 1 - self->options.power);
}

static void adaptive_destroy(struct rf_optimizer *self) {
    rf_adaptive_finish((struct rf_adaptive *)self);
    free(self);
}

static struct rf_adaptive *adaptive_from(struct rf_optimizer *self) {
    assert(self->ops->destroy == adaptive_destroy);
    return (struct rf_adaptive *)self;
}

// The rate of the step on a record, which is in the importance.
static double rate_now(const struct rf_adaptive *self) {
    const struct rf_adaptive_options *options = &self->options;
    if (options->adaptive) {
        return options->rate;
    }
    double start = options->initial > 0 ? options->initial : 1;
    return options->rate * rf_pow(start / (options->initial + self->norms->importance), options->power);
}

// Counts a record's importance. Records that only predict have none.
static void learn_importance(struct rf_adaptive *self, double weight) {
    if (!self->options.adaptive) {
        self->norms->importance = fmin(self->norms->importance + weight, RF_CELL_MAX_DOUBLE);
    }
}

// Adds to the pull what a step comes to: `move` is that of the weights by z A^-power, `mean` is M^(power - 1).
static void learn_pull(struct rf_adaptive *self, double move, double mean, double gradient) {
    if (self->options.l1 > 0 && gradient != 0 && mean > 0) {
        double rate = move / mean / -gradient;
        self->norms->pull = fmin(self->norms->pull + self->options.l1 * fmax(rate, 0), RF_CELL_MAX_DOUBLE);
    }
}

// A^-power of an A above 0, which is `inflation` times what it counts, with the squares it begins with.
INLINE double fallen(const struct rf_adaptive *self, double square, double inflation) {
    if (!self->options.adaptive) {
        return 1;
    }
    square = square / inflation + self->options.squares;
    return self->options.power == 0.5 ? 1 / sqrt(square) : rf_pow(square, -self->options.power);
}

#define CELLS_FILE "learners/optimizer_adaptive_cells.h"
#include "learners/optimizer_reals.h"

bool rf_adaptive_learn_size(const struct rf_adaptive *self, struct rf_adaptive_cell *cell, float value) {
    return learn_scale_float(self, &cell->weight, (double)value, 1) != 0;
}

#define FAST_OPS(score_, step_)                                                                                       \
    {                                                                                                                 \
        .name = "adaptive", .gather = gather_one_float, .score = score_, .advance = advance_one_float, .step = step_, \
        .renew = renew_float, .reserve = rf_adaptive_reserve, .state = rf_adaptive_state, .check = check_float,       \
        .destroy = adaptive_destroy,                                                                                  \
    }

static const struct rf_optimizer_ops ops_fast_baseline =
        FAST_OPS(rf_adaptive_fast_score_baseline, rf_adaptive_fast_step_baseline);
#if defined(RF_HAS_AVX2)
static const struct rf_optimizer_ops ops_fast_avx2 = FAST_OPS(rf_adaptive_fast_score_avx2, rf_adaptive_fast_step_avx2);
#endif

static const struct rf_optimizer_ops *choose_fast(bool use_baseline) {
#if defined(RF_HAS_AVX2)
    if (rf_kernels_choose(use_baseline) == &rf_kernels_avx2) {
        return &ops_fast_avx2;
    }
#endif
    (void)use_baseline;
    return &ops_fast_baseline;
}

static const struct rf_optimizer_ops *choose(const struct rf_adaptive_options *options,
                                             const struct rf_optimizer_context *context) {
    static const struct rf_optimizer_ops *const kinds[2][2] = {
            // [is_double][has many outputs]
            {&ops_one_float, &ops_many_float},
            {&ops_one_double, &ops_many_double},
    };
    bool is_usual = options->adaptive && options->normalized && options->resistant && options->power == 0.5 &&
                    options->squares == 0 && options->l1 == 0;
    return is_usual && !context->is_double && context->outputs == 1 ? choose_fast(context->use_baseline_kernels)
                                                                    : kinds[context->is_double][context->outputs > 1];
}

enum rf_status rf_optimizer_adaptive_create(const void *options, const struct rf_optimizer_context *context,
                                            struct rf_optimizer **optimizer_out, struct rf_error *err) {
    const struct rf_adaptive_options *own = options;
    if (isnan(own->rate)) {
        return rf_optimizer_bank_create(own, context, optimizer_out, err);
    }
    struct rf_adaptive *adaptive = calloc(1, sizeof *adaptive);
    if (!adaptive) {
        return rf_fail(err, RF_MEMORY, "out of memory for an optimizer");
    }
    adaptive->base.ops = choose(own, context);
    (context->is_double ? lay_out_double : lay_out_float)(&adaptive->base, context->outputs);
    if (rf_adaptive_init(adaptive, own, context, err) != RF_OK) {
        adaptive_destroy(&adaptive->base);
        return err->status;
    }
    *optimizer_out = &adaptive->base;
    return RF_OK;
}
