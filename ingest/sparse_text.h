#ifndef RF_INGEST_SPARSE_TEXT_H
#define RF_INGEST_SPARSE_TEXT_H
#include "ingest/decoder.h"
#include "ingest/feature_hash.h"
#include "ingest/number.h"

// What decoders of sparse text formats share: a cursor over one line, and the event in the making.
struct rf_sparse_text {
    struct rf_decoder base; // embedded first in each kind, this too
    struct rf_hasher hasher;
    uint32_t id_index, label_index, weight_index; // in the schema, or RF_FIELD_UNKNOWN

    struct rf_field fields[4]; // id, label, weight, query
    size_t field_count;
    struct rf_namespace *namespaces; // [limits.fields]
    size_t namespace_count;
    uint64_t *hash; // [limits.fields]
    double *value;  // [limits.fields]
    size_t feature_count;

    const char *begin, *at, *end; // the line without its end
    struct rf_decode_error *error;
};

// A namespace in the making.
struct rf_sparse_space {
    struct rf_text name;
    uint64_t keyed_hash; // of the name
    uint64_t hash;       // what its features' hashes start from
    uint32_t index;      // in the schema, or RF_FIELD_UNKNOWN
    bool is_wanted;
};

// Refuses, in words, a schema that takes two of id, label and weight from one field: the format has a place for each.
enum rf_status rf_sparse_text_init(struct rf_sparse_text *sparse, const struct rf_decoder_ops *ops,
                                   const struct rf_schema *schema, const struct rf_decoder_options *options,
                                   struct rf_error *err) RF_MUST_USE;
void rf_sparse_text_finish(struct rf_sparse_text *sparse);

// Checks the characters of a record, and puts the cursor on its first byte that is not blank.
enum rf_status rf_sparse_begin(struct rf_sparse_text *sparse, struct rf_text line, struct rf_decode_error *error_out);
struct rf_event rf_sparse_event(struct rf_sparse_text *sparse, enum rf_label_form form);

// Rejects the record for the byte at the cursor.
enum rf_status rf_sparse_unexpected(const struct rf_sparse_text *sparse, const char *wanted);

// Takes the number at the cursor, as rf_sparse_number() below. Where there is none: rejects words like nan and inf, and else
// takes nothing and returns RF_OK with *is_number_out false.
enum rf_status rf_sparse_any_number(struct rf_sparse_text *sparse, double *value_out, bool *is_number_out);

// The text of a role becomes a field, unless no field has it. A text that must be a number is refused where it is none.
enum rf_status rf_sparse_add_text(struct rf_sparse_text *sparse, uint32_t index, const char *what, struct rf_text text);
enum rf_status rf_sparse_add_number(struct rf_sparse_text *sparse, uint32_t index, const char *what, struct rf_text text);
enum rf_status rf_sparse_add_label(struct rf_sparse_text *sparse, struct rf_text text); // of either kind

struct rf_sparse_space rf_sparse_open(const struct rf_sparse_text *sparse, struct rf_text name);
enum rf_status rf_sparse_too_many(const struct rf_sparse_text *sparse);
void rf_sparse_close(struct rf_sparse_text *sparse, const struct rf_sparse_space *space); // its features are all there

static inline bool rf_sparse_is_blank(char c) {
    return c == ' ' || c == '\t';
}

static inline void rf_sparse_skip_blanks(struct rf_sparse_text *sparse) {
    while (sparse->at < sparse->end && rf_sparse_is_blank(*sparse->at)) {
        sparse->at++;
    }
}

static inline enum rf_status rf_sparse_number(struct rf_sparse_text *sparse, double *value_out, bool *is_number_out) {
    size_t size = rf_number_short((struct rf_text){sparse->at, (size_t)(sparse->end - sparse->at)}, RF_NUMBER_PLAIN, value_out);
    if (size - 1 >= sparse->base.limits.field_bytes) { // 0 too
        return rf_sparse_any_number(sparse, value_out, is_number_out);
    }
    sparse->at += size;
    *is_number_out = true;
    return RF_OK;
}

static inline enum rf_status rf_sparse_add_feature(struct rf_sparse_text *sparse, uint64_t hash, double value) {
    if (sparse->feature_count == sparse->base.limits.fields) {
        return rf_sparse_too_many(sparse);
    }
    sparse->hash[sparse->feature_count] = hash;
    sparse->value[sparse->feature_count++] = value;
    return RF_OK;
}

enum rf_status rf_sparse_too_long(const struct rf_sparse_text *sparse, const char *what, struct rf_text text);

static inline bool rf_sparse_is_too_long(const struct rf_sparse_text *sparse, struct rf_text text) {
    return text.size > sparse->base.limits.field_bytes;
}

#endif
