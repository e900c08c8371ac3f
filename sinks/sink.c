#include "sinks/sink.h"

#include "sinks/message.h"
#include "sinks/sink_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static enum rf_status count_wait(struct rf_sink *self, enum rf_status status) {
    self->waits += status == RF_AGAIN;
    return status;
}

enum rf_status rf_sink_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                               struct rf_error *err) {
    assert(self->ops->publish);
    assert(*done <= predictions->examples->count);
    size_t first = *done;
    enum rf_status status = self->ops->publish(self, predictions, done, err);
    for (size_t i = first; i < *done; i++) {
        self->published += rf_message_is_due(predictions, i);
    }
    return count_wait(self, status);
}

enum rf_status rf_sink_reject(struct rf_sink *self, const struct rf_rejects *rejects, size_t *done, struct rf_error *err) {
    assert(self->ops->reject);
    assert(*done <= rejects->count);
    size_t first = *done;
    enum rf_status status = self->ops->reject(self, rejects, done, err);
    self->published += *done - first;
    return count_wait(self, status);
}

enum rf_status rf_sink_retract(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err) {
    return self->ops->retract ? count_wait(self, self->ops->retract(self, retraction, err)) : RF_OK;
}

enum rf_status rf_sink_attend(struct rf_sink *self, int64_t now_ms, struct rf_error *err) {
    return self->ops->attend ? self->ops->attend(self, now_ms, err) : RF_OK;
}

uint64_t rf_sink_mark(struct rf_sink *self) {
    return self->ops->mark ? self->ops->mark(self) : 0;
}

void rf_sink_sync(struct rf_sink *self) {
    if (self->ops->sync) {
        self->ops->sync(self);
    }
}

enum rf_status rf_sink_settle(struct rf_sink *self, int timeout_ms, struct rf_error *err) {
    return self->ops->settle ? self->ops->settle(self, timeout_ms, err) : RF_OK;
}

enum rf_status rf_sink_rewind(struct rf_sink *self, uint64_t bookmark, struct rf_error *err) {
    return self->ops->rewind ? self->ops->rewind(self, bookmark, err) : RF_OK;
}

enum rf_status rf_sink_set_label(struct rf_sink *self, const char *kind, const char *place, struct rf_error *err) {
    if (asprintf(&self->label, "%s:%s", kind, place) < 0) {
        self->label = NULL;
        return rf_fail(err, RF_MEMORY, "%s: a sink does not fit into memory", kind);
    }
    return RF_OK;
}

void rf_sink_destroy(struct rf_sink *self) {
    if (!self) {
        return;
    }
    free(self->label);
    free(self->endpoint);
    self->ops->destroy(self);
}

static const char *const message_formats[] = {[RF_MESSAGE_JSON] = "json", [RF_MESSAGE_PROTOBUF] = "protobuf", NULL};

static const struct rf_setting zeromq_settings[] = {
        RF_TEXT(struct rf_sink_zeromq_options, publish, NULL, RF_SETTING_NOT_MODEL,
                "endpoint of a publisher (PUB, bound), e.g. tcp://127.0.0.1:5555; a subscriber that is too slow loses batches"),
        RF_TEXT(struct rf_sink_zeromq_options, push, NULL, RF_SETTING_NOT_MODEL,
                "endpoint of a pusher (PUSH, bound) instead; it waits for a peer with room"),
        RF_TEXT(struct rf_sink_zeromq_options, confirm, NULL, RF_SETTING_NOT_MODEL,
                "push: endpoint (PULL, bound) where readers confirm each batch; one that is not confirmed is sent again when a "
                "reader goes away, and no snapshot covers it"),
        RF_UINT(struct rf_sink_zeromq_options, high_water_mark, "1000", 1, 1000000, RF_SETTING_NOT_MODEL,
                "batches queued for one peer; with confirm, batches not confirmed"),
        RF_UINT(struct rf_sink_zeromq_options, linger_ms, "1000", 0, 60000, RF_SETTING_NOT_MODEL,
                "how long the end of the program waits for batches still queued, in milliseconds"),
        {0},
};

static const struct rf_setting kafka_settings[] = {
        RF_TEXT(struct rf_sink_kafka_options, topic, NULL, RF_SETTING_REQUIRED | RF_SETTING_NOT_MODEL,
                "topic that gets one record a prediction"),
        RF_CHOICE(struct rf_sink_kafka_options, format, "json", message_formats, RF_SETTING_NOT_MODEL, "form of the records"),
        {0},
};

static const struct rf_setting file_settings[] = {
        RF_TEXT(struct rf_sink_file_options, path, NULL, RF_SETTING_REQUIRED | RF_SETTING_NOT_MODEL,
                "file that gets one JSON line a prediction; - is standard output"),
        {0},
};

static const struct rf_sink_kind zeromq_kind = {.check = rf_sink_zeromq_check, .create = rf_sink_zeromq_create};
static const struct rf_sink_kind kafka_kind = {.create = rf_sink_kafka_create};
static const struct rf_sink_kind file_kind = {.create = rf_sink_file_create};

const struct rf_variant rf_sink_variants[] = {
        {"zeromq", "batches of predictions to subscribers or workers", zeromq_settings, sizeof(struct rf_sink_zeromq_options),
         &zeromq_kind},
        {"kafka", "one record a prediction to a topic", kafka_settings, sizeof(struct rf_sink_kafka_options), &kafka_kind},
        {"file", "one JSON line a prediction", file_settings, sizeof(struct rf_sink_file_options), &file_kind},
        {0},
};

enum rf_status rf_sink_check(const struct rf_variant_value *value, struct rf_error *err) {
    const struct rf_sink_kind *kind = value->kind->registration;
    return kind->check ? kind->check(value->options, err) : RF_OK;
}

enum rf_status rf_sink_create(const struct rf_variant_value *value, const struct rf_sink_context *context,
                              struct rf_sink **sink_out, struct rf_error *err) {
    const struct rf_sink_kind *kind = value->kind->registration;
    return kind->create(value->options, context, sink_out, err);
}
