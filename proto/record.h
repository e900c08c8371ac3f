#ifndef RF_PROTO_RECORD_H
#define RF_PROTO_RECORD_H
#include "proto/text.h"

#include <stdint.h>

// One header of a record. The same name may stand several times.
struct rf_header {
    struct rf_text name;
    struct rf_text value; // any bytes; data NULL: none
};

enum { RF_RECORD_HEADERS_MAX = 256 };           // a record that has more is rejected where they are read
#define RF_RECORD_HEADERS_UNREADABLE UINT32_MAX // as a header_count: they are damaged

// The schema that records were written with, where their source knows it: that of an Avro container file.
struct rf_record_schema {
    struct rf_text text;
    uint64_t hash; // of the text, so that schemas are told apart quickly
};

// One record as it came from a source: raw bytes and where they stood. Bytes are borrowed from the source until the
// batch they came in is released.
struct rf_record {
    struct rf_text value; // data NULL: a tombstone
    struct rf_text key;   // data NULL: none
    int64_t timestamp_ms; // the log's, Unix time; -1: none
    int64_t offset;       // in its partition; a file counts its records from 0
    uint32_t partition;   // index into the positions it was polled under

    // In the order of the record. Only where the settings ask for them, and from a source that has such: else there are none.
    // More than RF_RECORD_HEADERS_MAX, and those that are damaged, are counted and not listed: `headers` is NULL.
    uint32_t header_count;
    const struct rf_header *headers; // [header_count]

    const struct rf_record_schema *schema; // NULL: as the settings say
};

// SipHash of key, value and timestamp, whatever the headers: tells, when a stream resumes, whether the last applied record is
// still the one.
uint64_t rf_record_fingerprint(const struct rf_record *record);

#endif
