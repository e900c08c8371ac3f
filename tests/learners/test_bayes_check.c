// Restored blocks of the Bayes learners: what they wrote passes, what could make a fold leave its memory, never end or give what
// is not finite is refused.
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 100 };

struct restored {
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_examples examples;
    struct rf_predictions predictions;
};

static void restored_create(struct restored *restored, const char *model) {
    restored->value = variant_of(rf_learner_variants, "bayes");
    set_option(&restored->value, "model", model);
    set_option(&restored->value, "fields_max", "8");
    set_option(&restored->value, "hash_bits", "6");
    restored->learner = create_learner(&restored->value, false);
    rf_state_init(&restored->state);
    rf_learner_state(restored->learner, &restored->state);
    examples_create(&restored->examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&restored->examples, EXAMPLES, 2, 31);
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

static unsigned char *cell_of(const struct restored *restored, const char *block_name, size_t row, size_t column, size_t index) {
    const struct rf_block *block = rf_state_find(&restored->state, block_name);
    assert_non_null(block);
    assert_true(row < block->rows && column < block->column_count && index < block->columns[column].count);
    return (unsigned char *)block->data + row * block->row_size + block->columns[column].offset + index * sizeof(uint64_t);
}

// Puts a value where it must be refused, with a sentence that begins so, and back again.
static void refuse(const struct restored *restored, unsigned char *cell, const void *value, const char *beginning) {
    unsigned char before[sizeof(uint64_t)];
    struct rf_error err;
    memcpy(before, cell, sizeof before);
    memcpy(cell, value, sizeof before);
    assert_int_equal(rf_learner_check(restored->learner, &err), RF_CORRUPT);
    err.text[strlen(beginning)] = '\0';
    assert_string_equal(err.text, beginning);
    memcpy(cell, before, sizeof before);
    assert_int_equal(rf_learner_check(restored->learner, &err), RF_OK);
}

static void refuse_f64(const struct restored *restored, const char *block, size_t row, size_t column, size_t index, double value,
                       const char *beginning) {
    refuse(restored, cell_of(restored, block, row, column, index), &value, beginning);
}

static void refuse_u64(const struct restored *restored, const char *block, size_t row, size_t column, uint64_t value,
                       const char *beginning) {
    refuse(restored, cell_of(restored, block, row, column, 0), &value, beginning);
}

static void records_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    restored_create(&restored, "gaussian");
    refuse_f64(&restored, "bayes.classes", 1, 0, 0, -1, "learner bayes: class 1 has -1 records, must be 0 to 9007199254740992");
    refuse_f64(&restored, "bayes.classes", 0, 0, 0, NAN, "learner bayes: class 0 has nan records");
    restored_finish(&restored);
}

static void moments_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    restored_create(&restored, "gaussian");
    refuse_f64(&restored, "bayes.moments", 3, 1, 1, -1, "learner bayes: row 3 of the moments has count -1, mean ");
    refuse_f64(&restored, "bayes.moments", 3, 1, 0, INFINITY, "learner bayes: row 3 of the moments has count inf, mean ");
    refuse_f64(&restored, "bayes.moments", 0, 2, 0, NAN, "learner bayes: row 0 of the moments has count ");
    refuse_f64(&restored, "bayes.moments", 0, 3, 1, -0.5, "learner bayes: row 0 of the moments has count ");
    refuse_u64(&restored, "bayes.moments_size", 0, 0, 7, "learner bayes: the moments are of 8 fields and count 7, must be");
    const struct rf_block *block = rf_state_find(&restored.state, "bayes.moments");
    for (size_t row = 0; row < block->rows; row++) { // a table without a free row is one that a search never leaves
        double one = 1;
        memcpy(cell_of(&restored, "bayes.moments", row, 1, 0), &one, sizeof one);
    }
    uint64_t all = block->rows;
    memcpy(cell_of(&restored, "bayes.moments_size", 0, 0, 0), &all, sizeof all);
    struct rf_error err;
    assert_int_equal(rf_learner_check(restored.learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, "learner bayes: the moments are of 16 fields and count 16, must be as many, and at most 8");
    restored_finish(&restored);
}

static void covariances_that_do_not_hold_together_are_refused(void **state) {
    (void)state;
    static const char *const models[] = {"gaussian_shared", "gaussian_full"};
    for (size_t m = 0; m < 2; m++) {
        struct restored restored;
        restored_create(&restored, models[m]);
        size_t used = 0;
        while (memcmp(cell_of(&restored, "bayes.fields", used, 1, 0), &(uint64_t){0}, sizeof(uint64_t)) == 0) {
            used++;
        }
        refuse_u64(&restored, "bayes.fields", used, 1, 5, "learner bayes: row ");
        refuse_u64(&restored, "bayes.fields", used, 1, 0, "learner bayes: the table holds 3 fields and counts 4, must be");
        refuse_u64(&restored, "bayes.fields_size", 0, 0, 8, "learner bayes: the table holds 4 fields and counts 8, must be");
        refuse_f64(&restored, "bayes.moments", 1, 0, 2, -1, "learner bayes: field 2 of class 1 has count -1 and mean ");
        refuse_f64(&restored, "bayes.moments", 1, 1, 2, 1e101, "learner bayes: field 2 of class 1 has count ");
        refuse_f64(&restored, "bayes.moments", 1, 2, 2, NAN, "learner bayes: the scatter of class 1 holds nan, must be");
        refuse_f64(&restored, "bayes.factors", 0, 0, 0, 0, "learner bayes: element (1, 0) of factor 0 is ");
        refuse_f64(&restored, "bayes.factors", 0, 0, 2, 0, "learner bayes: element (1, 1) of factor 0 is 0, must be");
        refuse_f64(&restored, "bayes.factors", 0, 0, 1, NAN, "learner bayes: element (1, 0) of factor 0 is nan, must be");
        refuse_f64(&restored, "bayes.factors", 0, 0, 10, 1, "learner bayes: element (4, 0) of factor 0 is 1, must be");
        restored_finish(&restored);
    }
}

static void places_given_twice_are_refused(void **state) {
    (void)state;
    struct restored restored;
    restored_create(&restored, "gaussian_full");
    for (size_t row = 0; row < 16; row++) {
        uint64_t place;
        memcpy(&place, cell_of(&restored, "bayes.fields", row, 1, 0), sizeof place);
        if (place == 2) {
            refuse_u64(&restored, "bayes.fields", row, 1, 3, "learner bayes: place 3 is given twice, must be given once");
        }
    }
    restored_finish(&restored);
}

static void counts_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct restored restored;
    restored_create(&restored, "multinomial");
    refuse_f64(&restored, "bayes.counts", 5, 0, 1, -1,
               "learner bayes: row 5 of the counts holds -1 for class 1, must be 0 to 1e+100");
    refuse_f64(&restored, "bayes.counts", 5, 0, 0, NAN, "learner bayes: row 5 of the counts holds nan for class 0");
    refuse_f64(&restored, "bayes.totals", 1, 0, 0, INFINITY, "learner bayes: the count of class 1 is inf, must be 0 to 1e+100");
    refuse_u64(&restored, "bayes.counts_size", 0, 0, 1000, "learner bayes: ");
    restored_finish(&restored);
    restored_create(&restored, "bernoulli");
    refuse_f64(&restored, "bayes.counts", 5, 0, 1, 1e101, "learner bayes: row 5 of the counts holds 1e+101 for class 1");
    restored_finish(&restored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(records_out_of_bounds_are_refused),
            cmocka_unit_test(moments_out_of_bounds_are_refused),
            cmocka_unit_test(covariances_that_do_not_hold_together_are_refused),
            cmocka_unit_test(places_given_twice_are_refused),
            cmocka_unit_test(counts_out_of_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
