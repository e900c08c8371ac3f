// What a source of Kafka reads, from where, and how it lends it.
#include "tests/ingest/fixture_kafka.h"
#include "tests/ingest/source_fixture.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reads_all_partitions_of_all_topics_to_their_end(void **state) {
    struct world *world = *state;
    add_topic(world, "payments", 2);
    add_topic(world, "refunds", 1);
    add_topic(world, "empty", 1);
    produce(world, "payments", 0, "a b c");
    produce(world, "payments", 1, "d");
    produce(world, "refunds", 0, "e f");
    struct settings settings;
    settings_init(&settings, world->servers, "refunds");
    settings_add(&settings, "payments");
    settings_add(&settings, "empty");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    expect_assigned(source, &positions);
    assert_int_equal(positions.count, 4);
    assert_string_equal(positions.list[0].topic, "refunds");
    assert_string_equal(positions.list[1].topic, "payments");
    assert_int_equal(positions.list[1].partition, 0);
    assert_int_equal(positions.list[2].partition, 1);
    assert_string_equal(positions.list[3].topic, "empty");
    struct rf_error err;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    produce(world, "payments", 0, "late"); // after reading began: not read

    char text[256];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 100, text, sizeof text), 6);
    static const char *const expected[] = {"0@0=e", "0@1=f", "1@0=a", "1@1=b", "1@2=c", "2@0=d"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_non_null(strstr(text, expected[i]));
    }
    assert_null(strstr(text, "late"));

    static struct loan loan;
    loan_init(&loan);
    assert_int_equal(poll_source(source, &want, &loan), RF_SOURCE_END); // and again
    int64_t end[4];
    rf_source_ends(source, end);
    assert_int_equal(end[0], 2);
    assert_true(end[1] >= 3);
    assert_int_equal(end[3], 0);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void records_carry_key_value_and_timestamp(void **state) {
    struct world *world = *state;
    add_topic(world, "keyed", 1);
    produce_sized(world->producer, "keyed", 0, "card", "x", 1, 1522540831000);
    produce_sized(world->producer, "keyed", 0, NULL, "", 0, 5);
    produce_sized(world->producer, "keyed", 0, "gone", NULL, 0, 6);
    flush_records(world->producer);
    struct settings settings;
    settings_init(&settings, world->servers, "keyed");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    struct rf_record seen[3];
    size_t count = 0;
    struct rf_poll want = want_all();
    want.records_max = 1;
    while (count < 3) {
        loan_init(&loan);
        if (poll_source(source, &want, &loan) != RF_SOURCE_RECORDS) {
            continue;
        }
        seen[count] = loan.list[0];
        if (count == 0) {
            assert_true(rf_text_equal(seen[0].key, rf_text_of("card")));
            assert_true(rf_text_equal(seen[0].value, rf_text_of("x")));
        }
        count++;
        rf_source_release(source, &loan.records);
    }
    assert_int_equal(seen[0].timestamp_ms, 1522540831000);
    assert_null(seen[1].key.data);
    assert_int_equal(seen[1].value.size, 0);
    assert_null(seen[2].value.data);
    assert_int_equal(seen[2].key.size, 4);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

// A message with so many headers h0, h1, ... of the values 0, 1, ...; the last one has none.
static void produce_headers(rd_kafka_t *producer, const char *topic, int32_t partition, size_t count, int64_t timestamp_ms) {
    rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        char name[32], value[32];
        snprintf(name, sizeof name, "h%zu", i);
        snprintf(value, sizeof value, "%zu", i);
        assert_int_equal(rd_kafka_header_add(headers, name, -1, i + 1 < count ? value : NULL, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t) "v", 1}},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    assert_null(rd_kafka_produceva(producer, fields, sizeof fields / sizeof fields[0]));
}

// Reads `count` records with room for `capacity` headers, and tells of each as "headers:first value,last name " in text.
static void read_headers(struct rf_source *source, size_t count, size_t capacity, char *text, size_t text_size) {
    static struct loan loan;
    struct rf_header *headers = calloc(capacity + 1, sizeof *headers);
    struct rf_poll want = want_all();
    size_t used = 0;
    assert_non_null(headers);
    for (size_t seen = 0; seen < count;) {
        loan_init(&loan);
        loan.records.headers = headers;
        loan.records.header_capacity = capacity;
        if (poll_source(source, &want, &loan) != RF_SOURCE_RECORDS) {
            continue;
        }
        for (size_t i = 0; i < loan.records.count; i++, seen++) {
            const struct rf_record *record = &loan.list[i];
            used += (size_t)snprintf(text + used, text_size - used, "%u", (unsigned)record->header_count);
            if (record->headers) {
                const struct rf_header *last = &record->headers[record->header_count - 1];
                assert_null(last->value.data);
                used += (size_t)snprintf(text + used, text_size - used, ":%.*s,%.*s", (int)record->headers[0].value.size,
                                         record->headers[0].value.data, (int)last->name.size, last->name.data);
            }
            used += (size_t)snprintf(text + used, text_size - used, " ");
        }
        assert_in_range(loan.records.header_count, 0, capacity);
        rf_source_release(source, &loan.records);
    }
    free(headers);
}

static struct rf_source *open_until_end(struct world *world, const char *topic, struct rf_positions *positions) {
    struct settings settings;
    settings_init(&settings, world->servers, topic);
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    assign_all(source, positions);
    return source;
}

static void headers_come_where_there_is_room_for_them(void **state) {
    struct world *world = *state;
    add_topic(world, "headed", 1);
    static const size_t counts[] = {2, 0, 3, RF_RECORD_HEADERS_MAX, RF_RECORD_HEADERS_MAX + 1, 4};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        produce_headers(world->producer, "headed", 0, counts[i], 1);
    }
    flush_records(world->producer);
    struct rf_positions positions;
    char text[512];
    struct rf_source *source = open_until_end(world, "headed", &positions);
    read_headers(source, 6, RF_RECORD_HEADERS_MAX, text, sizeof text);
    assert_string_equal(text, "2:0,h1 0 3:0,h2 256:0,h255 257 4:0,h3 "); // a poll ends where the room does
    rf_source_destroy(source);
    rf_positions_finish(&positions);
    source = open_until_end(world, "headed", &positions);
    read_headers(source, 6, 0, text, sizeof text);
    assert_string_equal(text, "0 0 0 0 0 0 ");
    rf_source_destroy(source);
    rf_positions_finish(&positions);
}

static void merged_records_keep_their_headers(void **state) {
    struct world *world = *state;
    add_topic(world, "merged", 2);
    for (size_t i = 0; i < 400; i++) { // more than a lane holds
        produce_headers(world->producer, "merged", (int32_t)(i % 2), i % 2 + 1, (int64_t)i + 1);
    }
    flush_records(world->producer);
    struct settings settings;
    settings_init(&settings, world->servers, "merged");
    settings.options.until_end = true;
    struct rf_source *source;
    struct rf_positions positions;
    struct rf_error err;
    assert_int_equal(rf_source_merge_create(create_source(&settings), -1, true, &source, &err), RF_OK);
    assign_all(source, &positions);
    char text[8192];
    read_headers(source, 400, RF_RECORD_HEADERS_MAX, text, sizeof text);
    const char *at = text;
    for (size_t i = 0; i < 400; i++) {
        const char *words = i % 2 ? "2:0,h1 " : "1:,h0 ";
        assert_int_equal(strncmp(at, words, strlen(words)), 0);
        at += strlen(words);
    }
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void starting_at_the_latest_reads_only_what_comes_then(void **state) {
    struct world *world = *state;
    add_topic(world, "late", 1);
    produce(world, "late", 0, "a b c");
    struct settings settings;
    settings_init(&settings, world->servers, "late");
    settings.options.start = RF_START_LATEST;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    assert_int_equal(positions.list[0].next_offset, 3); // what the policy came to
    produce(world, "late", 0, "d");
    char text[256];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    assert_string_equal(text, "0@3=d ");
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void resumes_where_the_positions_say(void **state) {
    struct world *world = *state;
    add_topic(world, "resumed", 3);
    for (int32_t partition = 0; partition < 3; partition++) {
        produce(world, "resumed", partition, "a b c d");
    }
    struct settings settings;
    settings_init(&settings, world->servers, "resumed");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 2; // nothing known of the record before
    positions.list[1].next_offset = 3; // one earlier, for the fold to compare
    positions.list[1].fingerprint = 42;
    positions.list[2].next_offset = 0; // the log begins here
    positions.list[2].fingerprint = 42;
    struct rf_error err;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    char text[256];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 100, text, sizeof text), 8);
    assert_non_null(strstr(text, "0@2=c"));
    assert_non_null(strstr(text, "0@3=d"));
    assert_null(strstr(text, "0@1"));
    assert_non_null(strstr(text, "1@2=c"));
    assert_null(strstr(text, "1@1"));
    assert_non_null(strstr(text, "2@0=a"));
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void delivers_one_partition_at_a_time_when_asked(void **state) {
    struct world *world = *state;
    add_topic(world, "scheduled", 2);
    produce(world, "scheduled", 0, "a b c d e f");
    produce(world, "scheduled", 1, "A B C D E F");
    struct settings settings;
    settings_init(&settings, world->servers, "scheduled");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    static const struct {
        uint32_t partition;
        size_t count;
        const char *text;
    } schedule[] = {
            {1, 2, "1@0=A 1@1=B "}, {0, 1, "0@0=a "}, {1, 1, "1@2=C "}, {0, 3, "0@1=b 0@2=c 0@3=d "}, {1, 2, "1@3=D 1@4=E "}};
    char text[256];
    for (size_t i = 0; i < sizeof schedule / sizeof schedule[0]; i++) {
        struct rf_poll want = want_all();
        want.has_partition = true;
        want.partition = schedule[i].partition;
        want.records_max = schedule[i].count;
        assert_int_equal(read_records(source, &want, schedule[i].count, text, sizeof text), schedule[i].count);
        assert_string_equal(text, schedule[i].text);
    }
    struct rf_poll want = want_all(); // the schedule is over: all the rest, and nothing twice
    assert_int_equal(read_records(source, &want, 100, text, sizeof text), 3);
    assert_non_null(strstr(text, "0@4=e"));
    assert_non_null(strstr(text, "0@5=f"));
    assert_non_null(strstr(text, "1@5=F"));
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void slices_by_count_and_bytes(void **state) {
    struct world *world = *state;
    add_topic(world, "sliced", 1);
    produce(world, "sliced", 0, "first");
    produce(world, "sliced", 0, "aaaa bbbb cccc dddddddddddddddd e f g"); // arrive at once: the producer knows the topic now
    struct settings settings;
    settings_init(&settings, world->servers, "sliced");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    struct rf_error err;
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 1;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    static struct loan loan;
    struct rf_poll want = want_all();
    want.bytes_max = 9;
    want.records_max = 3;
    char sizes[64] = "";
    for (;;) {
        loan_init(&loan);
        enum rf_source_event event = poll_source(source, &want, &loan);
        if (event == RF_SOURCE_END) {
            break;
        }
        size_t bytes = 0;
        for (size_t i = 0; i < loan.records.count; i++) {
            bytes += loan.list[i].value.size;
        }
        assert_true(bytes <= 9 || loan.records.count == 1); // larger than allowed: alone
        assert_true(loan.records.count <= 3);
        if (event == RF_SOURCE_RECORDS && strlen(sizes) < 60) {
            sprintf(sizes + strlen(sizes), "%zu ", loan.records.count);
        }
        rf_source_release(source, &loan.records);
    }
    assert_string_equal(sizes, "2 1 1 3 ");
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void loans_outlive_later_polls_and_any_thread_gives_them_back(void **state) {
    struct world *world = *state;
    add_topic(world, "lent", 1);
    produce(world, "lent", 0, "a b c d");
    struct settings settings;
    settings_init(&settings, world->servers, "lent");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loans[4];
    struct rf_poll want = want_all();
    want.records_max = 1;
    for (size_t i = 0; i < 4;) {
        loan_init(&loans[i]);
        i += poll_source(source, &want, &loans[i]) == RF_SOURCE_RECORDS;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(loans[i].list[0].value.data[0], 'a' + (int)i);
        release_elsewhere(source, &loans[i]);
    }
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void an_unassigned_source_offers_its_partitions_anew(void **state) {
    struct world *world = *state;
    add_topic(world, "again", 2);
    produce(world, "again", 0, "a b c");
    struct settings settings;
    settings_init(&settings, world->servers, "again");
    settings.options.until_end = true;
    struct rf_source *source = create_source(&settings);
    struct rf_positions positions;
    char text[256];
    struct rf_poll want = want_all();
    for (int round = 0; round < 3; round++) {
        assign_all(source, &positions);
        assert_int_equal(read_records(source, &want, 2, text, sizeof text) >= 2, true);
        rf_source_unassign(source);
        rf_positions_finish(&positions);
    }
    rf_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(reads_all_partitions_of_all_topics_to_their_end),
            cmocka_unit_test(records_carry_key_value_and_timestamp),
            cmocka_unit_test(headers_come_where_there_is_room_for_them),
            cmocka_unit_test(merged_records_keep_their_headers),
            cmocka_unit_test(starting_at_the_latest_reads_only_what_comes_then),
            cmocka_unit_test(resumes_where_the_positions_say),
            cmocka_unit_test(delivers_one_partition_at_a_time_when_asked),
            cmocka_unit_test(slices_by_count_and_bytes),
            cmocka_unit_test(loans_outlive_later_polls_and_any_thread_gives_them_back),
            cmocka_unit_test(an_unassigned_source_offers_its_partitions_anew),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
