// What a snapshot costs the fold while it is taken, and how long it takes to take one up again.
//
//     bench_snapshot beside|fork SETTINGS BITS zipf|uniform ROUNDS
//         learns made records (40 features each, drawn from 2^BITS) until nearly all rows of the table hold something; then, in
//         every round, times each batch while nothing else goes on ("quiet"), while another thread only hashes ("hashing": what
//         the cores share, a snapshot takes too), and while a snapshot is taken: beside the fold, or, as the peer, by a forked
//         child that writes the same bytes while the kernel copies pages. One line of JSON a phase, with the milliseconds of
//         each batch by the clock and of the thread's processor.
//     bench_snapshot restore SETTINGS ROUNDS
//         takes up the newest snapshot of the state folder, as a worker's start does; beside it, OpenSSL's SHA-256 of the same
//         bytes. One line of JSON a round.
//
// SETTINGS are of a model that reads the format vw, without sinks. Records are decoded outside the clock.
#include "ops/assembly.h"
#include "ops/checkpoint.h"
#include "ops/snapshot_files.h"
#include "proto/hash.h"
#include "tests/bench/stream_made.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FEATURES = 40, BATCHES = 512, BATCH_RECORDS = 256, QUIET_BATCHES = 512, TIMES_MAX = 1 << 16, TEXT_SIZE = 1024 };

struct bench {
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_decoder *decoder;
    struct rf_batch *batches[BATCHES]; // decoded once, folded again and again at new offsets
    size_t next;                       // batch
    int64_t offset;                    // of the next record
    _Atomic bool is_over, hashes;
    size_t count;                                        // of batches in this phase
    double clock_ms[TIMES_MAX], processor_ms[TIMES_MAX]; // [count] of each
};

static void must(enum rf_status status, const struct rf_error *err) {
    if (status) {
        fprintf(stderr, "bench_snapshot: %s\n", err->text);
        exit(1);
    }
}

static double now_ms(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static void open_model(struct bench *bench, const char *settings) {
    struct rf_error err;
    must(rf_assembly_init(settings, NULL, 0, &bench->assembly, &err), &err);
    must(rf_assembly_pipeline(&bench->assembly, NULL, &bench->pipeline, &err), &err);
    must(rf_assembly_state(&bench->assembly, bench->pipeline, &err), &err);
}

static void close_model(struct bench *bench) {
    rf_pipeline_destroy(bench->pipeline);
    rf_assembly_finish(&bench->assembly);
}

// Batches.

static char *made_text(struct made_stream *stream) {
    uint32_t features[FEATURES];
    char *text = malloc(TEXT_SIZE);
    if (text) {
        int size = sprintf(text, "%s |", made_stream_next(stream, features) == 1 ? "1" : "-1");
        for (size_t i = 0; i < FEATURES; i++) {
            size += sprintf(text + size, " %" PRIu32, features[i]);
        }
    }
    return text;
}

static void make_batch(struct bench *bench, struct made_stream *stream, size_t index) {
    struct rf_batch *batch = bench->batches[index];
    rf_batch_forget(batch, rf_schema_count(rf_pipeline_schema(bench->pipeline)));
    batch->first = batch->end = 0;
    for (size_t i = 0; i < BATCH_RECORDS; i++) {
        free((void *)(uintptr_t)batch->records.list[i].value.data);
        batch->records.list[i] = (struct rf_record){.value = rf_text_of(made_text(stream)), .timestamp_ms = -1};
    }
    batch->records.count = BATCH_RECORDS;
    rf_pipeline_prepare(bench->pipeline, bench->decoder, batch);
    if (batch->examples.count != BATCH_RECORDS) {
        fprintf(stderr, "bench_snapshot: %zu of %d records were decoded; SETTINGS must read the format vw\n",
                batch->examples.count, BATCH_RECORDS);
        exit(1);
    }
}

static void make_batches(struct bench *bench, struct made_stream *stream) {
    struct rf_error err;
    size_t index;
    must(rf_positions_add(rf_pipeline_positions(bench->pipeline), "made", 0, &index), &err);
    must(rf_pipeline_decoder(bench->pipeline, &bench->decoder, &err), &err);
    for (size_t i = 0; i < BATCHES; i++) {
        must(rf_pipeline_batch(bench->pipeline, &bench->batches[i], &err), &err);
        make_batch(bench, stream, i);
    }
}

static void free_batches(struct bench *bench) {
    for (size_t i = 0; i < BATCHES; i++) {
        for (size_t k = 0; k < BATCH_RECORDS; k++) {
            free((void *)(uintptr_t)bench->batches[i]->records.list[k].value.data);
        }
        bench->batches[i]->records.count = 0; // nobody lent them
        rf_batch_destroy(bench->batches[i]);
    }
    rf_decoder_destroy(bench->decoder);
}

static void fold_next(struct bench *bench) {
    struct rf_batch *batch = bench->batches[bench->next++ % BATCHES];
    for (size_t i = 0; i < BATCH_RECORDS; i++) {
        batch->records.list[i].offset = batch->examples.offset[i] = bench->offset++;
    }
    batch->is_folded = false;
    struct rf_error err;
    double clock = now_ms(CLOCK_MONOTONIC), processor = now_ms(CLOCK_THREAD_CPUTIME_ID);
    must(rf_pipeline_step(bench->pipeline, batch, 0, &err), &err);
    size_t index = bench->count < TIMES_MAX ? bench->count++ : TIMES_MAX - 1;
    bench->processor_ms[index] = now_ms(CLOCK_THREAD_CPUTIME_ID) - processor;
    bench->clock_ms[index] = now_ms(CLOCK_MONOTONIC) - clock;
}

// Phases.

static void *keep(void *context) {
    struct bench *bench = context;
    while (!bench->is_over) {
        if (!rf_checkpoint_work(rf_pipeline_checkpoint(bench->pipeline))) {
            usleep(500);
        }
    }
    return NULL;
}

static void tell_times(const char *name, const double *times, size_t count) {
    printf(",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        printf("%s%.3f", i ? "," : "", times[i]);
    }
    printf("]");
}

static void tell(struct bench *bench, const char *phase) {
    int64_t bytes = rf_metrics_get(rf_pipeline_metrics(bench->pipeline), RF_METRIC_snapshot_bytes, 0);
    printf("{\"phase\":\"%s\",\"batch_records\":%d,\"bytes\":%" PRId64, phase, BATCH_RECORDS, bytes);
    tell_times("clock_ms", bench->clock_ms, bench->count);
    tell_times("processor_ms", bench->processor_ms, bench->count);
    printf("}\n");
    fflush(stdout);
    bench->count = 0;
}

static void fold_quietly(struct bench *bench) {
    for (size_t i = 0; i < QUIET_BATCHES; i++) {
        fold_next(bench);
    }
}

static void *hash(void *context) {
    struct bench *bench = context;
    static uint8_t bytes[1 << 20];
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    while (bench->hashes) {
        rf_sha256_update(&sha, bytes, sizeof bytes);
    }
    uint8_t digest[RF_SHA256_SIZE];
    rf_sha256_finish(&sha, digest);
    return NULL;
}

static void fold_beside_hashing(struct bench *bench) {
    pthread_t thread;
    bench->hashes = true;
    if (pthread_create(&thread, NULL, hash, bench)) {
        exit(1);
    }
    fold_quietly(bench);
    bench->hashes = false;
    pthread_join(thread, NULL);
}

static void take_snapshot(struct bench *bench) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(bench->pipeline);
    rf_checkpoint_request(checkpoint);
    do {
        fold_next(bench);
    } while (rf_checkpoint_is_busy(checkpoint));
    const char *sentence;
    if (rf_checkpoint_failures(checkpoint, &sentence)) {
        fprintf(stderr, "bench_snapshot: %s\n", sentence);
        exit(1);
    }
}

static enum rf_status write_file(void *context, const void *data, size_t size, struct rf_error *err) {
    return fwrite(data, 1, size, context) == size ? RF_OK : rf_fail(err, RF_IO, "cannot write the snapshot of the child");
}

// The peer: fork() gives the child the state as it is, and the parent a page fault for every page it touches meanwhile.
static void write_in_child(struct bench *bench) {
    char path[4200];
    snprintf(path, sizeof path, "%s/forked.tmp", bench->assembly.folder.path);
    FILE *file = fopen(path, "wb");
    struct rf_snapshot_header header;
    rf_snapshot_header_init(&header);
    char empty[] = "";
    header.model = header.specification = header.worker = header.program = empty;
    struct rf_snapshot_writer *writer;
    struct rf_error err;
    if (!file) {
        _exit(1);
    }
    must(rf_snapshot_writer_create(&header, rf_pipeline_state(bench->pipeline), write_file, file, &writer, &err), &err);
    enum rf_status status;
    do {
        status = rf_snapshot_writer_advance(writer, 1 << 20, &err);
    } while (status == RF_AGAIN);
    must(status, &err);
    _exit(fflush(file) || fdatasync(fileno(file)) || unlink(path));
}

static void fork_snapshot(struct bench *bench) {
    double clock = now_ms(CLOCK_MONOTONIC), processor = now_ms(CLOCK_THREAD_CPUTIME_ID);
    pid_t child = fork();
    if (child == 0) {
        write_in_child(bench);
    }
    processor = now_ms(CLOCK_THREAD_CPUTIME_ID) - processor;
    clock = now_ms(CLOCK_MONOTONIC) - clock;
    fold_next(bench);
    bench->processor_ms[0] += processor; // the fold stands still meanwhile
    bench->clock_ms[0] += clock;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        fold_next(bench);
    }
    if (status) {
        fprintf(stderr, "bench_snapshot: the forked child could not write its snapshot\n");
        exit(1);
    }
}

static void fill_table(struct bench *bench, struct made_stream *stream) {
    bool is_zipf = stream->options.is_zipf;
    stream->options.is_zipf = false;
    size_t features = ((size_t)5 << stream->options.bits) / 2; // 2.5 for each row leave 8 % of the rows empty
    for (size_t i = 0; i < features / FEATURES / BATCH_RECORDS; i++) {
        make_batch(bench, stream, bench->next % BATCHES);
        fold_next(bench);
    }
    stream->options.is_zipf = is_zipf;
    for (size_t i = 0; i < BATCHES; i++) {
        make_batch(bench, stream, i);
    }
    bench->count = 0;
}

static void learn(struct bench *bench, const char *settings, bool forks, const struct made_options *made, unsigned rounds) {
    struct made_stream stream;
    made_stream_init(&stream, made);
    struct rf_error err;
    open_model(bench, settings);
    if (rf_checkpoint_restore(rf_pipeline_checkpoint(bench->pipeline), bench->pipeline, &err) != RF_NOT_FOUND) {
        fprintf(stderr, "bench_snapshot: the state folder must hold no snapshot\n");
        exit(1);
    }
    must(rf_state_reserve(rf_pipeline_state(bench->pipeline)), &err);
    make_batches(bench, &stream);
    fill_table(bench, &stream);
    pthread_t keeper;
    if (pthread_create(&keeper, NULL, keep, bench)) {
        exit(1);
    }
    for (unsigned round = 0; round < rounds; round++) {
        fold_quietly(bench);
        tell(bench, "quiet");
        fold_beside_hashing(bench);
        tell(bench, "hashing");
        (forks ? fork_snapshot : take_snapshot)(bench);
        tell(bench, forks ? "fork" : "beside");
    }
    bench->is_over = true;
    pthread_join(keeper, NULL);
    free_batches(bench);
    close_model(bench);
}

static void restore_once(struct bench *bench, const char *settings) {
    struct rf_error err;
    open_model(bench, settings);
    double begun = now_ms(CLOCK_MONOTONIC);
    must(rf_checkpoint_restore(rf_pipeline_checkpoint(bench->pipeline), bench->pipeline, &err), &err);
    double restored = now_ms(CLOCK_MONOTONIC) - begun;

    const struct rf_folder *folder = &bench->assembly.folder;
    struct rf_snapshot_files files;
    char path[RF_SNAPSHOT_PATH_SIZE];
    size_t size;
    must(rf_snapshot_files_list(folder->disk, folder->path, &files, &err), &err);
    rf_snapshot_files_path(&files, files.count - 1, path);
    rf_snapshot_files_finish(&files);
    const uint8_t *data;
    must(rf_disk_read(folder->disk, path, &data, &size, &err), &err);
    begun = now_ms(CLOCK_MONOTONIC);
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_sha256 sha;
    rf_sha256_init(&sha);
    rf_sha256_update(&sha, data, size);
    rf_sha256_finish(&sha, digest);
    printf("{\"bytes\":%zu,\"milliseconds\":%.3f,\"sha256_milliseconds\":%.3f}\n", size, restored,
           now_ms(CLOCK_MONOTONIC) - begun);
    rf_disk_forget(folder->disk, data, size);
    close_model(bench);
}

int main(int argc, char **argv) {
    static struct bench bench;
    bool forks = argc > 1 && strcmp(argv[1], "fork") == 0, is_zipf = argc > 4 && strcmp(argv[4], "zipf") == 0;
    if (argc == 6 && (forks || strcmp(argv[1], "beside") == 0) && (is_zipf || strcmp(argv[4], "uniform") == 0)) {
        const struct made_options made = {
                .features = FEATURES, .bits = (unsigned)strtoul(argv[3], NULL, 10), .is_zipf = is_zipf, .seed = 1};
        learn(&bench, argv[2], forks, &made, (unsigned)strtoul(argv[5], NULL, 10));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "restore") == 0) {
        for (unsigned left = (unsigned)strtoul(argv[3], NULL, 10); left > 0; left--) {
            restore_once(&bench, argv[2]);
        }
        return 0;
    }
    fprintf(stderr, "usage: bench_snapshot beside|fork SETTINGS BITS zipf|uniform ROUNDS | restore SETTINGS ROUNDS\n");
    return 2;
}
