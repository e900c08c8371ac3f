#include "proto/utf8.h"

#include "tests/test.h"

static void utf8_takes_every_code_point_and_no_surrogate(void **state) {
    (void)state;
    for (unsigned code_point = 0; code_point <= 0x110000; code_point++) {
        char bytes[4];
        struct rf_text character = {bytes, rf_utf8_write(code_point, bytes)};
        bool is_valid = code_point < 0x110000 && (code_point < 0xd800 || code_point > 0xdfff);
        size_t taken = rf_utf8_size(character);
        if (taken != (is_valid ? character.size : 0)) {
            fail_msg("U+%04X: %zu bytes are taken", code_point, taken);
        }
        if (is_valid && rf_utf8_read(character) != code_point) {
            fail_msg("U+%04X is read as U+%04X", code_point, rf_utf8_read(character));
        }
        assert_int_equal(rf_utf8_size((struct rf_text){bytes, character.size - 1}), 0);
    }
}

// Well-formed by the other way to say it, Unicode's table 3-7 as a list of ranges.
static size_t size_by_table(const unsigned char *byte) {
    static const unsigned char rows[][8] = {
            {0x00, 0x7f},
            {0xc2, 0xdf, 0x80, 0xbf},
            {0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf},
            {0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
            {0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf},
            {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
            {0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
            {0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
            {0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        size_t size = 0;
        while (size < 4 && rows[row][2 * size + 1] > 0 && byte[size] >= rows[row][2 * size] &&
               byte[size] <= rows[row][2 * size + 1]) {
            size++;
        }
        if (size > 0 && (size == 4 || rows[row][2 * size + 1] == 0)) {
            return size;
        }
    }
    return 0;
}

static void utf8_refuses_what_is_malformed(void **state) {
    (void)state;
    static const unsigned char tails[] = {0x00, 0x28, 0x7f, 0x80, 0xa5, 0xbf, 0xc0, 0xff};
    enum { TAILS = sizeof tails };
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        for (unsigned tail = 0; tail < TAILS * TAILS; tail++) {
            unsigned char byte[4] = {(unsigned char)(pair >> 8), (unsigned char)pair, tails[tail / TAILS], tails[tail % TAILS]};
            size_t size = rf_utf8_size((struct rf_text){(const char *)byte, sizeof byte});
            if (size != size_by_table(byte)) {
                fail_msg("%02x %02x %02x %02x: %zu bytes are taken", byte[0], byte[1], byte[2], byte[3], size);
            }
        }
    }
    assert_int_equal(rf_utf8_size(rf_text_of("\xe2\x82")), 0);
    assert_int_equal(rf_utf8_size(rf_text_of("")), 0);
}

static void utf8_says_where_a_text_goes_wrong(void **state) {
    (void)state;
    assert_int_equal(rf_utf8_valid_size((struct rf_text){NULL, 0}), 0);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("twelve bytes")), 12);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("Zürich, 東京, 😀")), strlen("Zürich, 東京, 😀"));
    assert_int_equal(rf_utf8_valid_size(rf_text_of("0123456789\xff")), 10);
    assert_int_equal(rf_utf8_valid_size(rf_text_of("01234567\xe2\x82")), 8);
    assert_true(rf_utf8_is_valid(rf_text_of("")));
    assert_true(rf_utf8_is_valid((struct rf_text){"a\0b", 3}));
    assert_false(rf_utf8_is_valid(rf_text_of("01234567\xc3")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(utf8_takes_every_code_point_and_no_surrogate),
            cmocka_unit_test(utf8_refuses_what_is_malformed),
            cmocka_unit_test(utf8_says_where_a_text_goes_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
