#include "proto/record.h"
#include "tests/test.h"

static uint64_t fingerprint_of(const char *key, const char *value, int64_t timestamp_ms) {
    struct rf_record record = {.key = rf_text_of(key), .value = rf_text_of(value), .timestamp_ms = timestamp_ms};
    return rf_record_fingerprint(&record);
}

static void a_fingerprint_never_changes(void **state) {
    (void)state;
    assert_int_equal(fingerprint_of("k", "value", 1700000000000), 0x595bf1d3acb40e94);
}

static void a_fingerprint_tells_every_part_and_absence_from_emptiness(void **state) {
    (void)state;
    const uint64_t all[] = {fingerprint_of("k", "v", 1), fingerprint_of("k", "v", 2),  fingerprint_of("k", "w", 1),
                            fingerprint_of("l", "v", 1), fingerprint_of(NULL, "v", 1), fingerprint_of("", "v", 1),
                            fingerprint_of("k", "", 1),  fingerprint_of("k", NULL, 1), fingerprint_of("v", "k", 1),
                            fingerprint_of("kv", "", 1), fingerprint_of("k", "v", -1)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_not_equal(all[i], 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(all[i], all[j]);
        }
    }
}

static void a_fingerprint_does_not_depend_on_where_the_record_stood(void **state) {
    (void)state;
    struct rf_record record = {.value = rf_text_of("v"), .timestamp_ms = 5, .offset = 7, .partition = 3};
    assert_int_equal(rf_record_fingerprint(&record), fingerprint_of(NULL, "v", 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_fingerprint_never_changes),
            cmocka_unit_test(a_fingerprint_tells_every_part_and_absence_from_emptiness),
            cmocka_unit_test(a_fingerprint_does_not_depend_on_where_the_record_stood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
