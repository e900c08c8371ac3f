#ifndef RF_INGEST_BASE64_H
#define RF_INGEST_BASE64_H
#include "proto/text.h"

#include <stdint.h>

// Base64 (RFC 4648, section 4): whole, with its padding and nothing in between. Empty is none.
bool rf_base64_is_valid(struct rf_text text);

// The bytes of a valid one; returns how many. `bytes_out` has room for text.size / 4 * 3.
size_t rf_base64_decode(struct rf_text text, uint8_t *bytes_out);

#endif
