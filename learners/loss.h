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

struct rf_loss {
    const char *name;
    enum rf_task task;
    bool is_margin;

    void (*link)(uint32_t outputs, const double *score, double *prediction_out); // both [outputs], may be the same array

    // False, and nothing written, for a label the task does not know.
    bool (*gradient)(uint32_t outputs, const double *score, double label, double *gradient_out);

    double (*value)(uint32_t outputs, const double *score, double label);
};

extern const char *const rf_loss_names[]; // NULL-terminated

const struct rf_loss *rf_loss_at(int index); // in the order of the names

#endif
