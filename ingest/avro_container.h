#ifndef RF_INGEST_AVRO_CONTAINER_H
#define RF_INGEST_AVRO_CONTAINER_H
#include "ingest/reader.h"
#include "proto/text.h"

// Avro's object container files: a header with the schema, then blocks of data, each with its count and size, compressed by
// the codec that the header names (null, deflate, zstandard, snappy), and followed by the file's own sync marker.
struct rf_avro_container;

enum { RF_AVRO_BLOCK_BYTES_MAX = 256 << 20 }; // of a block, packed and unpacked

// Reads from the reader's present place on; it is borrowed. `path` is for sentences, and copied.
enum rf_status rf_avro_container_create(const char *path, struct rf_reader *reader, struct rf_avro_container **container_out,
                                        struct rf_error *err) RF_MUST_USE;
void rf_avro_container_destroy(struct rf_avro_container *container); // NULL is fine

// Reads the header, if that was not done; the schema's text is good as long as the container. RF_AGAIN as below. RF_CORRUPT: it
// is no container file, or cut. RF_INVALID: its schema is none that records can have, or its codec is not known.
enum rf_status rf_avro_container_schema(struct rf_avro_container *container, int timeout_ms, struct rf_text *schema_out,
                                        struct rf_error *err) RF_MUST_USE;

// The next datum, good until the call after it. RF_END: there are no more. RF_AGAIN: none came within timeout_ms. RF_CORRUPT, in
// words, where the file is damaged or cut: a block counts only when all of it is there, with its marker, and can be unpacked; in
// it data count up to the first that is none. A failure stays.
enum rf_status rf_avro_container_next(struct rf_avro_container *container, int timeout_ms, struct rf_text *datum_out,
                                      struct rf_error *err) RF_MUST_USE;

#endif
