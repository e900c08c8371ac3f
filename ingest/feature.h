#ifndef RF_INGEST_FEATURE_H
#define RF_INGEST_FEATURE_H
#include "ingest/decoder.h"
#include "ingest/event.h"
#include "ingest/schema.h"
#include "proto/arena.h"
#include "proto/example.h"

// Appends the example that an event describes: a pure function of event, record and schema.
//
// By the role of its field, a value becomes features:
//
//     number      one with the hash of the field's name and its value (a value of 0 too; true and false are 1 and 0)
//     category    one with the hash of (field's name, category text) and the value 1; a number or boolean is the text it was
//                 written as
//     free text   one category for each gram (ingest/gram.h), as often as it occurs; a number or boolean as for categories
//     bucket      one category for each bucket that has a share of the number (ingest/bucket.h), with the share as its value
//     crossed     what an undeclared field gives: a number for a number, else a category
//     vector      none: the example's vector, which every record must have
//     derived     one of a number or category that is computed here (ingest/derived.h)
//
// A field that is only a category or a free text may have several values, each of which gives its features; any other may have
// one (rf_schema_takes_list()). null is no value.
//
// Features stand in the order of the fields in the record, then come derived ones in the order of the schema, then those of
// undeclared fields. null and absent fields give no feature; with RF_MISSING_INDICATOR a declared one gives a category with a
// hash of (field's name, missing) and the value 1, behind all others, in the order of the schema.
//
// Sparse features become ones of the kind RF_SPARSE_NUMBER with their hashes and values; their field is their namespace.
//
// The label is null or absent: no label, so the example is predicted and not learned. Else, by task:
//     regression   any number; true and false are 1 and 0
//     binary       0 or 1, true or false, or the name of a class; where the format has it so, -1 is 0
//     multiclass   0 to classes - 1, or 1 to classes where the format has it so, or the name of a class
// Names come before indices: where class names are numbers themselves (classes: ["1", "2"]), a number means the class of
// that name and never an index.
//
// Event time is a number in the schema's unit, or RFC 3339 text, of the years 1970 to 9999 (ingest/time_field.h). The
// weight is 0 or more. Names of fields that the schema does not declare are listed in the batch as they are met; there is
// room for field_capacity / 2 names in a batch, those that are declared included.
//
// Purposes: observe and predict; with a label evaluate and learn too.
//
// RF_INVALID with `error_out` filled: reject the record; nothing was appended. RF_FULL: nothing was appended, because the
// arrays are full: append it to the next batch. What does not even fit empty arrays is rejected (RF_REASON_LIMIT), and so is
// what has more than RF_SCHEMA_FEATURES_MAX features, or more than the features_max of the examples. Arrays of
// rf_schema_features_max() have room for the others. Where the schema has a vector, the examples must have room for vectors of
// its size.
enum rf_status rf_feature_append(const struct rf_schema *schema, enum rf_task task, uint32_t classes,
                                 const struct rf_event *event, const struct rf_record *record, struct rf_examples *examples,
                                 struct rf_decode_error *error_out) RF_MUST_USE;

// The hashes of features that no name stands for; keyed, whatever `hash` says. `field_hash` is the keyed hash of the field.
uint64_t rf_feature_bucket_hash(struct rf_hash_key key, uint64_t field_hash, const struct rf_bucket *bucket);
uint64_t rf_feature_missing_hash(struct rf_hash_key key, uint64_t field_hash);

// What a feature of an example stands for, for people: `"credit card"` for a gram, `0.5 to 1` for a bucket, `missing`, the text
// of a category; empty for a number, for an undeclared field and for what is not known. `event` is that of the example; cut to
// what fits.
void rf_feature_words(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples,
                      size_t example, size_t feature, char *words_out, size_t size);

// Puts the schema's field names in front of a batch's names; done once when a batch is made. They must fit field_capacity.
void rf_feature_declare(const struct rf_schema *schema, struct rf_examples *examples);

#endif
