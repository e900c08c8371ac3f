// Bayes' rule in logarithms:
//
//     joint_c = log P(c) + log P(example | c),     P(c | example) = exp(joint_c - largest) / sum over k of exp(joint_k - largest)
//
// The likelihoods, log P(example | c), are learners/likelihood_*.c.
#include "learners/contribution.h"
#include "learners/learner.h"
#include "learners/likelihood.h"
#include "proto/math.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { CLASSES_MAX = 1000, FIELDS_MAX = 1 << 20, COVARIANCE_FIELDS_MAX = 256, BERNOULLI_BITS_MAX = 16 };

#define JOINT_MAX 1e300 // what a logarithm is cut at: sums of probabilities then stay finite

static const char *const model_names[] = {"gaussian", "gaussian_shared", "gaussian_full", "multinomial", "bernoulli", NULL};
static const char *const compatible_names[] = {"none", "river", NULL};

const struct rf_setting rf_bayes_settings[] = {
        RF_CHOICE(struct rf_bayes_options, model, "gaussian", model_names, 0,
                  "how features are distributed in a class: gaussian (each number by itself), gaussian_shared and gaussian_full "
                  "(all numbers together; one covariance, or one of each class), multinomial (counts), bernoulli (presence)"),
        RF_UINT(struct rf_bayes_options, classes, "0", 0, CLASSES_MAX, 0,
                "number of classes where features.classes does not name them; 0: as many as are named, or else 2"),
        RF_REAL(struct rf_bayes_options, smoothing, "1", 0, 1e6, 0,
                "records, or counts, that are taken to have been there before the first"),
        RF_REAL(struct rf_bayes_options, variance_floor, "1e-9", 1e-100, 1e100, 0,
                "gaussian: no variance is taken to be below it"),
        RF_REAL(struct rf_bayes_options, ridge, "1", 1e-12, 1e12, 0,
                "gaussian_shared, gaussian_full: variance of every field in the one record taken to have been there before"),
        RF_UINT(struct rf_bayes_options, fields_max, "64", 1, FIELDS_MAX, 0,
                "gaussian models: number of fields (and categories) that can be used, rounded up to a power of two; others give "
                "nothing; gaussian_shared and gaussian_full: at most 256"),
        RF_UINT(struct rf_bayes_options, hash_bits, "16", 1, 28, 0,
                "multinomial, bernoulli: log2 of the number of rows of counts; bernoulli: at most 16"),
        RF_CHOICE(struct rf_bayes_options, compatible, "none", compatible_names, 0,
                  "gaussian: river gives what River's GaussianNB gives (variance over n - 1, densities raised by 1e-9, no "
                  "smoothing, "
                  "categories are numbers)"),
        {0},
};

static const struct rf_column class_columns[] = {{"records", RF_F64, 0, 1, RF_MERGE_SUM}};

struct bayes {
    struct rf_learner base;
    struct rf_likelihood *likelihood;
    uint32_t classes;
    double smoothing;
    bool hides_unmet; // a class without records has probability 0
    double *records;  // [classes] learned, by weight
    double *joint;    // [classes]
};

static void bayes_destroy(struct rf_learner *self);

static struct bayes *bayes_from(struct rf_learner *self) {
    assert(self->ops->destroy == bayes_destroy);
    return (struct bayes *)self;
}

static const struct bayes *bayes_from_const(const struct rf_learner *self) {
    assert(self->ops->destroy == bayes_destroy);
    return (const struct bayes *)self;
}

// log P(c) but for what all classes have in common.
static double log_prior(const struct bayes *bayes, uint32_t class) {
    if (bayes->hides_unmet) {
        return bayes->records[class] > 0 ? rf_log(bayes->records[class]) : -JOINT_MAX;
    }
    double records = bayes->records[class] + bayes->smoothing;
    return records > 0 ? rf_log(records) : -JOINT_MAX;
}

static double total_records(const struct bayes *bayes) {
    double total = 0;
    for (uint32_t c = 0; c < bayes->classes; c++) {
        total += bayes->records[c];
    }
    return total;
}

static void join(const struct bayes *bayes, const struct rf_examples *examples, size_t index) {
    for (uint32_t c = 0; c < bayes->classes; c++) {
        bayes->joint[c] = 0;
    }
    if (total_records(bayes) > 0) {
        bayes->likelihood->ops->add(bayes->likelihood, examples, index, bayes->joint);
    }
    for (uint32_t c = 0; c < bayes->classes; c++) {
        double joint = log_prior(bayes, c) + bayes->joint[c];
        bayes->joint[c] = joint < JOINT_MAX ? (joint > -JOINT_MAX ? joint : -JOINT_MAX) : isnan(joint) ? -JOINT_MAX : JOINT_MAX;
    }
}

// The probabilities, log-sum-exp: the largest term is exp(0), so nothing overflows and the sum is at least 1.
static void predict_from_joint(const struct bayes *bayes, double *score_out) {
    if (bayes->base.outputs == 1) {
        score_out[0] = rf_sigmoid(bayes->joint[1] - bayes->joint[0]);
        return;
    }
    double largest = bayes->joint[0], sum = 0;
    for (uint32_t c = 1; c < bayes->classes; c++) {
        largest = fmax(largest, bayes->joint[c]);
    }
    for (uint32_t c = 0; c < bayes->classes; c++) {
        score_out[c] = rf_exp(bayes->joint[c] - largest);
        sum += score_out[c];
    }
    for (uint32_t c = 0; c < bayes->classes; c++) {
        score_out[c] /= sum;
    }
}

static bool learn(struct bayes *bayes, const struct rf_examples *examples, size_t index) {
    double label = examples->label[index], weight = examples->weight[index];
    if (!(label >= 0 && label < bayes->classes) || !(weight >= 0 && weight <= RF_BAYES_WEIGHT_MAX)) {
        return false;
    }
    uint32_t class = (uint32_t)label;
    if ((double)class != label || bayes->records[class] + weight > RF_BAYES_COUNT_MAX) {
        return false;
    }
    if (weight > 0) {
        bayes->base.unscaled += bayes->likelihood->ops->learn(bayes->likelihood, examples, index, class, weight);
        bayes->records[class] += weight;
    }
    return true;
}

static void bayes_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                       struct rf_predictions *predictions) {
    struct bayes *bayes = bayes_from(self);
    if (bayes->likelihood->ops->renew && begin < end) {
        bayes->likelihood->ops->renew(bayes->likelihood);
    }
    for (size_t i = begin; i < end; i++) {
        double *score = predictions->score + i * self->outputs;
        if (examples->purpose[i] & RF_PREDICT) {
            join(bayes, examples, i);
            predict_from_joint(bayes, score);
        } else {
            for (uint32_t k = 0; k < self->outputs; k++) {
                score[k] = NAN;
            }
        }
        if (examples->purpose[i] & RF_LEARN) {
            *(learn(bayes, examples, i) ? &self->learned : &self->skipped_steps) += 1;
        }
    }
}

static void bayes_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out) {
    const struct bayes *bayes = bayes_from_const(self);
    join(bayes, examples, index);
    predict_from_joint(bayes, score_out);
}

// Class 1 against class 0, or of several the most probable against the next: the sum of all contributions is the logarithm of
// how much more probable it is.
static size_t bayes_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                            struct rf_contribution *list, size_t capacity) {
    const struct bayes *bayes = bayes_from_const(self);
    uint32_t a = 1, b = 0;
    if (self->outputs > 1) {
        join(bayes, examples, index);
        a = 0;
        for (uint32_t c = 1; c < bayes->classes; c++) {
            a = bayes->joint[c] > bayes->joint[a] ? c : a;
        }
        b = a == 0;
        for (uint32_t c = 0; c < bayes->classes; c++) {
            b = c != a && bayes->joint[c] > bayes->joint[b] ? c : b;
        }
    }
    struct rf_reasons reasons = {
            .a = a,
            .b = b,
            .list = list,
            .capacity = capacity,
            .rest = log_prior(bayes, a) - log_prior(bayes, b),
    };
    if (total_records(bayes) > 0) {
        bayes->likelihood->ops->explain(bayes->likelihood, examples, index, &reasons);
    }
    rf_contribution_insert(list, capacity, &reasons.kept,
                           (struct rf_contribution){
                                   .field = RF_FIELD_UNKNOWN,
                                   .value = 1,
                                   .weight = reasons.rest,
                                   .amount = reasons.rest,
                           });
    return reasons.count + 1;
}

// Of two classes the logarithm of the odds gives both probabilities; of several it does not, and nobody asks.
static void bayes_link(const struct rf_learner *self, const double *score, double *prediction_out) {
    for (uint32_t k = 0; k < self->outputs; k++) {
        prediction_out[k] = self->outputs == 1 ? rf_sigmoid(score[k]) : score[k];
    }
}

static void bayes_state(struct rf_learner *self, struct rf_state *state) {
    struct bayes *bayes = bayes_from(self);
    rf_state_add(state, &(struct rf_block){
                                .name = "bayes.classes",
                                .rows = bayes->classes,
                                .row_size = sizeof *bayes->records,
                                .columns = class_columns,
                                .column_count = 1,
                                .data = bayes->records,
                                .scope = RF_SCOPE_MODEL,
                        });
    bayes->likelihood->ops->state(bayes->likelihood, state);
}

static enum rf_status bayes_check(const struct rf_learner *self, struct rf_error *err) {
    const struct bayes *bayes = bayes_from_const(self);
    for (uint32_t c = 0; c < bayes->classes; c++) {
        if (!(bayes->records[c] >= 0 && bayes->records[c] <= RF_BAYES_COUNT_MAX)) {
            return rf_fail(err, RF_CORRUPT, "class %u has %g records, must be 0 to %.0f", c, bayes->records[c],
                           RF_BAYES_COUNT_MAX);
        }
    }
    return bayes->likelihood->ops->check(bayes->likelihood, err);
}

static void bayes_destroy(struct rf_learner *self) {
    struct bayes *bayes = (struct bayes *)self;
    if (bayes->likelihood) {
        bayes->likelihood->ops->destroy(bayes->likelihood);
    }
    free(bayes->records);
    free(bayes->joint);
    free(bayes);
}

static const struct rf_learner_ops bayes_ops = {
        .name = "bayes",
        .fold = bayes_fold,
        .predict = bayes_predict,
        .explain = bayes_explain,
        .link = bayes_link,
        .state = bayes_state,
        .check = bayes_check,
        .destroy = bayes_destroy,
};

static enum rf_status check_options(const struct rf_bayes_options *options, const struct rf_learner_context *context,
                                    uint32_t *classes_out, struct rf_error *err) {
    uint64_t classes = options->classes ? options->classes : context->classes ? context->classes : 2;
    const char *model = model_names[options->model];
    bool is_covariance = options->model == RF_BAYES_GAUSSIAN_SHARED || options->model == RF_BAYES_GAUSSIAN_FULL;
    if (classes < 2 || classes > CLASSES_MAX) {
        return rf_fail(err, RF_INVALID, "classes is %llu, must be 2 to %d", (unsigned long long)classes, CLASSES_MAX);
    }
    if (context->classes && context->classes != classes) {
        return rf_fail(err, RF_INVALID, "classes is %llu, must be the %u that features.classes names",
                       (unsigned long long)classes, context->classes);
    }
    if (is_covariance && options->fields_max > COVARIANCE_FIELDS_MAX) {
        return rf_fail(err, RF_INVALID, "fields_max is %llu with model %s, must be at most %d",
                       (unsigned long long)options->fields_max, model, COVARIANCE_FIELDS_MAX);
    }
    if (options->model == RF_BAYES_BERNOULLI && options->hash_bits > BERNOULLI_BITS_MAX) {
        return rf_fail(err, RF_INVALID,
                       "hash_bits is %llu with model bernoulli, must be at most %d, as each record reads all rows",
                       (unsigned long long)options->hash_bits, BERNOULLI_BITS_MAX);
    }
    if (options->compatible == RF_BAYES_RIVER && options->model != RF_BAYES_GAUSSIAN) {
        return rf_fail(err, RF_INVALID, "compatible is river with model %s, must be none, or model gaussian", model);
    }
    if (context->vector_size > 0 || context->cross_count > 0) {
        return rf_fail(err, RF_INVALID, "features has %s, must have none with learner bayes",
                       context->vector_size > 0 ? "a vector" : "crosses");
    }
    *classes_out = (uint32_t)classes;
    return RF_OK;
}

static enum rf_status create_likelihood(const struct rf_bayes_options *options, const struct rf_learner_context *context,
                                        struct bayes *bayes, struct rf_error *err) {
    const struct rf_likelihood base = {
            .classes = bayes->classes,
            .smoothing = options->smoothing,
            .features_max = context->features_max > 0 ? context->features_max : 1,
            .records = bayes->records,
    };
    switch (options->model) {
    case RF_BAYES_GAUSSIAN:
        return rf_likelihood_gaussian_create(options, &base, &bayes->likelihood, err);
    case RF_BAYES_GAUSSIAN_SHARED:
    case RF_BAYES_GAUSSIAN_FULL:
        return rf_likelihood_covariance_create(options, &base, &bayes->likelihood, err);
    default:
        return rf_likelihood_count_create(options, &base, &bayes->likelihood, err);
    }
}

enum rf_status rf_learner_bayes_create(const void *options, const struct rf_learner_context *context,
                                       struct rf_learner **learner_out, struct rf_error *err) {
    const struct rf_bayes_options *own = options;
    uint32_t classes = 0;
    if (check_options(own, context, &classes, err) != RF_OK) {
        return err->status;
    }
    struct bayes *bayes = calloc(1, sizeof *bayes);
    if (!bayes) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    bayes->base = (struct rf_learner){
            .ops = &bayes_ops, .task = classes == 2 ? RF_TASK_BINARY : RF_TASK_MULTICLASS, .outputs = classes == 2 ? 1 : classes};
    bayes->classes = classes;
    bayes->smoothing = own->smoothing;
    bayes->hides_unmet = own->compatible == RF_BAYES_RIVER;
    bayes->records = calloc(classes, sizeof *bayes->records);
    bayes->joint = calloc(classes, sizeof *bayes->joint);
    if (!bayes->records || !bayes->joint) {
        rf_fail(err, RF_MEMORY, "out of memory for %u classes", classes);
        goto fail;
    }
    if (create_likelihood(own, context, bayes, err) != RF_OK) {
        goto fail;
    }
    *learner_out = &bayes->base;
    return RF_OK;
fail:
    bayes_destroy(&bayes->base);
    return err->status;
}
