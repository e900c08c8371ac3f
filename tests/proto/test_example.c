#include "proto/example.h"
#include "tests/test.h"

static struct rf_error err;

static void every_array_holds_its_capacity(void **state) {
    (void)state;
    struct rf_examples examples;
    assert_int_equal(rf_examples_init(&examples, 3, 5, 2, &err), RF_OK);
    for (size_t i = 0; i < 3; i++) {
        examples.purpose[i] = RF_PREDICT;
        examples.partition[i] = 1;
        examples.offset[i] = examples.time_ms[i] = 1;
        examples.label[i] = examples.weight[i] = 1;
        examples.id[i] = rf_text_of("id");
    }
    examples.row_start[3] = 5;
    for (size_t i = 0; i < 5; i++) {
        examples.hash[i] = 1;
        examples.value[i] = 1;
        examples.field[i] = RF_FIELD_UNKNOWN;
        examples.kind[i] = RF_CATEGORY;
    }
    examples.field_name[1] = rf_text_of("field");
    rf_examples_finish(&examples);
    rf_examples_finish(&examples);
}

static void reset_keeps_the_declared_fields_only(void **state) {
    (void)state;
    struct rf_examples examples;
    assert_int_equal(rf_examples_init(&examples, 3, 5, 4, &err), RF_OK);
    examples.count = 2;
    examples.field_count = 4;
    examples.row_start[0] = 9;
    rf_examples_reset(&examples, 3);
    assert_int_equal(examples.count, 0);
    assert_int_equal(examples.row_start[0], 0);
    assert_int_equal(examples.field_count, 3);
    rf_examples_finish(&examples);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    struct rf_examples examples;
    assert_int_equal(rf_examples_init(&examples, SIZE_MAX, 1, 1, &err), RF_MEMORY);
    assert_int_equal(rf_examples_init(&examples, 1, SIZE_MAX / 2, 1, &err), RF_MEMORY);
    assert_int_equal(rf_examples_init(&examples, 1, 2, SIZE_MAX / 4, &err), RF_MEMORY);
    assert_string_equal(err.text, "a batch of 1 examples, 2 features and 4611686018427387903 fields does not fit into memory");
    assert_null(examples.hash);
}

static void vectors_are_reserved_beside_the_features(void **state) {
    (void)state;
    struct rf_examples examples;
    assert_int_equal(rf_examples_init(&examples, 3, 5, 4, &err), RF_OK);
    assert_int_equal(rf_examples_reserve_vectors(&examples, SIZE_MAX / 4, &err), RF_MEMORY);
    assert_int_equal(rf_examples_reserve_vectors(&examples, 7, &err), RF_OK);
    assert_int_equal(examples.vector_size, 7);
    examples.vector[20] = 1;
    rf_examples_finish(&examples);
    assert_null(examples.vector);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_array_holds_its_capacity),
            cmocka_unit_test(reset_keeps_the_declared_fields_only),
            cmocka_unit_test(vectors_are_reserved_beside_the_features),
            cmocka_unit_test(sizes_that_overflow_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
