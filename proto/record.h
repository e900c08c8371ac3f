#ifndef RF_PROTO_RECORD_H
#define RF_PROTO_RECORD_H
#include "proto/text.h"

#include <stdint.h>

// One record as it came from a source: raw bytes and where they stood. Bytes are borrowed from the source until the
// batch they came in is released.
struct rf_record {
    struct rf_text value; // data NULL: a tombstone
    struct rf_text key;   // data NULL: none
    int64_t timestamp_ms; // the log's, Unix time; -1: none
    int64_t offset;       // in its partition; a file counts its records from 0
    uint32_t partition;   // index into the positions it was polled under
    uint32_t reserved;
};

// SipHash of key, value and timestamp: tells, when a stream resumes, whether the last applied record is still the one.
uint64_t rf_record_fingerprint(const struct rf_record *record);

#endif
