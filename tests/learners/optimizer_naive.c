#include "tests/learners/optimizer_naive.h"
#include "learners/optimizer.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

static double soft(double weight, double threshold) {
    return weight > threshold ? weight - threshold : weight < -threshold ? weight + threshold : 0;
}

static double sum_of(const struct naive_step *step) {
    double sum = 0;
    for (size_t i = 0; i < step->parts; i++) {
        sum += step->part[i];
    }
    return sum;
}

static void sgd(const struct naive_step *step, struct naive_weight *w) {
    w->weight = soft((1 - step->rate * step->l2) * w->weight - step->rate * sum_of(step), step->rate * step->l1);
}

static void accelerate(const struct naive_step *step, struct naive_weight *w, bool looks_ahead) {
    double keep = ((const struct rf_momentum_options *)step->options)->momentum;
    double at = w->weight + (looks_ahead ? keep * w->moment[0] : 0);
    w->moment[0] = keep * w->moment[0] - step->rate * (sum_of(step) + step->l2 * at);
    w->weight += w->moment[0];
}

static void momentum(const struct naive_step *step, struct naive_weight *w) {
    accelerate(step, w, false);
}

static void nesterov(const struct naive_step *step, struct naive_weight *w) {
    accelerate(step, w, true);
}

static void adagrad(const struct naive_step *step, struct naive_weight *w) {
    const struct rf_adagrad_options *options = step->options;
    w->weight *= 1 - step->rate * step->l2;
    for (size_t i = 0; i < step->parts; i++) {
        w->moment[0] += step->part[i] * step->part[i];
        w->weight -= step->rate * step->part[i] / sqrt(w->moment[0] + options->epsilon);
    }
}

static void rmsprop(const struct naive_step *step, struct naive_weight *w) {
    const struct rf_rmsprop_options *options = step->options;
    w->weight *= 1 - step->rate * step->l2;
    w->moment[0] *= options->rho;
    for (size_t i = 0; i < step->parts; i++) {
        w->moment[0] += (1 - options->rho) * step->part[i] * step->part[i];
        w->weight -= step->rate * step->part[i] / sqrt(w->moment[0] + options->epsilon);
    }
}

static void adadelta(const struct naive_step *step, struct naive_weight *w) {
    const struct rf_adadelta_options *options = step->options;
    double changes = w->moment[1];
    w->weight *= 1 - step->rate * step->l2;
    w->moment[0] *= options->rho;
    w->moment[1] *= options->rho;
    for (size_t i = 0; i < step->parts; i++) {
        w->moment[0] += (1 - options->rho) * step->part[i] * step->part[i];
        double change = sqrt(changes + options->epsilon) / sqrt(w->moment[0] + options->epsilon) * step->part[i];
        w->moment[1] += (1 - options->rho) * change * change;
        w->weight -= step->rate * change;
        changes = w->moment[1];
    }
}

static void adam(const struct naive_step *step, struct naive_weight *w) {
    const struct rf_adam_options *options = step->options;
    w->weight *= 1 - step->rate * step->l2;
    w->moment[0] *= options->beta1;
    w->moment[1] *= options->beta2;
    double moving = w->moment[0];
    for (size_t i = 0; i < step->parts || i == 0; i++) {
        double part = i < step->parts ? step->part[i] : 0;
        moving += (1 - options->beta1) * part;
        w->moment[0] += (1 - options->beta1) * part;
        w->moment[1] += (1 - options->beta2) * part * part;
        w->weight -= step->pace * moving / (sqrt(w->moment[1]) + options->epsilon);
        moving = 0;
    }
}

static double leader(const struct naive_step *step, const struct naive_weight *w) {
    const struct rf_ftrl_options *options = step->options;
    return -soft(w->moment[0], step->l1) / ((options->beta + sqrt(w->moment[1])) / options->alpha + step->l2);
}

static void ftrl(const struct naive_step *step, struct naive_weight *w) {
    const struct rf_ftrl_options *options = step->options;
    for (size_t i = 0; i < step->parts; i++) {
        if (options->lagging && fabs(w->moment[0]) > step->l1) {
            w->weight = leader(step, w);
        }
        double squares = w->moment[1] + step->part[i] * step->part[i];
        double sigma = (sqrt(squares) - sqrt(w->moment[1])) / options->alpha;
        w->moment[0] += step->part[i] - sigma * w->weight;
        w->moment[1] = squares;
        if (!options->lagging) {
            w->weight = leader(step, w);
        }
    }
}

struct rule {
    const char *name;
    void (*take)(const struct naive_step *step, struct naive_weight *weight);
};

static const struct rule rules[] = {
        {"sgd", sgd},         {"momentum", momentum}, {"nesterov", nesterov}, {"adagrad", adagrad},
        {"rmsprop", rmsprop}, {"adadelta", adadelta}, {"adam", adam},         {"ftrl", ftrl},
};

static const struct rule *rule_of(const struct rf_linear_options *options) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].name, options->optimizer.kind->name) == 0) {
            return &rules[i];
        }
    }
    fail_msg("optimizer %s has no naive twin", options->optimizer.kind->name);
    return NULL;
}

double naive_ahead(const struct rf_linear_options *options) {
    return rule_of(options)->take == nesterov ? ((const struct rf_momentum_options *)options->optimizer.options)->momentum : 0;
}

static double rate_at(const struct rf_rate *rate, double step) {
    double rise = fmin(1, (step + 1) / fmax(1, (double)rate->warm_up));
    double fall = rate->decay == RF_RATE_INVERSE_SCALING ? pow(rate->start / (rate->start + step), rate->power)
                  : rate->decay == RF_RATE_STEP          ? pow(rate->factor, floor(step / (double)rate->every))
                                                         : 1;
    return rate->first * rise * fall;
}

struct naive_step naive_step_of(const struct rf_linear_options *options, uint64_t number, bool is_bias) {
    struct naive_step step = {.rule = rule_of(options)->take, .options = options->optimizer.options};
    bool is_free = is_bias && !options->regularise_bias;
    if (step.rule == ftrl) {
        const struct rf_ftrl_options *own = step.options;
        step.l1 = is_free ? 0 : own->l1;
        step.l2 = is_free ? 0 : own->l2;
        return step;
    }
    const struct rf_rate *rate = step.options; // the first of the options of all others
    // The stated rule: where catching up needs it, a rate is held for 1,024 steps.
    bool is_held = options->l1 > 0 || options->l2 > 0 || step.rule == adam;
    step.rate = rate_at(rate, is_held ? floor((double)number / 1024) * 1024 : (double)number);
    step.l1 = is_free ? 0 : options->l1;
    step.l2 = is_free ? 0 : options->l2;
    if (step.rule == adam) {
        const struct rf_adam_options *own = step.options;
        double exponent = (double)number + 1;
        step.pace = step.rate * sqrt(1 - pow(own->beta2, exponent)) / (1 - pow(own->beta1, exponent));
    }
    return step;
}
