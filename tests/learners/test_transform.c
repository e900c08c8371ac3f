// Inputs made from features: crosses against a brute force, target encoding against its formula, noise, collisions.
#include "learners/collisions.h"
#include "learners/encode.h"
#include "learners/learner.h"
#include "learners/transform.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static struct rf_error err;

static const struct rf_text field_names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
static const uint32_t field_a[] = {0}, field_bc[] = {1, 2};

#define SIDE(fields_) \
    { .list = fields_, .count = sizeof(fields_) / sizeof(fields_)[0] }

static struct rf_transform *create(const struct rf_transform_options *options, enum rf_task task, const struct rf_cross *crosses,
                                   size_t cross_count) {
    const struct rf_learner_context context = {
            .features_max = 16, .field_names = field_names, .field_count = 3, .crosses = crosses, .cross_count = cross_count};
    struct rf_transform *transform = NULL;
    if (rf_transform_create(options, task, &context, &transform, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return transform;
}

static const struct rf_transform_options plain = {
        .scale = RF_SCALE_NONE, .scale_fields = 8, .encode_smoothing = 10, .encode_categories = 8, .cross_inputs = 64};

// Features of fields a, b, b, c; values 2, 3, 1, 5, the third a category.
static void fill(struct rf_examples *examples) {
    examples_create(examples, 1, 4);
    const struct feature features[] = {{11, 2, RF_NUMBER}, {22, 3, RF_NUMBER}, {33, 1, RF_CATEGORY}, {44, 5, RF_NUMBER}};
    append_example(examples, 1, features, 4);
    static const uint32_t fields[] = {0, 1, 1, 2};
    memcpy(examples->field, fields, sizeof fields);
}

static void crosses_hold_every_choice_of_a_feature_from_each_side(void **state) {
    (void)state;
    const struct rf_cross crosses[] = {
            {.name = "a x bc", .sides = 2, .side = {SIDE(field_a), SIDE(field_bc)}},
            {.name = "bc x bc", .sides = 2, .side = {SIDE(field_bc), SIDE(field_bc)}},
            {.name = "a x bc x bc", .sides = 3, .side = {SIDE(field_a), SIDE(field_bc), SIDE(field_bc)}},
    };
    // b1 b1, b1 b2, b1 c, b2 c, c c: a category is not crossed with itself.
    static const double pairs[] = {9, 3, 15, 5, 25};
    struct rf_transform *transform = create(&plain, RF_TASK_BINARY, crosses, 3);
    struct rf_examples examples;
    fill(&examples);
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    assert_int_equal(inputs->count, 4 + 3 + 5 + 5);
    static const double with_a[] = {6, 2, 10};
    for (size_t i = 0; i < 3; i++) {
        assert_true(inputs->x[4 + i] == with_a[i] && inputs->field[4 + i] == RF_FIELD_CROSS);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_true(inputs->x[7 + i] == pairs[i] && inputs->field[7 + i] == RF_FIELD_CROSS + 1);
        assert_true(inputs->x[12 + i] == 2 * pairs[i] && inputs->field[12 + i] == RF_FIELD_CROSS + 2);
    }
    for (size_t i = 0; i < inputs->count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_true(inputs->hash[i] != inputs->hash[j]);
        }
    }
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void crosses_like_vowpal_multiply_and_flip(void **state) {
    (void)state;
    const struct rf_cross cross = {.sides = 3, .side = {SIDE(field_a), SIDE(field_bc), SIDE(field_bc)}};
    const struct rf_learner_context context = {
            .features_max = 16, .crosses = &cross, .cross_count = 1, .crosses_like_vowpal = true};
    struct rf_transform *transform = NULL;
    assert_int_equal(rf_transform_create(&plain, RF_TASK_BINARY, &context, &transform, &err), RF_OK);
    struct rf_examples examples;
    fill(&examples);
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    assert_true(inputs->hash[4] == ((((UINT64_C(11) * 16777619) ^ 22) * 16777619) ^ 22));
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void crosses_beyond_the_room_are_left_out_and_counted(void **state) {
    (void)state;
    const struct rf_cross cross = {.sides = 2, .side = {SIDE(field_bc), SIDE(field_bc)}};
    struct rf_transform_options options = plain;
    options.cross_inputs = 2 + 4; // 16 features + 6 inputs in all, of which 4 are taken by features
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, &cross, 1);
    struct rf_examples examples;
    examples_create(&examples, 1, 16);
    struct feature features[16];
    for (uint64_t i = 0; i < 16; i++) {
        features[i] = (struct feature){i, 1, RF_CATEGORY};
    }
    append_example(&examples, 1, features, 16);
    for (size_t i = 0; i < 16; i++) {
        examples.field[i] = 1;
    }
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    assert_int_equal(inputs->count, 16 + 6);
    assert_int_equal(inputs->uncrossed, 16 * 15 / 2 - 6);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static size_t choose(size_t n, size_t k) {
    return k == 0 ? 1 : choose(n - 1, k - 1) * n / k;
}

// Going through 10^13 crosses would take days: what finds no room is counted, not visited.
static void crosses_without_end_are_counted_by_a_formula(void **state) {
    (void)state;
    enum { NUMBERS = 20000, CATEGORIES = 25000, ALL = NUMBERS + CATEGORIES };
    const struct rf_cross crosses[] = {
            {.sides = 3, .side = {SIDE(field_bc), SIDE(field_bc), SIDE(field_bc)}},
            {.sides = 3, .side = {SIDE(field_bc), SIDE(field_bc), SIDE(field_a)}}, // nothing is of a
    };
    const struct rf_learner_context context = {.features_max = ALL, .crosses = crosses, .cross_count = 2};
    struct rf_transform *transform = NULL;
    assert_int_equal(rf_transform_create(&plain, RF_TASK_BINARY, &context, &transform, &err), RF_OK);
    static struct feature features[ALL];
    for (uint64_t i = 0; i < ALL; i++) {
        features[i] = (struct feature){i, 2, i % 9 < 4 ? RF_NUMBER : RF_CATEGORY};
    }
    struct rf_examples examples;
    examples_create(&examples, 1, ALL);
    append_example(&examples, 1, features, ALL);
    for (size_t i = 0; i < ALL; i++) {
        examples.field[i] = 1;
    }
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    size_t sets = 0; // of three, in which a number may stand again and a category not
    for (size_t k = 0; k <= 3; k++) {
        sets += choose(CATEGORIES, k) * choose(NUMBERS + 2 - k, 3 - k);
    }
    assert_int_equal(inputs->count, ALL + 64);
    assert_int_equal(inputs->uncrossed, sets - 64);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

// A category of a value without bounds is cut like a number, also where it is learned.
static void learned_categories_are_cut_like_seen_ones(void **state) {
    (void)state;
    struct rf_transform_options options = plain;
    options.scale = RF_SCALE_MAX_ABS;
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, NULL, 0);
    struct rf_examples examples;
    fill(&examples);
    examples.value[2] = 1e300;
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    assert_true(inputs->x[2] == RF_SCALER_VALUE_MAX);
    assert_int_equal(rf_transform_learn(transform, &examples, 0), 0);
    assert_true(inputs->x[2] == RF_SCALER_VALUE_MAX);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void crosses_of_scaled_numbers_follow_what_was_learned(void **state) {
    (void)state;
    const struct rf_cross cross = {.sides = 2, .side = {SIDE(field_a), SIDE(field_bc)}};
    struct rf_transform_options options = plain;
    options.scale = RF_SCALE_MAX_ABS;
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, &cross, 1);
    struct rf_examples examples;
    fill(&examples);
    const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
    assert_true(inputs->x[4] == 0);
    assert_int_equal(rf_transform_learn(transform, &examples, 0), 0);
    assert_true(inputs->x[0] == 1 && inputs->x[4] == 1 && inputs->x[5] == 1 && inputs->x[2] == 1);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static double encoded(const struct rf_transform *transform, const struct rf_examples *examples) {
    const struct rf_inputs *inputs = rf_transform_see(transform, examples, 0);
    assert_int_equal(inputs->count, 5);
    assert_true(inputs->field[4] == 1 && inputs->hash[4] != 33);
    return inputs->x[4];
}

static void categories_become_how_their_labels_differ(void **state) {
    (void)state;
    for (int is_binary = 0; is_binary < 2; is_binary++) {
        struct rf_transform_options options = plain;
        options.encode = is_binary ? RF_ENCODE_TARGET : RF_ENCODE_BOTH;
        struct rf_transform *transform = create(&options, is_binary ? RF_TASK_BINARY : RF_TASK_REGRESSION, NULL, 0);
        struct rf_examples examples;
        fill(&examples);
        assert_true(encoded(transform, &examples) == 0);
        double n = 0, s = 0, all = 0, sum = 0;
        for (int i = 0; i < 50; i++) {
            examples.label[0] = i % 3 == 0;
            examples.weight[0] = i % 2 ? 2 : 1;
            examples.hash[2] = i % 5 ? 33 : 34;
            double m = 10, prior = is_binary ? (sum + 0.5) / (all + 1) : sum / all;
            double mean = (s + m * prior) / (n + m);
            double expected = n == 0 ? 0 : is_binary ? log(mean / (1 - mean)) - log(prior / (1 - prior)) : mean - prior;
            examples.hash[2] = 33;
            assert_true(fabs(encoded(transform, &examples) - expected) < 1e-12);
            assert_true(rf_transform_see(transform, &examples, 0)->x[2] == (is_binary ? 0 : 1)); // its own weight is gone, or not
            examples.hash[2] = i % 5 ? 33 : 34;
            assert_int_equal(rf_transform_learn_label(transform, &examples, 0), 0);
            all += examples.weight[0];
            sum += examples.weight[0] * examples.label[0];
            n += i % 5 ? examples.weight[0] : 0;
            s += i % 5 ? examples.weight[0] * examples.label[0] : 0;
        }
        assert_int_equal(rf_transform_check(transform, &err), RF_OK);
        rf_transform_destroy(transform);
        rf_examples_finish(&examples);
    }
}

static void categories_beyond_the_room_are_counted(void **state) {
    (void)state;
    struct rf_transform_options options = plain;
    options.encode = RF_ENCODE_TARGET;
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, NULL, 0);
    struct rf_examples examples;
    fill(&examples);
    size_t missed = 0;
    for (uint64_t i = 0; i < 20; i++) {
        examples.hash[2] = 100 + i;
        missed += rf_transform_learn_label(transform, &examples, 0);
    }
    assert_int_equal(missed, 12);
    assert_int_equal(rf_transform_check(transform, &err), RF_OK);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void only_fields_named_are_encoded(void **state) {
    (void)state;
    struct rf_transform_options options = plain;
    char name[] = "c", *names[] = {name};
    options.encode = RF_ENCODE_TARGET;
    options.encode_fields = (struct rf_texts){.list = names, .count = 1};
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, NULL, 0);
    struct rf_examples examples;
    fill(&examples);
    assert_int_equal(rf_transform_see(transform, &examples, 0)->count, 4); // the category is of field b
    examples.field[2] = 2;
    assert_int_equal(rf_transform_see(transform, &examples, 0)->count, 5);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void settings_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    const struct rf_learner_context context = {.features_max = 4, .field_names = field_names, .field_count = 3};
    struct rf_transform *transform = NULL;
    char name[] = "d", *names[] = {name};
    struct rf_transform_options options = plain;
    options.select_variance = 1;
    assert_int_equal(rf_transform_create(&options, RF_TASK_BINARY, &context, &transform, &err), RF_INVALID);
    assert_string_equal(err.text, "select_variance is 1 with scale none, must be 0, or scale standard");
    options = plain;
    options.encode_fields = (struct rf_texts){.list = names, .count = 1};
    assert_int_equal(rf_transform_create(&options, RF_TASK_BINARY, &context, &transform, &err), RF_INVALID);
    assert_string_equal(err.text, "encode_fields names 1 fields with encode one_hot, must be absent, or encode target or both");
    options.encode = RF_ENCODE_TARGET;
    assert_int_equal(rf_transform_create(&options, RF_TASK_BINARY, &context, &transform, &err), RF_INVALID);
    assert_string_equal(err.text, "encode_fields names \"d\", must name fields that stand in features");
    assert_int_equal(rf_transform_create(&options, RF_TASK_MULTICLASS, &context, &transform, &err), RF_INVALID);
    assert_null(transform);
}

static void noise_moves_numbers_only_while_learning(void **state) {
    (void)state;
    struct rf_transform_options options = plain;
    options.noise = 0.5;
    struct rf_transform *transform = create(&options, RF_TASK_BINARY, NULL, 0);
    struct rf_examples examples;
    fill(&examples);
    double sum = 0, squares = 0;
    for (int i = 0; i < 4000; i++) {
        const struct rf_inputs *inputs = rf_transform_see(transform, &examples, 0);
        assert_true(inputs->x[0] == 2);
        rf_transform_learn(transform, &examples, 0);
        assert_true(inputs->x[2] == 1);
        sum += inputs->x[0] - 2;
        squares += (inputs->x[0] - 2) * (inputs->x[0] - 2);
    }
    assert_true(fabs(sum / 4000) < 0.03 && fabs(squares / 4000 - 0.25) < 0.02);
    rf_transform_destroy(transform);
    rf_examples_finish(&examples);
}

static void collisions_are_measured(void **state) {
    (void)state;
    for (unsigned bits = 6; bits <= 16; bits += 10) {
        struct rf_collisions *collisions = NULL;
        assert_int_equal(rf_collisions_create(bits, false, &collisions, &err), RF_OK);
        assert_int_equal(rf_collisions_shares(collisions).sampled, 0);
        struct rf_random random;
        rf_random_init(&random, 3);
        size_t rows = (size_t)1 << bits;
        for (size_t feature = 0; feature < rows; feature++) { // as many features as rows, each met twice
            uint64_t hash = rf_random_next(&random);
            rf_collisions_count(collisions, &hash, 1);
            rf_collisions_count(collisions, &hash, 1);
        }
        // n balls in n boxes: 1 - 1/e of the boxes are met, and 1/e of the balls came second.
        struct rf_collision_shares shares = rf_collisions_shares(collisions);
        double tolerance = bits == 6 ? 0.1 : 0.03;
        assert_true(fabs(shares.rows_used - (1 - exp(-1))) < tolerance);
        assert_true(fabs(shares.inputs - exp(-1)) < tolerance);
        rf_collisions_destroy(collisions);
    }
}

static void small_weights_are_left_out_of_the_score(void **state) {
    (void)state;
    struct rf_examples examples;
    examples_create(&examples, 1000, 2000);
    for (size_t i = 0; i < 1000; i++) {
        const struct feature features[] = {{10 + i % 2, 1, RF_CATEGORY}, {20 + i * 7 % 5, 1, RF_CATEGORY}};
        append_example(&examples, (double)(i % 2), features, 2);
    }
    double score[2][2];
    for (int selects = 0; selects < 2; selects++) {
        struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
        set_option(&value, "hash_bits", "10");
        set_option(&value, "optimizer", "sgd");
        set_option(&value, "optimizer.rate", "0.1");
        set_option(&value, "select_weight", selects ? "0.6" : "0");
        set_option(&value, "select_after", "500");
        struct rf_learner *learner = create_learner(&value, false);
        struct rf_predictions predictions;
        predictions_create(&predictions, learner, &examples);
        rf_learner_fold(learner, &examples, 0, 1000, &predictions);
        struct rf_contribution list[8];
        size_t count = rf_learner_explain(learner, &examples, 998, list, 8), left_out = 0;
        for (size_t i = 0; i < count; i++) {
            left_out += list[i].value == 0;
        }
        assert_int_equal(left_out, selects ? 1 : 0); // of what says something, and what says nothing
        memcpy(score[selects], &predictions.score[998], sizeof score[0]);
        assert_true(predictions.score[998] < 0.2 && predictions.score[999] > 0.8);
        predictions_finish(&predictions);
        rf_learner_destroy(learner);
        variant_finish(&value);
    }
    assert_true(score[0][0] != score[1][0]);
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(crosses_hold_every_choice_of_a_feature_from_each_side),
            cmocka_unit_test(crosses_like_vowpal_multiply_and_flip),
            cmocka_unit_test(crosses_beyond_the_room_are_left_out_and_counted),
            cmocka_unit_test(crosses_without_end_are_counted_by_a_formula),
            cmocka_unit_test(learned_categories_are_cut_like_seen_ones),
            cmocka_unit_test(crosses_of_scaled_numbers_follow_what_was_learned),
            cmocka_unit_test(categories_become_how_their_labels_differ),
            cmocka_unit_test(categories_beyond_the_room_are_counted),
            cmocka_unit_test(only_fields_named_are_encoded),
            cmocka_unit_test(settings_that_do_not_go_together_are_refused),
            cmocka_unit_test(noise_moves_numbers_only_while_learning),
            cmocka_unit_test(collisions_are_measured),
            cmocka_unit_test(small_weights_are_left_out_of_the_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
