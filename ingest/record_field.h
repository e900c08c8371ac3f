#ifndef RF_INGEST_RECORD_FIELD_H
#define RF_INGEST_RECORD_FIELD_H
// What of a record, beside its value, is a field: `source.fields: {customer: key, channel: header.channel, sent: timestamp}`.
//
//     key          its text, read by its spelling (ingest/spelling.h)
//     key.int32    a number of four bytes, the highest first, as Java's IntegerSerializer writes it
//     key.int64    one of eight bytes, as its LongSerializer does
//     header.NAME  the text of the header of that name, the last one if there are several, read by its spelling
//     timestamp    the log's, in milliseconds
//
// What a record has not is null.
#include "ingest/decoder.h"

enum rf_record_part { RF_RECORD_KEY, RF_RECORD_KEY_INT32, RF_RECORD_KEY_INT64, RF_RECORD_HEADER, RF_RECORD_TIMESTAMP };

struct rf_record_field {
    enum rf_record_part part;
    struct rf_text header; // its name, borrowed; RF_RECORD_HEADER
};

// RF_INVALID, in words, for what is none of the above.
enum rf_status rf_record_field_parse(const struct rf_pair *pair, struct rf_record_field *field_out,
                                     struct rf_error *err) RF_MUST_USE;

// Rejects a record whose headers cannot be told: there are too many, or they are damaged.
enum rf_status rf_record_headers_check(const struct rf_record *record, struct rf_decode_error *error_out) RF_MUST_USE;

// The last header of the name; its data is NULL when there is none, or it has no value.
struct rf_text rf_record_header(const struct rf_record *record, struct rf_text name);

// Rejects bytes that are no text of at most so many: of `what` ("key", "header ce_id"), for the field.
enum rf_status rf_record_text_check(struct rf_text text, struct rf_text field, const char *what, uint64_t bytes_max,
                                    struct rf_decode_error *error_out) RF_MUST_USE;

// A decoder that adds the fields of `options->fields` behind those of `inner`, which is owned from here on, also when this fails.
// The options are borrowed. A field that the value holds too is a duplicate. RF_INVALID, in words, for the name of a derived
// feature.
enum rf_status rf_decoder_fields_create(struct rf_decoder *inner, const struct rf_schema *schema,
                                        const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                        struct rf_error *err) RF_MUST_USE;

// The name of a header, or of a field, that is an attribute of CloudEvents: ce_ and more.
bool rf_cloudevents_is_attribute(struct rf_text name);

// A decoder that takes the envelope of CloudEvents 1.0 off a record, as the Kafka protocol binding has it, and gives the data in
// it to `inner`, a decoder of `kind`, which is owned from here on, also when this fails.
//
// - Structured mode: the content-type is application/cloudevents+json, or no header is an attribute, as in a file. The value is
// the JSON event format. `data` is the value of a JSON record, where datacontenttype is JSON or absent;
//   else it is a text that holds the value of a text format; `data_base64` holds the bytes of any. Batches and other event
//   formats are rejected, and so is this mode where the data is framed (options->framing).
// - Binary mode: all else. Attributes are the headers ce_NAME, the last one of a name counts, and the content-type is
//   datacontenttype; the value is the data.
// - id, source, type and specversion 1.0 must be there.
//
// In both modes alike the attribute NAME is the field ce_NAME, read by its spelling (ingest/spelling.h), where the schema
// declares it; others are no fields: an id is no feature. One that the data holds too is a duplicate. An event without data is
// rejected.
enum rf_status rf_decoder_cloudevents_create(struct rf_decoder *inner, const struct rf_decoder_kind *kind,
                                             const struct rf_schema *schema, const struct rf_decoder_options *options,
                                             struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

#endif
