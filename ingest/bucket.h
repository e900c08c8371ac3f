#ifndef RF_INGEST_BUCKET_H
#define RF_INGEST_BUCKET_H
// Numbers put into buckets, so that a linear model can learn any curve of a number: each bucket is a feature.
//
//     hard, width           bucket floor(x / width)
//     hard, edges           bucket k = how many edges are at most x: [edge k-1, edge k)
//     interpolated, width   the two knots floor(x / width) and the next one, with the shares that put x between them
//     interpolated, edges   the same with the edges as knots; below the first and above the last all is that knot's
//     scale: log            the same of ln|x|, with width in natural logarithms (0.6931... doubles x); numbers above and
//                           below 0 have buckets of their own, and so has 0
//
// Shares are above 0 and add to 1; a knot without a share is left out. Buckets beyond 2^53 are one. A pure function of the
// number, with the same bits on every machine.
#include "proto/setting.h"

#include <stdbool.h>

enum rf_bucket_kind { RF_BUCKET_HARD, RF_BUCKET_INTERPOLATED };
enum rf_bucket_scale { RF_BUCKET_LINEAR, RF_BUCKET_LOG };

// The settings of one field's buckets.
struct rf_bucket_options {
    char *field;
    int kind;              // enum rf_bucket_kind
    int scale;             // enum rf_bucket_scale
    double width;          // 0: by edges
    struct rf_reals edges; // rising
    bool plain;            // the number stays a feature too
};
extern const struct rf_setting rf_bucket_settings[];

struct rf_bucket_rule {
    int kind, scale;
    double width;
    double *edges; // [edge_count], owned; NULL where buckets have a width
    size_t edge_count;
};

// RF_INVALID, in words, for settings that do not go together.
enum rf_status rf_bucket_rule_init(const struct rf_bucket_options *options, struct rf_bucket_rule *rule_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_bucket_rule_finish(struct rf_bucket_rule *rule);

struct rf_bucket {
    int sign; // of the numbers in it, on a log scale; 1 on a linear one
    int64_t index;
    double share;
};

// The buckets of a finite number; how many there are.
enum { RF_BUCKETS_MAX = 2 };
size_t rf_bucket_find(const struct rf_bucket_rule *rule, double x, struct rf_bucket buckets_out[RF_BUCKETS_MAX]);

#endif
