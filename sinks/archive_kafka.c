#include "sinks/archive.h"
#include "sinks/producer.h"
#include "sinks/topic.h"

#include <assert.h>
#include <stdlib.h>

struct kafka_archive {
    struct rf_archive base;
    struct rf_archive_kafka_options options;
    struct rf_producer *producer; // NULL: none yet, or the last one could not go on
};

static const struct rf_archive_ops kafka_ops;

static struct kafka_archive *kafka_from(struct rf_archive *self) {
    assert(self->ops == &kafka_ops);
    return (struct kafka_archive *)self;
}

// A producer that refused a record refuses all that come after it.
static enum rf_status judge(struct kafka_archive *archive, enum rf_status status) {
    if (status && status != RF_AGAIN) {
        rf_producer_destroy(archive->producer);
        archive->producer = NULL;
    }
    return status;
}

static enum rf_status kafka_send(struct rf_archive *self, struct rf_text value, struct rf_error *err) {
    struct kafka_archive *archive = kafka_from(self);
    if (!archive->producer) {
        enum rf_status status = rf_producer_create(archive->options.properties, &archive->producer, err);
        if (status) {
            return status;
        }
    }
    return judge(archive,
                 rf_producer_send(archive->producer, archive->options.snapshots, 0, (struct rf_text){0}, value, -1, err));
}

static enum rf_status kafka_settle(struct rf_archive *self, int timeout_ms, struct rf_error *err) {
    struct kafka_archive *archive = kafka_from(self);
    return archive->producer ? judge(archive, rf_producer_settle(archive->producer, timeout_ms, err)) : RF_OK;
}

static enum rf_status kafka_forget(struct rf_archive *self, enum rf_archive_log log, int64_t offset, struct rf_error *err) {
    const struct rf_archive_kafka_options *options = &kafka_from(self)->options;
    const struct rf_topic_options topic = {.properties = options->properties,
                                           .name = log == RF_ARCHIVE_DELTAS ? options->deltas : options->snapshots};
    return rf_topic_forget(&topic, offset, options->forget_ms, err);
}

static void kafka_destroy(struct rf_archive *self) {
    struct kafka_archive *archive = kafka_from(self);
    rf_producer_destroy(archive->producer);
    free(archive);
}

static const struct rf_archive_ops kafka_ops = {
        .name = "kafka", .send = kafka_send, .settle = kafka_settle, .forget = kafka_forget, .destroy = kafka_destroy};

enum rf_status rf_archive_kafka_create(const struct rf_archive_kafka_options *options, struct rf_archive **archive_out,
                                       struct rf_error *err) {
    struct kafka_archive *archive = calloc(1, sizeof *archive);
    if (!archive) {
        return rf_fail(err, RF_MEMORY, "out of memory for the topic of snapshots");
    }
    archive->base.ops = &kafka_ops;
    archive->options = *options;
    *archive_out = &archive->base;
    return RF_OK;
}
