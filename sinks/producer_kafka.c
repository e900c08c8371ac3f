#include "sinks/producer.h"

#include "sinks/conf.h"

#include <librdkafka/rdkafka.h>

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SENTENCE_SIZE = 512, WAIT_SLICE_MS = 10 };

struct rf_producer {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic; // the last one sent to
    uint64_t generation;     // counts marks; a record carries the one it was sent in
    bool is_marked;
    uint64_t before;             // in flight, sent before the mark
    uint64_t after;              // in flight, sent since
    char trouble[SENTENCE_SIZE]; // what the client last complained of, e.g. that it cannot connect
    struct rf_error failure;     // a record was refused for good
};

static enum rf_status fail_again(const struct rf_producer *producer, struct rf_error *err) {
    *err = producer->failure;
    return err->status;
}

static void note_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    struct rf_producer *producer = opaque;
    uint64_t *in_flight = (uintptr_t)message->_private < producer->generation ? &producer->before : &producer->after;
    assert(*in_flight > 0);
    --*in_flight;
    if (message->err && !producer->failure.status) {
        const char *trouble = producer->trouble;
        rf_fail(&producer->failure, RF_IO, "kafka: topic %s refused a record: %s%s%s", rd_kafka_topic_name(message->rkt),
                rd_kafka_err2str(message->err), trouble[0] ? "; " : "", trouble);
    }
}

static void note_trouble(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    struct rf_producer *producer = opaque;
    if (code == RD_KAFKA_RESP_ERR__FATAL && !producer->failure.status) {
        char text[SENTENCE_SIZE] = "";
        rd_kafka_fatal_error(client, text, sizeof text);
        rf_fail(&producer->failure, RF_IO, "kafka: the producer cannot go on: %s", text);
        return;
    }
    size_t size = strnlen(reason, sizeof producer->trouble - 1);
    memcpy(producer->trouble, reason, size);
    producer->trouble[size] = '\0';
}

static const struct rf_conf_preset presets[] = {
        {"all", (const char *const[]){"acks", "request.required.acks", NULL}},
        {"0", (const char *const[]){"message.timeout.ms", "delivery.timeout.ms", NULL}},
        {"murmur2_random", (const char *const[]){"partitioner", NULL}},
        {"65536", (const char *const[]){"queue.buffering.max.kbytes", NULL}},
        {"true", (const char *const[]){"socket.nagle.disable", NULL}},
};

// What an idempotent producer may be told.
struct demand {
    const char *name;
    const char *word; // the value as a word; NULL: a number only
    long min, max;
};

static const struct demand idempotence[] = {
        {"acks", "all", -1, -1},
        {"request.required.acks", "all", -1, -1},
        {"max.in.flight", NULL, 1, 5},
        {"max.in.flight.requests.per.connection", NULL, 1, 5},
        {"retries", NULL, 1, LONG_MAX},
        {"message.send.max.retries", NULL, 1, LONG_MAX},
        {"queuing.strategy", "fifo", 0, 0},
        {"queue.buffering.backpressure.threshold", NULL, 1, 1},
};

static bool meets(const struct demand *demand, const char *value) {
    if (demand->word && strcasecmp(value, demand->word) == 0) {
        return true;
    }
    char *end;
    long number = strtol(value, &end, 0);
    return end != value && *end == '\0' && number >= demand->min && number <= demand->max;
}

static bool contradicts_idempotence(const struct rf_pair *property) {
    for (size_t i = 0; i < sizeof idempotence / sizeof *idempotence; i++) {
        if (strcmp(property->name, idempotence[i].name) == 0) {
            return !meets(&idempotence[i], property->value);
        }
    }
    return strcmp(property->name, "enable.idempotence") == 0; // it decides for itself
}

// Idempotent, unless the operator says otherwise or something that contradicts it.
static enum rf_status set_idempotence(rd_kafka_conf_t *conf, const struct rf_pairs *properties, struct rf_error *err) {
    for (size_t i = 0; i < properties->count; i++) {
        if (contradicts_idempotence(&properties->list[i])) {
            return RF_OK;
        }
    }
    return rf_conf_set(conf, "enable.idempotence", "true", err);
}

enum rf_status rf_producer_create(const struct rf_pairs *properties, struct rf_producer **producer_out, struct rf_error *err) {
    struct rf_producer *producer = calloc(1, sizeof *producer);
    if (!producer) {
        return rf_fail(err, RF_MEMORY, "kafka: a producer does not fit into memory");
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_error_cb(conf, note_trouble);
    rd_kafka_conf_set_dr_msg_cb(conf, note_delivery);
    if (rf_conf_fill(conf, presets, sizeof presets / sizeof *presets, properties, err) ||
        set_idempotence(conf, properties, err)) {
        goto fail;
    }
    char text[SENTENCE_SIZE];
    producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer->client) {
        rf_fail(err, RF_INVALID, "kafka: cannot make a producer: %s", text);
        goto fail; // rd_kafka_new() takes conf only when it succeeds
    }
    *producer_out = producer;
    return RF_OK;
fail:
    rd_kafka_conf_destroy(conf);
    rf_producer_destroy(producer);
    return err->status;
}

void rf_producer_destroy(struct rf_producer *producer) {
    if (!producer) {
        return;
    }
    if (producer->topic) {
        rd_kafka_topic_destroy(producer->topic);
    }
    if (producer->client) {
        (void)rd_kafka_purge(producer->client,
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(producer->client);
    }
    free(producer);
}

// A handle asks for the topic's leader at once. Records sent by the topic's name alone make librdkafka 2.0.2 ask only with
// its next scan, up to a second later.
static enum rf_status choose_topic(struct rf_producer *producer, const char *name, struct rf_error *err) {
    if (producer->topic && strcmp(rd_kafka_topic_name(producer->topic), name) == 0) {
        return RF_OK;
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->client, name, NULL);
    if (!topic) {
        return rf_fail(err, RF_INVALID, "kafka: topic %s cannot be used: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
    }
    if (producer->topic) {
        rd_kafka_topic_destroy(producer->topic);
    }
    producer->topic = topic;
    return RF_OK;
}

static rd_kafka_resp_err_t produce(struct rf_producer *producer, int32_t partition, struct rf_text key, struct rf_text value,
                                   int64_t timestamp_ms) {
    const rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition < 0 ? RD_KAFKA_PARTITION_UA : partition},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)key.data, key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)value.data, value.size}},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = timestamp_ms < 0 ? 0 : timestamp_ms}, // 0: now
            {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)producer->generation},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, fields, sizeof fields / sizeof *fields);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

enum rf_status rf_producer_send(struct rf_producer *producer, const char *topic, int32_t partition, struct rf_text key,
                                struct rf_text value, int64_t timestamp_ms, struct rf_error *err) {
    if (producer->failure.status) {
        return fail_again(producer, err);
    }
    enum rf_status status = choose_topic(producer, topic, err);
    if (status) {
        return status;
    }
    rd_kafka_resp_err_t code = produce(producer, partition, key, value, timestamp_ms);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        // What is confirmed keeps its place in the queue until it is served.
        rd_kafka_poll(producer->client, 0);
        code = produce(producer, partition, key, value, timestamp_ms);
    }
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return RF_AGAIN;
    }
    if (code) {
        rf_fail(err, code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RF_FULL : RF_IO,
                "kafka: topic %s refused a record of %zu bytes: %s", topic, key.size + value.size, rd_kafka_err2str(code));
        if (err->status == RF_IO) {
            producer->failure = *err;
        }
        return err->status;
    }
    producer->after++;
    return RF_OK;
}

void rf_producer_mark(struct rf_producer *producer) {
    producer->generation++;
    producer->before += producer->after;
    producer->after = 0;
    producer->is_marked = true;
}

enum rf_status rf_producer_settle(struct rf_producer *producer, int timeout_ms, struct rf_error *err) {
    const uint64_t *awaited = producer->is_marked ? &producer->before : &producer->after;
    rd_kafka_poll(producer->client, 0);
    // A poll that served nothing has waited; one that served something cannot be endless, as nothing is sent meanwhile.
    for (int left_ms = timeout_ms; *awaited > 0 && left_ms > 0 && !producer->failure.status;) {
        int slice_ms = left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS;
        left_ms -= rd_kafka_poll(producer->client, slice_ms) == 0 ? slice_ms : 0;
    }
    if (producer->failure.status) {
        return fail_again(producer, err);
    }
    if (*awaited > 0) {
        return RF_AGAIN;
    }
    producer->is_marked = false;
    return RF_OK;
}

uint64_t rf_producer_in_flight(const struct rf_producer *producer) {
    return producer->before + producer->after;
}
