#ifndef RF_LEARNERS_EVALUATION_INTERNAL_H
#define RF_LEARNERS_EVALUATION_INTERNAL_H
// What the files evaluation*.c share. An example that was scored becomes a row that says all there is to know of it; a tally
// is the sum of rows. So the whole stream (a tally that grows) and the window (a tally made anew from the rows that are kept)
// give their figures by the same code.
#include "learners/evaluation.h"

enum { RF_EVALUATION_BINS = 8192, RF_CALIBRATION_BINS = 20 };

#define RF_EVALUATION_MAGNITUDE_MAX 1e75 // of labels, scores and weights, so that no sum of squares overflows

enum rf_predictor {
    RF_PREDICTOR_MODEL,
    RF_PREDICTOR_LAST,  // no change
    RF_PREDICTOR_PRIOR, // the majority, or the mean
    RF_PREDICTOR_COUNT
};

struct rf_evaluation_shape {
    enum rf_task task;
    bool is_margin;
    uint32_t classes; // 0: regression
    double quantile;
};

struct rf_scored {
    uint64_t sequence; // of the examples evaluated, from 1; 0: the row is empty
    double weight;
    double label;                           // the value, or the class
    double value[RF_PREDICTOR_COUNT];       // regression: predicted. Classes: [0] is the score that ranks the example
    double log_loss[2];                     // of the model and of the running share
    double brier[2];                        // the same
    uint32_t predicted[RF_PREDICTOR_COUNT]; // classes
    uint32_t reserved;                      // 0
};

struct rf_sums { // each times the weight but for the count
    uint64_t evaluated;
    double weight;
    double mean;    // of the labels, running (West, 1979)
    double scatter; // sum of weight * (label - mean)^2
    double log_loss[2];
    double brier[2];
    double hits[RF_PREDICTOR_COUNT];
    double absolute[RF_PREDICTOR_COUNT];
    double squared[RF_PREDICTOR_COUNT];
    double pinball[RF_PREDICTOR_COUNT];
    double last; // label
};

struct rf_class_sums {
    double actual;
    double predicted[RF_PREDICTOR_COUNT];
    double hits[RF_PREDICTOR_COUNT];
};

// Examples of one score, or of one bin of scores. Multiclass: the score is the probability of the predicted class, positive
// means that it was right.
struct rf_group {
    double negative; // weight
    double positive;
    double score; // weight * score; 0 for margins
};

struct rf_tally {
    struct rf_sums *sums;        // one
    struct rf_class_sums *class; // [classes]
    double *confusion;           // [classes][classes], NULL: not kept
};

bool rf_tally_init(struct rf_tally *tally, const struct rf_evaluation_shape *shape); // false: out of memory
void rf_tally_finish(struct rf_tally *tally);
void rf_tally_clear(struct rf_tally *tally, const struct rf_evaluation_shape *shape);
void rf_tally_add(struct rf_tally *tally, const struct rf_evaluation_shape *shape, const struct rf_scored *scored);

void rf_group_add(struct rf_group *group, const struct rf_evaluation_shape *shape, const struct rf_scored *scored);

// The figures of a tally; without `groups` those alone that need none. They stand in the order of their scores; within them the
// order is not known when they are bins.
void rf_tally_figures(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, const struct rf_group *groups,
                      size_t group_count, bool are_bins, struct rf_figures *figures_out);

// Its parts.
void rf_class_figures(const struct rf_tally *tally, const struct rf_evaluation_shape *shape, struct rf_figure *list);
void rf_value_figures(const struct rf_sums *sums, struct rf_figure *list);
void rf_ranking_figures(const struct rf_group *groups, size_t count, bool are_bins, struct rf_figure *list);
double rf_calibration_error(const struct rf_group *groups, size_t count);

// The last examples: a ring that is state, and what figures over it need.
struct rf_ranked {
    double score;
    uint32_t slot;
    uint32_t reserved;
};

struct rf_window {
    size_t size;            // rows; 0: there is no window
    struct rf_scored *ring; // [size], the nth example evaluated in row (n - 1) % size
    struct rf_block *touched;

    // Scratch.
    struct rf_tally tally;
    struct rf_ranked *order; // [size] the rows that were filled at `ordered`, by their scores
    struct rf_ranked *spare; // [size]
    size_t order_count;
    uint64_t ordered;
    struct rf_group *groups; // [size]
};

bool rf_window_init(struct rf_window *window, size_t size, const struct rf_evaluation_shape *shape); // false: out of memory
void rf_window_finish(struct rf_window *window);
void rf_window_add(struct rf_window *window, const struct rf_scored *scored);
void rf_window_forget_order(struct rf_window *window); // the ring was written by others
void rf_window_figures(struct rf_window *window, const struct rf_evaluation_shape *shape, uint64_t evaluated,
                       struct rf_figures *figures_out);

#endif
