// Blocks of a restored snapshot may hold anything: its checksum tells damage, not intent. What a learner wrote always
// passes; what could make a fold over it leave its memory, never end, or give what is not finite is refused.
#include "learners/catch_up.h"
#include "learners/optimizer.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXAMPLES = 200, CLASSES = 3 };

struct restored { // a learner that has learned a little, and its blocks
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_examples examples;
    struct rf_predictions predictions;
};

static void restored_create(struct restored *restored, const char *const (*options)[2], size_t option_count) {
    *restored = (struct restored){.value = variant_of(rf_learner_variants, "linear")};
    set_option(&restored->value, "hash_bits", "8");
    set_option(&restored->value, "scale_fields", "8");
    set_option(&restored->value, "optimizer", "sgd");
    for (size_t i = 0; i < option_count; i++) {
        set_option(&restored->value, options[i][0], options[i][1]);
    }
    restored->learner = create_learner(&restored->value, false);
    rf_state_init(&restored->state);
    rf_learner_state(restored->learner, &restored->state);
    examples_create(&restored->examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&restored->examples, EXAMPLES, restored->learner->task == RF_TASK_MULTICLASS ? CLASSES : 2, 31);
    predictions_create(&restored->predictions, restored->learner, &restored->examples);
    rf_learner_fold(restored->learner, &restored->examples, 0, EXAMPLES, &restored->predictions);
}

static void restored_finish(struct restored *restored) {
    predictions_finish(&restored->predictions);
    rf_examples_finish(&restored->examples);
    rf_state_finish(&restored->state);
    rf_learner_destroy(restored->learner);
    variant_finish(&restored->value);
}

static void assert_passes(const struct restored *restored) {
    struct rf_error err;
    if (rf_learner_check(restored->learner, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

static void assert_corrupt(const struct restored *restored, const char *sentence) {
    struct rf_error err;
    assert_int_equal(rf_learner_check(restored->learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, sentence);
}

static void *cell_of(const struct restored *restored, const char *block_name, size_t row, const char *column_name) {
    const struct rf_block *block = rf_state_find(&restored->state, block_name);
    assert_non_null(block);
    for (size_t i = 0; i < block->column_count; i++) {
        if (strcmp(block->columns[i].name, column_name) == 0) {
            return (char *)block->data + row * block->row_size + block->columns[i].offset;
        }
    }
    fail_msg("%s has no column %s", block_name, column_name);
    return NULL;
}

// Puts a value where it must be refused, and back again.
static void assert_refuses(const struct restored *restored, void *cell, const void *value, size_t size, const char *sentence) {
    unsigned char before[sizeof(uint64_t)];
    memcpy(before, cell, size);
    memcpy(cell, value, size);
    assert_corrupt(restored, sentence);
    memcpy(cell, before, size);
    assert_passes(restored);
}

static void refuse_u32(const struct restored *restored, const char *block, size_t row, const char *column, uint32_t value,
                       const char *sentence) {
    assert_refuses(restored, cell_of(restored, block, row, column), &value, sizeof value, sentence);
}

static void refuse_u64(const struct restored *restored, const char *block, size_t row, const char *column, uint64_t value,
                       const char *sentence) {
    assert_refuses(restored, cell_of(restored, block, row, column), &value, sizeof value, sentence);
}

static void refuse_f64(const struct restored *restored, const char *block, size_t row, const char *column, double value,
                       const char *sentence) {
    assert_refuses(restored, cell_of(restored, block, row, column), &value, sizeof value, sentence);
}

static const char *const with_momentum[][2] = {{"optimizer", "momentum"}, {"precision", "double"}};
static const char *const with_decay[][2] = {{"optimizer.rate_decay", "inverse_scaling"}, {"l2", "0.001"}};
static const char *const with_squares[][2] = {
        {"optimizer", "adam"}, {"precision", "double"}, {"loss", "softmax"}, {"classes", "3"}};
static const char *const with_own_bias[][2] = {{"loss", "softmax"}, {"classes", "3"}, {"bias_rate", "0.1"}};

#define RESTORED_CREATE(restored, options) restored_create(restored, options, sizeof(options) / sizeof(options)[0])

static void rows_ahead_of_the_optimizer_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_momentum);
    refuse_u32(&restored, "linear.weights", 255, "tick", 201,
               "learner linear: row 255 of the weights has tick 201, must be at most 200, that of the optimizer");
    refuse_u32(&restored, "linear.weights", 0, "tick", UINT32_MAX,
               "learner linear: row 0 of the weights has tick 4294967295, must be at most 200, that of the optimizer");
    restored_finish(&restored);
    RESTORED_CREATE(&restored, with_decay);
    refuse_u32(&restored, "linear.weights", 3, "tick", 1000,
               "learner linear: row 3 of the weights has tick 1000, must be at most 200, that of the optimizer");
    restored_finish(&restored);
}

static void ticks_that_contradict_the_steps_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_decay);
    refuse_u64(&restored, "linear.ticks", 0, "steps", 199,
               "learner linear: the optimizer has taken 199 steps, must be from 200, its tick, to 9007199254740992");
    refuse_u64(&restored, "linear.ticks", 0, "steps", UINT64_MAX,
               "learner linear: the optimizer has taken 18446744073709551615 steps, must be from 200, its tick, to "
               "9007199254740992");
    refuse_u32(&restored, "linear.ticks", 0, "tick", RF_CATCH_UP_STEPS_MAX,
               "learner linear: the optimizer's tick is 536870912, must be below 536870912");
    refuse_u32(&restored, "linear.ticks", 0, "tick", UINT32_MAX,
               "learner linear: the optimizer's tick is 4294967295, must be below 536870912");
    restored_finish(&restored);
}

static void weights_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_momentum);
    refuse_f64(&restored, "linear.weights", 7, "weight", INFINITY,
               "learner linear: row 7 of the weights holds inf, must be at most 1e+100 in size");
    refuse_f64(&restored, "linear.weights", 7, "velocity", -1e200,
               "learner linear: row 7 of the weights holds -1e+200, must be at most 1e+100 in size");
    restored_finish(&restored);
    RESTORED_CREATE(&restored, with_decay);
    float weight = NAN;
    assert_refuses(&restored, cell_of(&restored, "linear.weights", 2, "weight"), &weight, sizeof weight,
                   "learner linear: row 2 of the weights holds nan, must be at most 1e+30 in size");
    restored_finish(&restored);
}

// Its root would be no number.
static void squares_below_zero_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_squares);
    refuse_f64(&restored, "linear.weights", 9, "mean_square", -1e-9,
               "learner linear: row 9 of the weights holds -1e-09, must not be below 0 in mean_square");
    *(double *)cell_of(&restored, "linear.weights", 9, "mean") = -1;
    assert_passes(&restored);
    restored_finish(&restored);
}

static void biases_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_own_bias);
    double *weight = cell_of(&restored, "linear.bias", 1, "weight");
    *weight = 0.5;
    refuse_f64(&restored, "linear.bias", 1, "weight", NAN,
               "learner linear: the bias of output 1 is nan, must be at most 1e+100 in size");
    restored_finish(&restored);
}

static void scalers_without_a_free_row_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_decay);
    refuse_u64(&restored, "transform.scaler_size", 0, "fields", 5,
               "learner linear: the scaler holds 4 fields and counts 5, must be as many, and at most 8");
    for (size_t row = 0; row < 16; row++) { // a search for a field that is not there would go round for ever
        *(uint64_t *)cell_of(&restored, "transform.scaler", row, "count") = 1;
    }
    assert_corrupt(&restored, "learner linear: the scaler holds 16 fields and counts 4, must be as many, and at most 8");
    *(uint64_t *)cell_of(&restored, "transform.scaler_size", 0, "fields") = 16;
    assert_corrupt(&restored, "learner linear: the scaler holds 16 fields and counts 16, must be as many, and at most 8");
    restored_finish(&restored);
}

static void moments_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    RESTORED_CREATE(&restored, with_decay);
    size_t row = 0;
    while (*(uint64_t *)cell_of(&restored, "transform.scaler", row, "count") == 0) {
        row++;
    }
    char sentence[256];
    snprintf(sentence, sizeof sentence,
             "learner linear: row %zu of the scaler has count 18446744073709551615, must be at most 9007199254740992", row);
    refuse_u64(&restored, "transform.scaler", row, "count", UINT64_MAX, sentence); // one more would make the row a free one
    snprintf(sentence, sizeof sentence, "learner linear: row %zu of the scaler has mean -inf, must be at most 1e+100 in size",
             row);
    refuse_f64(&restored, "transform.scaler", row, "mean", -INFINITY, sentence);
    snprintf(sentence, sizeof sentence, "learner linear: row %zu of the scaler has scatter -1, must be finite and not below 0",
             row);
    refuse_f64(&restored, "transform.scaler", row, "scatter", -1, sentence);
    restored_finish(&restored);
}

static void append_absurd_stream(struct rf_examples *examples, size_t count) {
    static const double absurd[] = {1e308, -1e308, 1e-308, 1e200, 1e40, -1e150, 0, 1e20, 3e-162};
    for (size_t i = 0; i < count; i++) {
        const struct feature features[] = {{1, absurd[i % 9], RF_NUMBER}, {2, absurd[i / 9 % 9], RF_NUMBER}, {3, 1, RF_CATEGORY}};
        append_example(examples, (double)(i % 2), features, 3);
        examples->weight[i] = i % 5 == 0 ? 1e25 : 1;
    }
}

static void assert_survives(struct restored *restored, const struct rf_examples *absurd) {
    assert_passes(restored);
    predictions_finish(&restored->predictions);
    predictions_create(&restored->predictions, restored->learner, absurd);
    for (size_t i = 0; i < absurd->count; i += 20) {
        rf_learner_fold(restored->learner, absurd, i, i + 20, &restored->predictions);
        assert_passes(restored);
    }
    for (size_t i = 0; i < absurd->count * restored->learner->outputs; i++) {
        assert_true(isfinite(restored->predictions.score[i]));
    }
}

static void what_waits_is_averaged_or_clipped_passes(void **state) {
    (void)state;
    static const char *const others[][5][2] = {
            {{"update", "mini_batch"},
             {"update.size", "3"},
             {"optimizer.rate", "100000"},
             {"scale", "none"},
             {"precision", "double"}},
            {{"update", "window"}, {"update.size", "9"}, {"update.gradient", "sum"}, {"scale", "none"}, {"bias_rate", "1000"}},
            {{"update", "window"}, {"optimizer", "adagrad"}, {"loss", "squared"}, {"clip", "labels"}, {"scale", "none"}},
            {{"loss", "squared"},
             {"optimizer.average", "true"},
             {"optimizer.rate", "100000"},
             {"scale", "none"},
             {"clip", "labels"}},
            {{"loss", "poisson"}, {"optimizer.rate", "100000"}, {"update", "mini_batch"}, {"precision", "double"}, {"l2", "0"}},
            {{"loss", "huber"}, {"gradient_max", "1e30"}, {"class_weights.1", "1000000"}, {"scale", "none"}, {"l2", "0"}},
            {{"loss", "hinge"},
             {"optimizer", "passive_aggressive"},
             {"optimizer.variant", "plain"},
             {"optimizer.average", "true"},
             {"scale", "none"}},
    };
    struct rf_examples absurd;
    examples_create(&absurd, 400, 1200);
    append_absurd_stream(&absurd, 400);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct restored restored;
        RESTORED_CREATE(&restored, others[i]);
        assert_survives(&restored, &absurd);
        restored_finish(&restored);
    }
    rf_examples_finish(&absurd);
}

static void what_a_learner_wrote_passes(void **state) {
    (void)state;
    static const char *const losses[] = {"squared", "logistic", "hinge", "softmax"};
    struct rf_examples absurd;
    examples_create(&absurd, 400, 1200);
    append_absurd_stream(&absurd, 400);
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        const struct rf_optimizer_kind *made = kind->registration;
        for (unsigned bits = 0; bits < 4 * 8; bits++) {
            if (made->combination.needs_passive && strcmp(losses[bits / 8], "hinge") != 0) {
                continue;
            }
            const char *const options[][2] = {
                    {"loss", losses[bits / 8]},
                    {"classes", bits / 8 == 3 ? "3" : "0"},
                    {"optimizer", kind->name},
                    {pace_of(kind), bits & 1 ? "0.01" : "100000"},
                    {"precision", bits & 2 ? "double" : "single"},
                    {"scale", bits & 4 ? "standard" : "none"},
            };
            struct restored restored;
            RESTORED_CREATE(&restored, options);
            assert_survives(&restored, &absurd);
            restored_finish(&restored);
        }
    }
    rf_examples_finish(&absurd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(rows_ahead_of_the_optimizer_are_refused),
            cmocka_unit_test(ticks_that_contradict_the_steps_are_refused),
            cmocka_unit_test(weights_out_of_bounds_are_refused),
            cmocka_unit_test(squares_below_zero_are_refused),
            cmocka_unit_test(biases_out_of_bounds_are_refused),
            cmocka_unit_test(scalers_without_a_free_row_are_refused),
            cmocka_unit_test(moments_out_of_bounds_are_refused),
            cmocka_unit_test(what_a_learner_wrote_passes),
            cmocka_unit_test(what_waits_is_averaged_or_clipped_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
