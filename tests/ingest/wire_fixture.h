#ifndef RF_TESTS_INGEST_WIRE_FIXTURE_H
#define RF_TESTS_INGEST_WIRE_FIXTURE_H
#include <stdint.h>
#include <string.h>

// A message being built by hand, so that wrong ones can be built too.
struct bytes {
    char data[4096];
    size_t size;
};

static inline void put(struct bytes *to, const void *data, size_t size) {
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static inline void put_varint(struct bytes *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        put(to, &(char){(char)(value | 0x80)}, 1);
    }
    put(to, &(char){(char)value}, 1);
}

static inline void put_delimited(struct bytes *to, unsigned field, const void *data, size_t size) {
    put_varint(to, field << 3 | 2);
    put_varint(to, size);
    put(to, data, size);
}

static inline void put_text(struct bytes *to, unsigned field, const char *text) {
    put_delimited(to, field, text, strlen(text));
}

static inline void put_double(struct bytes *to, unsigned field, double value) {
    put_varint(to, field << 3 | 1);
    put(to, &value, sizeof value);
}

static inline void put_number_field(struct bytes *to, unsigned field, uint64_t value) {
    put_varint(to, field << 3);
    put_varint(to, value);
}

#endif
