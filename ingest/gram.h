#ifndef RF_INGEST_GRAM_H
#define RF_INGEST_GRAM_H
// Free text as features: its tokens, and runs of them.
//
// A token is the longest run of letters and digits: A to Z (taken as a to z), a to z, 0 to 9, and every byte from 0x80 on, so
// that a word of any script is one token; everything else is between tokens. Of a token the first RF_TOKEN_SIZE_MAX bytes
// count.
//
// A gram of n tokens is n tokens in their order with at most `skips` tokens left out between the first and the last, all
// gaps taken together (skip-grams: Guthrie et al. 2006, "A Closer Look at Skip-gram Modelling"; the same as Vowpal Wabbit's
// --ngram with --skips). All grams of 1 to `ngrams` tokens are taken. A gram with tokens left out is the same feature as one
// of the same tokens side by side. For "a b c", 2 and 1: a, b, a b, c, b c, a c.
#include "ingest/feature_hash.h"
#include "proto/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RF_GRAM_TOKENS_MAX = 8, // of `ngrams`
    RF_GRAM_SKIPS_MAX = 4,  // of `skips`
    RF_TOKEN_SIZE_MAX = 256,
    RF_GRAM_WINDOW = 16, // a power of two, no less than the longest gram with what it skips
};

// Takes the first token off *text, as it is written; false when there is none.
bool rf_token_take(struct rf_text *text, struct rf_text *token_out);

// Writes what counts of a token, in lower case; its size.
size_t rf_token_lower(struct rf_text token, char lower_out[RF_TOKEN_SIZE_MAX]);

// The grams of one text, as they end with one token after the other.
struct rf_grams {
    struct rf_hasher hasher;
    uint64_t field_hash; // of the field as a namespace
    size_t ngrams, skips;
    size_t count;                         // tokens met
    uint64_t hash[RF_GRAM_WINDOW];        // of the last tokens met: token i at i % RF_GRAM_WINDOW
    struct rf_text token[RF_GRAM_WINDOW]; // as written
    size_t size;                          // of the gram that came last; 0: none yet with this token
    size_t gap[RF_GRAM_TOKENS_MAX];       // tokens left out before its last token, before the last but one, ...
};

// One token alone has the hash of a category of the field: of its bytes in lower case. More have the keyed hash of their hashes,
// whatever the hasher.
void rf_grams_init(struct rf_grams *grams, const struct rf_hasher *hasher, struct rf_text field, size_t ngrams, size_t skips);
void rf_grams_add(struct rf_grams *grams, struct rf_text token);

// The next gram that ends with the token added last; false when there is none left. Shorter ones come first.
bool rf_grams_next(struct rf_grams *grams, uint64_t *hash_out);

// The tokens of the gram that came last, as they are written, in their order; how many.
size_t rf_grams_tokens(const struct rf_grams *grams, struct rf_text tokens_out[RF_GRAM_TOKENS_MAX]);

#endif
