#ifndef RF_LEARNERS_LAMBERT_H
#define RF_LEARNERS_LAMBERT_H

// How far a score climbs under gradient flow of the logistic loss towards class 1 over an importance h >= 0: the d >= 0 with
//
//     d + e^score (e^d - 1) = h,     that is d = h + e^score - W(e^(score + h + e^score))
//
// with Lambert's W (Karampatziakis and Langford, 2011, table 1). The equation is solved for d itself: the difference of the
// closed form loses all digits where e^score is large. Relative error below 1e-14; finite for any finite score and importance.
double rf_lambert_climb(double score, double importance);

#endif
