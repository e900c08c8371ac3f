// The linear learner against its naive twin: sparse streams with collisions, every optimizer, with L2 and without.
#include "tests/learners/learner_fixture.h"
#include "tests/learners/learner_naive.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 2500, CLASSES = 3 };

struct run {
    const char *optimizer, *loss, *l2, *decay, *bias_rate, *hash_bits, *precision;
};

// The largest difference of a prediction, relative where it is above 1.
static double difference_of(const struct run *run, const struct rf_examples *examples) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", run->optimizer);
    set_option(&value, "optimizer.rate", "0.02");
    set_option(&value, "optimizer.rate_decay", run->decay);
    set_option(&value, "optimizer.rate_start", "300");
    set_option(&value, "loss", run->loss);
    set_option(&value, "classes", strcmp(run->loss, "softmax") == 0 ? "3" : "0");
    set_option(&value, "l2", run->l2);
    set_option(&value, "bias_rate", run->bias_rate);
    set_option(&value, "hash_bits", run->hash_bits);
    set_option(&value, "precision", run->precision);
    if (strcmp(run->optimizer, "sgd") != 0) {
        set_option(&value, "optimizer.momentum", "0.7");
    }
    struct rf_learner *learner = create_learner(&value, false);
    struct naive *naive = naive_create(value.options, learner->outputs);
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, examples);
    rf_learner_fold(learner, examples, 0, examples->count, &predictions);
    assert_int_equal(learner->learned, examples->count);
    double largest = 0;
    for (size_t i = 0; i < examples->count; i++) {
        double expected[CLASSES];
        naive_predict(naive, examples, i, expected);
        naive_learn(naive, examples, i);
        for (uint32_t k = 0; k < learner->outputs; k++) {
            double error = fabs(predictions.score[i * learner->outputs + k] - expected[k]);
            largest = fmax(largest, error / fmax(1, fabs(expected[k])));
        }
    }
    predictions_finish(&predictions);
    naive_destroy(naive);
    rf_learner_destroy(learner);
    variant_finish(&value);
    return largest;
}

static void check_all_rules(struct run run, uint32_t classes) {
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, classes, 7);
    static const char *const optimizers[] = {"sgd", "momentum", "nesterov"};
    static const char *const decays[] = {"constant", "inverse_scaling"};
    static const char *const l2s[] = {"0", "0.003"};
    for (size_t o = 0; o < 3; o++) {
        for (size_t d = 0; d < 2; d++) {
            for (size_t l = 0; l < 2; l++) {
                if (o > 0 && d > 0 && l > 0) {
                    continue; // refused, see test_learner_linear.c
                }
                run.optimizer = optimizers[o];
                run.decay = decays[d];
                run.l2 = l2s[l];
                for (int is_double = 0; is_double < 2; is_double++) {
                    run.precision = is_double ? "double" : "single";
                    double difference = difference_of(&run, &examples);
                    if (!(difference < (is_double ? 1e-9 : 1e-3))) {
                        fail_msg("%s, loss %s, l2 %s, rate %s, %s: differs by %g", run.optimizer, run.loss, run.l2, run.decay,
                                 run.precision, difference);
                    }
                }
            }
        }
    }
    rf_examples_finish(&examples);
}

static void linear_regression_agrees_with_its_naive_twin(void **state) {
    (void)state;
    check_all_rules((struct run){.loss = "squared", .bias_rate = "0", .hash_bits = "6"}, 0);
}

static void logistic_regression_agrees_with_its_naive_twin(void **state) {
    (void)state;
    check_all_rules((struct run){.loss = "logistic", .bias_rate = "0", .hash_bits = "6"}, 2);
    check_all_rules((struct run){.loss = "logistic", .bias_rate = "0.05", .hash_bits = "7"}, 2);
}

static void softmax_agrees_with_its_naive_twin(void **state) {
    (void)state;
    check_all_rules((struct run){.loss = "softmax", .bias_rate = "0", .hash_bits = "6"}, CLASSES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(linear_regression_agrees_with_its_naive_twin),
            cmocka_unit_test(logistic_regression_agrees_with_its_naive_twin),
            cmocka_unit_test(softmax_agrees_with_its_naive_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
