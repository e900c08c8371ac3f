#include "learners/learner.h"

#include <assert.h>
#include <string.h>

void rf_learner_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                     struct rf_predictions *predictions) {
    assert(begin <= end && end <= examples->count);
    assert(predictions->outputs == self->outputs);
    self->ops->fold(self, examples, begin, end, predictions);
}

void rf_learner_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out) {
    assert(index < examples->count);
    self->ops->predict(self, examples, index, score_out);
}

size_t rf_learner_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                          struct rf_contribution *list, size_t capacity) {
    assert(index < examples->count);
    return self->ops->explain ? self->ops->explain(self, examples, index, list, capacity) : 0;
}

bool rf_learner_weights(const struct rf_learner *self, rf_learner_visit *visit, void *context) {
    if (!self->ops->weights) {
        return false;
    }
    self->ops->weights(self, visit, context);
    return true;
}

void rf_learner_link(const struct rf_learner *self, const double *score, double *prediction_out) {
    if (self->ops->link) {
        self->ops->link(self, score, prediction_out);
    } else {
        memcpy(prediction_out, score, self->outputs * sizeof *score);
    }
}

void rf_learner_state(struct rf_learner *self, struct rf_state *state) {
    self->ops->state(self, state);
}

enum rf_status rf_learner_check(const struct rf_learner *self, struct rf_error *err) {
    if (self->ops->check && self->ops->check(self, err) != RF_OK) {
        return rf_fail_in(err, "learner %s", self->ops->name);
    }
    return RF_OK;
}

bool rf_learner_note(const struct rf_learner *self, char *text_out, size_t size) {
    return self->ops->note && self->ops->note(self, text_out, size);
}

void rf_learner_destroy(struct rf_learner *self) {
    if (self) {
        self->ops->destroy(self);
    }
}

const struct rf_variant rf_learner_variants[] = {
        {"linear", "linear and logistic regression, linear classifiers", rf_linear_settings, sizeof(struct rf_linear_options),
         &(const struct rf_learner_kind){rf_learner_linear_create}},
        {"bayes", "Bayes' rule: Gaussian (naive or with covariance), multinomial, Bernoulli", rf_bayes_settings,
         sizeof(struct rf_bayes_options), &(const struct rf_learner_kind){rf_learner_bayes_create}},
        {"dense", "linear models of the vector of every example, by record or by mini-batch", rf_dense_settings,
         sizeof(struct rf_dense_options), &(const struct rf_learner_kind){rf_learner_dense_create}},
        {0},
};

enum rf_status rf_learner_create(const struct rf_variant_value *value, const struct rf_learner_context *context,
                                 struct rf_learner **learner_out, struct rf_error *err) {
    if (!value->kind) {
        return rf_fail(err, RF_INVALID, "learner is absent, must be given");
    }
    const struct rf_learner_kind *kind = value->kind->registration;
    if (kind->create(value->options, context, learner_out, err) != RF_OK) {
        return rf_fail_in(err, "learner %s", value->kind->name);
    }
    return RF_OK;
}
