#ifndef RF_LEARNERS_LOSS_H
#define RF_LEARNERS_LOSS_H
// What is minimised, and what is predicted from it. A learner gives `outputs` scores an example; the link turns them into
// the prediction, the gradient is that of the loss by each score. With s a score, p a prediction, y the label, r = s - y:
//
//     regression, p = s                       loss                                     gradient
//       squared                               r^2                                      2 r
//       absolute                              |r|                                      sign r
//       huber                                 r^2 / 2 where |r| <= delta,              r, kept within -delta and delta
//                                             else delta (|r| - delta / 2)
//       quantile (the pinball loss)           tau (y - s) or (1 - tau) (s - y)         -tau where s < y, 1 - tau where s > y
//       epsilon_insensitive                   max(0, |r| - epsilon)                    sign r where |r| > epsilon, else 0
//       hinge_factor, y from -1 to 1          max(0, 1 - y s)                          -y where y s < 1, else 0
//     regression, p = exp s, y >= 0
//       poisson                               exp s - y s                              exp s - y
//
//     binary, p = 1 / (1 + exp(-s))
//       logistic                              -log p where y = 1, else -log(1 - p)     p - y
//       label_smoothed                        -t log p - (1 - t) log(1 - p)            p - t, t = y (1 - smoothing) + smoothing /
//       2
//     binary, p = s, a margin; z = 1 for y = 1, -1 for y = 0
//       hinge                                 max(0, 1 - z s)                          -z where z s < 1, else 0
//       squared_hinge                         max(0, 1 - z s)^2                        -2 z max(0, 1 - z s)
//       perceptron                            max(0, -z s)                             -z where z s <= 0, else 0
//
//     multiclass, p_k = exp s_k / sum exp
//       softmax                               -log p_y                                 p_k - [k = y]
//       label_smoothed_softmax                -sum t_k log p_k                         p_k - t_k, t_k = (1 - smoothing) [k = y]
//                                                                                                       + smoothing / classes
//     multiclass, each class against all others by a binary loss
//       one_against_all                       the sum of the classes' losses; see loss_multiclass.c for p
//
// At a corner the gradient is 0, but that of perceptron, which has to leave a score of 0.
//
// Vowpal Wabbit's losses of these names have the same gradients and flows. Where it reports other figures: of poisson it tells
// the deviance 2 (y (log(y + 1e-6) - s) - (y - exp s)); `classic` is squared stepped by its gradient, not by its flow.
//
// hinge_factor is what it makes of hinge under labels that are numbers, factors of the score, its flow included: that leads to
// s + y max(0, 1 - y s) at most, which is where the loss ends for labels of -1 and 1 alone, and beyond them diverges. It is there
// for reference results.
#include "proto/prediction.h"
#include "proto/setting.h"

struct rf_loss;

// What a kind of loss must do. Everything is a pure function, and finite for scores and labels up to 1e30 in size.
struct rf_loss_ops {
    const char *name;
    enum rf_task task;
    bool is_margin;

    // Takes over the options of the kind. NULL when it has none.
    void (*configure)(struct rf_loss *self, const void *options);

    // The prediction [outputs] of the scores [outputs]; both may be the same array.
    void (*link)(const struct rf_loss *self, const double *score, double *prediction_out);

    // False, and nothing written, for a label the task does not know.
    bool (*gradient)(const struct rf_loss *self, const double *score, double label, double *gradient_out);

    double (*value)(const struct rf_loss *self, const double *score, double label);

    // The change of score k under gradient flow of the loss over an `importance` (Karampatziakis and Langford, 2011: "Online
    // importance weight aware updates"): what infinitely many, infinitely small steps that add up to it would do. NULL where
    // there is no closed form, where scores do not flow one by one, and where the flow never leaves a score of 0.
    double (*flow)(const struct rf_loss *self, uint32_t k, double score, double label, double importance);
};

struct rf_loss {
    const struct rf_loss_ops *ops;
    const struct rf_loss_ops *base; // of one_against_all, else NULL
    uint32_t outputs;               // scores an example; set by the learner
    double parameter;               // of the kinds that have one
    bool is_passive;                // 0 from a point on, and up to there of slope 1 or 0: what passive-aggressive rules need
};

struct rf_loss_huber_options {
    double delta;
};
struct rf_loss_quantile_options {
    double tau;
};
struct rf_loss_epsilon_options {
    double epsilon;
};
struct rf_loss_smoothed_options {
    double smoothing;
};
struct rf_loss_against_all_options {
    int base; // logistic, squared, hinge
};

extern const struct rf_variant rf_loss_variants[]; // `registration` is a struct rf_loss_ops

// RF_INVALID, in words, for a value without a kind.
enum rf_status rf_loss_init(const struct rf_variant_value *value, struct rf_loss *loss_out, struct rf_error *err) RF_MUST_USE;

static inline void rf_loss_link(const struct rf_loss *loss, const double *score, double *prediction_out) {
    loss->ops->link(loss, score, prediction_out);
}

static inline bool rf_loss_gradient(const struct rf_loss *loss, const double *score, double label, double *gradient_out) {
    return loss->ops->gradient(loss, score, label, gradient_out);
}

static inline double rf_loss_value(const struct rf_loss *loss, const double *score, double label) {
    return loss->ops->value(loss, score, label);
}

// The kinds, for the registry.
extern const struct rf_loss_ops rf_loss_squared, rf_loss_absolute, rf_loss_huber, rf_loss_quantile, rf_loss_epsilon_insensitive,
        rf_loss_hinge_factor, rf_loss_poisson; // loss_regression.c
extern const struct rf_loss_ops rf_loss_logistic, rf_loss_label_smoothed, rf_loss_hinge, rf_loss_squared_hinge,
        rf_loss_perceptron;                                                                         // loss_binary.c
extern const struct rf_loss_ops rf_loss_softmax, rf_loss_smoothed_softmax, rf_loss_one_against_all; // loss_multiclass.c
extern const char *const rf_loss_base_names[];                                                      // of one_against_all

// The link of a prediction that is the score.
void rf_loss_link_identity(const struct rf_loss *self, const double *score, double *prediction_out);

#endif
