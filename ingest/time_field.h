#ifndef RF_INGEST_TIME_FIELD_H
#define RF_INGEST_TIME_FIELD_H
#include "ingest/event.h"

#include <stdbool.h>

extern const char *const rf_time_units[]; // words in settings of the first of enum rf_time_unit, ending with NULL

// Reads a moment: RFC 3339 text, or a number in its own unit if it has one, else in `unit`; only seconds may have fractions.
// A number is read exactly, as it is written; parts of a millisecond are cut off. False when it is no such value. What is
// far beyond the year 9999, before or behind, is that far beyond all the same.
bool rf_time_field_read(const struct rf_value *value, enum rf_time_unit unit, int64_t *time_ms_out);

// What it must be, for sentences: "Unix seconds or RFC 3339".
const char *rf_time_field_form(const struct rf_value *value, enum rf_time_unit unit);

#define RF_TIME_MS_MIN INT64_C(-62167219200000) // the first one of the year 0
#define RF_TIME_MS_MAX INT64_C(253402300799999) // the last one of the year 9999

#endif
