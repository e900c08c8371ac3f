#ifndef RF_INGEST_REJECT_H
#define RF_INGEST_REJECT_H
#include "ingest/decoder.h"

// Says why a record is rejected, in one sentence: what is wrong, its value, what would be right. Returns RF_INVALID, so
// that a check reads `return rf_decode_fail(error, RF_REASON_TYPE, "...")`. A sentence that does not fit is cut.
enum rf_status rf_decode_fail(struct rf_decode_error *error, enum rf_reason reason, const char *format, ...) RF_PRINTF(3, 4);

// Foreign bytes made fit to stand in a sentence: printable UTF-8 as it is, other bytes as \x00, cut with "..." when long.
enum { RF_SHOWN_SIZE = 48 };
struct rf_shown {
    char text[RF_SHOWN_SIZE]; // NUL-terminated
};
struct rf_shown rf_show(struct rf_text text);

#endif
