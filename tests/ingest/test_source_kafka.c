#include "ingest/broker.h"
#include "ingest/source.h"
#include "tests/ingest/source_fixture.h"
#include "tests/test.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KAFKA_FETCH = 1, KAFKA_OFFSET_COMMIT = 8, BROKER_ID = 1 };

// A broker, and a producer that tests fill it with.
struct world {
    struct rf_broker *broker;
    rd_kafka_t *producer;
    char servers[128];
};

static rd_kafka_t *make_producer(const char *servers) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof text), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "linger.ms", "20", text, sizeof text), RD_KAFKA_CONF_OK); // one message set a flush
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "message.max.bytes", "2000000", text, sizeof text), RD_KAFKA_CONF_OK);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(producer);
    return producer;
}

static int setup(void **state) {
    struct world *world = calloc(1, sizeof *world);
    struct rf_error err;
    assert_int_equal(rf_broker_create(&world->broker, &err), RF_OK);
    snprintf(world->servers, sizeof world->servers, "%s", rf_broker_bootstrap(world->broker));
    world->producer = make_producer(world->servers);
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    rd_kafka_destroy(world->producer);
    rf_broker_destroy(world->broker);
    free(world);
    return 0;
}

// Lets the producer know a topic beforehand: else its first record waits for a scan that comes once a second.
static void introduce(rd_kafka_t *producer, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(producer, topic, NULL);
    assert_int_equal(rd_kafka_metadata(producer, 0, handle, &metadata, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}

static void add_topic(struct world *world, const char *topic, int32_t partitions) {
    struct rf_error err;
    assert_int_equal(rf_broker_add_topic(world->broker, topic, partitions, &err), RF_OK);
    introduce(world->producer, topic);
}

static void produce_sized(rd_kafka_t *producer, const char *topic, int32_t partition, const char *key, const void *value,
                          size_t size, int64_t timestamp_ms) {
    rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, size}},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, fields, sizeof fields / sizeof fields[0]);
    assert_null(error);
}

static void flush(rd_kafka_t *producer) {
    assert_int_equal(rd_kafka_flush(producer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

// Puts the words of `values` into a partition, one record each.
static void produce(struct world *world, const char *topic, int32_t partition, const char *values) {
    while (*values) {
        size_t size = strcspn(values, " ");
        produce_sized(world->producer, topic, partition, NULL, values, size, 1000);
        values += size + (values[size] == ' ');
    }
    flush(world->producer);
}

struct settings {
    struct rf_pair pairs[16];
    struct rf_pairs properties;
    char *topic_list[4];
    struct rf_texts topics;
    struct rf_source_kafka_options options;
};

static void set(struct settings *settings, const char *name, const char *value) {
    settings->pairs[settings->properties.count++] =
            (struct rf_pair){.name = (char *)(uintptr_t)name, .value = (char *)(uintptr_t)value};
}

static void add(struct settings *settings, const char *topic) {
    settings->topic_list[settings->topics.count++] = (char *)(uintptr_t)topic;
}

static void settings_init(struct settings *settings, const char *servers, const char *topic) {
    memset(settings, 0, sizeof *settings);
    settings->properties.list = settings->pairs;
    settings->topics.list = settings->topic_list;
    settings->options = (struct rf_source_kafka_options){.properties = &settings->properties, .topics = &settings->topics};
    set(settings, "bootstrap.servers", servers);
    set(settings, "fetch.wait.max.ms", "10");
    set(settings, "reconnect.backoff.ms", "10");
    set(settings, "reconnect.backoff.max.ms", "50");
    add(settings, topic);
}

static struct rf_source *create(const struct settings *settings) {
    struct rf_source *source = NULL;
    struct rf_error err = {0};
    if (rf_source_kafka_create(&settings->options, &source, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return source;
}

// A broker of the test's own, to break.
struct cluster {
    rd_kafka_t *client;
    rd_kafka_mock_cluster_t *mock;
    struct world world;
};

static void cluster_init(struct cluster *cluster) {
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", text, sizeof text), RD_KAFKA_CONF_OK);
    cluster->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cluster->mock = rd_kafka_mock_cluster_new(cluster->client, 1);
    assert_non_null(cluster->mock);
    snprintf(cluster->world.servers, sizeof cluster->world.servers, "%s", rd_kafka_mock_cluster_bootstraps(cluster->mock));
    cluster->world.producer = make_producer(cluster->world.servers);
}

static void cluster_finish(struct cluster *cluster) {
    rd_kafka_destroy(cluster->world.producer);
    rd_kafka_mock_cluster_destroy(cluster->mock);
    rd_kafka_destroy(cluster->client);
}

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
    add(&settings, "payments");
    add(&settings, "empty");
    settings.options.until_end = true;
    struct rf_source *source = create(&settings);
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
    flush(world->producer);
    struct settings settings;
    settings_init(&settings, world->servers, "keyed");
    settings.options.until_end = true;
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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
    flush(world->producer);
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
    flush(world->producer);
    struct settings settings;
    settings_init(&settings, world->servers, "merged");
    settings.options.until_end = true;
    struct rf_source *source;
    struct rf_positions positions;
    struct rf_error err;
    assert_int_equal(rf_source_merge_create(create(&settings), -1, true, &source, &err), RF_OK);
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
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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
    struct rf_source *source = create(&settings);
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

static void names_a_position_that_the_log_does_not_hold(void **state) {
    struct world *world = *state;
    add_topic(world, "short", 1);
    add_topic(world, "cut", 1);
    produce(world, "short", 0, "a b");
    enum { LARGE = 900000, COUNT = 8 }; // the broker keeps 5 MiB
    char *large = calloc(1, LARGE);
    for (int i = 0; i < COUNT; i++) {
        produce_sized(world->producer, "cut", 0, NULL, large, LARGE, 1);
        flush(world->producer); // one set each: the broker drops whole sets
    }
    free(large);

    struct settings settings;
    settings_init(&settings, world->servers, "short");
    add(&settings, "cut");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    struct rf_error err;
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 500;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    assert_string_equal(err.text, "offset 500 of short [0] is beyond the end: the log holds 0 to 2: was the topic made anew?");
    assert_false(source->is_temporary);

    positions.list[0].next_offset = 2;
    positions.list[1].next_offset = 1;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    int first = -1;
    assert_int_equal(sscanf(err.text, "offset 1 of cut [0] is no longer there: the log holds %d to 8", &first), 1);
    assert_in_range(first, 2, 4);

    positions.list[1].next_offset = first; // exactly where the log begins: the record before is not asked for
    positions.list[1].fingerprint = 42;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

// What a look tells of one record is what reading it tells; a look may come as often as is liked.
static void looks_at_the_last_records_of_all_partitions(void **state) {
    struct world *world = *state;
    add_topic(world, "looked", 3);
    produce(world, "looked", 0, "a b c");
    produce(world, "looked", 1, "d");
    struct settings settings;
    settings_init(&settings, world->servers, "looked");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    struct rf_holding holdings[4];
    struct rf_error err;
    struct rf_poll want = want_all();
    struct loan loan;
    loan_init(&loan);
    assign_all(source, &positions);
    want.has_partition = true;
    want.records_max = 2;
    while (poll_source(source, &want, &loan) != RF_SOURCE_RECORDS) {
    }
    assert_int_equal(loan.records.count, 2);
    uint64_t fingerprint = rf_record_fingerprint(&loan.list[1]);
    rf_source_release(source, &loan.records);
    rf_source_unassign(source);
    rf_positions_finish(&positions);

    expect_assigned(source, &positions);
    positions.list[0].next_offset = 2;
    positions.list[0].fingerprint = 1; // whatever was learned: the caller compares
    positions.list[1].next_offset = 5;
    positions.list[1].fingerprint = 1;
    size_t index;
    assert_int_equal(rf_positions_add(&positions, "left out", 0, &index), RF_OK);
    positions.list[index].next_offset = 7;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(rf_source_look(source, &positions, holdings, &err), RF_OK);
        assert_int_equal(holdings[0].first, 0);
        assert_int_equal(holdings[0].end, 3);
        assert_true(holdings[0].has_last);
        assert_true(holdings[0].fingerprint == fingerprint);
        assert_int_equal(holdings[1].end, 1);
        assert_false(holdings[1].has_last);
        assert_int_equal(holdings[2].end, -1); // nothing is known of it
        assert_int_equal(holdings[3].end, -1); // nobody reads it
    }
    char text[256];
    want = want_all();
    positions.list[1].next_offset = 0;
    positions.list[1].fingerprint = 0;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    assert_int_equal(read_records(source, &want, 3, text, sizeof text), 3); // "b" once more, "c" and "d"
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void keeps_committed_offsets_and_the_note_beside_them(void **state) {
    struct world *world = *state;
    add_topic(world, "noted", 2);
    struct settings settings;
    settings_init(&settings, world->servers, "noted");
    set(&settings, "group.id", "fraud");
    struct rf_source *source = create(&settings);
    struct rf_positions positions, committed;
    struct rf_error err = {0};
    char note[64] = "untouched";
    expect_assigned(source, &positions);
    rf_positions_init(&committed);
    assert_int_equal(rf_positions_copy(&committed, &positions), RF_OK);
    assert_int_equal(rf_source_committed(source, &committed, note, sizeof note, &err), RF_OK);
    assert_int_equal(committed.list[0].next_offset, RF_OFFSET_NONE);
    assert_int_equal(committed.list[1].next_offset, RF_OFFSET_NONE);
    assert_string_equal(note, "");

    positions.list[1].next_offset = 17; // of the other one nothing was applied
    assert_int_equal(rf_source_commit(source, &positions, "worker 7", &err), RF_OK);
    assert_int_equal(rf_source_committed(source, &committed, note, sizeof note, &err), RF_OK);
    assert_int_equal(committed.list[0].next_offset, RF_OFFSET_NONE);
    assert_int_equal(committed.list[1].next_offset, 17);
    assert_string_equal(note, "worker 7");

    char shorter[4];
    assert_int_equal(rf_source_committed(source, &committed, shorter, sizeof shorter, &err), RF_OK);
    assert_string_equal(shorter, "wor");
    rf_positions_finish(&positions);
    rf_positions_finish(&committed);
    rf_source_destroy(source);
}

// Two topics were read, one of them is gone from the settings and from the broker.
static void leaves_positions_of_other_topics_alone(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "kept", 2, 1);
    introduce(cluster.world.producer, "kept");
    produce(&cluster.world, "kept", 0, "a b c");
    produce(&cluster.world, "kept", 1, "d");
    rd_kafka_mock_topic_set_error(cluster.mock, "gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "kept");
    set(&settings, "group.id", "fraud");
    settings.options.until_end = true;
    struct rf_source *source = create(&settings);
    struct rf_positions offered, positions;
    struct rf_error err = {0};
    expect_assigned(source, &offered);
    rf_positions_init(&positions);
    static const struct {
        const char *topic;
        int32_t partition;
        int64_t next_offset;
    } all[] = {{"gone", 0, 70}, {"kept", 1, RF_OFFSET_NONE}, {"gone", 1, RF_OFFSET_NONE}, {"kept", 0, 1}, {"gone", 2, 0}};
    for (size_t i = 0; i < 5; i++) {
        size_t index;
        assert_int_equal(rf_positions_add(&positions, all[i].topic, all[i].partition, &index), RF_OK);
        positions.list[i].next_offset = all[i].next_offset;
    }
    if (rf_source_assign(source, &positions, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    static const int64_t assigned[] = {70, 0, RF_OFFSET_NONE, 1, 0};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(positions.list[i].next_offset, assigned[i]);
    }

    static struct loan loan;
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_poll want = want_all();
    want.has_partition = true;
    want.partition = 2;
    loan_init(&loan);
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_CONFLICT);
    assert_string_equal(err.text,
                        "the recorded order goes on with records of gone [1], but source.topics does not name gone: name "
                        "it once more, until a snapshot covers them");
    assert_false(source->is_temporary);

    char text[256];
    want = want_all();
    assert_int_equal(read_records(source, &want, 100, text, sizeof text), 3); // and no more: the end
    assert_non_null(strstr(text, "3@1=b 3@2=c "));
    assert_non_null(strstr(text, "1@0=d "));
    int64_t end[5];
    rf_source_ends(source, end);
    static const int64_t ends[] = {70, 1, RF_OFFSET_NONE, 3, 0};
    assert_memory_equal(end, ends, sizeof ends);

    positions.list[1].next_offset = 1;
    positions.list[3].next_offset = 3;
    assert_int_equal(rf_source_commit(source, &positions, "worker 7", &err), RF_OK);
    rf_source_destroy(source);
    rd_kafka_mock_topic_set_error(cluster.mock, "gone", RD_KAFKA_RESP_ERR_NO_ERROR); // it is made anew
    rd_kafka_mock_topic_create(cluster.mock, "gone", 3, 1);
    static const int64_t committed[] = {RF_OFFSET_NONE, 1, RF_OFFSET_NONE, 3, RF_OFFSET_NONE};
    for (int round = 0; round < 2; round++) { // asked without it, then with it
        source = create(&settings);
        char note[64];
        assert_int_equal(rf_source_committed(source, &positions, note, sizeof note, &err), RF_OK);
        assert_string_equal(note, "worker 7");
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(positions.list[i].next_offset, committed[i]);
            positions.list[i].next_offset = 5;
        }
        rf_source_destroy(source);
        add(&settings, "gone");
    }
    rf_positions_finish(&offered);
    rf_positions_finish(&positions);
    cluster_finish(&cluster);
}

static void commits_nothing_without_a_group(void **state) {
    struct world *world = *state;
    add_topic(world, "alone", 1);
    struct settings settings;
    settings_init(&settings, world->servers, "alone");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 1;
    assert_int_equal(rf_source_commit(source, &positions, "", &err), RF_INVALID);
    assert_string_equal(err.text, "kafka.group.id is not set, must name the group whose offsets are committed");
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void says_that_the_embedded_broker_knows_no_times(void **state) {
    struct world *world = *state;
    add_topic(world, "timed", 1);
    struct settings settings;
    settings_init(&settings, world->servers, "timed");
    settings.options.start = RF_START_TIME;
    settings.options.start_time_ms = 1522540831000;
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_UNSUPPORTED);
    assert_string_equal(err.text, "the embedded broker cannot look up times, start must be earliest or latest there");
    positions.list[0].next_offset = 0; // a known position needs no time
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void refuses_properties_that_would_break_its_promises(void **state) {
    struct world *world = *state;
    static const struct {
        const char *name, *value, *sentence;
    } refused[] = {
            {"enable.auto.commit", "true",
             "kafka.enable.auto.commit is true, must be false: offsets are committed after the snapshot that covers them"},
            {"enable.auto.offset.store", "true",
             "kafka.enable.auto.offset.store is true, must be false: offsets are committed after the snapshot that covers them"},
            {"auto.offset.reset", "earliest",
             "kafka.auto.offset.reset is earliest, must be error: source.start says where to begin, and a lost position is never "
             "jumped over"},
            {"bootstrap.server", "x", "kafka.bootstrap.server is not a property of librdkafka 2.0.2"},
            {"fetch.min.bytes", "many",
             "kafka.fetch.min.bytes cannot be set: Invalid value for configuration property \"fetch.min.bytes\""},
            {"error_cb", "x", NULL},
            {"ssl.ca.location", "/nowhere/ca.pem", NULL},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct settings settings;
        settings_init(&settings, world->servers, "any");
        if (strncmp(refused[i].name, "ssl.", 4) == 0) {
            set(&settings, "security.protocol", "ssl");
        }
        set(&settings, refused[i].name, refused[i].value);
        struct rf_source *source = NULL;
        struct rf_error err = {0};
        assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
        assert_null(source);
        if (refused[i].sentence && strstr(refused[i].sentence, rd_kafka_version_str())) {
            assert_string_equal(err.text, refused[i].sentence);
        } else if (refused[i].sentence && !strstr(refused[i].sentence, "librdkafka")) {
            assert_string_equal(err.text, refused[i].sentence);
        }
        assert_memory_equal(err.text, "kafka", 5);
    }
    struct settings settings;
    settings_init(&settings, world->servers, "any");
    set(&settings, "enable.auto.commit", "False"); // the same as ours
    set(&settings, "acks", "all");                 // a producer's: the properties are shared with the sinks
    rf_source_destroy(create(&settings));
}

static void refuses_to_read_nothing(void **state) {
    struct world *world = *state;
    struct settings settings;
    struct rf_source *source = NULL;
    struct rf_error err = {0};
    settings_init(&settings, world->servers, "any");
    settings.properties.list++, settings.properties.count--; // without bootstrap.servers
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "kafka.bootstrap.servers is not set, must name a broker, e.g. 127.0.0.1:9092");

    settings_init(&settings, world->servers, "any");
    settings.topics.count = 0;
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "source.topics is empty, must name a topic");

    settings_init(&settings, world->servers, "any");
    add(&settings, "any");
    assert_int_equal(rf_source_kafka_create(&settings.options, &source, &err), RF_INVALID);
    assert_string_equal(err.text, "source.topics names any twice");
}

static void tells_of_a_broker_that_is_away_at_the_start(void **state) {
    (void)state;
    struct settings settings;
    settings_init(&settings, "127.0.0.1:1", "any");
    struct rf_source *source = create(&settings);
    static struct loan loan;
    loan_init(&loan);
    for (int round = 0; round < 2; round++) {
        struct rf_error err = {0};
        enum rf_source_event event;
        const struct rf_positions *partitions;
        struct rf_poll want = want_all();
        assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_IO);
        assert_true(source->is_temporary);
        assert_non_null(strstr(err.text, "127.0.0.1:1"));
        assert_non_null(strstr(err.text, "Connection refused"));
    }
    rf_source_destroy(source);
}

static void names_a_topic_that_is_not_there(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_set_error(cluster.mock, "transactions", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "transactions");
    struct rf_source *source = create(&settings);
    static struct loan loan;
    loan_init(&loan);
    struct rf_error err = {0};
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_poll want = want_all();
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_NOT_FOUND);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "topic transactions is not there on %s", cluster.world.servers);
    assert_string_equal(err.text, sentence);
    assert_false(source->is_temporary);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

// Polls until a failure is told, or the polls are used up.
static enum rf_status poll_for_failure(struct rf_source *source, int polls, struct rf_error *err) {
    static struct loan loan;
    struct rf_poll want = want_all();
    want.timeout_ms = 50;
    enum rf_status status = RF_OK;
    while (status == RF_OK && polls-- > 0) {
        enum rf_source_event event;
        const struct rf_positions *partitions;
        loan_init(&loan);
        status = rf_source_poll(source, &want, &loan.records, &event, &partitions, err);
        rf_source_release(source, &loan.records);
    }
    return status;
}

static void tells_of_an_outage_once_and_goes_on_after_it(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "steady", 2, 1);
    introduce(cluster.world.producer, "steady");
    produce(&cluster.world, "steady", 0, "a b");
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "steady");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    char text[256];
    struct rf_poll want = want_all();
    assert_int_equal(read_records(source, &want, 2, text, sizeof text), 2);

    struct rf_error err = {0};
    rd_kafka_mock_broker_set_down(cluster.mock, BROKER_ID);
    assert_int_equal(poll_for_failure(source, 1000, &err), RF_IO);
    assert_true(source->is_temporary);
    assert_non_null(strstr(err.text, cluster.world.servers));
    assert_int_equal(poll_for_failure(source, 4, &err), RF_OK);

    rd_kafka_mock_broker_set_up(cluster.mock, BROKER_ID);
    produce(&cluster.world, "steady", 0, "c");
    produce(&cluster.world, "steady", 1, "d");
    assert_int_equal(read_records(source, &want, 2, text, sizeof text), 2);
    assert_non_null(strstr(text, "0@2=c"));
    assert_non_null(strstr(text, "1@0=d"));
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void is_destroyed_while_the_broker_is_away(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "left", 1, 1);
    introduce(cluster.world.producer, "left");
    produce(&cluster.world, "left", 0, "a b c");
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "left");
    set(&settings, "group.id", "fraud");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    char text[256];
    struct rf_poll want = want_all();
    want.records_max = 1; // others stay held
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    rd_kafka_mock_broker_set_down(cluster.mock, BROKER_ID);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void a_log_that_is_cut_under_the_reader_is_a_conflict(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "cut", 1, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "cut");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    struct rf_error err = {0};
    // Three times: librdkafka takes a first one at the end of the log for the end of the partition.
    rd_kafka_mock_push_request_errors(cluster.mock, KAFKA_FETCH, 3, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
                                      RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
    assert_int_equal(poll_for_failure(source, 100, &err), RF_CONFLICT);
    assert_string_equal(err.text, "offset 0 of cut [0] is no longer there: the log was cut while it was being read");
    assert_false(source->is_temporary);
    assert_int_equal(poll_for_failure(source, 1, &err), RF_CONFLICT); // and stays so
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
}

static void names_a_topic_that_is_deleted_under_the_reader_and_ends(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "deleted", 2, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "deleted");
    set(&settings, "topic.metadata.refresh.interval.ms", "50");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    assign_all(source, &positions);
    struct rf_error err = {0};
    rd_kafka_mock_topic_set_error(cluster.mock, "deleted", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    assert_int_equal(poll_for_failure(source, 100, &err), RF_NOT_FOUND);
    char first[256], second[256];
    snprintf(first, sizeof first, "deleted [0] is gone from %s", cluster.world.servers);
    snprintf(second, sizeof second, "deleted [1] is gone from %s", cluster.world.servers);
    if (strcmp(err.text, first) != 0) {
        assert_string_equal(err.text, second);
    }
    assert_false(source->is_temporary);
    rf_positions_finish(&positions);
    rf_source_destroy(source); // ctest's time limit would show a hang
    cluster_finish(&cluster);
}

static void tells_why_a_commit_was_refused(void **state) {
    (void)state;
    struct cluster cluster;
    cluster_init(&cluster);
    rd_kafka_mock_topic_create(cluster.mock, "refused", 1, 1);
    struct settings settings;
    settings_init(&settings, cluster.world.servers, "refused");
    set(&settings, "group.id", "fraud");
    struct rf_source *source = create(&settings);
    struct rf_positions positions;
    struct rf_error err = {0};
    expect_assigned(source, &positions);
    char note[16];
    assert_int_equal(rf_source_committed(source, &positions, note, sizeof note, &err), RF_OK); // the coordinator is known
    positions.list[0].next_offset = 1;
    rd_kafka_mock_push_request_errors(cluster.mock, KAFKA_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(rf_source_commit(source, &positions, "w", &err), RF_IO);
    assert_false(source->is_temporary);
    assert_non_null(strstr(err.text, "offsets are not committed to "));
    assert_non_null(strstr(err.text, "Topic authorization failed"));
    assert_int_equal(rf_source_commit(source, &positions, "w", &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    cluster_finish(&cluster);
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
            cmocka_unit_test(names_a_position_that_the_log_does_not_hold),
            cmocka_unit_test(looks_at_the_last_records_of_all_partitions),
            cmocka_unit_test(keeps_committed_offsets_and_the_note_beside_them),
            cmocka_unit_test(leaves_positions_of_other_topics_alone),
            cmocka_unit_test(commits_nothing_without_a_group),
            cmocka_unit_test(says_that_the_embedded_broker_knows_no_times),
            cmocka_unit_test(refuses_properties_that_would_break_its_promises),
            cmocka_unit_test(refuses_to_read_nothing),
            cmocka_unit_test(tells_of_a_broker_that_is_away_at_the_start),
            cmocka_unit_test(names_a_topic_that_is_not_there),
            cmocka_unit_test(tells_of_an_outage_once_and_goes_on_after_it),
            cmocka_unit_test(is_destroyed_while_the_broker_is_away),
            cmocka_unit_test(a_log_that_is_cut_under_the_reader_is_a_conflict),
            cmocka_unit_test(names_a_topic_that_is_deleted_under_the_reader_and_ends),
            cmocka_unit_test(tells_why_a_commit_was_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
