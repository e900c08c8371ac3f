#include "ingest/decoder.h"
#include "ingest/reject.h"
#include "ingest/sparse_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { INDEX_DIGITS_MAX = 18 }; // that fit an int64_t, whatever they are

struct libsvm_decoder {
    struct rf_sparse_text text;
    uint32_t query_index; // in the schema, or RF_FIELD_UNKNOWN
};

static const struct rf_decoder_ops libsvm_ops;

static struct libsvm_decoder *libsvm_from(struct rf_decoder *self) {
    assert(self->ops == &libsvm_ops);
    return (struct libsvm_decoder *)self;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct rf_text word_at(const struct rf_sparse_text *text) {
    const char *at = text->at;
    while (at < text->end && !rf_sparse_is_blank(*at)) {
        at++;
    }
    return (struct rf_text){text->at, (size_t)(at - text->at)};
}

// The first word is the label unless it is a feature already.
static enum rf_status take_label(struct rf_sparse_text *text) {
    struct rf_text word = word_at(text);
    if (memchr(word.data, ':', word.size)) {
        return RF_OK;
    }
    text->at += word.size;
    return rf_sparse_add_label(text, word);
}

static enum rf_status take_query(struct libsvm_decoder *libsvm) {
    static const char prefix[] = "qid:";
    enum { PREFIX_SIZE = sizeof prefix - 1 };
    struct rf_sparse_text *text = &libsvm->text;
    rf_sparse_skip_blanks(text);
    struct rf_text word = word_at(text);
    if (word.size < PREFIX_SIZE || memcmp(word.data, prefix, PREFIX_SIZE) != 0) {
        return RF_OK;
    }
    text->at += word.size;
    return rf_sparse_add_number(text, libsvm->query_index, "qid",
                                (struct rf_text){word.data + PREFIX_SIZE, word.size - PREFIX_SIZE});
}

static enum rf_status wrong_index(struct rf_sparse_text *text, const char *begin) {
    const char *at = text->at;
    if (at == begin || at == text->end || *at != ':') {
        return rf_sparse_unexpected(text, at == begin ? "the index of a feature" : "a digit or :");
    }
    struct rf_text shown = {begin, (size_t)(at - begin)};
    return rf_decode_fail(text->error, RF_REASON_LIMIT, "index %s has %zu digits, at most %d are taken", rf_show(shown).text,
                          shown.size, INDEX_DIGITS_MAX);
}

// Takes the digits before the colon, without zeros in front, and the colon.
static enum rf_status take_index(struct rf_sparse_text *text, struct rf_text *name_out, int64_t *index_out) {
    const char *begin = text->at;
    while (text->end - begin > 1 && *begin == '0' && is_digit(begin[1])) {
        begin++;
    }
    uint64_t index = 0;
    const char *at = begin;
    for (; at < text->end && is_digit(*at); at++) {
        index = 10 * index + (uint64_t)(*at - '0');
    }
    text->at = at;
    if (at == text->end || *at != ':' || (size_t)(at - begin) - 1 >= INDEX_DIGITS_MAX) {
        return wrong_index(text, begin);
    }
    *name_out = (struct rf_text){begin, (size_t)(at - begin)};
    *index_out = (int64_t)index;
    text->at++;
    return RF_OK;
}

static enum rf_status take_feature(struct rf_sparse_text *text, const struct rf_sparse_space *space, int64_t *last) {
    struct rf_text name = {text->at, 0};
    int64_t index = 0;
    double value = 0;
    bool is_number = false;
    enum rf_status status = take_index(text, &name, &index);
    status = status ? status : rf_sparse_number(text, &value, &is_number);
    if (status) {
        return status;
    }
    if (!is_number) {
        return rf_sparse_unexpected(text, "a number");
    }
    if (text->at < text->end && !rf_sparse_is_blank(*text->at)) {
        return rf_sparse_unexpected(text, "a space or the end");
    }
    if (index <= *last) {
        enum rf_reason reason = index == *last ? RF_REASON_DUPLICATE : RF_REASON_UNDECODABLE;
        return rf_decode_fail(text->error, reason, "index %" PRId64 " stands after %" PRId64 ", must be larger", index, *last);
    }
    *last = index;
    if (!space->is_wanted || value == 0) { // 0 is absent
        return RF_OK;
    }
    size_t room = (size_t)(text->end - name.data);
    return rf_sparse_add_feature(text, rf_hasher_feature_within(&text->hasher, space->hash, name, room), value);
}

static enum rf_status libsvm_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                    struct rf_event *event_out, struct rf_decode_error *error_out) {
    (void)arena;
    struct libsvm_decoder *libsvm = libsvm_from(self);
    struct rf_sparse_text *text = &libsvm->text;
    enum rf_status status = rf_sparse_begin(text, record->value, error_out);
    if (status) {
        return status;
    }
    const char *comment = memchr(text->at, '#', (size_t)(text->end - text->at));
    text->end = comment ? comment : text->end;
    if (text->at == text->end) {
        return rf_decode_fail(error_out, RF_REASON_EMPTY, "is a comment alone");
    }
    status = take_label(text);
    status = status ? status : take_query(libsvm);
    struct rf_sparse_space space = rf_sparse_open(text, rf_text_of(" "));
    int64_t last = -1;
    while (!status) {
        rf_sparse_skip_blanks(text);
        if (text->at == text->end) {
            break;
        }
        status = take_feature(text, &space, &last);
    }
    if (!status) {
        rf_sparse_close(text, &space);
        *event_out = rf_sparse_event(text, RF_LABEL_LIBSVM);
    }
    return status;
}

static void libsvm_destroy(struct rf_decoder *self) {
    struct libsvm_decoder *libsvm = libsvm_from(self);
    rf_sparse_text_finish(&libsvm->text);
    free(libsvm);
}

static const struct rf_decoder_ops libsvm_ops = {
        .name = "libsvm",
        .decode = libsvm_decode,
        .destroy = libsvm_destroy,
};

// The field qid, when it is declared as anything that has no place of its own.
static uint32_t find_query(const struct rf_sparse_text *text, const struct rf_schema *schema) {
    uint32_t index = rf_schema_find(schema, rf_text_of("qid"));
    bool is_taken = index == text->id_index || index == text->label_index || index == text->weight_index;
    return !is_taken && index != RF_FIELD_UNKNOWN && rf_schema_wants(schema, index) ? index : RF_FIELD_UNKNOWN;
}

// Features of other fields would never come.
static enum rf_status check_fields(const struct libsvm_decoder *libsvm, const struct rf_schema *schema,
                                   const struct rf_decoder_options *options, struct rf_error *err) {
    for (uint32_t i = 0; i < rf_schema_count(schema); i++) {
        const struct rf_schema_field *field = rf_schema_field(schema, i);
        bool is_read = field->roles & RF_ROLES_FEATURE && !(field->roles & RF_ROLE_DERIVED) &&
                       !rf_decoder_adds_field(options, field->name);
        if (is_read && i != libsvm->query_index && !rf_text_equal(field->name, rf_text_of(" "))) {
            return rf_fail(err, RF_INVALID,
                           "field %s is among features, must be \" \" (of all indices) or qid: a line of libsvm "
                           "has no other",
                           field->name.data);
        }
    }
    return RF_OK;
}

enum rf_status rf_decoder_libsvm_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                        struct rf_decoder **decoder_out, struct rf_error *err) {
    struct libsvm_decoder *libsvm = calloc(1, sizeof *libsvm);
    if (!libsvm) {
        return rf_fail(err, RF_MEMORY, "a decoder of libsvm does not fit into memory");
    }
    enum rf_status status = rf_sparse_text_init(&libsvm->text, &libsvm_ops, schema, options, err);
    libsvm->query_index = status ? RF_FIELD_UNKNOWN : find_query(&libsvm->text, schema);
    status = status ? status : check_fields(libsvm, schema, options, err);
    if (status) {
        libsvm_destroy(&libsvm->text.base);
        return status;
    }
    *decoder_out = &libsvm->text.base;
    return RF_OK;
}
