#include "sinks/message.h"
#include "sinks/outbox.h"
#include "sinks/producer.h"
#include "sinks/sink_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_TIME = -1 }; // stamped when produced: an old event time would meet the topic's retention

struct kafka_sink {
    struct rf_sink base;
    struct rf_producer *producer; // NULL: records go into the outbox, whose transactions confirm them
    struct rf_outbox *outbox;
    char *topic;
    enum rf_message_format format;
    struct rf_message message;
    bool was_marked; // a line was drawn at some time
    bool has_line;   // one is not settled yet
};

static const struct rf_sink_ops kafka_ops;
static const struct rf_sink_ops kafka_rejected_ops;

static struct kafka_sink *kafka_from(struct rf_sink *self) {
    assert(self->ops == &kafka_ops || self->ops == &kafka_rejected_ops);
    return (struct kafka_sink *)self;
}

// Takes in what was delivered; once that is all before the line, the producer has forgotten the line.
static enum rf_status await_line(struct kafka_sink *kafka, int timeout_ms, struct rf_error *err) {
    if (!kafka->producer) {
        return RF_OK;
    }
    enum rf_status status = rf_producer_settle(kafka->producer, timeout_ms, err);
    kafka->has_line = kafka->has_line && status == RF_AGAIN;
    return status;
}

// Takes in what was delivered since; says so from then on when something was refused for good.
static enum rf_status serve(struct kafka_sink *kafka, struct rf_error *err) {
    enum rf_status status = await_line(kafka, 0, err);
    return status == RF_AGAIN ? RF_OK : status;
}

static enum rf_status send_message(struct kafka_sink *kafka, struct rf_text key, struct rf_error *err) {
    struct rf_text value = {kafka->message.data, kafka->message.size};
    if (!kafka->producer) {
        return rf_outbox_add(kafka->outbox, kafka->topic, key, value, err);
    }
    return rf_producer_send(kafka->producer, kafka->topic, -1, key, value, NO_TIME, err);
}

// What does not fit in its shortest form never will. That is then no fault of the record: names and scores take the room.
static enum rf_status will_not_fit(const struct kafka_sink *kafka, const char *what, const char *without, struct rf_error *err) {
    return rf_fail(err, RF_IO, "kafka: topic %s: %s takes %zu bytes without its %s, message.max.bytes must be no less",
                   kafka->topic, what, kafka->message.size, without);
}

static enum rf_status send_prediction_as(struct kafka_sink *kafka, enum rf_message_id id,
                                         const struct rf_predictions *predictions, size_t index, struct rf_error *err) {
    rf_message_clear(&kafka->message);
    struct rf_text key = id == RF_MESSAGE_WITH_ID ? predictions->examples->id[index] : (struct rf_text){0};
    enum rf_status status = rf_message_add_prediction(&kafka->message, kafka->format, id, predictions, index, err);
    return status ? status : send_message(kafka, key, err);
}

// An id that makes a message too large must not stop the stream, so it is left out: topic, partition and offset still name
// the record.
static enum rf_status send_prediction(struct kafka_sink *kafka, const struct rf_predictions *predictions, size_t index,
                                      struct rf_error *err) {
    enum rf_status status = send_prediction_as(kafka, RF_MESSAGE_WITH_ID, predictions, index, err);
    if (status == RF_FULL) {
        status = send_prediction_as(kafka, RF_MESSAGE_WITHOUT_ID, predictions, index, err);
    }
    return status == RF_FULL ? will_not_fit(kafka, "a prediction", "id", err) : status;
}

static enum rf_status send_reject(struct kafka_sink *kafka, const struct rf_rejects *rejects, size_t index,
                                  struct rf_error *err) {
    rf_message_clear(&kafka->message);
    enum rf_status status = rf_message_add_reject(&kafka->message, kafka->format, rejects, index, err);
    return status ? status : send_message(kafka, rejects->list[index].record.key, err);
}

// A record that was just small enough for its own topic is too large once its reason is wrapped around it. It must not
// stop the stream, so it goes without its bytes: where they stand is told.
static enum rf_status send_reject_without_bytes(struct kafka_sink *kafka, const struct rf_rejects *rejects, size_t index,
                                                struct rf_error *err) {
    struct rf_reject reject = rejects->list[index];
    int used = snprintf(reject.detail, sizeof reject.detail, "key and value of %zu bytes left out; ",
                        reject.record.key.size + reject.record.value.size);
    size_t room = sizeof reject.detail - (size_t)used - 1;
    size_t size = strnlen(rejects->list[index].detail, room);
    memcpy(reject.detail + used, rejects->list[index].detail, size);
    reject.detail[(size_t)used + size] = '\0';
    reject.record.key = (struct rf_text){0};
    reject.record.value = (struct rf_text){0};
    const struct rf_rejects alone = {.list = &reject, .count = 1, .positions = rejects->positions, .model = rejects->model};
    enum rf_status status = send_reject(kafka, &alone, 0, err);
    return status == RF_FULL ? will_not_fit(kafka, "a rejected record", "bytes", err) : status;
}

static enum rf_status kafka_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                    struct rf_error *err) {
    struct kafka_sink *kafka = kafka_from(self);
    enum rf_status status = serve(kafka, err);
    for (; status == RF_OK && *done < predictions->examples->count; *done += status == RF_OK) {
        if (rf_message_is_due(predictions, *done)) {
            status = send_prediction(kafka, predictions, *done, err);
        }
    }
    return status;
}

static enum rf_status kafka_reject(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done, struct rf_error *err) {
    struct kafka_sink *kafka = kafka_from(self);
    enum rf_status status = serve(kafka, err);
    for (; status == RF_OK && *done < rejects->count; *done += status == RF_OK) {
        status = send_reject(kafka, rejects, *done, err);
        if (status == RF_FULL) {
            status = send_reject_without_bytes(kafka, rejects, *done, err);
        }
    }
    return status;
}

static uint64_t kafka_mark(struct rf_sink *self) {
    struct kafka_sink *kafka = kafka_from(self);
    if (!kafka->producer) {
        return 0;
    }
    rf_producer_mark(kafka->producer);
    kafka->was_marked = kafka->has_line = true;
    return 0; // Kafka cannot forget: what is folded again stands twice, under the same offsets
}

static enum rf_status kafka_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) {
    struct kafka_sink *kafka = kafka_from(self);
    return kafka->was_marked && !kafka->has_line ? serve(kafka, err) : await_line(kafka, timeout_ms, err);
}

static void kafka_destroy(struct rf_sink *self) {
    struct kafka_sink *kafka = kafka_from(self);
    if (kafka->producer) {
        rf_producer_destroy(kafka->producer);
    }
    rf_message_finish(&kafka->message);
    free(kafka->topic);
    free(kafka);
}

static const struct rf_sink_ops kafka_ops = {
        .name = "kafka",
        .publish = kafka_publish,
        .mark = kafka_mark,
        .settle = kafka_settle,
        .destroy = kafka_destroy,
};

static const struct rf_sink_ops kafka_rejected_ops = {
        .name = "kafka",
        .reject = kafka_reject,
        .mark = kafka_mark,
        .settle = kafka_settle,
        .destroy = kafka_destroy,
};

static enum rf_status create(const struct rf_sink_ops *ops, const char *kind, const struct rf_sink_kafka_options *options,
                             const struct rf_sink_context *context, struct rf_sink **sink_out, struct rf_error *err) {
    struct kafka_sink *kafka = calloc(1, sizeof *kafka);
    if (!kafka) {
        return rf_fail(err, RF_MEMORY, "kafka: a sink does not fit into memory");
    }
    kafka->base.ops = ops;
    kafka->format = (enum rf_message_format)options->format;
    rf_message_init(&kafka->message);
    kafka->topic = strdup(options->topic);
    enum rf_status status = kafka->topic ? rf_sink_set_label(&kafka->base, kind, options->topic, err)
                                         : rf_fail(err, RF_MEMORY, "kafka: a sink does not fit into memory");
    kafka->outbox = context->outbox;
    if (status == RF_OK && !context->outbox) {
        status = rf_producer_create(context->kafka, &kafka->producer, err);
    }
    if (status) {
        rf_sink_destroy(&kafka->base);
        return status;
    }
    *sink_out = &kafka->base;
    return RF_OK;
}

enum rf_status rf_sink_kafka_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                    struct rf_error *err) {
    return create(&kafka_ops, "kafka", options, context, sink_out, err);
}

enum rf_status rf_sink_kafka_create_rejected(const char *topic, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                             struct rf_error *err) {
    const struct rf_sink_kafka_options options = {.topic = (char *)topic, .format = RF_MESSAGE_PROTOBUF};
    return create(&kafka_rejected_ops, "rejected:kafka", &options, context, sink_out, err);
}
