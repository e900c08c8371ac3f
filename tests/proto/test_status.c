#include "proto/status.h"
#include "tests/test.h"

#include <string.h>

static void every_status_has_a_word(void **state) {
    (void)state;
    assert_string_equal(rf_status_text(RF_OK), "ok");
    assert_string_equal(rf_status_text(RF_FULL), "no room");
    assert_string_equal(rf_status_text(RF_CONFLICT), "in conflict");
}

static void fail_writes_the_sentence_and_returns_the_status(void **state) {
    (void)state;
    struct rf_error err;
    assert_int_equal(rf_fail(&err, RF_INVALID, "hash_bits is %d, must be 1 to %d", 99, 28), RF_INVALID);
    assert_int_equal(err.status, RF_INVALID);
    assert_string_equal(err.text, "hash_bits is 99, must be 1 to 28");
}

static void fail_in_puts_its_words_in_front_and_keeps_the_status(void **state) {
    (void)state;
    struct rf_error err;
    rf_fail(&err, RF_IO, "no such file");
    assert_int_equal(rf_fail_in(&err, "snapshot %d", 7), RF_IO);
    assert_string_equal(err.text, "snapshot 7: no such file");
}

static void sentences_are_printable(void **state) {
    (void)state;
    struct rf_error err;
    rf_fail(&err, RF_IO, "a \x1b[31m %s \n %s\xff %s", "\xc2\x9b", "\xc3\xa4", "\xe2\x82");
    assert_string_equal(err.text, "a ?[31m ?? ? \xc3\xa4? ");
    rf_fail_in(&err, "in\t%s", "b");
    assert_string_equal(err.text, "in?b: a ?[31m ?? ? \xc3\xa4? ");
}

static void sentences_that_do_not_fit_are_cut(void **state) {
    (void)state;
    char words[2 * RF_ERROR_TEXT_SIZE];
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = '\0';
    struct rf_error err;
    rf_fail(&err, RF_IO, "%s", words);
    assert_int_equal(strlen(err.text), RF_ERROR_TEXT_SIZE - 1);
    rf_fail_in(&err, "context");
    assert_int_equal(strlen(err.text), RF_ERROR_TEXT_SIZE - 1);
    assert_memory_equal(err.text, "context: www", 12);
    rf_fail_in(&err, "%s", words);
    assert_int_equal(strlen(err.text), RF_ERROR_TEXT_SIZE - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_status_has_a_word),
            cmocka_unit_test(fail_writes_the_sentence_and_returns_the_status),
            cmocka_unit_test(fail_in_puts_its_words_in_front_and_keeps_the_status),
            cmocka_unit_test(sentences_are_printable),
            cmocka_unit_test(sentences_that_do_not_fit_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
