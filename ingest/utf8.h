#ifndef RF_INGEST_UTF8_H
#define RF_INGEST_UTF8_H
#include "proto/text.h"

// Size of the well-formed UTF-8 sequence that `text` begins with (Unicode 15, table 3-7: nothing overlong, no
// surrogates, nothing above U+10FFFF); 0 when there is none.
size_t rf_utf8_sequence_size(struct rf_text text);

// Size of the well-formed UTF-8 that `text` begins with: all of it, or up to the first wrong byte.
size_t rf_utf8_valid_size(struct rf_text text);

// Writes one code point (no surrogate, at most U+10FFFF) as 1 to 4 bytes; returns their number.
size_t rf_utf8_write(unsigned code_point, char out[4]);

#endif
