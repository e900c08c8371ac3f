#include "ops/fleet_replica.h"
#include "ops/settings.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A log of deltas without rows, in memory.
struct log {
    uint8_t *entry[64];
    size_t size[64], count;
};

static void append(struct log *log, const struct rf_fleet_entry *entry) {
    struct rf_error err;
    assert_true(log->count < 64);
    assert_int_equal(rf_fleet_entry_bytes(entry, &log->entry[log->count], &log->size[log->count], &err), RF_OK);
    log->count++;
}

static struct rf_text entry_at(const struct log *log, size_t index) {
    return (struct rf_text){(const char *)log->entry[index], log->size[index]};
}

static void forget(struct log *log) {
    for (size_t i = 0; i < log->count; i++) {
        free(log->entry[i]);
    }
}

static struct rf_replica *make_replica(const char *specification) {
    struct rf_replica *replica;
    struct rf_error err;
    const struct rf_replica_options options = {
            .model = "fraud", .specification = specification, .settings = specification ? rf_settings_table : NULL};
    assert_int_equal(rf_replica_create(&options, &replica, &err), RF_OK);
    return replica;
}

static void take(struct rf_replica *replica, const struct log *log, size_t from, size_t to) {
    struct rf_replica_news news;
    struct rf_error err;
    for (size_t i = from; i < to; i++) {
        assert_int_equal(rf_replica_take(replica, entry_at(log, i), &news, &err), RF_OK);
    }
}

// A delta of two chunks, of which another worker's may stand in between.
static void append_delta(struct log *log, struct rf_replica *sender, const char *worker, uint32_t epoch, uint64_t sequence,
                         int64_t from, size_t chunks) {
    struct rf_error err;
    uint8_t *bytes;
    size_t size;
    const struct rf_fleet_range range = {.topic = "cards", .from = from, .to = from + 10, .fingerprint = 7, .records = 10};
    struct rf_fleet_delta delta = {.line = rf_replica_line(sender),
                                   .start = rf_replica_number(sender),
                                   .ranges = &range,
                                   .range_count = 1,
                                   .records = 10,
                                   .learned = 9,
                                   .rejected = 1};
    memcpy(delta.chain, rf_replica_chain(sender), RF_SHA256_SIZE);
    assert_int_equal(rf_fleet_delta_bytes(&delta, &bytes, &size, &err), RF_OK);
    for (size_t i = 0; i < chunks; i++) {
        append(log, &(struct rf_fleet_entry){
                            .kind = RF_FLEET_CHUNK,
                            .chunk = {.worker = worker,
                                      .epoch = epoch,
                                      .sequence = sequence,
                                      .index = (uint32_t)i,
                                      .count = 2,
                                      .data = {(const char *)bytes + i * (size / 2), i ? size - size / 2 : size / 2}}});
    }
    free(bytes);
}

// Founded, joined by two, with deltas that count and one that does not, a reset, and half a delta at its end.
static void write_log(struct log *log) {
    struct rf_replica *replica = make_replica(NULL);
    *log = (struct log){.count = 0};
    append(log, &(struct rf_fleet_entry){
                        .kind = RF_FLEET_GENESIS,
                        .genesis = {.model = "fraud", .specification = "name = fraud\n", .arithmetic = RF_FLEET_ARITHMETIC}});
    append(log, &(struct rf_fleet_entry){.kind = RF_FLEET_JOIN, .join = {"a", "n-1", "test"}});
    append(log, &(struct rf_fleet_entry){.kind = RF_FLEET_JOIN, .join = {"b", "m-1", "test"}});
    take(replica, log, 0, log->count);
    append_delta(log, replica, "a", 1, 1, 0, 2);
    append_delta(log, replica, "b", 2, 1, 0, 2); // of the same records: void
    take(replica, log, 3, log->count);
    size_t taken = log->count;
    for (uint64_t sequence = 2; sequence < 8; sequence++) {
        append_delta(log, replica, "b", 2, sequence, (int64_t)sequence * 10 - 10, 2);
        take(replica, log, taken, log->count);
        taken = log->count;
    }
    const struct rf_fleet_range range = {.topic = "cards", .from = -1, .to = 30};
    append(log, &(struct rf_fleet_entry){.kind = RF_FLEET_RESET,
                                         .reset = {.line = 2, .start = 3, .ranges = &range, .range_count = 1}});
    take(replica, log, taken, log->count);
    taken = log->count;
    append_delta(log, replica, "a", 1, 2, 30, 2);
    take(replica, log, taken, log->count);
    append_delta(log, replica, "b", 2, 8, 40, 1);
    rf_replica_destroy(replica);
}

static void save(const struct rf_replica *replica, uint8_t **bytes_out, size_t *size_out) {
    struct rf_error err;
    assert_int_equal(rf_replica_save(replica, bytes_out, size_out, &err), RF_OK);
}

static void a_restored_replica_goes_on_as_the_saved_one_would(void **state) {
    (void)state;
    struct log log;
    struct rf_error err;
    write_log(&log);
    struct rf_replica *whole = make_replica(NULL);
    take(whole, &log, 0, log.count);
    uint8_t *wanted, *bytes, *got;
    size_t wanted_size, size, got_size;
    save(whole, &wanted, &wanted_size);
    assert_int_equal(rf_replica_number(whole), 9);
    assert_int_equal(rf_replica_voids(whole), 1);
    assert_int_equal(rf_replica_line(whole), 2);
    for (size_t cut = 1; cut <= log.count; cut++) {
        struct rf_replica *first = make_replica(NULL), *second = make_replica(NULL);
        take(first, &log, 0, cut);
        save(first, &bytes, &size);
        assert_int_equal(rf_replica_restore(second, (struct rf_text){(const char *)bytes, size}, &err), RF_OK);
        take(second, &log, cut, log.count);
        save(second, &got, &got_size);
        assert_int_equal(got_size, wanted_size);
        assert_memory_equal(got, wanted, wanted_size);
        free(bytes);
        free(got);
        rf_replica_destroy(first);
        rf_replica_destroy(second);
    }
    free(wanted);
    rf_replica_destroy(whole);
    forget(&log);
}

// Either it is told, or what it says could be: then it is saved as it was read.
static void restore_damaged(const uint8_t *bytes, size_t size) {
    struct rf_replica *replica = make_replica(NULL);
    struct rf_error err = {0};
    enum rf_status status = rf_replica_restore(replica, (struct rf_text){(const char *)bytes, size}, &err);
    assert_true(status == RF_OK || status == RF_CORRUPT || status == RF_CONFLICT);
    assert_true(status == RF_OK || err.text[0]);
    if (!status) {
        uint8_t *again;
        size_t again_size;
        save(replica, &again, &again_size);
        free(again);
    }
    rf_replica_destroy(replica);
}

static void damaged_bytes_are_no_replica(void **state) {
    (void)state;
    struct log log;
    uint8_t *bytes;
    size_t size;
    write_log(&log);
    struct rf_replica *replica = make_replica(NULL);
    take(replica, &log, 0, log.count);
    save(replica, &bytes, &size);
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1u << bit);
            restore_damaged(bytes, size);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
        uint8_t *cut = malloc(i + 1); // of its own: so that reading behind it would be seen
        memcpy(cut, bytes, i);
        restore_damaged(cut, i);
        free(cut);
    }
    free(bytes);
    rf_replica_destroy(replica);
    forget(&log);
}

static void a_replica_of_another_version_is_refused(void **state) {
    (void)state;
    const uint8_t later[] = {0x08, 0x02}; // version = 2
    struct rf_replica *replica = make_replica(NULL);
    struct rf_error err;
    assert_int_equal(rf_replica_restore(replica, (struct rf_text){(const char *)later, sizeof later}, &err), RF_CORRUPT);
    assert_string_equal(err.text, "a saved replica is of version 2, this program reads 1");
    rf_replica_destroy(replica);
}

static void a_replica_of_another_specification_is_refused_as_its_genesis_is(void **state) {
    (void)state;
    struct log log;
    struct rf_error by_log, by_save;
    struct rf_replica_news news;
    uint8_t *bytes;
    size_t size;
    write_log(&log);
    struct rf_replica *replica = make_replica(NULL), *reader = make_replica("seed = 2\n"), *other = make_replica("seed = 2\n");
    take(replica, &log, 0, log.count);
    save(replica, &bytes, &size);
    assert_int_equal(rf_replica_take(reader, entry_at(&log, 0), &news, &by_log), RF_CONFLICT);
    assert_int_equal(rf_replica_restore(other, (struct rf_text){(const char *)bytes, size}, &by_save), RF_CONFLICT);
    assert_string_equal(by_save.text, by_log.text);
    free(bytes);
    rf_replica_destroy(replica);
    rf_replica_destroy(reader);
    rf_replica_destroy(other);
    forget(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_restored_replica_goes_on_as_the_saved_one_would),
            cmocka_unit_test(damaged_bytes_are_no_replica),
            cmocka_unit_test(a_replica_of_another_version_is_refused),
            cmocka_unit_test(a_replica_of_another_specification_is_refused_as_its_genesis_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
