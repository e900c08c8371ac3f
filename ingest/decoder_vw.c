#include "ingest/decoder.h"
#include "ingest/number.h"
#include "ingest/reject.h"
#include "ingest/sparse_text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct vw_decoder {
    struct rf_sparse_text text;
};

static const struct rf_decoder_ops vw_ops;

static struct vw_decoder *vw_from(struct rf_decoder *self) {
    assert(self->ops == &vw_ops);
    return (struct vw_decoder *)self;
}

// Where a name ends.
static const bool ends_name[256] = {
        [' '] = true, ['\t'] = true, ['|'] = true, [':'] = true, ['\r'] = true, ['\n'] = true,
};

// Passes over sixteen bytes at a time, up to the first that is a colon, a bar, or below '!'; where it cannot, over none.
#ifdef __SSE2__
static inline const char *skip_plain(const char *at, const char *end) {
    const __m128i colon = _mm_set1_epi8(':'), bar = _mm_set1_epi8('|'), space = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, space), bytes);
        __m128i hits = _mm_or_si128(is_low, _mm_or_si128(_mm_cmpeq_epi8(bytes, colon), _mm_cmpeq_epi8(bytes, bar)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hits);
        if (mask) {
            return at + __builtin_ctz(mask);
        }
    }
    return at;
}
#else
static inline const char *skip_plain(const char *at, const char *end) {
    (void)end;
    return at;
}
#endif

static inline struct rf_text take_name(struct rf_sparse_text *text) {
    const char *begin = text->at;
    const char *end = text->end;
    const char *at = skip_plain(begin, end);
    while (at < end && !ends_name[(unsigned char)*at]) {
        at++;
    }
    text->at = at;
    return (struct rf_text){begin, (size_t)(at - begin)};
}

static bool is_at(const struct rf_sparse_text *text, char c) {
    return text->at < text->end && *text->at == c;
}

static bool is_at_line_end(const struct rf_sparse_text *text) {
    return is_at(text, '\r') || is_at(text, '\n');
}

// What stands before the first |, in words.
struct head {
    struct rf_text word[4]; // label, importance and base; the tag may be any of four
    size_t count;
};

static enum rf_status split_head(struct rf_sparse_text *text, const char *bar, struct head *head_out) {
    *head_out = (struct head){.count = 0};
    while (text->at < bar) {
        const char *begin = text->at;
        while (text->at < bar && *text->at != ' ') {
            if (*text->at == '\t' || is_at_line_end(text)) {
                return rf_sparse_unexpected(text, "a space or a character of a label or tag");
            }
            text->at++;
        }
        if (head_out->count == sizeof head_out->word / sizeof *head_out->word) {
            text->at = begin;
            return rf_sparse_unexpected(text, "| after label, importance, base and tag");
        }
        head_out->word[head_out->count++] = (struct rf_text){begin, (size_t)(text->at - begin)};
        while (text->at < bar && *text->at == ' ') {
            text->at++;
        }
    }
    return RF_OK;
}

static enum rf_status check_base(const struct rf_sparse_text *text, struct rf_text base) {
    struct rf_number number;
    bool is_number = rf_number_scan(base, RF_NUMBER_PLAIN, &number) == base.size;
    if (is_number && rf_number_value(&number) == 0) {
        return RF_OK;
    }
    return rf_decode_fail(text->error, RF_REASON_TYPE, "the base is %s, must be 0: scores start from nothing else",
                          rf_show(base).text);
}

// Takes all before the first |. The last word is the tag when it touches the | or begins with an apostrophe.
static enum rf_status take_head(struct rf_sparse_text *text) {
    const char *bar = memchr(text->at, '|', (size_t)(text->end - text->at));
    struct head head;
    if (!bar) {
        return rf_decode_fail(text->error, RF_REASON_UNDECODABLE, "has no |, must have one before its features");
    }
    enum rf_status status = split_head(text, bar, &head);
    if (!status && head.count > 0) {
        struct rf_text last = head.word[head.count - 1];
        bool is_quoted = *last.data == '\'';
        if (is_quoted || last.data + last.size == bar) {
            head.count--;
            struct rf_text tag = {last.data + is_quoted, last.size - is_quoted};
            status = tag.size > 0 ? rf_sparse_add_text(text, text->id_index, "the tag", tag) : RF_OK;
        }
    }
    if (!status && head.count == sizeof head.word / sizeof *head.word) {
        text->at = head.word[head.count - 1].data;
        return rf_sparse_unexpected(text, "a tag or |");
    }
    if (!status && head.count > 0) {
        status = rf_sparse_add_label(text, head.word[0]);
    }
    if (!status && head.count > 1) {
        status = rf_sparse_add_number(text, text->weight_index, "the importance", head.word[1]);
    }
    return !status && head.count > 2 ? check_base(text, head.word[2]) : status;
}

// A namespace while its features are read.
struct space {
    struct rf_sparse_space base;
    double scale;
    uint64_t nameless; // values without a name so far
};

// What stands behind the colon of a feature: a number, or a text up to the next blank.
static enum rf_status take_value(struct rf_sparse_text *text, double *value_out, struct rf_text *word_out) {
    bool is_number;
    enum rf_status status = rf_sparse_number(text, value_out, &is_number);
    if (status || is_number) {
        return status;
    }
    const char *begin = text->at;
    while (text->at < text->end && !rf_sparse_is_blank(*text->at) && !is_at_line_end(text)) {
        text->at++;
    }
    *word_out = (struct rf_text){begin, (size_t)(text->at - begin)};
    if (word_out->size == 0) {
        return rf_sparse_unexpected(text, "a number or a text");
    }
    return rf_sparse_is_too_long(text, *word_out) ? rf_sparse_too_long(text, "the text", *word_out) : RF_OK;
}

static uint64_t hash_feature(const struct rf_sparse_text *text, struct space *space, struct rf_text name, struct rf_text word) {
    const struct rf_hasher *hasher = &text->hasher;
    if (word.size > 0) {
        return rf_hasher_feature(hasher, rf_hasher_feature(hasher, space->base.hash, name), word);
    }
    return name.size > 0 ? rf_hasher_feature_within(hasher, space->base.hash, name, (size_t)(text->end - name.data))
                         : rf_hasher_nameless(hasher, space->base.hash, space->nameless++);
}

static enum rf_status take_feature(struct rf_sparse_text *text, struct space *space) {
    struct rf_text name = take_name(text);
    struct rf_text word = {NULL, 0};
    double value = 1.0;
    if (rf_sparse_is_too_long(text, name)) {
        return rf_sparse_too_long(text, "the name", name);
    }
    if (is_at(text, ':')) {
        text->at++;
        enum rf_status status = take_value(text, &value, &word);
        if (status) {
            return status;
        }
    }
    if (text->at < text->end && !rf_sparse_is_blank(*text->at) && *text->at != '|') {
        return rf_sparse_unexpected(text, "a space, | or the end");
    }
    value = word.size > 0 ? 1.0 : value * space->scale; // Vowpal Wabbit does not scale texts either
    if (!isfinite(value)) {
        return rf_decode_fail(text->error, RF_REASON_NON_FINITE, "feature %s times the scale of its namespace is not finite",
                              rf_show(name).text);
    }
    if (!space->base.is_wanted) {
        return RF_OK;
    }
    uint64_t hash = hash_feature(text, space, name, word);
    return value == 0 ? RF_OK : rf_sparse_add_feature(text, hash, value); // 0 is absent
}

static enum rf_status open_space(struct rf_sparse_text *text, struct space *space_out) {
    struct rf_text name = take_name(text);
    *space_out = (struct space){.scale = 1.0};
    if (rf_sparse_is_too_long(text, name)) {
        return rf_sparse_too_long(text, "the namespace", name);
    }
    if (is_at(text, ':')) {
        bool is_number = name.size > 0;
        text->at += is_number;
        enum rf_status status = is_number ? rf_sparse_number(text, &space_out->scale, &is_number) : RF_OK;
        if (status || !is_number) {
            return status ? status : rf_sparse_unexpected(text, name.size > 0 ? "a number" : "a namespace or a space");
        }
    }
    if (text->at < text->end && !rf_sparse_is_blank(*text->at) && *text->at != '|') {
        return rf_sparse_unexpected(text, "a space, | or the end");
    }
    space_out->base = rf_sparse_open(text, name.size > 0 ? name : rf_text_of(" "));
    return RF_OK;
}

// Takes a namespace; the cursor is at its |.
static enum rf_status take_space(struct rf_sparse_text *text) {
    struct space space;
    text->at++;
    enum rf_status status = open_space(text, &space);
    while (!status) {
        rf_sparse_skip_blanks(text);
        if (text->at == text->end || *text->at == '|') {
            rf_sparse_close(text, &space.base);
            return RF_OK;
        }
        status = take_feature(text, &space);
    }
    return status;
}

static enum rf_status vw_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                struct rf_event *event_out, struct rf_decode_error *error_out) {
    (void)arena;
    struct rf_sparse_text *text = &vw_from(self)->text;
    enum rf_status status = rf_sparse_begin(text, record->value, error_out);
    status = status ? status : take_head(text);
    while (!status && text->at < text->end) {
        status = take_space(text);
    }
    if (!status) {
        *event_out = rf_sparse_event(text, RF_LABEL_VOWPAL);
    }
    return status;
}

static void vw_destroy(struct rf_decoder *self) {
    struct vw_decoder *vw = vw_from(self);
    rf_sparse_text_finish(&vw->text);
    free(vw);
}

static const struct rf_decoder_ops vw_ops = {
        .name = "vw",
        .decode = vw_decode,
        .destroy = vw_destroy,
};

enum rf_status rf_decoder_vw_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                    struct rf_decoder **decoder_out, struct rf_error *err) {
    struct vw_decoder *vw = calloc(1, sizeof *vw);
    if (!vw) {
        return rf_fail(err, RF_MEMORY, "a decoder of vw does not fit into memory");
    }
    enum rf_status status = rf_sparse_text_init(&vw->text, &vw_ops, schema, options, err);
    if (status) {
        vw_destroy(&vw->text.base);
        return status;
    }
    *decoder_out = &vw->text.base;
    return RF_OK;
}
