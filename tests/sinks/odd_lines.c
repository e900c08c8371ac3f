// Writes predictions whose ids and scores are hard to write down as JSON lines to standard output, for check_json.py:
// every pair of a byte and a telling one, then numbers whose bits come from a generator.
#include "proto/random.h"
#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 5000 };

static struct batch batch;

static void print(struct rf_sink *sink) {
    struct rf_error err;
    size_t done = 0;
    if (rf_sink_publish(sink, &batch.predictions, &done, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static void print_id(struct rf_sink *sink, const char *bytes, size_t size) {
    batch_next(&batch, 0, 1);
    batch.examples.id[0] = (struct rf_text){bytes, size};
    print(sink);
}

static void print_number(struct rf_sink *sink, uint64_t bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    if (isfinite(number)) {
        char id[17];
        snprintf(id, sizeof id, "%016llx", (unsigned long long)bits);
        batch_next(&batch, 0, 0);
        batch_add(&batch, 0, id, number);
        print(sink);
    }
}

int main(void) {
    static const unsigned char telling[] = {0x00, 0x0A, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0x8F,
                                            0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xF4, 0xFF};
    struct rf_error err;
    struct rf_sink *sink;
    char standard[] = "-";
    struct rf_sink_file_options options = {.path = standard};
    const struct rf_sink_context context = {.model = "fraud"};
    if (rf_sink_create(&(struct rf_variant_value){&rf_sink_variants[2], &options}, &context, &sink, &err) != RF_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    batch_init(&batch);
    for (int i = 0; i < 256; i++) {
        for (size_t j = 0; j < sizeof telling; j++) {
            print_id(sink, (const char[]){(char)i, (char)telling[j]}, 2);
        }
    }
    batch.predictions.task = RF_TASK_REGRESSION;
    struct rf_random random;
    rf_random_init(&random, 7);
    for (int i = 0; i < NUMBERS; i++) {
        print_number(sink, rf_random_next(&random));
        double probability = rf_random_uniform(&random);
        uint64_t bits;
        memcpy(&bits, &probability, sizeof bits);
        print_number(sink, bits);
    }
    rf_sink_destroy(sink);
    batch_finish(&batch);
    return 0;
}
