#include "sinks/sink_internal.h"

const struct rf_setting rf_rejected_settings[] = {
        RF_TEXT(struct rf_rejected_options, topic, NULL, RF_SETTING_NOT_MODEL,
                "topic that gets every rejected record with its reason and origin (riffle.v1.Rejected)"),
        RF_TEXT(struct rf_rejected_options, file, NULL, RF_SETTING_NOT_MODEL, "file that gets them as JSON lines instead"),
        {0},
};

enum rf_status rf_sink_rejected_create(const struct rf_rejected_options *options, const struct rf_sink_context *context,
                                       struct rf_sink **sink_out, struct rf_error *err) {
    if (options->topic && options->file) {
        return rf_fail(err, RF_INVALID, "rejected: topic is %s and file is %s, must be one of the two", options->topic,
                       options->file);
    }
    if (options->topic) {
        return rf_sink_kafka_create_rejected(options->topic, context, sink_out, err);
    }
    if (options->file) {
        return rf_sink_file_create_rejected(options->file, sink_out, err);
    }
    *sink_out = NULL;
    return RF_OK;
}
