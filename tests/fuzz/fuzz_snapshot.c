// Every reader of snapshots over any bytes: as they are, and once more with the checksum made right, which is how the
// fuzzer gets past it. The state is the one of the golden snapshot, so that its mutants find blocks to fill.
#include "proto/snapshot.h"
#include "tests/proto/snapshot_content.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DIGEST_AND_HEAD = 48, FILLER = 0x5a };

static void require(int holds) {
    if (!holds) {
        abort();
    }
}

static int is_untouched(const struct rf_state *state) {
    for (size_t i = 0; i < state->count; i++) {
        const uint8_t *bytes = state->list[i]->data;
        for (size_t k = 0; k < rf_block_size(state->list[i]); k++) {
            if (bytes[k] != FILLER) {
                return 0;
            }
        }
    }
    return 1;
}

static void try_read_state(const uint8_t *data, size_t size, int is_accepted) {
    struct rf_error err;
    struct content content;
    content_init_empty(&content);
    for (size_t i = 0; i < content.state.count; i++) {
        memset(content.state.list[i]->data, FILLER, rf_block_size(content.state.list[i]));
    }
    enum rf_status status = rf_snapshot_read_state(data, size, &content.state, &err);
    require(status == RF_OK || is_untouched(&content.state));
    require(!is_accepted || status == RF_OK || status == RF_CONFLICT); // nothing else is left to be found
    content_finish(&content);
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
