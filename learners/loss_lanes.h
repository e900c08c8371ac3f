#ifndef RF_LEARNERS_LOSS_LANES_H
#define RF_LEARNERS_LOSS_LANES_H
// The logistic loss of eight scores at once, for learners that keep several. Plain operations on eight numbers in a fixed
// order, their exponentials in single precision: the same bits on every machine.

enum { RF_LOSS_LANES = 8 };

// p = 1 / (1 + exp(-score)) and q = 1 - p, both to a relative error below 4e-7, as if scores were at most 87 in size.
void rf_loss_lanes_sigmoid(const double score[RF_LOSS_LANES], double p_out[RF_LOSS_LANES], double q_out[RF_LOSS_LANES]);

// How far scores climb under gradient flow towards class 1 over an importance h >= 0: the d >= 0 with
//
//     d + e^score (e^d - 1) = h
//
// (Karampatziakis and Langford, 2011: "Online importance weight aware updates", table 1, where it is written by Lambert's W).
// `p` and `q` are those of the scores. Relative error below 2e-4; an importance above 1e30 counts as that.
void rf_loss_lanes_climb(const double p[RF_LOSS_LANES], const double q[RF_LOSS_LANES], const double importance[RF_LOSS_LANES],
                         double climb_out[RF_LOSS_LANES]);

#endif
