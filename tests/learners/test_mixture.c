#include "learners/mixture.h"
#include "proto/math.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { EXPERTS = 3, OUTPUTS = 3 };

static struct rf_mixture *create(const char *loss_name, uint32_t outputs) {
    struct rf_variant_value value = variant_of(rf_loss_variants, loss_name);
    struct rf_loss loss;
    struct rf_error err;
    struct rf_mixture *mixture = NULL;
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    loss.outputs = outputs;
    assert_int_equal(rf_mixture_create(&loss, EXPERTS, &mixture, &err), RF_OK);
    variant_finish(&value);
    return mixture;
}

static void assert_sound(const struct rf_mixture *mixture) {
    struct rf_error err;
    if (rf_mixture_check(mixture, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

static double odds(double p) {
    return rf_log(p / (1 - p));
}

// Of the log loss of a mixture, and of each expert; expert e of phase t / length errs least where e is the phase.
static double run_binary(struct rf_mixture *mixture, size_t count, size_t length, double *loss_out) {
    struct rf_random random;
    rf_random_init(&random, 1);
    double loss = 0;
    for (size_t t = 0; t < count; t++) {
        double label = (double)rf_random_below(&random, 2), p[EXPERTS], score[EXPERTS], mixed;
        for (size_t e = 0; e < EXPERTS; e++) {
            bool is_good = e == t / length % EXPERTS;
            double right = rf_random_uniform(&random) < (is_good ? 0.9 : 0.5) ? label : 1 - label;
            p[e] = right == 1 ? 0.9 : 0.1;
            score[e] = odds(p[e]);
            loss_out[e] -= rf_log(label == 1 ? p[e] : 1 - p[e]);
        }
        rf_mixture_predict(mixture, score, p, &mixed);
        assert_true(mixed > 0 && mixed < 1);
        loss -= rf_log(label == 1 ? mixed : 1 - mixed);
        rf_mixture_learn(mixture, score, p, label, 1, 0);
    }
    assert_sound(mixture);
    return loss;
}

static void log_loss_is_that_of_the_best_but_for_the_promise(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("logistic", 1);
    double loss[EXPERTS] = {0};
    double total = run_binary(mixture, 3000, 3000, loss);
    assert_true(loss[0] < loss[1] && loss[0] < loss[2]);
    assert_true(total <= loss[0] + rf_log(EXPERTS + 1) + 0.5);
    rf_mixture_destroy(mixture);
}

static void a_change_of_the_best_is_followed(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("logistic", 1);
    double loss[EXPERTS] = {0};
    double total = run_binary(mixture, 3000, 1000, loss);
    double best = 3000 * -(0.9 * rf_log(0.9) + 0.1 * rf_log(0.1)); // of whoever is good
    for (size_t e = 0; e < EXPERTS; e++) {
        assert_true(loss[e] > best + 500);
    }
    assert_true(total < best + 150);
    rf_mixture_destroy(mixture);
}

// By hand: Bayes' rule, then a share of 1 / (2 (t + 2) log(t + 2 + e)^2) for each of the classes' experts alike.
static void weights_are_bayes_with_a_share(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("softmax", OUTPUTS);
    static const double p[EXPERTS * OUTPUTS] = {0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.3, 0.3, 0.4};
    static const double labels[] = {0, 1, 1, 2, 1}, weights[] = {1, 1, 2.5, 1, 0.5};
    double weight[EXPERTS] = {1.0 / 3, 1.0 / 3, 1.0 / 3}, share[EXPERTS];
    for (size_t t = 0; t < sizeof labels / sizeof labels[0]; t++) {
        double mixed[OUTPUTS], sum = 0;
        rf_mixture_predict(mixture, p, p, mixed);
        for (size_t k = 0; k < OUTPUTS; k++) {
            assert_true(fabs(mixed[k] - (weight[0] * p[k] + weight[1] * p[3 + k] + weight[2] * p[6 + k])) < 1e-14);
        }
        rf_mixture_learn(mixture, p, p, labels[t], weights[t], 0);
        double part = 0.5 / (((double)t + 2) * pow(log((double)t + 2 + exp(1)), 2));
        for (size_t e = 0; e < EXPERTS; e++) {
            weight[e] *= pow(p[e * OUTPUTS + (size_t)labels[t]], weights[t]);
            sum += weight[e];
        }
        for (size_t e = 0; e < EXPERTS; e++) {
            weight[e] = (1 - part) * weight[e] / sum + part / EXPERTS;
        }
        rf_mixture_shares(mixture, share);
        for (size_t e = 0; e < EXPERTS; e++) {
            assert_true(fabs(share[e] - weight[e]) < 1e-14);
        }
    }
    rf_mixture_destroy(mixture);
}

// Two experts who are each right where the other knows nothing: their log odds add up, their probabilities do not.
static void the_stack_learns_what_no_weights_can(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("logistic", 1);
    struct rf_random random;
    rf_random_init(&random, 4);
    double loss = 0, best = 0;
    for (size_t t = 0; t < 4000; t++) {
        double a = 2 * rf_random_normal(&random), b = 2 * rf_random_normal(&random), mixed;
        double label = rf_random_uniform(&random) < rf_sigmoid(a + b);
        double score[EXPERTS] = {a, b, 0}, p[EXPERTS] = {rf_sigmoid(a), rf_sigmoid(b), 0.5};
        rf_mixture_predict(mixture, score, p, &mixed);
        loss -= rf_log(label == 1 ? mixed : 1 - mixed);
        best += rf_softplus(label == 1 ? -(a + b) : a + b);
        rf_mixture_learn(mixture, score, p, label, 1, 0);
    }
    assert_sound(mixture);
    assert_true(loss < 1.02 * best);
    rf_mixture_destroy(mixture);
}

// The bound of the paper, with losses between 0 and 4.
static void losses_are_those_of_the_best_but_for_the_promise(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("squared", 1);
    struct rf_random random;
    rf_random_init(&random, 2);
    double loss[EXPERTS] = {0}, total = 0;
    for (size_t t = 0; t < 2000; t++) {
        double label = 2 * rf_random_uniform(&random) - 1, mixed;
        double p[EXPERTS] = {label * 0.8, rf_random_uniform(&random), -label};
        rf_mixture_predict(mixture, p, p, &mixed);
        total += (mixed - label) * (mixed - label);
        for (size_t e = 0; e < EXPERTS; e++) {
            loss[e] += (p[e] - label) * (p[e] - label);
        }
        rf_mixture_learn(mixture, p, p, label, 1, 0);
    }
    double range = 4, log = rf_log(EXPERTS);
    assert_sound(mixture);
    assert_true(total <= loss[0] + 2 * sqrt(range * loss[0] * log) + range * (16.0 / 3 * log + 2));
    rf_mixture_destroy(mixture);
}

static void an_absurd_label_does_not_decide(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("squared", 1);
    struct rf_random random;
    rf_random_init(&random, 6);
    double late = 0;
    for (size_t t = 0; t < 1000; t++) {
        double label = rf_random_normal(&random), mixed;
        const double p[EXPERTS] = {label + 0.1, 1, 2};
        rf_mixture_predict(mixture, p, p, &mixed);
        late += t > 600 ? (mixed - label) * (mixed - label) : 0;
        rf_mixture_learn(mixture, p, p, t == 500 ? 1e30 : label, 1, 0); // 1 and 2 are nearer to it than most labels
    }
    assert_sound(mixture);
    assert_true(late / 399 < 0.02);
    rf_mixture_destroy(mixture);
}

static void forged_states_are_refused(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("logistic", 1);
    struct rf_state blocks;
    struct rf_error err;
    rf_state_init(&blocks);
    rf_mixture_state(mixture, "mixture", &blocks);
    const struct rf_block *block = rf_state_find(&blocks, "mixture");
    double loss[EXPERTS] = {0};
    run_binary(mixture, 50, 50, loss);
    for (size_t c = 0; c < block->column_count; c++) {
        double *cell = (double *)(void *)((char *)block->data + block->columns[c].offset), kept = *cell;
        static const double forged[] = {NAN, INFINITY, -1e300, 1e300};
        for (size_t i = 0; i < 4; i++) {
            *cell = forged[i];
            assert_int_equal(rf_mixture_check(mixture, &err), RF_CORRUPT);
        }
        *cell = kept;
        assert_sound(mixture);
    }
    rf_state_finish(&blocks);
    rf_mixture_destroy(mixture);
}

// A spread that no stream leaves behind is within its bounds and passes; learning from it stays finite.
static void a_forged_spread_does_no_harm(void **state) {
    (void)state;
    struct rf_mixture *mixture = create("logistic", 1);
    struct rf_state blocks;
    rf_state_init(&blocks);
    rf_mixture_state(mixture, "mixture", &blocks);
    const struct rf_block *block = rf_state_find(&blocks, "mixture");
    for (size_t c = 0; c < block->column_count; c++) {
        double *cell = (double *)(void *)((char *)block->data + block->columns[c].offset);
        for (uint32_t i = 0; strcmp(block->columns[c].name, "spread") == 0 && i < block->columns[c].count; i++) {
            cell[i] = i % 3 ? -1.9 : 1.9;
        }
    }
    assert_sound(mixture);
    double loss[EXPERTS] = {0};
    run_binary(mixture, 500, 100, loss); // ends with the check
    rf_state_finish(&blocks);
    rf_mixture_destroy(mixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(log_loss_is_that_of_the_best_but_for_the_promise),
            cmocka_unit_test(a_change_of_the_best_is_followed),
            cmocka_unit_test(weights_are_bayes_with_a_share),
            cmocka_unit_test(the_stack_learns_what_no_weights_can),
            cmocka_unit_test(losses_are_those_of_the_best_but_for_the_promise),
            cmocka_unit_test(an_absurd_label_does_not_decide),
            cmocka_unit_test(forged_states_are_refused),
            cmocka_unit_test(a_forged_spread_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
