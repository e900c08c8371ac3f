// Steps over many records against a twin that keeps whole inputs and moves every weight.
#include "learners/optimizer.h"
#include "learners/waiting.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/learners/optimizer_naive.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 600, CLASSES = 3, ROW_BITS = 5, ROWS = (1 << ROW_BITS) + 1, OPTIONS = 10 };

struct rule { // of the twin
    const char *optimizer, *loss;
    double rate, l2;
    size_t size, every; // of a window; every 0: mini-batches
    size_t growth, growth_every, max;
    bool is_sum;
};

struct twin {
    struct rule rule;
    const struct rf_linear_options *options;
    uint32_t outputs;
    struct naive_weight weight[ROWS][CLASSES];
    uint64_t steps;
    double input[EXAMPLES][ROWS]; // of the records learned
    double label[EXAMPLES], importance[EXAMPLES];
    size_t learned, taken;
};

static void fill_input(const struct rf_examples *examples, size_t index, double *input_out) {
    memset(input_out, 0, ROWS * sizeof *input_out);
    for (size_t i = examples->row_start[index]; i < examples->row_start[index + 1]; i++) {
        input_out[examples->hash[i] % (ROWS - 1)] += examples->value[i];
    }
    input_out[ROWS - 1] = 1;
}

static void twin_scores(const struct twin *twin, const double *input, double ahead, double *score_out) {
    for (uint32_t k = 0; k < twin->outputs; k++) {
        score_out[k] = 0;
        for (size_t row = 0; row < ROWS; row++) {
            score_out[k] += input[row] * (twin->weight[row][k].weight + ahead * twin->weight[row][k].moment[0]);
        }
    }
}

static void softmax(uint32_t outputs, double *score) {
    double sum = 0;
    for (uint32_t k = 0; k < outputs; k++) {
        sum += score[k] = exp(score[k]);
    }
    for (uint32_t k = 0; k < outputs; k++) {
        score[k] /= sum;
    }
}

// One step along the gradients of the records [begin, end), all at the weights of now.
static void twin_step(struct twin *twin, size_t begin, size_t end) {
    static double gradient[ROWS][CLASSES];
    bool is_met[ROWS] = {false};
    double ahead = naive_ahead(twin->options);
    memset(gradient, 0, sizeof gradient);
    for (size_t i = begin; i < end; i++) {
        double score[CLASSES];
        twin_scores(twin, twin->input[i], ahead, score);
        if (twin->outputs > 1) {
            softmax(twin->outputs, score);
        }
        for (uint32_t k = 0; k < twin->outputs; k++) {
            double slope = twin->outputs > 1 ? score[k] - (twin->label[i] == k) : 2 * (score[k] - twin->label[i]);
            slope *= twin->importance[i] / (twin->rule.is_sum ? 1 : (double)(end - begin));
            for (size_t row = 0; row < ROWS; row++) {
                gradient[row][k] += slope * twin->input[i][row];
                is_met[row] = is_met[row] || twin->input[i][row] != 0;
            }
        }
    }
    for (size_t row = 0; row < ROWS; row++) {
        struct naive_step step = naive_step_of(twin->options, twin->steps, row == ROWS - 1);
        for (uint32_t k = 0; k < twin->outputs; k++) {
            step.part = &gradient[row][k];
            step.parts = is_met[row];
            step.rule(&step, &twin->weight[row][k]);
        }
    }
    twin->steps++;
}

static void twin_learn(struct twin *twin, const struct rf_examples *examples, size_t index) {
    const struct rule *rule = &twin->rule;
    fill_input(examples, index, twin->input[twin->learned]);
    twin->label[twin->learned] = examples->label[index];
    twin->importance[twin->learned] = examples->weight[index];
    twin->learned++;
    if (rule->every > 0) {
        if (twin->learned % rule->every == 0) {
            twin_step(twin, twin->learned > rule->size ? twin->learned - rule->size : 0, twin->learned);
        }
        return;
    }
    double size = (double)rule->size;
    if (rule->growth > 1) {
        size_t times = twin->taken / rule->growth_every;
        size = fmin(size * pow((double)rule->growth, (double)times), (double)rule->max);
    }
    if (twin->learned - twin->taken == (size_t)size) {
        twin_step(twin, twin->taken, twin->learned);
        twin->taken = twin->learned;
    }
}

static struct rf_variant_value settings_of(const struct rule *rule) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    char text[32];
    set_option(&value, "hash_bits", "5");
    set_option(&value, "scale", "none");
    set_option(&value, "precision", "double");
    set_option(&value, "loss", rule->loss);
    set_option(&value, "classes", strcmp(rule->loss, "softmax") == 0 ? "3" : "0");
    set_option(&value, "optimizer", rule->optimizer);
    snprintf(text, sizeof text, "%.17g", rule->rate);
    set_option(&value, pace_of(((const struct rf_linear_options *)value.options)->optimizer.kind), text);
    snprintf(text, sizeof text, "%.17g", rule->l2);
    set_option(&value, "l2", text);
    set_option(&value, "update", rule->every > 0 ? "window" : "mini_batch");
    snprintf(text, sizeof text, "%zu", rule->size);
    set_option(&value, "update.size", text);
    set_option(&value, "update.gradient", rule->is_sum ? "sum" : "mean");
    if (rule->every > 0) {
        snprintf(text, sizeof text, "%zu", rule->every);
        set_option(&value, "update.every", text);
        return value;
    }
    snprintf(text, sizeof text, "%zu", rule->growth);
    set_option(&value, "update.growth", text);
    if (rule->growth > 1) {
        snprintf(text, sizeof text, "%zu", rule->growth_every);
        set_option(&value, "update.every", text);
        snprintf(text, sizeof text, "%zu", rule->max);
        set_option(&value, "update.max", text);
    }
    return value;
}

static void check_twin(struct rule rule) {
    bool is_softmax = strcmp(rule.loss, "softmax") == 0;
    struct rf_examples examples;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&examples, EXAMPLES, is_softmax ? CLASSES : 0, 61);
    for (size_t i = 0; i < examples.row_start[EXAMPLES]; i++) {
        examples.value[i] /= 10; // numbers are not scaled here
    }
    struct rf_variant_value value = settings_of(&rule);
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_predictions predictions;
    predictions_create(&predictions, learner, &examples);
    rf_learner_fold(learner, &examples, 0, EXAMPLES, &predictions);
    assert_int_equal(learner->learned, EXAMPLES);
    struct twin *twin = calloc(1, sizeof *twin);
    assert_non_null(twin);
    twin->rule = rule;
    twin->options = value.options;
    twin->outputs = learner->outputs;
    double spread = 0;
    for (size_t i = 0; i < EXAMPLES; i++) {
        double input[ROWS], expected[CLASSES];
        fill_input(&examples, i, input);
        twin_scores(twin, input, 0, expected);
        if (is_softmax) {
            softmax(CLASSES, expected);
        }
        for (uint32_t k = 0; k < twin->outputs; k++) {
            double actual = predictions.score[i * twin->outputs + k];
            spread = fmax(spread, fabs(actual));
            if (!(fabs(actual - expected[k]) < 1e-9 * fmax(1, fabs(expected[k])))) {
                fail_msg("%s, %s, l2 %g, size %zu, every %zu, record %zu: %.17g, must be %.17g", rule.optimizer, rule.loss,
                         rule.l2, rule.size, rule.every, i, actual, expected[k]);
            }
        }
        twin_learn(twin, &examples, i);
    }
    assert_true(spread > 1e-3 && spread < 1e3);
    free(twin);
    predictions_finish(&predictions);
    rf_learner_destroy(learner);
    variant_finish(&value);
    rf_examples_finish(&examples);
}

// For every optimizer, with one output and with several, and with L2 where the optimizer knows it.
static void check_twins(struct rule rule) {
    const double rate = rule.rate;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (strcmp(kind->name, "adaptive") == 0) {
            continue; // its steps are made from single records
        }
        const struct rf_combination *row = &((const struct rf_optimizer_kind *)kind->registration)->combination;
        for (int i = 0; i < 4 && !row->needs_passive; i++) {
            rule.optimizer = kind->name;
            rule.rate = strcmp(kind->name, "adadelta") == 0 ? 100 * rate : rate; // its steps have the unit of the weights
            rule.loss = i & 1 ? "softmax" : "squared";
            rule.l2 = i & 2 && row->regularisers & RF_REGULARISER_L2 ? 0.01 : 0;
            check_twin(rule);
        }
    }
}

static void mini_batches_agree_with_their_naive_twin(void **state) {
    (void)state;
    check_twins((struct rule){.rate = 0.02, .size = 7, .growth = 1});
    check_twins((struct rule){.rate = 0.02, .size = 2, .growth = 2, .growth_every = 50, .max = 30});
    check_twins((struct rule){.rate = 0.002, .size = 7, .growth = 1, .is_sum = true});
}

static void windows_agree_with_their_naive_twin(void **state) {
    (void)state;
    check_twins((struct rule){.rate = 0.02, .size = 40, .every = 5});
    check_twins((struct rule){.rate = 0.02, .size = 10, .every = 30}); // some records are never stepped along
    check_twins((struct rule){.rate = 0.002, .size = 20, .every = 3, .is_sum = true});
}

static bool needs_passive_loss(const struct rf_variant *kind) {
    return ((const struct rf_optimizer_kind *)kind->registration)->combination.needs_passive;
}

// A stream in which no two features of a record share a row: what an optimizer does about those is its own affair.
static void a_batch_of_one_is_a_record(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_optimizer_variants; kind->name; kind++) {
        if (strcmp(kind->name, "adaptive") == 0) {
            continue; // its steps are made from single records
        }
        for (int is_softmax = 0; is_softmax < 2 && !needs_passive_loss(kind); is_softmax++) {
            struct rf_examples examples;
            struct rf_random random;
            rf_random_init(&random, 62);
            examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 4);
            for (size_t i = 0; i < EXAMPLES; i++) {
                struct feature features[4];
                for (uint64_t f = 0; f < 4; f++) {
                    features[f] = (struct feature){8 * f + rf_random_below(&random, 8), rf_random_normal(&random), RF_CATEGORY};
                }
                append_example(&examples, (double)rf_random_below(&random, is_softmax ? CLASSES : 2), features, 4);
            }
            struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
            set_option(&value, "optimizer", "sgd");
            set_option(&value, "hash_bits", "5");
            set_option(&value, "precision", "double");
            set_option(&value, "loss", is_softmax ? "softmax" : "logistic");
            set_option(&value, "classes", is_softmax ? "3" : "0");
            set_option(&value, "optimizer", kind->name);
            struct rf_learner *each = create_learner(&value, false);
            set_option(&value, "update", "mini_batch");
            set_option(&value, "update.size", "1");
            struct rf_learner *batched = create_learner(&value, false);
            struct rf_predictions a, b;
            predictions_create(&a, each, &examples);
            predictions_create(&b, batched, &examples);
            rf_learner_fold(each, &examples, 0, EXAMPLES, &a);
            rf_learner_fold(batched, &examples, 0, EXAMPLES, &b);
            assert_true(a.score[(EXAMPLES - 1) * each->outputs] != a.score[0]);
            for (size_t i = 0; i < EXAMPLES * (size_t)each->outputs; i++) {
                if (!(fabs(a.score[i] - b.score[i]) < 1e-9)) {
                    fail_msg("%s: %.17g alone, %.17g in a batch of one", kind->name, a.score[i], b.score[i]);
                }
            }
            predictions_finish(&a);
            predictions_finish(&b);
            rf_learner_destroy(each);
            rf_learner_destroy(batched);
            variant_finish(&value);
            rf_examples_finish(&examples);
        }
    }
}

struct restored {
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_examples examples;
    struct rf_predictions predictions;
};

static void restored_create(struct restored *restored, const char *const (*options)[2], size_t count) {
    *restored = (struct restored){.value = variant_of(rf_learner_variants, "linear")};
    set_option(&restored->value, "optimizer", "sgd");
    set_option(&restored->value, "hash_bits", "5");
    for (size_t i = 0; i < OPTIONS && options[i][0]; i++) {
        set_option(&restored->value, options[i][0], options[i][1]);
    }
    restored->learner = create_learner(&restored->value, false);
    rf_state_init(&restored->state);
    rf_learner_state(restored->learner, &restored->state);
    examples_create(&restored->examples, count, count * 16);
    append_random_stream(&restored->examples, count, 2, 63);
    predictions_create(&restored->predictions, restored->learner, &restored->examples);
    rf_learner_fold(restored->learner, &restored->examples, 0, count, &restored->predictions);
}

static void restored_finish(struct restored *restored) {
    predictions_finish(&restored->predictions);
    rf_examples_finish(&restored->examples);
    rf_state_finish(&restored->state);
    rf_learner_destroy(restored->learner);
    variant_finish(&restored->value);
}

static void *data_of(const struct restored *restored, const char *block) {
    return rf_state_find(&restored->state, block)->data;
}

static uint64_t steps_of(const struct restored *restored) {
    return ((const struct rf_ticks *)data_of(restored, "linear.ticks"))->steps;
}

// Batches of 2, 2, 4, 8, 8, ...: they double every 4 records, up to 8.
static void batches_grow_by_schedule(void **state) {
    (void)state;
    static const char *const options[OPTIONS][2] = {
            {"update", "mini_batch"}, {"update.size", "2"}, {"update.growth", "2"}, {"update.every", "4"}, {"update.max", "8"}};
    static const struct {
        size_t records;
        uint64_t steps;
    } cases[] = {{1, 0}, {2, 1}, {4, 2}, {7, 2}, {8, 3}, {15, 3}, {16, 4}, {23, 4}, {24, 5}, {32, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct restored restored;
        restored_create(&restored, options, cases[i].records);
        assert_int_equal(steps_of(&restored), cases[i].steps);
        restored_finish(&restored);
    }
}

static void records_with_too_many_inputs_are_counted_and_not_learned(void **state) {
    (void)state;
    static const char *const options[OPTIONS][2] = {{"update", "window"}, {"update.features", "8"}};
    struct restored restored;
    restored_create(&restored, options, 200);
    size_t large = 0;
    for (size_t i = 0; i < 200; i++) {
        large += restored.examples.row_start[i + 1] - restored.examples.row_start[i] > 8;
    }
    assert_true(large > 10 && large < 190);
    assert_int_equal(restored.learner->skipped_steps, large);
    assert_int_equal(restored.learner->learned, 200 - large);
    assert_int_equal(steps_of(&restored), (200 - large) / 10);
    restored_finish(&restored);
}

// Writes a value, asks, and puts back what was there.
static void assert_corrupt(const struct restored *restored, void *cell, const void *value, size_t size, const char *sentence) {
    unsigned char before[8];
    struct rf_error err;
    memcpy(before, cell, size);
    memcpy(cell, value, size);
    assert_int_equal(rf_learner_check(restored->learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, sentence);
    memcpy(cell, before, size);
    assert_int_equal(rf_learner_check(restored->learner, &err), RF_OK);
}

static void forged_blocks_are_refused(void **state) {
    (void)state;
    static const char *const batches[OPTIONS][2] = {{"update", "mini_batch"}, {"update.size", "16"}};
    static const char *const windows[OPTIONS][2] = {{"update", "window"}, {"update.size", "16"}, {"update.features", "15"}};
    struct restored restored;
    restored_create(&restored, batches, 21); // 5 wait, in places 0 to 4
    uint64_t *progress = data_of(&restored, "waiting.progress");
    assert_true(progress[0] == 21 && progress[1] == 16);
    assert_corrupt(&restored, &progress[1], &(uint64_t){5}, 8,
                   "learner linear: 16 records wait for a batch of 16, must be fewer");
    assert_corrupt(&restored, &progress[1], &(uint64_t){22}, 8,
                   "learner linear: 22 records of 21 are in batches that are done, must be at most as many, and 0 in a window");
    assert_corrupt(
            &restored, &progress[0], &(uint64_t){UINT64_MAX}, 8,
            "learner linear: 16 records of 18446744073709551615 are in batches that are done, must be at most as many, and 0 in "
            "a window");
    restored_finish(&restored);
    restored_create(&restored, windows, 50);
    progress = data_of(&restored, "waiting.progress");
    assert_corrupt(&restored, &progress[1], &(uint64_t){1}, 8,
                   "learner linear: 1 records of 50 are in batches that are done, must be at most as many, and 0 in a window");
    uint32_t *rows = data_of(&restored, "waiting.rows");
    double *x = data_of(&restored, "waiting.x");
    assert_corrupt(&restored, rows, &(uint32_t){33}, 4, "learner linear: a record that waits is in row 33, must be below 33");
    assert_corrupt(&restored, x, &(double){NAN}, 8,
                   "learner linear: a record that waits has input nan, must be at most 1e+100 in size");
    assert_corrupt(&restored, x + 1, &(double){1e200}, 8,
                   "learner linear: a record that waits has input 1e+200, must be at most 1e+100 in size");
    double *records = data_of(&restored, "waiting.records"); // label, weight, inputs and what is reserved
    assert_corrupt(&restored, records + 1, &(double){0}, 8,
                   "learner linear: a record that waits has weight 0, must be finite and above 0");
    assert_corrupt(&restored, records + 1, &(double){INFINITY}, 8,
                   "learner linear: a record that waits has weight inf, must be finite and above 0");
    assert_corrupt(&restored, records + 2, &(uint32_t){17}, 4,
                   "learner linear: a record that waits has 17 inputs, must have at most 16");
    records[0] = NAN; // a label that is none is left out, as one that is absurd
    records[3] = 1e300;
    struct rf_error err;
    assert_int_equal(rf_learner_check(restored.learner, &err), RF_OK);
    rf_learner_fold(restored.learner, &restored.examples, 0, 20, &restored.predictions);
    assert_int_equal(rf_learner_check(restored.learner, &err), RF_OK);
    for (size_t i = 0; i < 20; i++) {
        assert_true(isfinite(restored.predictions.score[i]));
    }
    restored_finish(&restored);
}

static void assert_refused(const char *const (*options)[2], const char *sentence) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    for (size_t i = 0; i < OPTIONS && options[i][0]; i++) {
        set_option(&value, options[i][0], options[i][1]);
    }
    const struct rf_learner_context context = {.features_max = 1000};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    assert_int_equal(rf_learner_create(&value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    variant_finish(&value);
}

static void what_cannot_wait_is_refused(void **state) {
    (void)state;
    assert_refused(
            (const char *const[OPTIONS][2]){{"update", "mini_batch"}, {"optimizer", "passive_aggressive"}, {"loss", "hinge"}},
            "learner linear: update is mini_batch, must be each_record with an optimizer whose steps are made from single "
            "records");
    assert_refused((const char *const[OPTIONS][2]){{"update", "mini_batch"}, {"update.growth", "2"}, {"update.max", "8"}},
                   "learner linear: update.max is 8, must be at least 32, the size of the first mini-batch");
    assert_refused(
            (const char *const[OPTIONS][2]){{"update", "window"},
                                            {"update.size", "65536"},
                                            {"update.features", "4096"},
                                            {"loss", "softmax"},
                                            {"classes", "3"}},
            "learner linear: update window keeps 65536 records of 1001 inputs for 3 outputs, 196804608 numbers, must be at most "
            "134217728: lower size or features");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(mini_batches_agree_with_their_naive_twin),
            cmocka_unit_test(windows_agree_with_their_naive_twin),
            cmocka_unit_test(a_batch_of_one_is_a_record),
            cmocka_unit_test(batches_grow_by_schedule),
            cmocka_unit_test(records_with_too_many_inputs_are_counted_and_not_learned),
            cmocka_unit_test(forged_blocks_are_refused),
            cmocka_unit_test(what_cannot_wait_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
