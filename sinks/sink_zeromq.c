#include "sinks/endpoint.h"
#include "sinks/message.h"
#include "sinks/sink_internal.h"

#include <zmq.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zeromq_sink {
    struct rf_sink base;
    void *context;
    struct rf_endpoint endpoint;
    char *topic;               // the first frame
    struct rf_message message; // the second one
    uint64_t encoded_sequence; // of the batch that waits in `message`; 0: none
};

static const struct rf_sink_ops zeromq_ops;

static struct zeromq_sink *zeromq_from(struct rf_sink *self) {
    assert(self->ops == &zeromq_ops);
    return (struct zeromq_sink *)self;
}

static enum rf_status encode_once(struct zeromq_sink *zeromq, const struct rf_predictions *predictions, size_t first,
                                  struct rf_error *err) {
    if (zeromq->encoded_sequence == predictions->sequence) {
        return RF_OK;
    }
    rf_message_clear(&zeromq->message);
    enum rf_status status = rf_message_add_batch(&zeromq->message, predictions, first, err);
    zeromq->encoded_sequence = status ? 0 : predictions->sequence;
    return status;
}

// A batch without any prediction is sent too: its sequence number would be missed.
static enum rf_status zeromq_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                     struct rf_error *err) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    assert(predictions->sequence > 0);
    enum rf_status status = encode_once(zeromq, predictions, *done, err);
    if (status) {
        return status;
    }
    status = rf_endpoint_send(&zeromq->endpoint, zeromq->topic, strlen(zeromq->topic), RF_FRAME_MORE);
    if (status == RF_OK) {
        status = rf_endpoint_send(&zeromq->endpoint, zeromq->message.data, zeromq->message.size, RF_FRAME_LAST);
    }
    if (status == RF_AGAIN) {
        return RF_AGAIN;
    }
    if (status) {
        return rf_fail(err, RF_IO, "zeromq: cannot send at %s: %s", zeromq->endpoint.name, zmq_strerror(zmq_errno()));
    }
    zeromq->encoded_sequence = 0;
    *done = predictions->examples->count;
    return RF_OK;
}

static void zeromq_destroy(struct rf_sink *self) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    rf_endpoint_close(&zeromq->endpoint);
    if (zeromq->context) {
        (void)zmq_ctx_term(zeromq->context); // waits for linger_ms at most
    }
    rf_message_finish(&zeromq->message);
    free(zeromq->topic);
    free(zeromq);
}

static const struct rf_sink_ops zeromq_ops = {.name = "zeromq", .publish = zeromq_publish, .destroy = zeromq_destroy};

static enum rf_status open_zeromq(struct zeromq_sink *zeromq, const struct rf_sink_zeromq_options *options, const char *model,
                                  struct rf_error *err) {
    zeromq->context = zmq_ctx_new();
    if (!zeromq->context) {
        return rf_fail(err, RF_IO, "zeromq: cannot start: %s", zmq_strerror(zmq_errno()));
    }
    const struct rf_endpoint_options endpoint = {
            .type = options->publish ? ZMQ_PUB : ZMQ_PUSH,
            .address = options->publish ? options->publish : options->push,
            .high_water_mark = options->high_water_mark,
            .linger_ms = options->linger_ms,
    };
    enum rf_status status = rf_endpoint_open(zeromq->context, &endpoint, &zeromq->endpoint, err);
    if (status) {
        return status;
    }
    zeromq->base.is_lossy = options->publish != NULL;
    zeromq->base.endpoint = strdup(zeromq->endpoint.name);
    if (!zeromq->base.endpoint || asprintf(&zeromq->topic, "predictions/%s", model) < 0) {
        zeromq->topic = NULL;
        return rf_fail(err, RF_MEMORY, "zeromq: a sink does not fit into memory");
    }
    return rf_sink_set_label(&zeromq->base, "zeromq", endpoint.address, err);
}

enum rf_status rf_sink_zeromq_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                     struct rf_error *err) {
    const struct rf_sink_zeromq_options *wanted = options;
    if (!wanted->publish == !wanted->push) {
        return rf_fail(err, RF_INVALID, "zeromq: publish and push are %s set, must be one of the two",
                       wanted->publish ? "both" : "not");
    }
    struct zeromq_sink *zeromq = calloc(1, sizeof *zeromq);
    if (!zeromq) {
        return rf_fail(err, RF_MEMORY, "zeromq: a sink does not fit into memory");
    }
    zeromq->base.ops = &zeromq_ops;
    rf_message_init(&zeromq->message);
    enum rf_status status = open_zeromq(zeromq, wanted, context->model, err);
    if (status) {
        rf_sink_destroy(&zeromq->base);
        return status;
    }
    *sink_out = &zeromq->base;
    return RF_OK;
}
