#include "ingest/gram.h"

#include <assert.h>

_Static_assert(RF_GRAM_TOKENS_MAX + RF_GRAM_SKIPS_MAX <= RF_GRAM_WINDOW, "the longest gram must fit the window");
_Static_assert((RF_GRAM_WINDOW & (RF_GRAM_WINDOW - 1)) == 0, "a power of two");

static bool is_of_token(char c) {
    unsigned char byte = (unsigned char)c;
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte >= 0x80;
}

bool rf_token_take(struct rf_text *text, struct rf_text *token_out) {
    size_t begin = 0;
    while (begin < text->size && !is_of_token(text->data[begin])) {
        begin++;
    }
    size_t end = begin;
    while (end < text->size && is_of_token(text->data[end])) {
        end++;
    }
    if (begin == end) {
        return false;
    }
    *token_out = (struct rf_text){text->data + begin, end - begin};
    *text = (struct rf_text){text->data + end, text->size - end};
    return true;
}

size_t rf_token_lower(struct rf_text token, char lower_out[RF_TOKEN_SIZE_MAX]) {
    size_t size = token.size < RF_TOKEN_SIZE_MAX ? token.size : RF_TOKEN_SIZE_MAX;
    for (size_t i = 0; i < size; i++) {
        char c = token.data[i];
        lower_out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return size;
}

void rf_grams_init(struct rf_grams *grams, const struct rf_hasher *hasher, struct rf_text field, size_t ngrams, size_t skips) {
    assert(ngrams >= 1 && ngrams <= RF_GRAM_TOKENS_MAX && skips <= RF_GRAM_SKIPS_MAX);
    grams->hasher = *hasher;
    grams->field_hash = rf_hasher_namespace(hasher, field);
    grams->ngrams = ngrams;
    grams->skips = skips;
    grams->count = 0;
    grams->size = 0;
}

void rf_grams_add(struct rf_grams *grams, struct rf_text token) {
    char lower[RF_TOKEN_SIZE_MAX];
    struct rf_text counted = {lower, rf_token_lower(token, lower)};
    size_t slot = grams->count++ % RF_GRAM_WINDOW;
    grams->hash[slot] = rf_hasher_feature(&grams->hasher, grams->field_hash, counted);
    grams->token[slot] = token;
    grams->size = 0;
}

static size_t skipped(const struct rf_grams *grams) {
    size_t sum = 0;
    for (size_t i = 0; i + 1 < grams->size; i++) {
        sum += grams->gap[i];
    }
    return sum;
}

// Whether what the gaps say begins behind the first token of the text.
static bool fits(const struct rf_grams *grams) {
    return grams->size + skipped(grams) <= grams->count;
}

// The next gaps of a gram of this size, counted like the digits of a number; false when they are through.
static bool widen(struct rf_grams *grams) {
    for (size_t i = 0; i + 1 < grams->size; i++) {
        grams->gap[i]++;
        if (skipped(grams) <= grams->skips && fits(grams)) {
            return true;
        }
        grams->gap[i] = 0;
    }
    return false;
}

static bool lengthen(struct rf_grams *grams) {
    if (grams->size == grams->ngrams || grams->size == grams->count) {
        return false;
    }
    grams->size++;
    for (size_t i = 0; i + 1 < grams->size; i++) {
        grams->gap[i] = 0;
    }
    return true;
}

// Where the tokens of the gram stand in the window, the first one first.
static void places(const struct rf_grams *grams, size_t places_out[RF_GRAM_TOKENS_MAX]) {
    size_t at = grams->count - 1;
    for (size_t i = 0; i < grams->size; i++) {
        places_out[grams->size - 1 - i] = at % RF_GRAM_WINDOW;
        at -= i + 1 < grams->size ? 1 + grams->gap[i] : 0;
    }
}

bool rf_grams_next(struct rf_grams *grams, uint64_t *hash_out) {
    if (!widen(grams) && !lengthen(grams)) {
        return false;
    }
    size_t place[RF_GRAM_TOKENS_MAX];
    uint64_t hashes[RF_GRAM_TOKENS_MAX];
    places(grams, place);
    for (size_t i = 0; i < grams->size; i++) {
        hashes[i] = grams->hash[place[i]];
    }
    struct rf_hash_key field_key = {grams->hasher.key.k0 ^ grams->field_hash, grams->hasher.key.k1};
    *hash_out = grams->size == 1 ? hashes[0] : rf_hash(field_key, hashes, grams->size * sizeof *hashes);
    return true;
}

size_t rf_grams_tokens(const struct rf_grams *grams, struct rf_text tokens_out[RF_GRAM_TOKENS_MAX]) {
    size_t place[RF_GRAM_TOKENS_MAX];
    places(grams, place);
    for (size_t i = 0; i < grams->size; i++) {
        tokens_out[i] = grams->token[place[i]];
    }
    return grams->size;
}
