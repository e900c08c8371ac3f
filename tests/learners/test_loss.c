#include "learners/lambert.h"
#include "learners/loss.h"
#include "proto/math.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
        double label = 3 * rf_random_normal(random);
        if (loss->ops == &rf_loss_hinge_factor) {
            return label < 0 ? -1 : 1; // of other labels the flow is Vowpal Wabbit's, not that of the loss
        }
        return loss->ops == &rf_loss_poisson ? fabs(label) : label;
    }
    return (double)rf_random_below(random, loss->ops->task == RF_TASK_BINARY ? 2 : OUTPUTS);
}

static double gradient_near(const struct rf_loss *loss, const double *score, uint32_t k, double label, double distance) {
    double near[OUTPUTS], gradient[OUTPUTS];
    memcpy(near, score, loss->outputs * sizeof *score);
    near[k] += distance;
    assert_true(rf_loss_gradient(loss, near, label, gradient));
    return gradient[k];
}

static bool is_next_to_a_corner(const struct rf_loss *loss, const double *score, uint32_t k, double label) {
    double below = gradient_near(loss, score, k, label, -1e-4), above = gradient_near(loss, score, k, label, 1e-4);
    return fabs(above - below) > 0.01 * fmax(1, fabs(above));
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
            for (uint32_t k = 0; k < loss.outputs; k++) {
                if (is_next_to_a_corner(&loss, score, k, label)) {
                    continue;
                }
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

// Gradients, values and flows of what a learner lets through.
static void losses_of_extreme_scores_are_finite(void **state) {
    (void)state;
    static const double sizes[] = {0, 1e-300, 1, 49.99, 50.01, 745, 1e4, 1e30};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        for (int trial = 0; trial < 2 * SIZES * 2 * SIZES * SIZES; trial++) {
            double first = sizes[trial / 2 % SIZES] * (trial % 2 ? -1 : 1);
            double label = sizes[trial / (4 * SIZES) % SIZES] * (trial / (2 * SIZES) % 2 ? -1 : 1);
            double importance = sizes[trial / (4 * SIZES * SIZES) % SIZES];
            double score[OUTPUTS] = {first, -first, 0, 3}, gradient[OUTPUTS];
            label = loss.ops->task == RF_TASK_REGRESSION ? label : label > 1;
            if (!rf_loss_gradient(&loss, score, label, gradient)) {
                continue;
            }
            assert_true(isfinite(rf_loss_value(&loss, score, label)));
            for (uint32_t k = 0; k < loss.outputs; k++) {
                assert_true(isfinite(gradient[k]));
                double change = loss.ops->flow ? loss.ops->flow(&loss, k, score[k], label, importance) : 0;
                if (!isfinite(change) || (change != 0 && (change > 0) != (gradient[k] < 0))) {
                    fail_msg("%s: score %g, label %g, importance %g: flow %g, gradient %g", kind->name, score[k], label,
                             importance, change, gradient[k]);
                }
            }
        }
    }
}

// The flow against a great many small steps of the gradient.
static void flows_are_what_small_steps_add_up_to(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 12);
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        for (int trial = 0; loss.ops->flow && trial < 20; trial++) {
            double start[OUTPUTS], score[OUTPUTS], gradient[OUTPUTS], label = random_label(&loss, &random);
            for (uint32_t k = 0; k < loss.outputs; k++) {
                score[k] = start[k] = 2 * rf_random_normal(&random);
            }
            double importance = rf_random_uniform(&random) * 3;
            enum { STEPS = 200000 };
            for (int i = 0; i < STEPS; i++) {
                assert_true(rf_loss_gradient(&loss, score, label, gradient));
                for (uint32_t k = 0; k < loss.outputs; k++) {
                    score[k] -= gradient[k] * importance / STEPS;
                }
            }
            for (uint32_t k = 0; k < loss.outputs; k++) {
                double change = loss.ops->flow(&loss, k, start[k], label, importance);
                if (!(fabs(start[k] + change - score[k]) < 1e-3 * fmax(1, fabs(score[k])))) {
                    fail_msg("%s: from %g over %g to %g, flow says %g", kind->name, start[k], importance, score[k],
                             start[k] + change);
                }
            }
        }
    }
}

// What the weight of a record means to a rule that follows the flow: weight 2 is the record twice.
static void flows_over_two_are_flows_over_one_twice(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 13);
    for (const struct rf_variant *kind = rf_loss_variants; kind->name; kind++) {
        struct rf_loss loss = loss_of(kind);
        for (int trial = 0; loss.ops->flow && trial < 2000; trial++) {
            double label = random_label(&loss, &random);
            double start = rf_random_normal(&random) * (trial % 2 ? 3 : 60);
            double importance = rf_exp(4 * rf_random_normal(&random));
            double once = start + loss.ops->flow(&loss, 0, start, label, importance);
            double twice = once + loss.ops->flow(&loss, 0, once, label, importance);
            double at_once = start + loss.ops->flow(&loss, 0, start, label, 2 * importance);
            if (!(fabs(twice - at_once) < 1e-12 * fmax(1, fabs(start)))) {
                fail_msg("%s: from %g over %g: %.17g, twice %.17g", kind->name, start, importance, at_once, twice);
            }
        }
    }
}

// The equation that defines it, solved by halving in long double.
static void the_climb_of_logistic_solves_its_equation(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 14);
    double worst = 0;
    for (int trial = 0; trial < 20000; trial++) {
        double score = rf_random_normal(&random) * (trial % 3 ? 4 : 20);
        double importance = rf_exp(6 * rf_random_normal(&random));
        long double power = expl(score), low = 0, high = importance;
        for (int i = 0; i < 200; i++) {
            long double d = (low + high) / 2;
            *(d + power * expm1l(d) < importance ? &low : &high) = d;
        }
        double climb = rf_lambert_climb(score, importance);
        worst = fmax(worst, (double)(fabsl(climb - low) / low));
    }
    printf("    relative error at most %.3g\n", worst);
    assert_true(worst < 1e-14);
    assert_true(rf_lambert_climb(0, 0) == 0 && rf_lambert_climb(800, 5) == 0 && rf_lambert_climb(-1e30, 7) == 7);
    // W(e^2) = 1.5571455989976114: from score 0 over 1 to e^s = W(e^(0 + 1 + 1)).
    assert_true(fabs(rf_exp(rf_lambert_climb(0, 1)) - 1.5571455989976114) < 1e-15);
}

static struct rf_loss against_all_by(const char *base, uint32_t outputs) {
    struct rf_variant_value value = variant_of(rf_loss_variants, "one_against_all");
    struct rf_loss loss;
    struct rf_error err;
    set_option(&value, "base", base);
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    loss.outputs = outputs;
    variant_finish(&value);
    return loss;
}

static void one_against_all_by_any_base_gives_probabilities_in_the_order_of_scores(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 15);
    static const char *const bases[] = {"logistic", "squared", "hinge"};
    for (size_t b = 0; b < 3; b++) {
        struct rf_loss loss = against_all_by(bases[b], OUTPUTS);
        for (int trial = 0; trial < 1000; trial++) {
            static const double sizes[] = {0.1, 2, 30, 1e4};
            double score[OUTPUTS], prediction[OUTPUTS], sum = 0;
            for (uint32_t k = 0; k < OUTPUTS; k++) {
                score[k] = rf_random_normal(&random) * sizes[trial % 4] - (trial % 2) * sizes[trial % 4];
            }
            rf_loss_link(&loss, score, prediction);
            for (uint32_t k = 0; k < OUTPUTS; k++) {
                assert_true(prediction[k] >= 0 && prediction[k] <= 1 + 1e-12);
                sum += prediction[k];
                for (uint32_t j = 0; j < OUTPUTS; j++) {
                    assert_true(!(score[k] > score[j] && prediction[k] < prediction[j]));
                }
            }
            assert_true(fabs(sum - 1) < 1e-9);
        }
    }
}

static void one_against_all_by_squared_keeps_probabilities_that_add_up(void **state) {
    (void)state;
    struct rf_loss loss = against_all_by("squared", 3);
    double score[3] = {2 * 0.5 - 1, 2 * 0.3 - 1, 2 * 0.2 - 1}, prediction[3];
    rf_loss_link(&loss, score, prediction);
    assert_true(fabs(prediction[0] - 0.5) < 1e-15 && fabs(prediction[1] - 0.3) < 1e-15 && fabs(prediction[2] - 0.2) < 1e-15);
    double far[3] = {7, 3, -2};
    rf_loss_link(&loss, far, prediction);
    assert_true(prediction[0] == 1 && prediction[1] == 0 && prediction[2] == 0);
}

static void every_base_of_one_against_all_has_its_gradient_and_flow(void **state) {
    (void)state;
    static const struct {
        const char *base;
        double at_own, at_other;
    } cases[] = {{"logistic", -0.5, 0.5}, {"squared", -2, 2}, {"hinge", -1, 1}};
    for (size_t i = 0; i < 3; i++) {
        struct rf_loss loss = against_all_by(cases[i].base, 3);
        double score[3] = {0, 0, 0}, gradient[3];
        assert_true(rf_loss_gradient(&loss, score, 1, gradient));
        assert_true(gradient[0] == cases[i].at_other && gradient[1] == cases[i].at_own && gradient[2] == cases[i].at_other);
        for (uint32_t k = 0; k < 3; k++) {
            double change = loss.ops->flow(&loss, k, 0, 1, 1e-9);
            assert_true(fabs(change + 1e-9 * gradient[k]) < 1e-15);
        }
        assert_int_equal(loss.is_passive, i == 2);
    }
}

static void hinge_factor_takes_labels_for_factors(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_loss_variants, "hinge_factor");
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    double score = 0.5, gradient = 7;
    assert_true(rf_loss_gradient(&loss, &score, 0.4, &gradient));
    assert_true(gradient == -0.4 && rf_loss_value(&loss, &score, 0.4) == 1 - 0.4 * 0.5);
    assert_true(loss.ops->flow(&loss, 0, score, 0.4, 0.25) == 0.4 * 0.25);
    assert_true(loss.ops->flow(&loss, 0, score, 0.4, 100) == 0.4 * (1 - 0.4 * 0.5));
    score = 2.5;
    assert_true(rf_loss_gradient(&loss, &score, 0.4, &gradient));
    assert_true(gradient == 0 && rf_loss_value(&loss, &score, 0.4) == 0 && loss.ops->flow(&loss, 0, score, 0.4, 1) == 0);
    assert_false(rf_loss_gradient(&loss, &score, 1.5, &gradient));
    assert_false(rf_loss_gradient(&loss, &score, -1.5, &gradient));
    variant_finish(&value);
}

static void labels_are_smoothed_over_all_classes(void **state) {
    (void)state;
    struct rf_variant_value value = variant_of(rf_loss_variants, "label_smoothed_softmax");
    struct rf_loss loss;
    struct rf_error err;
    set_option(&value, "smoothing", "0.3");
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    loss.outputs = 3;
    // The loss is least, and its gradient 0, at the smoothed labels themselves.
    double score[3] = {log(0.1), log(0.8), log(0.1)}, gradient[3];
    assert_true(rf_loss_gradient(&loss, score, 1, gradient));
    for (uint32_t k = 0; k < 3; k++) {
        assert_true(fabs(gradient[k]) < 1e-15);
    }
    variant_finish(&value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(gradients_agree_with_central_differences),
            cmocka_unit_test(labels_the_task_does_not_know_have_no_gradient),
            cmocka_unit_test(predictions_of_extreme_scores_are_finite),
            cmocka_unit_test(losses_of_extreme_scores_are_finite),
            cmocka_unit_test(flows_over_two_are_flows_over_one_twice),
            cmocka_unit_test(the_climb_of_logistic_solves_its_equation),
            cmocka_unit_test(one_against_all_by_any_base_gives_probabilities_in_the_order_of_scores),
            cmocka_unit_test(one_against_all_by_squared_keeps_probabilities_that_add_up),
            cmocka_unit_test(every_base_of_one_against_all_has_its_gradient_and_flow),
            cmocka_unit_test(labels_are_smoothed_over_all_classes),
            cmocka_unit_test(hinge_factor_takes_labels_for_factors),
            cmocka_unit_test(flows_are_what_small_steps_add_up_to),
            cmocka_unit_test(softmax_shares_one_among_the_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
