#ifndef RF_TESTS_INGEST_AVRO_BYTES_FIXTURE_H
#define RF_TESTS_INGEST_AVRO_BYTES_FIXTURE_H
// Avro's encoding written by hand, so that wrong ones can be written too.
#include "tests/ingest/decode_fixture.h"

struct bytes {
    char data[4096];
    size_t size;
};

static inline void put(struct bytes *to, const void *data, size_t size) {
    assert_true(size <= sizeof to->data - to->size);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static inline void put_byte(struct bytes *to, unsigned byte) {
    put(to, &(char){(char)byte}, 1);
}

static inline void put_long(struct bytes *to, int64_t value) {
    uint64_t left = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    for (; left >= 0x80; left >>= 7) {
        put_byte(to, (unsigned)(left & 0x7f) | 0x80);
    }
    put_byte(to, (unsigned)left);
}

static inline void put_text(struct bytes *to, const char *text) {
    put_long(to, (int64_t)strlen(text));
    put(to, text, strlen(text));
}

static inline void put_double(struct bytes *to, double value) {
    put(to, &value, sizeof value);
}

static inline void put_float(struct bytes *to, float value) {
    put(to, &value, sizeof value);
}

// Fails where bytes do not give the words beside them.
struct bytes_expectation {
    const char *bytes;
    size_t size;
    const char *words;
};

static inline void expect_bytes(struct decode_fixture *fixture, const struct bytes_expectation *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *words = fixture_decode(fixture, cases[i].bytes, cases[i].size);
        if (strcmp(words, cases[i].words) != 0) {
            fail_msg("case %zu\n  gives      %s\n  instead of %s", i, words, cases[i].words);
        }
    }
}

#define EXPECT_BYTES(fixture, ...)                                  \
    do {                                                            \
        const struct bytes_expectation cases[] = {__VA_ARGS__};     \
        expect_bytes(fixture, cases, sizeof cases / sizeof *cases); \
    } while (0)

#endif
