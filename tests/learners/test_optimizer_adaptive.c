// The adaptive kinds against a naive twin of the published rule, and against one another.
#include "learners/optimizer.h"
#include "proto/random.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_BITS = 4, ROWS = 1 << ROW_BITS, OUTPUTS_MAX = 3, EXPERTS_MAX = 8, FEATURES = 11 };

// The rule as Vowpal Wabbit states it: raw weights, squares of raw values, sizes; all in double.
struct naive {
    double weight[ROWS][OUTPUTS_MAX], square[ROWS][OUTPUTS_MAX], size[ROWS];
    double total, norm, pull;
    double met; // importance, with that of records of gradient 0, from which nothing else is learned
};

struct flags {
    const char *rate, *power, *initial, *adaptive, *normalized, *invariant, *half_life;
    const char *squares, *l1;
};

static bool is_true(const char *text) {
    return strcmp(text, "true") == 0;
}

static double naive_fall(const struct flags *flags, const struct naive *naive, size_t row, uint32_t k) {
    double power = atof(flags->power);
    double unit = is_true(flags->normalized) ? naive->size[row] * naive->size[row] : 1;
    double square = naive->square[row][k] + atof(flags->squares) * unit;
    double fall = is_true(flags->adaptive) ? pow(square, -power) : 1;
    if (is_true(flags->normalized)) {
        fall *= pow(unit, is_true(flags->adaptive) ? power - 1 : -1);
    }
    return fall;
}

// A larger value is found: the weight as if the new size had been the old.
static void naive_grow(const struct flags *flags, struct naive *naive, size_t row, double value) {
    double power = is_true(flags->adaptive) ? atof(flags->power) - 1 : -1;
    for (uint32_t k = 0; k < OUTPUTS_MAX && naive->size[row] > 0; k++) {
        naive->weight[row][k] *= pow(value * value / (naive->size[row] * naive->size[row]), power);
    }
    naive->size[row] = value;
}

static void naive_step(struct naive *naive, const struct flags *flags, const struct rf_step *step, uint32_t outputs) {
    const double power = atof(flags->power), half_life = atof(flags->half_life);
    const bool is_adaptive = is_true(flags->adaptive), is_normalized = is_true(flags->normalized);
    double reach[OUTPUTS_MAX] = {0}, norm = 0;
    bool is_still = true;
    naive->met += step->weight;
    for (size_t row = 0; row < ROWS && half_life > 0; row++) {
        for (uint32_t k = 0; k < outputs; k++) {
            naive->square[row][k] *= exp2(-1 / half_life);
        }
    }
    for (uint32_t k = 0; k < outputs; k++) {
        is_still &= step->gradient[k] == 0;
    }
    if (is_still) {
        return;
    }
    for (size_t i = 0; i < step->count; i++) {
        const size_t row = step->rows[i];
        const double x = step->x[i];
        if (is_normalized && fabs(x) > naive->size[row]) {
            naive_grow(flags, naive, row, fabs(x));
        }
        norm += is_normalized ? x * x / (naive->size[row] * naive->size[row]) : 0;
        for (uint32_t k = 0; k < outputs; k++) {
            naive->square[row][k] += step->gradient[k] * step->gradient[k] / step->weight * x * x;
            reach[k] += x * x * naive_fall(flags, naive, row, k);
        }
    }
    naive->total += step->weight;
    naive->norm += step->weight * norm;
    double mean = is_normalized ? pow(naive->norm / naive->total, is_adaptive ? power - 1 : -1) : 1;
    double rate = atof(flags->rate) * (is_adaptive ? 1 : pow(atof(flags->initial) / (atof(flags->initial) + naive->met), power));
    for (uint32_t k = 0; k < outputs; k++) {
        double importance = rate * step->weight * reach[k] * mean;
        double change = is_true(flags->invariant) ? step->loss->ops->flow(step->loss, k, step->score[k], step->label, importance)
                                                  : -importance * step->gradient[k] / step->weight;
        for (size_t i = 0; i < step->count; i++) {
            double fall = naive_fall(flags, naive, step->rows[i], k);
            naive->weight[step->rows[i]][k] += change / reach[k] * step->x[i] * fall;
        }
        if (step->gradient[k] != 0) {
            naive->pull -= atof(flags->l1) * change / (reach[k] * mean) / (step->gradient[k] / step->weight);
        }
    }
}

static struct rf_optimizer *create(const struct flags *flags, const char *resistant, uint32_t outputs, bool is_double,
                                   uint32_t tick_limit) {
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "adaptive");
    set_option(&value, "rate", flags->rate);
    set_option(&value, "power", flags->power);
    set_option(&value, "initial", flags->initial);
    set_option(&value, "adaptive", flags->adaptive);
    set_option(&value, "normalized", flags->normalized);
    set_option(&value, "invariant", flags->invariant);
    set_option(&value, "half_life", flags->half_life);
    set_option(&value, "squares", flags->squares);
    set_option(&value, "l1", flags->l1);
    set_option(&value, "resistant", resistant);
    const struct rf_optimizer_context context = {
            .outputs = outputs, .row_bits = ROW_BITS, .is_double = is_double, .tick_limit = tick_limit};
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    if (rf_optimizer_create(&value, &context, &optimizer, &err) != RF_OK ||
        rf_optimizer_reserve(optimizer, FEATURES, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    variant_finish(&value);
    return optimizer;
}

// One record: values of rows of their own scales, now and then twice of one row; the last is the bias.
struct record {
    uint32_t rows[FEATURES];
    double x[FEATURES];
    size_t count;
    double label, weight;
};

static void draw(struct rf_random *random, struct record *record, bool is_colliding) {
    record->count = 1 + rf_random_below(random, FEATURES);
    double tendency = 0;
    for (size_t i = 0; i < record->count; i++) {
        record->rows[i] =
                i + 1 == record->count ? ROWS : (uint32_t)((i * 5 + (is_colliding ? rf_random_below(random, 3) : 0)) % ROWS);
        double z = 0.5 + 3 * rf_random_uniform(random);
        tendency += record->rows[i] % 2 ? z : -z;
        record->x[i] = i + 1 == record->count ? 1 : z * pow(10, (double)(record->rows[i] % 7) - 3);
    }
    record->label = tendency + rf_random_normal(random) > 0;
    record->weight = rf_random_below(random, 4) == 0 ? 2.5 : 1;
}

static struct rf_loss loss_of(const char *name, uint32_t outputs) {
    struct rf_variant_value value = variant_of(rf_loss_variants, name);
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&value, &loss, &err), RF_OK);
    loss.outputs = outputs;
    variant_finish(&value);
    return loss;
}

// Scores a record and steps; each output is an own regression or classification of the same label.
static struct rf_step scored(struct rf_optimizer *optimizer, const struct rf_loss *loss, const struct record *record,
                             double *score, double *gradient) {
    rf_optimizer_advance(optimizer, record->rows, record->count);
    rf_optimizer_score(optimizer, record->rows, record->x, record->count, score);
    for (uint32_t at = 0; at < optimizer->experts * optimizer->outputs; at++) {
        assert_true(rf_loss_gradient(loss, &score[at], record->label, &gradient[at]));
        gradient[at] *= record->weight;
    }
    return (struct rf_step){.rows = record->rows,
                            .x = record->x,
                            .count = record->count,
                            .x_largest = 1e4,
                            .score = score,
                            .gradient = gradient,
                            .loss = loss,
                            .label = record->label,
                            .weight = record->weight};
}

static void assert_close(double actual, double expected, double tolerance, const char *what, size_t at) {
    if (!(fabs(actual - expected) <= tolerance * (1 + fabs(expected)))) {
        fail_msg("%s %zu is %.17g, must be %.17g", what, at, actual, expected);
    }
}

static void check_twin(const struct flags *flags, const char *loss_name, uint32_t outputs, bool is_double) {
    static struct naive naive;
    memset(&naive, 0, sizeof naive);
    struct rf_optimizer *optimizer = create(flags, "false", outputs, is_double, 70);
    const struct rf_loss loss = loss_of(loss_name, 1);
    struct rf_random random;
    rf_random_init(&random, 3);
    for (int n = 0; n < 400; n++) {
        struct record record = {0};
        double score[OUTPUTS_MAX], gradient[OUTPUTS_MAX];
        draw(&random, &record, true);
        for (size_t i = 0; i < record.count && !is_true(flags->normalized); i++) {
            record.x[i] /= pow(10, floor(log10(record.x[i]))); // or it diverges
        }
        record.rows[record.count - 1] = 0; // the twin has no row for a bias, and draw() gives row 0 to others too
        const struct rf_step step = scored(optimizer, &loss, &record, score, gradient);
        naive_step(&naive, flags, &step, outputs);
        assert_true(rf_optimizer_step(optimizer, &step));
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        double weight[OUTPUTS_MAX];
        rf_optimizer_gather(optimizer, &row, 1, weight);
        for (uint32_t k = 0; k < outputs; k++) {
            double size = naive.size[row] > 0 ? naive.size[row] : 1; // the error of a float is that of weight times size
            double raw = naive.weight[row][k], kept = copysign(fmax(0, fabs(raw) - naive.pull), raw);
            assert_close(weight[k] * size, kept * size, is_double ? 1e-9 : 2e-3, "weight of row", row);
        }
    }
    struct rf_error err;
    assert_int_equal(rf_optimizer_check(optimizer, &err), RF_OK);
    rf_optimizer_destroy(optimizer);
}

static void every_variant_follows_its_rule(void **state) {
    (void)state;
    static const struct flags list[] = {
            {"0.5", "0.5", "1", "true", "true", "true", "0", "0", "0"},
            {"0.5", "0.45", "1", "true", "true", "true", "0", "0", "0"},
            {"2", "0.5", "1", "true", "true", "false", "0", "0", "0"},
            {"0.01", "0.5", "1", "true", "false", "true", "0", "0", "0"},
            {"0.002", "0.5", "1", "false", "false", "true", "0", "0", "0"},
            {"0.002", "0.8", "30", "false", "false", "false", "0", "0", "0"},
            {"0.5", "0.5", "1", "false", "true", "true", "0", "0", "0"},
            {"0.5", "0.5", "1", "true", "true", "true", "40", "0", "0"},
            {"0.5", "0.5", "1", "true", "true", "true", "40", "0.3", "0"},
            {"0.01", "0.45", "1", "true", "false", "true", "0", "2", "0"},
            {"0.5", "0.5", "1", "true", "true", "true", "0", "0", "1e-4"},
            {"0.002", "0.5", "1", "false", "false", "false", "0", "0", "0.01"},
    };
    static const char *const losses[] = {"squared", "logistic"};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            check_twin(&list[i], losses[bits & 1], bits & 2 ? 3 : 1, bits & 4);
        }
    }
}

// The rate falls with all that was met, and the score is that of the weights as they are told.
static void records_of_gradient_0_make_the_rate_fall(void **state) {
    (void)state;
    const struct flags flags = {"0.1", "0.5", "1", "false", "false", "false", "0", "0", "0.2"};
    struct rf_optimizer *optimizer = create(&flags, "false", 1, true, 0);
    const struct rf_loss loss = loss_of("squared", 1);
    struct record record = {.rows = {3}, .x = {2}, .count = 1, .label = 0, .weight = 5};
    double score, gradient, weight;
    struct rf_step step = scored(optimizer, &loss, &record, &score, &gradient);
    assert_true(gradient == 0 && rf_optimizer_step(optimizer, &step));
    record.label = 1;
    record.weight = 1;
    step = scored(optimizer, &loss, &record, &score, &gradient);
    assert_true(rf_optimizer_step(optimizer, &step));
    double rate = 0.1 * sqrt(1.0 / 7.0);
    rf_optimizer_gather(optimizer, record.rows, 1, &weight);
    assert_close(weight, rate * 2 * 2 - 0.2 * rate, 1e-14, "weight", 0);
    rf_optimizer_score(optimizer, record.rows, record.x, 1, &score);
    assert_close(score, 2 * weight, 1e-14, "score", 0);
    rf_optimizer_destroy(optimizer);
}

static const struct flags usual = {"0.5", "0.5", "1", "true", "true", "true", "0", "0", "0"};

// Eight at a time in single precision, against one at a time in double.
static void the_fast_loops_give_the_same_weights(void **state) {
    (void)state;
    struct rf_optimizer *fast = create(&usual, "true", 1, false, 0), *plain = create(&usual, "true", 1, true, 0);
    assert_ptr_not_equal(fast->ops->score, plain->ops->score);
    const struct rf_loss loss = loss_of("logistic", 1);
    struct rf_random random;
    rf_random_init(&random, 8);
    for (size_t n = 0; n < 3000; n++) {
        struct record record = {0};
        draw(&random, &record, false);
        record.x[0] *= rf_random_below(&random, 50) == 0 ? 1e5 : 1; // held back, and now and then believed
        double a, b, g, h;
        const struct rf_step fast_step = scored(fast, &loss, &record, &a, &g), plain_step = scored(plain, &loss, &record, &b, &h);
        assert_close(a, b, 1e-3, "score", n);
        assert_true(rf_optimizer_step(fast, &fast_step) && rf_optimizer_step(plain, &plain_step));
    }
    rf_optimizer_destroy(fast);
    rf_optimizer_destroy(plain);
}

static void check_bank(bool is_double, uint32_t outputs, const char *loss_name) {
    static const char *const rates[] = {"0.05", "0.1", "0.2", "0.5", "2", "8", "32"};
    enum { RATES = sizeof rates / sizeof rates[0] };
    struct flags flags = usual;
    flags.rate = "auto";
    struct rf_optimizer *bank = create(&flags, "true", outputs, is_double, 0), *single[RATES];
    assert_int_equal(bank->experts, RATES);
    for (size_t e = 0; e < RATES; e++) {
        flags.rate = rates[e];
        single[e] = create(&flags, "true", outputs, true, 0);
    }
    const struct rf_loss loss = loss_of(loss_name, 1);
    struct rf_random random;
    rf_random_init(&random, 9);
    for (size_t n = 0; n < 1000; n++) {
        struct record record = {0};
        double score[EXPERTS_MAX * OUTPUTS_MAX], gradient[EXPERTS_MAX * OUTPUTS_MAX], own[OUTPUTS_MAX], slope[OUTPUTS_MAX];
        draw(&random, &record, false);
        const struct rf_step step = scored(bank, &loss, &record, score, gradient);
        for (size_t e = 0; e < RATES; e++) {
            const struct rf_step own_step = scored(single[e], &loss, &record, own, slope);
            for (uint32_t k = 0; k < outputs; k++) {
                assert_close(score[e * outputs + k], own[k], is_double ? 2e-4 : 2e-2, "score", n * 100 + e);
            }
            assert_true(rf_optimizer_step(single[e], &own_step));
        }
        assert_true(rf_optimizer_step(bank, &step));
    }
    for (size_t e = 0; e < RATES; e++) {
        rf_optimizer_destroy(single[e]);
    }
    rf_optimizer_destroy(bank);
}

// The climb of the bank is good to five digits, hence the tolerance in double.
static void each_rate_of_the_bank_is_as_if_alone(void **state) {
    (void)state;
    check_bank(true, 1, "logistic");
    check_bank(true, 3, "logistic");
    check_bank(true, 1, "squared");
    check_bank(false, 1, "logistic");
}

static void the_bank_takes_one_line_a_feature(void **state) {
    (void)state;
    struct flags flags = usual;
    flags.rate = "auto";
    struct rf_optimizer *bank = create(&flags, "true", 1, false, 0);
    assert_int_equal(bank->row_size, 64);
    assert_int_equal((uintptr_t)bank->cells % 64, 0);
    rf_optimizer_destroy(bank);
}

static void refuse(const char *setting, const char *text, const char *sentence) {
    struct rf_variant_value value = variant_of(rf_optimizer_variants, "adaptive");
    set_option(&value, setting, text);
    const struct rf_optimizer_context context = {.outputs = 1, .row_bits = ROW_BITS};
    struct rf_optimizer *optimizer = NULL;
    struct rf_error err;
    assert_int_equal(rf_optimizer_create(&value, &context, &optimizer, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    variant_finish(&value);
}

static void settings_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    refuse("adaptive", "false",
           "optimizer adaptive: rate is auto with adaptive false, normalized true, invariant true and power 0.5, must be a "
           "number, or they true, true, true and 0.5");
    refuse("l1", "0.5", "optimizer adaptive: rate is auto with l1 0.5 and squares 0, must be a number, or they 0");
    refuse("squares", "2", "optimizer adaptive: rate is auto with l1 0 and squares 2, must be a number, or they 0");
    refuse("half_life", "0.5", "optimizer adaptive: half_life is 0.5, must be 0, or at least 1 with adaptive true");
}

// A row of forged numbers, in both kinds and types.
static void forged_rows_are_refused(void **state) {
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        struct flags flags = usual;
        flags.rate = bits & 1 ? "auto" : "0.5";
        struct rf_optimizer *optimizer = create(&flags, "true", 1, bits & 2, 0);
        struct rf_error err;
        assert_int_equal(rf_optimizer_check(optimizer, &err), RF_OK);
        for (size_t c = 0; c < optimizer->weights.column_count; c++) {
            const struct rf_column *column = &optimizer->weights.columns[c];
            unsigned char *cell = optimizer->cells + 3 * optimizer->row_size + column->offset;
            const float small = NAN;
            const double large = NAN;
            const uint32_t note = 0x80000000;
            if (column->type == RF_U8) {
                continue;
            }
            size_t size = column->type == RF_F32 ? sizeof small : column->type == RF_F64 ? sizeof large : sizeof note;
            const void *forged = column->type == RF_F32   ? (const void *)&small
                                 : column->type == RF_F64 ? (const void *)&large
                                                          : &note;
            memcpy(cell, forged, size);
            assert_int_equal(rf_optimizer_check(optimizer, &err), RF_CORRUPT);
            memset(cell, 0, size);
        }
        assert_int_equal(rf_optimizer_check(optimizer, &err), RF_OK);
        rf_optimizer_destroy(optimizer);
    }
}

static void forged_sums_are_refused(void **state) {
    (void)state;
    struct rf_optimizer *optimizer = create(&usual, "true", 1, true, 0);
    struct rf_state blocks;
    struct rf_error err;
    rf_state_init(&blocks);
    rf_optimizer_state(optimizer, "weights", "ticks", &blocks);
    const struct rf_block *norms = rf_state_find(&blocks, "adaptive.norms");
    static const double forged[] = {NAN, INFINITY, -1};
    for (size_t c = 0; c < norms->column_count; c++) {
        double *sum = (double *)(void *)((char *)norms->data + norms->columns[c].offset);
        for (size_t i = 0; i < sizeof forged / sizeof forged[0] && norms->columns[c].type == RF_F64; i++) {
            *sum = forged[i];
            assert_int_equal(rf_optimizer_check(optimizer, &err), RF_CORRUPT);
        }
        *sum = 0;
    }
    assert_int_equal(rf_optimizer_check(optimizer, &err), RF_OK);
    rf_state_finish(&blocks);
    rf_optimizer_destroy(optimizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_variant_follows_its_rule),
            cmocka_unit_test(records_of_gradient_0_make_the_rate_fall),
            cmocka_unit_test(the_fast_loops_give_the_same_weights),
            cmocka_unit_test(each_rate_of_the_bank_is_as_if_alone),
            cmocka_unit_test(the_bank_takes_one_line_a_feature),
            cmocka_unit_test(settings_that_do_not_go_together_are_refused),
            cmocka_unit_test(forged_rows_are_refused),
            cmocka_unit_test(forged_sums_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
