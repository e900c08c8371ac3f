#include "tests/learners/bayes_naive.h"
#include "proto/random.h"

#include <math.h>
#include <string.h>

void append_bayes_stream(struct rf_examples *examples, size_t count, bool are_words, double absent, uint64_t seed) {
    struct rf_random random;
    rf_random_init(&random, seed);
    for (size_t n = 0; n < count; n++) {
        struct feature features[16];
        size_t used = 0;
        uint32_t label = (uint32_t)rf_random_below(&random, BAYES_CLASSES);
        double common = rf_random_normal(&random);
        for (uint64_t field = 0; field < BAYES_FIELDS && !are_words; field++) {
            double x = 3 * (double)field + (label == field ? 1.5 : 0) + common + rf_random_normal(&random) * (1 + (double)field);
            if (!(rf_random_uniform(&random) < absent)) {
                features[used++] = (struct feature){field + 1, x, RF_NUMBER};
            }
        }
        for (size_t k = 0; k < 6 && are_words; k++) {
            uint64_t word = (rf_random_below(&random, BAYES_WORDS) + rf_random_below(&random, label + 1)) % BAYES_WORDS;
            features[used++] = (struct feature){word, (double)(1 + k % 3) - 0.25, RF_CATEGORY};
        }
        append_example(examples, label, features, used);
        examples->weight[examples->count - 1] = n % 4 == 1 ? 2.5 : 1;
    }
}

static double value_of(const struct rf_examples *examples, size_t index, uint64_t hash) { // NaN: absent
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (examples->hash[i] == hash) {
            return examples->value[i];
        }
    }
    return NAN;
}

struct moments {
    double count, mean, scatter;
};

// Two passes over the first `end` records; of all classes when `class` is none of them.
static struct moments moments_of(const struct rf_examples *examples, size_t end, uint32_t class, uint64_t hash) {
    struct moments moments = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t n = 0; n < end; n++) {
            double x = value_of(examples, n, hash), w = examples->weight[n];
            if (isnan(x) || (class < BAYES_CLASSES && examples->label[n] != class)) {
                continue;
            }
            moments.count += pass ? 0 : w;
            moments.mean += pass ? 0 : w * x;
            moments.scatter += pass ? w * (x - moments.mean) * (x - moments.mean) : 0;
        }
        moments.mean /= pass || moments.count == 0 ? 1 : moments.count;
    }
    return moments;
}

static double records_of(const struct rf_examples *examples, size_t end, uint32_t class) {
    double records = 0;
    for (size_t n = 0; n < end; n++) {
        records += examples->label[n] == class ? examples->weight[n] : 0;
    }
    return records;
}

double naive_gaussian(const struct rf_examples *examples, size_t end, size_t index, uint32_t class) {
    double sum = 0, k = 1;
    for (uint64_t hash = 1; hash <= BAYES_FIELDS; hash++) {
        double x = value_of(examples, index, hash);
        struct moments own = moments_of(examples, end, class, hash), all = moments_of(examples, end, BAYES_CLASSES, hash);
        if (isnan(x) || all.count == 0) {
            continue;
        }
        double mean = (own.count * own.mean + k * all.mean) / (own.count + k), distance = own.mean - all.mean;
        double scatter = own.scatter + k * all.scatter / all.count + own.count * k / (own.count + k) * distance * distance;
        double variance = fmax(scatter / (own.count + k), 1e-9);
        sum += -0.5 * log(2 * acos(-1) * variance) - (x - mean) * (x - mean) / (2 * variance);
    }
    return sum;
}

// The log density of a normal vector, by elimination of the whole covariance matrix.
static double log_normal(size_t n, double (*matrix)[BAYES_FIELDS], double *x) {
    double squares = 0, log_determinant = 0, right[BAYES_FIELDS];
    memcpy(right, x, sizeof right);
    for (size_t k = 0; k < n; k++) {
        log_determinant += log(matrix[k][k]);
        for (size_t i = k + 1; i < n; i++) {
            double factor = matrix[i][k] / matrix[k][k];
            for (size_t j = k; j < n; j++) {
                matrix[i][j] -= factor * matrix[k][j];
            }
            right[i] -= factor * right[k];
        }
    }
    for (size_t k = n; k-- > 0;) {
        for (size_t j = k + 1; j < n; j++) {
            right[k] -= matrix[k][j] * right[j];
        }
        right[k] /= matrix[k][k];
        squares += right[k] * x[k];
    }
    return -0.5 * (squares + log_determinant);
}

// All records have all fields: scatter is what two passes give.
static double covariant(const struct rf_examples *examples, size_t end, size_t index, uint32_t class, bool is_shared) {
    double matrix[BAYES_FIELDS][BAYES_FIELDS] = {{0}}, x[BAYES_FIELDS], count = 0;
    for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
        double means[BAYES_FIELDS];
        for (uint64_t f = 0; f < BAYES_FIELDS; f++) {
            means[f] = moments_of(examples, end, c, f + 1).mean;
        }
        for (size_t n = 0; n < end && (is_shared || c == class); n++) {
            for (size_t i = 0; i < BAYES_FIELDS && examples->label[n] == c; i++) {
                for (size_t j = 0; j < BAYES_FIELDS; j++) {
                    matrix[i][j] += examples->weight[n] * (value_of(examples, n, i + 1) - means[i]) *
                                    (value_of(examples, n, j + 1) - means[j]);
                }
            }
        }
        count += is_shared || c == class ? records_of(examples, end, c) : 0;
        for (size_t i = 0; i < BAYES_FIELDS && c == class; i++) {
            x[i] = value_of(examples, index, i + 1) - means[i];
        }
    }
    for (size_t i = 0; i < BAYES_FIELDS; i++) {
        for (size_t j = 0; j < BAYES_FIELDS; j++) {
            matrix[i][j] = (matrix[i][j] + (i == j)) / (count + 1);
        }
    }
    return log_normal(BAYES_FIELDS, matrix, x);
}

double covariant_shared(const struct rf_examples *examples, size_t end, size_t index, uint32_t class) {
    return covariant(examples, end, index, class, true);
}

double covariant_full(const struct rf_examples *examples, size_t end, size_t index, uint32_t class) {
    return covariant(examples, end, index, class, false);
}

// How often a word was counted (or the records that had it) in a class; all words: BAYES_WORDS.
static double count_of(const struct rf_examples *examples, size_t end, uint32_t class, uint64_t word, bool is_presence) {
    double count = 0;
    for (size_t n = 0; n < end; n++) {
        bool was_met = false;
        for (size_t i = examples->row_start[n]; i < examples->row_start[n + 1]; i++) {
            bool is_it =
                    (word == BAYES_WORDS || examples->hash[i] == word) && (class == BAYES_CLASSES || examples->label[n] == class);
            count += is_it && !(is_presence && was_met) ? examples->weight[n] * (is_presence ? 1 : examples->value[i]) : 0;
            was_met = was_met || is_it;
        }
    }
    return count;
}

double naive_multinomial(const struct rf_examples *examples, size_t end, size_t index, uint32_t class) {
    double sum = 0, words = 0;
    for (uint64_t word = 0; word < BAYES_WORDS; word++) {
        words += count_of(examples, end, BAYES_CLASSES, word, true) > 0;
    }
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        if (count_of(examples, end, BAYES_CLASSES, examples->hash[i], true) > 0) {
            sum += examples->value[i] * log((count_of(examples, end, class, examples->hash[i], false) + 1) /
                                            (count_of(examples, end, class, BAYES_WORDS, false) + words));
        }
    }
    return sum;
}

double naive_bernoulli(const struct rf_examples *examples, size_t end, size_t index, uint32_t class) {
    double sum = 0;
    for (uint64_t word = 0; word < BAYES_WORDS; word++) {
        double share = (count_of(examples, end, class, word, true) + 1) / (records_of(examples, end, class) + 2);
        if (count_of(examples, end, BAYES_CLASSES, word, true) > 0) {
            sum += log(isnan(value_of(examples, index, word)) ? 1 - share : share);
        }
    }
    return sum;
}

void twin_predict(const struct rf_examples *examples, size_t end, size_t index, bayes_twin *log_likelihood, double *score) {
    double sum = 0, largest = -INFINITY;
    for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
        score[c] = log(records_of(examples, end, c) + 1) + log_likelihood(examples, end, index, c);
        largest = fmax(largest, score[c]);
    }
    for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
        sum += score[c] = exp(score[c] - largest);
    }
    for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
        score[c] /= sum;
    }
}
