#ifndef RF_LEARNERS_LOSS_H
#define RF_LEARNERS_LOSS_H
// What is minimised, and what is predicted from it. A learner gives `outputs` scores an example; the link turns them into
// the prediction, the gradient is that of the loss by each score. With s a score, p a prediction, y the label:
//
//     squared    regression    p = s                      loss (p - y)^2                 gradient 2 (p - y)
//     logistic   binary        p = 1 / (1 + exp(-s))      loss -log p or -log(1 - p)     gradient p - y
//     hinge      binary        p = s, a margin            loss max(0, 1 - z s)           gradient -z where z s < 1, else 0
//                                                         with z = 1 for y = 1, -1 for y = 0
//     softmax    multiclass    p_k = exp s_k / sum exp    loss -log p_y                  gradient p_k - [k = y]
#include "proto/prediction.h"
#include "proto/setting.h"

struct rf_loss;

// What a kind of loss must do. Everything is a pure function.
struct rf_loss_ops {
    const char *name;
    enum rf_task task;
    bool is_margin;

    // The prediction [outputs] of the scores [outputs]; both may be the same array.
    void (*link)(const struct rf_loss *self, const double *score, double *prediction_out);

    // False, and nothing written, for a label the task does not know.
    bool (*gradient)(const struct rf_loss *self, const double *score, double label, double *gradient_out);

    double (*value)(const struct rf_loss *self, const double *score, double label);

    // The change of score k under gradient flow of the loss over an `importance` (Karampatziakis and Langford, 2011: "Online
    // importance weight aware updates"): what infinitely many, infinitely small steps that add up to it would do. NULL where
    // there is no closed form.
    double (*flow)(const struct rf_loss *self, uint32_t k, double score, double label, double importance);
};

struct rf_loss {
    const struct rf_loss_ops *ops;
    uint32_t outputs; // scores an example; set by the learner
    double parameter; // of the kinds that have one
};

extern const struct rf_variant rf_loss_variants[];

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

#endif
