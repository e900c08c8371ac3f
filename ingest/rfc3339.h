#ifndef RF_INGEST_RFC3339_H
#define RF_INGEST_RFC3339_H
#include "proto/text.h"

#include <stdint.h>

// Reads a moment written as RFC 3339 has it: 2018-04-01T00:00:31.5+02:00, with a space or a lower-case letter for T and
// Z; without an offset it is UTC. Parts of a millisecond are cut off; a leap second is the second after it. False when it
// is no such text.
bool rf_rfc3339_parse(struct rf_text text, int64_t *time_ms_out);

// Reads an offset from UTC as it stands behind such a moment: +02:00, up to 23:59 either way. False when it is none.
bool rf_rfc3339_parse_offset(struct rf_text text, int64_t *offset_ms_out);

#endif
