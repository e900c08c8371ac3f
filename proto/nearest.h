#ifndef RF_PROTO_NEAREST_H
#define RF_PROTO_NEAREST_H
// For sentences that ask "did you mean".
#include <stdbool.h>
#include <stddef.h>

// Whether a misspelt word is near enough to be meant: the better of the distances found so far is in `best`, at first SIZE_MAX.
bool rf_is_nearer(const char *word, const char *candidate, size_t *best);

#endif
