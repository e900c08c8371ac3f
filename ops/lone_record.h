#ifndef RF_OPS_LONE_RECORD_H
#define RF_OPS_LONE_RECORD_H
#include "ingest/decoder.h"
#include "ops/clock.h"

#include <stdio.h>

// For who shows what becomes of one record that a file holds.

// Sees to it that the record can be decoded. Says on `told`, once, what is waited for when something is wrong; after some seconds
// RF_IO, in words.
enum rf_status rf_lone_record_resolve(struct rf_decoder *decoder, const struct rf_record *record, struct rf_clock *clock,
                                      FILE *told, struct rf_error *err) RF_MUST_USE;

// What may be wrong with a file of the format that is no record, to stand behind the sentence of the rejection; "": nothing that
// can be told.
const char *rf_lone_record_hint(const struct rf_decoder_kind *kind, struct rf_text bytes);

#endif
