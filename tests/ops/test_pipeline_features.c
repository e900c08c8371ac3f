// Settings of features as they reach batches and the learner.
#include "ops/batch.h"

#include "ops/pipeline.h"
#include "ops/settings.h"
#include "tests/ops/memory_source.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static void batch_holds_fewer_records_of_large_vectors(void **state) {
    (void)state;
    assert_int_equal(rf_batch_records(1024, 0), 1024);
    assert_int_equal(rf_batch_records(1024, 784), 1024); // 3 MiB
    assert_int_equal(rf_batch_records(65536, 784), 5349);
    assert_int_equal(rf_batch_records(1024, RF_VECTOR_SIZE_MAX), 64);
    assert_int_equal(rf_batch_records(1, RF_VECTOR_SIZE_MAX), 1);
    assert_int_equal(rf_batch_records(1024, (size_t)1 << 30), 1);
}

struct parts {
    struct rf_settings settings;
    struct rf_decoder_options decoder_options;
    struct rf_pipeline *pipeline;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
};

static void make(struct parts *parts, const char *features) {
    bool has_vector = strncmp(features, "vector", 6) == 0;
    char text[512];
    struct rf_error err = {0};
    size_t index;
    snprintf(text, sizeof text,
             "name: a\nsource: {file: x, limits: {record_bytes: 4096}}\nlearner: {%s}\nfeatures: {label: y, %s}\n",
             has_vector ? "type: dense" : "type: linear, hash_bits: 8", features);
    *parts = (struct parts){0};
    if (rf_settings_read("a.yaml", rf_text_of(text), NULL, 0, &parts->settings, &err)) {
        fail_msg("%s", err.text);
    }
    parts->decoder_options.limits = parts->settings.source.limits;
    const struct rf_pipeline_options options = {
            .name = parts->settings.name,
            .seed = 1,
            .features = &parts->settings.features,
            .format = rf_decoder_find("json"),
            .decoder = &parts->decoder_options,
            .learner = &parts->settings.learner,
            .batch_records = 128,
            .batch_bytes = 4096,
    };
    if (rf_pipeline_create(&options, &parts->pipeline, &err)) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(rf_pipeline_decoder(parts->pipeline, &parts->decoder, &err), RF_OK);
    assert_int_equal(rf_pipeline_batch(parts->pipeline, &parts->batch, &err), RF_OK);
    assert_int_equal(rf_positions_add(rf_pipeline_positions(parts->pipeline), "topic", 0, &index), RF_OK);
}

static void finish(struct parts *parts) {
    parts->batch->records.count = 0; // nobody lent them
    rf_batch_destroy(parts->batch);
    rf_decoder_destroy(parts->decoder);
    rf_pipeline_destroy(parts->pipeline);
    rf_settings_finish(&parts->settings);
}

static void batch_has_room_for_the_vectors_of_its_records(void **state) {
    (void)state;
    struct parts parts;
    make(&parts, "vector: {field: v, size: 65536}");
    assert_int_equal(parts.batch->records.capacity, 64);
    assert_int_equal(parts.batch->examples.vector_size, 65536);
    finish(&parts);
    make(&parts, "vector: {field: v, size: 2, divide: 255}");
    assert_int_equal(parts.batch->records.capacity, 128);
    const char *const values[] = {"{\"v\":[51,255],\"y\":1}", "{\"v\":[1]}", "{\"v\":[0,102]}"};
    struct rf_error err = {0};
    fill_batch(parts.batch, parts.pipeline, 0, 0, values, 3);
    assert_int_equal(fold_batch(parts.pipeline, parts.decoder, parts.batch, &err), RF_OK);
    assert_int_equal(rf_pipeline_counts(parts.pipeline)->rejected_by[RF_REASON_TYPE], 1);
    const float wanted[] = {0.2F, 1, 0, 0.4F};
    assert_memory_equal(parts.batch->examples.vector, wanted, sizeof wanted);
    finish(&parts);
}

// Whatever the settings of the worker: else they would decide which records are learned.
static void batch_has_room_for_the_largest_example(void **state) {
    (void)state;
    struct parts parts;
    make(&parts, "texts: [t], ngrams: 8, skips: 4");
    struct rf_examples *examples = &parts.batch->examples;
    assert_true(examples->feature_capacity >= RF_SCHEMA_FEATURES_MAX);
    static char text[2048] = "{\"y\":1,\"t\":\"";
    size_t used = strlen(text);
    for (int i = 0; i < 88; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "w%d ", i);
    }
    snprintf(text + used, sizeof text - used, "\"}");
    const char *const values[] = {text, text};
    struct rf_error err = {0};
    fill_batch(parts.batch, parts.pipeline, 0, 0, values, 2);
    rf_pipeline_prepare(parts.pipeline, parts.decoder, parts.batch);
    assert_int_equal(examples->count, 1); // the second one is for the rest of the batch
    assert_true(examples->row_start[1] > RF_SCHEMA_FEATURES_MAX / 2);
    assert_int_equal(fold_batch(parts.pipeline, parts.decoder, parts.batch, &err), RF_OK);
    assert_int_equal(rf_pipeline_counts(parts.pipeline)->rejected, 0);
    finish(&parts);
}

static void crosses_of_the_settings_reach_the_learner(void **state) {
    (void)state;
    struct parts parts;
    struct rf_error err = {0};
    make(&parts, "numbers: [a], namespaces: {who: [b, c]}, crosses: [[who, a], [a, d]]");
    const char *const values[] = {"{\"a\":2,\"b\":\"x\",\"c\":3,\"d\":5,\"y\":1}"};
    fill_batch(parts.batch, parts.pipeline, 0, 0, values, 1);
    assert_int_equal(fold_batch(parts.pipeline, parts.decoder, parts.batch, &err), RF_OK);
    struct rf_contribution contributions[16];
    size_t count = rf_learner_explain(rf_pipeline_learner(parts.pipeline), &parts.batch->examples, 0, contributions, 16);
    size_t met[2] = {0, 0}; // "a x d" comes first by name
    for (size_t i = 0; i < count; i++) {
        uint32_t cross = contributions[i].field - RF_FIELD_CROSS;
        if (contributions[i].field != RF_FIELD_UNKNOWN && contributions[i].field >= RF_FIELD_CROSS) {
            assert_true(cross < 2);
            met[cross]++;
        }
    }
    assert_int_equal(met[0], 1);
    assert_int_equal(met[1], 2);
    finish(&parts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(batch_holds_fewer_records_of_large_vectors),
            cmocka_unit_test(batch_has_room_for_the_vectors_of_its_records),
            cmocka_unit_test(batch_has_room_for_the_largest_example),
            cmocka_unit_test(crosses_of_the_settings_reach_the_learner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
