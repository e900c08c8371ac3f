#ifndef RF_LEARNERS_TABLE_H
#define RF_LEARNERS_TABLE_H
#include "proto/status.h"

#include <stddef.h>

// Zeroed memory for large tables. Pages are touched only as they are used, and are huge ones (2 MiB) where the system
// grants them: a table read at random otherwise waits for the translation of addresses as long as for the memory.

// RF_MEMORY, in words, when it cannot be reserved. `size` > 0.
enum rf_status rf_table_create(size_t size, void **table_out, struct rf_error *err) RF_MUST_USE;
void rf_table_destroy(void *table, size_t size); // the same size; NULL is fine

#endif
