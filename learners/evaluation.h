#ifndef RF_LEARNERS_EVALUATION_H
#define RF_LEARNERS_EVALUATION_H
// How good the model is: progressive validation (Blum, Kalai and Langford, 1999), every prediction scored before its
// label is learned. The figures are over the whole stream since the model began; all of it is state, in blocks.
#include "proto/prediction.h"
#include "proto/state.h"

struct rf_evaluation;

enum rf_status rf_evaluation_create(enum rf_task task, uint32_t outputs, bool is_margin, struct rf_evaluation **evaluation_out,
                                    struct rf_error *err) RF_MUST_USE;
void rf_evaluation_destroy(struct rf_evaluation *evaluation);
void rf_evaluation_state(struct rf_evaluation *evaluation, struct rf_state *state); // scope RF_SCOPE_EVALUATION

// Scores the examples [begin, end) that have RF_EVALUATE, with their weights.
void rf_evaluation_fold(struct rf_evaluation *evaluation, const struct rf_examples *examples, size_t begin, size_t end,
                        const struct rf_predictions *predictions);

// A figure and its baseline: what a predictor without skill gets on the same stream, scored progressively too (the
// running share of each class, the running mean).
#define RF_FIGURE_LIST(X)                                                                          \
    X(log_loss, "log loss", "mean of -log(probability given to the true class), nats")             \
    X(accuracy, "accuracy", "share of true classes predicted")                                     \
    X(auc, "AUC", "probability that a positive scores above a negative, ties counting half")       \
    X(f1, "F1", "harmonic mean of precision and recall of class 1; multiclass: mean over classes") \
    X(mae, "MAE", "mean absolute error")                                                           \
    X(rmse, "RMSE", "root of the mean squared error")

enum rf_figure_name {
#define RF_FIGURE_MEMBER(name, title, help) RF_FIGURE_##name,
    RF_FIGURE_LIST(RF_FIGURE_MEMBER)
#undef RF_FIGURE_MEMBER
            RF_FIGURE_COUNT
};

struct rf_figure {
    bool applies;
    double value;
    double error;    // bound of the figure's own error (AUC is binned), 0 when exact
    double baseline; // NaN when there is none
};

struct rf_figures {
    uint64_t evaluated; // examples
    struct rf_figure list[RF_FIGURE_COUNT];
};

void rf_evaluation_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out);

const char *rf_figure_key(enum rf_figure_name name);   // "log_loss"
const char *rf_figure_title(enum rf_figure_name name); // "log loss"

#endif
