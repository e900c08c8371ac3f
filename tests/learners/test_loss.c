#include "learners/loss.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>

enum { OUTPUTS = 4 };

// A loss of the registry with its defaults.
static struct rf_loss loss_of(const struct rf_variant *kind) {
    struct rf_variant_value value = variant_of(rf_loss_variants, kind->name);
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    assert_string_equal(loss.ops->name, kind->name);
    loss.outputs = loss.ops->task == RF_TASK_MULTICLASS ? OUTPUTS : 1;
    variant_finish(&value);
    return loss;
}

static double random_label(const struct rf_loss *loss, struct rf_random *random) {
    if (loss->ops->task == RF_TASK_REGRESSION) {
        return 3 * rf_random_normal(random);
    }
    return (double)rf_random_below(random, loss->ops->task == RF_TASK_BINARY ? 2 : OUTPUTS);
}

static void gradients_agree_with_central_differences(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 11);
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        for (int trial = 0; trial < 200; trial++) {
            double score[OUTPUTS], gradient[OUTPUTS];
            for (uint32_t k = 0; k < loss.outputs; k++) {
                score[k] = 3 * rf_random_normal(&random);
            }
            double label = random_label(&loss, &random);
            assert_true(rf_loss_gradient(&loss, score, label, gradient));
            if (loss.ops->is_margin && fabs(fabs(score[0]) - 1) < 1e-3) {
                continue; // next to the kink
            }
            for (uint32_t k = 0; k < loss.outputs; k++) {
                double at = score[k], step = 1e-5;
                score[k] = at + step;
                double above = rf_loss_value(&loss, score, label);
                score[k] = at - step;
                double below = rf_loss_value(&loss, score, label);
                score[k] = at;
                double difference = (above - below) / (2 * step);
                if (!(fabs(difference - gradient[k]) < 1e-7 * fmax(1, fabs(difference)))) {
                    fail_msg("%s: gradient %.12g, difference %.12g", loss.ops->name, gradient[k], difference);
                }
            }
        }
    }
}

static void labels_the_task_does_not_know_have_no_gradient(void **state) {
    (void)state;
    double score[OUTPUTS] = {0}, gradient[OUTPUTS] = {7, 7, 7, 7};
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        assert_false(rf_loss_gradient(&loss, score, NAN, gradient));
        if (loss.ops->task != RF_TASK_REGRESSION) {
            assert_false(rf_loss_gradient(&loss, score, -1, gradient));
            assert_false(rf_loss_gradient(&loss, score, 0.5, gradient));
            assert_false(rf_loss_gradient(&loss, score, OUTPUTS, gradient));
            assert_false(rf_loss_gradient(&loss, score, 1e300, gradient));
        }
        assert_true(gradient[0] == 7);
    }
}

static void predictions_of_extreme_scores_are_finite(void **state) {
    (void)state;
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        double score[OUTPUTS] = {1e206, -1e206, 0, 1e206}, prediction[OUTPUTS];
        for (uint32_t shift = 0; shift < OUTPUTS; shift++) {
            rf_loss_link(&loss, score + (loss.outputs == 1 ? shift : 0), prediction);
            for (uint32_t k = 0; k < loss.outputs; k++) {
                assert_true(isfinite(prediction[k]));
            }
        }
    }
}

static void softmax_shares_one_among_the_classes(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_loss_variants, "softmax");
    struct rf_loss softmax;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&value, &softmax, &err), RF_OK);
    softmax.outputs = 3;
    variant_finish(&value);
    double score[3] = {log(1), log(2), log(5)}, prediction[3];
    rf_loss_link(&softmax, score, prediction);
    assert_true(fabs(prediction[0] - 0.125) < 1e-15);
    assert_true(fabs(prediction[1] - 0.25) < 1e-15);
    assert_true(fabs(prediction[2] - 0.625) < 1e-15);
}

// The flow against a great many small steps of the gradient.
static void flows_are_what_small_steps_add_up_to(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 12);
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        for (int trial = 0; loss.ops->flow && trial < 20; trial++) {
            double start = 2 * rf_random_normal(&random), label = random_label(&loss, &random);
            double importance = rf_random_uniform(&random) * 3, score = start, gradient;
            enum { STEPS = 200000 };
            for (int i = 0; i < STEPS; i++) {
                assert_true(rf_loss_gradient(&loss, &score, label, &gradient));
                score -= gradient * importance / STEPS;
            }
            double change = loss.ops->flow(&loss, 0, start, label, importance);
            if (!(fabs(start + change - score) < 1e-4 * fmax(1, fabs(score)))) {
                fail_msg("%s: from %g over %g to %g, flow says %g", kind->name, start, importance, score, start + change);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(gradients_agree_with_central_differences),
            cmocka_unit_test(labels_the_task_does_not_know_have_no_gradient),
            cmocka_unit_test(predictions_of_extreme_scores_are_finite),
            cmocka_unit_test(flows_are_what_small_steps_add_up_to),
            cmocka_unit_test(softmax_shares_one_among_the_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
