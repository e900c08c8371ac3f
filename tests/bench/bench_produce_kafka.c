// Fills a topic with made payments, as fast as it goes or at a fixed rate.
//
//     bench_produce BROKERS TOPIC FORMAT RECORDS [RATE]
//
// With a rate the loop is open: each record has its time beforehand, which is its id, in nanoseconds of CLOCK_MONOTONIC, and is
// sent when that has come, or as soon as possible after it; waiting for anybody is not taken off. So latencies measured against
// the id hold what queueing costs.
#include "tests/bench/payments.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int fail(const char *what, const char *why) {
    fprintf(stderr, "bench_produce: %s: %s\n", what, why);
    return 1;
}

static uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void wait_until(uint64_t due_ns) {
    struct timespec time = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    return rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK ? 0 : fail(name, why);
}

static void send_one(rd_kafka_t *client, rd_kafka_topic_t *topic, const char *bytes, size_t size) {
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)bytes, size, NULL, 0, NULL) &&
           rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(client, 1);
    }
}

int main(int argc, char **argv) {
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: bench_produce BROKERS TOPIC FORMAT RECORDS [RATE]\n");
        return 2;
    }
    int format = 0;
    while (format < PAYMENT_FORMATS && strcmp(argv[3], payment_format_names[format]) != 0) {
        format++;
    }
    const uint64_t records = strtoull(argv[4], NULL, 10);
    const double rate = argc > 5 ? strtod(argv[5], NULL) : 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (format == PAYMENT_FORMATS) {
        return fail(argv[3], "no such format");
    }
    if (set(conf, "bootstrap.servers", argv[1]) || set(conf, "queue.buffering.max.messages", "1000000") ||
        set(conf, "linger.ms", rate > 0 ? "0.2" : "50") || set(conf, "batch.num.messages", rate > 0 ? "1000" : "10000") ||
        set(conf, "sticky.partitioning.linger.ms", rate > 0 ? "1" : "20")) {
        return 1;
    }
    char why[256];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!client) {
        return fail("cannot start", why);
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argv[2], NULL);
    char bytes[PAYMENT_BYTES_MAX];
    struct payment payment;
    const uint64_t begun = now_ns() + 500000000;
    for (uint64_t i = 0; i < records; i++) {
        payment_make(1, i, &payment);
        if (rate > 0) {
            payment.id = begun + (uint64_t)((double)i * 1e9 / rate);
            if (payment.id > now_ns() + 50000) {
                rd_kafka_poll(client, 0);
                wait_until(payment.id);
            }
        }
        send_one(client, topic, bytes, payment_write(&payment, (enum payment_format)format, bytes));
        if (i % 1024 == 0) {
            rd_kafka_poll(client, 0);
        }
    }
    rd_kafka_resp_err_t left = rd_kafka_flush(client, 60000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return left ? fail("not all was taken", rd_kafka_err2str(left)) : 0;
}
