#ifndef RF_INGEST_AVRO_PLAN_H
#define RF_INGEST_AVRO_PLAN_H
#include "ingest/decoder.h"

// Avro's binary encoding (1.11), read by a plan: the writer's schema and the fields that are wanted, made into a flat list of
// operations once, so that a datum is read without looking at names, and what is not wanted is passed over in long steps.
//
// Of what is passed over only what is needed to find its end is checked: sizes, counts and branches, not whether a text is UTF-8.
// A plan belongs to one thread.
struct rf_avro_plan;

// The last of `texts` is the writer's schema, those before it define types it names. `schema` is borrowed; NULL: nothing is
// wanted, for who only asks where a datum ends. RF_INVALID, in words, for what is no schema (ingest/avro_schema.h), and for one
// whose top is neither a record nor a union of records.
enum rf_status rf_avro_plan_create(const struct rf_text *texts, size_t count, const struct rf_schema *schema,
                                   struct rf_avro_plan **plan_out, struct rf_error *err) RF_MUST_USE;
void rf_avro_plan_destroy(struct rf_avro_plan *plan); // NULL is fine

// Whether every datum is of 0 bytes.
bool rf_avro_plan_is_empty(const struct rf_avro_plan *plan);

// What reading needs beside a plan: room for one event, and for records within records. Used with any plan, by one thread.
struct rf_avro_walker;

// Reading allocates nothing. `limits` has no zeros; NULL: for rf_avro_measure() alone, without limits but of nesting.
enum rf_status rf_avro_walker_create(const struct rf_decode_limits *limits, struct rf_avro_walker **walker_out,
                                     struct rf_error *err) RF_MUST_USE;
void rf_avro_walker_destroy(struct rf_avro_walker *walker);

// Reads one datum, which is all of `bytes`. Answers as a decoder does (struct rf_decoder_ops). The event's names and texts are
// borrowed from the bytes, the schema, the plan and the arena; its fields are the walker's, good until the next one.
//
// `limits.depth` bounds records, arrays and maps within each other, `limits.fields` the values that are wanted and the items
// of arrays and maps that take no bytes.
enum rf_status rf_avro_decode(struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text bytes,
                              struct rf_arena *arena, struct rf_event *event_out, struct rf_decode_error *error_out) RF_MUST_USE;

// The size of the datum that `bytes` begin with, by a plan that wants nothing. RF_INVALID with `error_out` filled: they do not
// hold one.
enum rf_status rf_avro_measure(struct rf_avro_walker *walker, struct rf_avro_plan *plan, struct rf_text bytes, size_t *size_out,
                               struct rf_decode_error *error_out) RF_MUST_USE;

#endif
