#ifndef RF_LEARNERS_MIXTURE_H
#define RF_LEARNERS_MIXTURE_H
// Predictions of several experts made one, and how far each is trusted, learned from the labels. With K experts, w_e the
// weights, p_e the predictions given before the label came, i the importance of the record:
//
// Probabilities (logistic, label_smoothed, softmax and its kin): p = sum of w_e p_e. By Bayes' rule with a share for all
// (Herbster and Warmuth, 1998: "Tracking the best expert"; the falling share as in van Erven, Grunwald and de Rooij, 2007,
// where a constant one would cost at every record):
//
//     w_e <- w_e p_e(y)^i / sum          then   w_e <- (1 - a) w_e + a / K,   a = 1 / (2 (t + 2) log(t + 2 + e)^2)
//
// Log loss is mixable: the total loss is at most that of any one expert plus log K, plus half a nat for the shares; and at most
// that of any sequence of experts plus about log t + log K for each change. In two classes one more expert takes part, the
// stack: a logistic model of the experts' scores, learned by one Newton step a record from a standard normal prior (a Kalman
// filter on log odds). It is worth most where experts err in different directions.
//
// Others: p = sum of w_e p_e with AdaHedge's weights (de Rooij, van Erven, Grunwald and Koolen, 2014: "Follow the leader if you
// can, hedge if you must"), which knows no scale beforehand: with L_e the sums of i times the losses
//
//     w_e ~ exp(-n L_e),   n = log K / D,   D <- D + sum w_e l_e - (-1/n) log sum w_e exp(-n l_e)
//
// All these losses are convex in the prediction, so that of the mean is at most the mean of theirs. That an absurd label does
// not decide for ever, what an expert loses beyond the best at one record counts at most 16 times the mean loss so far.
//
// A record's importance counts at most 100 times the mean of those before.
//
// With forgetting, when n half-lives passed since the record before: the share is at least n (at most 1 / 2), and L and D shrink
// by 2^-n.
//
// Merge: weights and the stack by their mean, L and D by their sum, the count by its sum.
#include "learners/loss.h"
#include "proto/state.h"

#include <stdbool.h>

enum { RF_MIXTURE_EXPERTS_MAX = 8 };

struct rf_mixture;

// The loss is copied. RF_MEMORY alone can go wrong: `experts` is from 2 to RF_MIXTURE_EXPERTS_MAX.
enum rf_status rf_mixture_create(const struct rf_loss *loss, uint32_t experts, struct rf_mixture **mixture_out,
                                 struct rf_error *err) RF_MUST_USE;
void rf_mixture_destroy(struct rf_mixture *mixture);

// One prediction [outputs] from the scores and predictions [experts][outputs]. Changes nothing.
void rf_mixture_predict(const struct rf_mixture *mixture, const double *score, const double *prediction, double *prediction_out);

// Learns from a label that the loss knows, by the scores and predictions given before. `half_lives`: how many have passed since
// the record before; 0: nothing is forgotten.
void rf_mixture_learn(struct rf_mixture *mixture, const double *score, const double *prediction, double label, double weight,
                      double half_lives);

// How much of each expert's score is in the mixture's, [experts]: to explain it by. Exact where predictions are scores;
// probabilities are mixed, not their log odds, so there it is close.
void rf_mixture_shares(const struct rf_mixture *mixture, double *share_out);

void rf_mixture_state(struct rf_mixture *mixture, const char *name, struct rf_state *state);
enum rf_status rf_mixture_check(const struct rf_mixture *mixture, struct rf_error *err) RF_MUST_USE;

#endif
