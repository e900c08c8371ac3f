#ifndef RF_INGEST_VECTOR_H
#define RF_INGEST_VECTOR_H
#include "ingest/decoder.h"
#include "ingest/event.h"

// Reads the numbers of a vector into [size] floats, each divided by `divide` first. They stand as a JSON array, as text with
// spaces, commas or semicolons between them (a CSV field), or as floats or doubles in memory. RF_INVALID with `error_out`
// filled where there are not just `size`, or where one is no number, or not finite as a float.
enum rf_status rf_vector_read(const struct rf_field *field, size_t size, double divide, float *vector_out,
                              struct rf_decode_error *error_out) RF_MUST_USE;

#endif
