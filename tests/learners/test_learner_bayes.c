// The Bayes learners against twins that look at all records again for each prediction, in the words of the formulas.
#include "proto/random.h"
#include "proto/state_merge.h"
#include "tests/learners/bayes_naive.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 240 };

struct world {
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_predictions predictions;
};

static void world_create(struct world *world, const char *model, const char *classes, const struct rf_examples *examples) {
    world->value = variant_of(rf_learner_variants, "bayes");
    set_option(&world->value, "model", model);
    set_option(&world->value, "classes", classes);
    set_option(&world->value, "hash_bits", "6");
    set_option(&world->value, "fields_max", "8");
    world->learner = create_learner(&world->value, false);
    rf_state_init(&world->state);
    rf_learner_state(world->learner, &world->state);
    predictions_create(&world->predictions, world->learner, examples);
}

static void world_finish(struct world *world) {
    predictions_finish(&world->predictions);
    rf_state_finish(&world->state);
    rf_learner_destroy(world->learner);
    variant_finish(&world->value);
}

static void fold(struct world *world, size_t begin, size_t end) {
    rf_learner_fold(world->learner, world->predictions.examples, begin, end, &world->predictions);
}

static void compare_to_twin(const char *model, bool are_words, double absent, size_t from, bayes_twin *log_likelihood) {
    struct rf_examples examples;
    struct world world;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_bayes_stream(&examples, EXAMPLES, are_words, absent, 41);
    world_create(&world, model, "3", &examples);
    fold(&world, 0, EXAMPLES);
    for (size_t n = from; n < EXAMPLES; n++) {
        double score[BAYES_CLASSES];
        twin_predict(&examples, n, n, log_likelihood, score);
        for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
            double own = world.predictions.score[n * BAYES_CLASSES + c];
            if (!(fabs(own - score[c]) <= 1e-9 * score[c] + 1e-14)) {
                fail_msg("%s: record %zu class %u: %.12g, must be %.12g", model, n, c, own, score[c]);
            }
        }
    }
    assert_int_equal(world.learner->learned, EXAMPLES);
    assert_int_equal(world.learner->unscaled, 0);
    world_finish(&world);
    rf_examples_finish(&examples);
}

static void gaussian_agrees_with_two_passes(void **state) {
    (void)state;
    compare_to_twin("gaussian", false, 0.3, 0, naive_gaussian);
}

static void covariance_agrees_with_elimination(void **state) {
    (void)state;
    compare_to_twin("gaussian_shared", false, 0, 20, covariant_shared); // by then each class was met
    compare_to_twin("gaussian_full", false, 0, 20, covariant_full);
}

static void counts_agree_with_brute_force(void **state) {
    (void)state;
    compare_to_twin("multinomial", true, 0, 0, naive_multinomial);
    compare_to_twin("bernoulli", true, 0, 0, naive_bernoulli);
}

static const char *const models[] = {"gaussian", "gaussian_shared", "gaussian_full", "multinomial", "bernoulli"};
enum { MODELS = sizeof models / sizeof models[0] };

static bool is_of_words(size_t model) {
    return model >= 3;
}

static void a_record_of_weight_two_counts_twice(void **state) {
    (void)state;
    for (size_t m = 0; m < MODELS; m++) {
        struct rf_examples once, twice;
        struct world a, b;
        examples_create(&once, EXAMPLES + 1, (size_t)EXAMPLES * 16);
        examples_create(&twice, (size_t)EXAMPLES * 2, (size_t)EXAMPLES * 32);
        append_bayes_stream(&once, EXAMPLES, is_of_words(m), 0, 3);
        for (size_t n = 0; n < EXAMPLES; n++) {
            struct feature features[16];
            size_t begin = once.row_start[n], count = once.row_start[n + 1] - begin;
            for (size_t i = 0; i < count; i++) {
                features[i] = (struct feature){once.hash[begin + i], once.value[begin + i], once.kind[begin + i]};
            }
            append_example(&twice, once.label[n], features, count);
            append_example(&twice, once.label[n], features, count);
            once.weight[n] = 2;
        }
        world_create(&a, models[m], "3", &once);
        world_create(&b, models[m], "3", &twice);
        fold(&a, 0, EXAMPLES);
        fold(&b, 0, (size_t)2 * EXAMPLES);
        for (size_t n = 0; n < EXAMPLES; n++) {
            double x[BAYES_CLASSES], y[BAYES_CLASSES];
            rf_learner_predict(a.learner, &once, n, x);
            rf_learner_predict(b.learner, &once, n, y);
            for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
                assert_true(fabs(x[c] - y[c]) <= 1e-9);
            }
        }
        once.weight[0] = 0;
        struct rf_error err;
        struct world c;
        world_create(&c, models[m], "3", &once);
        fold(&c, 0, 1);
        struct world d;
        world_create(&d, models[m], "3", &once);
        assert_int_equal(rf_state_compare(&c.state, &d.state, &err), RF_OK); // weight 0 changes nothing
        world_finish(&a);
        world_finish(&b);
        world_finish(&c);
        world_finish(&d);
        rf_examples_finish(&once);
        rf_examples_finish(&twice);
    }
}

// The sum of all contributions is the logarithm of the odds.
static void contributions_add_up_to_the_odds(void **state) {
    (void)state;
    for (size_t m = 0; m < MODELS; m++) {
        struct rf_examples examples;
        struct world world;
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_bayes_stream(&examples, EXAMPLES, is_of_words(m), 0.1, 8);
        for (size_t n = 0; n < EXAMPLES; n++) {
            examples.label[n] = examples.label[n] > 0;
        }
        world_create(&world, models[m], "2", &examples);
        fold(&world, 0, EXAMPLES);
        for (size_t n = 0; n < EXAMPLES; n++) {
            struct rf_contribution list[16];
            double score, sum = 0;
            rf_learner_predict(world.learner, &examples, n, &score);
            size_t count = rf_learner_explain(world.learner, &examples, n, list, 16);
            assert_true(count <= examples.row_start[n + 1] - examples.row_start[n] + 1);
            for (size_t i = 0; i < count; i++) {
                sum += list[i].amount;
                assert_true(i == 0 || fabs(list[i].amount) <= fabs(list[i - 1].amount));
            }
            assert_true(fabs(sum - log(score / (1 - score))) <= 1e-6 * (1 + fabs(sum)));
        }
        world_finish(&world);
        rf_examples_finish(&examples);
    }
}

static void a_class_never_met_has_its_prior(void **state) {
    (void)state;
    for (size_t m = 1; m <= 2; m++) {
        struct rf_examples examples;
        struct world world;
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_bayes_stream(&examples, EXAMPLES, false, 0, 8);
        for (size_t n = 0; n < EXAMPLES; n++) {
            examples.label[n] = examples.label[n] > 0;
            examples.weight[n] = 1;
        }
        world_create(&world, models[m], "3", &examples);
        fold(&world, 0, EXAMPLES);
        double score[BAYES_CLASSES];
        rf_learner_predict(world.learner, &examples, 0, score);
        assert_true(fabs(score[2] - 1.0 / (EXAMPLES + 3)) < 1e-12);
        world_finish(&world);
        rf_examples_finish(&examples);
    }
}

static void absurd_records_leave_all_finite(void **state) {
    (void)state;
    static const double absurd[] = {1e308, -1e308, 1e-308, 5e-324, 0, 1e100, -1e38};
    for (size_t m = 0; m < MODELS; m++) {
        struct rf_examples examples;
        struct world world;
        struct rf_random random;
        rf_random_init(&random, 4);
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_bayes_stream(&examples, EXAMPLES, is_of_words(m), 0, 8);
        for (size_t i = 0; i < examples.row_start[EXAMPLES]; i++) {
            bool is_absurd = rf_random_below(&random, 4) == 0;
            examples.value[i] =
                    is_absurd ? absurd[rf_random_below(&random, sizeof absurd / sizeof absurd[0])] : examples.value[i];
        }
        for (size_t n = 0; n < EXAMPLES; n += 3) {
            examples.weight[n] = n % 2 ? 1e-320 : 1e9;
        }
        examples.weight[1] = 1e10;
        examples.label[2] = 3;
        examples.label[4] = 0.5;
        examples.label[5] = -1;
        world_create(&world, models[m], "3", &examples);
        fold(&world, 0, EXAMPLES);
        assert_int_equal(world.learner->skipped_steps, 4);
        for (size_t i = 0; i < (size_t)EXAMPLES * BAYES_CLASSES; i++) {
            assert_true(world.predictions.score[i] >= 0 && world.predictions.score[i] <= 1);
        }
        struct rf_error err;
        if (rf_learner_check(world.learner, &err) != RF_OK) { // which asks that all of the state is finite
            fail_msg("%s", err.text);
        }
        struct rf_contribution list[16];
        for (size_t n = 0; n < EXAMPLES; n++) {
            size_t count = rf_learner_explain(world.learner, &examples, n, list, 16);
            for (size_t i = 0; i < count && i < 16; i++) {
                assert_true(isfinite(list[i].amount) && isfinite(list[i].weight));
            }
        }
        world_finish(&world);
        rf_examples_finish(&examples);
    }
}

static void copy_state(const struct rf_state *from, struct rf_state *to) {
    for (size_t i = 0; i < from->count; i++) {
        memcpy(to->list[i]->data, from->list[i]->data, rf_block_size(from->list[i]));
    }
}

static void turn_round(struct rf_examples *examples, size_t index) {
    for (size_t i = examples->row_start[index], j = examples->row_start[index + 1]; i + 1 < j; i++) {
        j--;
        uint64_t hash = examples->hash[i];
        double value = examples->value[i];
        examples->hash[i] = examples->hash[j];
        examples->value[i] = examples->value[j];
        examples->hash[j] = hash;
        examples->value[j] = value;
    }
}

// Learns [0, a) as the base, [a, b) and [b, end) apart, merges, and predicts as one that learned all in a row. The two sides
// meet their fields in different orders: the base has met none where `a` is 0.
static void check_merge(size_t m, size_t a, size_t b, double absent) {
    struct rf_examples examples;
    struct world base, ours, theirs, whole;
    examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_bayes_stream(&examples, EXAMPLES, is_of_words(m), absent, 100 + a);
    for (size_t n = b; n < EXAMPLES; n++) {
        turn_round(&examples, n);
    }
    world_create(&base, models[m], "3", &examples);
    world_create(&ours, models[m], "3", &examples);
    world_create(&theirs, models[m], "3", &examples);
    world_create(&whole, models[m], "3", &examples);
    fold(&base, 0, a);
    copy_state(&base.state, &ours.state);
    copy_state(&base.state, &theirs.state);
    fold(&ours, a, b);
    fold(&theirs, b, EXAMPLES);
    fold(&whole, 0, EXAMPLES);
    struct rf_error err;
    if (rf_state_merge(&base.state, &theirs.state, &ours.state, &err) != RF_OK || rf_learner_check(ours.learner, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    for (size_t n = 0; n < EXAMPLES; n++) {
        double x[BAYES_CLASSES], y[BAYES_CLASSES];
        if (n == EXAMPLES / 2) {
            fold(&ours, n, n + 1); // from here the factors are in the state again
            fold(&whole, n, n + 1);
        }
        rf_learner_predict(ours.learner, &examples, n, x);
        rf_learner_predict(whole.learner, &examples, n, y);
        for (uint32_t c = 0; c < BAYES_CLASSES; c++) {
            if (!(fabs(x[c] - y[c]) <= 1e-11)) {
                fail_msg("%s: record %zu class %u: %.15g, must be %.15g", models[m], n, c, x[c], y[c]);
            }
        }
    }
    world_finish(&base);
    world_finish(&ours);
    world_finish(&theirs);
    world_finish(&whole);
    rf_examples_finish(&examples);
}

static void merged_workers_predict_as_one(void **state) {
    (void)state;
    for (size_t m = 0; m < MODELS; m++) {
        check_merge(m, 0, 100, m == 0 ? 0.2 : 0);
        check_merge(m, 60, 100, m == 0 ? 0.2 : 0);
        check_merge(m, 1, 2, 0);
        check_merge(m, 200, EXAMPLES - 1, 0);
    }
}

static void refuse(const char *const (*options)[2], size_t count, const char *sentence) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "bayes");
    for (size_t i = 0; i < count; i++) {
        set_option(&value, options[i][0], options[i][1]);
    }
    const struct rf_learner_context context = {.features_max = 64};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    assert_int_equal(rf_learner_create(&value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(learner);
    variant_finish(&value);
}

static void settings_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    static const char *const one_class[][2] = {{"classes", "1"}};
    refuse(one_class, 1, "learner bayes: classes is 1, must be 2 to 1000");
    static const char *const many_fields[][2] = {{"model", "gaussian_full"}, {"fields_max", "257"}};
    refuse(many_fields, 2, "learner bayes: fields_max is 257 with model gaussian_full, must be at most 256");
    static const char *const many_rows[][2] = {{"model", "bernoulli"}, {"hash_bits", "17"}};
    refuse(many_rows, 2,
           "learner bayes: hash_bits is 17 with model bernoulli, must be at most 16, as each record reads all rows");
    static const char *const river[][2] = {{"model", "multinomial"}, {"compatible", "river"}};
    refuse(river, 2, "learner bayes: compatible is river with model multinomial, must be none, or model gaussian");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(gaussian_agrees_with_two_passes),
            cmocka_unit_test(covariance_agrees_with_elimination),
            cmocka_unit_test(counts_agree_with_brute_force),
            cmocka_unit_test(a_record_of_weight_two_counts_twice),
            cmocka_unit_test(contributions_add_up_to_the_odds),
            cmocka_unit_test(a_class_never_met_has_its_prior),
            cmocka_unit_test(absurd_records_leave_all_finite),
            cmocka_unit_test(merged_workers_predict_as_one),
            cmocka_unit_test(settings_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
