#ifndef RF_PROTO_UTF8_H
#define RF_PROTO_UTF8_H
// What UTF-8 is, for all stages alike: nothing overlong, no surrogates, nothing above U+10FFFF (RFC 3629; Unicode 15,
// table 3-7).
#include "proto/text.h"

// Bytes of the character that `text` begins with, 1 to 4; 0 when it begins with none.
size_t rf_utf8_size(struct rf_text text);

// Bytes of the UTF-8 that `text` begins with: all of it, or up to the first wrong byte.
size_t rf_utf8_valid_size(struct rf_text text);

static inline bool rf_utf8_is_valid(struct rf_text text) {
    return rf_utf8_valid_size(text) == text.size;
}

// Whether the character that `text` begins with, of `size` bytes, is for machines: a control of ASCII or of C1 (U+0080 to
// U+009F), or 0 bytes, none at all.
bool rf_utf8_is_unprintable(struct rf_text text, size_t size);

// The code point of one whole character.
unsigned rf_utf8_read(struct rf_text character);

// Writes one code point (no surrogate, at most U+10FFFF) as 1 to 4 bytes; returns their number.
size_t rf_utf8_write(unsigned code_point, char out[4]);

#endif
