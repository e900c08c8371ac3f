#include "learners/loss.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { OUTPUTS = 4 };

static uint32_t outputs_of(const struct rf_loss *loss) {
    return loss->task == RF_TASK_MULTICLASS ? OUTPUTS : 1;
}

static double random_label(const struct rf_loss *loss, struct rf_random *random) {
    if (loss->task == RF_TASK_REGRESSION) {
        return 3 * rf_random_normal(random);
    }
    return (double)rf_random_below(random, loss->task == RF_TASK_BINARY ? 2 : OUTPUTS);
}

static void gradients_agree_with_central_differences(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 11);
    for (int l = 0; rf_loss_names[l]; l++) {
        const struct rf_loss *loss = rf_loss_at(l);
        assert_string_equal(loss->name, rf_loss_names[l]);
        uint32_t outputs = outputs_of(loss);
        for (int trial = 0; trial < 200; trial++) {
            double score[OUTPUTS], gradient[OUTPUTS];
            for (uint32_t k = 0; k < outputs; k++) {
                score[k] = 3 * rf_random_normal(&random);
            }
            double label = random_label(loss, &random);
            assert_true(loss->gradient(outputs, score, label, gradient));
            if (loss->is_margin && fabs(fabs(score[0]) - 1) < 1e-3) {
                continue; // next to the kink
            }
            for (uint32_t k = 0; k < outputs; k++) {
                double at = score[k], step = 1e-5;
                score[k] = at + step;
                double above = loss->value(outputs, score, label);
                score[k] = at - step;
                double below = loss->value(outputs, score, label);
                score[k] = at;
                double difference = (above - below) / (2 * step);
                if (!(fabs(difference - gradient[k]) < 1e-7 * fmax(1, fabs(difference)))) {
                    fail_msg("%s: gradient %.12g, difference %.12g", loss->name, gradient[k], difference);
                }
            }
        }
    }
}

static void labels_the_task_does_not_know_have_no_gradient(void **state) {
    (void)state;
    double score[OUTPUTS] = {0}, gradient[OUTPUTS] = {7, 7, 7, 7};
    for (int l = 0; rf_loss_names[l]; l++) {
        const struct rf_loss *loss = rf_loss_at(l);
        uint32_t outputs = outputs_of(loss);
        assert_false(loss->gradient(outputs, score, NAN, gradient));
        if (loss->task != RF_TASK_REGRESSION) {
            assert_false(loss->gradient(outputs, score, -1, gradient));
            assert_false(loss->gradient(outputs, score, 0.5, gradient));
            assert_false(loss->gradient(outputs, score, OUTPUTS, gradient));
            assert_false(loss->gradient(outputs, score, 1e300, gradient));
        }
        assert_true(gradient[0] == 7);
    }
}

static void predictions_of_extreme_scores_are_finite(void **state) {
    (void)state;
    for (int l = 0; rf_loss_names[l]; l++) {
        const struct rf_loss *loss = rf_loss_at(l);
        uint32_t outputs = outputs_of(loss);
        double score[OUTPUTS] = {1e206, -1e206, 0, 1e206}, prediction[OUTPUTS];
        for (uint32_t shift = 0; shift < OUTPUTS; shift++) {
            loss->link(outputs, score + (outputs == 1 ? shift : 0), prediction);
            for (uint32_t k = 0; k < outputs; k++) {
                assert_true(isfinite(prediction[k]));
            }
        }
    }
}

static void softmax_shares_one_among_the_classes(void **state) {
    (void)state;
    const struct rf_loss *softmax = rf_loss_at(3);
    double score[3] = {log(1), log(2), log(5)}, prediction[3];
    softmax->link(3, score, prediction);
    assert_true(fabs(prediction[0] - 0.125) < 1e-15);
    assert_true(fabs(prediction[1] - 0.25) < 1e-15);
    assert_true(fabs(prediction[2] - 0.625) < 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(gradients_agree_with_central_differences),
            cmocka_unit_test(labels_the_task_does_not_know_have_no_gradient),
            cmocka_unit_test(predictions_of_extreme_scores_are_finite),
            cmocka_unit_test(softmax_shares_one_among_the_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
