#ifndef RF_OPS_SPECIFICATION_H
#define RF_OPS_SPECIFICATION_H
// What a model is, apart from what it learned: every setting that changes what is learned, defaults included, as one
// canonical text. It stands in every snapshot, and its SHA-256 in every prediction's model.
//
//     seed = 1
//     features.label = "fraud"
//     features.numbers[] = "amount"
//     features.crosses[] = ["customer", "hour"]
//     features.namespaces["user"][] = "age"
//     features.buckets[0].field = "amount"
//     learner = "linear"
//     learner.l2 = 1e-6
//
// One `path = value` a line, in the order of the tables: numbers as the shortest decimal that reads back, texts as JSON
// strings, a line for each member of a list (sorted where the list may grow), none for what is absent.
#include "proto/hash.h"
#include "proto/setting.h"
#include "proto/status.h"

// The caller frees the text. NULL when memory is out.
char *rf_specification_text(const struct rf_setting *table, const void *options) RF_MUST_USE;

void rf_specification_sha256(const char *text, uint8_t digest_out[RF_SHA256_SIZE]);

enum rf_specification_change {
    RF_SPECIFICATION_SAME,
    RF_SPECIFICATION_COMPATIBLE, // a model of the old one can go on under the new one
    RF_SPECIFICATION_BREAKING,   // it cannot
};

// How `after` differs from `before`. The sentence in `err` names the first difference of the weight that is returned:
// "learner.hash_bits was 18, is 20". Compatible are a list that gained members where its row says it may grow (unless all
// such lists of its section were empty, which means everything; lists apart aside), and a setting the old text does not know at
// its default.
enum rf_specification_change rf_specification_compare(const char *before, const char *after, const struct rf_setting *table,
                                                      struct rf_error *err);

#endif
