// The linear learner against its naive twin: sparse streams with collisions, every optimizer with every regulariser and rate
// that goes with it.
#include "learners/optimizer.h"
#include "tests/learners/learner_fixture.h"
#include "tests/learners/learner_naive.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 2200, CLASSES = 3 };

struct run {
    const char *optimizer, *loss, *l1, *l2, *decay, *warm_up, *bias_rate, *regularise_bias, *hash_bits, *precision;
};

static void set_if_known(struct rf_variant_value *value, const char *path, const char *text) {
    const struct rf_linear_options *options = value->options;
    if (setting_of(options->optimizer.kind->settings, strchr(path, '.') + 1)) {
        set_option(value, path, text);
    }
}

static struct rf_variant_value learner_of(const struct run *run) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", run->optimizer);
    if (strcmp(run->optimizer, "adadelta") != 0) {
        set_if_known(&value, "optimizer.rate", "0.02");
    }
    set_if_known(&value, "optimizer.rate_decay", run->decay);
    set_if_known(&value, "optimizer.rate_start", "300");
    set_if_known(&value, "optimizer.rate_every", "700");
    set_if_known(&value, "optimizer.rate_warm_up", run->warm_up);
    set_if_known(&value, "optimizer.momentum", "0.7");
    set_if_known(&value, "optimizer.beta2", "0.99");
    set_if_known(&value, "optimizer.l1", "0.3"); // of ftrl's own
    set_if_known(&value, "optimizer.l2", "0.5");
    set_option(&value, "loss", run->loss);
    set_option(&value, "classes", strcmp(run->loss, "softmax") == 0 ? "3" : "0");
    set_option(&value, "l1", run->l1);
    set_option(&value, "l2", run->l2);
    set_option(&value, "bias_rate", run->bias_rate);
    set_option(&value, "regularise_bias", run->regularise_bias);
    set_option(&value, "hash_bits", run->hash_bits);
    set_option(&value, "precision", run->precision);
    return value;
}

// The largest difference of a prediction, relative where it is above 1.
static double difference_of(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct rf_learner *learner = create_learner(value, false);
    struct naive *naive = naive_create(value->options, learner->outputs);
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
    return largest;
}

// Skips what does not go together.
static void check_run(const struct run *run, const struct rf_examples *examples) {
    struct rf_variant_value value = learner_of(run);
    const struct rf_linear_options *options = value.options;
    const bool is_double = strcmp(run->precision, "double") == 0;
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&options->loss, &loss, &err), RF_OK);
    if (rf_combination_check(&loss, &options->optimizer, options->l1, options->l2, &err) == RF_OK) {
        double difference = difference_of(&value, examples);
        if (!(difference < (is_double ? 1e-11 : 1e-4))) {
            fail_msg("%s, loss %s, l1 %s, l2 %s, rate %s after %s, %s: differs by %g", run->optimizer, run->loss, run->l1,
                     run->l2, run->decay, run->warm_up, run->precision, difference);
        }
    }
    variant_finish(&value);
}

static void check_all_rules(struct run run, uint32_t classes) {
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, classes, 7);
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (strcmp(kind->name, "adaptive") == 0) {
            continue; // its twin is in test_optimizer_adaptive.c
        }
        run.optimizer = kind->name;
        bool has_rate = setting_of(kind->settings, "rate_decay") != NULL;
        for (const char *const *decay = rf_rate_decay_names; *decay && (has_rate || decay == rf_rate_decay_names); decay++) {
            for (unsigned bits = 0; bits < 16; bits++) {
                run.decay = *decay;
                run.l1 = bits & 1 ? "0.02" : "0";
                run.l2 = bits & 2 ? "0.003" : "0";
                run.warm_up = bits & 4 ? "1500" : "0";
                run.regularise_bias = bits & 4 && strcmp(run.bias_rate, "0") == 0 ? "true" : "false";
                run.precision = bits & 8 ? "double" : "single";
                check_run(&run, &examples);
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

static void lagging_weights_agree_with_their_naive_twin(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, 2, 7);
    for (unsigned bits = 0; bits < 4; bits++) {
        struct rf_variant_value value = learner_of(&(struct run){.optimizer = "ftrl",
                                                                 .loss = "logistic",
                                                                 .l1 = "0",
                                                                 .l2 = "0",
                                                                 .decay = "constant",
                                                                 .warm_up = "0",
                                                                 .bias_rate = "0",
                                                                 .regularise_bias = bits & 1 ? "true" : "false",
                                                                 .hash_bits = "6",
                                                                 .precision = bits & 2 ? "double" : "single"});
        set_option(&value, "optimizer.lagging", "true");
        assert_true(difference_of(&value, &examples) < (bits & 2 ? 1e-11 : 1e-4));
        variant_finish(&value);
    }
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(linear_regression_agrees_with_its_naive_twin),
            cmocka_unit_test(logistic_regression_agrees_with_its_naive_twin),
            cmocka_unit_test(softmax_agrees_with_its_naive_twin),
            cmocka_unit_test(lagging_weights_agree_with_their_naive_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
