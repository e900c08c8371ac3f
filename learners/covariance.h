#ifndef RF_LEARNERS_COVARIANCE_H
#define RF_LEARNERS_COVARIANCE_H
// What the Gaussian models with covariance learn: a mean and a scatter matrix of each class, which merge, and the Cholesky
// factors of scatter + ridge I (of each class, or of their sum), which follow from them:
//
//     u_i = sqrt(w n_i / (n_i + w)) (x_i - mean_i),   scatter' = scatter + u u',   mean_i' = mean_i + w / (n_i + w) (x_i -
//     mean_i)
//
// (Welford's recurrence for vectors), so a factor moves by a rank-one update, O(d^2). n_i counts the records of the class that
// had field i; a field that is absent moves nothing.
#include "learners/cholesky.h"
#include "learners/likelihood.h"

struct rf_covariance_field { // place 0: a free row
    uint64_t hash;
    uint64_t place; // 1 + its index in means and matrices
};

enum { RF_COVARIANCE_COLUMNS = 3 };

struct rf_covariance {
    struct rf_likelihood base;
    bool is_shared;
    double ridge;
    struct rf_covariance_field *field; // [rows]
    size_t rows, room;                 // room = rows / 2 fields
    unsigned row_bits;
    uint64_t *size;  // fields met
    double *moments; // [classes] of counts [room], means [room], scatter [triangle of room]
    size_t moments_size;
    double *factor; // [factors][triangle of room]; of the first `size` fields; zeros: to be made again
    size_t factors;
    struct rf_column columns[RF_COVARIANCE_COLUMNS], factor_column;
    struct rf_block *touched_field, *touched_moments, *touched_factor; // NULL: not listed in a state

    // Of the example at hand.
    double *x, *v, *e; // [room]
    double *cosine;    // [room]
    double *amount;    // [room]
    bool *is_present;  // [room]
    double *part;      // [classes]
    double *renewed;   // [triangle of room] the factor where that of the state is to be made again
};

static inline const double *rf_covariance_counts(const struct rf_covariance *self, size_t class) { // [room]
    return self->moments + class * self->moments_size;
}

static inline const double *rf_covariance_means(const struct rf_covariance *self, size_t class) { // [room]
    return rf_covariance_counts(self, class) + self->room;
}

// Reserves what the members filled so far (base, is_shared, ridge, rows, row_bits, room, factors) ask for, and describes it. All
// zeros before; to be finished when it fails, too.
enum rf_status rf_covariance_init(struct rf_covariance *self, struct rf_error *err) RF_MUST_USE;
void rf_covariance_finish(struct rf_covariance *self);

// Fills x and is_present, of the fields met; a field that stands twice counts once, the first time.
void rf_covariance_see(const struct rf_covariance *self, const struct rf_examples *examples, size_t index);

// The place of a feature, 1 + index; 0: it has none.
uint64_t rf_covariance_place(const struct rf_covariance *self, const struct rf_examples *examples, size_t feature);

// As `learn` of struct rf_likelihood_ops; factors must not be zeros: see rf_covariance_renew().
size_t rf_covariance_learn(struct rf_covariance *self, const struct rf_examples *examples, size_t index, uint32_t label,
                           double weight);

// The factor of a class (or of all), from the state, or made now where the state has zeros; good until the next call.
const double *rf_covariance_factor(const struct rf_covariance *self, size_t class);
void rf_covariance_renew(struct rf_covariance *self); // makes the factors of the state that are zeros

void rf_covariance_state(struct rf_covariance *self, struct rf_state *state);
enum rf_status rf_covariance_check(const struct rf_covariance *self, struct rf_error *err) RF_MUST_USE;

#endif
