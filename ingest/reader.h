#ifndef RF_INGEST_READER_H
#define RF_INGEST_READER_H
#include "proto/status.h"

#include <stdbool.h>
#include <stddef.h>

// Reads the bytes of a file as they were before compression: plain, gzip or zstd, told by its first bytes. Members and
// frames that follow each other are one stream, as for gzip and zstd themselves.
struct rf_reader;

// "-" is standard input. RF_NOT_FOUND, RF_INVALID (a folder) or RF_IO in words.
enum rf_status rf_reader_open(const char *path, struct rf_reader **reader_out, struct rf_error *err) RF_MUST_USE;
void rf_reader_close(struct rf_reader *reader); // NULL is fine

bool rf_reader_is_rewindable(const struct rf_reader *reader); // a regular file: opened again it tells the same

// Puts up to `capacity` bytes, at least one, into `out`. RF_END: there are no more. RF_AGAIN: none came within timeout_ms
// (-1: waits for ever; regular files never wait). RF_CORRUPT names the file and the byte in it where its compression is
// damaged or cut; RF_IO. Both stay.
enum rf_status rf_reader_read(struct rf_reader *reader, void *out, size_t capacity, int timeout_ms, size_t *size_out,
                              struct rf_error *err) RF_MUST_USE;

#endif
