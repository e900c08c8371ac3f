#include "ops/holdout.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

enum { RECORDS = 10000 };

struct fixture {
    struct rf_examples examples;
    struct rf_positions positions;
    char ids[RECORDS][8];
};

static struct fixture fixture;

static int setup(void **state) {
    (void)state;
    struct rf_error err;
    size_t index;
    assert_int_equal(rf_examples_init(&fixture.examples, RECORDS, 1, 1, &err), RF_OK);
    rf_positions_init(&fixture.positions);
    assert_int_equal(rf_positions_add(&fixture.positions, "topic", 0, &index), RF_OK);
    assert_int_equal(rf_positions_add(&fixture.positions, "topic", 1, &index), RF_OK);
    assert_int_equal(rf_positions_add(&fixture.positions, "other", 0, &index), RF_OK);
    for (size_t i = 0; i < RECORDS; i++) {
        snprintf(fixture.ids[i], sizeof fixture.ids[i], "%zu", i);
        fixture.examples.id[i] = rf_text_of(fixture.ids[i]);
        fixture.examples.offset[i] = (int64_t)i;
    }
    fixture.examples.count = RECORDS;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rf_examples_finish(&fixture.examples);
    rf_positions_finish(&fixture.positions);
    return 0;
}

static bool has(const struct rf_holdout *holdout, size_t index) {
    return rf_holdout_has(holdout, &fixture.examples, index, &fixture.positions);
}

static size_t count_of(const struct rf_holdout *holdout) {
    size_t count = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        count += has(holdout, i);
    }
    return count;
}

static void forget_ids(uint32_t partition) {
    for (size_t i = 0; i < RECORDS; i++) {
        fixture.examples.id[i] = (struct rf_text){0};
        fixture.examples.partition[i] = partition;
    }
}

static void about_the_share_asked_for_is_held_out(void **state) {
    (void)state;
    static const double shares[] = {0.01, 0.1, 0.5};
    for (size_t i = 0; i < 3; i++) {
        struct rf_holdout holdout = rf_holdout_of(1, 0, shares[i]);
        double expected = RECORDS * shares[i];
        assert_in_range(count_of(&holdout), (size_t)(expected * 0.8), (size_t)(expected * 1.2)); // beyond 2 sigma of the rarest
    }
    struct rf_holdout none = rf_holdout_of(1, 0, 0);
    assert_true(rf_holdout_is_empty(&none));
    assert_int_equal(count_of(&none), 0);
}

static void the_choice_never_changes(void **state) {
    (void)state;
    struct rf_holdout holdout = rf_holdout_of(1, 0, 0.1);
    char chosen[256] = "";
    for (size_t i = 0; i < 100; i++) {
        if (has(&holdout, i)) {
            snprintf(chosen + strlen(chosen), sizeof chosen - strlen(chosen), "%zu ", i);
        }
    }
    assert_string_equal(chosen, "31 36 63 66 70 76 88 "); // stored models depend on it
}

static void an_id_decides_wherever_its_record_stands(void **state) {
    (void)state;
    struct rf_holdout holdout = rf_holdout_of(7, 0, 0.3), other = rf_holdout_of(8, 0, 0.3);
    size_t differ = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        bool before = has(&holdout, i);
        fixture.examples.partition[i] = 2;
        fixture.examples.offset[i] += 1000;
        assert_int_equal(has(&holdout, i), before);
        differ += has(&other, i) != before;
    }
    assert_in_range(differ, RECORDS * 2 / 5,
                    RECORDS * 11 / 25); // of two choices that know nothing of each other 42 in 100 differ
}

static void without_an_id_its_place_in_the_log_decides(void **state) {
    (void)state;
    struct rf_holdout holdout = rf_holdout_of(7, 0, 0.5);
    static bool chosen[3][RECORDS];
    for (uint32_t partition = 0; partition < 3; partition++) {
        forget_ids(partition);
        for (size_t i = 0; i < RECORDS; i++) {
            chosen[partition][i] = has(&holdout, i);
        }
    }
    for (size_t a = 0; a < 3; a++) {
        size_t differ = 0;
        for (size_t i = 0; i < RECORDS; i++) {
            differ += chosen[a][i] != chosen[(a + 1) % 3][i];
        }
        assert_in_range(differ, RECORDS * 48 / 100, RECORDS * 52 / 100);
    }
}

static void folds_hold_out_each_record_once(void **state) {
    (void)state;
    static const size_t folds[] = {2, 3, 7, 10, 100};
    for (size_t f = 0; f < sizeof folds / sizeof *folds; f++) {
        for (size_t i = 0; i < RECORDS; i++) {
            size_t times = 0;
            for (size_t j = 0; j < folds[f]; j++) {
                struct rf_holdout holdout = rf_holdout_of(3, (double)j / (double)folds[f], (double)(j + 1) / (double)folds[f]);
                times += has(&holdout, i);
            }
            assert_int_equal(times, 1);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(about_the_share_asked_for_is_held_out, setup, teardown),
            cmocka_unit_test_setup_teardown(the_choice_never_changes, setup, teardown),
            cmocka_unit_test_setup_teardown(an_id_decides_wherever_its_record_stands, setup, teardown),
            cmocka_unit_test_setup_teardown(without_an_id_its_place_in_the_log_decides, setup, teardown),
            cmocka_unit_test_setup_teardown(folds_hold_out_each_record_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
