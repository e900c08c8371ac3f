#include "sinks/endpoint.h"
#include "sinks/message.h"
#include "sinks/sink_internal.h"
#include "sinks/unconfirmed.h"

#include <zmq.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zeromq_sink {
    struct rf_sink base;
    void *context;
    struct rf_endpoint endpoint;
    char *topic;                        // the first frame
    char *retractions;                  // and that of retractions
    struct rf_message message;          // the second one
    uint64_t encoded_sequence;          // of the batch that waits in `message`; 0: none
    struct rf_unconfirmed *unconfirmed; // NULL: readers do not confirm
    uint64_t line;                      // sequence number of the last batch before the one drawn by mark()
    bool was_marked;
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

// libzmq drops for a subscriber without room and says nothing; asked not to drop, it refuses the batch for all as long as one of
// them has none. So each batch is first sent in the second way, and where it is refused in the first: that moment, at which a
// subscriber begins to miss batches, is all that can be known here. Until it has room again libzmq passes it over.
static enum rf_status begin_batch(struct zeromq_sink *zeromq, const char *topic) {
    size_t size = strlen(topic);
    enum rf_status status = rf_endpoint_send(&zeromq->endpoint, topic, size, RF_FRAME_MORE);
    if (status != RF_AGAIN || !zeromq->base.is_lossy) {
        return status;
    }
    rf_endpoint_catch_up(&zeromq->endpoint);
    status = rf_endpoint_send(&zeromq->endpoint, topic, size, RF_FRAME_MORE);
    if (status != RF_AGAIN) {
        return status;
    }
    zeromq->base.gaps++;
    rf_endpoint_set_lossy(&zeromq->endpoint, true);
    return rf_endpoint_send(&zeromq->endpoint, topic, size, RF_FRAME_MORE);
}

static enum rf_status send_message(struct zeromq_sink *zeromq, const char *topic, struct rf_error *err) {
    uint64_t gaps = zeromq->base.gaps;
    enum rf_status status = begin_batch(zeromq, topic);
    if (status == RF_OK) {
        status = rf_endpoint_send(&zeromq->endpoint, zeromq->message.data, zeromq->message.size, RF_FRAME_LAST);
    }
    if (zeromq->base.gaps > gaps) {
        rf_endpoint_set_lossy(&zeromq->endpoint, false);
    }
    if (status && status != RF_AGAIN) {
        return rf_fail(err, RF_IO, "zeromq: cannot send at %s: %s", zeromq->endpoint.name, zmq_strerror(zmq_errno()));
    }
    return status;
}

// A batch without any prediction is sent too: its sequence number would be missed.
static enum rf_status zeromq_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                     struct rf_error *err) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    assert(predictions->sequence > 0);
    enum rf_status status = encode_once(zeromq, predictions, *done, err);
    if (!status && zeromq->unconfirmed) {
        status = rf_unconfirmed_add(zeromq->unconfirmed, predictions->version.epoch, predictions->sequence, zeromq->message.data,
                                    zeromq->message.size, err);
    } else if (!status) {
        status = send_message(zeromq, zeromq->topic, err);
    }
    if (status) {
        return status;
    }
    zeromq->encoded_sequence = 0;
    *done = predictions->examples->count;
    return RF_OK;
}

static enum rf_status zeromq_retract(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    zeromq->encoded_sequence = 0; // a batch that waits is encoded again
    rf_message_clear(&zeromq->message);
    enum rf_status status = rf_message_add_retraction(&zeromq->message, RF_MESSAGE_PROTOBUF, retraction, err);
    return status ? status : send_message(zeromq, zeromq->retractions, err);
}

static enum rf_status zeromq_attend(struct rf_sink *self, int64_t now_ms, struct rf_error *err) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    if (!zeromq->unconfirmed) {
        return RF_OK;
    }
    enum rf_status status = rf_unconfirmed_attend(zeromq->unconfirmed, now_ms, err);
    self->repeats = rf_unconfirmed_repeats(zeromq->unconfirmed);
    return status;
}

static uint64_t zeromq_mark(struct rf_sink *self) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    zeromq->was_marked = true;
    zeromq->line = zeromq->unconfirmed ? rf_unconfirmed_last(zeromq->unconfirmed) : 0;
    return 0;
}

static enum rf_status zeromq_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    if (!zeromq->unconfirmed) {
        return RF_OK;
    }
    uint64_t line = zeromq->was_marked ? zeromq->line : rf_unconfirmed_last(zeromq->unconfirmed);
    return rf_unconfirmed_settle(zeromq->unconfirmed, line, timeout_ms, err);
}

static void zeromq_destroy(struct rf_sink *self) {
    struct zeromq_sink *zeromq = zeromq_from(self);
    rf_unconfirmed_destroy(zeromq->unconfirmed);
    rf_endpoint_close(&zeromq->endpoint);
    if (zeromq->context) {
        (void)zmq_ctx_term(zeromq->context); // waits for linger_ms at most
    }
    rf_message_finish(&zeromq->message);
    free(zeromq->topic);
    free(zeromq->retractions);
    free(zeromq);
}

static const struct rf_sink_ops zeromq_ops = {
        .name = "zeromq",
        .publish = zeromq_publish,
        .retract = zeromq_retract,
        .attend = zeromq_attend,
        .mark = zeromq_mark,
        .settle = zeromq_settle,
        .destroy = zeromq_destroy,
};

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
    if (zeromq->base.is_lossy) {
        rf_endpoint_set_lossy(&zeromq->endpoint, false);
    }
    zeromq->base.endpoint = strdup(zeromq->endpoint.name);
    if (!zeromq->base.endpoint || asprintf(&zeromq->topic, "predictions/%s", model) < 0) {
        zeromq->topic = NULL;
        return rf_fail(err, RF_MEMORY, "zeromq: a sink does not fit into memory");
    }
    if (asprintf(&zeromq->retractions, "retractions/%s", model) < 0) {
        zeromq->retractions = NULL;
        return rf_fail(err, RF_MEMORY, "zeromq: a sink does not fit into memory");
    }
    status = rf_sink_set_label(&zeromq->base, "zeromq", endpoint.address, err);
    if (status || !options->confirm) {
        return status;
    }
    const struct rf_unconfirmed_options unconfirmed = {
            .context = zeromq->context,
            .pusher = &zeromq->endpoint,
            .address = options->confirm,
            .topic = zeromq->topic,
            .capacity = options->high_water_mark,
    };
    return rf_unconfirmed_create(&unconfirmed, &zeromq->unconfirmed, err);
}

enum rf_status rf_sink_zeromq_check(const void *options, struct rf_error *err) {
    const struct rf_sink_zeromq_options *wanted = options;
    if (!wanted->publish == !wanted->push) {
        return rf_fail(err, RF_INVALID, "zeromq: publish and push are %s set, must be one of the two",
                       wanted->publish ? "both" : "not");
    }
    if (wanted->confirm && !wanted->push) {
        return rf_fail(err, RF_INVALID,
                       "zeromq: confirm is set beside publish, must stand beside push: only its readers confirm");
    }
    enum rf_status status = rf_endpoint_check(wanted->publish ? wanted->publish : wanted->push, err);
    return status || !wanted->confirm ? status : rf_endpoint_check(wanted->confirm, err);
}

enum rf_status rf_sink_zeromq_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                     struct rf_error *err) {
    const struct rf_sink_zeromq_options *wanted = options;
    enum rf_status status = rf_sink_zeromq_check(wanted, err);
    if (status) {
        return status;
    }
    struct zeromq_sink *zeromq = calloc(1, sizeof *zeromq);
    if (!zeromq) {
        return rf_fail(err, RF_MEMORY, "zeromq: a sink does not fit into memory");
    }
    zeromq->base.ops = &zeromq_ops;
    rf_message_init(&zeromq->message);
    status = open_zeromq(zeromq, wanted, context->model, err);
    if (status) {
        rf_sink_destroy(&zeromq->base);
        return status;
    }
    *sink_out = &zeromq->base;
    return RF_OK;
}
