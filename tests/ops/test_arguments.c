#include "ops/arguments.h"
#include "tests/test.h"

#include <string.h>

struct fixture {
    bool yes;
    const char *text;
    uint64_t number;
    struct rf_arguments arguments;
    struct rf_error err;
};

static enum rf_status parse(struct fixture *fixture, int argc, char **argv) {
    *fixture = (struct fixture){0};
    const struct rf_flag flags[] = {
            {"json", RF_FLAG_YES, &fixture->yes, NULL, ""},
            {"until", RF_FLAG_TEXT, &fixture->text, "end", ""},
            {"records", RF_FLAG_UINT, &fixture->number, "N", ""},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    return rf_arguments_parse(argc, argv, flags, &fixture->arguments, &fixture->err);
}

#define PARSE(fixture, ...) parse(fixture, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__})

static void arguments_are_taken_in_both_spellings(void **state) {
    (void)state;
    struct fixture fixture;
    assert_int_equal(
            PARSE(&fixture, "a.yaml", "--json", "--until", "end", "--records=7", "--set", "x=1", "--set=y=2", "-", "--", "--b"),
            RF_OK);
    assert_true(fixture.yes);
    assert_string_equal(fixture.text, "end");
    assert_int_equal(fixture.number, 7);
    assert_int_equal(fixture.arguments.file_count, 3);
    assert_string_equal(fixture.arguments.files[1], "-");
    assert_string_equal(fixture.arguments.files[2], "--b");
    assert_int_equal(fixture.arguments.set_count, 2);
    assert_string_equal(fixture.arguments.sets[1], "y=2");
    rf_arguments_finish(&fixture.arguments);
}

static void refused(const char *sentence, struct fixture *fixture, enum rf_status status) {
    assert_int_equal(status, RF_INVALID);
    assert_string_equal(fixture->err.text, sentence);
}

static void arguments_refuse_what_they_do_not_know(void **state) {
    (void)state;
    struct fixture fixture;
    refused("unknown flag --jsn, did you mean --json?", &fixture, PARSE(&fixture, "--jsn"));
    refused("unknown flag --qqqqqq; --help tells which there are", &fixture, PARSE(&fixture, "--qqqqqq"));
    refused("unknown flag -j; flags are written with two dashes", &fixture, PARSE(&fixture, "-j"));
    refused("--json takes no value", &fixture, PARSE(&fixture, "--json=yes"));
    refused("--until needs a value", &fixture, PARSE(&fixture, "--until"));
    refused("--records is \"-1\", must be a whole number", &fixture, PARSE(&fixture, "--records", "-1"));
    refused("--records is \"99999999999999999999\", must be a whole number", &fixture,
            PARSE(&fixture, "--records=99999999999999999999"));
}

static void exit_codes_tell_what_to_do(void **state) {
    (void)state;
    assert_int_equal(rf_exit_of(RF_OK), 0);
    assert_int_equal(rf_exit_of(RF_IO), 1);
    assert_int_equal(rf_exit_of(RF_CONFLICT), 1);
    assert_int_equal(rf_exit_of(RF_INVALID), 2);
    assert_int_equal(rf_exit_of(RF_BUSY), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(arguments_are_taken_in_both_spellings),
            cmocka_unit_test(arguments_refuse_what_they_do_not_know),
            cmocka_unit_test(exit_codes_tell_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
