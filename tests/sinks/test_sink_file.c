#include "sinks/sink.h"
#include "tests/sinks/made_batch.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_SIZE = 4096, LEFT_SIZE_MAX = 2 << 20 };

static const struct rf_sink_context context = {.model = "fraud"};
static char folder[] = "/tmp/riffle-test-file-XXXXXX";
static char path[64];
static struct batch batch;
static struct rf_error err;
static off_t begun; // the disk was asked to begin with what stands before it

static size_t syncs;   // of files
static int sync_error; // that they answer

// The linker puts them in place of the C library's (--wrap).
int __wrap_sync_file_range(int fd, off_t offset, off_t size, unsigned flags);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd) {
    assert_true(fd >= 0);
    syncs++;
    errno = sync_error;
    return sync_error ? -1 : 0;
}

int __wrap_sync_file_range(int fd, off_t offset, off_t size, unsigned flags) {
    (void)fd;
    assert_int_equal(flags, SYNC_FILE_RANGE_WRITE);
    assert_int_equal(offset, begun);
    assert_int_equal(offset % PAGE_SIZE, 0);
    assert_int_equal(size % PAGE_SIZE, 0);
    begun = offset + size;
    return 0;
}

static int set_up(void **state) {
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/scores.jsonl", folder);
    batch_init(&batch);
    begun = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    batch_finish(&batch);
    (void)unlink(path);
    return rmdir(folder);
}

static enum rf_status open_sink(char *wanted, struct rf_sink **sink_out) {
    const struct rf_sink_file_options options = {.path = wanted};
    for (const struct rf_variant *kind = rf_sink_variants; kind->name; kind++) {
        if (strcmp(kind->name, "file") == 0) {
            return rf_sink_create(&(struct rf_variant_value){kind, (void *)&options}, &context, sink_out, &err);
        }
    }
    return RF_NOT_FOUND;
}

static void publish(struct rf_sink *sink, int64_t offset, size_t count) {
    batch_next(&batch, offset, count);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_OK);
    assert_int_equal(done, count);
}

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *read_file(void) {
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

static size_t count_lines(void) {
    size_t count = 0;
    for (const char *at = read_file(); (at = strchr(at, '\n')); at++) {
        count++;
    }
    return count;
}

static void a_batch_is_in_the_file_when_publish_returns(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_false(sink->is_lossy);
    assert_memory_equal(sink->label, "file:/tmp/", 10);
    publish(sink, 10, 3);
    assert_int_equal(count_lines(), 3);
    assert_non_null(strstr(read_file(), "\"offset\":12,"));
    assert_int_equal(sink->published, 3);
    rf_sink_destroy(sink);
}

static void a_fresh_start_appends_to_what_is_there(void **state) {
    (void)state;
    write_file("old\n");
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    publish(sink, 0, 1);
    assert_memory_equal(read_file(), "old\n{", 5);
    rf_sink_destroy(sink);
}

static void a_line_cut_by_a_crash_is_ended(void **state) {
    (void)state;
    write_file("{\"mod");
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    publish(sink, 0, 1);
    assert_memory_equal(read_file(), "{\"mod\n{\"model\"", 14);
    rf_sink_destroy(sink);
}

static void a_bookmark_is_the_length_and_a_rewind_forgets_what_came_after(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_int_equal(rf_sink_mark(sink), 0);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
    publish(sink, 0, 5);
    uint64_t bookmark = rf_sink_mark(sink);
    assert_int_equal(bookmark, strlen(read_file()));
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
    publish(sink, 5, 5);
    rf_sink_destroy(sink);

    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_int_equal(rf_sink_rewind(sink, bookmark, &err), RF_OK);
    assert_int_equal(count_lines(), 5);
    publish(sink, 5, 2);
    assert_int_equal(count_lines(), 7);
    assert_int_equal(rf_sink_rewind(sink, 0, &err), RF_OK);
    assert_int_equal(count_lines(), 0);
    publish(sink, 0, 1);
    assert_int_equal(count_lines(), 1);
    rf_sink_destroy(sink);
}

static void what_was_synced_beside_is_settled_without_waiting(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    syncs = 0;
    for (int64_t i = 0; i < 3; i++) {
        publish(sink, 10 * i, 5);
        (void)rf_sink_mark(sink);
        rf_sink_sync(sink);
        publish(sink, 10 * i + 5, 5); // meanwhile
        assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
        assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
        assert_int_equal(syncs, i + 1);
    }
    (void)rf_sink_mark(sink);
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK); // nobody did it
    assert_int_equal(syncs, 4);

    (void)rf_sink_mark(sink);
    sync_error = EIO;
    rf_sink_sync(sink);
    sync_error = 0;
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_IO);
    assert_non_null(strstr(err.text, "cannot sync "));
    assert_non_null(strstr(err.text, ": Input/output error"));
    rf_sink_sync(sink); // what a failing sync left is unknown: a good one later does not make it good
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_IO);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
    rf_sink_destroy(sink);
}

static void a_file_shorter_than_its_bookmark_is_refused(void **state) {
    (void)state;
    write_file("12345\n");
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_int_equal(rf_sink_rewind(sink, 7, &err), RF_CONFLICT);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%s has 6 bytes, it had 7 at the snapshot: put it back or start afresh", path);
    assert_string_equal(err.text, sentence);
    rf_sink_destroy(sink);
    assert_string_equal(read_file(), "12345\n");
}

static void a_missing_file_with_a_bookmark_is_refused_and_stays_missing(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_int_equal(rf_sink_rewind(sink, 7, &err), RF_CONFLICT);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%s is missing, it had 7 bytes at the snapshot: put it back or start afresh", path);
    assert_string_equal(err.text, sentence);
    rf_sink_destroy(sink);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_full_disk_fails_for_good_in_words(void **state) {
    (void)state;
    struct rf_sink *sink;
    char full[] = "/dev/full";
    assert_int_equal(open_sink(full, &sink), RF_OK);
    batch_next(&batch, 0, 2);
    for (int i = 0; i < 2; i++) {
        size_t done = 0;
        assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_IO);
        assert_string_equal(err.text, "cannot write /dev/full: No space left on device");
        assert_int_equal(done, 0);
    }
    assert_int_equal(rf_sink_mark(sink), 0);
    err.text[0] = '\0';
    assert_int_equal(rf_sink_settle(sink, 0, &err), RF_IO);
    assert_string_equal(err.text, "cannot write /dev/full: No space left on device");
    assert_int_equal(sink->published, 0);
    rf_sink_destroy(sink);
}

static void a_folder_that_is_not_there_is_named(void **state) {
    (void)state;
    struct rf_sink *sink;
    char wanted[] = "/nowhere/scores.jsonl";
    assert_int_equal(open_sink(wanted, &sink), RF_IO);
    assert_string_equal(err.text, "cannot open /nowhere/scores.jsonl: No such file or directory");
}

static void a_folder_that_takes_no_files_is_named(void **state) {
    (void)state;
    struct rf_sink *sink;
    char wanted[] = "/sys/scores.jsonl"; // not even root's
    assert_int_equal(open_sink(wanted, &sink), RF_IO);
    assert_memory_equal(err.text, "cannot open /sys/scores.jsonl: ", 31);
}

static void a_file_has_one_writer(void **state) {
    (void)state;
    struct rf_sink *sink, *second;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    assert_int_equal(open_sink(path, &second), RF_BUSY);
    assert_non_null(strstr(err.text, " is being written by another sink, must be the file of one"));
    rf_sink_destroy(sink);
    assert_int_equal(open_sink(path, &second), RF_OK);
    rf_sink_destroy(second);
}

// Standard output is `fd` until it is put back.
static int put_away_output(int fd) {
    (void)fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    return kept;
}

static void put_back_output(int kept) {
    (void)dup2(kept, STDOUT_FILENO);
    (void)close(kept);
}

static void a_dash_is_standard_output(void **state) {
    (void)state;
    struct rf_sink *sink;
    char dash[] = "-";
    assert_int_equal(open_sink(dash, &sink), RF_OK);
    assert_string_equal(sink->label, "file:-");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = put_away_output(ends[1]);
    publish(sink, 77, 1);
    put_back_output(kept);
    (void)close(ends[1]);
    char line[512] = "";
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    (void)close(ends[0]);
    assert_non_null(strstr(line, "\"offset\":77,"));
    assert_int_equal(rf_sink_mark(sink), 0);
    assert_int_equal(rf_sink_rewind(sink, 5, &err), RF_OK);
    rf_sink_destroy(sink);
}

// A batch of over two MiB.
static void make_large_batch(int64_t offset) {
    static char id[4096];
    memset(id, 'i', sizeof id - 1);
    batch_next(&batch, offset, 0);
    for (int64_t i = 0; i < BATCH_CAPACITY; i++) {
        batch_add(&batch, offset + i, id, 0.5);
    }
}

// Appends what is in the pipe to the file at `path`.
static void drain(int from) {
    static char bytes[1 << 16];
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    for (ssize_t size; (size = read(from, bytes, sizeof bytes)) > 0;) {
        assert_int_equal(fwrite(bytes, 1, (size_t)size, file), size);
    }
    assert_int_equal(fclose(file), 0);
}

static void a_pipe_without_room_gets_the_rest_later(void **state) {
    (void)state;
    struct rf_sink *sink;
    char dash[] = "-";
    assert_int_equal(open_sink(dash, &sink), RF_OK);
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    make_large_batch(0);
    enum rf_status status = RF_AGAIN, settled = RF_AGAIN;
    size_t done = 0, turns = 0;
    for (; status == RF_AGAIN; turns++) {
        int kept = put_away_output(ends[1]);
        status = rf_sink_publish(sink, &batch.predictions, &done, &err);
        settled = rf_sink_settle(sink, 0, &err);
        put_back_output(kept);
        assert_int_equal(settled, status);
        drain(ends[0]);
    }
    assert_int_equal(status, RF_OK);
    assert_true(turns > 10);
    assert_int_equal(done, BATCH_CAPACITY);
    assert_int_equal(sink->published, BATCH_CAPACITY);
    assert_int_equal(sink->waits, turns - 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    static char line[8192];
    for (int i = 0; i < BATCH_CAPACITY; i++) {
        char begin[128];
        int size = snprintf(begin, sizeof begin,
                            "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":%d,\"id\":\"iii", i);
        assert_non_null(fgets(line, sizeof line, file));
        assert_memory_equal(line, begin, (size_t)size);
        assert_memory_equal(line + strlen(line) - 13, "\"class\":\"0\"}\n", 13);
    }
    assert_null(fgets(line, sizeof line, file));
    assert_int_equal(fclose(file), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    rf_sink_destroy(sink);
}

static void the_disk_begins_with_what_is_written_before_it_is_settled(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    uint64_t size = 0;
    for (int64_t i = 0; i < 4; i++) {
        make_large_batch(i * BATCH_CAPACITY);
        size_t done = 0;
        assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_OK);
        size = rf_sink_mark(sink);
        assert_int_equal(begun, size - size % PAGE_SIZE);
        assert_int_equal(rf_sink_settle(sink, 0, &err), RF_OK);
    }
    for (int64_t i = 0; i < 4; i++) { // without a line too
        make_large_batch(i * BATCH_CAPACITY);
        size_t done = 0;
        assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_OK);
    }
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    assert_true(stat_now.st_size - begun < LEFT_SIZE_MAX);
    rf_sink_destroy(sink);

    assert_int_equal(open_sink(path, &sink), RF_OK);
    begun = PAGE_SIZE;
    assert_int_equal(rf_sink_rewind(sink, PAGE_SIZE + 1, &err), RF_OK);
    publish(sink, 0, 200);
    size = rf_sink_mark(sink);
    assert_int_equal(begun, size - size % PAGE_SIZE);
    rf_sink_destroy(sink);
}

static void a_large_batch_arrives_whole(void **state) {
    (void)state;
    struct rf_sink *sink;
    assert_int_equal(open_sink(path, &sink), RF_OK);
    make_large_batch(0);
    size_t done = 0;
    assert_int_equal(rf_sink_publish(sink, &batch.predictions, &done, &err), RF_OK);
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    assert_int_equal(rf_sink_mark(sink), stat_now.st_size);
    assert_true(stat_now.st_size > BATCH_CAPACITY * 4096);
    rf_sink_destroy(sink);
}

static void rejected_records_go_to_their_own_file(void **state) {
    (void)state;
    struct rf_sink *sink;
    const struct rf_rejected_options options = {.file = path};
    assert_int_equal(rf_sink_rejected_create(&options, &context, &sink, &err), RF_OK);
    assert_memory_equal(sink->label, "rejected:file:/tmp/", 19);
    batch_add_reject(&batch, 4, rf_text_of("k"), rf_text_of("{"), "at byte 1: the object does not end");
    size_t done = 0;
    assert_int_equal(rf_sink_reject(sink, &batch.rejects, &done, &err), RF_OK);
    assert_int_equal(sink->published, 1);
    assert_int_equal(count_lines(), 1);
    assert_non_null(strstr(read_file(), "\"reason\":\"undecodable\""));
    rf_sink_destroy(sink);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(a_batch_is_in_the_file_when_publish_returns),
            CLAIM(a_fresh_start_appends_to_what_is_there),
            CLAIM(a_line_cut_by_a_crash_is_ended),
            CLAIM(a_bookmark_is_the_length_and_a_rewind_forgets_what_came_after),
            CLAIM(what_was_synced_beside_is_settled_without_waiting),
            CLAIM(a_file_shorter_than_its_bookmark_is_refused),
            CLAIM(a_missing_file_with_a_bookmark_is_refused_and_stays_missing),
            CLAIM(a_full_disk_fails_for_good_in_words),
            CLAIM(a_folder_that_is_not_there_is_named),
            CLAIM(a_folder_that_takes_no_files_is_named),
            CLAIM(a_file_has_one_writer),
            CLAIM(a_dash_is_standard_output),
            CLAIM(a_pipe_without_room_gets_the_rest_later),
            CLAIM(a_large_batch_arrives_whole),
            CLAIM(the_disk_begins_with_what_is_written_before_it_is_settled),
            CLAIM(rejected_records_go_to_their_own_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
