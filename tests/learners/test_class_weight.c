// What an example counts: weights of examples and labels, bounds of gradients and predictions.
#include "learners/class_weight.h"
#include "learners/loss.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 400 };

struct trained {
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_predictions predictions;
};

static void train(struct trained *trained, const struct rf_variant_value *value, const struct rf_examples *examples) {
    trained->learner = create_learner(value, false);
    rf_state_init(&trained->state);
    rf_learner_state(trained->learner, &trained->state);
    predictions_create(&trained->predictions, trained->learner, examples);
    rf_learner_fold(trained->learner, examples, 0, examples->count, &trained->predictions);
}

static void trained_finish(struct trained *trained) {
    predictions_finish(&trained->predictions);
    rf_state_finish(&trained->state);
    rf_learner_destroy(trained->learner);
}

static void assert_same_weights(const struct trained *a, const struct trained *b) {
    const struct rf_block *one = rf_state_find(&a->state, "linear.weights"), *other = rf_state_find(&b->state, "linear.weights");
    assert_memory_equal(one->data, other->data, rf_block_size(one));
}

static void labels_have_weights_by_name_and_by_number(void **state) {
    (void)state;
    const char *const names[] = {"legit", "fraud"};
    struct rf_pair by_name[] = {{(char *)"fraud", (char *)"5", 0}, {(char *)"legit", (char *)"0.5", 0}};
    struct rf_pair by_label[] = {{(char *)"1", (char *)"2", 0},
                                 {(char *)"0", (char *)"3.1", 0},
                                 {(char *)"-1", (char *)"5", 0},
                                 {(char *)"1e2", (char *)"0", 0}};
    struct rf_class_weights *weights;
    struct rf_error err;
    assert_int_equal(rf_class_weights_create(&(struct rf_pairs){by_name, 2}, RF_TASK_BINARY, 2, names, &weights, &err), RF_OK);
    assert_true(rf_class_weights_of(weights, 0) == 0.5 && rf_class_weights_of(weights, 1) == 5);
    rf_class_weights_destroy(weights);
    assert_int_equal(rf_class_weights_create(&(struct rf_pairs){by_label, 4}, RF_TASK_REGRESSION, 0, NULL, &weights, &err),
                     RF_OK);
    assert_true(rf_class_weights_of(weights, 1) == 2 && rf_class_weights_of(weights, 0) == 3.1);
    assert_true(rf_class_weights_of(weights, -1) == 5 && rf_class_weights_of(weights, 100) == 0);
    assert_true(rf_class_weights_of(weights, 0.5) == 1 && rf_class_weights_of(weights, NAN) == 1);
    rf_class_weights_destroy(weights);
    assert_int_equal(rf_class_weights_create(&(struct rf_pairs){NULL, 0}, RF_TASK_BINARY, 2, names, &weights, &err), RF_OK);
    assert_null(weights);
    assert_true(rf_class_weights_of(NULL, 1) == 1);
}

static void assert_refused(const char *name, const char *weight, enum rf_task task, const char *const *names,
                           const char *sentence) {
    struct rf_pair pairs[] = {{(char *)name, (char *)weight, 0}, {(char *)name, (char *)weight, 0}};
    struct rf_class_weights *weights;
    struct rf_error err;
    assert_int_equal(rf_class_weights_create(&(struct rf_pairs){pairs, 2}, task, 2, names, &weights, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(weights);
}

static void wrong_class_weights_are_refused(void **state) {
    (void)state;
    const char *const names[] = {"legit", "fraud"};
    assert_refused("frued", "1", RF_TASK_BINARY, names,
                   "class_weights has frued, must be a class that features.classes names, such as legit");
    assert_refused("2", "1", RF_TASK_BINARY, NULL, "class_weights has 2, must be a class from 0 to 1");
    assert_refused("0.5", "1", RF_TASK_BINARY, NULL, "class_weights has 0.5, must be a class from 0 to 1");
    assert_refused("low", "1", RF_TASK_REGRESSION, NULL, "class_weights has low, must be a label, which is a number");
    assert_refused("fraud", "-1", RF_TASK_BINARY, names,
                   "class_weights gives fraud the weight -1, must be a number from 0 to 1e+06");
    assert_refused("fraud", "nan", RF_TASK_BINARY, names,
                   "class_weights gives fraud the weight nan, must be a number from 0 to 1e+06");
    assert_refused("fraud", "1", RF_TASK_BINARY, names, "class_weights has label 1 twice, must have it once");
}

static void class_weights_multiply_those_of_the_examples(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, 2, 51);
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    set_option(&value, "hash_bits", "8");
    set_option(&value, "class_weights.1", "5");
    set_option(&value, "class_weights.0", "0.25");
    struct trained by_class, by_example;
    train(&by_class, &value, &examples);
    for (size_t i = 0; i < EXAMPLES; i++) {
        examples.weight[i] *= examples.label[i] == 1 ? 5 : 0.25;
    }
    set_option(&value, "class_weights.1", "1");
    set_option(&value, "class_weights.0", "1");
    train(&by_example, &value, &examples);
    assert_same_weights(&by_class, &by_example);
    trained_finish(&by_class);
    trained_finish(&by_example);
    variant_finish(&value);
    rf_examples_finish(&examples);
}

static void a_class_of_weight_zero_is_not_learned(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, 2, 52);
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    set_option(&value, "hash_bits", "8");
    set_option(&value, "class_weights.0", "0");
    size_t ones = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        ones += examples.label[i] == 1;
    }
    struct trained trained;
    train(&trained, &value, &examples);
    assert_int_equal(trained.learner->learned, ones);
    assert_int_equal(trained.learner->skipped_steps, 0);
    trained_finish(&trained);
    variant_finish(&value);
    rf_examples_finish(&examples);
}

// Where a step is a multiple of the gradient, weight 2 is the rate times 2, whatever the loss: to the bit, as 2 is a power of 2.
static void weight_two_is_the_gradient_times_two(void **state) {
    (void)state;
    static const char *const optimizers[] = {"sgd", "momentum", "nesterov"};
    for (const struct rf_variant *loss = rf_loss_variants; loss->name; loss++) {
        enum rf_task task = ((const struct rf_loss_ops *)loss->registration)->task;
        struct rf_examples examples;
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_random_stream(&examples, EXAMPLES, task == RF_TASK_REGRESSION ? 0 : task == RF_TASK_BINARY ? 2 : 3, 53);
        for (size_t i = 0; i < EXAMPLES; i++) {
            examples.label[i] = fabs(examples.label[i]);
        }
        for (size_t o = 0; o < 3; o++) {
            struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
            set_option(&value, "optimizer", "sgd");
            struct trained heavy, fast;
            set_option(&value, "hash_bits", "8");
            set_option(&value, "loss", loss->name);
            set_option(&value, "classes", task == RF_TASK_MULTICLASS ? "3" : "0");
            set_option(&value, "optimizer", optimizers[o]);
            set_option(&value, "optimizer.rate", "0.001");
            for (size_t i = 0; i < EXAMPLES; i++) {
                examples.weight[i] = 2;
            }
            train(&heavy, &value, &examples);
            for (size_t i = 0; i < EXAMPLES; i++) {
                examples.weight[i] = 1;
            }
            set_option(&value, "optimizer.rate", "0.002");
            train(&fast, &value, &examples);
            assert_same_weights(&heavy, &fast);
            trained_finish(&heavy);
            trained_finish(&fast);
            variant_finish(&value);
        }
        rf_examples_finish(&examples);
    }
}

static double weight_after_one(const char *gradient_max, double label, double weight, uint64_t *bounded_out) {
    struct rf_examples examples;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    struct trained trained;
    examples_create(&examples, 1, 1);
    append_example(&examples, label, &(struct feature){7, 1, RF_CATEGORY}, 1);
    examples.weight[0] = weight;
    set_option(&value, "loss", "squared");
    set_option(&value, "bias", "false");
    set_option(&value, "precision", "double");
    set_option(&value, "optimizer.rate", "1");
    set_option(&value, "gradient_max", gradient_max);
    train(&trained, &value, &examples);
    double result;
    rf_learner_predict(trained.learner, &examples, 0, &result);
    *bounded_out = trained.learner->bounded_steps;
    trained_finish(&trained);
    variant_finish(&value);
    rf_examples_finish(&examples);
    return result;
}

// A squared loss from weight 0: the gradient is -2 label.
static void gradients_are_bounded_before_the_weight_and_counted(void **state) {
    (void)state;
    uint64_t bounded;
    assert_true(weight_after_one("0", 100, 1, &bounded) == 200 && bounded == 0);
    assert_true(weight_after_one("3", 100, 1, &bounded) == 3 && bounded == 1);
    assert_true(weight_after_one("3", -100, 1, &bounded) == -3 && bounded == 1);
    assert_true(weight_after_one("3", 100, 2, &bounded) == 6 && bounded == 1);
    assert_true(weight_after_one("3", 1.5, 1, &bounded) == 3 && bounded == 0);
}

static void predictions_are_clipped_to_the_labels_learned(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 6, 6);
    static const double labels[] = {2, 5, 3, 2, 5, 4}, inputs[] = {1, 1, 50, -50, 1e6, 1};
    for (size_t i = 0; i < 6; i++) {
        append_example(&examples, labels[i], &(struct feature){7, inputs[i], RF_CATEGORY}, 1);
    }
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    struct trained trained;
    set_option(&value, "loss", "squared");
    set_option(&value, "bias", "false");
    set_option(&value, "optimizer.rate", "0.1");
    set_option(&value, "clip", "labels");
    train(&trained, &value, &examples);
    const double *prediction = trained.predictions.score;
    assert_true(prediction[0] == 0); // no label yet
    assert_true(prediction[1] == 2); // only one, at 0.4
    assert_true(prediction[2] == 5);
    assert_true(prediction[3] == 2 || prediction[3] == 5);
    for (size_t i = 1; i < 6; i++) {
        assert_true(prediction[i] >= 2 && prediction[i] <= 5);
    }
    struct rf_error err;
    struct rf_block *range = rf_state_find(&trained.state, "linear.labels");
    double *highest = range->data, *lowest_negated = highest + 1;
    assert_true(*highest == 5 && *lowest_negated == -2);
    assert_int_equal(rf_learner_check(trained.learner, &err), RF_OK);
    *highest = 1;
    assert_int_equal(rf_learner_check(trained.learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, "learner linear: the range of labels is from 2 to 1, must not fall");
    *highest = NAN;
    assert_int_equal(rf_learner_check(trained.learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, "learner linear: the range of labels is from 2 to nan, must be within 1e+300 in size");
    trained_finish(&trained);
    set_option(&value, "loss", "logistic");
    const struct rf_learner_context context = {.features_max = 4};
    struct rf_learner *learner = NULL;
    assert_int_equal(rf_learner_create(&value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text,
                        "learner linear: clip is labels with loss logistic, must be none, or a loss whose prediction is the "
                        "score of a label");
    variant_finish(&value);
    rf_examples_finish(&examples);
}

// The first record's score of 0 is in the range, so its gradient is that of the loss; in the range of its label alone it is 0.
static void a_range_with_zero_begins_there(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 2, 2);
    append_example(&examples, 4, &(struct feature){7, 1, RF_CATEGORY}, 1);
    append_example(&examples, 4, &(struct feature){7, -1, RF_NUMBER}, 1);
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    set_option(&value, "loss", "squared");
    set_option(&value, "bias", "false");
    set_option(&value, "scale", "none");
    set_option(&value, "optimizer.rate", "0.1");
    for (int with_zero = 0; with_zero < 2; with_zero++) {
        struct trained trained;
        double prediction;
        set_option(&value, "clip", with_zero ? "labels_and_zero" : "labels");
        examples.count = 1;
        train(&trained, &value, &examples);
        struct rf_contribution contribution;
        assert_int_equal(rf_learner_explain(trained.learner, &examples, 0, &contribution, 1), 1);
        assert_true(fabs(contribution.weight - (with_zero ? 0.8 : 0)) < 1e-6);
        examples.count = 2;
        rf_learner_predict(trained.learner, &examples, 1, &prediction);
        assert_true(prediction == (with_zero ? 0 : 4));
        trained_finish(&trained);
    }
    variant_finish(&value);
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(labels_have_weights_by_name_and_by_number),
            cmocka_unit_test(wrong_class_weights_are_refused),
            cmocka_unit_test(class_weights_multiply_those_of_the_examples),
            cmocka_unit_test(a_class_of_weight_zero_is_not_learned),
            cmocka_unit_test(weight_two_is_the_gradient_times_two),
            cmocka_unit_test(gradients_are_bounded_before_the_weight_and_counted),
            cmocka_unit_test(predictions_are_clipped_to_the_labels_learned),
            cmocka_unit_test(a_range_with_zero_begins_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
