#ifndef RF_TESTS_INGEST_DECODE_FIXTURE_H
#define RF_TESTS_INGEST_DECODE_FIXTURE_H
#include "ingest/decoder.h"
#include "tests/test.h"

// A schema, a decoder and an arena, and what became of the last record in words.
struct decode_fixture {
    struct rf_schema *schema;
    struct rf_decoder *decoder;
    struct rf_arena arena;
    struct rf_event event;
    struct rf_decode_error error;
    struct rf_record_schema written_with; // what records name as their schema; no text: none
    char words[4096];
};

#define TEXTS(...) \
    { (char *[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *) }

void fixture_init(struct decode_fixture *fixture, const char *format, const struct rf_feature_options *features,
                  const struct rf_decoder_options *options);
void fixture_finish(struct decode_fixture *fixture);

// Decodes one record with an empty arena. In words: the fields, as `amount=12.5 city="Bern" ok=true gone=null`, and the sparse
// features as `|namespace hash:value hash:value`; or the reason and the sentence of the rejection, as `empty: has a value of 0
// bytes`. The bytes are copied to a block of their own size first, so that sanitizers see a step beyond them.
const char *fixture_decode(struct decode_fixture *fixture, const void *bytes, size_t size);
const char *fixture_decode_record(struct decode_fixture *fixture, const struct rf_record *record); // of bytes as they are
const char *fixture_decode_text(struct decode_fixture *fixture, const char *text);

// Fails where a record does not give the words beside it.
struct expectation {
    const char *record, *words;
};
void fixture_expect(struct decode_fixture *fixture, const struct expectation *cases, size_t count);

#define EXPECT(fixture, ...)                                          \
    do {                                                              \
        const struct expectation cases[] = {__VA_ARGS__};             \
        fixture_expect(fixture, cases, sizeof cases / sizeof *cases); \
    } while (0)

#endif
