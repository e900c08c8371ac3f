#ifndef RF_OPS_LOG_H
#define RF_OPS_LOG_H
// The program's log: one line an event, to be read by people and by machines.
//
//     time=2026-11-22T08:30:00.123Z level=info message="snapshot written" path=state/12.snapshot records=120000
//
// or the same as one JSON object a line. Each line leaves in one write(2). A message that repeats (the same level and
// words, whatever its fields) is written RF_LOG_BURST times within RF_LOG_WINDOW_MS and then counted; the next one that is
// written tells how many were not. Any thread may log.
#include "ops/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rf_log_level { RF_LOG_DEBUG, RF_LOG_INFO, RF_LOG_WARN, RF_LOG_ERROR };
enum rf_log_format { RF_LOG_LOGFMT, RF_LOG_JSON };
enum { RF_LOG_LINE_SIZE = 4096, RF_LOG_REPEATS = 32, RF_LOG_BURST = 5, RF_LOG_WINDOW_MS = 10000 };

struct rf_log_options {
    int file; // descriptor, not closed by the log
    enum rf_log_format format;
    enum rf_log_level level; // lines below it are dropped
    struct rf_clock *clock;  // NULL: the machine's
};

struct rf_log_repeat {
    char message[64]; // its beginning
    enum rf_log_level level;
    int64_t since_ms; // when the window began
    uint64_t count;   // in the window
    uint64_t unwritten;
};

struct rf_log {
    struct rf_log_options options;
    pthread_mutex_t mutex;
    struct rf_log_repeat repeats[RF_LOG_REPEATS];
    char line[RF_LOG_LINE_SIZE];
    size_t size;
    bool is_cut; // a field did not fit
};

enum rf_log_field_type {
    RF_LOG_FIELD_END,
    RF_LOG_FIELD_TEXT,
    RF_LOG_FIELD_INT,
    RF_LOG_FIELD_UINT,
    RF_LOG_FIELD_REAL,
    RF_LOG_FIELD_BOOL
};

struct rf_log_field {
    enum rf_log_field_type type;
    const char *name; // a plain word
    union {
        const char *text;
        int64_t integer;
        uint64_t count;
        double real;
        bool boolean;
    };
};

static inline struct rf_log_field rf_log_text(const char *name, const char *text) {
    return (struct rf_log_field){RF_LOG_FIELD_TEXT, name, {.text = text}};
}
static inline struct rf_log_field rf_log_int(const char *name, int64_t integer) {
    return (struct rf_log_field){RF_LOG_FIELD_INT, name, {.integer = integer}};
}
static inline struct rf_log_field rf_log_uint(const char *name, uint64_t count) {
    return (struct rf_log_field){RF_LOG_FIELD_UINT, name, {.count = count}};
}
static inline struct rf_log_field rf_log_real(const char *name, double real) {
    return (struct rf_log_field){RF_LOG_FIELD_REAL, name, {.real = real}};
}
static inline struct rf_log_field rf_log_bool(const char *name, bool boolean) {
    return (struct rf_log_field){RF_LOG_FIELD_BOOL, name, {.boolean = boolean}};
}

void rf_log_init(struct rf_log *log, const struct rf_log_options *options);
void rf_log_finish(struct rf_log *log); // tells what was counted and not written

// rf_log(log, RF_LOG_INFO, "snapshot written", rf_log_text("path", path), rf_log_uint("records", records));
#define rf_log(log_, level_, ...) rf_log_write(log_, level_, __VA_ARGS__, (struct rf_log_field){0})

// What rf_log() calls: the message, then struct rf_log_field up to one of type RF_LOG_FIELD_END. Texts are borrowed for
// the call; NULL is written as nothing.
void rf_log_write(struct rf_log *log, enum rf_log_level level, const char *message, ...);

#endif
