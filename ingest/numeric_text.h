#ifndef RF_INGEST_NUMERIC_TEXT_H
#define RF_INGEST_NUMERIC_TEXT_H
#include "ingest/decoder.h"

// Reads the number that a text spells: JSON's syntax, with blanks around it; blanks alone are null. Any other text stays what
// it is. RF_INVALID with `error_out` filled: the number is not finite. `name` is that of the field, for the sentence.
enum rf_status rf_numeric_text_read(struct rf_text name, struct rf_value *value, struct rf_decode_error *error_out) RF_MUST_USE;

// Does so with all texts of an event in fields that must be numbers (rf_schema_takes_number()); rf_decoder_decode() calls it.
// What stays a text there is rejected where the example is made, but for times in RFC 3339.
enum rf_status rf_numeric_texts_read(const struct rf_schema *schema, struct rf_event *event,
                                     struct rf_decode_error *error_out) RF_MUST_USE;

#endif
