#ifndef RF_OPS_EVALUATE_H
#define RF_OPS_EVALUATE_H
#include "ops/curve.h"
#include "ops/pipeline.h"

// A table that grows while records are folded: a line at the records 1, 2, 4, 8 ..., or at every `every`.
struct rf_evaluate_lines {
    FILE *to;
    uint64_t every; // 0: in doubling steps
    uint64_t next;  // record at which the next line is due
    struct rf_figures told;
};

struct rf_evaluate_options {
    struct rf_curve *curve;          // NULL: none
    struct rf_evaluate_lines *lines; // NULL: none
    bool is_test;                    // the records are predicted and evaluated, not learned (rf_pipeline_test)
};

enum { RF_EVALUATE_SPAN = 16 }; // of a curve's first points, so that short files have one too

// Folds all that a source gives until its end, in this thread, without clock and without saving: the same fold as a worker's.
// `options` may be NULL.
enum rf_status rf_evaluate(struct rf_pipeline *pipeline, struct rf_source *source, const struct rf_evaluate_options *options,
                           struct rf_error *err) RF_MUST_USE;

void rf_evaluate_lines_init(struct rf_evaluate_lines *lines, uint64_t every, FILE *to);

// A line is due: `batch` holds the record it is about last. The first line has a head above it.
void rf_evaluate_line(struct rf_evaluate_lines *lines, struct rf_pipeline *pipeline, const struct rf_batch *batch);

// What records had and the model did not take, for want of room or of reason; since the start, a resumed run counts anew.
struct rf_left_out {
    uint64_t records;    // not learned: an absurd step, or a label that is none of the task
    uint64_t numbers;    // of fields beyond the room of the scaler
    uint64_t crosses;    // beyond cross_inputs
    uint64_t categories; // beyond the room of the encoder
};

// What a run came to. Figures of nothing evaluated are not told.
struct rf_result {
    const char *model;
    struct rf_pipeline_counts counts;      // of the model, since it began
    uint64_t resumed;                      // records of them that an earlier run applied
    struct rf_left_out left_out;           // before a test
    struct rf_collision_shares collisions; // sampled 0: none are measured
    double seconds;                        // of this run
    struct rf_figures figures;             // of all records learned
    struct rf_figures window;              // of the last ones
    struct rf_figures holdout;             // of those held out
    struct rf_figures test;                // of those of the test file
    const double *confusion;               // [classes][classes] of all records learned; NULL: not told
    uint32_t classes;
    const char *const *class_names; // [classes], NULL: they go by their numbers
    uint8_t model_sha256[RF_SHA256_SIZE];
};

struct rf_left_out rf_left_out_of(const struct rf_learner *learner);
struct rf_collision_shares rf_collisions_of(const struct rf_learner *learner);

// Fills in what the pipeline knows.
void rf_result_take(struct rf_result *result, struct rf_pipeline *pipeline);

// One JSON object on one line: counts (of what was left out those above 0), seconds, rate, the figures that apply with their
// baselines and errors, those of window, held out and test records as objects, and the model's digest.
void rf_evaluate_json(const struct rf_result *result, FILE *to);

// The same as a table for people, figures beside their baselines.
void rf_evaluate_table(const struct rf_result *result, FILE *to);

// ,"log_loss":0.5 and so on, for each figure that applies.
void rf_evaluate_json_figures(const struct rf_figures *figures, FILE *to);

// What makes such a result suspicious, a sentence a line, each behind `prefix`: much was rejected, nothing was learned.
// `last_reject` is an example, or "".
void rf_evaluate_warn(const struct rf_result *result, const char *prefix, const char *last_reject, FILE *to);

// Figures of several runs, a fold each: their means, and their spread (the standard deviation between folds, by n - 1).
enum { RF_FOLDS_MAX = 100 };

struct rf_folds {
    size_t count;
    struct rf_figures list[RF_FOLDS_MAX];
};

struct rf_spread {
    size_t count; // folds in which the figure applies
    double mean;
    double spread; // NaN below two
};

struct rf_spread rf_folds_spread(const struct rf_folds *folds, enum rf_figure_name name);
void rf_folds_json_line(const struct rf_figures *figures, size_t index, size_t of, FILE *to); // of one fold, from 0
void rf_folds_json(const struct rf_folds *folds, const char *model, FILE *to);                // the summary
void rf_folds_table(const struct rf_folds *folds, FILE *to);

#endif
