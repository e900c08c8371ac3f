#include "ops/log.h"

#include "proto/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_SIZE_MAX = 1024, TAIL_SIZE = 64 }; // of one value; kept free for what closes a line that is cut

void rf_log_init(struct rf_log *log, const struct rf_log_options *options) {
    *log = (struct rf_log){.options = *options};
    if (!log->options.clock) {
        log->options.clock = rf_clock_system();
    }
    pthread_mutex_init(&log->mutex, NULL);
}

// Adds a piece whole, or not at all.
static void add(struct rf_log *log, const char *piece, size_t size) {
    if (log->is_cut || log->size + size > sizeof log->line - TAIL_SIZE) {
        log->is_cut = true;
        return;
    }
    memcpy(log->line + log->size, piece, size);
    log->size += size;
}

static void add_text(struct rf_log *log, const char *text) {
    add(log, text, strlen(text));
}

static void add_quoted(struct rf_log *log, struct rf_text text) {
    char escape[RF_JSON_ESCAPE_SIZE];
    add_text(log, "\"");
    while (text.size > 0) {
        struct rf_text piece = rf_json_take_piece(&text, escape);
        add(log, piece.data, piece.size);
    }
    add_text(log, "\"");
}

static bool is_word(struct rf_text text) {
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte <= ' ' || byte == '=' || byte == '"' || byte == '\\' || byte >= 0x7f) {
            return false;
        }
    }
    return text.size > 0;
}

static void add_value(struct rf_log *log, const struct rf_log_field *field) {
    char number[40];
    bool is_json = log->options.format == RF_LOG_JSON;
    switch (field->type) {
    case RF_LOG_FIELD_TEXT: {
        struct rf_text text = {field->text, field->text ? strnlen(field->text, TEXT_SIZE_MAX) : 0};
        if (!text.data && is_json) {
            add_text(log, "null");
        } else if (!is_json && is_word(text)) {
            add(log, text.data, text.size);
        } else {
            add_quoted(log, text);
        }
        return;
    }
    case RF_LOG_FIELD_INT:
        snprintf(number, sizeof number, "%" PRId64, field->integer);
        break;
    case RF_LOG_FIELD_UINT:
        snprintf(number, sizeof number, "%" PRIu64, field->count);
        break;
    case RF_LOG_FIELD_REAL:
        snprintf(number, sizeof number, "%.6g", field->real);
        if (is_json && !isfinite(field->real)) {
            snprintf(number, sizeof number, "null");
        }
        break;
    case RF_LOG_FIELD_BOOL:
        snprintf(number, sizeof number, "%s", field->boolean ? "true" : "false");
        break;
    case RF_LOG_FIELD_END:
        return;
    }
    add_text(log, number);
}

// Adds ` name=value`, or `,"name":value`; takes it back when it does not fit.
static void add_field(struct rf_log *log, const struct rf_log_field *field) {
    if (log->is_cut) {
        return;
    }
    size_t before = log->size;
    bool is_json = log->options.format == RF_LOG_JSON;
    if (before > (size_t)is_json) {
        add_text(log, is_json ? "," : " ");
    }
    add_text(log, is_json ? "\"" : "");
    add_text(log, field->name);
    add_text(log, is_json ? "\":" : "=");
    add_value(log, field);
    if (log->is_cut) {
        log->size = before;
    }
}

static void begin_line(struct rf_log *log, int64_t now_ms, enum rf_log_level level, const char *message) {
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    log->size = 0;
    log->is_cut = false;
    int64_t now_s = now_ms / 1000 - (now_ms % 1000 < 0);
    time_t seconds = (time_t)now_s;
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    char time[64];
    size_t size = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + size, sizeof time - size, ".%03dZ", (int)(now_ms - now_s * 1000));
    struct rf_log_field time_field = rf_log_text("time", time);
    struct rf_log_field level_field = rf_log_text("level", levels[level]);
    struct rf_log_field message_field = rf_log_text("message", message);
    if (log->options.format == RF_LOG_JSON) {
        add_text(log, "{");
    }
    add_field(log, &time_field);
    add_field(log, &level_field);
    add_field(log, &message_field);
}

static void end_line(struct rf_log *log) {
    bool is_json = log->options.format == RF_LOG_JSON;
    // The tail of the buffer was kept free for this.
    const char *tail = log->is_cut ? (is_json ? ",\"cut\":true}\n" : " cut=true\n") : (is_json ? "}\n" : "\n");
    char *end = stpcpy(log->line + log->size, tail);
    ssize_t written;
    do {
        written = write(log->options.file, log->line, (size_t)(end - log->line));
    } while (written < 0 && errno == EINTR);
}

static bool is_same(const struct rf_log_repeat *repeat, enum rf_log_level level, const char *message) {
    return repeat->count > 0 && repeat->level == level && !strncmp(repeat->message, message, sizeof repeat->message - 1);
}

// The entry of a message; when it is new it takes the place of the oldest.
static struct rf_log_repeat *find_repeat(struct rf_log *log, int64_t now_ms, enum rf_log_level level, const char *message) {
    struct rf_log_repeat *oldest = &log->repeats[0];
    for (size_t i = 0; i < RF_LOG_REPEATS; i++) {
        struct rf_log_repeat *repeat = &log->repeats[i];
        if (is_same(repeat, level, message)) {
            return repeat;
        }
        if (repeat->count == 0 || (oldest->count > 0 && repeat->since_ms < oldest->since_ms)) {
            oldest = repeat;
        }
    }
    if (oldest->unwritten > 0) {
        struct rf_log_field unwritten = rf_log_uint("unwritten", oldest->unwritten);
        begin_line(log, now_ms, oldest->level, oldest->message);
        add_field(log, &unwritten);
        end_line(log);
    }
    *oldest = (struct rf_log_repeat){.level = level, .since_ms = now_ms};
    snprintf(oldest->message, sizeof oldest->message, "%s", message);
    return oldest;
}

void rf_log_write(struct rf_log *log, enum rf_log_level level, const char *message, ...) {
    if (level < log->options.level) {
        return;
    }
    int64_t now_ms = log->options.clock->unix_ms(log->options.clock);
    pthread_mutex_lock(&log->mutex);
    struct rf_log_repeat *repeat = find_repeat(log, now_ms, level, message);
    if (now_ms - repeat->since_ms >= RF_LOG_WINDOW_MS || now_ms < repeat->since_ms) {
        repeat->since_ms = now_ms;
        repeat->count = 0;
    }
    if (repeat->count++ >= RF_LOG_BURST) {
        repeat->unwritten++;
        pthread_mutex_unlock(&log->mutex);
        return;
    }
    begin_line(log, now_ms, level, message);
    va_list fields;
    va_start(fields, message);
    struct rf_log_field field = va_arg(fields, struct rf_log_field);
    for (; field.type != RF_LOG_FIELD_END; field = va_arg(fields, struct rf_log_field)) {
        add_field(log, &field);
    }
    va_end(fields);
    if (repeat->unwritten > 0) {
        struct rf_log_field unwritten = rf_log_uint("unwritten", repeat->unwritten);
        add_field(log, &unwritten);
        repeat->unwritten = 0;
    }
    end_line(log);
    pthread_mutex_unlock(&log->mutex);
}

void rf_log_finish(struct rf_log *log) {
    int64_t now_ms = log->options.clock->unix_ms(log->options.clock);
    for (size_t i = 0; i < RF_LOG_REPEATS; i++) {
        struct rf_log_repeat *repeat = &log->repeats[i];
        if (repeat->unwritten > 0) {
            struct rf_log_field unwritten = rf_log_uint("unwritten", repeat->unwritten);
            begin_line(log, now_ms, repeat->level, repeat->message);
            add_field(log, &unwritten);
            end_line(log);
        }
    }
    pthread_mutex_destroy(&log->mutex);
}
