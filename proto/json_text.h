#ifndef RF_PROTO_JSON_TEXT_H
#define RF_PROTO_JSON_TEXT_H
// Texts and numbers as they stand in JSON (RFC 8259), one way for messages, logs and reports. Stored bytes depend on it:
// the hash of a specification is one of such texts.
#include "proto/text.h"

#include <stdint.h>

enum {
    RF_JSON_ESCAPE_SIZE = 8,  // room for one escape
    RF_JSON_NUMBER_SIZE = 32, // room for one number, with a NUL
    RF_JSON_FACTOR_MAX = 6    // within quotes a byte takes at most so many
};

// Takes the next piece of `rest`, which is not empty, as it stands within quotes: a run of characters that stand for
// themselves, or an escape, written to `escape`. Controls and all that some readers take for a line end are escaped, what
// YAML forbids too; a byte that is not UTF-8 becomes U+FFFD.
struct rf_text rf_json_take_piece(struct rf_text *rest, char escape[RF_JSON_ESCAPE_SIZE]);

// Numbers are written with a NUL behind them, and the answer is their size without it.
size_t rf_json_write_count(uint64_t value, char out[RF_JSON_NUMBER_SIZE]);
size_t rf_json_write_integer(int64_t value, char out[RF_JSON_NUMBER_SIZE]);

// The shortest decimal that reads back as the same finite double: 0.05, 100000, 1e-6.
size_t rf_json_write_number(double value, char out[RF_JSON_NUMBER_SIZE]);

#endif
