#include "ops/lone_record.h"

#include "tests/test.h"

static int64_t now_ms;

static int64_t monotonic_ms(struct rf_clock *self) {
    (void)self;
    return now_ms;
}

static void sleep_ms(struct rf_clock *self, int ms) {
    (void)self;
    (void)ms;
    now_ms += 1000;
}

static struct rf_clock clock_turned = {.monotonic_ms = monotonic_ms, .sleep_ms = sleep_ms};

// A letter a turn: r resolved, t in trouble, w under way, b broken. Its last one stands for ever.
static const char *turns;

static enum rf_status take_turn(struct rf_decoder *self, const struct rf_record *record, int64_t now, int wait_ms,
                                struct rf_error *err) {
    (void)self;
    (void)record;
    (void)now;
    (void)wait_ms;
    char turn = *turns;
    turns += turns[1] != '\0';
    if (turn == 't') {
        rf_fail(err, RF_IO, "nobody is there");
    }
    return turn == 'b' ? rf_fail(err, RF_INVALID, "refused") : turn == 'r' ? RF_OK : RF_AGAIN;
}

// What is told on the way.
static char told[512];

static enum rf_status resolve(const char *script, struct rf_error *err) {
    static const struct rf_decoder_ops ops = {.name = "scripted", .resolve = take_turn};
    struct rf_decoder decoder = {.ops = &ops, .limits = {.record_bytes = 100}};
    struct rf_record record = {.value = rf_text_of("x")};
    now_ms = 0;
    turns = script;
    memset(told, 0, sizeof told);
    FILE *file = fmemopen(told, sizeof told - 1, "w");
    assert_non_null(file);
    enum rf_status status = rf_lone_record_resolve(&decoder, &record, &clock_turned, file, err);
    fclose(file);
    return status;
}

static void trouble_is_told_once_and_borne_for_seconds(void **state) {
    (void)state;
    struct rf_error err;
    assert_int_equal(resolve("tttr", &err), RF_OK);
    assert_string_equal(told, "waiting for the schema of the record, up to 8 seconds: nobody is there\n");
    assert_int_equal(resolve("wt", &err), RF_IO);
    assert_string_equal(told, "waiting for the schema of the record, up to 8 seconds: nobody is there\n");
    assert_string_equal(err.text, "nobody is there");
    assert_int_equal(now_ms, 9000);
}

static void silence_is_borne_for_seconds(void **state) {
    (void)state;
    struct rf_error err;
    assert_int_equal(resolve("wwr", &err), RF_OK);
    assert_int_equal(resolve("w", &err), RF_IO);
    assert_string_equal(err.text, "the schema registry has not answered for 8 seconds");
    assert_string_equal(told, "");
    assert_int_equal(resolve("wb", &err), RF_INVALID);
    assert_string_equal(err.text, "refused");
}

static const char *hint(const char *format, const char *bytes, size_t size) {
    return rf_lone_record_hint(rf_decoder_find(format), (struct rf_text){bytes, size});
}

static void hints_tell_files_from_records(void **state) {
    (void)state;
    const char *lines = "; it has several lines: is it the value of one record alone, without a header line?";
    const char *container = "; it is an Avro container file, must be the value of one record, without the container";
    const char *sizes = "; it reads as records with sizes in front: is it the value of one record alone, without its size?";
    assert_string_equal(hint("csv", "a,b\n1,2", 7), lines);
    assert_string_equal(hint("json", "{}\n", 3), "");
    assert_string_equal(hint("json", "Obj\1\n", 5), container);
    assert_string_equal(hint("avro", "Obj\1", 4), container);
    assert_string_equal(hint("avro", "\2a\n\2b", 5), "");
    assert_string_equal(hint("protobuf", "\2\x8\1", 3), sizes);
    assert_string_equal(hint("protobuf", "\2\x8\1\2\x8\1", 6), sizes);
    assert_string_equal(hint("protobuf", "\2\x8\1\2\x8", 5), "");
    assert_string_equal(hint("protobuf", "", 0), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(trouble_is_told_once_and_borne_for_seconds),
            cmocka_unit_test(silence_is_borne_for_seconds),
            cmocka_unit_test(hints_tell_files_from_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
