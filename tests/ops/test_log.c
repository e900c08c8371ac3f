#include "ops/log.h"

#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct turned_clock {
    struct rf_clock base;
    int64_t now_ms;
};

static int64_t turned_ms(struct rf_clock *self) {
    return ((struct turned_clock *)self)->now_ms;
}

// A log into a pipe, at 2026-11-22T08:30:00.123Z.
struct fixture {
    struct turned_clock clock;
    struct rf_log log;
    int ends[2];
    char text[65536];
};

static void begin(struct fixture *fixture, enum rf_log_format format, enum rf_log_level level) {
    *fixture = (struct fixture){.clock = {{.unix_ms = turned_ms}, 1795336200123}};
    assert_int_equal(pipe(fixture->ends), 0);
    struct rf_log_options options = {fixture->ends[1], format, level, &fixture->clock.base};
    rf_log_init(&fixture->log, &options);
}

static void end(struct fixture *fixture) {
    rf_log_finish(&fixture->log);
    close(fixture->ends[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(fixture->ends[0], fixture->text + size, sizeof fixture->text - 1 - size)) > 0) {
        size += (size_t)got;
    }
    fixture->text[size] = '\0';
    close(fixture->ends[0]);
}

static void log_writes_logfmt(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_LOGFMT, RF_LOG_INFO);
    rf_log(&fixture.log, RF_LOG_INFO, "snapshot written", rf_log_text("path", "state/12.snapshot"),
           rf_log_uint("records", 120000), rf_log_int("lag", -1), rf_log_real("seconds", 0.25), rf_log_bool("first", true));
    rf_log(&fixture.log, RF_LOG_DEBUG, "unseen");
    rf_log(&fixture.log, RF_LOG_ERROR, "stopped");
    end(&fixture);
    assert_string_equal(
            fixture.text,
            "time=2026-11-22T08:30:00.123Z level=info message=\"snapshot written\" path=state/12.snapshot records=120000 "
            "lag=-1 seconds=0.25 first=true\n"
            "time=2026-11-22T08:30:00.123Z level=error message=stopped\n");
}

static void log_writes_json(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_JSON, RF_LOG_DEBUG);
    rf_log(&fixture.log, RF_LOG_DEBUG, "snapshot written", rf_log_text("path", "a b"), rf_log_uint("records", UINT64_MAX),
           rf_log_text("none", NULL), rf_log_real("rate", NAN), rf_log_bool("first", false));
    rf_log(&fixture.log, RF_LOG_WARN, "stopped");
    end(&fixture);
    assert_string_equal(
            fixture.text,
            "{\"time\":\"2026-11-22T08:30:00.123Z\",\"level\":\"debug\",\"message\":\"snapshot written\",\"path\":\"a b\","
            "\"records\":18446744073709551615,\"none\":null,\"rate\":null,\"first\":false}\n"
            "{\"time\":\"2026-11-22T08:30:00.123Z\",\"level\":\"warn\",\"message\":\"stopped\"}\n");
}

static void log_quotes_what_would_break_a_line(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_LOGFMT, RF_LOG_INFO);
    rf_log(&fixture.log, RF_LOG_INFO, "a=b", rf_log_text("a", "x\ny\t\x1b\"\\"), rf_log_text("b", ""), rf_log_text("c", NULL),
           rf_log_text("d", "\xc3\xa4\xff"), rf_log_text("e", "tcp://*:5555"), rf_log_real("f", INFINITY));
    end(&fixture);
    assert_string_equal(fixture.text,
                        "time=2026-11-22T08:30:00.123Z level=info message=\"a=b\" a=\"x\\ny\\t\\u001b\\\"\\\\\" b=\"\" c=\"\" "
                        "d=\"\xc3\xa4\\ufffd\" e=tcp://*:5555 f=inf\n");
}

static void log_keeps_lines_bounded_and_whole(void **state) {
    (void)state;
    static const enum rf_log_format formats[] = {RF_LOG_LOGFMT, RF_LOG_JSON};
    static const char *const tails[] = {" cut=true\n", ",\"cut\":true}\n"};
    for (size_t i = 0; i < 2; i++) {
        struct fixture fixture;
        char text[2000];
        memset(text, '\n', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        begin(&fixture, formats[i], RF_LOG_INFO);
        rf_log(&fixture.log, RF_LOG_INFO, "long", rf_log_text("a", text), rf_log_text("b", text), rf_log_uint("c", 1));
        end(&fixture);
        size_t size = strlen(fixture.text);
        assert_true(size < RF_LOG_LINE_SIZE);
        assert_string_equal(fixture.text + size - strlen(tails[i]), tails[i]);
        assert_ptr_equal(strchr(fixture.text, '\n'), fixture.text + size - 1);
        assert_null(strstr(fixture.text, "\"b\":"));
        assert_null(strstr(fixture.text, " b="));
    }
}

static size_t count_of(const char *text, const char *piece) {
    size_t count = 0;
    for (const char *found = text; (found = strstr(found, piece)); found += strlen(piece)) {
        count++;
    }
    return count;
}

static void log_counts_what_repeats_instead_of_writing_it(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_LOGFMT, RF_LOG_INFO);
    for (uint64_t i = 0; i < 100; i++) {
        rf_log(&fixture.log, RF_LOG_WARN, "sink has no room", rf_log_uint("waits", i));
    }
    rf_log(&fixture.log, RF_LOG_ERROR, "sink has no room");
    fixture.clock.now_ms += RF_LOG_WINDOW_MS;
    rf_log(&fixture.log, RF_LOG_WARN, "sink has no room", rf_log_uint("waits", 100));
    for (uint64_t i = 0; i < 6; i++) {
        rf_log(&fixture.log, RF_LOG_INFO, "other");
    }
    end(&fixture);
    assert_int_equal(count_of(fixture.text, "level=warn message=\"sink has no room\""), RF_LOG_BURST + 1);
    assert_int_equal(count_of(fixture.text, "level=error message=\"sink has no room\"\n"), 1);
    assert_non_null(strstr(fixture.text, "waits=100 unwritten=95\n"));
    assert_int_equal(count_of(fixture.text, "message=other\n"), RF_LOG_BURST);
    assert_non_null(strstr(fixture.text, "message=other unwritten=1\n"));
}

static void log_tells_of_a_count_it_must_forget(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_LOGFMT, RF_LOG_INFO);
    for (int i = 0; i < RF_LOG_BURST + 3; i++) {
        rf_log(&fixture.log, RF_LOG_INFO, "first");
    }
    for (int i = 0; i < RF_LOG_REPEATS; i++) {
        char message[20];
        snprintf(message, sizeof message, "message-%d", i);
        fixture.clock.now_ms++;
        rf_log(&fixture.log, RF_LOG_INFO, message);
    }
    end(&fixture);
    assert_int_equal(count_of(fixture.text, "message=first unwritten=3\n"), 1);
}

struct writer {
    struct rf_log *log;
    int number;
};

static void *write_many(void *context) {
    const struct writer *writer = context;
    for (int i = 0; i < 50; i++) {
        char message[40];
        snprintf(message, sizeof message, "message-%d-%d", writer->number, i);
        rf_log(writer->log, RF_LOG_INFO, message, rf_log_int("i", i));
    }
    return NULL;
}

static void log_keeps_the_lines_of_threads_apart(void **state) {
    (void)state;
    struct fixture fixture;
    begin(&fixture, RF_LOG_LOGFMT, RF_LOG_INFO);
    pthread_t threads[4];
    struct writer writers[4];
    for (int i = 0; i < 4; i++) {
        writers[i] = (struct writer){&fixture.log, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    end(&fixture);
    assert_int_equal(count_of(fixture.text, "\n"), 200);
    assert_int_equal(count_of(fixture.text, "\ntime=2026-11-22T08:30:00.123Z level=info message=message-"), 199);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(log_writes_logfmt),
            cmocka_unit_test(log_writes_json),
            cmocka_unit_test(log_quotes_what_would_break_a_line),
            cmocka_unit_test(log_keeps_lines_bounded_and_whole),
            cmocka_unit_test(log_counts_what_repeats_instead_of_writing_it),
            cmocka_unit_test(log_tells_of_a_count_it_must_forget),
            cmocka_unit_test(log_keeps_the_lines_of_threads_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
