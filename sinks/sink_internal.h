#ifndef RF_SINKS_SINK_INTERNAL_H
#define RF_SINKS_SINK_INTERNAL_H
// The constructors behind the registry and behind `rejected`.
#include "sinks/sink.h"

enum rf_status rf_sink_zeromq_check(const void *options, struct rf_error *err);
enum rf_status rf_sink_zeromq_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                     struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_kafka_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                    struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_file_create(const void *options, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                   struct rf_error *err) RF_MUST_USE;

// The same two, for rejected records instead of predictions.
enum rf_status rf_sink_kafka_create_rejected(const char *topic, const struct rf_sink_context *context, struct rf_sink **sink_out,
                                             struct rf_error *err) RF_MUST_USE;
enum rf_status rf_sink_file_create_rejected(const char *path, struct rf_sink **sink_out, struct rf_error *err) RF_MUST_USE;

// Writes the label "KIND:PLACE"; RF_MEMORY in words.
enum rf_status rf_sink_set_label(struct rf_sink *self, const char *kind, const char *place, struct rf_error *err) RF_MUST_USE;

#endif
