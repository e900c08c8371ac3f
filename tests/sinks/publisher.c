// What the examples in docs/examples/ listen to: the real ZeroMQ sink and the real clone, on free ports.
//
//     publisher FOLDER       prints "predictions publish serve" (three endpoints), then goes on until its input ends
#include "sinks/clone.h"
#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PREDICTIONS = 10, BATCHES_PER_SNAPSHOT = 20, SNAPSHOT_SIZE = 2500000, PAUSE_MS = 10 };

static char anywhere[] = "tcp://127.0.0.1:*";

static void stop(const struct rf_error *err) {
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static bool has_input_ended(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    return poll(&input, 1, PAUSE_MS) > 0 && read(STDIN_FILENO, &byte, 1) == 0;
}

static void publish_snapshot(struct rf_clone *clone, const char *folder, uint64_t number) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%llu", folder, (unsigned long long)number);
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file && i < SNAPSHOT_SIZE; i++) {
        (void)fputc((int)((i >> 3) + number) & 255, file);
    }
    struct rf_error err = {RF_IO, "cannot write the snapshot"};
    const struct rf_version version = {.line = 1, .base = number, .epoch = 2};
    const uint8_t model_sha256[32] = {0};
    if (!file || fclose(file) != 0 || rf_clone_publish(clone, path, &version, model_sha256, &err) != RF_OK) {
        stop(&err);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "publisher FOLDER\n");
        return 2;
    }
    struct rf_error err;
    struct rf_sink *sink;
    struct rf_clone *clone;
    struct rf_sink_zeromq_options sink_options = {.publish = anywhere, .high_water_mark = 1000};
    const struct rf_variant_value value = {&rf_sink_variants[0], &sink_options};
    const struct rf_sink_context context = {.model = "fraud"};
    const struct rf_clone_options clone_options = {
            .publish = anywhere, .serve = anywhere, .high_water_mark = 64, .clients = 4, .patience_ms = 10000};
    if (rf_sink_create(&value, &context, &sink, &err) || rf_clone_create(&clone_options, "fraud", 2, &clone, &err)) {
        stop(&err);
    }
    printf("%s %s %s\n", sink->endpoint, rf_clone_publish_endpoint(clone), rf_clone_serve_endpoint(clone));
    (void)fflush(stdout);

    struct batch batch;
    batch_init(&batch);
    for (int64_t i = 0; !has_input_ended(); i++) {
        batch_next(&batch, PREDICTIONS * i, PREDICTIONS);
        size_t done = 0;
        if (rf_sink_publish(sink, &batch.predictions, &done, &err) != RF_OK) {
            stop(&err);
        }
        if (i % BATCHES_PER_SNAPSHOT == 0) {
            publish_snapshot(clone, argv[1], (uint64_t)(i / BATCHES_PER_SNAPSHOT) + 1);
        }
        rf_clone_serve(clone, 0);
    }
    batch_finish(&batch);
    rf_clone_destroy(clone);
    rf_sink_destroy(sink);
    return 0;
}
