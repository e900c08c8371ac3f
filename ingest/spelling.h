#ifndef RF_INGEST_SPELLING_H
#define RF_INGEST_SPELLING_H
// Values that come as nothing but text, as in CSV, keys and headers: what they are follows from how they are written and what
// their field is for.
//
//     nothing                   null
//     a number                  a number; +1, 007, .5 and 5. are numbers too
//     true, false               booleans
//     NaN, Inf, Infinity        not finite, where the field is for numbers (any case, any sign); else text
//     NA                        null, where the field is for numbers; else text
//     anything else             text
//     anything but nothing      text, where the field is only for an id, a category, a free text or the vector
#include "ingest/decoder.h"

// What a field is for.
struct rf_spelling {
    bool is_number; // must hold numbers (or a time)
    bool is_text;   // only its text is of interest
};

// Of a field of the schema; neither for RF_FIELD_UNKNOWN.
struct rf_spelling rf_spelling_of(const struct rf_schema *schema, uint32_t index);

// Reads `text`, which is UTF-8, of the field `name`. RF_INVALID with `error_out` filled: it is not finite.
enum rf_status rf_spelling_read(struct rf_spelling spelling, struct rf_text name, struct rf_text text, struct rf_value *value_out,
                                struct rf_decode_error *error_out) RF_MUST_USE;

#endif
