// Every reader of snapshots over any bytes: as they are, and once more with the checksum made right, which is how the
// fuzzer gets past it. The state is the one of the golden snapshot, so that its mutants find blocks to fill.
#include "proto/snapshot.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WEIGHTS = 600, MOMENTS = 5, MOMENT_SIZE = 20, FIGURES_SIZE = 32, DIGEST_AND_HEAD = 48 };

static const struct rf_column weight_columns[] = {
        {"weight", RF_F32, 0, 1, RF_MERGE_DECAYED},
        {"gradient", RF_F32, 4, 1, RF_MERGE_SUM},
};
static const struct rf_column moment_columns[] = {
        {"count", RF_F64, 0, 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, 8, 1, RF_MERGE_MOMENTS},
        {"kind", RF_U8, 16, 4, RF_MERGE_NONE},
};
static const struct rf_column figure_columns[] = {
        {"count", RF_U64, 0, 1, RF_MERGE_SUM},
        {"last", RF_I64, 8, 1, RF_MERGE_NONE},
        {"sums", RF_F64, 16, 2, RF_MERGE_SUM},
};

static void require(int holds) {
    if (!holds) {
        abort();
    }
}

static void add(struct rf_state *state, const char *name, size_t rows, size_t row_size, const struct rf_column *columns,
                size_t column_count) {
    void *data = malloc(rows * row_size);
    require(data != NULL);
    memset(data, 0x5a, rows * row_size);
    rf_state_add(state, &(struct rf_block){.name = name,
                                           .rows = rows,
                                           .row_size = row_size,
                                           .columns = columns,
                                           .column_count = column_count,
                                           .data = data});
}

static int is_untouched(const struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        const uint8_t *bytes = state->list[i]->data;
        for (size_t k = 0; k < rf_block_size(state->list[i]); k++) {
            if (bytes[k] != 0x5a) {
                return 0;
            }
        }
    }
    return 1;
}

static void try_read_state(const uint8_t *data, size_t size, int is_accepted) {
    struct rf_error err;
    struct rf_state state;
    rf_state_init(&state);
    add(&state, "linear.weights", WEIGHTS, 8, weight_columns, 2);
    add(&state, "scale.moments", MOMENTS, MOMENT_SIZE, moment_columns, 3);
    add(&state, "evaluation", 1, FIGURES_SIZE, figure_columns, 3);
    enum rf_status status = rf_snapshot_read_state(data, size, &state, &err);
    require(status == RF_OK || is_untouched(&state));
    require(!is_accepted || status == RF_OK || status == RF_CONFLICT); // nothing else is left to be found
    for (size_t i = 0; i < state.count; i++) {
        free(state.list[i]->data);
    }
    rf_state_finish(&state);
}

static void count_bytes(void *context, const char *name, uint64_t rows, uint64_t row_size, uint64_t stored_size) {
    require(strlen(name) > 0 && stored_size <= rows * row_size);
    *(uint64_t *)context += stored_size;
}

static void try_readers(const uint8_t *data, size_t size) {
    struct rf_error err;
    struct rf_snapshot_header header;
    uint8_t digest[RF_SHA256_SIZE];
    enum rf_status status = rf_snapshot_read_header(data, size, &header, digest, &err);
    if (status == RF_OK) {
        rf_snapshot_header_finish(&header);
    } else {
        require(err.status == status && strlen(err.text) > 0);
    }
    uint64_t stored = 0;
    enum rf_status listed = rf_snapshot_each_block(data, size, count_bytes, &stored, &err);
    require(stored <= size && (status != RF_OK || listed == RF_OK));
    try_read_state(data, size, status == RF_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_readers(data, size);
    if (size >= DIGEST_AND_HEAD) {
        uint8_t *sealed = malloc(size);
        require(sealed != NULL);
        memcpy(sealed, data, size);
        struct rf_sha256 sha;
        rf_sha256_init(&sha);
        rf_sha256_update(&sha, sealed, size - DIGEST_AND_HEAD);
        rf_sha256_finish(&sha, sealed + size - RF_SHA256_SIZE);
        try_readers(sealed, size);
        free(sealed);
    }
    return 0;
}
