// Compares the decoder of users' own messages with Python's protobuf on many random messages: merged, in any order, with unknown
// fields, and damaged.
#include "ingest/derived.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGES = 5000, LINE_SIZE_MAX = 1 << 20, MESSAGE_SIZE_MAX = 1 << 18 };

static char *numbers[] = {
        "double_value",   "float_value",      "int32_value", "sint32_value", "fixed32_value",   "sfixed64_value",
        "took",           "inner.number",     "inner.share", "counts.a",     "counts.x.y",      "inners.1.number",
        "packed.1",       "choice_number",    "old.number",  "inner.c.b",    "by_name.k.share", "inner.inner.number",
        "wrapped_double", "inners.0.wrapped",
};
static char *categories[] = {
        "int64_value",
        "uint32_value",
        "sint64_value",
        "fixed64_value",
        "sfixed32_value",
        "bool_value",
        "string_value",
        "bytes_value",
        "colour",
        "optional_int32",
        "optional_string",
        "optional_bool",
        "optional_colour",
        "packed",
        "unpacked",
        "strings",
        "strings.0",
        "colours",
        "colours.2",
        "many_bytes",
        "inner.text",
        "inner.tags",
        "inner.colour",
        "inners.text",
        "inners.tags",
        "inners.inner.text",
        "inners.inners.text",
        "inners.0.text",
        "inners.0.inners.1.text",
        "attrs.a",
        "attrs.x.y",
        "by_name.a.text",
        "by_name.k.inner.tags",
        "colour_of.b",
        "choice_text",
        "choice_inner.text",
        "choice_inner.tags",
        "choice_inner.a",
        "choice_bool",
        "wrapped_uint64",
        "wrapped_string",
        "wrapped_bool",
        "wrapped_bytes",
        "wrapped_many",
        "old.text",
        "old.packed",
        "old.unpacked",
        "fixed",
        "far_away",
        "inners.a",
        "inners.c.text",
        "inners.b",
        "inner.a",
        "by_name.b.inners.number",
};
static char *derived_times[] = {"choice_time", "time_of.a", "inner.at", "moments.1"};
static char id_name[] = "uint64_value", time_name[] = "at";
static struct rf_derived_options derived[4];
static struct rf_variant_value derived_values[4];

static struct rf_feature_options features(void) {
    for (size_t i = 0; i < 4; i++) {
        static char *names[] = {"d0", "d1", "d2", "d3"};
        derived[i] = (struct rf_derived_options){.name = names[i], .field = derived_times[i]};
        derived_values[i] = (struct rf_variant_value){&rf_derived_kinds[0], &derived[i]};
    }
    return (struct rf_feature_options){
            .id = id_name,
            .time = time_name,
            .numbers = {numbers, sizeof numbers / sizeof *numbers},
            .categories = {categories, sizeof categories / sizeof *categories},
            .derived = {derived_values, 4},
    };
}

static struct rf_text read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return (struct rf_text){bytes, size};
}

// One value as the oracle writes it; returns where it ends.
static const char *check_value(const char *at, const struct rf_value *value, const char *line) {
    const char *text = at + 1;
    size_t size = strcspn(at, ", \n");
    if (value->type == RF_VALUE_NUMBER) {
        char *end;
        assert_int_equal(*at, 'n');
        if (strtod(text, &end) != value->number || *end != '/') {
            fail_msg("%.15g at %.60s of %.200s", value->number, at, line);
        }
        size_t digits = size - (size_t)(end + 1 - at);
        if (value->text.data) {
            assert_int_equal(digits, value->text.size);
            assert_memory_equal(end + 1, value->text.data, digits);
        }
    } else if (value->type == RF_VALUE_BOOL) {
        assert_memory_equal(at, value->number != 0 ? "true" : "false", size);
    } else {
        assert_int_equal(value->type, RF_VALUE_TEXT);
        assert_int_equal(*at, 't');
        assert_int_equal(size - 1, 2 * value->text.size);
        for (size_t i = 0; i < value->text.size; i++) {
            char byte[3];
            snprintf(byte, sizeof byte, "%02x", (unsigned char)value->text.data[i]);
            assert_memory_equal(text + 2 * i, byte, 2);
        }
    }
    return at + size;
}

static void check_field(const struct rf_event *event, struct rf_text name, const char *line) {
    char begin[64];
    snprintf(begin, sizeof begin, " %.*s=", (int)name.size, name.data);
    const char *at = strstr(line, begin);
    at = at ? at + strlen(begin) : NULL;
    for (size_t i = 0; i < event->count; i++) {
        const struct rf_field *field = &event->fields[i];
        if (!rf_text_equal(field->name, name) || field->value.type == RF_VALUE_NULL) {
            continue;
        }
        if (!at) {
            fail_msg("%s is not in %.2000s", begin, line);
        }
        at = check_value(at, &field->value, line);
        at += *at == ',';
    }
    if (at && *at != ' ' && *at != '\n') {
        fail_msg("%s lacks %.60s of %.2000s", begin, at, line);
    }
}

static void check_message(struct decode_fixture *fixture, struct rf_text bytes, const char *line) {
    struct rf_record record = {.value = bytes, .timestamp_ms = -1};
    rf_arena_reset(&fixture->arena);
    enum rf_status status = rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error);
    bool is_damaged = strncmp(line, "damaged", 7) == 0, is_refused = strncmp(line, "refused", 7) == 0;
    if (strncmp(line, "bad", 3) == 0) {
        return; // what is not read is not looked into
    }
    // Python takes texts of proto2 that are not UTF-8, and numbers of fields beyond the largest one; what both take is the same.
    if (status ? !is_refused && !is_damaged : is_refused) {
        fail_msg("%s: %s", status ? fixture->error.detail : "taken", line);
    }
    for (uint32_t i = 0; i < rf_schema_count(fixture->schema) && !status; i++) {
        check_field(&fixture->event, rf_schema_field(fixture->schema, i)->name, line);
    }
}

static void write_paths(const struct rf_schema *schema, const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        if (!(field->roles & RF_ROLE_DERIVED)) {
            fprintf(file, "%.*s\n", (int)field->name.size, field->name.data);
        }
    }
    fclose(file);
}

static void protobuf_agrees_with_python_on_random_messages(void **state) {
    (void)state;
    struct decode_fixture fixture;
    struct rf_text descriptors = read_file(RICH_DESCRIPTORS);
    const struct rf_feature_options options = features();
    fixture_init(&fixture, "protobuf", &options,
                 &(struct rf_decoder_options){.protobuf_message = "rich.v1.Rich", .protobuf_descriptors = descriptors});
    char folder[] = "/tmp/riffle-protobuf-XXXXXX", command[1024], paths[64], messages[64], answers[64];
    assert_non_null(mkdtemp(folder));
    snprintf(paths, sizeof paths, "%s/paths", folder);
    snprintf(messages, sizeof messages, "%s/messages", folder);
    snprintf(answers, sizeof answers, "%s/answers", folder);
    write_paths(fixture.schema, paths);
    snprintf(command, sizeof command, "/usr/bin/python3 %s/protobuf_oracle.py %s %d %s <%s >%s 2>%s/errors", ORACLE_FOLDER,
             ORACLE_FOLDER, MESSAGES, messages, paths, answers, folder);
    assert_int_equal(system(command), 0);

    char *line = malloc(LINE_SIZE_MAX), *message = malloc(MESSAGE_SIZE_MAX);
    FILE *records = fopen(messages, "rb"), *lines = fopen(answers, "r");
    assert_true(line && message && records && lines);
    for (int i = 0; i < MESSAGES; i++) {
        assert_non_null(fgets(line, LINE_SIZE_MAX, records));
        size_t size = strtoul(line, NULL, 10);
        assert_true(size <= MESSAGE_SIZE_MAX && fread(message, 1, size, records) == size);
        assert_non_null(fgets(line, LINE_SIZE_MAX, lines));
        check_message(&fixture, (struct rf_text){message, size}, line);
    }
    fclose(records);
    fclose(lines);
    free(line);
    free(message);
    free((char *)descriptors.data);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    fixture_finish(&fixture);
}

int main(void) {
    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null && which protoc >/dev/null") != 0) {
        printf("skipped: there is no /usr/bin/python3 with protobuf, or no protoc, to compare with\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(protobuf_agrees_with_python_on_random_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
