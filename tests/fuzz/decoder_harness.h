#ifndef RF_TESTS_FUZZ_DECODER_HARNESS_H
#define RF_TESTS_FUZZ_DECODER_HARNESS_H
// What must hold whatever bytes a decoder gets: the same answer whatever came before, sound events, sound sentences,
// sound examples.
#include "ingest/decoder.h"
#include "ingest/feature.h"
#include "proto/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A bug of ours, said aloud.
#define MUST(claim)                                                             \
    do {                                                                        \
        if (!(claim)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
            abort();                                                            \
        }                                                                       \
    } while (0)

struct harness {
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_arena arena;
    struct rf_examples examples;
    enum rf_task task;
    const struct rf_record_schema *written_with; // what records name as their schema; NULL: none
};

static inline struct harness harness_create(const char *format, const struct rf_feature_options *features,
                                            const struct rf_decoder_options *options, enum rf_task task) {
    struct harness harness = {.task = task};
    struct rf_error err;
    MUST(rf_schema_create(features, rf_hash_key_of_seed(1), &harness.schema, &err) == RF_OK);
    MUST(rf_decoder_create(rf_decoder_find(format), harness.schema, options, &harness.decoder, &err) == RF_OK);
    MUST(rf_arena_init(&harness.arena, 1 << 22, &err) == RF_OK);
    MUST(rf_examples_init(&harness.examples, 2, 4096, 4096, &err) == RF_OK);
    size_t vector_size = rf_schema_rules(harness.schema)->vector_size;
    MUST(vector_size == 0 || rf_examples_reserve_vectors(&harness.examples, vector_size, &err) == RF_OK);
    rf_feature_declare(harness.schema, &harness.examples);
    return harness;
}

static inline void check_error(const struct rf_decode_error *error) {
    MUST(error->reason < RF_REASON_COUNT);
    MUST(memchr(error->detail, '\0', sizeof error->detail));
    MUST(error->detail[0] && rf_utf8_is_valid(rf_text_of(error->detail)));
}

static inline void check_event(const struct harness *harness, const struct rf_event *event) {
    for (size_t i = 0; i < event->count; i++) {
        const struct rf_field *field = &event->fields[i];
        MUST(rf_utf8_is_valid(field->name));
        MUST(field->hash == rf_hash(rf_schema_key(harness->schema), field->name.data, field->name.size));
        MUST(field->index == rf_schema_find(harness->schema, field->name));
        MUST(rf_schema_wants(harness->schema, field->index));
        MUST(rf_utf8_is_valid(field->value.text) || field->value.type == RF_VALUE_FLOATS ||
             field->value.type == RF_VALUE_DOUBLES);
        MUST(field->value.type != RF_VALUE_TEXT || field->value.text.data);
        MUST(isfinite(field->value.number));
        for (size_t k = 0; k < i && i < 64; k++) {
            MUST(field->index != RF_FIELD_UNKNOWN || !rf_text_equal(event->fields[k].name, field->name));
        }
    }
    size_t begin = 0;
    for (size_t i = 0; i < event->namespace_count; i++) {
        const struct rf_namespace *space = &event->namespaces[i];
        MUST(space->name.size > 0 && rf_utf8_is_valid(space->name));
        MUST(space->hash == rf_hash(rf_schema_key(harness->schema), space->name.data, space->name.size));
        MUST(space->index == rf_schema_find(harness->schema, space->name));
        MUST(space->end > begin);
        begin = space->end;
    }
    MUST(event->feature_count == begin);
    for (size_t i = 0; i < event->feature_count; i++) {
        MUST(isfinite(event->feature_value[i]) && event->feature_value[i] != 0);
    }
}

static inline uint64_t fold(uint64_t digest, const void *data, size_t size) {
    return rf_hash((struct rf_hash_key){digest, size}, size ? data : "", size);
}

// One number for the example that an event describes, or why it is rejected.
static inline uint64_t check_examples(const struct harness *harness, const struct rf_record *record,
                                      const struct rf_event *event) {
    struct rf_examples *examples = (struct rf_examples *)&harness->examples;
    struct rf_decode_error error;
    rf_examples_reset(examples, rf_schema_count(harness->schema));
    enum rf_status status = rf_feature_append(harness->schema, harness->task, 3, event, record, examples, &error);
    if (status) {
        MUST(status == RF_INVALID && examples->count == 0);
        check_error(&error);
        return fold(error.reason, error.detail, strlen(error.detail));
    }
    MUST(examples->count == 1 &&
         examples->row_start[1] <= rf_schema_features_max(harness->schema, event->count + event->feature_count));
    char words[32];
    for (size_t i = 0; i < examples->row_start[1] && i < 64; i++) {
        rf_feature_words(harness->schema, event, examples, 0, i, words, sizeof words);
        MUST(strlen(words) < sizeof words);
    }
    for (size_t i = 0; i < examples->vector_size; i++) {
        MUST(isfinite(examples->vector[i]));
    }
    MUST(examples->weight[0] >= 0 && isfinite(examples->weight[0]));
    MUST(!isinf(examples->label[0]) && examples->time_ms[0] >= -1);
    MUST((examples->purpose[0] & RF_LEARN ? true : false) != (bool)isnan(examples->label[0]));
    for (size_t i = 0; i < examples->row_start[1]; i++) {
        MUST(isfinite(examples->value[i]) && examples->field[i] < examples->field_count);
    }
    uint64_t digest = fold(examples->row_start[1], examples->hash, examples->row_start[1] * sizeof *examples->hash);
    digest = fold(digest, examples->value, examples->row_start[1] * sizeof *examples->value);
    return fold(digest, examples->vector, examples->vector_size * sizeof *examples->vector);
}

// One number for all that a decoder answers.
static inline uint64_t answer(struct harness *harness, const struct rf_record *record) {
    struct rf_event event = {.count = 0};
    struct rf_decode_error error = {0};
    rf_arena_reset(&harness->arena);
    enum rf_status status = rf_decoder_decode(harness->decoder, record, &harness->arena, &event, &error);
    uint64_t digest = fold(0, &status, sizeof status);
    if (status) {
        MUST(status == RF_INVALID && harness->arena.used == 0);
        check_error(&error);
        return fold(fold(digest, &error.reason, sizeof error.reason), error.detail, strlen(error.detail));
    }
    check_event(harness, &event);
    uint64_t example = check_examples(harness, record, &event);
    digest = fold(digest, &example, sizeof example);
    for (size_t i = 0; i < event.count; i++) {
        const struct rf_field *field = &event.fields[i];
        digest = fold(digest, field->name.data, field->name.size);
        digest = fold(digest, &field->value.type, sizeof field->value.type);
        digest = fold(digest, &field->value.number, sizeof field->value.number);
        digest = fold(digest, field->value.text.data, field->value.text.size);
    }
    digest = fold(digest, event.feature_hash, event.feature_count * sizeof *event.feature_hash);
    digest = fold(digest, event.feature_value, event.feature_count * sizeof *event.feature_value);
    return digest;
}

static inline void harness_run_record(struct harness *harness, const struct rf_record *record) {
    uint64_t first = answer(harness, record);
    MUST(answer(harness, record) == first);
}

static inline void harness_run(struct harness *harness, const uint8_t *data, size_t size) {
    struct rf_record record = {
            .value = {size ? (const char *)data : "", size}, .timestamp_ms = -1, .schema = harness->written_with};
    harness_run_record(harness, &record);
}

#define TEXTS(...) \
    { (char *[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *) }

#endif
