#include "sinks/message.h"

#include "proto/utf8.h"

#include <riffle.pb-c.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBERS_SIZE_MAX = 192,    // all numbers, tags and lengths of one prediction or rejected record on the wire
    CLASS_INDEX_SIZE = 12,     // a class called by its index
    REPLACEMENT_FACTOR_MAX = 3 // U+FFFD takes three bytes for one
};

struct rf_message_parts {
    Riffle__V1__Prediction *prediction; // [capacity]
    Riffle__V1__Version *version;       // [capacity]
    Riffle__V1__Prediction **list;      // [capacity]
    size_t capacity;                    // predictions
    char *text;                         // copies of text that end in NUL
    size_t text_used;                   // bytes
    size_t text_capacity;               // bytes
};

void rf_message_init(struct rf_message *message) {
    *message = (struct rf_message){0};
}

void rf_message_finish(struct rf_message *message) {
    if (message->parts) {
        free(message->parts->prediction);
        free(message->parts->version);
        free(message->parts->list);
        free(message->parts->text);
        free(message->parts);
    }
    free(message->data);
    *message = (struct rf_message){0};
}

void rf_message_clear(struct rf_message *message) {
    message->size = 0;
}

static enum rf_status grow(char **data, size_t *capacity, size_t needed, struct rf_error *err) {
    if (needed <= *capacity) {
        return RF_OK;
    }
    size_t larger = needed + needed / 2;
    char *grown = realloc(*data, larger);
    if (!grown) {
        return rf_fail(err, RF_MEMORY, "a message of %zu bytes does not fit into memory", needed);
    }
    *data = grown;
    *capacity = larger;
    return RF_OK;
}

enum rf_status rf_message_reserve(struct rf_message *message, size_t size, struct rf_error *err) {
    return grow(&message->data, &message->capacity, message->size + size, err);
}

bool rf_message_is_due(const struct rf_predictions *predictions, size_t index) {
    return (predictions->examples->purpose[index] & RF_PREDICT) != 0 && !isnan(predictions->score[index * predictions->outputs]);
}

// protobuf-c wants text that ends in NUL, other readers want UTF-8.
static char *keep_text(struct rf_message_parts *parts, struct rf_text text) {
    char *kept = parts->text + parts->text_used;
    char *to = kept;
    size_t plain = 0; // nearly always all of it
    while (plain < text.size && (signed char)text.data[plain] > 0) {
        *to++ = text.data[plain++];
    }
    for (size_t i = plain; i < text.size;) {
        size_t length = text.data[i] ? rf_utf8_size((struct rf_text){text.data + i, text.size - i}) : 0;
        if (length == 0) {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
            i++;
        } else {
            memcpy(to, text.data + i, length);
            to += length;
            i += length;
        }
    }
    *to++ = '\0';
    parts->text_used = (size_t)(to - parts->text);
    assert(parts->text_used <= parts->text_capacity);
    return kept;
}

static size_t kept_size_max(size_t size) {
    return REPLACEMENT_FACTOR_MAX * size + 1;
}

static enum rf_status grow_list(struct rf_message_parts *parts, size_t count, struct rf_error *err) {
    if (count <= parts->capacity) {
        return RF_OK;
    }
    Riffle__V1__Prediction *prediction = realloc(parts->prediction, count * sizeof *prediction);
    parts->prediction = prediction ? prediction : parts->prediction;
    Riffle__V1__Version *version = realloc(parts->version, count * sizeof *version);
    parts->version = version ? version : parts->version;
    Riffle__V1__Prediction **list = realloc(parts->list, count * sizeof *list);
    parts->list = list ? list : parts->list;
    if (!prediction || !version || !list) {
        parts->capacity = 0; // the arrays may have moved apart
        return rf_fail(err, RF_MEMORY, "a batch of %zu predictions does not fit into memory", count);
    }
    for (size_t i = 0; i < count; i++) {
        riffle__v1__prediction__init(&prediction[i]);
        riffle__v1__version__init(&version[i]);
        prediction[i].version = &version[i];
        list[i] = &prediction[i];
    }
    parts->capacity = count;
    return RF_OK;
}

static enum rf_status begin_parts(struct rf_message *message, size_t count, size_t text_size, struct rf_error *err) {
    if (!message->parts) {
        message->parts = calloc(1, sizeof *message->parts);
        if (!message->parts) {
            return rf_fail(err, RF_MEMORY, "a message does not fit into memory");
        }
    }
    message->parts->text_used = 0;
    enum rf_status status = grow_list(message->parts, count, err);
    return status ? status : grow(&message->parts->text, &message->parts->text_capacity, text_size, err);
}

static size_t text_size_max(const struct rf_predictions *predictions, size_t index) {
    const struct rf_examples *examples = predictions->examples;
    const char *topic = predictions->positions->list[examples->partition[index]].topic;
    return kept_size_max(examples->id[index].size) + kept_size_max(strlen(topic)) + CLASS_INDEX_SIZE;
}

static char *class_name(struct rf_message_parts *parts, const struct rf_predictions *predictions, size_t index) {
    int32_t number = rf_prediction_class(predictions, index);
    if (number < 0) {
        return (char *)protobuf_c_empty_string;
    }
    if (predictions->classes) {
        return (char *)predictions->classes[number];
    }
    static const char digits[10][2] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    if (number < 10) {
        return (char *)digits[number];
    }
    char text[CLASS_INDEX_SIZE];
    int size = snprintf(text, sizeof text, "%d", number);
    return keep_text(parts, (struct rf_text){text, (size_t)size});
}

// Fills the next part; returns how many bytes it takes on the wire at most.
static size_t fill(struct rf_message_parts *parts, size_t part, const struct rf_predictions *predictions, size_t index) {
    const struct rf_examples *examples = predictions->examples;
    const struct rf_position *position = &predictions->positions->list[examples->partition[index]];
    Riffle__V1__Prediction *to = &parts->prediction[part];
    size_t text_used = parts->text_used;

    to->id = keep_text(parts, examples->id[index]);
    to->id_left_out = false;
    to->topic = keep_text(parts, rf_text_of(position->topic));
    to->partition = position->partition;
    to->offset = examples->offset[index];
    to->time_ms = examples->time_ms[index];
    to->version->line = predictions->version.line;
    to->version->base_number = predictions->version.base;
    to->version->epoch = predictions->version.epoch;
    to->version->since = predictions->since[index];

    double *score = predictions->score + index * predictions->outputs;
    bool has_classes = predictions->task == RF_TASK_MULTICLASS;
    to->score = has_classes ? 0 : score[0];
    to->scores = has_classes ? score : NULL;
    to->n_scores = has_classes ? predictions->outputs : 0;
    to->class_name = class_name(parts, predictions, index);

    bool has_label = !isnan(examples->label[index]);
    to->outcome_case = has_label ? RIFFLE__V1__PREDICTION__OUTCOME_LABEL : RIFFLE__V1__PREDICTION__OUTCOME__NOT_SET;
    to->label = has_label ? examples->label[index] : 0;
    return NUMBERS_SIZE_MAX + (parts->text_used - text_used) + strlen(to->class_name) + to->n_scores * sizeof(double);
}

enum rf_status rf_message_add_batch(struct rf_message *message, const struct rf_predictions *predictions, size_t first,
                                    struct rf_error *err) {
    size_t count = 0;
    size_t text_size = kept_size_max(strlen(predictions->model));
    for (size_t i = first; i < predictions->examples->count; i++) {
        if (rf_message_is_due(predictions, i)) {
            count++;
            text_size += text_size_max(predictions, i);
        }
    }
    enum rf_status status = begin_parts(message, count, text_size, err);
    if (status) {
        return status;
    }
    struct rf_message_parts *parts = message->parts;
    Riffle__V1__Predictions batch = RIFFLE__V1__PREDICTIONS__INIT;
    batch.model = keep_text(parts, rf_text_of(predictions->model));
    batch.sequence = predictions->sequence;
    batch.epoch = predictions->version.epoch;
    batch.predictions = parts->list;
    size_t size_max = NUMBERS_SIZE_MAX + parts->text_used;
    for (size_t i = first; i < predictions->examples->count; i++) {
        if (rf_message_is_due(predictions, i)) {
            size_max += fill(parts, batch.n_predictions++, predictions, i);
        }
    }
    // A bound instead of the exact size saves protobuf-c a second walk over the batch.
    status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    size_t size = riffle__v1__predictions__pack(&batch, (uint8_t *)message->data + message->size);
    assert(size <= size_max);
    message->size += size;
    return RF_OK;
}

enum rf_status rf_message_add_prediction(struct rf_message *message, enum rf_message_format format, enum rf_message_id id,
                                         const struct rf_predictions *predictions, size_t index, struct rf_error *err) {
    if (format == RF_MESSAGE_JSON) {
        return rf_message_add_prediction_json(message, id, predictions, index, err);
    }
    enum rf_status status = begin_parts(message, 1, text_size_max(predictions, index), err);
    if (status) {
        return status;
    }
    size_t size_max = fill(message->parts, 0, predictions, index);
    if (id == RF_MESSAGE_WITHOUT_ID) {
        message->parts->prediction[0].id = (char *)protobuf_c_empty_string;
        message->parts->prediction[0].id_left_out = true;
    }
    status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    size_t size = riffle__v1__prediction__pack(&message->parts->prediction[0], (uint8_t *)message->data + message->size);
    assert(size <= size_max);
    message->size += size;
    return RF_OK;
}

static ProtobufCBinaryData binary_of(struct rf_text text) {
    return (ProtobufCBinaryData){.len = text.size, .data = (uint8_t *)text.data};
}

enum rf_status rf_message_add_reject(struct rf_message *message, enum rf_message_format format, const struct rf_rejects *rejects,
                                     size_t index, struct rf_error *err) {
    if (format == RF_MESSAGE_JSON) {
        return rf_message_add_reject_json(message, rejects, index, err);
    }
    const struct rf_reject *reject = &rejects->list[index];
    const struct rf_position *position = &rejects->positions->list[reject->record.partition];
    size_t text_size = kept_size_max(strlen(rejects->model)) + kept_size_max(strlen(position->topic)) +
                       kept_size_max(strlen(reject->detail));
    enum rf_status status = begin_parts(message, 0, text_size, err);
    if (status) {
        return status;
    }
    Riffle__V1__Rejected rejected = RIFFLE__V1__REJECTED__INIT;
    rejected.model = keep_text(message->parts, rf_text_of(rejects->model));
    rejected.topic = keep_text(message->parts, rf_text_of(position->topic));
    rejected.partition = position->partition;
    rejected.offset = reject->record.offset;
    rejected.timestamp_ms = reject->record.timestamp_ms;
    rejected.reason = (char *)rf_reason_word(reject->reason);
    rejected.detail = keep_text(message->parts, rf_text_of(reject->detail));
    rejected.key = binary_of(reject->record.key);
    if (reject->record.value.data) {
        rejected.content_case = RIFFLE__V1__REJECTED__CONTENT_VALUE;
        rejected.value = binary_of(reject->record.value);
    }
    status = rf_message_reserve(message, riffle__v1__rejected__get_packed_size(&rejected), err);
    if (status) {
        return status;
    }
    message->size += riffle__v1__rejected__pack(&rejected, (uint8_t *)message->data + message->size);
    return RF_OK;
}
