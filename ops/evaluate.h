#ifndef RF_OPS_EVALUATE_H
#define RF_OPS_EVALUATE_H
#include "ops/curve.h"
#include "ops/pipeline.h"

// Folds all that a source gives until its end, in this thread, without clock and without saving: the same fold as a worker's.
// `curve` may be NULL.
enum rf_status rf_evaluate(struct rf_pipeline *pipeline, struct rf_source *source, struct rf_curve *curve,
                           struct rf_error *err) RF_MUST_USE;

// What a run came to.
struct rf_result {
    const char *model;
    struct rf_pipeline_counts counts; // of the model, since it began
    uint64_t resumed;                 // records of them that an earlier run applied
    double seconds;                   // of this run
    struct rf_figures figures;
    uint8_t model_sha256[RF_SHA256_SIZE];
};

// One JSON object on one line: counts, seconds, rate, the figures that apply, and the model's digest.
void rf_evaluate_json(const struct rf_result *result, FILE *to);

// The same as a table for people, figures beside their baselines.
void rf_evaluate_table(const struct rf_result *result, FILE *to);

// What makes such a result suspicious, a sentence a line, each behind `prefix`: much was rejected, nothing was learned.
// `last_reject` is an example, or "".
void rf_evaluate_warn(const struct rf_result *result, const char *prefix, const char *last_reject, FILE *to);

#endif
