#ifndef RF_PROTO_STATUS_H
#define RF_PROTO_STATUS_H
// What a call answers, and the sentence an operator reads when it fails.
//
// Setup functions take a last `struct rf_error *err` (never NULL) and write one sentence into it: what is wrong, its
// value, what would be right; no capital, no full stop. Stream functions return the status alone.

#define RF_MUST_USE __attribute__((warn_unused_result))
#define RF_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

#define RF_STATUS_LIST(X)                                                  \
    X(RF_OK, "ok")                                                         \
    X(RF_AGAIN, "nothing yet")                                             \
    X(RF_END, "at the end")                                                \
    X(RF_INVALID, "invalid") /* wrong settings or data */                  \
    X(RF_NOT_FOUND, "not found")                                           \
    X(RF_FULL, "no room") /* a stated bound is reached */                  \
    X(RF_MEMORY, "out of memory")                                          \
    X(RF_IO, "input or output failed")                                     \
    X(RF_CORRUPT, "damaged") /* a checksum or a structure does not hold */ \
    X(RF_UNSUPPORTED, "not supported")                                     \
    X(RF_BUSY, "held by another")                                          \
    X(RF_CONFLICT, "in conflict") /* two truths that cannot both hold */

enum rf_status {
#define RF_STATUS_MEMBER(name, text) name,
    RF_STATUS_LIST(RF_STATUS_MEMBER)
#undef RF_STATUS_MEMBER
};

enum { RF_ERROR_TEXT_SIZE = 1024 };

struct rf_error {
    enum rf_status status;
    char text[RF_ERROR_TEXT_SIZE];
};

// The word for a status, e.g. "no room". Static.
const char *rf_status_text(enum rf_status status);

// Writes the sentence and returns `status`, so that a check reads `return rf_fail(err, RF_INVALID, "...")`.
// A sentence that does not fit is cut, and made printable.
enum rf_status rf_fail(struct rf_error *err, enum rf_status status, const char *format, ...) RF_PRINTF(3, 4);

// Names and values in a sentence may come from anywhere: what a terminal would obey, and what is no UTF-8, becomes question
// marks.
void rf_make_printable(char *text);

// Puts "context: " in front of the sentence that is there; returns its status.
enum rf_status rf_fail_in(struct rf_error *err, const char *format, ...) RF_PRINTF(2, 3);

#endif
