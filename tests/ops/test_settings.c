#include "ops/settings.h"

#include "ops/config.h"
#include "ops/specification.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The least a file must say.
static const char least[] = "name: fraud\nkafka: {bootstrap.servers: embedded, group.id: fraud}\nsource: {topics: [cards]}\n";

static void accept(const char *text, const char *const *sets, size_t set_count, struct rf_settings *settings) {
    struct rf_error err = {0};
    if (rf_settings_read("fraud.yaml", rf_text_of(text), sets, set_count, settings, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

static void refuse(const char *text, const char *sentence) {
    struct rf_settings settings;
    struct rf_error err = {0};
    assert_int_equal(rf_settings_read("fraud.yaml", rf_text_of(text), NULL, 0, &settings, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
}

// Lays one --set over the least file.
static void refuse_set(const char *set, const char *sentence) {
    struct rf_settings settings;
    struct rf_error err = {0};
    assert_int_equal(rf_settings_read("fraud.yaml", rf_text_of(least), &set, 1, &settings, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
}

static void settings_refuse_sinks_that_cannot_be_opened(void **state) {
    (void)state;
    static const struct {
        const char *sink, *sentence;
    } cases[] = {
            {"{}", "publish and push are not set, must be one of the two"},
            {"{publish: 'tcp://*:1', push: 'tcp://*:2'}", "publish and push are both set, must be one of the two"},
            {"{publish: 'tcp://*:1', confirm: 'tcp://*:2'}",
             "confirm is set beside publish, must stand beside push: only its readers confirm"},
            {"{push: nonsense}", "endpoint is nonsense, must be tcp://ADDRESS:PORT or ipc://PATH"},
            {"{push: 'tcp://*:1', confirm: 'tcp://*:99999'}",
             "endpoint is tcp://*:99999, must be tcp://ADDRESS:PORT or ipc://PATH"},
    };
    char text[256], sentence[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "name: a\nsource: {file: b}\nsinks: [{zeromq: %s}]", cases[i].sink);
        snprintf(sentence, sizeof sentence, "fraud.yaml: sinks.0: zeromq: %s", cases[i].sentence);
        refuse(text, sentence);
    }
}

static void settings_have_defaults_for_all_but_name_and_source(void **state) {
    (void)state;
    struct rf_settings settings;
    accept(least, NULL, 0, &settings);
    assert_string_equal(settings.name, "fraud");
    assert_int_equal(settings.seed, 1);
    assert_true(settings.is_embedded);
    assert_int_equal(settings.start, RF_START_EARLIEST);
    assert_string_equal(rf_settings_decoder(&settings)->name, "json");
    assert_string_equal(settings.source.delimiter, ",");
    assert_string_equal(settings.embedded.stream, "cards");
    assert_int_equal(settings.embedded.records, 0);
    assert_int_equal(settings.embedded.partitions, 4);
    assert_string_equal(settings.learner.kind->name, "linear");
    assert_string_equal(settings.snapshots.directory, "state");
    assert_int_equal(settings.snapshots.every.records, 0);
    assert_true(settings.snapshots.every.seconds == 10);
    assert_int_equal(settings.snapshots.keep, 8);
    assert_null(settings.snapshots.clone.publish);
    assert_int_equal(settings.sinks.count, 0);
    assert_int_equal(settings.worker.log, RF_LOG_LOGFMT);
    assert_int_equal(settings.worker.log_level, RF_LOG_INFO);
    assert_int_equal(settings.worker.batch_records, 1024);
    assert_int_equal(settings.worker.batch_bytes, 1 << 20);
    assert_int_equal(settings.worker.batches, 4);
    assert_true(settings.worker.shutdown_seconds == 30);
    assert_int_equal(settings.worker.kernels, RF_KERNELS_AUTO);
    assert_string_equal(rf_settings_kafka(&settings, "group.id"), "fraud");
    assert_null(rf_settings_kafka(&settings, "acks"));
    rf_settings_finish(&settings);
}

static void settings_read_a_whole_file(void **state) {
    (void)state;
    struct rf_settings settings;
    accept("name: fraud\n"
           "kafka: {bootstrap.servers: 'localhost:9092', group.id: fraud}\n"
           "source: {topics: [transactions], format: csv, columns: [a, b], delimiter: \"\\t\", start: '2026-11-22T08:30:00Z'}\n"
           "rejected: {topic: transactions.rejected}\n"
           "features: {id: transaction, time: at, label: fraud, numbers: [amount], categories: [customer, terminal]}\n"
           "learner: {type: linear}\n"
           "snapshots: {directory: /var/lib/riffle, every: {records: 100000, seconds: 0}, keep: 1}\n"
           "sinks:\n"
           "  - zeromq: {publish: 'tcp://127.0.0.1:5555'}\n"
           "  - kafka: {topic: scores}\n"
           "worker: {log: json, log_level: debug, kernels: baseline}\n",
           NULL, 0, &settings);
    assert_false(settings.is_embedded);
    assert_int_equal(settings.start, RF_START_TIME);
    assert_true(settings.start_time_ms == 1795336200000);
    assert_string_equal(rf_settings_decoder(&settings)->name, "csv");
    assert_string_equal(settings.source.delimiter, "\t");
    assert_string_equal(settings.rejected.topic, "transactions.rejected");
    assert_int_equal(settings.features.categories.count, 2);
    assert_int_equal(settings.sinks.count, 2);
    assert_int_equal(settings.worker.log, RF_LOG_JSON);
    assert_int_equal(settings.worker.log_level, RF_LOG_DEBUG);
    assert_int_equal(settings.worker.kernels, RF_KERNELS_BASELINE);
    rf_settings_finish(&settings);
}

static void settings_take_fields_from_beside_the_value(void **state) {
    (void)state;
    static const char *const sets[] = {"source.fields.customer=key", "source.fields.channel=header.channel"};
    struct rf_settings settings;
    accept(least, sets, 2, &settings);
    assert_int_equal(settings.source.fields.count, 2);
    assert_string_equal(settings.source.fields.list[1].name, "channel");
    assert_string_equal(settings.source.fields.list[1].value, "header.channel");
    rf_settings_finish(&settings);
    refuse_set("source.fields.customer=kye", "fraud.yaml: source.fields.customer is \"kye\", must be key, key.int32, key.int64, "
                                             "header.NAME or timestamp");
    refuse("name: fraud\nsource: {file: a.json, fields: {customer: key}}\n",
           "fraud.yaml: source.fields.customer is key, but records of a file are values alone");
}

static void settings_take_envelopes_off(void **state) {
    (void)state;
    struct rf_settings settings;
    accept("name: fraud\nsource: {file: a.bin, format: protobuf, envelope: cloudevents}\n", NULL, 0, &settings);
    assert_int_equal(settings.source.envelope, RF_ENVELOPE_CLOUDEVENTS);
    assert_string_equal(rf_settings_decoder(&settings)->name, "protobuf");
    assert_string_equal(rf_settings_file_format(&settings)->name, "json"); // an event a line
    rf_settings_finish(&settings);
    refuse("name: fraud\nsource: {file: a.json, format: csv, envelope: cloudevents}\n",
           "fraud.yaml: source.columns is missing, must name the columns: csv records of an envelope do not");
    refuse("name: fraud\nkafka: {bootstrap.servers: 'a:1'}\n"
           "source: {topics: [t], envelope: cloudevents, fields: {ce_id: key}}\n",
           "fraud.yaml: source.fields.ce_id has the name of an attribute of CloudEvents, must have another");
    refuse("name: fraud\nkafka: {bootstrap.servers: embedded}\nsource: {topics: [t], envelope: cloudevents}\n",
           "fraud.yaml: source.envelope is cloudevents, but records of the embedded broker have none");
    refuse("name: fraud\nsource: {file: a.bin, format: json, envelope: cloudevents, framing: confluent}\n",
           "fraud.yaml: source.framing is confluent, but an event in a file is in structured mode, without framing");
}

static void settings_of_the_embedded_broker_may_stay_for_a_real_one(void **state) {
    (void)state;
    static const char *const sets[] = {"embedded.stream=other", "kafka.bootstrap.servers=host:9092"};
    struct rf_settings settings;
    accept(least, sets, 2, &settings);
    assert_false(settings.is_embedded);
    rf_settings_finish(&settings);
    refuse_set("embedded.stream=other",
               "fraud.yaml: embedded.stream is \"other\", must be a stream that riffle generate knows, as cards");
}

static void settings_refuse_names_that_are_no_file_names(void **state) {
    (void)state;
    static const char *const names[] = {"a b", "a/b", "", ".", "..", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char set[64];
        char sentence[200];
        snprintf(set, sizeof set, "name='%s'", names[i]);
        snprintf(sentence, sizeof sentence,
                 "fraud.yaml: name is \"%s\", must be 1 to 100 letters, digits, dots, underscores and dashes", names[i]);
        refuse_set(set, sentence);
    }
    refuse("source: {file: a}", "fraud.yaml:1:1: name is missing: of the model, its files and its topics");
}

static void settings_want_one_source(void **state) {
    (void)state;
    refuse("name: a", "fraud.yaml: source has neither topics nor file, must have one of the two");
    refuse_set("source.file=a", "fraud.yaml: source has topics and file, must have one of the two");
    refuse("name: a\nsource: {file: ''}", "fraud.yaml: source.file is empty, must be a path or -");
    refuse_set("source.topics=[a, a]", "fraud.yaml: source.topics names \"a\" twice, must name it once");
    refuse_set("source.topics=[a, '']", "fraud.yaml: source.topics.1 is empty, must be the name of a topic");
    refuse("name: a\nsource: {topics: [b]}",
           "fraud.yaml: kafka.bootstrap.servers is missing, must name the brokers of source.topics or be embedded");
}

static void history_is_read_once_and_before(void **state) {
    (void)state;
    refuse_set("source.history.files=[a, a]", "fraud.yaml: source.history.files names \"a\" twice, must name it once");
    refuse_set("source.history.topics=['']", "fraud.yaml: source.history.topics.0 is empty, must be the name of a topic");
    refuse_set("source.history.files=['-']", "fraud.yaml: source.history.files names standard input, must name files");
    refuse("name: a\nsource: {file: b, history: {files: [b]}}",
           "fraud.yaml: source.history.files names \"b\", which is read a second time");
    refuse("name: a\nkafka: {bootstrap.servers: x}\nsource: {topics: [b], history: {topics: [c, b]}}",
           "fraud.yaml: source.history.topics names \"b\", which is read a second time");
    refuse("name: a\nkafka: {bootstrap.servers: embedded}\nsource: {topics: [b], history: {topics: [c]}}",
           "fraud.yaml: source.history.topics is given, but the embedded broker holds source.topics alone");
    refuse("name: a\nsource: {file: b, history: {topics: [c]}}",
           "fraud.yaml: kafka.bootstrap.servers is missing, must name the brokers of source.history.topics");
    refuse("name: a\nsource: {file: b, on_offset_lost: latest}",
           "fraud.yaml: source.on_offset_lost is latest, must be fail or earliest for a file");
}

static void settings_check_what_goes_with_a_format(void **state) {
    (void)state;
    refuse_set("source.format=csv",
               "fraud.yaml: source.columns is missing, must name the columns: csv records of a topic do not");
    refuse_set("source.columns=[a]", "fraud.yaml: source.columns is given with format json, must be with csv alone");
    refuse_set("source.format=xml",
               "--set source.format: source.format is \"xml\", must be json, csv, vw, libsvm, protobuf or avro");
    refuse_set(
            "source.format=avro",
            "fraud.yaml: source.avro.schema is missing, must name the file of the schema, or source.registry where schemas are "
            "asked for: such avro records do not bring theirs");
    refuse_set("source.avro.schema=a.avsc", "fraud.yaml: source.avro.schema is given with format json, must be with avro alone");
    refuse_set("source.delimiter=ab",
               "fraud.yaml: source.delimiter is \"ab\", must be one ASCII character that is no quote and no line end, or tab");
    refuse_set("source.delimiter=''",
               "fraud.yaml: source.delimiter is \"\", must be one ASCII character that is no quote and no line end, or tab");
}

static void settings_check_how_csv_is_written(void **state) {
    (void)state;
    static const char head[] = "name: a\nsource: {file: b, format: csv, ";
    static const struct {
        const char *source, *sentence;
    } cases[] = {
            {"csv: {decimal: ','}}", "source.delimiter and source.csv.decimal are both \",\", must differ"},
            {"csv: {quote: ';'}, delimiter: ;}", "source.delimiter and source.csv.quote are both \";\", must differ"},
            {"csv: {header: skip}}", "source.csv.header is skip without source.columns, must stand beside names of the columns"},
    };
    char text[256], sentence[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "%s%s", head, cases[i].source);
        snprintf(sentence, sizeof sentence, "fraud.yaml: %s", cases[i].sentence);
        refuse(text, sentence);
    }
    refuse("name: a\nsource: {file: b, delimiter: tab}",
           "fraud.yaml: source.csv or source.delimiter is given with format json, must be with csv alone");
    struct rf_settings settings;
    accept("name: a\nsource: {file: b, format: csv, delimiter: tab, columns: [x],"
           " csv: {quote: none, escape: '\\', control_escapes: true, null: ['\\N', ''], header: skip}}",
           NULL, 0, &settings);
    assert_int_equal(settings.dialect.delimiter, '\t');
    assert_int_equal(settings.dialect.quote, RF_CSV_NONE);
    assert_int_equal(settings.dialect.escape, '\\');
    assert_true(settings.dialect.has_control_escapes);
    assert_int_equal(settings.dialect.nulls.count, 2);
    assert_string_equal(settings.dialect.nulls.list[0], "\\N");
    rf_settings_finish(&settings);
}

static void settings_know_where_to_start(void **state) {
    (void)state;
    refuse_set("source.start=yesterday",
               "fraud.yaml: source.start is \"yesterday\", must be earliest, latest or a time as in 2026-11-22T08:30:00Z");
    refuse("name: a\nsource: {file: b, start: latest}", "fraud.yaml: source.start is \"latest\", must be earliest for a file");
    static const char *const sets[] = {"source.start=latest"};
    struct rf_settings settings;
    accept(least, sets, 1, &settings);
    assert_int_equal(settings.start, RF_START_LATEST);
    rf_settings_finish(&settings);
}

static void settings_of_features_are_shown_where_they_stand(void **state) {
    (void)state;
    refuse_set("features.ngrams=9", "--set features.ngrams: features.ngrams is \"9\", must be a whole number from 1 to 8");
    refuse_set("features.skips=5", "--set features.skips: features.skips is \"5\", must be a whole number from 0 to 4");
    refuse_set("features.missing=drop", "--set features.missing: features.missing is \"drop\", must be ignore or indicator");
    refuse_set("features.buckets.0.width=2",
               "--set features.buckets.0.width: features.buckets.0.field is missing: field of the number");
    refuse_set("features.buckets=[{field: a, kind: soft}]",
               "--set features.buckets: features.buckets.0.kind is \"soft\", must be hard or interpolated");
    refuse_set("features.vector.size=65537",
               "--set features.vector.size: features.vector.size is \"65537\", must be a whole number from 0 to 65536");
    refuse_set("features.vector.divide=0",
               "--set features.vector.divide: features.vector.divide is \"0\", must be a number from 1e-30 to 1e30");
    refuse_set("features.crosses=[a]",
               "--set features.crosses: features.crosses.0 is \"a\", must be a list of texts, as in [a, b]");
}

static void settings_bound_the_worker(void **state) {
    (void)state;
    refuse_set("worker.batch_records=0",
               "--set worker.batch_records: worker.batch_records is \"0\", must be a whole number from 1 to 65536");
    refuse_set("snapshots.keep=0", "--set snapshots.keep: snapshots.keep is \"0\", must be a whole number from 1 to 100000");
    refuse_set("snapshots.directory=''", "fraud.yaml: snapshots.directory is empty, must be a folder");
    refuse_set("worker.log_level=loud",
               "--set worker.log_level: worker.log_level is \"loud\", must be debug, info, warn or error");
}

// Reads the defaults of every kind of every family: a default out of bounds would show here.
static void try_kinds(const char *path, const struct rf_variant *variants) {
    for (const struct rf_variant *kind = variants; kind->name; kind++) {
        char set[100];
        snprintf(set, sizeof set, "%s=%s", path, kind->name);
        const char *sets[] = {set};
        struct rf_settings settings;
        struct rf_error err = {0};
        if (rf_settings_read("fraud.yaml", rf_text_of(least), sets, 1, &settings, &err) == RF_OK) {
            rf_settings_finish(&settings);
        } else {
            assert_true(strstr(err.text, " is missing: ") || strstr(err.text, " are not set, must be one of the two"));
        }
    }
}

// What is held out changes what is learned; how many records there are figures of does not.
static void a_holdout_is_of_the_model_and_a_window_is_not(void **state) {
    (void)state;
    static const char *const sets[] = {"evaluation.window=0", "evaluation.holdout=0.1"};
    static const enum rf_specification_change expected[] = {RF_SPECIFICATION_SAME, RF_SPECIFICATION_BREAKING};
    struct rf_settings before, after;
    struct rf_error err;
    accept(least, NULL, 0, &before);
    assert_int_equal(before.evaluation.window, 1000);
    assert_true(before.evaluation.holdout == 0);
    char *old = rf_specification_text(rf_settings_table, &before);
    for (size_t i = 0; i < 2; i++) {
        accept(least, &sets[i], 1, &after);
        char *new = rf_specification_text(rf_settings_table, &after);
        assert_int_equal(rf_specification_compare(old, new, rf_settings_table, &err), expected[i]);
        free(new);
        rf_settings_finish(&after);
    }
    assert_string_equal(err.text, "evaluation.holdout was 0, is 0.1");
    // A snapshot from before there was a holdout goes on.
    char *line = strstr(old, "evaluation.holdout = 0\n");
    char *rest = line + strlen("evaluation.holdout = 0\n");
    char *new = strdup(old);
    memmove(line, rest, strlen(rest) + 1);
    assert_int_equal(rf_specification_compare(old, new, rf_settings_table, &err), RF_SPECIFICATION_COMPATIBLE);
    free(new);
    free(old);
    rf_settings_finish(&before);
    refuse_set("evaluation.holdout=1", "--set evaluation.holdout: evaluation.holdout is \"1\", must be a number from 0 to 0.99");
    refuse_set("evaluation.window=100001",
               "--set evaluation.window: evaluation.window is \"100001\", must be a whole number from 0 to 100000");
}

static void settings_have_sound_defaults_in_every_kind(void **state) {
    (void)state;
    for (const struct rf_setting *row = rf_settings_table; row->name; row++) {
        if (row->type == RF_TYPE_VARIANT) {
            try_kinds(row->name, row->variants);
        } else if (row->type == RF_TYPE_VARIANTS) {
            char path[100];
            snprintf(path, sizeof path, "%s.0", row->name);
            try_kinds(path, row->variants);
        }
    }
}

// docs/SETTINGS.md against the tables. With RIFFLE_WRITE_SETTINGS set it is written instead.
static void settings_are_what_their_document_says(void **state) {
    (void)state;
    static const char path[] = RF_ROOT "/docs/SETTINGS.md";
    char *wanted = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&wanted, &size);
    rf_settings_markdown(file);
    fclose(file);
    if (getenv("RIFFLE_WRITE_SETTINGS")) {
        file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(wanted, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
    }
    file = fopen(path, "r");
    assert_non_null(file);
    char *found = malloc(size + 2);
    assert_non_null(found);
    size_t found_size = fread(found, 1, size + 1, file);
    fclose(file);
    if (found_size != size || memcmp(found, wanted, size) != 0) {
        fail_msg("docs/SETTINGS.md is stale: write it anew with riffle settings --markdown > docs/SETTINGS.md");
    }
    free(found);
    free(wanted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(settings_refuse_sinks_that_cannot_be_opened),
            cmocka_unit_test(settings_have_defaults_for_all_but_name_and_source),
            cmocka_unit_test(settings_read_a_whole_file),
            cmocka_unit_test(settings_take_fields_from_beside_the_value),
            cmocka_unit_test(settings_take_envelopes_off),
            cmocka_unit_test(settings_of_the_embedded_broker_may_stay_for_a_real_one),
            cmocka_unit_test(settings_refuse_names_that_are_no_file_names),
            cmocka_unit_test(settings_want_one_source),
            cmocka_unit_test(history_is_read_once_and_before),
            cmocka_unit_test(settings_check_what_goes_with_a_format),
            cmocka_unit_test(settings_check_how_csv_is_written),
            cmocka_unit_test(settings_know_where_to_start),
            cmocka_unit_test(settings_of_features_are_shown_where_they_stand),
            cmocka_unit_test(settings_bound_the_worker),
            cmocka_unit_test(a_holdout_is_of_the_model_and_a_window_is_not),
            cmocka_unit_test(settings_have_sound_defaults_in_every_kind),
            cmocka_unit_test(settings_are_what_their_document_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
