#include "ingest/utf8.h"

#include "tests/test.h"

static void utf8_takes_every_code_point_and_no_surrogate(void **state) {
    (void)state;
    for (unsigned code_point = 0; code_point <= 0x110000; code_point++) {
        char bytes[4];
        size_t size = rf_utf8_write(code_point, bytes);
        bool is_valid = code_point < 0x110000 && (code_point < 0xd800 || code_point > 0xdfff);
        size_t taken = rf_utf8_sequence_size((struct rf_text){bytes, size});
        if (taken != (is_valid ? size : 0)) {
            fail_msg("U+%04X: %zu bytes are taken", code_point, taken);
        }
        assert_int_equal(rf_utf8_sequence_size((struct rf_text){bytes, size - 1}), 0);
    }
}

static void utf8_refuses_what_is_malformed(void **state) {
    (void)state;
    const char *const cases[] = {"\x80",
                                 "\xbf",
                                 "\xc0\x80",
                                 "\xc1\xbf",
                                 "\xe0\x9f\xbf",
                                 "\xed\xa0\x80",
                                 "\xf0\x8f\xbf\xbf",
                                 "\xf4\x90\x80\x80",
                                 "\xf5\x80\x80\x80",
                                 "\xff",
                                 "\xfe",
                                 "\xc3(",
                                 "\xe2\x82(",
                                 "\xe2(\xac",
                                 "\xf0\x9f\x98("};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(rf_utf8_valid_size(rf_text_of(cases[i])), 0);
    }
}

static void utf8_says_where_a_text_goes_wrong(void **state) {
    (void)state;
    assert_int_equal(rf_utf8_valid_size((struct rf_text){NULL, 0}), 0);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("twelve bytes")), 12);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("Zürich, 東京, 😀")), strlen("Zürich, 東京, 😀"));
    assert_int_equal(rf_utf8_valid_size(rf_text_of("0123456789\xff")), 10);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("01234567\xe2\x82")), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(utf8_takes_every_code_point_and_no_surrogate),
            cmocka_unit_test(utf8_refuses_what_is_malformed),
            cmocka_unit_test(utf8_says_where_a_text_goes_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
