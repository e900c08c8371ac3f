#ifndef RF_LEARNERS_EVALUATION_H
#define RF_LEARNERS_EVALUATION_H
// How good the model is: progressive validation (Blum, Kalai and Langford, 1999), every prediction scored before its
// label is learned. There are figures over the whole stream since the model began, and over the last records of it (the
// window). All of it is state, in blocks. Beside each figure stands what predictors without skill get on the same records,
// scored progressively too: on some streams those win.
#include "proto/prediction.h"
#include "proto/state.h"

struct rf_evaluation;

enum {
    RF_EVALUATION_WINDOW_MAX = 100000,
    RF_EVALUATION_CONFUSION_MAX = 64, // classes; of more there is no confusion matrix
};

struct rf_evaluation_options {
    const char *name; // its blocks are called "<name>.sums" and so on; static
    enum rf_task task;
    uint32_t outputs;        // of a prediction
    bool is_margin;          // binary: the score is a margin
    double quantile;         // of the quantile loss, in (0, 1); 0: 0.5
    size_t window;           // records, at most RF_EVALUATION_WINDOW_MAX; 0: no figures over a window
    enum rf_purpose purpose; // examples with this bit are scored; 0: RF_EVALUATE
};

enum rf_status rf_evaluation_create(const struct rf_evaluation_options *options, struct rf_evaluation **evaluation_out,
                                    struct rf_error *err) RF_MUST_USE;
void rf_evaluation_destroy(struct rf_evaluation *evaluation);
void rf_evaluation_state(struct rf_evaluation *evaluation, struct rf_state *state); // scope RF_SCOPE_EVALUATION

// Called after its blocks were restored: RF_CORRUPT, in words, when they hold what this evaluation cannot have written, so
// that a fold over them could leave its memory or give what is not finite.
enum rf_status rf_evaluation_check(struct rf_evaluation *evaluation, struct rf_error *err) RF_MUST_USE;

// Scores the examples [begin, end) of its purpose, with their weights. What cannot be scored (no label, a label that is no
// class, an absurd number) is passed over.
void rf_evaluation_fold(struct rf_evaluation *evaluation, const struct rf_examples *examples, size_t begin, size_t end,
                        const struct rf_predictions *predictions);

// X(name, title, whether more is better, help). Multiclass: precision, recall and F1 are means over the classes met or
// predicted; the calibration error is that of the probability given to the class predicted (Guo et al., 2017), and its bins
// hold equal shares of the weight, in order of the score, examples of equal score staying together.
#define RF_FIGURE_LIST(X)                                                                                          \
    X(log_loss, "log loss", false, "mean of -log(probability given to the true class), nats")                      \
    X(brier, "Brier", false, "mean squared error of the probability of class 1; multiclass: summed over classes")  \
    X(accuracy, "accuracy", true, "share of true classes predicted")                                               \
    X(balanced_accuracy, "balanced acc.", true, "mean over the classes met of the share predicted")                \
    X(auc, "AUC", true, "probability that a positive scores above a negative, ties counting half")                 \
    X(average_precision, "avg. precision", true, "mean precision over the positives, from the highest score down") \
    X(precision, "precision", true, "share of those predicted as class 1 that are")                                \
    X(recall, "recall", true, "share of class 1 that is predicted as such")                                        \
    X(f1, "F1", true, "harmonic mean of precision and recall of class 1; multiclass: mean over classes")           \
    X(mcc, "MCC", true, "Matthews' correlation of predicted and true classes (Gorodkin, 2004)")                    \
    X(kappa, "kappa", true, "Cohen's kappa: accuracy beyond that of chance with the same shares, 1 at most")       \
    X(kappa_temporal, "kappa temporal", true, "accuracy beyond that of no change (Zliobaite et al., 2015)")        \
    X(calibration_error, "calibration", false, "expected calibration error over 20 bins of equal mass")            \
    X(mae, "MAE", false, "mean absolute error")                                                                    \
    X(rmse, "RMSE", false, "root of the mean squared error")                                                       \
    X(r2, "R2", true, "share of the labels' variance that is explained")                                           \
    X(quantile_loss, "quantile loss", false, "mean pinball loss at the loss's quantile, else at 0.5")

enum rf_figure_name {
#define RF_FIGURE_MEMBER(name, title, is_more_better, help) RF_FIGURE_##name,
    RF_FIGURE_LIST(RF_FIGURE_MEMBER)
#undef RF_FIGURE_MEMBER
            RF_FIGURE_COUNT
};

// Predictors without skill: X(name, title, help).
#define RF_BASELINE_LIST(X)                                                                                          \
    X(no_change, "no change", "the label before, of those evaluated; at first class 0, or 0")                        \
    X(majority, "majority", "the class most frequent so far; as probabilities, the running shares (Laplace's rule)") \
    X(mean, "mean", "the mean of the labels so far")

enum rf_baseline_name {
#define RF_BASELINE_MEMBER(name, title, help) RF_BASELINE_##name,
    RF_BASELINE_LIST(RF_BASELINE_MEMBER)
#undef RF_BASELINE_MEMBER
            RF_BASELINE_COUNT
};

struct rf_figure {
    bool applies;
    double value;
    double error;                       // bound of the figure's own error (AUC over the whole stream is binned), 0 when exact
    double baseline[RF_BASELINE_COUNT]; // NaN where there is none
};

struct rf_figures {
    uint64_t evaluated; // examples
    double weight;      // of them
    struct rf_figure list[RF_FIGURE_COUNT];
};

// Over the whole stream.
void rf_evaluation_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out);

// Those of them alone that are means over examples, or follow from the confusion matrix: they cost next to nothing.
void rf_evaluation_quick_figures(const struct rf_evaluation *evaluation, struct rf_figures *figures_out);

// Over the last records, exactly. Costs a pass over the window, and a sort of what came since the last call, so O(log W) a
// record; the fold only writes into a ring. Changes no state, but scratch memory: called by the thread that folds.
void rf_evaluation_window_figures(struct rf_evaluation *evaluation, struct rf_figures *figures_out);

// [classes][classes], the true class in the rows: of the whole stream, or of the last rf_evaluation_window_figures(). NULL for
// a regression, for too many classes, and without a window.
const double *rf_evaluation_confusion(const struct rf_evaluation *evaluation, bool of_window, uint32_t *classes_out);

const char *rf_figure_key(enum rf_figure_name name);       // "log_loss"
const char *rf_figure_title(enum rf_figure_name name);     // "log loss"
const char *rf_figure_help(enum rf_figure_name name);      // what it is
const char *rf_baseline_key(enum rf_baseline_name name);   // "no_change"
const char *rf_baseline_title(enum rf_baseline_name name); // "no change"

// The best of the figure's baselines, NaN when there is none.
double rf_figure_best_baseline(const struct rf_figures *figures, enum rf_figure_name name);

#endif
