#include "learners/compose.h"

#include "ingest/feature_hash.h"
#include "tests/test.h"

#include <math.h>

static void create(struct rf_examples *examples, size_t capacity, size_t features, size_t fields) {
    struct rf_error err;
    assert_int_equal(rf_examples_init(examples, capacity, features, fields, &err), RF_OK);
}

static void examples_are_composed_of_numbers_and_categories(void **state) {
    (void)state;
    struct rf_examples examples;
    create(&examples, 2, 8, 4);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    assert_int_equal(rf_examples_number(&examples, "temperature", 21.5), RF_OK);
    assert_int_equal(rf_examples_category(&examples, "city", "Basel"), RF_OK);
    assert_int_equal(rf_examples_begin(&examples, NAN), RF_OK);
    assert_int_equal(rf_examples_category(&examples, "city", "Bern"), RF_OK);
    assert_int_equal(examples.count, 2);
    assert_int_equal(examples.row_start[1], 2);
    assert_int_equal(examples.row_start[2], 3);
    assert_int_equal(examples.purpose[0], RF_OBSERVE | RF_PREDICT | RF_EVALUATE | RF_LEARN);
    assert_int_equal(examples.purpose[1], RF_OBSERVE | RF_PREDICT);
    assert_true(examples.weight[0] == 1 && examples.label[0] == 1 && isnan(examples.label[1]));
    assert_int_equal(examples.kind[0], RF_NUMBER);
    assert_int_equal(examples.kind[1], RF_CATEGORY);
    assert_true(examples.value[0] == 21.5 && examples.value[1] == 1);
    assert_int_equal(examples.field[1], examples.field[2]);
    assert_true(rf_text_equal(examples.field_name[examples.field[2]], rf_text_of("city")));
    rf_examples_finish(&examples);
}

static void hashes_are_those_of_the_same_fields_in_a_stream(void **state) {
    (void)state;
    struct rf_examples examples;
    create(&examples, 1, 2, 2);
    struct rf_hash_key key = rf_hash_key_of_seed(1); // the default of the setting `seed`
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    assert_int_equal(rf_examples_number(&examples, "temperature", 21.5), RF_OK);
    assert_int_equal(rf_examples_category(&examples, "city", "Basel"), RF_OK);
    assert_true(examples.hash[0] == rf_hash(key, "temperature", 11));
    const struct rf_hasher hasher = {.hashing = RF_HASHING_KEYED, .key = key};
    uint64_t city = rf_hasher_namespace(&hasher, rf_text_of("city"));
    assert_true(examples.hash[1] == rf_hasher_feature(&hasher, city, rf_text_of("Basel")));
    rf_examples_finish(&examples);
}

static void what_does_not_fit_changes_nothing(void **state) {
    (void)state;
    struct rf_examples examples;
    create(&examples, 1, 2, 1);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_FULL);
    assert_int_equal(rf_examples_number(&examples, "a", INFINITY), RF_INVALID);
    assert_int_equal(rf_examples_number(&examples, "a", 1), RF_OK);
    assert_int_equal(rf_examples_number(&examples, "b", 1), RF_FULL); // no room for its name
    assert_int_equal(rf_examples_number(&examples, "a", 2), RF_OK);
    assert_int_equal(rf_examples_number(&examples, "a", 3), RF_FULL);
    assert_int_equal(examples.count, 1);
    assert_int_equal(examples.row_start[1], 2);
    rf_examples_reset(&examples, 0);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    assert_int_equal(rf_examples_number(&examples, "b", 1), RF_OK);
    rf_examples_finish(&examples);
}

static void vectors_are_zeros_until_they_are_set(void **state) {
    (void)state;
    struct rf_examples examples;
    struct rf_error err;
    create(&examples, 2, 1, 1);
    assert_int_equal(rf_examples_reserve_vectors(&examples, 3, &err), RF_OK);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    rf_examples_vector(&examples, (const float[]){1, 2, 3});
    assert_true(examples.vector[2] == 3);
    rf_examples_reset(&examples, 0);
    assert_int_equal(rf_examples_begin(&examples, 1), RF_OK);
    assert_true(examples.vector[2] == 0);
    rf_examples_finish(&examples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(examples_are_composed_of_numbers_and_categories),
            cmocka_unit_test(hashes_are_those_of_the_same_fields_in_a_stream),
            cmocka_unit_test(what_does_not_fit_changes_nothing),
            cmocka_unit_test(vectors_are_zeros_until_they_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
