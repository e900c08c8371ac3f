// In the steady state our code allocates nothing and locks nothing for a record. The linker puts the function below in
// place of the C library's in all of our code (--wrap), as it does with those of tests/allocations.c, and they count.
#include "ops/assembly.h"
#include "ops/evaluate.h"
#include "proto/random.h"
#include "tests/allocations.h"
#include "tests/ops/memory_source.h"
#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic uint64_t locks;

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    locks++;
    return __real_pthread_mutex_lock(mutex);
}

enum { VALUES = 64, WARM_ROUNDS = 200, ROUNDS = 400 };

static void settle_into(const char *format, const char *features, const char *more, char values[VALUES][256],
                        struct rf_texts columns) {
    char path[] = "/tmp/riffle-allocations-XXXXXX", out[] = "/tmp/riffle-allocations-XXXXXX", text[1024];
    int file = mkstemp(path), sink = mkstemp(out);
    snprintf(text, sizeof text,
             "name: test\nsource: {file: x, format: %s}\nfeatures: {id: id, label: y%s}\nlearner: {type: %s}\n"
             "sinks: [{zeromq: {publish: 'tcp://127.0.0.1:*'}}, {file: {path: %s}}]\nrejected: {file: /dev/null}\n"
             "worker: {batch_records: 64}\n",
             format, features, more, out);
    assert_true(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_decoder *decoder;
    struct rf_batch *batch;
    struct rf_error err;
    size_t index;
    assert_int_equal(rf_assembly_init(path, NULL, 0, &assembly, &err), RF_OK);
    assert_int_equal(rf_assembly_pipeline(&assembly, &columns, &pipeline, &err), RF_OK);
    assert_int_equal(rf_assembly_sinks(&assembly, pipeline, &err), RF_OK);
    assert_int_equal(rf_pipeline_decoder(pipeline, &decoder, &err), RF_OK);
    assert_int_equal(rf_pipeline_batch(pipeline, &batch, &err), RF_OK);
    assert_int_equal(rf_positions_add(rf_pipeline_positions(pipeline), "topic", 0, &index), RF_OK);

    const char *list[VALUES];
    for (size_t i = 0; i < VALUES; i++) {
        list[i] = values[i];
    }
    uint64_t allocations_before = 0, locks_before = 0;
    for (int64_t round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
        if (round == WARM_ROUNDS) {
            allocations_before = allocations;
            locks_before = locks;
        }
        fill_batch(batch, pipeline, 0, round * VALUES, list, VALUES);
        assert_int_equal(fold_batch(pipeline, decoder, batch, &err), RF_OK);
    }
    assert_int_equal(rf_pipeline_counts(pipeline)->rejected, (WARM_ROUNDS + ROUNDS) * 1);
    assert_int_equal(allocations - allocations_before, 0);
    assert_int_equal(locks - locks_before, 0);

    batch->records.count = 0;
    rf_batch_destroy(batch);
    rf_decoder_destroy(decoder);
    rf_pipeline_destroy(pipeline);
    rf_assembly_finish(&assembly);
    close(file);
    close(sink);
    unlink(path);
    unlink(out);
}

static void json_records_are_folded_without_allocating_or_locking(void **state) {
    (void)state;
    static char values[VALUES][256];
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(values[i], sizeof values[i],
                 "{\"id\":\"r%zu\",\"a\":%zu.5,\"place\":\"caf\\u00e9 %zu\",\"nested\":[1,{\"b\":2}],\"y\":%zu}", i, i, i % 5,
                 i % 2);
    }
    strcpy(values[7], "{\"id\": broken");
    settle_into("json", "", "linear", values, (struct rf_texts){0});
    settle_into("json", "", "linear, optimizer: {type: momentum}, l2: 0.001", values, (struct rf_texts){0});
}

static void texts_and_buckets_are_made_without_allocating_or_locking(void **state) {
    (void)state;
    static const char features[] = ", texts: [t], ngrams: 3, skips: 2, crosses: [[a, t]], missing: indicator, "
                                   "buckets: [{field: a, kind: interpolated, scale: log, width: 0.5}]";
    static char values[VALUES][256];
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(values[i], sizeof values[i], "{\"id\":\"r%zu\",\"a\":%zu,\"t\":\"Some W\u00f6rds, %zu of them\",\"y\":%zu}", i,
                 i, i, i % 2);
    }
    strcpy(values[7], "{\"a\":[1,2]}");
    settle_into("json", features, "linear", values, (struct rf_texts){0});
}

static void vectors_are_folded_without_allocating_or_locking(void **state) {
    (void)state;
    static char values[VALUES][256];
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(values[i], sizeof values[i], "{\"id\":\"r%zu\",\"v\":[1,%zu,2.5],\"y\":%zu}", i, i % 5, i % 2);
    }
    strcpy(values[7], "{\"v\":[1,2]}");
    settle_into("json", ", vector: {field: v, size: 3}", "dense, batch: {size: 4}", values, (struct rf_texts){0});
}

static void csv_records_are_folded_without_allocating_or_locking(void **state) {
    (void)state;
    static char values[VALUES][256];
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(values[i], sizeof values[i], "%zu,%zu.25,\"quoted \"\"%zu\"\"\",%zu", i, i, i % 5, i % 2);
    }
    strcpy(values[7], "ragged,1");
    char names[4][8] = {"id", "a", "place", "y"};
    char *list[] = {names[0], names[1], names[2], names[3]};
    settle_into("csv", "", "linear", values, (struct rf_texts){list, 4});
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(json_records_are_folded_without_allocating_or_locking),
            cmocka_unit_test(vectors_are_folded_without_allocating_or_locking),
            cmocka_unit_test(texts_and_buckets_are_made_without_allocating_or_locking),
            cmocka_unit_test(csv_records_are_folded_without_allocating_or_locking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
