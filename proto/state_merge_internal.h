#ifndef RF_PROTO_STATE_MERGE_INTERNAL_H
#define RF_PROTO_STATE_MERGE_INTERNAL_H
#include "proto/state.h"

// ours <- ours + (theirs - base) of one row, but for keys, places, counts of rows and what is derived. Whether it had to be
// reckoned: one that is equal to the base on one side is that of the other.
bool rf_block_merge_row(const struct rf_block *block, const uint8_t *base, const uint8_t *theirs, uint8_t *ours);

// The three columns of moments in a row.
struct rf_moments {
    const struct rf_column *count, *mean, *scatter;
};

bool rf_moments_is_matrix(const struct rf_moments *moments); // whether scatter is a lower triangle

// ours <- ours + (theirs - base), of rows whose elements stand in one order.
void rf_moments_merge(const struct rf_moments *moments, const uint8_t *base, const uint8_t *theirs, uint8_t *ours);

// Moves the elements of a row: element i goes to place_of[i] - 1; 0: it is left out. What nothing goes to is left as it is.
void rf_moments_permute(const struct rf_moments *moments, const uint64_t *place_of, const uint8_t *from, uint8_t *to);

// The column of a rule in a block; NULL when there is none.
const struct rf_column *rf_block_column_of(const struct rf_block *block, enum rf_merge merge);

uint8_t *rf_block_row(const struct rf_block *block, size_t row);
bool rf_block_row_is_used(const struct rf_block *block, size_t row); // any byte of it is not 0
uint64_t rf_block_used(const struct rf_block *block);

// Of keyed blocks. The row of the key, or the free one where it would stand; `rows` when the table is full, which none may be.
size_t rf_keyed_find(const struct rf_block *block, uint64_t key);

// For each element of `from`, the place it has in `to`; 0 where it has none. `place_of_out` [rows / 2].
void rf_keyed_map_places(const struct rf_block *from, const struct rf_block *to, uint64_t *place_of_out);

// RF_CORRUPT, in words, when more than half of the rows are in use, a key cannot be found, or places are not 1, 2, 3 and so on.
enum rf_status rf_keyed_check(const struct rf_block *block, const char *whose, struct rf_error *err) RF_MUST_USE;

#endif
