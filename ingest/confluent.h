#ifndef RF_INGEST_CONFLUENT_H
#define RF_INGEST_CONFLUENT_H
// What Confluent's serialisers put in front of a value.
//
//     0x00, schema id (4 bytes, big endian, signed and not negative), value
//     0x00, schema id, message indexes, value          Protobuf
//
// The message indexes tell which message of the schema's file the value is: their count, then the index of a message of the file,
// then of a message in it, and so on, as zigzag varints. A count of 0 stands for [0], the file's first message.
#include "ingest/decoder.h"

enum { RF_CONFLUENT_INDEXES_MAX = 32 };

struct rf_confluent_head {
    uint32_t id;
    uint32_t index_count; // of message indexes; 0 where there are none
    uint32_t indexes[RF_CONFLUENT_INDEXES_MAX];
    struct rf_text value; // what follows
};

// RF_INVALID with `error_out` filled where the bytes do not begin so.
enum rf_status rf_confluent_read(struct rf_text bytes, bool has_indexes, struct rf_confluent_head *head_out,
                                 struct rf_decode_error *error_out) RF_MUST_USE;

// The indexes of the message that the options name (format protobuf). RF_INVALID, in words, where its descriptors have it not.
enum rf_status rf_decoder_protobuf_indexes(const struct rf_decoder_options *options,
                                           uint32_t indexes_out[RF_CONFLUENT_INDEXES_MAX], size_t *index_count_out,
                                           struct rf_error *err) RF_MUST_USE;

// A decoder of such records: takes off what stands in front and hands the rest to one of `kind`. With a registry among the
// options (formats with schemas) each schema id has its own; without one all are decoded as the options say, and of
// Protobuf must be the message that they name.
enum rf_status rf_decoder_confluent_create(const struct rf_decoder_kind *kind, const struct rf_schema *schema,
                                           const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                           struct rf_error *err) RF_MUST_USE;

#endif
