#include "ingest/sparse_text.h"

#include "ingest/number.h"
#include "ingest/reject.h"
#include "proto/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

static enum rf_status check_roles(const struct rf_sparse_text *sparse, const struct rf_schema *schema, struct rf_error *err) {
    const struct {
        const char *name;
        uint32_t index;
    } roles[] = {{"id", sparse->id_index}, {"label", sparse->label_index}, {"weight", sparse->weight_index}};
    for (size_t i = 0; i < 3; i++) {
        const uint32_t index = roles[i].index;
        size_t other = (i + 1) % 3;
        if (index != RF_FIELD_UNKNOWN && index == roles[other].index) {
            return rf_fail(err, RF_INVALID, "%s and %s are both field %s, must be two fields: a line of %s has a place for each",
                           roles[i].name, roles[other].name, rf_schema_field(schema, index)->name.data, sparse->base.ops->name);
        }
    }
    return RF_OK;
}

// Of the fields that have a place in a line, the weight alone is a number.
static enum rf_status check_inputs(const struct rf_sparse_text *sparse, const struct rf_schema *schema,
                                   const struct rf_decoder_options *options, struct rf_error *err) {
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        bool is_in_line = field->roles & RF_ROLE_INPUT && !rf_decoder_adds_field(options, field->name);
        if (is_in_line && !(field->roles & RF_ROLE_WEIGHT)) {
            return rf_fail(err, RF_INVALID,
                           "features.derived reads field %s, must read the weight or the event time: fields of %s hold "
                           "features",
                           field->name.data, sparse->base.ops->name);
        }
    }
    return RF_OK;
}

// What a namespace holds are features already: numbers of a name each, and no text, number or vector of its own.
static enum rf_status check_features(const struct rf_sparse_text *sparse, const struct rf_schema *schema,
                                     const struct rf_decoder_options *options, struct rf_error *err) {
    const struct {
        const char *list;
        enum rf_role role;
    } wrong[] = {{"texts", RF_ROLE_TEXT}, {"buckets", RF_ROLE_BUCKET}, {"vector", RF_ROLE_VECTOR}};
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            if (field->roles & wrong[k].role && !rf_decoder_adds_field(options, field->name)) {
                return rf_fail(err, RF_INVALID, "field %s is in %s, must be in numbers or categories: fields of %s hold features",
                               field->name.data, wrong[k].list, sparse->base.ops->name);
            }
        }
    }
    return RF_OK;
}

enum rf_status rf_sparse_text_init(struct rf_sparse_text *sparse, const struct rf_decoder_ops *ops,
                                   const struct rf_schema *schema, const struct rf_decoder_options *options,
                                   struct rf_error *err) {
    rf_decoder_init(&sparse->base, ops, schema, options);
    sparse->hasher = rf_hasher_of(schema);
    sparse->id_index = rf_schema_find_role(schema, RF_ROLE_ID);
    sparse->label_index = rf_schema_find_role(schema, RF_ROLE_LABEL);
    sparse->weight_index = rf_schema_find_role(schema, RF_ROLE_WEIGHT);
    if (check_roles(sparse, schema, err) || check_features(sparse, schema, options, err) ||
        check_inputs(sparse, schema, options, err)) {
        return RF_INVALID;
    }
    size_t fields = sparse->base.limits.fields;
    sparse->namespaces = calloc(fields, sizeof *sparse->namespaces);
    sparse->hash = calloc(fields, sizeof *sparse->hash);
    sparse->value = calloc(fields, sizeof *sparse->value);
    if (!sparse->namespaces || !sparse->hash || !sparse->value) {
        return rf_fail(err, RF_MEMORY, "%zu features of a record do not fit into memory", fields);
    }
    return RF_OK;
}

void rf_sparse_text_finish(struct rf_sparse_text *sparse) {
    free(sparse->namespaces);
    free(sparse->hash);
    free(sparse->value);
}

enum rf_status rf_sparse_unexpected(const struct rf_sparse_text *sparse, const char *wanted) {
    ptrdiff_t position = sparse->at - sparse->begin;
    if (sparse->at == sparse->end) {
        return rf_decode_fail(sparse->error, RF_REASON_UNDECODABLE, "ends after %td bytes, must go on with %s", position, wanted);
    }
    struct rf_text left = {sparse->at, (size_t)(sparse->end - sparse->at)};
    size_t size = rf_utf8_size(left);
    struct rf_shown shown = rf_show((struct rf_text){sparse->at, size ? size : 1});
    return rf_decode_fail(sparse->error, RF_REASON_UNDECODABLE, "byte %td is '%s', must be %s", position, shown.text, wanted);
}

enum rf_status rf_sparse_too_long(const struct rf_sparse_text *sparse, const char *what, struct rf_text text) {
    return rf_decode_fail(sparse->error, RF_REASON_LIMIT, "%s %s has %zu bytes, at most %" PRIu64 " are taken", what,
                          rf_show(text).text, text.size, sparse->base.limits.field_bytes);
}

enum rf_status rf_sparse_begin(struct rf_sparse_text *sparse, struct rf_text line, struct rf_decode_error *error_out) {
    static const char mark[] = "\xef\xbb\xbf"; // of the byte order, which some editors put first
    size_t size = line.size;
    size -= size > 0 && line.data[size - 1] == '\n';
    size -= size > 0 && line.data[size - 1] == '\r';
    size_t skipped = size >= 3 && memcmp(line.data, mark, 3) == 0 ? 3 : 0;
    sparse->begin = line.data;
    sparse->at = line.data + skipped;
    sparse->end = line.data + size;
    sparse->error = error_out;
    sparse->field_count = 0;
    sparse->namespace_count = 0;
    sparse->feature_count = 0;
    struct rf_text whole = {line.data, size};
    size_t valid = rf_utf8_valid_size(whole);
    if (valid < size) {
        return rf_decode_fail(error_out, RF_REASON_ENCODING, "byte %zu is \\x%02x, must be UTF-8", valid,
                              (unsigned char)line.data[valid]);
    }
    const char *nul = memchr(line.data, '\0', size);
    if (nul) {
        sparse->at = nul;
        return rf_sparse_unexpected(sparse, "a character of a text");
    }
    rf_sparse_skip_blanks(sparse);
    return sparse->at < sparse->end ? RF_OK : rf_decode_fail(error_out, RF_REASON_EMPTY, "is a blank line");
}

struct rf_event rf_sparse_event(struct rf_sparse_text *sparse, enum rf_label_form form) {
    return (struct rf_event){
            .fields = sparse->fields,
            .count = sparse->field_count,
            .label_form = form,
            .namespaces = sparse->namespaces,
            .namespace_count = sparse->namespace_count,
            .feature_hash = sparse->hash,
            .feature_value = sparse->value,
            .feature_count = sparse->feature_count,
    };
}

static bool is_non_finite_word(struct rf_text text) {
    static const char *const words[] = {"nan", "inf", "infinity"};
    bool is_signed = text.size > 0 && (*text.data == '-' || *text.data == '+');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t size = strlen(words[i]);
        if (text.size - is_signed == size && strncasecmp(text.data + is_signed, words[i], size) == 0) {
            return true;
        }
    }
    return false;
}

static enum rf_status not_finite(const struct rf_sparse_text *sparse, struct rf_text text) {
    return rf_decode_fail(sparse->error, RF_REASON_NON_FINITE, "byte %td: %s is not finite", text.data - sparse->begin,
                          rf_show(text).text);
}

static enum rf_status take_word(const struct rf_sparse_text *sparse) {
    const char *at = sparse->at;
    while (at < sparse->end && !rf_sparse_is_blank(*at) && *at != '|') {
        at++;
    }
    struct rf_text word = {sparse->at, (size_t)(at - sparse->at)};
    return is_non_finite_word(word) ? not_finite(sparse, word) : RF_OK;
}

enum rf_status rf_sparse_any_number(struct rf_sparse_text *sparse, double *value_out, bool *is_number_out) {
    struct rf_number number;
    size_t size = rf_number_scan((struct rf_text){sparse->at, (size_t)(sparse->end - sparse->at)}, RF_NUMBER_PLAIN, &number);
    *is_number_out = size > 0;
    if (size == 0) {
        return take_word(sparse);
    }
    *value_out = rf_number_value(&number);
    if (size > sparse->base.limits.field_bytes) {
        return rf_sparse_too_long(sparse, "the number", number.text);
    }
    sparse->at += size;
    return isfinite(*value_out) ? RF_OK : not_finite(sparse, number.text);
}

static void add_field(struct rf_sparse_text *sparse, uint32_t index, struct rf_value value) {
    if (index == RF_FIELD_UNKNOWN) {
        return;
    }
    const struct rf_schema_field *field = rf_schema_field(sparse->base.schema, index);
    assert(sparse->field_count < sizeof sparse->fields / sizeof *sparse->fields);
    sparse->fields[sparse->field_count++] =
            (struct rf_field){.name = field->name, .hash = field->hash, .index = index, .value = value};
}

enum rf_status rf_sparse_add_text(struct rf_sparse_text *sparse, uint32_t index, const char *what, struct rf_text text) {
    if (rf_sparse_is_too_long(sparse, text)) {
        return rf_sparse_too_long(sparse, what, text);
    }
    add_field(sparse, index, (struct rf_value){.type = RF_VALUE_TEXT, .text = text});
    return RF_OK;
}

// A number, or a word that is a text unless it stands for what is not finite.
static enum rf_status classify(struct rf_sparse_text *sparse, const char *what, struct rf_text text, struct rf_value *value_out) {
    struct rf_number number;
    if (rf_sparse_is_too_long(sparse, text)) {
        return rf_sparse_too_long(sparse, what, text);
    }
    if (text.size == 0 || rf_number_scan(text, RF_NUMBER_PLAIN, &number) != text.size) {
        *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = text};
        return is_non_finite_word(text) ? not_finite(sparse, text) : RF_OK;
    }
    *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = rf_number_value(&number), .text = text};
    return isfinite(value_out->number) ? RF_OK : not_finite(sparse, text);
}

enum rf_status rf_sparse_add_number(struct rf_sparse_text *sparse, uint32_t index, const char *what, struct rf_text text) {
    struct rf_value value = {.type = RF_VALUE_NULL};
    enum rf_status status = classify(sparse, what, text, &value);
    if (status) {
        return status;
    }
    if (value.type != RF_VALUE_NUMBER) {
        return rf_decode_fail(sparse->error, RF_REASON_TYPE, "%s is \"%s\", must be a number", what, rf_show(text).text);
    }
    add_field(sparse, index, value);
    return RF_OK;
}

enum rf_status rf_sparse_add_label(struct rf_sparse_text *sparse, struct rf_text text) {
    struct rf_value value = {.type = RF_VALUE_NULL};
    enum rf_status status = classify(sparse, "the label", text, &value);
    if (!status) {
        add_field(sparse, sparse->label_index, value);
    }
    return status;
}

static bool wants_space(const struct rf_schema *schema, uint32_t index) {
    unsigned roles = index == RF_FIELD_UNKNOWN ? 0 : rf_schema_field(schema, index)->roles;
    if (roles & RF_ROLE_DERIVED) {
        return false;
    }
    return roles & (RF_ROLE_NUMBER | RF_ROLE_CATEGORY | RF_ROLE_CROSSED) ||
           (!(roles & RF_ROLE_IGNORED) && rf_schema_takes_rest(schema));
}

struct rf_sparse_space rf_sparse_open(const struct rf_sparse_text *sparse, struct rf_text name) {
    const struct rf_schema *schema = sparse->base.schema;
    const struct rf_hasher *hasher = &sparse->hasher;
    uint64_t keyed_hash = rf_hash(hasher->key, name.data, name.size);
    uint32_t index = rf_schema_find_hashed(schema, name, keyed_hash);
    return (struct rf_sparse_space){
            .name = name,
            .keyed_hash = keyed_hash,
            .hash = hasher->hashing == RF_HASHING_KEYED ? keyed_hash : rf_hasher_namespace(hasher, name),
            .index = index,
            .is_wanted = wants_space(schema, index),
    };
}

enum rf_status rf_sparse_too_many(const struct rf_sparse_text *sparse) {
    return rf_decode_fail(sparse->error, RF_REASON_LIMIT, "has more than %" PRIu64 " features", sparse->base.limits.fields);
}

void rf_sparse_close(struct rf_sparse_text *sparse, const struct rf_sparse_space *space) {
    size_t before = sparse->namespace_count ? sparse->namespaces[sparse->namespace_count - 1].end : 0;
    if (sparse->feature_count > before) {
        sparse->namespaces[sparse->namespace_count++] = (struct rf_namespace){
                .name = space->name, .hash = space->keyed_hash, .index = space->index, .end = sparse->feature_count};
    }
}
