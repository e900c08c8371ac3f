#ifndef RF_SINKS_MESSAGE_H
#define RF_SINKS_MESSAGE_H
// The bytes of messages: predictions and rejected records as protobuf (proto/riffle.proto) or JSON. Text that is not
// UTF-8 is made so: bytes that fit nowhere, and NUL in protobuf, become U+FFFD.
#include "proto/prediction.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

enum rf_message_format { RF_MESSAGE_JSON, RF_MESSAGE_PROTOBUF };
enum rf_message_id { RF_MESSAGE_WITH_ID, RF_MESSAGE_WITHOUT_ID }; // without it, the message tells that it was left out

// Room for messages, used again and again: it grows to the largest one and stays, so that the stream does not allocate.
struct rf_message {
    char *data;
    size_t size;     // bytes
    size_t capacity; // bytes
};

void rf_message_init(struct rf_message *message);
void rf_message_finish(struct rf_message *message);
void rf_message_clear(struct rf_message *message); // forgets the bytes, keeps the room

// Makes room for `size` bytes more.
enum rf_status rf_message_reserve(struct rf_message *message, size_t size, struct rf_error *err) RF_MUST_USE;

// The prediction was asked for and given.
bool rf_message_is_due(const struct rf_predictions *predictions, size_t index);

// The calls below append. They fail with RF_MEMORY only, and then append nothing.

// A riffle.v1.Predictions of those due from index `first` on; it may hold none.
enum rf_status rf_message_add_batch(struct rf_message *message, const struct rf_predictions *predictions, size_t first,
                                    struct rf_error *err) RF_MUST_USE;

// A riffle.v1.Prediction, or a JSON object without a line end.
enum rf_status rf_message_add_prediction(struct rf_message *message, enum rf_message_format format, enum rf_message_id id,
                                         const struct rf_predictions *predictions, size_t index,
                                         struct rf_error *err) RF_MUST_USE;

// A riffle.v1.Rejected, or a JSON object without a line end.
enum rf_status rf_message_add_reject(struct rf_message *message, enum rf_message_format format, const struct rf_rejects *rejects,
                                     size_t index, struct rf_error *err) RF_MUST_USE;

// A riffle.v1.Retraction, or a JSON object without a line end.
enum rf_status rf_message_add_retraction(struct rf_message *message, enum rf_message_format format,
                                         const struct rf_retraction *retraction, struct rf_error *err) RF_MUST_USE;

// The JSON half of those above.
enum rf_status rf_message_add_retraction_json(struct rf_message *message, const struct rf_retraction *retraction,
                                              struct rf_error *err) RF_MUST_USE;
enum rf_status rf_message_add_prediction_json(struct rf_message *message, enum rf_message_id id,
                                              const struct rf_predictions *predictions, size_t index,
                                              struct rf_error *err) RF_MUST_USE;
enum rf_status rf_message_add_reject_json(struct rf_message *message, const struct rf_rejects *rejects, size_t index,
                                          struct rf_error *err) RF_MUST_USE;

#endif
