#include "learners/optimizer.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static void assert_refused(const struct rf_variant_value *value, uint32_t classes, const char *sentence) {
    const struct rf_learner_context context = {.features_max = 8, .classes = classes};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    assert_int_equal(rf_learner_create(value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(learner);
}

static void linear_refuses_settings_that_do_not_go_together(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    ((struct rf_linear_options *)value.options)->hash_bits = 99;
    assert_refused(&value, 0, "learner linear: hash_bits is 99, must be 1 to 28");
    set_option(&value, "hash_bits", "4");
    set_option(&value, "bias", "false");
    set_option(&value, "bias_rate", "0.5");
    assert_refused(&value, 0, "learner linear: bias_rate is 0.5 with bias false, must be 0, or bias true");
    set_option(&value, "bias", "true");
    assert_refused(&value, 0, "learner linear: bias_rate is 0.5 with an optimizer of rate auto, must be 0");
    set_option(&value, "bias_rate", "0");
    set_option(&value, "l2", "100");
    assert_refused(&value, 0, "learner linear: l2 is 100 with optimizer adaptive, must be 0; ftrl has one of its own");
    set_option(&value, "optimizer", "sgd");
    assert_refused(&value, 0, "learner linear: optimizer sgd: rate 0.01 times l2 100 is 1, must be below 1");
    set_option(&value, "l2", "0.1");
    set_option(&value, "optimizer", "nesterov");
    set_option(&value, "l1", "0.2");
    assert_refused(&value, 0,
                   "learner linear: l1 is 0.2 with optimizer nesterov, must be 0; optimizer sgd knows l1, adaptive and ftrl have "
                   "one of their own");
    set_option(&value, "l1", "0");
    set_option(&value, "optimizer", "ftrl");
    assert_refused(&value, 0, "learner linear: l2 is 0.1 with optimizer ftrl, must be 0; ftrl has one of its own");
    set_option(&value, "l2", "0");
    set_option(&value, "scale_order", "before");
    set_option(&value, "noise", "0.1");
    assert_refused(&value, 0, "learner linear: noise is 0.1 with scale_order before, must be 0: predictions would have it too");
    set_option(&value, "noise", "0");
    set_option(&value, "bias_rate", "0.5");
    set_option(&value, "regularise_bias", "true");
    assert_refused(&value, 0, "learner linear: regularise_bias is true with bias_rate 0.5, must be false, or bias_rate 0");
    variant_finish(&value);
    assert_refused(&value, 0, "learner is absent, must be given");
}

static void linear_refuses_classes_that_do_not_fit_the_loss(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    assert_refused(
            &value, 3,
            "learner linear: features.classes names 3 classes, must be 2 with loss logistic; several need one like softmax");
    set_option(&value, "classes", "2");
    assert_refused(&value, 0,
                   "learner linear: classes is 2 with loss logistic, must be given with losses of several classes only");
    set_option(&value, "loss", "softmax");
    assert_refused(&value, 3, "learner linear: classes is 2, must be the 3 that features.classes names");
    set_option(&value, "classes", "1");
    assert_refused(
            &value, 0,
            "learner linear: loss softmax has 1 classes, must be 2 to 1000: name them in features.classes, or set classes");
    set_option(&value, "classes", "0");
    set_option(&value, "loss", "squared");
    assert_refused(&value, 2, "learner linear: features.classes names 2 classes, must not be given with loss squared");
    variant_finish(&value);
}

static struct rf_learner *create_small(const char *loss, const char *scale) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "loss", loss);
    set_option(&value, "scale", scale);
    set_option(&value, "hash_bits", "8");
    set_option(&value, "optimizer", "sgd");
    set_option(&value, "optimizer.rate", "0.1");
    set_option(&value, "classes", strcmp(loss, "softmax") == 0 ? "3" : "0");
    struct rf_learner *learner = create_learner(&value, false);
    variant_finish(&value);
    return learner;
}

static void linear_separates_two_features(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 1000, 2000);
    for (size_t i = 0; i < 1000; i++) {
        append_example(&examples, (double)(i % 2), &(struct feature){10 + i % 2, 1, RF_CATEGORY}, 1);
    }
    static const char *const losses[] = {"logistic", "hinge"};
    for (size_t l = 0; l < 2; l++) {
        struct rf_learner *learner = create_small(losses[l], "standard");
        struct rf_predictions predictions;
        predictions_create(&predictions, learner, &examples);
        rf_learner_fold(learner, &examples, 0, examples.count, &predictions);
        double middle = learner->is_margin ? 0 : 0.5;
        assert_true(predictions.score[998] < middle - 0.3);
        assert_true(predictions.score[999] > middle + 0.3);
        assert_int_equal(learner->learned, 1000);
        predictions_finish(&predictions);
        rf_learner_destroy(learner);
    }
    rf_examples_finish(&examples);
}

static void linear_finds_the_line(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 4000, 4000);
    for (size_t i = 0; i < 4000; i++) {
        double x = (double)(i * 7 % 100);
        append_example(&examples, 3 * x - 20, &(struct feature){5, x, RF_NUMBER}, 1);
    }
    struct rf_learner *learner = create_small("squared", "standard");
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, examples.count, &predictions);
    for (size_t i = 3900; i < 4000; i++) {
        assert_true(fabs(predictions.score[i] - examples.label[i]) < 0.5); // of a range of 300
    }
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
}

static void examples_get_only_what_their_purpose_says(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 4, 8);
    const struct feature feature = {5, 1, RF_CATEGORY};
    append_example(&examples, 1, &feature, 1);
    append_example(&examples, 1, &feature, 1);
    append_example(&examples, NAN, &feature, 1); // a request to score
    append_example(&examples, NAN, &feature, 1);
    examples.purpose[0] = RF_LEARN;
    examples.purpose[1] = RF_OBSERVE;
    struct rf_learner *learner = create_small("softmax", "standard");
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, 3, &predictions);
    for (size_t i = 0; i < 6; i++) {
        assert_true(isnan(predictions.score[i]));
    }
    double sum = predictions.score[6] + predictions.score[7] + predictions.score[8];
    assert_true(fabs(sum - 1) < 1e-12);
    assert_true(predictions.score[7] > 0.34);
    assert_int_equal(learner->learned, 1);
    double again[3];
    rf_learner_predict(learner, &examples, 3, again);
    assert_memory_equal(again, predictions.score + 6, sizeof again);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
}

// What an absurd stream leaves: every prediction and every byte of state finite.
static void assert_survives(struct rf_learner *learner, const struct rf_examples *examples) {
    struct rf_state blocks;
    struct rf_predictions predictions;
    rf_state_init(&blocks);
    rf_learner_state(learner, &blocks);
    predictions_create(&predictions, learner, examples);
    rf_learner_fold(learner, examples, 0, examples->count, &predictions);
    for (size_t i = 0; i < examples->count * learner->outputs; i++) {
        assert_true(isfinite(predictions.score[i]));
    }
    for (size_t b = 0; b < blocks.count; b++) {
        const struct rf_block *block = blocks.list[b];
        for (size_t c = 0; c < block->column_count; c++) {
            const struct rf_column *column = &block->columns[c];
            for (size_t row = 0; row < block->rows; row++) {
                const char *at = (const char *)block->data + row * block->row_size + column->offset;
                for (size_t i = 0; i < column->count; i++) {
                    double value = column->type == RF_F64   ? ((const double *)(const void *)at)[i]
                                   : column->type == RF_F32 ? (double)((const float *)(const void *)at)[i]
                                                            : 0;
                    assert_true(isfinite(value));
                }
            }
        }
    }
    assert_int_equal(learner->learned + learner->skipped_steps, examples->count);
    predictions_finish(&predictions);
    rf_state_finish(&blocks);
}

static void absurd_values_never_make_state_or_predictions_infinite(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 400, 1200);
    static const double absurd[] = {1e308, -1e308, 1e-308, 1e200, 1e40, -1e150, 0, 1e20};
    for (size_t i = 0; i < 400; i++) {
        const struct feature features[] = {{1, absurd[i % 8], RF_NUMBER}, {2, absurd[i / 8 % 8], RF_NUMBER}, {3, 1, RF_CATEGORY}};
        append_example(&examples, (double)(i % 2), features, 3);
        examples.weight[i] = i % 5 == 0 ? 1e300 : 1;
    }
    static const char *const losses[] = {"squared", "logistic", "hinge", "softmax"};
    for (size_t l = 0; l < 4; l++) {
        for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
            for (size_t kept = 0; kept < 8; kept++) {
                struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
                set_option(&value, "loss", losses[l]);
                set_option(&value, "classes", l == 3 ? "3" : "0");
                set_option(&value, "optimizer", kind->name);
                const char *rate = pace_of(kind);
                set_option(&value, rate, kept & 1 ? "0.5" : "100000");
                set_option(&value, "precision", kept & 2 ? "double" : "single");
                set_option(&value, "scale", kept & 4 ? "standard" : "none");
                set_option(&value, "hash_bits", "2");
                if (goes_together(&value)) {
                    struct rf_learner *learner = create_learner(&value, false);
                    assert_survives(learner, &examples);
                    rf_learner_destroy(learner);
                }
                variant_finish(&value);
            }
        }
    }
    rf_examples_finish(&examples);
}

// Of a number that has varied by next to nothing, every other value is absurdly many deviations away.
static void numbers_that_hardly_vary_give_finite_predictions(void **state) {
    (void)state;
    static const double numbers[] = {0, 3e-162, 5, -1e100, 1e-150, 1.5e-162};
    struct rf_examples examples;
    examples_create(&examples, 60, 60);
    for (size_t i = 0; i < 60; i++) {
        double number = i < 12 ? numbers[i % 2] : numbers[i % 6];
        append_example(&examples, (double)(i % 2), &(struct feature){1, number, RF_NUMBER}, 1);
    }
    static const char *const losses[] = {"squared", "logistic", "hinge", "softmax"};
    for (size_t l = 0; l < 4; l++) {
        struct rf_learner *learner = create_small(losses[l], "standard");
        assert_survives(learner, &examples);
        rf_learner_destroy(learner);
    }
    rf_examples_finish(&examples);
}

static void labels_unknown_to_the_task_are_counted_and_not_learned(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 2, 2);
    append_example(&examples, 2, &(struct feature){1, 1, RF_CATEGORY}, 1);
    append_example(&examples, 1, &(struct feature){1, 1, RF_CATEGORY}, 1);
    struct rf_learner *learner = create_small("logistic", "none");
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, 2, &predictions);
    assert_int_equal(learner->skipped_steps, 1);
    assert_int_equal(learner->learned, 1);
    assert_true(predictions.score[1] == 0.5); // the first taught nothing
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
}

static void numbers_beyond_the_scaler_are_counted_and_give_nothing(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "scale", "standard");
    set_option(&value, "scale_fields", "1");
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_examples examples;
    struct rf_predictions predictions;
    examples_create(&examples, 10, 20);
    for (size_t i = 0; i < 10; i++) {
        const struct feature features[] = {{1, (double)i, RF_NUMBER}, {2, (double)i, RF_NUMBER}};
        append_example(&examples, (double)(i % 2), features, 2);
    }
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, 10, &predictions);
    assert_int_equal(learner->unscaled, 10);
    struct rf_contribution list[3];
    assert_int_equal(rf_learner_explain(learner, &examples, 9, list, 3), 3);
    assert_true(list[2].hash == 2 && list[2].amount == 0);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
    variant_finish(&value);
}

// Its first two values are at one deviation from their mean, once that is known.
static void scalers_may_learn_before_a_record_is_predicted(void **state) {
    (void)state;
    static const char *const orders[] = {"after", "before"};
    struct rf_examples examples;
    examples_create(&examples, 3, 3);
    for (size_t i = 0; i < 3; i++) {
        append_example(&examples, 1, &(struct feature){1, (double)i, RF_NUMBER}, 1);
    }
    examples.purpose[2] = RF_PREDICT; // without a label nothing is learned before, either
    for (size_t o = 0; o < 2; o++) {
        struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
        set_option(&value, "optimizer", "sgd");
        set_option(&value, "scale_order", orders[o]);
        set_option(&value, "bias", "false");
        set_option(&value, "loss", "squared");
        struct rf_learner *learner = create_learner(&value, false);
        struct rf_predictions predictions;
        predictions_create(&predictions, learner, &examples);
        rf_learner_fold(learner, &examples, 0, 2, &predictions);
        struct rf_contribution list[1];
        rf_learner_explain(learner, &examples, 2, list, 1);
        assert_true(list[0].weight > 0 && fabs(list[0].value - 3) < 1e-12); // mean and deviation of 0 and 1 are 0.5
        rf_learner_fold(learner, &examples, 2, 3, &predictions);
        assert_true(predictions.score[2] == list[0].amount);
        predictions_finish(&predictions);
        rf_learner_destroy(learner);
        variant_finish(&value);
    }
    rf_examples_finish(&examples);
}

static void explain_adds_up_to_the_score_largest_first(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 500, 8000);
    append_random_stream(&examples, 500, 0, 9);
    struct rf_learner *learner = create_small("squared", "standard");
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, examples.count, &predictions);
    struct rf_contribution list[64], cut[3];
    for (size_t i = 400; i < 500; i++) {
        double score, sum = 0;
        size_t count = examples.row_start[i + 1] - examples.row_start[i] + 1; // and the bias
        rf_learner_predict(learner, &examples, i, &score);
        assert_int_equal(rf_learner_explain(learner, &examples, i, list, 64), count);
        size_t biases = 0;
        for (size_t n = 0; n < count; n++) {
            assert_true(n == 0 || fabs(list[n].amount) <= fabs(list[n - 1].amount));
            assert_true(list[n].amount == list[n].value * list[n].weight);
            biases += list[n].field == RF_FIELD_UNKNOWN;
            sum += list[n].amount;
        }
        assert_int_equal(biases, 1);
        assert_true(fabs(sum - score) < 1e-9 * fmax(1, fabs(score)));
        assert_int_equal(rf_learner_explain(learner, &examples, i, cut, 3), count);
        for (size_t n = 0; n < 3; n++) {
            assert_true(cut[n].hash == list[n].hash && cut[n].amount == list[n].amount);
        }
        assert_int_equal(rf_learner_explain(learner, &examples, i, NULL, 0), count);
    }
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
}

static void a_frozen_state_keeps_its_bytes_while_learning_goes_on(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "momentum");
    set_option(&value, "l2", "0.001");
    set_option(&value, "loss", "softmax");
    set_option(&value, "classes", "3");
    set_option(&value, "hash_bits", "16"); // above RF_BLOCK_EAGER_SIZE: copied piece by piece, as it is touched
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_examples examples;
    struct rf_predictions predictions;
    struct rf_state blocks;
    examples_create(&examples, 600, 9600);
    append_random_stream(&examples, 600, 3, 10);
    predictions_create(&predictions, learner, &examples);
    rf_state_init(&blocks);
    rf_learner_state(learner, &blocks);
    struct rf_block *weights = rf_state_find(&blocks, "linear.weights");
    assert_true(rf_block_size(weights) > RF_BLOCK_EAGER_SIZE);
    rf_learner_fold(learner, &examples, 0, 300, &predictions);
    char *before = test_malloc(rf_block_size(weights));
    memcpy(before, weights->data, rf_block_size(weights));

    assert_int_equal(rf_state_freeze(&blocks), RF_OK);
    rf_learner_fold(learner, &examples, 300, 600, &predictions);
    assert_memory_not_equal(before, weights->data, rf_block_size(weights));
    for (size_t piece = 0; piece < rf_block_pieces(weights); piece++) {
        uint8_t bytes[RF_PIECE_SIZE];
        rf_block_read_piece(weights, piece, bytes);
        assert_memory_equal(bytes, before + piece * RF_PIECE_SIZE, rf_block_piece_size(weights, piece));
    }
    rf_state_thaw(&blocks);
    test_free(before);
    rf_state_finish(&blocks);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    rf_examples_finish(&examples);
    variant_finish(&value);
}

struct listed { // what rf_learner_weights() visits of a table of 256 rows
    double weight[257];
    size_t count;
};

static void list_weight(void *context, uint64_t row, uint32_t output, double weight) {
    struct listed *listed = context;
    assert_int_equal(output, 0);
    assert_true(row < 256 || row == RF_ROW_BIAS);
    listed->weight[row == RF_ROW_BIAS ? 256 : row] = weight;
    listed->count++;
}

// Weights that lag behind are listed as they are now, and stay as they are.
static void weights_listed_are_those_that_score(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 1002, 16032);
    append_random_stream(&examples, 1000, 2, 6);
    const struct feature once = {UINT64_C(77), 1, RF_CATEGORY};
    append_example(&examples, 1, &once, 1);
    static const char *const optimizers[] = {"sgd", "momentum", "adam", "adaptive"};
    for (size_t i = 0; i < 4; i++) {
        struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
        set_option(&value, "hash_bits", "8");
        set_option(&value, "scale", "none");
        set_option(&value, "loss", "squared");
        set_option(&value, "precision", "double");
        set_option(&value, "optimizer", optimizers[i]);
        set_option(&value, "optimizer.rate", "0.001");
        set_option(&value, "l2", strcmp(optimizers[i], "adaptive") == 0 ? "0" : "0.01");
        struct rf_learner *learner = create_learner(&value, false);
        struct rf_predictions predictions;
        predictions_create(&predictions, learner, &examples);
        rf_learner_fold(learner, &examples, 0, 1000, &predictions);
        struct listed listed = {{0}, 0}, again = {{0}, 0};
        assert_true(rf_learner_weights(learner, list_weight, &listed));
        assert_true(listed.count > 100);
        for (size_t n = 0; n < 1000; n += 50) {
            double score, sum = listed.weight[256];
            rf_learner_predict(learner, &examples, n, &score);
            for (size_t f = examples.row_start[n]; f < examples.row_start[n + 1]; f++) {
                sum += listed.weight[examples.hash[f] % 256] * examples.value[f];
            }
            assert_true(strcmp(optimizers[i], "adaptive") == 0 || fabs(sum - score) < 1e-9 * fmax(1, fabs(score)));
        }
        rf_learner_weights(learner, list_weight, &again);
        assert_memory_equal(&listed, &again, sizeof listed);
        predictions_finish(&predictions);
        rf_learner_destroy(learner);
        variant_finish(&value);
    }
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(weights_listed_are_those_that_score),
            cmocka_unit_test(linear_refuses_settings_that_do_not_go_together),
            cmocka_unit_test(linear_refuses_classes_that_do_not_fit_the_loss),
            cmocka_unit_test(linear_separates_two_features),
            cmocka_unit_test(linear_finds_the_line),
            cmocka_unit_test(examples_get_only_what_their_purpose_says),
            cmocka_unit_test(absurd_values_never_make_state_or_predictions_infinite),
            cmocka_unit_test(numbers_that_hardly_vary_give_finite_predictions),
            cmocka_unit_test(labels_unknown_to_the_task_are_counted_and_not_learned),
            cmocka_unit_test(numbers_beyond_the_scaler_are_counted_and_give_nothing),
            cmocka_unit_test(scalers_may_learn_before_a_record_is_predicted),
            cmocka_unit_test(explain_adds_up_to_the_score_largest_first),
            cmocka_unit_test(a_frozen_state_keeps_its_bytes_while_learning_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
