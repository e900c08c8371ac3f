#ifndef RF_TESTS_FUZZ_RICH_FEATURES_H
#define RF_TESTS_FUZZ_RICH_FEATURES_H
#include "ingest/schema.h"

// Free texts, buckets of every kind, crossed fields, indicators and a vector, of fields a to f and the label y.
static struct rf_feature_options rich_features(void) {
    static double edges[] = {-1, 0, 2.5};
    static char *texts[] = {"a", "b"};
    static char *sides[] = {"c", "g"};
    static struct rf_texts crosses[] = {{sides, 2}};
    static struct rf_bucket_options buckets[] = {
            {.field = "c", .kind = RF_BUCKET_INTERPOLATED, .scale = RF_BUCKET_LOG, .width = 0.5},
            {.field = "d", .kind = RF_BUCKET_HARD, .width = 2, .plain = true},
            {.field = "e", .kind = RF_BUCKET_INTERPOLATED, .edges = {edges, 3}},
    };
    return (struct rf_feature_options){
            .label = "y",
            .texts = {texts, 2},
            .ngrams = 3,
            .skips = 2,
            .crosses = {crosses, 1},
            .buckets = {buckets, 3},
            .missing = RF_MISSING_INDICATOR,
            .vector = {.field = "f", .size = 3, .divide = 255},
    };
}

#endif
