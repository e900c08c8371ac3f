#include "ingest/json_scan.h"

#include "ingest/reject.h"
#include "proto/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static size_t position(const struct rf_json_scan *scan, const char *at) {
    return (size_t)(at - scan->begin);
}

static struct rf_text text_between(const char *begin, const char *end) {
    return (struct rf_text){begin, (size_t)(end - begin)};
}

enum rf_status rf_json_unexpected(const struct rf_json_scan *scan, const char *wanted) {
    if (scan->at == scan->end) {
        return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE, "ends after %zu bytes, must go on with %s",
                              position(scan, scan->end), wanted);
    }
    size_t size = rf_utf8_size(text_between(scan->at, scan->end));
    struct rf_shown shown = rf_show((struct rf_text){scan->at, size ? size : 1});
    return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE, "byte %zu is '%s', must be %s", position(scan, scan->at),
                          shown.text, wanted);
}

static enum rf_status check_size(const struct rf_json_scan *scan, struct rf_text text, const char *kind) {
    if (text.size <= scan->limits->field_bytes) {
        return RF_OK;
    }
    return rf_decode_fail(scan->error, RF_REASON_LIMIT, "the %s at byte %zu has %zu bytes, at most %" PRIu64 " are taken", kind,
                          position(scan, text.data), text.size, scan->limits->field_bytes);
}

// Passes over what stands for itself in a text: sixteen bytes at a time, then eight, then one.
#ifdef __SSE2__
static const char *skip_blocks(const char *at, const char *end) {
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i is_other = _mm_cmplt_epi8(bytes, space); // controls, and what is not ASCII: it is below 0
        __m128i hits = _mm_or_si128(is_other, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hits);
        if (mask) {
            return at + __builtin_ctz(mask);
        }
    }
    return at;
}
#else
static const char *skip_blocks(const char *at, const char *end) {
    (void)end;
    return at;
}
#endif

// Bytes of a word that are below 0x20, a quote, a backslash or above 0x7f have their top bit set in the answer; so may
// bytes that come after one of these.
static uint64_t special_bytes(uint64_t word) {
    const uint64_t each = 0x0101010101010101u;
    uint64_t quote = word ^ each * '"';
    uint64_t backslash = word ^ each * '\\';
    uint64_t hits = (word - each * 0x20) | (quote - each) | (backslash - each);
    // A hit needs the byte itself below 0x80: quotes and backslashes keep that bit under the exclusive or.
    return ((hits & ~word) | word) & each * 0x80;
}

static const char *skip_plain(const char *at, const char *end) {
    at = skip_blocks(at, end);
    while (end - at >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t special = special_bytes(word);
        if (special) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + __builtin_ctzll(special) / 8;
#else
            break;
#endif
        }
        at += sizeof word;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The code unit of \uXXXX at `at`, or -1.
static int code_unit(const char *at, const char *end) {
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int unit) {
    return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int unit) {
    return unit >= 0xdc00 && unit < 0xe000;
}

// Passes over the escape at the cursor.
static enum rf_status scan_escape(struct rf_json_scan *scan) {
    const char *at = scan->at;
    if (scan->end - at >= 2 && at[1] != 'u') {
        if (at[1] == '\0' || !strchr("\"\\/bfnrt", at[1])) {
            scan->at++;
            return rf_json_unexpected(scan, "one of \" \\ / b f n r t u after a backslash");
        }
        scan->at += 2;
        return RF_OK;
    }
    int unit = code_unit(at, scan->end);
    if (unit < 0) {
        return rf_decode_fail(scan->error, RF_REASON_UNDECODABLE,
                              "the escape at byte %zu is %s, must be a backslash, u and four hex digits", position(scan, at),
                              rf_show(text_between(at, scan->end - at > 6 ? at + 6 : scan->end)).text);
    }
    bool is_pair = is_high_surrogate(unit) && is_low_surrogate(code_unit(at + 6, scan->end));
    if (!is_pair && (is_high_surrogate(unit) || is_low_surrogate(unit))) {
        return rf_decode_fail(scan->error, RF_REASON_ENCODING,
                              "the escape at byte %zu is %.6s, half of a surrogate pair, must be a whole one", position(scan, at),
                              at);
    }
    scan->at += is_pair ? 12 : 6;
    return RF_OK;
}

enum rf_status rf_json_scan_string(struct rf_json_scan *scan, struct rf_json_string *string_out) {
    if (!rf_json_take(scan, '"')) {
        return rf_json_unexpected(scan, "a text in quotes");
    }
    const char *begin = scan->at;
    bool has_escapes = false;
    for (;;) {
        scan->at = skip_plain(scan->at, scan->end);
        if (scan->at == scan->end) {
            return rf_json_unexpected(scan, "the rest of a text");
        }
        unsigned char byte = (unsigned char)*scan->at;
        if (byte == '"') {
            break;
        }
        if (byte == '\\') {
            has_escapes = true;
            enum rf_status status = scan_escape(scan);
            if (status) {
                return status;
            }
        } else if (byte < 0x20) {
            return rf_json_unexpected(scan, "escaped: it is a control character in a text");
        } else {
            size_t size = rf_utf8_size(text_between(scan->at, scan->end));
            if (size == 0) {
                return rf_decode_fail(scan->error, RF_REASON_ENCODING, "byte %zu is \\x%02x, must be UTF-8",
                                      position(scan, scan->at), byte);
            }
            scan->at += size;
        }
    }
    *string_out = (struct rf_json_string){text_between(begin, scan->at), has_escapes};
    scan->at++;
    return check_size(scan, string_out->raw, "text");
}

enum rf_status rf_json_scan_number(struct rf_json_scan *scan, struct rf_number *number_out) {
    if (rf_number_scan(text_between(scan->at, scan->end), RF_NUMBER_JSON, number_out) == 0) {
        return rf_json_unexpected(scan, "a value");
    }
    scan->at += number_out->text.size;
    return check_size(scan, number_out->text, "number");
}

enum rf_status rf_json_scan_literal(struct rf_json_scan *scan, struct rf_text *literal_out) {
    static const struct rf_text literals[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        size_t size = literals[i].size;
        if ((size_t)(scan->end - scan->at) >= size && memcmp(scan->at, literals[i].data, size) == 0) {
            *literal_out = (struct rf_text){scan->at, size};
            scan->at += size;
            return RF_OK;
        }
    }
    return rf_json_unexpected(scan, "a value");
}

static enum rf_status skip_scalar(struct rf_json_scan *scan) {
    struct rf_json_string string;
    struct rf_number number;
    struct rf_text literal;
    char first = scan->at < scan->end ? *scan->at : '\0';
    if (first == '"') {
        return rf_json_scan_string(scan, &string);
    }
    if (first == '-' || (first >= '0' && first <= '9')) {
        return rf_json_scan_number(scan, &number);
    }
    return rf_json_scan_literal(scan, &literal);
}

enum rf_status rf_json_scan_name(struct rf_json_scan *scan, struct rf_json_string *name_out) {
    rf_json_skip_space(scan);
    enum rf_status status = rf_json_scan_string(scan, name_out);
    if (status) {
        return status;
    }
    rf_json_skip_space(scan);
    return rf_json_take(scan, ':') ? RF_OK : rf_json_unexpected(scan, "':'");
}

// Which of the containers that were entered are objects, the outermost first.
struct nesting {
    size_t depth;
    uint64_t is_object[RF_JSON_DEPTH_MAX / 64];
};

static bool in_object(const struct nesting *nesting) {
    size_t index = nesting->depth - 1;
    return nesting->is_object[index / 64] >> index % 64 & 1;
}

enum rf_status rf_json_enter(struct rf_json_scan *scan) {
    if (scan->depth == scan->limits->depth) {
        return rf_decode_fail(scan->error, RF_REASON_LIMIT,
                              "byte %zu begins a nesting of depth %zu, at most %" PRIu64 " are taken", position(scan, scan->at),
                              scan->depth + 1, scan->limits->depth);
    }
    scan->depth++;
    scan->at++;
    return RF_OK;
}

static enum rf_status enter(struct rf_json_scan *scan, struct nesting *nesting, bool is_object) {
    enum rf_status status = rf_json_enter(scan);
    if (status) {
        return status;
    }
    size_t index = nesting->depth++;
    uint64_t bit = (uint64_t)1 << index % 64;
    uint64_t *word = &nesting->is_object[index / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    return RF_OK;
}

// Leaves the containers that end at the cursor; stands behind a comma, or at the end of the outermost.
static enum rf_status leave(struct rf_json_scan *scan, struct nesting *nesting) {
    while (nesting->depth > 0) {
        rf_json_skip_space(scan);
        if (rf_json_take(scan, ',')) {
            return RF_OK;
        }
        if (!rf_json_take(scan, in_object(nesting) ? '}' : ']')) {
            return rf_json_unexpected(scan, in_object(nesting) ? "',' or '}'" : "',' or ']'");
        }
        nesting->depth--;
        scan->depth--;
    }
    return RF_OK;
}

enum rf_status rf_json_skip_value(struct rf_json_scan *scan) {
    if (scan->at < scan->end && *scan->at != '{' && *scan->at != '[') {
        return skip_scalar(scan);
    }
    assert(scan->limits->depth <= RF_JSON_DEPTH_MAX);
    struct nesting nesting = {.depth = 0};
    do {
        if (nesting.depth > 0 && in_object(&nesting)) {
            struct rf_json_string name;
            enum rf_status status = rf_json_scan_name(scan, &name);
            if (status) {
                return status;
            }
        }
        rf_json_skip_space(scan);
        char first = scan->at < scan->end ? *scan->at : '\0';
        bool is_container = first == '{' || first == '[';
        enum rf_status status = is_container ? enter(scan, &nesting, first == '{') : skip_scalar(scan);
        if (status) {
            return status;
        }
        if (is_container) {
            rf_json_skip_space(scan);
            if (!rf_json_take(scan, first == '{' ? '}' : ']')) {
                continue; // with its first member
            }
            nesting.depth--;
            scan->depth--;
        }
        status = leave(scan, &nesting);
        if (status) {
            return status;
        }
    } while (nesting.depth > 0);
    return RF_OK;
}

// Writes what the escape at `at` stands for; returns its size, and how many bytes are written.
static size_t resolve_escape(const char *at, const char *end, char *out, size_t *written_out) {
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    if (at[1] != 'u') {
        const char *letter = strchr(letters, at[1]);
        *out = letter ? meant[letter - letters] : at[1];
        *written_out = 1;
        return 2;
    }
    int unit = code_unit(at, end);
    if (!is_high_surrogate(unit)) {
        *written_out = rf_utf8_write((unsigned)unit, out);
        return 6;
    }
    int low = code_unit(at + 6, end);
    *written_out = rf_utf8_write(0x10000 + ((unsigned)(unit - 0xd800) << 10) + (unsigned)(low - 0xdc00), out);
    return 12;
}

enum rf_status rf_json_resolve(struct rf_json_string string, struct rf_arena *arena, struct rf_text *text_out) {
    if (!string.has_escapes) {
        *text_out = string.raw;
        return RF_OK;
    }
    char *text = rf_arena_take(arena, string.raw.size); // an escape is never shorter than what it stands for
    if (!text) {
        return RF_FULL;
    }
    const char *at = string.raw.data;
    const char *end = at + string.raw.size;
    size_t size = 0;
    while (at < end) {
        if (*at != '\\') {
            text[size++] = *at++;
            continue;
        }
        size_t written;
        at += resolve_escape(at, end, text + size, &written);
        size += written;
    }
    *text_out = (struct rf_text){text, size};
    return RF_OK;
}

enum rf_status rf_json_scan_scalar(struct rf_json_scan *scan, struct rf_text field, struct rf_arena *arena,
                                   struct rf_value *value_out) {
    char first = scan->at < scan->end ? *scan->at : '\0';
    if (first == '"') {
        struct rf_json_string string;
        enum rf_status status = rf_json_scan_string(scan, &string);
        *value_out = (struct rf_value){.type = RF_VALUE_TEXT};
        return status ? status : rf_json_resolve(string, arena, &value_out->text);
    }
    if (first == '-' || (first >= '0' && first <= '9')) {
        double short_value;
        size_t size = rf_number_short(text_between(scan->at, scan->end), RF_NUMBER_JSON, &short_value);
        if (size - 1 < scan->limits->field_bytes) { // not 0 either
            *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = short_value, .text = {scan->at, size}};
            scan->at += size;
            return RF_OK;
        }
        struct rf_number number;
        enum rf_status status = rf_json_scan_number(scan, &number);
        double value = status ? 0.0 : rf_number_value(&number);
        if (!isfinite(value)) {
            return rf_decode_fail(scan->error, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(field).text,
                                  rf_show(number.text).text);
        }
        *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value, .text = number.text};
        return status;
    }
    struct rf_text literal = {"null", 4};
    enum rf_status status = rf_json_scan_literal(scan, &literal);
    *value_out = (struct rf_value){.type = RF_VALUE_NULL};
    if (!status && literal.data[0] != 'n') {
        *value_out = (struct rf_value){.type = RF_VALUE_BOOL, .number = literal.data[0] == 't', .text = literal};
    }
    return status;
}
