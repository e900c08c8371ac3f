// The formulas of Chan, Golub and LeVeque (1979), for numbers and for matrices.
#include "proto/state_merge_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool rf_moments_is_matrix(const struct rf_moments *moments) {
    return moments->scatter->count != moments->mean->count;
}

static double load(const uint8_t *row, const struct rf_column *column, size_t index) {
    double value;
    memcpy(&value, row + column->offset + index * sizeof value, sizeof value);
    return value;
}

static void store(uint8_t *row, const struct rf_column *column, size_t index, double value) {
    double finite = fmin(fmax(value, -DBL_MAX), DBL_MAX);
    memcpy(row + column->offset + index * sizeof finite, &finite, sizeof finite);
}

static uint64_t load_u64(const uint8_t *row, const struct rf_column *column, size_t index) {
    uint64_t value;
    memcpy(&value, row + column->offset + index * sizeof value, sizeof value);
    return value;
}

static size_t count_index(const struct rf_moments *moments, size_t i) {
    return moments->count->count == 1 ? 0 : i;
}

static double load_count(const struct rf_moments *moments, const uint8_t *row, size_t i) {
    size_t index = count_index(moments, i);
    return moments->count->type == RF_U64 ? (double)load_u64(row, moments->count, index) : load(row, moments->count, index);
}

// One element, taken apart: what theirs has beyond the base (m records), against the base (n) and against ours.
struct parts {
    double m;         // 0: nothing
    double from_base; // sqrt(n m / (n + m)) times the distance of the means
    double from_ours;
    double mean; // of the two together
};

static struct parts take_apart(const struct rf_moments *moments, const uint8_t *base, const uint8_t *theirs, const uint8_t *ours,
                               size_t i) {
    double n = load_count(moments, base, i), all = load_count(moments, theirs, i), m = all - n;
    struct parts parts = {.mean = load(ours, moments->mean, i)};
    if (!(m > 0)) {
        return parts;
    }
    double base_mean = n > 0 ? load(base, moments->mean, i) : 0;
    double theirs_mean = load(theirs, moments->mean, i);
    double distance = n > 0 ? (theirs_mean - base_mean) * (all / m) : 0;
    double mean = n > 0 ? base_mean + distance : theirs_mean;
    double own = load_count(moments, ours, i), sum = own + m;
    parts.m = m;
    parts.from_base = sqrt(n * (m / all)) * distance;
    parts.from_ours = own > 0 ? sqrt(own * (m / sum)) * (mean - parts.mean) : 0;
    parts.mean = own > 0 ? parts.mean + (mean - parts.mean) * (m / sum) : mean;
    return parts;
}

static void join_scatter(const struct rf_moments *moments, const uint8_t *base, const uint8_t *theirs, uint8_t *ours,
                         size_t index, const struct parts *a, const struct parts *b) {
    const struct rf_column *scatter = moments->scatter;
    double rest = load(theirs, scatter, index) - load(base, scatter, index) - a->from_base * b->from_base;
    rest = a == b ? fmax(rest, 0) : rest; // a sum of squares
    store(ours, scatter, index, load(ours, scatter, index) + rest + a->from_ours * b->from_ours);
}

static void join_counts(const struct rf_moments *moments, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    const struct rf_column *count = moments->count;
    for (size_t i = 0; i < count->count; i++) {
        if (count->type == RF_U64) {
            uint64_t n = load_u64(base, count, i), all = load_u64(theirs, count, i);
            uint64_t sum = load_u64(ours, count, i) + (all > n ? all - n : 0);
            memcpy(ours + count->offset + i * sizeof sum, &sum, sizeof sum);
        } else {
            store(ours, count, i, load(ours, count, i) + fmax(load(theirs, count, i) - load(base, count, i), 0));
        }
    }
}

// The parts of a column are worked out again for each row of the matrix that needs them: a merge allocates nothing here, and
// elements that did not change cost next to nothing.
void rf_moments_merge(const struct rf_moments *moments, const uint8_t *base, const uint8_t *theirs, uint8_t *ours) {
    size_t count = moments->mean->count;
    bool is_matrix = rf_moments_is_matrix(moments);
    for (size_t i = 0; i < count; i++) {
        struct parts parts = take_apart(moments, base, theirs, ours, i);
        for (size_t j = 0; is_matrix && j < i && parts.m > 0; j++) {
            struct parts other = take_apart(moments, base, theirs, ours, j);
            if (other.m > 0) {
                join_scatter(moments, base, theirs, ours, i * (i + 1) / 2 + j, &parts, &other);
            }
        }
        if (parts.m > 0) {
            join_scatter(moments, base, theirs, ours, is_matrix ? i * (i + 1) / 2 + i : i, &parts, &parts);
        }
    }
    for (size_t i = 0; i < count; i++) { // the means and counts of ours were needed until here
        store(ours, moments->mean, i, take_apart(moments, base, theirs, ours, i).mean);
    }
    join_counts(moments, base, theirs, ours);
}

static void move(const struct rf_column *column, const uint8_t *from, size_t from_index, uint8_t *to, size_t to_index) {
    memcpy(to + column->offset + to_index * sizeof(double), from + column->offset + from_index * sizeof(double), sizeof(double));
}

void rf_moments_permute(const struct rf_moments *moments, const uint64_t *place_of, const uint8_t *from, uint8_t *to) {
    bool is_matrix = rf_moments_is_matrix(moments);
    if (moments->count->count == 1) {
        move(moments->count, from, 0, to, 0);
    }
    for (size_t i = 0; i < moments->mean->count; i++) {
        if (place_of[i] == 0) {
            continue;
        }
        size_t row = (size_t)place_of[i] - 1;
        if (moments->count->count > 1) {
            move(moments->count, from, i, to, row);
        }
        move(moments->mean, from, i, to, row);
        if (!is_matrix) {
            move(moments->scatter, from, i, to, row);
            continue;
        }
        for (size_t j = 0; j <= i; j++) {
            if (place_of[j] > 0) {
                size_t column = (size_t)place_of[j] - 1;
                size_t high = row > column ? row : column, low = row > column ? column : row;
                move(moments->scatter, from, i * (i + 1) / 2 + j, to, high * (high + 1) / 2 + low);
            }
        }
    }
}
