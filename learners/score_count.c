#include "learners/score_count.h"

static enum rf_status choose_one(const struct rf_loss_ops *loss, uint64_t classes, const struct rf_learner_context *context,
                                 struct rf_error *err) {
    if (classes != 0) {
        return rf_fail(err, RF_INVALID, "classes is %llu with loss %s, must be given with losses of several classes only",
                       (unsigned long long)classes, loss->name);
    }
    if (loss->task == RF_TASK_REGRESSION && context->classes != 0) {
        return rf_fail(err, RF_INVALID, "features.classes names %u classes, must not be given with loss %s", context->classes,
                       loss->name);
    }
    if (context->classes != 0 && context->classes != 2) {
        return rf_fail(err, RF_INVALID,
                       "features.classes names %u classes, must be 2 with loss %s; several need one like softmax",
                       context->classes, loss->name);
    }
    return RF_OK;
}

enum rf_status rf_score_count(const struct rf_loss_ops *loss, uint64_t classes, const struct rf_learner_context *context,
                              uint32_t *outputs_out, struct rf_error *err) {
    if (loss->task != RF_TASK_MULTICLASS) {
        *outputs_out = 1;
        return choose_one(loss, classes, context, err);
    }
    uint64_t count = classes ? classes : context->classes;
    if (count < 2 || count > RF_CLASSES_MAX) {
        return rf_fail(err, RF_INVALID,
                       "loss %s has %llu classes, must be 2 to %d: name them in features.classes, or set classes", loss->name,
                       (unsigned long long)count, RF_CLASSES_MAX);
    }
    if (context->classes && context->classes != count) {
        return rf_fail(err, RF_INVALID, "classes is %llu, must be the %u that features.classes names", (unsigned long long)count,
                       context->classes);
    }
    *outputs_out = (uint32_t)count;
    return RF_OK;
}
