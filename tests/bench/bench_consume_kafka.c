// The bare consumer that streams are compared with: librdkafka alone, in batches, a byte of each value touched.
//
//     bench_consume BROKERS TOPIC RECORDS [latency]
//
// Prints JSON: seconds from the first record to the last, bytes; with `latency`, which begins at the end of the topic and expects
// JSON whose first member is the id, microseconds against it.
#include "tests/bench/latencies.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1000, PARTITIONS_MAX = 64 };

struct totals {
    uint64_t records, bytes, begun_ns, ended_ns, touched;
    struct latencies latencies;
    bool has_latencies;
};

static int fail(const char *what, const char *why) {
    fprintf(stderr, "bench_consume: %s: %s\n", what, why);
    return 1;
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    return rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK ? 0 : fail(name, why);
}

static int assign(rd_kafka_t *client, const char *topic, int64_t offset) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle, &metadata, 10000);
    rd_kafka_topic_destroy(handle);
    if (error) {
        return fail(topic, rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    for (int32_t i = 0; i < metadata->topics[0].partition_cnt; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = offset;
    }
    rd_kafka_metadata_destroy(metadata);
    error = rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? fail(topic, rd_kafka_err2str(error)) : 0;
}

static void take(struct totals *totals, const rd_kafka_message_t *message, uint64_t now) {
    const char *bytes = message->payload;
    totals->records++;
    totals->bytes += message->len;
    totals->touched += (unsigned char)bytes[message->len / 2];
    if (totals->has_latencies) {
        latencies_add(&totals->latencies, strtoull(bytes + strlen("{\"id\":"), NULL, 10), now);
    }
}

// The batch call waits until the batch is full or the time is over: where the latency counts, one record is waited for, and what
// is there besides is taken with it.
static ssize_t take_some(rd_kafka_queue_t *queue, bool is_quick, rd_kafka_message_t *messages[BATCH]) {
    if (!is_quick) {
        return rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
    }
    messages[0] = rd_kafka_consume_queue(queue, 100);
    ssize_t more = messages[0] ? rd_kafka_consume_batch_queue(queue, 0, messages + 1, BATCH - 1) : -1;
    return 1 + (more > 0 ? more : messages[0] ? 0 : -1);
}

static void consume(rd_kafka_queue_t *queue, uint64_t records, struct totals *totals) {
    rd_kafka_message_t *messages[BATCH];
    while (totals->records < records) {
        ssize_t count = take_some(queue, totals->has_latencies, messages);
        uint64_t now = latencies_now_ns();
        for (ssize_t i = 0; i < count; i++) {
            if (!messages[i]->err) {
                totals->begun_ns = totals->begun_ns ? totals->begun_ns : now;
                take(totals, messages[i], now);
            }
            rd_kafka_message_destroy(messages[i]);
        }
        totals->ended_ns = now;
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: bench_consume BROKERS TOPIC RECORDS [latency]\n");
        return 2;
    }
    struct totals totals = {.has_latencies = argc > 4};
    const uint64_t records = strtoull(argv[3], NULL, 10);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (set(conf, "bootstrap.servers", argv[1]) || set(conf, "group.id", "bench") || set(conf, "enable.auto.commit", "false") ||
        set(conf, "queued.max.messages.kbytes", "65536") || set(conf, "queued.min.messages", "250000")) {
        return 1;
    }
    char why[256];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!client) {
        return fail("cannot start", why);
    }
    latencies_init(&totals.latencies, records);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    if (assign(client, argv[2], totals.has_latencies ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING)) {
        return 1;
    }
    consume(queue, records, &totals);
    printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.4f,\"touched\":%llu", (unsigned long long)totals.records,
           (unsigned long long)totals.bytes, (double)(totals.ended_ns - totals.begun_ns) / 1e9,
           (unsigned long long)totals.touched);
    if (totals.has_latencies) {
        putchar(',');
        latencies_print(&totals.latencies, records / 10, stdout);
    }
    puts("}");
    latencies_finish(&totals.latencies);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return 0;
}
