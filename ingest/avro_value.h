#ifndef RF_INGEST_AVRO_VALUE_H
#define RF_INGEST_AVRO_VALUE_H
#include "ingest/avro_bytes.h"
#include "ingest/avro_schema.h"

// A value that holds no others, as it is wanted:
//
//     null, boolean             null, boolean
//     int, long, float, double  numbers; dates and timestamps are numbers that know their unit
//     decimal                   a number with its exact text: 12.50
//     string, enum              text
//     bytes, fixed              text too, must be UTF-8; a uuid of 16 bytes is written out
struct rf_avro_leaf {
    enum rf_avro_kind kind;
    enum rf_avro_logical logical;
    bool needs_text; // a number's text is wanted too: the shortest that reads back as the same number
    uint32_t scale;
    uint64_t size;                        // of a fixed
    const struct rf_avro_member *symbols; // [symbol_count] of an enum
    uint32_t symbol_count;

    const struct rf_avro_target *targets; // [target_count] the fields that it is a value of
    uint32_t target_count;
};

struct rf_avro_target {
    struct rf_text name;
    uint64_t hash;  // keyed, of the name
    uint32_t index; // in the schema, or RF_FIELD_UNKNOWN
};

enum { RF_AVRO_DECIMAL_BYTES_MAX = 416 }; // 1000 digits

// RF_INVALID: the record is to be rejected. RF_FULL: the arena is used up.
enum rf_status rf_avro_read_value(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, uint64_t text_bytes_max,
                                  struct rf_arena *arena, struct rf_value *value_out) RF_MUST_USE;

// An array of numbers of the leaf's kind, as the field of a vector has them. Of no bytes where there is none.
enum rf_status rf_avro_read_numbers(struct rf_avro_bytes *bytes, const struct rf_avro_leaf *leaf, struct rf_arena *arena,
                                    struct rf_value *value_out) RF_MUST_USE;

// The text of an unscaled number in big-endian two's complement, as long as RF_AVRO_DECIMAL_BYTES_MAX at most, and a scale.
// Answers its size.
enum { RF_AVRO_DECIMAL_TEXT_MAX = 2 * RF_AVRO_PRECISION_MAX + 16 };
size_t rf_avro_write_decimal(struct rf_text unscaled, uint32_t scale, char out[RF_AVRO_DECIMAL_TEXT_MAX]);

#endif
