#ifndef RF_INGEST_FEATURE_H
#define RF_INGEST_FEATURE_H
#include "ingest/decoder.h"
#include "ingest/event.h"
#include "ingest/schema.h"
#include "proto/arena.h"
#include "proto/example.h"

// Appends the example that an event describes: a pure function of event, record and schema.
//
// A number becomes a feature with the hash of its field's name and its value (a value of 0 too; true and false are 1 and
// 0). A category becomes one with the hash of (field's name, category text) and the value 1; a number or boolean there is
// the text it was written as. null and absent fields give no feature.
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
// Event time is in whole Unix milliseconds, or RFC 3339 text, of the years 1970 to 9999. The weight is 0 or more. Names of
// fields that the schema does not declare are listed in the batch as they are met; there is room for field_capacity / 2
// names in a batch, those that are declared included.
//
// Purposes: observe and predict; with a label evaluate and learn too.
//
// RF_INVALID with `error_out` filled: reject the record; nothing was appended. RF_FULL: nothing was appended, because the
// arrays are full: append it to the next batch. What does not even fit empty arrays is rejected (RF_REASON_LIMIT).
enum rf_status rf_feature_append(const struct rf_schema *schema, enum rf_task task, uint32_t classes,
                                 const struct rf_event *event, const struct rf_record *record, struct rf_examples *examples,
                                 struct rf_decode_error *error_out) RF_MUST_USE;

// Puts the schema's field names in front of a batch's names; done once when a batch is made. They must fit field_capacity.
void rf_feature_declare(const struct rf_schema *schema, struct rf_examples *examples);

#endif
