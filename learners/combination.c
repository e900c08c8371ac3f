#include "learners/combination.h"
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "learners/rate.h"

static enum rf_status check_regularisers(const char *optimizer, unsigned allowed, double l1, double l2, struct rf_error *err) {
    if (l1 > 0 && !(allowed & RF_REGULARISER_L1)) {
        return rf_fail(err, RF_INVALID,
                       "l1 is %g with optimizer %s, must be 0; optimizer sgd knows l1, adaptive and ftrl have one of their own",
                       l1, optimizer);
    }
    if (l2 > 0 && !(allowed & RF_REGULARISER_L2)) {
        return rf_fail(err, RF_INVALID, "l2 is %g with optimizer %s, must be 0; ftrl has one of its own", l2, optimizer);
    }
    return RF_OK;
}

static enum rf_status check_rate(const char *optimizer, unsigned allowed, const struct rf_rate *rate, struct rf_error *err) {
    if (!(allowed >> rate->decay & 1)) {
        return rf_fail(err, RF_INVALID, "rate_decay is %s with optimizer %s, which does not know it",
                       rf_rate_decay_names[rate->decay], optimizer);
    }
    if (rate->warm_up > 0 && !(allowed & RF_RATES_WARM_UP)) {
        return rf_fail(err, RF_INVALID, "rate_warm_up is %llu with optimizer %s, must be 0", (unsigned long long)rate->warm_up,
                       optimizer);
    }
    return RF_OK;
}

enum rf_status rf_combination_check(const struct rf_loss *loss, const struct rf_variant_value *optimizer, double l1, double l2,
                                    struct rf_error *err) {
    if (!optimizer->kind) {
        return rf_fail(err, RF_INVALID, "optimizer is absent, must be given");
    }
    const char *name = optimizer->kind->name;
    const struct rf_combination *row = &((const struct rf_optimizer_kind *)optimizer->kind->registration)->combination;
    if (row->needs_flow && !loss->ops->flow) {
        return rf_fail(err, RF_INVALID,
                       "loss %s does not go with optimizer %s, must be one whose gradient flow has a closed form",
                       loss->ops->name, name);
    }
    if (row->needs_passive && !loss->is_passive) {
        return rf_fail(
                err, RF_INVALID,
                "loss %s does not go with optimizer %s, must be one that comes to 0: hinge, epsilon_insensitive, absolute, or "
                "one_against_all of hinge",
                loss->ops->name, name);
    }
    if (check_regularisers(name, row->regularisers, l1, l2, err) != RF_OK) {
        return err->status;
    }
    bool has_average = row->average_offset && *((const bool *)optimizer->options + row->average_offset);
    if (has_average && (l1 > 0 || l2 > 0)) {
        return rf_fail(err, RF_INVALID,
                       "average is true with l1 %g and l2 %g, must be false, or these 0: absent features must stay", l1, l2);
    }
    if (row->rate_offset == RF_NO_RATE) {
        return RF_OK;
    }
    const void *rate = (const char *)optimizer->options + row->rate_offset;
    return check_rate(name, row->rates, rate, err);
}
