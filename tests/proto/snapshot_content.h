#ifndef RF_TESTS_PROTO_SNAPSHOT_CONTENT_H
#define RF_TESTS_PROTO_SNAPSHOT_CONTENT_H
// The content of golden/snapshot-1.riffle: a small state with a header that never change, and its bytes in memory.
#include "proto/snapshot.h"

enum { CONTENT_WEIGHTS = 600, CONTENT_MOMENTS = 5 };

struct content_weight {
    float weight, gradient;
};

struct content_moment {
    double count, mean;
    uint8_t kind[4];
} __attribute__((packed));

struct content_figure {
    uint64_t count;
    int64_t last;
    double sums[2];
};

struct content {
    struct rf_state state;
    struct rf_snapshot_header header;
    struct content_weight weights[CONTENT_WEIGHTS]; // the first piece is zeros
    struct content_moment moments[CONTENT_MOMENTS]; // 100 bytes: its piece is padded
    struct content_figure figures[1];
};

// A state of zeros, listed as in the golden snapshot, and an empty header.
void content_init_empty(struct content *content);
void content_init(struct content *content);
void content_finish(struct content *content);

// Bytes in memory that grow.
struct bytes {
    uint8_t *data;
    size_t size;
};

enum rf_status bytes_output(void *bytes, const void *data, size_t size, struct rf_error *err);
void bytes_finish(struct bytes *bytes);

// The whole snapshot, written `budget` bytes at a time.
struct bytes snapshot_of(const struct rf_snapshot_header *header, struct rf_state *state, size_t budget);

// Where the n-th section of that kind ("BLOK") begins; SIZE_MAX when there is none. `bytes` must be sound.
size_t section_at(const struct bytes *bytes, const char *kind, size_t n);
size_t section_size(const struct bytes *bytes, size_t at); // with head and padding

// Puts `size` bytes in at `at`, or takes them out.
void insert_bytes(struct bytes *bytes, size_t at, const void *data, size_t size);
void remove_bytes(struct bytes *bytes, size_t at, size_t size);

// Makes the checksum right again after bytes were changed.
void seal(struct bytes *bytes);

#endif
