#ifndef RF_OPS_RESOLVE_H
#define RF_OPS_RESOLVE_H
#include "ingest/decoder.h"
#include "ops/clock.h"

#include <stddef.h>

// Sees to it that the records can be decoded, for who has nothing else to do meanwhile: waits for what must be fetched. After a
// minute in which something was wrong all the time RF_IO, in words.
enum rf_status rf_resolve(struct rf_decoder *decoder, const struct rf_record *records, size_t count, struct rf_clock *clock,
                          struct rf_error *err) RF_MUST_USE;

#endif
