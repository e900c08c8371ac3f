// Passive-aggressive steps against the problem they solve, averages against the mean of all weights there were.
#include "learners/optimizer.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

enum { ROW_BITS = 3, ROWS = (1 << ROW_BITS) + 1, INPUTS = 5, OUTPUTS = 3 };

struct problem { // one record
    uint32_t rows[INPUTS];
    double x[INPUTS];
    double label, weight;
};

static struct rf_loss loss_of(const char *name, const char *option, const char *text) {
    struct rf_variant_value value = variant_of(rf_loss_variants, name);
    struct rf_loss loss;
    struct rf_error err;
    if (option) {
        set_option(&value, option, text);
    }
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    variant_finish(&value);
    return loss;
}

static struct rf_optimizer *create(const char *kind, const char *const (*options)[2], const struct rf_loss *loss) {
    struct rf_variant_value value = variant_of(rf_optimizer_variants, kind);
    for (size_t i = 0; i < 4 && options[i][0]; i++) {
        set_option(&value, options[i][0], options[i][1]);
    }
    const struct rf_optimizer_context context = {.outputs = loss->outputs, .row_bits = ROW_BITS, .is_double = true};
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    if (rf_optimizer_create(&value, &context, &optimizer, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(rf_optimizer_reserve(optimizer, INPUTS, &err), RF_OK);
    variant_finish(&value);
    return optimizer;
}

static void learn(struct rf_optimizer *optimizer, const struct rf_loss *loss, const struct problem *problem) {
    double score[OUTPUTS], gradient[OUTPUTS], largest = 0;
    rf_optimizer_advance(optimizer, problem->rows, INPUTS);
    rf_optimizer_score_ahead(optimizer, problem->rows, problem->x, INPUTS, score);
    assert_true(rf_loss_gradient(loss, score, problem->label, gradient));
    for (size_t i = 0; i < INPUTS; i++) {
        largest = fmax(largest, fabs(problem->x[i]));
    }
    for (uint32_t k = 0; k < loss->outputs; k++) {
        gradient[k] *= problem->weight;
    }
    const struct rf_step step = {.rows = problem->rows,
                                 .x = problem->x,
                                 .count = INPUTS,
                                 .x_largest = largest,
                                 .score = score,
                                 .gradient = gradient,
                                 .loss = loss,
                                 .label = problem->label,
                                 .weight = problem->weight};
    assert_true(rf_optimizer_step(optimizer, &step));
}

static void gather_all(const struct rf_optimizer *optimizer, double *weight_out) {
    uint32_t rows[ROWS];
    for (uint32_t row = 0; row < ROWS; row++) {
        rows[row] = row;
    }
    rf_optimizer_gather(optimizer, rows, ROWS, weight_out);
}

// Two of the features share a row.
static struct problem random_problem(struct rf_random *random, const struct rf_loss *loss) {
    struct problem problem = {.label = loss->ops->task == RF_TASK_REGRESSION
                                               ? 2 * rf_random_normal(random)
                                               : (double)rf_random_below(random, loss->outputs > 1 ? OUTPUTS : 2),
                              .weight = 1};
    for (size_t i = 0; i < INPUTS; i++) {
        problem.rows[i] = i == 1 ? problem.rows[0] : (uint32_t)rf_random_below(random, ROWS);
        problem.x[i] = rf_random_normal(random);
    }
    return problem;
}

static double score_of(const double *weight, uint32_t outputs, uint32_t k, const struct problem *problem) {
    double score = 0;
    for (size_t i = 0; i < INPUTS; i++) {
        score += weight[problem->rows[i] * outputs + k] * problem->x[i];
    }
    return score;
}

// What the paper minimises: half the squared distance from the weights before, and C times the loss (II: its square).
static double objective(const double *before, const double *weight, const struct rf_loss *loss, const struct problem *problem,
                        double c, bool is_squared) {
    double score[OUTPUTS], sum = 0;
    for (size_t i = 0; i < (size_t)ROWS * loss->outputs; i++) {
        sum += (weight[i] - before[i]) * (weight[i] - before[i]) / 2;
    }
    for (uint32_t k = 0; k < loss->outputs; k++) {
        score[k] = score_of(weight, loss->outputs, k, problem);
    }
    double value = rf_loss_value(loss, score, problem->label);
    return sum + c * (is_squared ? value * value : value);
}

static void check_least(const struct rf_loss *loss, const char *variant, const char *c_text, double c) {
    const char *const options[4][2] = {{"variant", variant}, {"c", c_text}};
    struct rf_optimizer *optimizer = create("passive_aggressive", options, loss);
    struct rf_random random;
    rf_random_init(&random, 41);
    size_t size = (size_t)ROWS * loss->outputs, moved = 0;
    for (int trial = 0; trial < 200; trial++) {
        double before[ROWS * OUTPUTS] = {0}, after[ROWS * OUTPUTS] = {0}, other[ROWS * OUTPUTS];
        struct problem problem = random_problem(&random, loss);
        problem.weight = trial % 3 ? 1 : 2.5;
        gather_all(optimizer, before);
        learn(optimizer, loss, &problem);
        gather_all(optimizer, after);
        moved += memcmp(before, after, size * sizeof *before) != 0;
        bool is_squared = strcmp(variant, "II") == 0;
        double least = objective(before, after, loss, &problem, c * problem.weight, is_squared);
        for (int tries = 0; tries < 100; tries++) {
            double distance = pow(10, -(tries % 6));
            for (size_t i = 0; i < (size_t)ROWS * OUTPUTS; i++) {
                other[i] = after[i] + distance * rf_random_normal(&random);
            }
            double there = objective(before, other, loss, &problem, c * problem.weight, is_squared);
            if (!(there >= least - 1e-12 * fmax(1, least))) {
                fail_msg("%s, variant %s: %.17g is less than %.17g", loss->ops->name, variant, there, least);
            }
        }
    }
    assert_true(moved > 100);
    rf_optimizer_destroy(optimizer);
}

// Convex problems: what no step nearby improves is the solution.
static void passive_aggressive_steps_solve_their_problem(void **state) {
    (void)state;
    struct rf_loss losses[4] = {loss_of("hinge", NULL, NULL), loss_of("epsilon_insensitive", "epsilon", "0.3"),
                                loss_of("absolute", NULL, NULL), loss_of("one_against_all", "base", "hinge")};
    losses[3].outputs = OUTPUTS;
    for (size_t i = 0; i < 4; i++) {
        check_least(&losses[i], "plain", "1", 1e5); // a penalty so high is a constraint
        check_least(&losses[i], "I", "0.1", 0.1);
        check_least(&losses[i], "I", "1", 1);
        if (i < 3) { // the classes of one_against_all are problems of their own, whose squares add up
            check_least(&losses[i], "II", "0.5", 0.5);
        }
    }
}

// tau = l / (|X|^2 + 1 / (2 C)) and the others, by hand: X = (1, 3) after the two features of row 2 are added up.
static void passive_aggressive_steps_have_their_closed_form(void **state) {
    (void)state;
    struct rf_loss hinge = loss_of("hinge", NULL, NULL);
    static const struct {
        const char *variant, *c;
        double tau;
    } cases[] = {{"plain", "0.01", 0.1}, {"I", "0.01", 0.01}, {"I", "5", 0.1}, {"II", "0.25", 1.0 / 12}};
    for (size_t i = 0; i < 4; i++) {
        const char *const options[4][2] = {{"variant", cases[i].variant}, {"c", cases[i].c}};
        struct rf_optimizer *optimizer = create("passive_aggressive", options, &hinge);
        struct problem problem = {.rows = {1, 2, 2, 0, 0}, .x = {1, 2, 1, 0, 0}, .label = 0, .weight = 1};
        double weight[ROWS];
        learn(optimizer, &hinge, &problem);
        gather_all(optimizer, weight);
        assert_true(fabs(weight[1] + cases[i].tau) < 1e-15 && fabs(weight[2] + 3 * cases[i].tau) < 1e-15 && weight[0] == 0);
        rf_optimizer_destroy(optimizer);
    }
}

static void weight_two_of_a_passive_aggressive_step_is_the_record_twice(void **state) {
    (void)state;
    struct rf_loss hinge = loss_of("hinge", NULL, NULL);
    static const char *const variants[] = {"plain", "I"};
    for (size_t v = 0; v < 2; v++) {
        const char *const options[4][2] = {{"variant", variants[v]}, {"c", "0.05"}};
        struct rf_optimizer *heavy = create("passive_aggressive", options, &hinge);
        struct rf_optimizer *twice = create("passive_aggressive", options, &hinge);
        struct rf_random random;
        rf_random_init(&random, 42);
        for (int trial = 0; trial < 300; trial++) {
            struct problem problem = random_problem(&random, &hinge);
            learn(twice, &hinge, &problem);
            learn(twice, &hinge, &problem);
            problem.weight = 2;
            learn(heavy, &hinge, &problem);
            double a[ROWS], b[ROWS];
            gather_all(heavy, a);
            gather_all(twice, b);
            for (size_t i = 0; i < ROWS; i++) {
                assert_true(fabs(a[i] - b[i]) < 1e-12);
            }
        }
        rf_optimizer_destroy(heavy);
        rf_optimizer_destroy(twice);
    }
}

static void check_average(const char *kind, const char *const (*options)[2], const char *const (*raw_options)[2],
                          const struct rf_loss *loss) {
    struct rf_optimizer *averaged = create(kind, options, loss);
    struct rf_optimizer *raw = create(kind, raw_options, loss);
    size_t size = (size_t)ROWS * loss->outputs;
    double sum[ROWS * OUTPUTS] = {0}, weight[ROWS * OUTPUTS];
    struct rf_random random;
    rf_random_init(&random, 43);
    for (int step = 1; step <= 500; step++) {
        struct problem problem = random_problem(&random, loss);
        learn(averaged, loss, &problem);
        learn(raw, loss, &problem);
        gather_all(raw, weight);
        for (size_t i = 0; i < size; i++) {
            sum[i] += weight[i];
        }
        gather_all(averaged, weight);
        for (size_t i = 0; i < size; i++) {
            assert_true(fabs(weight[i] - sum[i] / step) < 1e-12);
        }
        // Predictions are made there, gradients at the weights themselves.
        double score[OUTPUTS], ahead[OUTPUTS], expected[OUTPUTS];
        rf_optimizer_score(averaged, problem.rows, problem.x, INPUTS, score);
        rf_optimizer_score_ahead(averaged, problem.rows, problem.x, INPUTS, ahead);
        rf_optimizer_score(raw, problem.rows, problem.x, INPUTS, expected);
        for (uint32_t k = 0; k < loss->outputs; k++) {
            assert_true(fabs(score[k] - score_of(weight, loss->outputs, k, &problem)) < 1e-12);
            assert_true(fabs(ahead[k] - expected[k]) < 1e-12);
        }
    }
    rf_optimizer_destroy(averaged);
    rf_optimizer_destroy(raw);
}

static void averages_are_means_of_the_weights_after_each_step(void **state) {
    (void)state;
    struct rf_loss squared = loss_of("squared", NULL, NULL), perceptron = loss_of("perceptron", NULL, NULL);
    struct rf_loss softmax = loss_of("softmax", NULL, NULL), classes = loss_of("one_against_all", "base", "hinge");
    softmax.outputs = classes.outputs = OUTPUTS;
    static const char *const sgd[4][2] = {{"rate", "0.03"}, {"rate_decay", "inverse_scaling"}, {"average", "true"}};
    static const char *const raw_sgd[4][2] = {{"rate", "0.03"}, {"rate_decay", "inverse_scaling"}};
    static const char *const passive[4][2] = {{"c", "0.1"}, {"average", "true"}};
    static const char *const raw_passive[4][2] = {{"c", "0.1"}};
    check_average("sgd", sgd, raw_sgd, &squared);
    check_average("sgd", sgd, raw_sgd, &perceptron);
    check_average("sgd", sgd, raw_sgd, &softmax);
    check_average("passive_aggressive", passive, raw_passive, &classes);
}

// Novikoff (1962): on examples of length at most R that some unit vector separates by g, it errs at most (R / g)^2 times.
static void perceptron_errs_no_more_often_than_the_margin_allows(void **state) {
    (void)state;
    struct rf_loss perceptron = loss_of("perceptron", NULL, NULL);
    const char *const options[4][2] = {{"rate", "1"}};
    struct rf_optimizer *optimizer = create("sgd", options, &perceptron);
    struct rf_random random;
    rf_random_init(&random, 44);
    int errors = 0, seen = 0;
    while (seen < 20000) {
        struct problem problem = {.rows = {0, 1, 2, 3, 4}, .weight = 1};
        double truth = 0, length = 0;
        for (size_t i = 0; i < INPUTS; i++) {
            problem.x[i] = 2 * rf_random_uniform(&random) - 1;
            truth += problem.x[i] * (i % 2 ? -1 : 1) / sqrt(INPUTS);
            length += problem.x[i] * problem.x[i];
        }
        if (fabs(truth) < 0.2 || length > 4) {
            continue;
        }
        seen++;
        problem.label = truth > 0;
        double score;
        rf_optimizer_score(optimizer, problem.rows, problem.x, INPUTS, &score);
        errors += problem.label == 1 ? score <= 0 : score >= 0;
        learn(optimizer, &perceptron, &problem);
    }
    assert_in_range(errors, 3, 100); // R = 2, g = 0.2
    rf_optimizer_destroy(optimizer);
}

static void assert_refused(const char *const (*options)[2], const char *sentence) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "linear");
    set_option(&value, "optimizer", "sgd");
    const struct rf_learner_context context = {.features_max = INPUTS};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    for (size_t i = 0; i < 4 && options[i][0]; i++) {
        set_option(&value, options[i][0], options[i][1]);
    }
    assert_int_equal(rf_learner_create(&value, &context, &learner, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(learner);
    variant_finish(&value);
}

static void what_does_not_go_together_is_refused(void **state) {
    (void)state;
    assert_refused(
            (const char *const[4][2]){{"optimizer", "passive_aggressive"}, {"loss", "logistic"}},
            "learner linear: loss logistic does not go with optimizer passive_aggressive, must be one that comes to 0: hinge, "
            "epsilon_insensitive, absolute, or one_against_all of hinge");
    assert_refused(
            (const char *const[4][2]){{"optimizer", "passive_aggressive"}, {"loss", "one_against_all"}, {"classes", "3"}},
            "learner linear: loss one_against_all does not go with optimizer passive_aggressive, must be one that comes to "
            "0: hinge, "
            "epsilon_insensitive, absolute, or one_against_all of hinge");
    assert_refused((const char *const[4][2]){{"optimizer", "passive_aggressive"}, {"loss", "hinge"}, {"l2", "0.5"}},
                   "learner linear: l2 is 0.5 with optimizer passive_aggressive, must be 0; ftrl has one of its own");
    assert_refused((const char *const[4][2]){{"optimizer.average", "true"}, {"l2", "0.5"}},
                   "learner linear: average is true with l1 0 and l2 0.5, must be false, or these 0: absent "
                   "features must "
                   "stay");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(passive_aggressive_steps_solve_their_problem),
            cmocka_unit_test(passive_aggressive_steps_have_their_closed_form),
            cmocka_unit_test(weight_two_of_a_passive_aggressive_step_is_the_record_twice),
            cmocka_unit_test(averages_are_means_of_the_weights_after_each_step),
            cmocka_unit_test(perceptron_errs_no_more_often_than_the_margin_allows),
            cmocka_unit_test(what_does_not_go_together_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
