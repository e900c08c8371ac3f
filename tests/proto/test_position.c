#include "proto/position.h"
#include "tests/test.h"

#include <stdio.h>

static void an_index_once_given_stays(void **state) {
    (void)state;
    struct rf_positions positions;
    rf_positions_init(&positions);
    for (int32_t i = 0; i < 100; i++) {
        size_t index = SIZE_MAX;
        assert_int_equal(rf_positions_add(&positions, i % 2 ? "odd" : "even", i, &index), RF_OK);
        assert_int_equal(index, i);
    }
    for (int32_t i = 0; i < 100; i++) {
        size_t index = SIZE_MAX;
        assert_int_equal(rf_positions_add(&positions, i % 2 ? "odd" : "even", i, &index), RF_OK);
        assert_int_equal(index, i);
    }
    assert_int_equal(positions.count, 100);
    rf_positions_finish(&positions);
}

static void a_new_position_has_nothing_applied_and_its_own_topic(void **state) {
    (void)state;
    struct rf_positions positions;
    rf_positions_init(&positions);
    char topic[16] = "clicks";
    size_t index;
    assert_int_equal(rf_positions_add(&positions, topic, 3, &index), RF_OK);
    snprintf(topic, sizeof topic, "other");
    const struct rf_position *position = rf_positions_find(&positions, "clicks", 3);
    assert_ptr_equal(position, &positions.list[index]);
    assert_int_equal(position->next_offset, RF_OFFSET_NONE);
    assert_int_equal(position->fingerprint, 0);
    assert_int_equal(position->records, 0);
    assert_null(rf_positions_find(&positions, "clicks", 4));
    assert_null(rf_positions_find(&positions, "click", 3));
    rf_positions_finish(&positions);
}

static void a_copy_replaces_what_was_there_and_owns_its_topics(void **state) {
    (void)state;
    struct rf_positions from, to;
    rf_positions_init(&from);
    rf_positions_init(&to);
    size_t index;
    assert_int_equal(rf_positions_add(&from, "a", 0, &index), RF_OK);
    from.list[0] = (struct rf_position){from.list[0].topic, 0, 42, 7, 43};
    assert_int_equal(rf_positions_add(&to, "b", 1, &index), RF_OK);
    assert_int_equal(rf_positions_copy(&to, &from), RF_OK);
    rf_positions_finish(&from);
    assert_int_equal(to.count, 1);
    const struct rf_position *position = rf_positions_find(&to, "a", 0);
    assert_non_null(position);
    assert_int_equal(position->next_offset, 42);
    assert_int_equal(position->fingerprint, 7);
    assert_int_equal(position->records, 43);
    rf_positions_finish(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_index_once_given_stays),
            cmocka_unit_test(a_new_position_has_nothing_applied_and_its_own_topic),
            cmocka_unit_test(a_copy_replaces_what_was_there_and_owns_its_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
