#ifndef RF_INGEST_AVRO_SCHEMA_H
#define RF_INGEST_AVRO_SCHEMA_H
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

// A schema of Avro 1.11 as a graph of types, from its JSON. Names are resolved: a type that holds itself is a cycle.
// What says nothing about how values are written is passed over: doc, default, order, aliases, and attributes of one's own.
// A logical type that does not go with its type, or is not known, is passed over too, as Avro has it.
enum rf_avro_kind {
    RF_AVRO_NULL,
    RF_AVRO_BOOLEAN,
    RF_AVRO_INT,
    RF_AVRO_LONG,
    RF_AVRO_FLOAT,
    RF_AVRO_DOUBLE,
    RF_AVRO_BYTES,
    RF_AVRO_STRING,
    RF_AVRO_FIXED,
    RF_AVRO_ENUM,
    RF_AVRO_RECORD,
    RF_AVRO_ARRAY,
    RF_AVRO_MAP,
    RF_AVRO_UNION,
};
extern const char *const rf_avro_kinds[]; // their words

enum rf_avro_logical {
    RF_AVRO_PLAIN,
    RF_AVRO_DECIMAL, // of bytes or fixed
    RF_AVRO_UUID,    // of a fixed of 16 bytes; of a string it is its text
    RF_AVRO_DATE,
    RF_AVRO_MILLIS, // timestamps, local ones too
    RF_AVRO_MICROS,
    RF_AVRO_NANOS,
};

#define RF_AVRO_SIZE_VARIES UINT64_MAX

struct rf_avro_member {
    struct rf_text name; // of a field or a symbol
    uint32_t type;       // of a field or a branch
};

struct rf_avro_type {
    enum rf_avro_kind kind;
    enum rf_avro_logical logical;
    uint32_t scale;      // of a decimal
    uint32_t item;       // the type of what an array or a map holds
    uint32_t first;      // of its members
    uint32_t count;      // of a record's fields, an enum's symbols, a union's branches
    uint64_t size;       // of every value in bytes, up to UINT64_MAX - 1, or RF_AVRO_SIZE_VARIES
    struct rf_text name; // the full one of a record, an enum or a fixed
    bool is_finite;      // some value of it comes to an end; true of all once the schema is made
    uint32_t last_union; // while it is made: the union that holds it
};

enum {
    RF_AVRO_SCHEMA_BYTES_MAX = 4 << 20, // of its text
    RF_AVRO_TYPES_MAX = 1 << 16,
    RF_AVRO_MEMBERS_MAX = 1 << 18, // fields, symbols and branches of all types
    RF_AVRO_NAME_SIZE_MAX = 1024,
    RF_AVRO_NESTING_MAX = 256, // of types written within types
    RF_AVRO_PRECISION_MAX = 1000,
};

struct rf_avro_text; // memory of names

struct rf_avro_schema {
    struct rf_avro_type *types; // [type_count]
    size_t type_count, type_capacity;
    struct rf_avro_member *members; // [member_count] in no order; those of a type stand together
    size_t member_count, member_capacity;
    uint32_t root;
    struct rf_avro_text *texts;
};

// The last of `texts` is the schema; those before it define types that those behind them name, as a registry has it. RF_INVALID,
// in words that name the record and the field: what is no schema, types that are not known, names that stand twice,
// records that hold themselves without end, and what exceeds a limit. Finish it only when RF_OK.
enum rf_status rf_avro_schema_init(const struct rf_text *texts, size_t count, struct rf_avro_schema *schema_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_avro_schema_finish(struct rf_avro_schema *schema);

#endif
