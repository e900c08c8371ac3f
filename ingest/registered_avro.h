#ifndef RF_INGEST_REGISTERED_AVRO_H
#define RF_INGEST_REGISTERED_AVRO_H
#include "ingest/registered.h"

// A schema of Avro and those it refers to as one text: each of these stands where its name is met first, as Avro wants it. The
// caller frees it. RF_INVALID, in words, where one is no JSON.
enum rf_status rf_registered_avro_text(const struct rf_registered *registered, char **text_out, struct rf_error *err) RF_MUST_USE;

#endif
