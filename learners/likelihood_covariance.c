// Normal numbers with covariance, one for all classes (Fisher, 1936) or one of each. With L L' = scatter + ridge I
// (learners/covariance.h),
//
//     log P(x | c) = -1/2 |L^-1 E (x - mean)|^2 - sum of log(L_ii / E_ii) + constant,     E_ii = sqrt(n_i + 1)
//
// where n_i counts the records that had field i, of the class or of all classes: L L' = E covariance E.
#include "learners/contribution.h"
#include "learners/covariance.h"
#include "proto/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SQUARES_MAX 1e290

// E of a class.
static void measure(const struct rf_covariance *covariance, size_t class) {
    for (size_t i = 0; i < *covariance->size; i++) {
        double count = rf_covariance_counts(covariance, class)[i];
        for (size_t c = 0; covariance->is_shared && c < covariance->base.classes; c++) {
            count += c == class ? 0 : rf_covariance_counts(covariance, c)[i];
        }
        covariance->e[i] = sqrt(count + 1);
    }
}

// v = E (x - mean), 0 where the example or the class has no such field.
static void deviate(const struct rf_covariance *covariance, size_t class) {
    const double *counts = rf_covariance_counts(covariance, class), *means = rf_covariance_means(covariance, class);
    for (size_t i = 0; i < *covariance->size; i++) {
        bool is_known = covariance->is_present[i] && counts[i] > 0;
        covariance->v[i] = is_known ? covariance->e[i] * (covariance->x[i] - means[i]) : 0;
    }
}

static double log_density(const struct rf_covariance *covariance, size_t class) {
    size_t fields = (size_t)*covariance->size;
    const double *factor = rf_covariance_factor(covariance, class);
    deviate(covariance, class);
    rf_cholesky_solve_lower(fields, factor, covariance->v);
    double squares = 0, log_determinant = 0;
    for (size_t i = 0; i < fields; i++) {
        squares += covariance->v[i] * covariance->v[i];
        if (!covariance->is_shared) { // else all classes have it in common
            log_determinant += rf_log(factor[RF_TRIANGLE_SIZE(i) + i] / covariance->e[i]);
        }
    }
    return -0.5 * (squares < SQUARES_MAX ? squares : SQUARES_MAX) - log_determinant;
}

// A class never met gets the mean of the others' densities, by their priors: its probability is then its prior.
static void fill_unmet(const struct rf_covariance *covariance) {
    const struct rf_likelihood *base = &covariance->base;
    double largest = -INFINITY, sum = 0, weights = 0;
    for (uint32_t c = 0; c < base->classes; c++) {
        largest = base->records[c] > 0 ? fmax(largest, covariance->part[c]) : largest;
    }
    for (uint32_t c = 0; c < base->classes; c++) {
        if (base->records[c] > 0) {
            double weight = base->records[c] + base->smoothing;
            sum += weight * rf_exp(covariance->part[c] - largest);
            weights += weight;
        }
    }
    for (uint32_t c = 0; c < base->classes; c++) {
        covariance->part[c] = base->records[c] > 0 ? covariance->part[c] : largest + rf_log(sum / weights);
    }
}

static void find_parts(const struct rf_covariance *covariance, const struct rf_examples *examples, size_t index) {
    rf_covariance_see(covariance, examples, index);
    for (uint32_t c = 0; c < covariance->base.classes; c++) {
        if (c == 0 || !covariance->is_shared) {
            measure(covariance, c);
        }
        covariance->part[c] = covariance->base.records[c] > 0 ? log_density(covariance, c) : 0;
    }
    fill_unmet(covariance);
}

static void covariance_add(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index, double *joint) {
    const struct rf_covariance *covariance = (const struct rf_covariance *)self;
    find_parts(covariance, examples, index);
    for (uint32_t c = 0; c < self->classes; c++) {
        joint[c] += covariance->part[c];
    }
}

// What the fields add to log P(x | class): -1/2 v_i ((L L')^-1 v)_i, times `sign`, is added to `amount` [fields].
static void split(const struct rf_covariance *covariance, size_t class, double sign, double *amount) {
    if (covariance->base.records[class] == 0) {
        return;
    }
    size_t fields = (size_t)*covariance->size;
    const double *factor = rf_covariance_factor(covariance, class);
    measure(covariance, class);
    deviate(covariance, class);
    memcpy(covariance->cosine, covariance->v, fields * sizeof *covariance->v);
    rf_cholesky_solve_lower(fields, factor, covariance->v);
    rf_cholesky_solve_upper(fields, factor, covariance->v);
    for (size_t i = 0; i < fields; i++) {
        double part = -0.5 * sign * covariance->cosine[i] * covariance->v[i];
        amount[i] += isfinite(part) ? part : 0;
    }
}

static void covariance_explain(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index,
                               struct rf_reasons *reasons) {
    const struct rf_covariance *covariance = (const struct rf_covariance *)self;
    size_t fields = (size_t)*covariance->size;
    find_parts(covariance, examples, index);
    double whole = covariance->part[reasons->a] - covariance->part[reasons->b], *amount = covariance->amount;
    memset(amount, 0, fields * sizeof *amount);
    split(covariance, reasons->a, 1, amount);
    split(covariance, reasons->b, -1, amount);
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        uint64_t place = rf_covariance_place(covariance, examples, i);
        if (place > 0 && covariance->is_present[place - 1]) {
            covariance->is_present[place - 1] = false; // a field that stands twice counts once
            rf_likelihood_contribute(examples, i, amount[place - 1], reasons);
            whole -= amount[place - 1];
        }
    }
    reasons->rest += whole;
}

static size_t covariance_learn(struct rf_likelihood *self, const struct rf_examples *examples, size_t index, uint32_t label,
                               double weight) {
    return rf_covariance_learn((struct rf_covariance *)self, examples, index, label, weight);
}

static void covariance_renew(struct rf_likelihood *self) {
    rf_covariance_renew((struct rf_covariance *)self);
}

static void covariance_state(struct rf_likelihood *self, struct rf_state *state) {
    rf_covariance_state((struct rf_covariance *)self, state);
}

static enum rf_status covariance_check(const struct rf_likelihood *self, struct rf_error *err) {
    return rf_covariance_check((const struct rf_covariance *)self, err);
}

static void covariance_destroy(struct rf_likelihood *self) {
    rf_covariance_finish((struct rf_covariance *)self);
    free(self);
}

static const struct rf_likelihood_ops covariance_ops = {
        .add = covariance_add,
        .learn = covariance_learn,
        .explain = covariance_explain,
        .renew = covariance_renew,
        .state = covariance_state,
        .check = covariance_check,
        .destroy = covariance_destroy,
};

enum rf_status rf_likelihood_covariance_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                               struct rf_likelihood **likelihood_out, struct rf_error *err) {
    struct rf_covariance *covariance = calloc(1, sizeof *covariance);
    if (!covariance) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    covariance->base = *base;
    covariance->base.ops = &covariance_ops;
    covariance->is_shared = options->model == RF_BAYES_GAUSSIAN_SHARED;
    covariance->ridge = options->ridge;
    covariance->row_bits = rf_likelihood_row_bits(options->fields_max);
    covariance->rows = (size_t)1 << covariance->row_bits;
    covariance->room = covariance->rows / 2;
    covariance->factors = covariance->is_shared ? 1 : base->classes;
    if (rf_covariance_init(covariance, err) != RF_OK) {
        covariance_destroy(&covariance->base);
        return err->status;
    }
    *likelihood_out = &covariance->base;
    return RF_OK;
}
