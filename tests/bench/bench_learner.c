// How fast a learner learns records that are parsed already, beside the wall: how fast cells are touched at random.
//
//     bench_learner learn RECORDS FEATURES BITS zipf|uniform SETTING=VALUE...    seconds, of a processor too, and log loss, as
//     JSON bench_learner touch RECORDS FEATURES BITS zipf|uniform BYTES              the same, adding 1 to a cell of so many
//     bytes bench_learner write RECORDS FEATURES BITS zipf|uniform                    the same stream as Vowpal Wabbit's text
#include "learners/learner.h"
#include "learners/table.h"
#include "proto/math.h"
#include "tests/bench/stream_made.h"
#include "tests/learners/learner_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 1000 };  // records made at a time, outside the clock: a batch, as a decoder leaves it
enum { PREFETCH = 64 }; // features ahead, as the learner does

// What passed on the clock, and what of it this thread had a processor.
struct timer {
    double seconds, cpu_seconds;
};

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void timer_start(struct timer *timer) {
    timer->seconds -= now(CLOCK_MONOTONIC);
    timer->cpu_seconds -= now(CLOCK_THREAD_CPUTIME_ID);
}

static void timer_stop(struct timer *timer) {
    timer->cpu_seconds += now(CLOCK_THREAD_CPUTIME_ID);
    timer->seconds += now(CLOCK_MONOTONIC);
}

static double log_loss(const struct rf_examples *examples, const struct rf_predictions *predictions) {
    double sum = 0;
    for (size_t i = 0; i < examples->count; i++) {
        double p = predictions->score[i];
        sum -= rf_log(examples->label[i] == 1 ? p : 1 - p);
    }
    return sum;
}

static int learn(struct made_stream *stream, size_t records, int setting_count, char **settings) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    char bits[8];
    snprintf(bits, sizeof bits, "%u", stream->options.bits);
    set_option(&value, "hash_bits", bits);
    for (int i = 0; i < setting_count; i++) {
        char *equals = strchr(settings[i], '=');
        if (!equals) {
            fprintf(stderr, "bench_learner: %s is no setting, must be name=value\n", settings[i]);
            return 2;
        }
        *equals = '\0';
        set_option(&value, settings[i], equals + 1);
    }
    struct rf_learner *learner = create_learner(&value, false);
    struct rf_examples examples;
    struct rf_predictions predictions;
    examples_create(&examples, CHUNK, (size_t)CHUNK * stream->options.features);
    predictions_create(&predictions, learner, &examples);
    struct timer timer = {0};
    double loss = 0;
    for (size_t done = 0; done < records; done += CHUNK) {
        rf_examples_reset(&examples, 0);
        made_stream_fill(stream, &examples);
        timer_start(&timer);
        rf_learner_fold(learner, &examples, 0, examples.count, &predictions);
        timer_stop(&timer);
        loss += log_loss(&examples, &predictions);
    }
    printf("{\"seconds\":%.4f,\"cpu_seconds\":%.4f,\"features_per_second\":%.0f,\"log_loss\":%.6f}\n", timer.seconds,
           timer.cpu_seconds, (double)records * (double)stream->options.features / timer.seconds, loss / (double)records);
    predictions_finish(&predictions);
    rf_examples_finish(&examples);
    rf_learner_destroy(learner);
    variant_finish(&value);
    return 0;
}

static int touch(struct made_stream *stream, size_t records, size_t cell_size) {
    struct rf_examples examples;
    struct rf_error err;
    void *table;
    size_t rows = (size_t)1 << stream->options.bits;
    if (cell_size < sizeof(uint32_t) || rf_table_create(rows * cell_size, &table, &err)) {
        fprintf(stderr, "bench_learner: no table of %zu cells of %zu bytes\n", rows, cell_size);
        return 1;
    }
    examples_create(&examples, CHUNK, (size_t)CHUNK * stream->options.features);
    struct timer timer = {0};
    for (size_t done = 0; done < records; done += CHUNK) {
        rf_examples_reset(&examples, 0);
        made_stream_fill(stream, &examples);
        size_t count = examples.row_start[examples.count];
        timer_start(&timer);
        for (size_t i = 0; i < count; i++) {
            if (i + PREFETCH < count) {
                __builtin_prefetch((char *)table + (examples.hash[i + PREFETCH] & (rows - 1)) * cell_size, 1);
            }
            *(uint32_t *)(void *)((char *)table + (examples.hash[i] & (rows - 1)) * cell_size) += 1;
        }
        timer_stop(&timer);
    }
    printf("{\"seconds\":%.4f,\"cpu_seconds\":%.4f,\"features_per_second\":%.0f}\n", timer.seconds, timer.cpu_seconds,
           (double)records * (double)stream->options.features / timer.seconds);
    rf_table_destroy(table, rows * cell_size);
    rf_examples_finish(&examples);
    return 0;
}

// Features go by the numbers of their cells, which Vowpal Wabbit takes as they are: the same share one, and they lie as far
// apart.
static int write_text(struct made_stream *stream, size_t records) {
    const uint64_t mask = ((uint64_t)1 << stream->options.bits) - 1;
    size_t width = stream->options.features;
    uint32_t *features = calloc(width, sizeof *features);
    for (size_t n = 0; features && n < records; n++) {
        printf("%s |", made_stream_next(stream, features) == 1 ? "1" : "-1");
        for (size_t i = 0; i < width; i++) {
            printf(" %" PRIu64, made_hash(features[i]) & mask);
        }
        putchar('\n');
    }
    free(features);
    return features ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc < 6 || (strcmp(argv[5], "zipf") != 0 && strcmp(argv[5], "uniform") != 0)) {
        fprintf(stderr, "usage: bench_learner learn|touch|write RECORDS FEATURES BITS zipf|uniform ...\n");
        return 2;
    }
    const struct made_options options = {
            .features = strtoull(argv[3], NULL, 10),
            .bits = (unsigned)strtoul(argv[4], NULL, 10),
            .is_zipf = strcmp(argv[5], "zipf") == 0,
            .seed = 1,
    };
    size_t records = strtoull(argv[2], NULL, 10) / CHUNK * CHUNK;
    struct made_stream stream;
    made_stream_init(&stream, &options);
    if (options.features == 0 || options.features > 60 || options.bits < 1 || options.bits > 28 || records == 0) {
        fprintf(stderr, "bench_learner: takes 1 to 60 features, 1 to 28 bits and at least %d records\n", CHUNK);
        return 2;
    }
    if (strcmp(argv[1], "learn") == 0) {
        return learn(&stream, records, argc - 6, argv + 6);
    }
    if (strcmp(argv[1], "touch") == 0 && argc == 7) {
        return touch(&stream, records, strtoull(argv[6], NULL, 10));
    }
    return strcmp(argv[1], "write") == 0 ? write_text(&stream, records) : 2;
}
