#include "tests/ingest/decode_fixture.h"

#include "proto/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void fixture_init(struct decode_fixture *fixture, const char *format, const struct rf_feature_options *features,
                  const struct rf_decoder_options *options) {
    *fixture = (struct decode_fixture){0};
    struct rf_error err = {0};
    if (rf_schema_create(features, rf_hash_key_of_seed(1), &fixture->schema, &err) ||
        rf_decoder_create(rf_decoder_find(format), fixture->schema, options, &fixture->decoder, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(rf_arena_init(&fixture->arena, 4 << 20, &err), RF_OK);
}

void fixture_finish(struct decode_fixture *fixture) {
    rf_decoder_destroy(fixture->decoder);
    rf_schema_destroy(fixture->schema);
    rf_arena_finish(&fixture->arena);
}

static void say(struct decode_fixture *fixture, const char *format, ...) RF_PRINTF(2, 3);
static void say(struct decode_fixture *fixture, const char *format, ...) {
    size_t used = strlen(fixture->words);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fixture->words + used, sizeof fixture->words - used, format, arguments);
    va_end(arguments);
}

static void say_field(struct decode_fixture *fixture, const struct rf_field *field) {
    const struct rf_value *value = &field->value;
    assert_int_equal(field->hash, rf_hash(rf_schema_key(fixture->schema), field->name.data, field->name.size));
    assert_int_equal(field->index, rf_schema_find(fixture->schema, field->name));
    say(fixture, "%s%.*s=", fixture->words[0] ? " " : "", (int)field->name.size, field->name.data);
    switch (value->type) {
    case RF_VALUE_NULL:
        say(fixture, "null");
        break;
    case RF_VALUE_BOOL:
        assert_true(rf_text_equal(value->text, rf_text_of(value->number != 0 ? "true" : "false")));
        say(fixture, "%s", value->number != 0 ? "true" : "false");
        break;
    case RF_VALUE_NUMBER:
        say(fixture, "%.15g", value->number);
        break;
    case RF_VALUE_LIST:
        say(fixture, "%.*s", (int)value->text.size, value->text.data);
        break;
    case RF_VALUE_FLOATS:
        for (size_t i = 0; i < value->text.size; i += sizeof(float)) {
            float number;
            memcpy(&number, value->text.data + i, sizeof number);
            say(fixture, "%s%.9g", i ? "," : "", (double)number);
        }
        break;
    case RF_VALUE_DOUBLES:
        for (size_t i = 0; i < value->text.size; i += sizeof(double)) {
            double number;
            memcpy(&number, value->text.data + i, sizeof number);
            say(fixture, "%s%.15g", i ? "," : "", number);
        }
        break;
    case RF_VALUE_TEXT:
        say(fixture, "\"%.*s\"", (int)value->text.size, value->text.data);
        break;
    }
}

static void say_namespaces(struct decode_fixture *fixture) {
    const struct rf_event *event = &fixture->event;
    size_t next = 0;
    for (size_t i = 0; i < event->namespace_count; i++) {
        const struct rf_namespace *space = &event->namespaces[i];
        assert_int_equal(space->hash, rf_hash(rf_schema_key(fixture->schema), space->name.data, space->name.size));
        assert_int_equal(space->index, rf_schema_find(fixture->schema, space->name));
        say(fixture, "%s|%.*s", fixture->words[0] ? " " : "", (int)space->name.size, space->name.data);
        for (; next < space->end; next++) {
            say(fixture, " %" PRIu64 ":%.15g", event->feature_hash[next], event->feature_value[next]);
        }
    }
    assert_int_equal(next, event->feature_count);
}

const char *fixture_decode(struct decode_fixture *fixture, const void *bytes, size_t size) {
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct rf_record record = {
            .value = {copy, size},
            .timestamp_ms = -1,
            .schema = fixture->written_with.text.data ? &fixture->written_with : NULL,
    };
    fixture_decode_record(fixture, &record);
    free(copy);
    return fixture->words;
}

const char *fixture_decode_record(struct decode_fixture *fixture, const struct rf_record *record) {
    rf_arena_reset(&fixture->arena);
    fixture->words[0] = '\0';
    memset(&fixture->error, 0x5a, sizeof fixture->error);
    enum rf_status status = rf_decoder_decode(fixture->decoder, record, &fixture->arena, &fixture->event, &fixture->error);
    if (status) {
        assert_int_equal(status, RF_INVALID);
        assert_non_null(memchr(fixture->error.detail, '\0', sizeof fixture->error.detail));
        assert_true(rf_utf8_is_valid(rf_text_of(fixture->error.detail)));
        say(fixture, "%s: %s", rf_reason_word(fixture->error.reason), fixture->error.detail);
    } else {
        for (size_t i = 0; i < fixture->event.count; i++) {
            say_field(fixture, &fixture->event.fields[i]);
        }
        say_namespaces(fixture);
    }
    return fixture->words;
}

const char *fixture_decode_text(struct decode_fixture *fixture, const char *text) {
    return fixture_decode(fixture, text, strlen(text));
}

void fixture_expect(struct decode_fixture *fixture, const struct expectation *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *words = fixture_decode_text(fixture, cases[i].record);
        if (strcmp(words, cases[i].words) != 0) {
            fail_msg("%s\n  gives      %s\n  instead of %s", cases[i].record, words, cases[i].words);
        }
    }
}
