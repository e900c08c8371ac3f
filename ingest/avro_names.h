#ifndef RF_INGEST_AVRO_NAMES_H
#define RF_INGEST_AVRO_NAMES_H
#include "ingest/avro_schema.h"
#include "ingest/decoder.h"

// Holds the names of declared fields against a writer's schema that is known before any record: each must lead to a value. Where
// there are several branches of a union, in one of them. RF_INVALID, in words, for one that leads nowhere, or to a record or a
// map as a whole. What comes from beside the value is passed over.
enum rf_status rf_avro_check_names(const struct rf_avro_schema *types, const struct rf_schema *schema,
                                   const struct rf_decoder_options *options, struct rf_error *err) RF_MUST_USE;

#endif
