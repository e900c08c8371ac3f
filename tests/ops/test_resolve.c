#include "ops/resolve.h"

#include "tests/test.h"

// A clock that moves on when somebody sleeps, and a decoder that resolves a record after some turns in trouble.

static int64_t now_ms, step_ms;

static int64_t monotonic_ms(struct rf_clock *self) {
    (void)self;
    return now_ms;
}

static void sleep_ms(struct rf_clock *self, int ms) {
    (void)self;
    (void)ms;
    now_ms += step_ms;
}

static struct rf_clock clock_turned = {.monotonic_ms = monotonic_ms, .sleep_ms = sleep_ms};

// A letter a turn: r resolved, t in trouble, w under way. Its last one stands for ever.
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
    return turn == 'r' ? RF_OK : RF_AGAIN;
}

static enum rf_status resolve(const char *script, size_t count, struct rf_error *err) {
    static const struct rf_decoder_ops ops = {.name = "scripted", .resolve = take_turn};
    struct rf_decoder decoder = {.ops = &ops, .limits = {.record_bytes = 100}};
    struct rf_record records[10];
    assert_true(count <= 10);
    for (size_t i = 0; i < count; i++) {
        records[i] = (struct rf_record){.value = rf_text_of("x")};
    }
    now_ms = 0;
    turns = script;
    return rf_resolve(&decoder, records, count, &clock_turned, err);
}

static void trouble_is_borne_for_a_minute(void **state) {
    (void)state;
    struct rf_error err;
    step_ms = 1000;
    assert_int_equal(resolve("t", 1, &err), RF_IO);
    assert_string_equal(err.text, "nobody is there");
    assert_int_equal(now_ms, 61000);
    step_ms = 20000;
    assert_int_equal(resolve("tttr", 1, &err), RF_OK);
}

static void only_trouble_without_end_counts(void **state) {
    (void)state;
    struct rf_error err;
    step_ms = 20000;
    assert_int_equal(resolve("wwwwwwtr", 1, &err), RF_OK);     // long under way, then in trouble for once
    assert_int_equal(resolve("trtrtrtrtr", 5, &err), RF_OK);   // in trouble with each record for a while
    assert_int_equal(resolve("wrwrwrwrwrtr", 6, &err), RF_OK); // in trouble after a minute of fetches
    assert_int_equal(resolve("rtttt", 2, &err), RF_IO);
    assert_int_equal(now_ms, 80000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(trouble_is_borne_for_a_minute),
            cmocka_unit_test(only_trouble_without_end_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
