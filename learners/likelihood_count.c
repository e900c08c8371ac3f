// Multinomial and Bernoulli naive Bayes over a table of counts, row = hash mod 2^hash_bits (McCallum and Nigam, 1998):
//
//     multinomial   log P(x | c) = sum over features of x_i log((n_ci + s) / (n_c + s V)),   V = rows that any feature has met
//     Bernoulli     log P(x | c) = sum over rows met of log p_ci where present, log(1 - p_ci) where absent,
//                   p_ci = (n_ci + s) / (records of c + 2 s)
//
// A feature whose row was never met says nothing.
#include "learners/contribution.h"
#include "learners/likelihood.h"
#include "learners/table.h"
#include "proto/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 1e6
#define SUM_MAX 1e100
#define SHARE_MIN 1e-12        // of the Bernoulli model, and its distance from 1
#define PROBABILITY_MIN 1e-300 // without smoothing a share may be 0

enum { PRODUCT_ROWS = 16 }; // SHARE_MIN to this power is still a normal number: so many rows share a logarithm

struct counter {
    struct rf_likelihood base;
    bool is_bernoulli;
    double *count; // [rows][classes]
    size_t rows;
    uint64_t *size; // rows met
    double *total;  // [classes] counts of all rows; of the multinomial model
    struct rf_column column;
    struct rf_block *touched; // NULL: not listed in a state

    double *part, *product, *per_record; // [classes]
    uint32_t *stamp;                     // [rows] of the Bernoulli model: `time` where the example at hand has a feature
    uint32_t *time;
};

static const struct rf_column size_columns[] = {{"rows", RF_U64, 0, 1, RF_MERGE_USED}};
static const struct rf_column total_columns[] = {{"count", RF_F64, 0, 1, RF_MERGE_SUM}};

static void counter_destroy(struct rf_likelihood *self);

static size_t row_of(const struct counter *counter, uint64_t hash) {
    return (size_t)(hash & (counter->rows - 1));
}

static double *counts_at(const struct counter *counter, size_t row) {
    return counter->count + row * counter->base.classes;
}

static bool is_met(const struct counter *counter, const double *counts) {
    for (uint32_t c = 0; c < counter->base.classes; c++) {
        if (counts[c] != 0) {
            return true;
        }
    }
    return false;
}

static double counted(double value) {
    return value > 0 ? fmin(value, VALUE_MAX) : 0;
}

// The share of features of the class that are of this row.
static double multinomial_log(const struct counter *counter, const double *counts, uint32_t class) {
    double smoothing = counter->base.smoothing;
    double all = counter->total[class] + smoothing * (double)*counter->size;
    return rf_log(fmax(all > 0 ? (counts[class] + smoothing) / all : 0, PROBABILITY_MIN));
}

static void multinomial_parts(const struct counter *counter, const struct rf_examples *examples, size_t index) {
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        const double *counts = counts_at(counter, row_of(counter, examples->hash[i]));
        double x = counted(examples->value[i]);
        uint32_t classes = x > 0 && is_met(counter, counts) ? counter->base.classes : 0;
        for (uint32_t c = 0; c < classes; c++) {
            counter->part[c] += x * multinomial_log(counter, counts, c);
        }
    }
}

// Marks the rows of an example's features; a row stands once, however many features fall into it.
static void stamp(const struct counter *counter, const struct rf_examples *examples, size_t index) {
    if (++*counter->time == 0) {
        memset(counter->stamp, 0, counter->rows * sizeof *counter->stamp);
        *counter->time = 1;
    }
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (examples->value[i] != 0) {
            counter->stamp[row_of(counter, examples->hash[i])] = *counter->time;
        }
    }
}

// Whether the row of a feature is marked; it is not any more afterwards.
static bool take_stamp(const struct counter *counter, size_t row) {
    bool is_marked = counter->stamp[row] == *counter->time;
    counter->stamp[row] = is_marked ? 0 : counter->stamp[row];
    return is_marked;
}

static double share_of(const struct counter *counter, double count, uint32_t class) {
    double share = (count + counter->base.smoothing) * counter->per_record[class];
    return fmin(fmax(share, SHARE_MIN), 1 - SHARE_MIN);
}

static void find_per_record(const struct counter *counter) {
    for (uint32_t c = 0; c < counter->base.classes; c++) {
        double records = counter->base.records[c] + 2 * counter->base.smoothing;
        counter->per_record[c] = records > 0 ? 1 / records : 0;
    }
}

static void close_product(const struct counter *counter) {
    for (uint32_t c = 0; c < counter->base.classes; c++) {
        counter->part[c] += rf_log(counter->product[c]);
        counter->product[c] = 1;
    }
}

static void bernoulli_parts(const struct counter *counter, const struct rf_examples *examples, size_t index) {
    size_t factors = 0;
    stamp(counter, examples, index);
    find_per_record(counter);
    for (uint32_t c = 0; c < counter->base.classes; c++) {
        counter->product[c] = 1;
    }
    for (size_t row = 0; row < counter->rows; row++) {
        const double *counts = counts_at(counter, row);
        if (!is_met(counter, counts)) {
            continue;
        }
        bool is_present = counter->stamp[row] == *counter->time;
        for (uint32_t c = 0; c < counter->base.classes; c++) {
            double share = share_of(counter, counts[c], c);
            counter->product[c] *= is_present ? share : 1 - share;
        }
        if (++factors % PRODUCT_ROWS == 0) {
            close_product(counter);
        }
    }
    close_product(counter);
}

static void find_parts(const struct counter *counter, const struct rf_examples *examples, size_t index) {
    for (uint32_t c = 0; c < counter->base.classes; c++) {
        counter->part[c] = 0;
    }
    (counter->is_bernoulli ? bernoulli_parts : multinomial_parts)(counter, examples, index);
}

static void counter_add(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index, double *joint) {
    const struct counter *counter = (const struct counter *)self;
    find_parts(counter, examples, index);
    for (uint32_t c = 0; c < self->classes; c++) {
        joint[c] += counter->part[c];
    }
}

// How often the feature is counted, in a record of weight 1.
static double times(const struct counter *counter, const struct rf_examples *examples, size_t feature) {
    return counter->is_bernoulli ? take_stamp(counter, row_of(counter, examples->hash[feature]))
                                 : counted(examples->value[feature]);
}

static size_t counter_learn(struct rf_likelihood *self, const struct rf_examples *examples, size_t index, uint32_t label,
                            double weight) {
    struct counter *counter = (struct counter *)self;
    if (counter->is_bernoulli) {
        stamp(counter, examples, index);
    }
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        double amount = weight * times(counter, examples, i);
        if (amount > 0) {
            size_t row = row_of(counter, examples->hash[i]);
            double *counts = counts_at(counter, row);
            if (counter->touched) {
                rf_block_touch(counter->touched, row);
            }
            *counter->size += !is_met(counter, counts);
            counts[label] = fmin(counts[label] + amount, SUM_MAX);
            counter->total[label] = counter->is_bernoulli ? 0 : fmin(counter->total[label] + amount, SUM_MAX);
        }
    }
    return 0;
}

static double amount_of(const struct counter *counter, const double *counts, double x, uint32_t a, uint32_t b) {
    if (!counter->is_bernoulli) {
        return x * (multinomial_log(counter, counts, a) - multinomial_log(counter, counts, b));
    }
    double of_a = share_of(counter, counts[a], a), of_b = share_of(counter, counts[b], b);
    return rf_log(of_a / (1 - of_a)) - rf_log(of_b / (1 - of_b));
}

static void counter_explain(const struct rf_likelihood *self, const struct rf_examples *examples, size_t index,
                            struct rf_reasons *reasons) {
    const struct counter *counter = (const struct counter *)self;
    find_parts(counter, examples, index); // and stamps
    double whole = counter->part[reasons->a] - counter->part[reasons->b];
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        const double *counts = counts_at(counter, row_of(counter, examples->hash[i]));
        double x = times(counter, examples, i);
        if (x > 0 && is_met(counter, counts)) {
            double amount = amount_of(counter, counts, x, reasons->a, reasons->b);
            rf_likelihood_contribute(examples, i, amount, reasons);
            whole -= amount;
        }
    }
    reasons->rest += whole;
}

static void counter_state(struct rf_likelihood *self, struct rf_state *state) {
    struct counter *counter = (struct counter *)self;
    struct rf_block block = {
            .name = "bayes.counts",
            .rows = counter->rows,
            .row_size = self->classes * sizeof *counter->count,
            .columns = &counter->column,
            .column_count = 1,
            .data = counter->count,
            .scope = RF_SCOPE_MODEL,
            .is_touched = true,
    };
    counter->touched = rf_state_add(state, &block);
    block = (struct rf_block){
            .name = "bayes.counts_size",
            .rows = 1,
            .row_size = sizeof *counter->size,
            .columns = size_columns,
            .column_count = 1,
            .data = counter->size,
            .scope = RF_SCOPE_MODEL,
    };
    rf_state_add(state, &block);
    if (!counter->is_bernoulli) {
        block.name = "bayes.totals";
        block.rows = self->classes;
        block.row_size = sizeof *counter->total;
        block.columns = total_columns;
        block.data = counter->total;
        rf_state_add(state, &block);
    }
}

static enum rf_status counter_check(const struct rf_likelihood *self, struct rf_error *err) {
    const struct counter *counter = (const struct counter *)self;
    uint64_t met = 0;
    for (size_t row = 0; row < counter->rows; row++) {
        const double *counts = counts_at(counter, row);
        for (uint32_t c = 0; c < self->classes; c++) {
            if (!(counts[c] >= 0 && counts[c] <= SUM_MAX)) {
                return rf_fail(err, RF_CORRUPT, "row %zu of the counts holds %g for class %u, must be 0 to %g", row, counts[c], c,
                               SUM_MAX);
            }
        }
        met += is_met(counter, counts);
    }
    if (met != *counter->size) {
        return rf_fail(err, RF_CORRUPT, "%llu rows hold counts and %llu are counted, must be as many", (unsigned long long)met,
                       (unsigned long long)*counter->size);
    }
    for (uint32_t c = 0; c < self->classes; c++) {
        if (!(counter->total[c] >= 0 && counter->total[c] <= SUM_MAX)) {
            return rf_fail(err, RF_CORRUPT, "the count of class %u is %g, must be 0 to %g", c, counter->total[c], SUM_MAX);
        }
    }
    return RF_OK;
}

static size_t count_size(const struct counter *counter) {
    return counter->rows * counter->base.classes * sizeof *counter->count;
}

static void counter_destroy(struct rf_likelihood *self) {
    struct counter *counter = (struct counter *)self;
    rf_table_destroy(counter->count, count_size(counter));
    free(counter->size);
    free(counter->total);
    free(counter->part);
    free(counter->product);
    free(counter->per_record);
    free(counter->stamp);
    free(counter->time);
    free(counter);
}

static const struct rf_likelihood_ops counter_ops = {
        .add = counter_add,
        .learn = counter_learn,
        .explain = counter_explain,
        .state = counter_state,
        .check = counter_check,
        .destroy = counter_destroy,
};

static enum rf_status reserve(struct counter *counter, struct rf_error *err) {
    uint32_t classes = counter->base.classes;
    counter->size = calloc(1, sizeof *counter->size);
    counter->total = calloc(classes, sizeof *counter->total);
    counter->part = calloc(classes, sizeof *counter->part);
    counter->product = calloc(classes, sizeof *counter->product);
    counter->per_record = calloc(classes, sizeof *counter->per_record);
    counter->stamp = calloc(counter->is_bernoulli ? counter->rows : 1, sizeof *counter->stamp);
    counter->time = calloc(1, sizeof *counter->time);
    if (!counter->size || !counter->total || !counter->part || !counter->product || !counter->per_record || !counter->stamp ||
        !counter->time) {
        return rf_fail(err, RF_MEMORY, "out of memory for %u classes", classes);
    }
    void *count = NULL;
    if (rf_table_create(count_size(counter), &count, err) != RF_OK) {
        return rf_fail_in(err, "%zu rows of counts of %u classes", counter->rows, classes);
    }
    counter->count = count;
    return RF_OK;
}

enum rf_status rf_likelihood_count_create(const struct rf_bayes_options *options, const struct rf_likelihood *base,
                                          struct rf_likelihood **likelihood_out, struct rf_error *err) {
    struct counter *counter = calloc(1, sizeof *counter);
    if (!counter) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    counter->base = *base;
    counter->base.ops = &counter_ops;
    counter->is_bernoulli = options->model == RF_BAYES_BERNOULLI;
    counter->rows = (size_t)1 << options->hash_bits;
    counter->column = (struct rf_column){"count", RF_F64, 0, base->classes, RF_MERGE_SUM};
    if (reserve(counter, err) != RF_OK) {
        counter_destroy(&counter->base);
        return err->status;
    }
    *likelihood_out = &counter->base;
    return RF_OK;
}
