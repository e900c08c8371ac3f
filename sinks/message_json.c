// JSON by hand: one object a line, keys in a fixed order.
#include "proto/json_text.h"
#include "proto/utf8.h"
#include "sinks/message.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    NUMBERS_SIZE_MAX = 512, // all keys, punctuation and fixed numbers of one object
};

// Everything below writes at `to`, where there is room, and returns the end.

static char *put(char *to, const char *text) {
    size_t size = strlen(text);
    memcpy(to, text, size);
    return to + size;
}

static char *put_text(char *to, struct rf_text text) {
    char escape[RF_JSON_ESCAPE_SIZE];
    *to++ = '"';
    while (text.size > 0) {
        struct rf_text piece = rf_json_take_piece(&text, escape);
        memcpy(to, piece.data, piece.size);
        to += piece.size;
    }
    *to++ = '"';
    return to;
}

static char *put_base64(char *to, struct rf_text bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = (const unsigned char *)bytes.data;
    *to++ = '"';
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t three = (uint32_t)from[i] << 16 | (uint32_t)(left > 1 ? from[i + 1] : 0) << 8 | (left > 2 ? from[i + 2] : 0);
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[three & 63] : '=';
    }
    *to++ = '"';
    return to;
}

static char *put_count(char *to, uint64_t value) {
    return to + rf_json_write_count(value, to);
}

static char *put_integer(char *to, int64_t value) {
    return to + rf_json_write_integer(value, to);
}

static char *put_number(char *to, double value) {
    return isfinite(value) ? to + rf_json_write_number(value, to) : put(to, "null"); // JSON has no word for it
}

static size_t escaped_size_max(size_t size) {
    return RF_JSON_FACTOR_MAX * size + 4; // base64 takes less
}

static char *put_origin(char *to, const char *model, const struct rf_position *position, int64_t offset) {
    to = put_text(put(to, "{\"model\":"), rf_text_of(model));
    to = put_text(put(to, ",\"topic\":"), rf_text_of(position->topic));
    to = put_integer(put(to, ",\"partition\":"), position->partition);
    return put_integer(put(to, ",\"offset\":"), offset);
}

static char *put_version(char *to, const struct rf_version *version, uint64_t since) {
    to = put_count(put(to, ",\"line\":"), version->line);
    to = put_count(put(to, ",\"base\":"), version->base);
    to = put_count(put(to, ",\"epoch\":"), version->epoch);
    return put_count(put(to, ",\"since\":"), since);
}

static char *put_scores(char *to, const struct rf_predictions *predictions, size_t index) {
    const double *score = predictions->score + index * predictions->outputs;
    if (predictions->task != RF_TASK_MULTICLASS) {
        return put_number(put(to, ",\"score\":"), score[0]);
    }
    to = put(to, ",\"scores\":[");
    for (uint32_t i = 0; i < predictions->outputs; i++) {
        if (i > 0) {
            *to++ = ',';
        }
        to = put_number(to, score[i]);
    }
    return put(to, "]");
}

static char *put_class(char *to, const struct rf_predictions *predictions, int32_t number) {
    to = put(to, ",\"class\":");
    if (predictions->classes) {
        return put_text(to, rf_text_of(predictions->classes[number]));
    }
    *to++ = '"';
    to = put_integer(to, number);
    *to++ = '"';
    return to;
}

enum rf_status rf_message_add_prediction_json(struct rf_message *message, enum rf_message_id id,
                                              const struct rf_predictions *predictions, size_t index, struct rf_error *err) {
    const struct rf_examples *examples = predictions->examples;
    const struct rf_position *position = &predictions->positions->list[examples->partition[index]];
    int32_t class_number = rf_prediction_class(predictions, index);
    const char *class_name = class_number >= 0 && predictions->classes ? predictions->classes[class_number] : "";
    size_t size_max = NUMBERS_SIZE_MAX + (size_t)predictions->outputs * RF_JSON_NUMBER_SIZE +
                      escaped_size_max(strlen(predictions->model)) + escaped_size_max(strlen(position->topic)) +
                      escaped_size_max(strlen(class_name)) + escaped_size_max(examples->id[index].size);
    enum rf_status status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    char *to = message->data + message->size;
    to = put_origin(to, predictions->model, position, examples->offset[index]);
    if (id == RF_MESSAGE_WITHOUT_ID) {
        to = put(to, ",\"id_left_out\":true");
    } else if (examples->id[index].data) {
        to = put_text(put(to, ",\"id\":"), examples->id[index]);
    }
    if (examples->time_ms[index] != -1) {
        to = put_integer(put(to, ",\"time_ms\":"), examples->time_ms[index]);
    }
    to = put_version(to, &predictions->version, predictions->since[index]);
    to = put_scores(to, predictions, index);
    if (class_number >= 0) {
        to = put_class(to, predictions, class_number);
    }
    if (!isnan(examples->label[index])) {
        to = put_number(put(to, ",\"label\":"), examples->label[index]);
    }
    *to++ = '}';
    message->size = (size_t)(to - message->data);
    return RF_OK;
}

static char *put_bytes(char *to, const char *name, struct rf_text bytes) {
    if (!bytes.data) {
        return to;
    }
    bool is_text = rf_utf8_is_valid(bytes);
    to = put(put(put(to, ",\""), name), is_text ? "\":" : "_base64\":");
    return is_text ? put_text(to, bytes) : put_base64(to, bytes);
}

enum rf_status rf_message_add_reject_json(struct rf_message *message, const struct rf_rejects *rejects, size_t index,
                                          struct rf_error *err) {
    const struct rf_reject *reject = &rejects->list[index];
    const struct rf_record *record = &reject->record;
    const struct rf_position *position = &rejects->positions->list[record->partition];
    size_t size_max = NUMBERS_SIZE_MAX + escaped_size_max(strlen(rejects->model)) + escaped_size_max(strlen(position->topic)) +
                      escaped_size_max(strlen(reject->detail)) + escaped_size_max(record->key.size) +
                      escaped_size_max(record->value.size);
    enum rf_status status = rf_message_reserve(message, size_max, err);
    if (status) {
        return status;
    }
    char *to = message->data + message->size;
    to = put_origin(to, rejects->model, position, record->offset);
    if (record->timestamp_ms != -1) {
        to = put_integer(put(to, ",\"timestamp_ms\":"), record->timestamp_ms);
    }
    to = put_text(put(to, ",\"reason\":"), rf_text_of(rf_reason_word(reject->reason)));
    to = put_text(put(to, ",\"detail\":"), rf_text_of(reject->detail));
    to = put_bytes(to, "key", record->key);
    to = put_bytes(to, "value", record->value);
    *to++ = '}';
    message->size = (size_t)(to - message->data);
    return RF_OK;
}

enum rf_status rf_message_add_retraction_json(struct rf_message *message, const struct rf_retraction *retraction,
                                              struct rf_error *err) {
    enum rf_status status = rf_message_reserve(message, NUMBERS_SIZE_MAX + escaped_size_max(strlen(retraction->model)), err);
    if (status) {
        return status;
    }
    char *to = message->data + message->size;
    to = put_text(put(to, "{\"model\":"), rf_text_of(retraction->model));
    to = put_count(put(to, ",\"retracted\":{\"line\":"), retraction->line);
    to = put_count(put(to, ",\"epoch\":"), retraction->epoch);
    to = put_count(put(to, ",\"since_first\":"), retraction->since_first);
    to = put_count(put(to, ",\"since_end\":"), retraction->since_end);
    to = put(to, "}}");
    message->size = (size_t)(to - message->data);
    return RF_OK;
}
