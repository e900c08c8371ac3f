// Derived features through the whole of `riffle evaluate`, and what their settings say when they are wrong.
#include "proto/math.h" // before the macro rf_log of ops/log.h

#include "ops/assembly.h"
#include "ops/evaluate.h"
#include "ops/specification.h"
#include "proto/random.h"
#include "proto/snapshot.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 2000 };

enum form { JSON, CSV, READY }; // READY: JSON with the features in it, computed here

#define READ "label: y, time: at, time_unit: s, numbers: [amount, limit"
static const char derived[] = READ "], derived: [hour: {utc_offset: +02:00}, weekday, night: {from: 21}, log: {field: amount},"
                                   " ratio: {field: amount, by: limit}, bucket: {field: amount, bounds: [-5, 0.5, 40]}],"
                                   " crosses: [[hour, bucket_amount]]";
static const char ready[] = READ ", night, log_amount, ratio_amount_limit], categories: [hour, weekday, bucket_amount],"
                                 " crosses: [[hour, bucket_amount]]";

static void add_ready(FILE *file, int64_t second, double amount, bool has_amount, double limit, bool has_limit) {
    static const char *const days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    struct tm utc, there;
    time_t now = (time_t)second, later = now + 7200;
    assert_non_null(gmtime_r(&now, &utc));
    assert_non_null(gmtime_r(&later, &there));
    fprintf(file, ",\"hour\":%d,\"weekday\":\"%s\",\"night\":%d", there.tm_hour, days[utc.tm_wday],
            utc.tm_hour >= 21 || utc.tm_hour < 6);
    if (has_amount) {
        double size = rf_log1p(fabs(amount));
        fprintf(file, ",\"log_amount\":%.17g", amount < 0 ? -size : size);
    }
    if (has_amount && has_limit && limit != 0) {
        fprintf(file, ",\"ratio_amount_limit\":%.17g", amount / limit);
    }
    if (has_amount) {
        fprintf(file, ",\"bucket_amount\":%d", amount < -5 ? 0 : amount < 0.5 ? 1 : amount < 40 ? 2 : 3);
    }
}

// Amounts and limits of all signs, 0 or missing now and then; every third is fraud where it is large, late at night.
static void write_data(const char *path, enum form form) {
    FILE *file = fopen(path, "w");
    struct rf_random random;
    rf_random_init(&random, 5);
    assert_non_null(file);
    fputs(form == CSV ? "at,amount,limit,y\n" : "", file);
    for (int i = 0; i < RECORDS; i++) {
        uint64_t bits = rf_random_next(&random);
        int64_t second = 1700000000 + i * 3607;
        bool has_amount = bits % 11 != 0, has_limit = bits % 13 != 0;
        double amount = (double)((int64_t)(bits >> 8 & 0xffff) - 0x2000) / 256.0, limit = (double)(bits >> 32 & 7) - 2;
        bool is_fraud = second / 3600 % 24 < 6 ? amount > 20 : amount < 0;
        char amounts[40], limits[40];
        snprintf(amounts, sizeof amounts, "%.17g", amount);
        snprintf(limits, sizeof limits, "%g", limit);
        if (!has_amount) {
            strcpy(amounts, form == CSV ? "" : "null");
        }
        if (!has_limit) {
            strcpy(limits, form == CSV ? "NA" : "null");
        }
        const char *format = form == CSV ? "%lld.%03d,%s,%s,%d" : "{\"at\":%lld.%03d,\"amount\":%s,\"limit\":%s,\"y\":%d";
        fprintf(file, format, (long long)second, i % 1000, amounts, limits, is_fraud);
        if (form == READY) {
            add_ready(file, second, amount, has_amount, limit, has_limit);
        }
        fputs(form == CSV ? "\n" : "}\n", file);
    }
    assert_int_equal(fclose(file), 0);
}

static void make_file(char *path) {
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
}

struct run {
    uint64_t learned;
    uint8_t model_sha256[RF_SHA256_SIZE]; // of settings and state
    uint8_t state_sha256[RF_SHA256_SIZE]; // of the state alone
};

static struct run evaluate(enum form form) {
    char data[] = "/tmp/riffle-derived-XXXXXX", path[] = "/tmp/riffle-derived-XXXXXX";
    make_file(data);
    make_file(path);
    write_data(data, form);
    FILE *settings = fopen(path, "w");
    assert_non_null(settings);
    fprintf(settings, "name: test\nsource: {file: '%s', format: %s}\nfeatures: {%s}\nlearner: {type: linear, hash_bits: 12}\n",
            data, form == CSV ? "csv" : "json", form == READY ? ready : derived);
    assert_int_equal(fclose(settings), 0);
    struct rf_assembly assembly;
    struct rf_source *source;
    struct rf_texts columns;
    struct rf_pipeline *pipeline;
    struct rf_error err = {0};
    struct run run;
    static const uint8_t no_settings[RF_SHA256_SIZE];
    if (rf_assembly_init(path, NULL, 0, &assembly, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(rf_assembly_source(&assembly, true, &source, &columns, &err), RF_OK);
    assert_int_equal(rf_assembly_pipeline(&assembly, &columns, &pipeline, &err), RF_OK);
    assert_int_equal(rf_evaluate(pipeline, source, NULL, &err), RF_OK);
    assert_int_equal(rf_pipeline_counts(pipeline)->rejected, 0);
    run.learned = rf_pipeline_counts(pipeline)->learned;
    rf_assembly_model_sha256(&assembly, pipeline, run.model_sha256);
    rf_model_sha256(no_settings, rf_pipeline_state(pipeline), run.state_sha256);
    rf_pipeline_destroy(pipeline);
    rf_source_destroy(source);
    rf_assembly_columns_finish(&columns);
    rf_assembly_finish(&assembly);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(data), 0);
    return run;
}

static void derived_features_are_those_that_a_file_could_hold(void **state) {
    (void)state;
    struct run json = evaluate(JSON), csv = evaluate(CSV), ready_made = evaluate(READY);
    assert_int_equal(json.learned, RECORDS);
    assert_int_equal(csv.learned, RECORDS);
    assert_int_equal(ready_made.learned, RECORDS);
    assert_memory_equal(json.model_sha256, csv.model_sha256, RF_SHA256_SIZE);
    assert_memory_equal(json.state_sha256, ready_made.state_sha256, RF_SHA256_SIZE);
    assert_memory_not_equal(json.model_sha256, ready_made.model_sha256, RF_SHA256_SIZE); // the settings differ
}

static enum rf_status read_settings(const char *features, struct rf_settings *settings_out, struct rf_error *err) {
    char text[1024];
    int size = snprintf(text, sizeof text, "name: test\nsource: {topics: [t]}\nkafka: {bootstrap.servers: h}\nfeatures: {%s}\n",
                        features);
    return rf_settings_read("f.yaml", (struct rf_text){text, (size_t)size}, NULL, 0, settings_out, err);
}

static char *specification(const char *features) {
    struct rf_settings settings;
    struct rf_error err = {0};
    assert_int_equal(read_settings(features, &settings, &err), RF_OK);
    char *text = rf_specification_text(rf_settings_table, &settings);
    assert_non_null(text);
    rf_settings_finish(&settings);
    return text;
}

static void derived_features_are_part_of_the_specification(void **state) {
    (void)state;
    char *none = specification("numbers: [a]");
    char *log = specification("numbers: [a], derived: [log: {field: a}]");
    char *other = specification("numbers: [a], derived: [bucket: {field: a, bounds: [1, 2.5]}]");
    char *hour = specification("numbers: [a], derived: [hour]");
    char *moved = specification("numbers: [a], derived: [hour: {utc_offset: -03:30}]");
    assert_non_null(strstr(log, "features.derived[0] = \"log\"\nfeatures.derived[0].field = \"a\"\n"));
    assert_non_null(strstr(other, "features.derived[0].bounds[] = 1\nfeatures.derived[0].bounds[] = 2.5\n"));
    const struct {
        const char *before, *after, *sentence;
    } cases[] = {
            {none, log, "features.derived[0] was not set, is \"log\""},
            {log, none, "features.derived[0] was \"log\", is not set"},
            {log, other, "features.derived[0] was \"log\", is \"bucket\""},
            {hour, moved, "features.derived[0].utc_offset was \"+00:00\", is \"-03:30\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_error err = {0};
        assert_int_equal(rf_specification_compare(cases[i].before, cases[i].after, rf_settings_table, &err),
                         RF_SPECIFICATION_BREAKING);
        assert_string_equal(err.text, cases[i].sentence);
    }
    free(none);
    free(log);
    free(other);
    free(hour);
    free(moved);
}

static void refuses(const char *features, const char *sentence) {
    struct rf_settings settings;
    struct rf_error err = {0};
    if (read_settings(features, &settings, &err) != RF_INVALID || !strstr(err.text, sentence)) {
        fail_msg("{%s} is taken, or refused with\n  %s\n  instead of %s", features, err.text, sentence);
    }
}

static void settings_refuse_derived_features_that_are_none(void **state) {
    (void)state;
    refuses("derived: [hourly]", "features.derived.0 is \"hourly\", must be hour, weekday, night, log, ratio or bucket, did you "
                                 "mean \"hour\"?");
    refuses("derived: {hour: {}}", "features.derived is a map, must be a list, as in [hour: {...}]");
    refuses("derived: [weekday, log]", "features.derived.1.log.field is missing: field of the number");
    refuses("derived: [ratio: {field: a}]", "features.derived.0.ratio.by is missing: field of the number it is divided by");
    refuses("derived: [hour: {of: a}]", "unknown setting \"features.derived.0.hour.of\"");
    refuses("derived: [night: {from: 24}]", "features.derived.0.night.from is \"24\", must be a whole number from 0 to 23");
    refuses("derived: [bucket: {field: a, bounds: [low]}]", "features.derived.0.bucket.bounds.0 is \"low\", must be a number");
    refuses("derived: [hour: {unit: min}]", "features.derived.0.hour.unit is \"min\", must be ms, s or us");
    refuses("time_unit: ns", "features.time_unit is \"ns\", must be ms, s or us");
}

static void settings_ask_for_an_event_time_where_records_have_none(void **state) {
    (void)state;
    static const struct {
        const char *features, *sentence;
    } cases[] = {
            {"derived: [log: {field: a}, night]",
             "f.yaml: features.derived.1.night is of the event time, but records of a file have none, must have a field, or "
             "features.time must name one"},
            {"derived: [hour: {field: t}, log: {field: a}]", NULL},
            {"derived: [hour], time: t", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        int size = snprintf(text, sizeof text, "name: test\nsource: {file: f}\nfeatures: {%s}\n", cases[i].features);
        struct rf_settings settings;
        struct rf_error err = {0};
        enum rf_status status = rf_settings_read("f.yaml", (struct rf_text){text, (size_t)size}, NULL, 0, &settings, &err);
        assert_int_equal(status, cases[i].sentence ? RF_INVALID : RF_OK);
        if (cases[i].sentence) {
            assert_string_equal(err.text, cases[i].sentence);
        } else {
            rf_settings_finish(&settings);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(derived_features_are_those_that_a_file_could_hold),
            cmocka_unit_test(derived_features_are_part_of_the_specification),
            cmocka_unit_test(settings_refuse_derived_features_that_are_none),
            cmocka_unit_test(settings_ask_for_an_event_time_where_records_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
