#include "ingest/bucket.h"

#include "proto/math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"hard", "interpolated", NULL};
static const char *const scales[] = {"linear", "log", NULL};
static const double INDEX_MAX = 9007199254740992.0; // beyond it a double knows no fractions

const struct rf_setting rf_bucket_settings[] = {
        RF_TEXT(struct rf_bucket_options, field, NULL, RF_SETTING_REQUIRED, "field of the number"),
        RF_CHOICE(struct rf_bucket_options, kind, "hard", kinds, 0,
                  "hard: the bucket that holds the number; interpolated: shares of the two knots beside it"),
        RF_CHOICE(struct rf_bucket_options, scale, "linear", scales, 0,
                  "log: of the natural logarithm of the size; 0 and numbers below 0 have buckets of their own"),
        RF_REAL(struct rf_bucket_options, width, "0", 0, 1e100, 0, "of a bucket; 0: by edges"),
        RF_REALS(struct rf_bucket_options, edges, -1e300, 1e300, 0, "where a bucket ends and the next begins, rising"),
        RF_BOOL(struct rf_bucket_options, plain, "false", 0, "the number itself is a feature too"),
        {0},
};

static enum rf_status check_edges(const struct rf_bucket_options *options, struct rf_error *err) {
    const struct rf_reals *edges = &options->edges;
    if (options->kind == RF_BUCKET_INTERPOLATED && edges->count < 2) {
        return rf_fail(err, RF_INVALID, "buckets of field %s: there is one edge, interpolation must have two or more",
                       options->field);
    }
    if (options->scale == RF_BUCKET_LOG) {
        return rf_fail(err, RF_INVALID, "buckets of field %s: scale is log with edges, must be linear", options->field);
    }
    for (size_t i = 1; i < edges->count; i++) {
        if (!(edges->list[i] > edges->list[i - 1])) {
            return rf_fail(err, RF_INVALID, "buckets of field %s: edge %.15g comes after %.15g, edges must rise", options->field,
                           edges->list[i], edges->list[i - 1]);
        }
    }
    return RF_OK;
}

enum rf_status rf_bucket_rule_init(const struct rf_bucket_options *options, struct rf_bucket_rule *rule_out,
                                   struct rf_error *err) {
    size_t count = options->edges.count;
    if ((options->width > 0) == (count > 0)) {
        return rf_fail(err, RF_INVALID, "buckets of field %s have %s, must have one of the two", options->field,
                       count ? "width and edges" : "neither width nor edges");
    }
    if (options->width > 0 && options->width < 1e-100) {
        return rf_fail(err, RF_INVALID, "buckets of field %s: width is %g, must be at least 1e-100", options->field,
                       options->width);
    }
    enum rf_status status = count ? check_edges(options, err) : RF_OK;
    if (status) {
        return status;
    }
    struct rf_bucket_rule rule = {.kind = options->kind, .scale = options->scale, .width = options->width, .edge_count = count};
    if (count) {
        rule.edges = malloc(count * sizeof *rule.edges);
        if (!rule.edges) {
            return rf_fail(err, RF_MEMORY, "the buckets of field %s do not fit into memory", options->field);
        }
        memcpy(rule.edges, options->edges.list, count * sizeof *rule.edges);
    }
    *rule_out = rule;
    return RF_OK;
}

void rf_bucket_rule_finish(struct rf_bucket_rule *rule) {
    free(rule->edges);
    *rule = (struct rf_bucket_rule){0};
}

// A number at `part` of the way from knot `index` to the next, 0 <= part <= 1. 1 - part is rounded, and its sum with part
// is 1 all the same: where 1 - part is not exact it is off by half a unit in the last place of 1 at most, and the tie goes
// to 1, which is even.
static size_t share(int sign, int64_t index, double part, struct rf_bucket buckets_out[RF_BUCKETS_MAX]) {
    size_t count = 0;
    if (part < 1.0) {
        buckets_out[count++] = (struct rf_bucket){sign, index, 1.0 - part};
    }
    if (part > 0.0) {
        buckets_out[count++] = (struct rf_bucket){sign, index + 1, part};
    }
    return count;
}

static size_t find_by_edges(const struct rf_bucket_rule *rule, double x, struct rf_bucket buckets_out[RF_BUCKETS_MAX]) {
    size_t begin = 0;
    size_t end = rule->edge_count;
    while (begin < end) { // edges before begin are at most x, those from end on are above it
        size_t middle = begin + (end - begin) / 2;
        if (rule->edges[middle] <= x) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    if (rule->kind == RF_BUCKET_HARD) {
        return share(1, (int64_t)begin, 0.0, buckets_out);
    }
    if (begin == 0 || begin == rule->edge_count) {
        return share(1, begin ? (int64_t)begin - 1 : 0, 0.0, buckets_out);
    }
    double low = rule->edges[begin - 1];
    return share(1, (int64_t)begin - 1, (x - low) / (rule->edges[begin] - low), buckets_out);
}

size_t rf_bucket_find(const struct rf_bucket_rule *rule, double x, struct rf_bucket buckets_out[RF_BUCKETS_MAX]) {
    if (rule->edges) {
        return find_by_edges(rule, x, buckets_out);
    }
    bool is_log = rule->scale == RF_BUCKET_LOG;
    if (is_log && x == 0.0) {
        return share(0, 0, 0.0, buckets_out);
    }
    int sign = is_log && x < 0.0 ? -1 : 1;
    double place = (is_log ? rf_log(fabs(x)) : x) / rule->width;
    place = fmin(fmax(place, -INDEX_MAX), INDEX_MAX);
    double below = floor(place);
    return share(sign, (int64_t)below, rule->kind == RF_BUCKET_INTERPOLATED ? place - below : 0.0, buckets_out);
}
