#include "tests/ingest/feature_fixture.h"

#include <stdio.h>

void flow_init(struct flow *flow, const struct rf_feature_options *features, enum rf_task task, uint32_t classes) {
    struct rf_error err = {0};
    fixture_init(&flow->fixture, "json", features, &(struct rf_decoder_options){0});
    assert_int_equal(rf_examples_init(&flow->examples, 4, FLOW_FEATURES, 32, &err), RF_OK);
    size_t vector_size = rf_schema_rules(flow->fixture.schema)->vector_size;
    if (vector_size) {
        assert_int_equal(rf_examples_reserve_vectors(&flow->examples, vector_size, &err), RF_OK);
    }
    rf_feature_declare(flow->fixture.schema, &flow->examples);
    flow->task = task;
    flow->classes = classes;
}

void flow_finish(struct flow *flow) {
    rf_examples_finish(&flow->examples);
    fixture_finish(&flow->fixture);
}

enum rf_status flow_append(struct flow *flow, const char *text) {
    struct decode_fixture *fixture = &flow->fixture;
    struct rf_record record = {.value = rf_text_of(text), .timestamp_ms = 77, .offset = 5, .partition = 2};
    assert_int_equal(rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error), RF_OK);
    return rf_feature_append(fixture->schema, flow->task, flow->classes, &fixture->event, &record, &flow->examples,
                             &fixture->error);
}

void flow_takes(struct flow *flow, const char *text) {
    rf_examples_reset(&flow->examples, rf_schema_count(flow->fixture.schema));
    if (flow_append(flow, text) != RF_OK) {
        fail_msg("%s is rejected: %s", text, flow->fixture.error.detail);
    }
    assert_int_equal(flow->examples.count, 1);
}

void flow_expects(struct flow *flow, const char *record, const char *features) {
    char found[1024] = "";
    flow_takes(flow, record);
    const struct rf_examples *examples = &flow->examples;
    for (size_t i = 0; i < examples->row_start[1]; i++) {
        char words[64];
        struct rf_text name = examples->field_name[examples->field[i]];
        rf_feature_words(flow->fixture.schema, &flow->fixture.event, examples, 0, i, words, sizeof words);
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%.*s%s%s=%.15g", i ? ", " : "", (int)name.size, name.data,
                 words[0] ? " " : "", words, examples->value[i]);
    }
    if (strcmp(found, features) != 0) {
        fail_msg("%s\n  gives      %s\n  instead of %s", record, found, features);
    }
}

void flow_refuses(struct flow *flow, const char *text, enum rf_reason reason, const char *sentence) {
    struct rf_examples before = flow->examples;
    if (flow_append(flow, text) != RF_INVALID) {
        fail_msg("%s is not rejected", text);
    }
    assert_string_equal(flow->fixture.error.detail, sentence);
    assert_int_equal(flow->fixture.error.reason, reason);
    assert_memory_equal(&flow->examples, &before, sizeof before);
}

uint64_t name_hash(const char *name) {
    return rf_hash(rf_hash_key_of_seed(1), name, strlen(name));
}

uint64_t category_hash(const char *name, const char *category) {
    struct rf_hasher hasher = {RF_HASHING_KEYED, rf_hash_key_of_seed(1)};
    return rf_hasher_feature(&hasher, name_hash(name), rf_text_of(category));
}

void flow_check_feature(const struct flow *flow, size_t index, enum rf_feature_kind kind, const char *name, uint64_t hash,
                        double value) {
    const struct rf_examples *examples = &flow->examples;
    assert_int_equal(examples->kind[index], kind);
    assert_true(examples->value[index] == value);
    assert_int_equal(examples->hash[index], hash);
    assert_true(examples->field[index] < examples->field_count);
    assert_true(rf_text_equal(examples->field_name[examples->field[index]], rf_text_of(name)));
}
