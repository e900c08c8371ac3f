#ifndef RF_INGEST_DERIVED_H
#define RF_INGEST_DERIVED_H
// Features computed from other fields of the record, or from its event time, where it becomes an example: a closed list.
//
//     hour      0 to 23, a category: of the event time or of a time field (ingest/time_field.h), in UTC or at a fixed offset
//     weekday   monday to sunday, a category, likewise
//     night     1 from `from` o'clock up to `to` o'clock, else 0: a number, likewise
//     log       sign(x) ln(1 + |x|), a number, with the same bits on every machine
//     ratio     a / b, a number
//     bucket    how many of some rising bounds are at most x: a category, 0 to the number of bounds
//
// There is none where an input is null or absent, where b is 0, and where a / b is too large for a double. Inputs are fields of
// the record, so that none is derived itself; true and false are 1 and 0. An input of another type rejects the record.
#include "ingest/bucket.h"
#include "ingest/event.h"
#include "ingest/time_field.h"
#include "proto/json_text.h"
#include "proto/setting.h"

enum rf_derived_kind {
    RF_DERIVED_HOUR,
    RF_DERIVED_WEEKDAY,
    RF_DERIVED_NIGHT,
    RF_DERIVED_LOG,
    RF_DERIVED_RATIO,
    RF_DERIVED_BUCKET,
};

// The settings of any kind; each has those that its table names.
struct rf_derived_options {
    char *name;  // NULL: the kind and its fields, as in log_amount
    char *field; // NULL: the event time
    char *by;
    int unit;         // enum rf_time_unit; -1: that of the event time
    char *utc_offset; // NULL: UTC
    uint64_t from, to;
    struct rf_reals bounds;
};
extern const struct rf_variant rf_derived_kinds[]; // as enum rf_derived_kind

// What is known of a derived feature before any record.
struct rf_derived {
    enum rf_derived_kind kind;
    char *name;         // owned
    uint32_t index;     // of its field in the schema
    size_t input_count; // 0: the event time
    uint32_t input[2];  // [input_count] slots of struct rf_derived_inputs
    enum rf_time_unit unit;
    int64_t offset_ms; // of the clock from UTC
    int64_t from, to;
    struct rf_bucket_rule bounds;
};

enum {
    RF_DERIVED_MAX = 64, // of a schema
    RF_DERIVED_INPUTS_MAX = 2 * RF_DERIVED_MAX,
};

// RF_INVALID, in words, for settings that do not go together. Inputs and index are the schema's to fill in.
enum rf_status rf_derived_init(const struct rf_variant_value *value, enum rf_time_unit unit, struct rf_derived *derived_out,
                               struct rf_error *err) RF_MUST_USE;
void rf_derived_finish(struct rf_derived *derived);

bool rf_derived_is_category(const struct rf_derived *derived); // else a number

// Whether it is of the event time, which records of some sources do not have.
bool rf_derived_is_of_event_time(const struct rf_variant_value *value);

// What the derived features of one record are computed from.
struct rf_derived_inputs {
    const struct rf_field *field[RF_DERIVED_INPUTS_MAX]; // by slot; NULL: null or absent
    int64_t time_ms;                                     // of the event; -1: none
};

struct rf_schema;
void rf_derived_gather(const struct rf_schema *schema, const struct rf_event *event, int64_t time_ms,
                       struct rf_derived_inputs *inputs_out);

struct rf_derived_value {
    struct rf_value value;          // a number, or the text of a category; it may stand in `room`
    double number;                  // of a category too: the hour, 0 for monday, the bucket
    char room[RF_JSON_NUMBER_SIZE]; // so that a value is not copied
    const struct rf_field *wrong;   // with RF_INVALID: the input
    const char *wanted;             // and what it must be
};

// RF_NOT_FOUND: the record has none. RF_INVALID: it is to be rejected.
enum rf_status rf_derived_find(const struct rf_derived *derived, const struct rf_derived_inputs *inputs,
                               struct rf_derived_value *value_out) RF_MUST_USE;

#endif
