#include "learners/mixture.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = RF_MIXTURE_EXPERTS_MAX, STACK = MAX }; // the stack is the expert behind all others

#define LN2 0.69314718055994530942
#define E 2.71828182845904523536

#define ODDS_MAX 12.0        // of an expert's log odds, in the stack
#define STACK_ODDS_MAX 25.0  // of its own
#define STACK_CURVATURE 1e-4 // p (1 - p) counts as at least this
#define STACK_WEIGHT_MAX 1e3
#define LIKELIHOOD_MIN 1e-12 // of an expert, relative to the best, at one record
#define LOSS_MAX 1e60
#define LOSS_CUT 16.0
#define WEIGHT_CUT 100.0

// Two numbers of a row of the experts, by element: the bits do not depend on the instructions it is made of. Wider ones are
// taken apart in memory where the processor has none.
typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
enum { PAIRS = MAX / 2 };

struct trust { // one row of state
    double learned;
    double weight[MAX + 1]; // sums to 1
    double stack[MAX];      // of the experts' log odds
    double spread[MAX][MAX];
    double loss[MAX]; // beyond the best's
    double gap;       // D
    double mean;      // sum of i times the mean loss
    double importance;
};

static const struct rf_column trust_columns[] = {
        {"learned", RF_F64, offsetof(struct trust, learned), 1, RF_MERGE_SUM},
        {"weight", RF_F64, offsetof(struct trust, weight), MAX + 1, RF_MERGE_MEAN},
        {"stack", RF_F64, offsetof(struct trust, stack), MAX, RF_MERGE_MEAN},
        {"spread", RF_F64, offsetof(struct trust, spread), MAX *MAX, RF_MERGE_MEAN},
        {"loss", RF_F64, offsetof(struct trust, loss), MAX, RF_MERGE_SUM},
        {"gap", RF_F64, offsetof(struct trust, gap), 1, RF_MERGE_SUM},
        {"mean", RF_F64, offsetof(struct trust, mean), 1, RF_MERGE_SUM},
        {"importance", RF_F64, offsetof(struct trust, importance), 1, RF_MERGE_SUM},
};

// The last log odds of the stack: learning asks for the probability that predicting has just found. Scratch, no state.
struct odds {
    double odds, probability;
};

struct rf_mixture {
    struct rf_loss loss;
    uint32_t experts;
    uint32_t outputs;
    bool is_likelihood; // predictions are probabilities
    bool has_stack;
    double half_lives, kept;      // what is left of L and D over the half-lives that passed last: no state
    double share_time, share_now; // the share, and the time it is for: follow from the records learned, and are no state
    struct trust *trust;
    struct odds *last;
};

static void reset_stack(struct rf_mixture *mixture) {
    struct trust *trust = mixture->trust;
    memset(trust->spread, 0, sizeof trust->spread);
    for (uint32_t e = 0; e < mixture->experts; e++) {
        trust->stack[e] = 1.0 / mixture->experts;
        trust->spread[e][e] = 1;
    }
}

enum rf_status rf_mixture_create(const struct rf_loss *loss, uint32_t experts, struct rf_mixture **mixture_out,
                                 struct rf_error *err) {
    assert(experts >= 2 && experts <= MAX);
    struct rf_mixture *mixture = calloc(1, sizeof *mixture);
    if (!mixture) {
        return rf_fail(err, RF_MEMORY, "out of memory for a mixture");
    }
    mixture->trust = calloc(1, sizeof *mixture->trust);
    mixture->last = calloc(1, sizeof *mixture->last);
    if (!mixture->trust || !mixture->last) {
        rf_mixture_destroy(mixture);
        return rf_fail(err, RF_MEMORY, "out of memory for a mixture");
    }
    *mixture->last = (struct odds){0, rf_sigmoid(0)};
    mixture->loss = *loss;
    mixture->experts = experts;
    mixture->outputs = loss->outputs;
    mixture->is_likelihood =
            loss->ops->task == RF_TASK_MULTICLASS || (loss->ops->task == RF_TASK_BINARY && !loss->ops->is_margin);
    mixture->has_stack = mixture->is_likelihood && loss->ops->task == RF_TASK_BINARY;
    mixture->share_time = -1;
    mixture->kept = 1;
    uint32_t all = experts + mixture->has_stack;
    for (uint32_t e = 0; e < experts; e++) {
        mixture->trust->weight[e] = 1.0 / all;
    }
    mixture->trust->weight[STACK] = mixture->has_stack ? 1.0 / all : 0;
    reset_stack(mixture);
    *mixture_out = mixture;
    return RF_OK;
}

void rf_mixture_destroy(struct rf_mixture *mixture) {
    if (mixture) {
        free(mixture->last);
        free(mixture->trust);
        free(mixture);
    }
}

static double clamped(double value, double limit) {
    return value > limit ? limit : value < -limit ? -limit : value;
}

static double stack_prediction(const struct rf_mixture *mixture, const double *score) {
    double odds = 0;
    for (uint32_t e = 0; e < mixture->experts; e++) {
        odds += mixture->trust->stack[e] * clamped(score[e], ODDS_MAX);
    }
    if (odds != mixture->last->odds) {
        *mixture->last = (struct odds){odds, rf_sigmoid(clamped(odds, STACK_ODDS_MAX))};
    }
    return mixture->last->probability;
}

void rf_mixture_predict(const struct rf_mixture *mixture, const double *score, const double *prediction, double *prediction_out) {
    const double *weight = mixture->trust->weight;
    for (uint32_t k = 0; k < mixture->outputs; k++) {
        prediction_out[k] = 0;
        for (uint32_t e = 0; e < mixture->experts; e++) {
            prediction_out[k] += weight[e] * prediction[e * mixture->outputs + k];
        }
    }
    if (mixture->has_stack) {
        prediction_out[0] += weight[STACK] * stack_prediction(mixture, score);
    }
    for (uint32_t k = 0; k < mixture->outputs && mixture->is_likelihood; k++) {
        prediction_out[k] = prediction_out[k] < 1 ? prediction_out[k] : 1; // the weights' sum may be a rounding above 1
    }
}

// The part of all weights that is shared out after record t.
static double share_at(struct rf_mixture *mixture, double t) {
    if (t >= 1024) {
        t = (double)((uint64_t)t & ~(uint64_t)63); // it hardly moves by then
    }
    if (t != mixture->share_time) {
        double log = rf_log(t + 2 + E);
        double share = 0.5 / ((t + 2) * log * log);
        mixture->share_now = share;
        mixture->share_time = t;
    }
    return fmax(mixture->share_now, fmin(mixture->half_lives, 0.5));
}

// One step of a Kalman filter: the log odds are a linear model of the experts', the label one measurement of them.
static void learn_stack(struct rf_mixture *mixture, const double *score, double label, double weight, double p) {
    struct trust *trust = mixture->trust;
    const uint32_t experts = mixture->experts;
    double x[MAX] = {0}, reach[MAX], variance = 0;
    bool is_sound = true;
    for (uint32_t e = 0; e < experts; e++) {
        x[e] = clamped(score[e], ODDS_MAX);
        is_sound &= trust->spread[e][e] >= 0;
    }
    pair reaches[PAIRS] = {0};
    for (uint32_t e = 0; e < experts; e++) {
        const pair *spread = (const pair *)trust->spread[e]; // 0 beyond the experts
#pragma GCC unroll 4
        for (int i = 0; i < PAIRS; i++) {
            reaches[i] += spread[i] * x[e];
        }
    }
    memcpy(reach, reaches, sizeof reach);
    for (uint32_t e = 0; e < experts; e++) {
        variance += x[e] * reach[e];
    }
    if (!(is_sound && variance >= 0)) { // roundings have added up, or the state is a forged one
        reset_stack(mixture);
        return;
    }
    double precision = fmax(p * (1 - p), STACK_CURVATURE) * weight;
    double shrink = precision / (1 + precision * variance);
    double gain = weight * (label - p) / (1 + precision * variance);
    for (uint32_t e = 0; e < experts; e++) {
        pair *spread = (pair *)trust->spread[e];
#pragma GCC unroll 4
        for (int i = 0; i < PAIRS; i++) {
            spread[i] -= reach[e] * reaches[i] * shrink;
        }
        trust->stack[e] = clamped(trust->stack[e] + gain * reach[e], STACK_WEIGHT_MAX);
    }
}

static void learn_likelihoods(struct rf_mixture *mixture, const double *score, const double *prediction, double label,
                              double weight) {
    struct trust *trust = mixture->trust;
    const bool is_binary = mixture->loss.ops->task == RF_TASK_BINARY;
    double p[MAX + 1] = {0}, best = 0, sum = 0;
    for (uint32_t e = 0; e < mixture->experts; e++) {
        p[e] = is_binary ? (label == 1 ? prediction[e] : 1 - prediction[e]) : prediction[e * mixture->outputs + (size_t)label];
        best = p[e] > best ? p[e] : best;
    }
    if (mixture->has_stack) {
        double stacked = stack_prediction(mixture, score);
        p[STACK] = label == 1 ? stacked : 1 - stacked;
        best = p[STACK] > best ? p[STACK] : best;
        learn_stack(mixture, score, label, weight, stacked);
    }
    for (uint32_t e = 0; e <= MAX; e++) {
        double ratio = best > 0 ? p[e] / best : 1;
        ratio = weight != 1 && ratio > 0 ? rf_pow(ratio, weight) : ratio;
        trust->weight[e] *= ratio > LIKELIHOOD_MIN ? ratio : LIKELIHOOD_MIN;
        sum += trust->weight[e];
    }
    double share = share_at(mixture, trust->learned);
    double equal = share / (mixture->experts + mixture->has_stack);
    double kept = (1 - share) / sum;
    for (uint32_t e = 0; e <= MAX; e++) {
        bool is_used = e < mixture->experts || (e == STACK && mixture->has_stack);
        trust->weight[e] = is_used ? trust->weight[e] * kept + equal : 0;
    }
}

// AdaHedge's weights for the losses so far: all on the best while there is no gap.
static void weigh_losses(struct rf_mixture *mixture) {
    struct trust *trust = mixture->trust;
    double sum = 0;
    for (uint32_t e = 0; e < mixture->experts; e++) {
        double power = trust->gap > 0 ? trust->loss[e] * rf_log(mixture->experts) / trust->gap : trust->loss[e] > 0 ? 700 : 0;
        trust->weight[e] = power < 700 ? rf_exp(-power) : 0;
        sum += trust->weight[e];
    }
    for (uint32_t e = 0; e < mixture->experts; e++) {
        trust->weight[e] /= sum;
    }
}

static void learn_losses(struct rf_mixture *mixture, const double *score, double label, double weight) {
    struct trust *trust = mixture->trust;
    const uint32_t experts = mixture->experts;
    double loss[MAX] = {0}, best = INFINITY, mean = 0;
    for (uint32_t e = 0; e < experts; e++) {
        loss[e] = fmin(rf_loss_value(&mixture->loss, score + (size_t)e * mixture->outputs, label), LOSS_MAX);
        best = loss[e] < best ? loss[e] : best;
    }
    double cut = trust->importance > 0 ? LOSS_CUT * trust->mean / trust->importance : LOSS_MAX;
    for (uint32_t e = 0; e < experts; e++) {
        loss[e] = fmin(loss[e] - best, cut);
        mean += trust->weight[e] * loss[e];
    }
    trust->mean = fmin(trust->mean + weight * fmin(best + mean, 2 * cut), LOSS_MAX);

    double rate = trust->gap > 0 ? rf_log(experts) / trust->gap : INFINITY;
    double mix = 0, least = INFINITY;
    for (uint32_t e = 0; e < experts; e++) {
        double power = weight * loss[e] * rate; // infinity times 0: of the best
        mix += trust->weight[e] * (loss[e] > 0 ? (power < 700 ? rf_exp(-power) : 0) : 1);
        trust->loss[e] = mixture->kept * trust->loss[e] + weight * loss[e];
        least = trust->loss[e] < least ? trust->loss[e] : least;
    }
    double mixed = mix > 0 && rate < INFINITY ? -rf_log(mix) / rate : 0;
    trust->gap = fmin(mixture->kept * trust->gap + fmax(weight * mean - mixed, 0), LOSS_MAX);
    for (uint32_t e = 0; e < experts; e++) {
        trust->loss[e] = fmin(trust->loss[e] - least, LOSS_MAX);
    }
    weigh_losses(mixture);
}

void rf_mixture_learn(struct rf_mixture *mixture, const double *score, const double *prediction, double label, double weight,
                      double half_lives) {
    if (half_lives != mixture->half_lives) {
        mixture->half_lives = half_lives;
        mixture->kept = rf_exp(-LN2 * half_lives);
    }
    struct trust *trust = mixture->trust;
    if (trust->learned > 0) {
        weight = fmin(weight, WEIGHT_CUT * trust->importance / trust->learned);
    }
    if (mixture->is_likelihood) {
        learn_likelihoods(mixture, score, prediction, label, weight);
    } else {
        learn_losses(mixture, score, label, weight);
    }
    trust->importance = fmin(trust->importance + weight, LOSS_MAX);
    trust->learned++;
}

void rf_mixture_shares(const struct rf_mixture *mixture, double *share_out) {
    const struct trust *trust = mixture->trust;
    for (uint32_t e = 0; e < mixture->experts; e++) {
        share_out[e] = trust->weight[e] + trust->weight[STACK] * trust->stack[e];
    }
}

void rf_mixture_state(struct rf_mixture *mixture, const char *name, struct rf_state *state) {
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = 1,
                                .row_size = sizeof *mixture->trust,
                                .columns = trust_columns,
                                .column_count = sizeof trust_columns / sizeof trust_columns[0],
                                .data = mixture->trust,
                                .scope = RF_SCOPE_MODEL,
                        });
}

static bool within(const double *list, size_t count, double least, double most) {
    for (size_t i = 0; i < count; i++) {
        if (!(list[i] >= least && list[i] <= most)) {
            return false;
        }
    }
    return true;
}

enum rf_status rf_mixture_check(const struct rf_mixture *mixture, struct rf_error *err) {
    const struct trust *trust = mixture->trust;
    double sum = 0;
    for (uint32_t e = 0; e <= MAX; e++) {
        sum += trust->weight[e];
    }
    if (!within(trust->weight, MAX + 1, 0, 1) || !(fabs(sum - 1) < 1e-6)) {
        return rf_fail(err, RF_CORRUPT, "the weights of the mixture sum to %g, must be 0 to 1 and sum to 1", sum);
    }
    if (!within(trust->stack, MAX, -STACK_WEIGHT_MAX, STACK_WEIGHT_MAX) || !within(trust->spread[0], MAX * MAX, -2, 2)) {
        return rf_fail(err, RF_CORRUPT, "the stack of the mixture holds more than %g in weight or 2 in spread", STACK_WEIGHT_MAX);
    }
    if (!within(trust->loss, MAX, 0, LOSS_MAX) || !within(&trust->gap, 1, 0, LOSS_MAX) || !within(&trust->mean, 1, 0, LOSS_MAX) ||
        !within(&trust->importance, 1, 0, LOSS_MAX) || !within(&trust->learned, 1, 0, 0x1p53)) {
        return rf_fail(err, RF_CORRUPT, "the mixture holds losses or counts that are not from 0 to %g", LOSS_MAX);
    }
    return RF_OK;
}
