// Protobuf, written straight to the wire: predictions are most of the bytes that leave. Members stand in the order of their
// numbers; a test holds the bytes against protobuf-c's.
#include "sinks/message.h"

#include "sinks/message_wire.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMBERS_SIZE_MAX = 192, // all numbers of one message, tags and lengths included, and a word
    CLASS_INDEX_SIZE = 12,  // a class called by its index
};

// Numbers of the members in proto/riffle.proto.
enum { ID = 1, TOPIC, PARTITION, OFFSET, VERSION, SCORE, SCORES, CLASS_NAME, LABEL, TIME_MS, ID_LEFT_OUT };
enum { LINE = 1, BASE_NUMBER, EPOCH, SINCE };
enum { MODEL = 1, SEQUENCE, BATCH_EPOCH, PREDICTIONS };
enum {
    REJECTED_MODEL = 1,
    REJECTED_TOPIC,
    REJECTED_PARTITION,
    REJECTED_OFFSET,
    REJECTED_TIMESTAMP_MS,
    REJECTED_REASON,
    REJECTED_DETAIL,
    REJECTED_KEY,
    REJECTED_VALUE
};

enum { RETRACTION_MODEL = 1, RETRACTION_LINE, RETRACTION_EPOCH, RETRACTION_FIRST, RETRACTION_END };

void rf_message_init(struct rf_message *message) {
    *message = (struct rf_message){0};
}

void rf_message_finish(struct rf_message *message) {
    free(message->data);
    *message = (struct rf_message){0};
}

void rf_message_clear(struct rf_message *message) {
    message->size = 0;
}

enum rf_status rf_message_reserve(struct rf_message *message, size_t size, struct rf_error *err) {
    size_t needed = message->size + size;
    if (needed <= message->capacity) {
        return RF_OK;
    }
    size_t larger = needed + needed / 2;
    char *grown = realloc(message->data, larger);
    if (!grown) {
        return rf_fail(err, RF_MEMORY, "a message of %zu bytes does not fit into memory", needed);
    }
    message->data = grown;
    message->capacity = larger;
    return RF_OK;
}

bool rf_message_is_due(const struct rf_predictions *predictions, size_t index) {
    return (predictions->examples->purpose[index] & RF_PREDICT) != 0 && !isnan(predictions->score[index * predictions->outputs]);
}

static const char *topic_of(const struct rf_predictions *predictions, size_t index) {
    return predictions->positions->list[predictions->examples->partition[index]].topic;
}

static size_t prediction_size_max(const struct rf_predictions *predictions, size_t index) {
    size_t class_size = CLASS_INDEX_SIZE;
    int32_t number = predictions->classes ? rf_prediction_class(predictions, index) : -1;
    if (number >= 0) {
        class_size = strlen(predictions->classes[number]);
    }
    return MEMBERS_SIZE_MAX + rf_write_text_size_max(predictions->examples->id[index].size) +
           rf_write_text_size_max(strlen(topic_of(predictions, index))) + rf_write_text_size_max(class_size) +
           predictions->outputs * sizeof(double);
}

static char *write_version(char *to, const struct rf_version *version, uint64_t since) {
    to = rf_write_tag(to, VERSION, RF_WRITE_DELIMITED);
    char *length_at = to++;
    to = rf_write_number(to, LINE, version->line);
    to = rf_write_number(to, BASE_NUMBER, version->base);
    to = rf_write_number(to, EPOCH, version->epoch);
    return rf_write_close(length_at, rf_write_number(to, SINCE, since));
}

static char *write_class(char *to, const struct rf_predictions *predictions, size_t index) {
    int32_t number = rf_prediction_class(predictions, index);
    if (number < 0) {
        return to;
    }
    if (predictions->classes) {
        return rf_write_text(to, CLASS_NAME, rf_text_of(predictions->classes[number]));
    }
    char digits[CLASS_INDEX_SIZE];
    int size = 1;
    digits[0] = (char)('0' + number % 10);
    if (number >= 10) {
        size = snprintf(digits, sizeof digits, "%d", number);
    }
    return rf_write_text(to, CLASS_NAME, (struct rf_text){digits, (size_t)size});
}

// Where a prediction came from, written once for those in a row that came from the same partition.
struct origin {
    const char *bytes; // NULL: none yet
    size_t size;
    uint32_t partition; // index into the positions
};

static char *write_origin(char *to, const struct rf_predictions *predictions, size_t index, struct origin *origin) {
    const uint32_t partition = predictions->examples->partition[index];
    if (origin->bytes && origin->partition == partition) {
        memcpy(to, origin->bytes, origin->size);
        return to + origin->size;
    }
    char *end = rf_write_text(to, TOPIC, rf_text_of(topic_of(predictions, index)));
    end = rf_write_number(end, PARTITION, (uint64_t)(int64_t)predictions->positions->list[partition].partition);
    *origin = (struct origin){to, (size_t)(end - to), partition};
    return end;
}

// The members of a prediction, but its id and where it came from.
static char *write_rest(char *to, const struct rf_predictions *predictions, size_t index) {
    const struct rf_examples *examples = predictions->examples;
    const double *score = predictions->score + index * predictions->outputs;
    to = rf_write_number(to, OFFSET, (uint64_t)examples->offset[index]);
    to = write_version(to, &predictions->version, predictions->since[index]);
    if (predictions->task == RF_TASK_MULTICLASS) {
        to = rf_write_bytes(to, SCORES, score, predictions->outputs * sizeof *score);
    } else if (score[0] != 0) {
        to = rf_write_double(to, SCORE, score[0]);
    }
    to = write_class(to, predictions, index);
    if (!isnan(examples->label[index])) {
        to = rf_write_double(to, LABEL, examples->label[index]);
    }
    return rf_write_zigzag(to, TIME_MS, examples->time_ms[index]);
}

enum rf_status rf_message_add_batch(struct rf_message *message, const struct rf_predictions *predictions, size_t first,
                                    struct rf_error *err) {
    const struct rf_text model = rf_text_of(predictions->model);
    size_t size_max = MEMBERS_SIZE_MAX + rf_write_text_size_max(model.size);
    for (size_t i = first; i < predictions->examples->count; i++) {
        size_max += rf_message_is_due(predictions, i) ? prediction_size_max(predictions, i) : 0;
    }
    enum rf_status status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    char *begin = message->data + message->size;
    char *to = rf_write_text(begin, MODEL, model);
    to = rf_write_number(to, SEQUENCE, predictions->sequence);
    to = rf_write_number(to, BATCH_EPOCH, predictions->version.epoch);
    struct origin origin = {0};
    for (size_t i = first; i < predictions->examples->count; i++) {
        if (rf_message_is_due(predictions, i)) {
            char *length_at = rf_write_tag(to, PREDICTIONS, RF_WRITE_DELIMITED);
            to = rf_write_text(length_at + 1, ID, predictions->examples->id[i]);
            char *end = write_rest(write_origin(to, predictions, i, &origin), predictions, i);
            to = rf_write_close(length_at, end);
            origin.bytes = to == end ? origin.bytes : NULL; // a long one was moved
        }
    }
    assert((size_t)(to - begin) <= size_max);
    message->size += (size_t)(to - begin);
    return RF_OK;
}

enum rf_status rf_message_add_prediction(struct rf_message *message, enum rf_message_format format, enum rf_message_id id,
                                         const struct rf_predictions *predictions, size_t index, struct rf_error *err) {
    if (format == RF_MESSAGE_JSON) {
        return rf_message_add_prediction_json(message, id, predictions, index, err);
    }
    enum rf_status status = rf_message_reserve(message, prediction_size_max(predictions, index), err);
    if (status) {
        return status;
    }
    struct origin origin = {0};
    char *begin = message->data + message->size, *to = begin;
    if (id == RF_MESSAGE_WITH_ID) {
        to = rf_write_text(to, ID, predictions->examples->id[index]);
    }
    to = write_rest(write_origin(to, predictions, index, &origin), predictions, index);
    to = rf_write_number(to, ID_LEFT_OUT, id == RF_MESSAGE_WITHOUT_ID);
    message->size += (size_t)(to - begin);
    return RF_OK;
}

enum rf_status rf_message_add_reject(struct rf_message *message, enum rf_message_format format, const struct rf_rejects *rejects,
                                     size_t index, struct rf_error *err) {
    if (format == RF_MESSAGE_JSON) {
        return rf_message_add_reject_json(message, rejects, index, err);
    }
    const struct rf_reject *reject = &rejects->list[index];
    const struct rf_record *record = &reject->record;
    const struct rf_position *position = &rejects->positions->list[record->partition];
    const struct rf_text model = rf_text_of(rejects->model), topic = rf_text_of(position->topic),
                         detail = rf_text_of(reject->detail);
    size_t size_max = MEMBERS_SIZE_MAX + rf_write_text_size_max(model.size) + rf_write_text_size_max(topic.size) +
                      rf_write_text_size_max(detail.size) + record->key.size + record->value.size;
    enum rf_status status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    char *begin = message->data + message->size;
    char *to = rf_write_text(begin, REJECTED_MODEL, model);
    to = rf_write_text(to, REJECTED_TOPIC, topic);
    to = rf_write_number(to, REJECTED_PARTITION, (uint64_t)(int64_t)position->partition);
    to = rf_write_number(to, REJECTED_OFFSET, (uint64_t)record->offset);
    to = rf_write_number(to, REJECTED_TIMESTAMP_MS, (uint64_t)record->timestamp_ms);
    to = rf_write_text(to, REJECTED_REASON, rf_text_of(rf_reason_word(reject->reason)));
    to = rf_write_text(to, REJECTED_DETAIL, detail);
    if (record->key.size > 0) {
        to = rf_write_bytes(to, REJECTED_KEY, record->key.data, record->key.size);
    }
    if (record->value.data) { // else a tombstone
        to = rf_write_bytes(to, REJECTED_VALUE, record->value.data, record->value.size);
    }
    message->size += (size_t)(to - begin);
    return RF_OK;
}

enum rf_status rf_message_add_retraction(struct rf_message *message, enum rf_message_format format,
                                         const struct rf_retraction *retraction, struct rf_error *err) {
    if (format == RF_MESSAGE_JSON) {
        return rf_message_add_retraction_json(message, retraction, err);
    }
    const struct rf_text model = rf_text_of(retraction->model);
    enum rf_status status = rf_message_reserve(message, MEMBERS_SIZE_MAX + rf_write_text_size_max(model.size), err);
    if (status) {
        return status;
    }
    char *begin = message->data + message->size;
    char *to = rf_write_text(begin, RETRACTION_MODEL, model);
    to = rf_write_number(to, RETRACTION_LINE, retraction->line);
    to = rf_write_number(to, RETRACTION_EPOCH, retraction->epoch);
    to = rf_write_number(to, RETRACTION_FIRST, retraction->since_first);
    to = rf_write_number(to, RETRACTION_END, retraction->since_end);
    message->size += (size_t)(to - begin);
    return RF_OK;
}
