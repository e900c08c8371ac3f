#include "ingest/gram.h"

#include "tests/test.h"

#include <stdio.h>

static const struct rf_hasher hasher = {RF_HASHING_KEYED, {3, 4}};
static const struct rf_text field = {"title", 5};

// The grams of a text in words, in their order: `a|b|a b`.
static const char *grams_of(const char *string, size_t ngrams, size_t skips) {
    static char words[4096];
    struct rf_text text = rf_text_of(string);
    struct rf_text token;
    struct rf_grams grams;
    rf_grams_init(&grams, &hasher, field, ngrams, skips);
    words[0] = '\0';
    while (rf_token_take(&text, &token)) {
        uint64_t hash;
        rf_grams_add(&grams, token);
        while (rf_grams_next(&grams, &hash)) {
            struct rf_text tokens[RF_GRAM_TOKENS_MAX];
            size_t count = rf_grams_tokens(&grams, tokens);
            for (size_t i = 0; i < count; i++) {
                char lower[RF_TOKEN_SIZE_MAX];
                size_t size = rf_token_lower(tokens[i], lower);
                size_t used = strlen(words);
                snprintf(words + used, sizeof words - used, "%s%.*s", i ? " " : used ? "|" : "", (int)size, lower);
            }
        }
    }
    return words;
}

static void token_is_a_run_of_letters_and_digits(void **state) {
    (void)state;
    assert_string_equal(grams_of("", 1, 0), "");
    assert_string_equal(grams_of(" ,.-_[]@`{/:\x7f\t\n", 1, 0), "");
    assert_string_equal(grams_of("Hello, World-2!", 1, 0), "hello|world|2");
    assert_string_equal(grams_of("AZaz09", 1, 0), "azaz09");
    assert_string_equal(grams_of("Z\xc3\xbcrich \xe6\x9d\xb1\xe4\xba\xac x", 1, 0), "z\xc3\xbcrich|\xe6\x9d\xb1\xe4\xba\xac|x");
}

static void gram_takes_all_lengths_up_to_n(void **state) {
    (void)state;
    assert_string_equal(grams_of("a b a", 2, 0), "a|b|a b|a|b a");
    assert_string_equal(grams_of("a b c d", 3, 0), "a|b|a b|c|b c|a b c|d|c d|b c d");
    assert_string_equal(grams_of("a", 8, 4), "a");
}

static void gram_leaves_out_up_to_skips_tokens_in_all(void **state) {
    (void)state;
    assert_string_equal(grams_of("a b c", 2, 1), "a|b|a b|c|b c|a c");
    assert_string_equal(grams_of("a b c d", 2, 2), "a|b|a b|c|b c|a c|d|c d|b d|a d");
    assert_string_equal(grams_of("a b c d", 3, 1), "a|b|a b|c|b c|a c|a b c|d|c d|b d|b c d|a b d|a c d");
}

// All choices of tokens that keep their order, by brute force over subsets.
static size_t count_grams(size_t tokens, size_t ngrams, size_t skips) {
    size_t count = 0;
    for (unsigned subset = 1; subset < 1u << tokens; subset++) {
        size_t size = (size_t)__builtin_popcount(subset);
        size_t span = 32 - (size_t)__builtin_clz(subset) - (size_t)__builtin_ctz(subset);
        count += size <= ngrams && span - size <= skips;
    }
    return count;
}

static void gram_counts_are_those_of_all_subsets(void **state) {
    (void)state;
    for (size_t tokens = 0; tokens <= 14; tokens += 2) {
        for (size_t ngrams = 1; ngrams <= RF_GRAM_TOKENS_MAX; ngrams++) {
            for (size_t skips = 0; skips <= RF_GRAM_SKIPS_MAX; skips++) {
                struct rf_grams grams;
                rf_grams_init(&grams, &hasher, field, ngrams, skips);
                size_t count = 0;
                uint64_t hash;
                for (size_t i = 0; i < tokens; i++) {
                    rf_grams_add(&grams, (struct rf_text){&"abcdefghijklmnop"[i], 1});
                    while (rf_grams_next(&grams, &hash)) {
                        count++;
                    }
                }
                assert_int_equal(count, count_grams(tokens, ngrams, skips));
            }
        }
    }
}

static uint64_t last_hash(const char *string, size_t ngrams, size_t skips, size_t nth) {
    struct rf_text text = rf_text_of(string);
    struct rf_text token;
    struct rf_grams grams;
    uint64_t hash = 0;
    rf_grams_init(&grams, &hasher, field, ngrams, skips);
    while (rf_token_take(&text, &token)) {
        rf_grams_add(&grams, token);
    }
    for (size_t i = 0; i <= nth; i++) {
        assert_true(rf_grams_next(&grams, &hash));
    }
    return hash;
}

static void gram_is_hashed_by_its_tokens_alone(void **state) {
    (void)state;
    assert_int_equal(last_hash("x Card", 1, 0, 0),
                     rf_hasher_feature(&hasher, rf_hasher_namespace(&hasher, field), rf_text_of("card")));
    assert_int_equal(last_hash("a b", 2, 0, 1), last_hash("x y A,B", 2, 0, 1));
    assert_int_equal(last_hash("a b", 2, 0, 1), last_hash("a z b", 2, 1, 2)); // with z left out
    assert_true(last_hash("a b", 2, 0, 1) != last_hash("b a", 2, 0, 1));
    assert_true(last_hash("ab c", 2, 0, 1) != last_hash("a bc", 2, 0, 1));
    char a[400];
    char b[400];
    memset(a, 'q', sizeof a);
    memset(b, 'q', sizeof b);
    a[RF_TOKEN_SIZE_MAX] = 'r'; // behind what counts
    a[399] = b[399] = '\0';
    assert_int_equal(last_hash(a, 1, 0, 0), last_hash(b, 1, 0, 0));
    a[RF_TOKEN_SIZE_MAX - 1] = 'r';
    assert_true(last_hash(a, 1, 0, 0) != last_hash(b, 1, 0, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(token_is_a_run_of_letters_and_digits),      cmocka_unit_test(gram_takes_all_lengths_up_to_n),
            cmocka_unit_test(gram_leaves_out_up_to_skips_tokens_in_all), cmocka_unit_test(gram_counts_are_those_of_all_subsets),
            cmocka_unit_test(gram_is_hashed_by_its_tokens_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
