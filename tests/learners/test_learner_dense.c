#include "learners/kernels_openblas.h"
#include "learners/loss.h"
#include "learners/mini_batch.h"
#include "learners/rate.h"
#include "proto/random.h"
#include "tests/learners/kernels_naive.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 300, CLASSES = 3 };

struct world { // a learner, its blocks, examples and what it predicted for them
    struct rf_variant_value value;
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_examples examples;
    struct rf_predictions predictions;
};

static struct rf_loss loss_of(const struct world *world) {
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&((const struct rf_dense_options *)world->value.options)->loss, &loss, &err), RF_OK);
    loss.outputs = world->learner ? world->learner->outputs : 0;
    return loss;
}

// `options`: name and value in turn, ends with NULL.
static void world_create(struct world *world, const char *loss, const char *const *options) {
    *world = (struct world){.value = variant_of(rf_learner_variants, "dense")};
    set_option(&world->value, "loss", loss);
    set_option(&world->value, "classes", loss_of(world).ops->task == RF_TASK_MULTICLASS ? "3" : "0");
    for (; *options; options += 2) {
        set_option(&world->value, options[0], options[1]);
    }
    world->learner = create_learner(&world->value, false);
    rf_state_init(&world->state);
    rf_learner_state(world->learner, &world->state);
    examples_create(&world->examples, EXAMPLES, (size_t)EXAMPLES * 16);
    append_random_stream(&world->examples, EXAMPLES, world->learner->task == RF_TASK_MULTICLASS ? CLASSES : 2, 41);
    predictions_create(&world->predictions, world->learner, &world->examples);
}

static void world_finish(struct world *world) {
    predictions_finish(&world->predictions);
    rf_examples_finish(&world->examples);
    rf_state_finish(&world->state);
    rf_learner_destroy(world->learner);
    variant_finish(&world->value);
}

static void fold(struct world *world, size_t begin, size_t end) {
    rf_learner_fold(world->learner, &world->examples, begin, end, &world->predictions);
}

static void *data_of(const struct world *world, const char *block) {
    const struct rf_block *found = rf_state_find(&world->state, block);
    assert_non_null(found);
    return found->data;
}

static const float *vector_of(const struct world *world, size_t index) {
    return world->examples.vector + index * VECTOR_SIZE;
}

// The weighted mean of the loss over examples [0, count), at weights in double and a bias each.
static double mean_loss(const struct world *world, const struct rf_loss *loss, const double *weight, const double *bias,
                        size_t count) {
    double sum = 0, total = 0, score[CLASSES];
    for (size_t n = 0; n < count; n++) {
        for (uint32_t k = 0; k < loss->outputs; k++) {
            score[k] = bias[2 * k]; // {weight, velocity}
            for (size_t i = 0; i < VECTOR_SIZE; i++) {
                score[k] += weight[k * VECTOR_SIZE + i] * (double)vector_of(world, n)[i];
            }
        }
        sum += world->examples.weight[n] * rf_loss_value(loss, score, world->examples.label[n]);
        total += world->examples.weight[n];
    }
    return sum / total;
}

// One step at a rate of 1 without momentum is the gradient itself.
static void check_gradient(const char *loss_name, const char *size) {
    struct world world;
    world_create(&world, loss_name, (const char *const[]){"rate", "1", "precision", "double", "batch.size", size, NULL});
    struct rf_loss loss = loss_of(&world);
    size_t weights = (size_t)loss.outputs * VECTOR_SIZE;
    double *weight = data_of(&world, "dense.weights"), *bias = data_of(&world, "dense.bias");
    double before[CLASSES * VECTOR_SIZE] = {0}, bias_before[2 * CLASSES] = {0};
    struct rf_random random;
    rf_random_init(&random, 8);
    for (size_t i = 0; i < weights; i++) {
        weight[i] = rf_random_normal(&random) / 10;
    }
    world.examples.weight[0] = 1;
    memcpy(before, weight, weights * sizeof *before);
    memcpy(bias_before, bias, 2 * loss.outputs * sizeof *bias);
    size_t count = strtoul(size, NULL, 10);
    fold(&world, 0, count);
    const double step = 1e-5;
    for (size_t i = 0; i < weights + loss.outputs; i++) {
        double *at = i < weights ? &before[i] : &bias_before[2 * (i - weights)];
        double gradient = i < weights ? before[i] - weight[i] : bias_before[2 * (i - weights)] - bias[2 * (i - weights)];
        double middle = *at;
        *at = middle + step;
        double above = mean_loss(&world, &loss, before, bias_before, count);
        *at = middle - step;
        double below = mean_loss(&world, &loss, before, bias_before, count);
        *at = middle;
        assert_true(fabs(gradient - (above - below) / (2 * step)) <= 1e-6 * (1 + fabs(gradient)));
    }
    world_finish(&world);
}

static void a_step_is_along_the_gradient_of_every_loss(void **state) {
    (void)state;
    for (const struct rf_variant *loss = rf_loss_variants; loss->name; loss++) {
        check_gradient(loss->name, "1");
        check_gradient(loss->name, "7");
    }
}

// The definition of a step after each record, over naive kernels.
static void single_records_are_learned_as_by_the_naive_twin(void **state) {
    (void)state;
    struct world world;
    world_create(&world, "softmax",
                 (const char *const[]){"rate", "0.05", "rate_decay", "inverse_scaling", "l2", "0.01", "momentum", "0.5", NULL});
    struct rf_loss loss = loss_of(&world);
    struct rf_rate rate = {.first = 0.05, .decay = RF_RATE_INVERSE_SCALING, .start = 1, .power = 0.5};
    static float weight[CLASSES][VECTOR_SIZE], velocity[CLASSES][VECTOR_SIZE];
    double bias[CLASSES] = {0}, bias_velocity[CLASSES] = {0}, score[CLASSES], gradient[CLASSES];
    fold(&world, 0, EXAMPLES);
    for (size_t n = 0; n < EXAMPLES; n++) {
        naive_dense_scores_float(CLASSES, VECTOR_SIZE, vector_of(&world, n), weight[0], score);
        for (size_t k = 0; k < CLASSES; k++) {
            score[k] += bias[k];
        }
        assert_true(rf_loss_gradient(&loss, score, world.examples.label[n], gradient));
        double now = rf_rate_at(&rate, n);
        for (size_t k = 0; k < CLASSES; k++) {
            double g = gradient[k] * world.examples.weight[n];
            naive_descend_float(VECTOR_SIZE, now * g, vector_of(&world, n), now * 0.01, 0.5, weight[k], velocity[k]);
            bias_velocity[k] = 0.5 * bias_velocity[k] - now * g;
            bias[k] += bias_velocity[k];
        }
        rf_loss_link(&loss, score, score);
        assert_memory_equal(score, world.predictions.score + n * CLASSES, sizeof score);
    }
    assert_memory_equal(data_of(&world, "dense.weights"), weight, sizeof weight);
    assert_memory_equal(data_of(&world, "dense.velocities"), velocity, sizeof velocity);
    assert_true(((const double *)data_of(&world, "dense.bias"))[0] == bias[0]);
    world_finish(&world);
}

static void mini_batches_are_learned_as_by_the_naive_twin(void **state) {
    (void)state;
    enum { SIZE = 20 };
    struct world world;
    world_create(&world, "softmax",
                 (const char *const[]){"rate", "0.3", "momentum", "0.5", "precision", "double", "batch.size", "20", NULL});
    struct rf_loss loss = loss_of(&world);
    static double x[SIZE * VECTOR_SIZE], score[SIZE * CLASSES], weight[CLASSES * VECTOR_SIZE], velocity[CLASSES * VECTOR_SIZE];
    double bias[CLASSES] = {0}, bias_velocity[CLASSES] = {0}, gradient[CLASSES * VECTOR_SIZE];
    fold(&world, 0, EXAMPLES);
    for (size_t begin = 0; begin < EXAMPLES; begin += SIZE) {
        double total = 0, bias_gradient[CLASSES] = {0};
        for (size_t n = 0; n < SIZE; n++) {
            total += world.examples.weight[begin + n];
            for (size_t i = 0; i < VECTOR_SIZE; i++) {
                x[n * VECTOR_SIZE + i] = (double)vector_of(&world, begin + n)[i];
            }
        }
        naive_batch_scores(SIZE, CLASSES, VECTOR_SIZE, x, weight, score);
        for (size_t n = 0; n < SIZE; n++) {
            double *own = score + n * CLASSES;
            for (size_t k = 0; k < CLASSES; k++) {
                own[k] += bias[k];
            }
            assert_true(rf_loss_gradient(&loss, own, world.examples.label[begin + n], own));
            for (size_t k = 0; k < CLASSES; k++) {
                own[k] *= world.examples.weight[begin + n] / total;
                bias_gradient[k] += own[k];
            }
        }
        naive_batch_gradient(SIZE, CLASSES, VECTOR_SIZE, score, x, gradient);
        for (size_t k = 0; k < CLASSES; k++) {
            naive_descend_double(VECTOR_SIZE, 0.3, gradient + k * VECTOR_SIZE, 0, 0.5, weight + k * VECTOR_SIZE,
                                 velocity + k * VECTOR_SIZE);
            bias_velocity[k] = 0.5 * bias_velocity[k] - 0.3 * bias_gradient[k];
            bias[k] += bias_velocity[k];
        }
    }
    const double *learned = data_of(&world, "dense.weights");
    for (size_t i = 0; i < (size_t)CLASSES * VECTOR_SIZE; i++) {
        assert_true(fabs(learned[i] - weight[i]) <= 1e-12);
    }
    assert_true(fabs(((const double *)data_of(&world, "dense.bias"))[2] - bias[1]) <= 1e-12);
    const struct rf_mini_batch_progress *progress = data_of(&world, "dense.progress");
    assert_int_equal(progress->steps, EXAMPLES / SIZE);
    world_finish(&world);
}

// What is no part of a mini-batch does not move its bounds: records without a label, of weight 0, with an unknown label.
static void mini_batches_count_what_is_learned_alone(void **state) {
    (void)state;
    struct world world;
    world_create(&world, "logistic", (const char *const[]){"batch.size", "10", NULL});
    const struct rf_mini_batch_progress *progress = data_of(&world, "dense.progress");
    world.examples.purpose[2] = RF_PREDICT;
    world.examples.weight[3] = 0;
    world.examples.label[4] = 7;
    world.examples.weight[5] = 1e300;
    fold(&world, 0, 13);
    assert_int_equal(progress->taken, 9);
    assert_int_equal(progress->steps, 0);
    assert_int_equal(world.learner->learned, 9);
    assert_int_equal(world.learner->skipped_steps, 2);
    fold(&world, 13, 15);
    assert_int_equal(progress->taken, 1);
    assert_int_equal(progress->steps, 1);
    assert_int_equal(progress->records, 10);
    world_finish(&world);
}

static void mini_batches_grow_by_schedule(void **state) {
    (void)state;
    const struct rf_mini_batch_sizes sizes = {.size = 32, .growth = 2, .every = 10000, .max = 200};
    assert_int_equal(rf_mini_batch_size_at(&sizes, 0), 32);
    assert_int_equal(rf_mini_batch_size_at(&sizes, 9999), 32);
    assert_int_equal(rf_mini_batch_size_at(&sizes, 10000), 64);
    assert_int_equal(rf_mini_batch_size_at(&sizes, 20000), 128);
    assert_int_equal(rf_mini_batch_size_at(&sizes, 30000), 200);
    assert_int_equal(rf_mini_batch_size_at(&sizes, UINT64_MAX), 200);
    const struct rf_mini_batch_sizes fixed = {.size = 512, .growth = 1, .every = 1, .max = 100};
    assert_int_equal(rf_mini_batch_size_at(&fixed, UINT64_MAX), 512);

    struct world world;
    world_create(&world, "logistic",
                 (const char *const[]){"batch.size", "1", "batch.growth", "4", "batch.every", "50", "batch.max", "10", NULL});
    const struct rf_mini_batch_progress *progress = data_of(&world, "dense.progress");
    fold(&world, 0, 50); // one by one
    assert_int_equal(progress->steps, 50);
    fold(&world, 50, 101); // by four; those in progress at 100 go on
    assert_int_equal(progress->steps, 62);
    assert_int_equal(progress->taken, 3);
    fold(&world, 101, 112); // by ten from 102 on
    assert_int_equal(progress->steps, 64);
    assert_int_equal(progress->records, 112);
    world_finish(&world);
}

// Saved and restored at every place within a mini-batch, and under a growing one at its bounds.
static void a_mini_batch_in_progress_is_resumed(void **state) {
    (void)state;
    static const char *const options[] = {"batch.size", "8",        "batch.growth", "2",    "batch.every", "20", "batch.max",
                                          "16",         "momentum", "0.9",          "rate", "0.1",         NULL};
    struct world straight;
    world_create(&straight, "softmax", options);
    fold(&straight, 0, 60);
    for (size_t cut = 1; cut < 60; cut++) {
        struct world first, second;
        struct rf_error err;
        world_create(&first, "softmax", options);
        world_create(&second, "softmax", options);
        fold(&first, 0, cut);
        for (size_t i = 0; i < first.state.count; i++) {
            const struct rf_block *saved = first.state.list[i];
            memcpy(data_of(&second, saved->name), saved->data, rf_block_size(saved));
        }
        assert_int_equal(rf_learner_check(second.learner, &err), RF_OK);
        fold(&second, cut, 60);
        assert_int_equal(rf_state_compare(&straight.state, &second.state, &err), RF_OK);
        world_finish(&first);
        world_finish(&second);
    }
    world_finish(&straight);
}

static void another_core_type_is_told_and_no_part_of_the_model(void **state) {
    (void)state;
    struct world world;
    char text[300] = "", expected[300];
    uint8_t here[RF_SHA256_SIZE], elsewhere[RF_SHA256_SIZE];
    world_create(&world, "logistic", (const char *const[]){"batch.size", "10", NULL});
    char *core = data_of(&world, "dense.arithmetic");
    assert_false(rf_learner_note(world.learner, text, sizeof text)); // nothing was summed yet
    fold(&world, 0, 10);
    assert_string_equal(core, rf_openblas_core());
    assert_false(rf_learner_note(world.learner, text, sizeof text));
    rf_state_sha256(&world.state, RF_SCOPE_MODEL, here);
    memset(core, 0, RF_OPENBLAS_CORE_SIZE);
    memcpy(core, "Abacus", 6);
    assert_true(rf_learner_note(world.learner, text, sizeof text));
    snprintf(expected, sizeof expected,
             "the mini-batches so far were summed by OpenBLAS for Abacus, here it is for %s: from now on the last digits may "
             "differ from those of an uninterrupted run there",
             rf_openblas_core());
    assert_string_equal(text, expected);
    rf_state_sha256(&world.state, RF_SCOPE_MODEL, elsewhere);
    assert_memory_equal(here, elsewhere, sizeof here);
    fold(&world, 10, 20);
    assert_string_equal(core, rf_openblas_core());
    world_finish(&world);
    world_create(&world, "logistic", (const char *const[]){NULL});
    assert_null(rf_state_find(&world.state, "dense.arithmetic")); // single records need no OpenBLAS
    assert_null(rf_state_find(&world.state, "dense.batch"));
    world_finish(&world);
}

static void explain_adds_up_to_the_score(void **state) {
    (void)state;
    struct world world;
    world_create(&world, "squared", (const char *const[]){"rate", "0.001", "scale", "standard", NULL});
    fold(&world, 0, EXAMPLES);
    struct rf_contribution list[VECTOR_SIZE + 1];
    double score, sum = 0;
    assert_int_equal(rf_learner_explain(world.learner, &world.examples, 5, list, VECTOR_SIZE + 1), VECTOR_SIZE + 1);
    rf_learner_predict(world.learner, &world.examples, 5, &score);
    bool has_bias = false;
    for (size_t i = 0; i <= VECTOR_SIZE; i++) {
        sum += list[i].amount;
        has_bias |= list[i].field == RF_FIELD_UNKNOWN;
        assert_true(list[i].field == RF_FIELD_UNKNOWN || (list[i].field == RF_FIELD_VECTOR && list[i].hash < VECTOR_SIZE));
        assert_true(i == 0 || fabs(list[i].amount) <= fabs(list[i - 1].amount));
    }
    assert_true(has_bias);
    assert_true(fabs(sum - score) <= 1e-12);
    world_finish(&world);
}

static void standard_scaling_makes_scale_and_offset_vanish(void **state) {
    (void)state;
    struct world plain, moved;
    static const char *const options[] = {"scale", "standard", "precision", "double", NULL};
    world_create(&plain, "logistic", options);
    world_create(&moved, "logistic", options);
    for (size_t i = 0; i < (size_t)EXAMPLES * VECTOR_SIZE; i++) { // exact in float
        plain.examples.vector[i] = roundf(plain.examples.vector[i] * 64) / 64;
        moved.examples.vector[i] = 1024 * plain.examples.vector[i] - 65536;
    }
    fold(&plain, 0, EXAMPLES);
    fold(&moved, 0, EXAMPLES);
    for (size_t i = 0; i < EXAMPLES; i++) {
        assert_true(fabs(plain.predictions.score[i] - moved.predictions.score[i]) <= 1e-9);
    }
    world_finish(&plain);
    world_finish(&moved);
}

static void assert_sound(const struct world *world) {
    struct rf_error err;
    if (rf_learner_check(world->learner, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

static void absurd_values_never_make_state_or_predictions_infinite(void **state) {
    (void)state;
    static const float absurd[] = {3e38F, -3e38F, 1e-45F, 1e20F, 0, -1e15F, 1e-30F};
    static const char *const losses[] = {"squared", "logistic", "hinge", "softmax"};
    for (unsigned bits = 0; bits < 4 * 16; bits++) {
        struct world world;
        world_create(&world, losses[bits / 16],
                     (const char *const[]){"rate", bits & 1 ? "0.01" : "1000000", "precision", bits & 2 ? "double" : "single",
                                           "batch.size", bits & 4 ? "16" : "1", "scale", bits & 8 ? "standard" : "none",
                                           "momentum", bits & 1 ? "0.9" : "0", "l2", bits & 2 ? "9e-7" : "0", NULL});
        for (size_t i = 0; i < (size_t)EXAMPLES * VECTOR_SIZE; i++) {
            world.examples.vector[i] = absurd[i * 31 % 7];
        }
        for (size_t i = 0; i < EXAMPLES; i++) {
            world.examples.weight[i] = i % 5 == 0 ? 1e14 : 1;
            fold(&world, i, i + 1);
            for (size_t k = 0; k < world.learner->outputs; k++) {
                assert_true(isfinite(world.predictions.score[i * world.learner->outputs + k]));
            }
            if (i % 20 == 0) {
                assert_sound(&world);
            }
        }
        assert_sound(&world);
        world_finish(&world);
    }
}

static void assert_corrupt(const struct world *world, const char *sentence) {
    struct rf_error err;
    assert_int_equal(rf_learner_check(world->learner, &err), RF_CORRUPT);
    assert_string_equal(err.text, sentence);
}

static void blocks_that_do_not_hold_together_are_refused(void **state) {
    (void)state;
    struct world world;
    world_create(&world, "softmax", (const char *const[]){"batch.size", "8", "momentum", "0.5", "scale", "standard", NULL});
    fold(&world, 0, 12);
    assert_sound(&world);
    float *weight = data_of(&world, "dense.weights"), *velocity = data_of(&world, "dense.velocities");
    float *vector = data_of(&world, "dense.batch");
    double *bias = data_of(&world, "dense.bias"), *record = data_of(&world, "dense.batch_records");
    uint64_t *progress = data_of(&world, "dense.progress");
    char *core = data_of(&world, "dense.arithmetic");
    struct {
        uint64_t count;
        double mean, scatter;
    } *scaler = data_of(&world, "dense.scaler");
#define REFUSE(cell_, value_, sentence_)                     \
    do {                                                     \
        __typeof__(cell_) kept = (cell_);                    \
        (cell_) = (value_);                                  \
        assert_corrupt(&world, "learner dense: " sentence_); \
        (cell_) = kept;                                      \
        assert_sound(&world);                                \
    } while (0)
    REFUSE(weight[VECTOR_SIZE + 2], NAN, "the weight of coordinate 2 for output 1 is nan, must be at most 1e+15 in size");
    REFUSE(velocity[0], INFINITY, "the velocity of coordinate 0 for output 0 is inf, must be at most 1e+15 in size");
    bias[3] = 0.5;
    REFUSE(bias[2], NAN, "the bias of output 1 is nan with a velocity of 0.5, must be at most 1e+100 in size");
    REFUSE(vector[3 * VECTOR_SIZE], -INFINITY, "record 3 of the mini-batch holds -inf, must be at most 1e+15 in size");
    REFUSE(record[1], 0, "record 0 of the mini-batch has weight 0, must be above 0 and at most 1e+15");
    REFUSE(record[2], 3, "record 1 of the mini-batch has label 3, must be one of loss softmax");
    REFUSE(progress[2], 8, "the mini-batch in progress holds 8 records, must be fewer than its size, 8");
    REFUSE(progress[1], 9, "9 steps were taken for 8 records, must be no more, and these at most 9007199254740992");
    REFUSE(core[0], '\n', "the core type of OpenBLAS is no name of at most 31 letters and digits");
    REFUSE(core[31], 'x', "the core type of OpenBLAS is no name of at most 31 letters and digits");
    REFUSE(scaler[4].scatter, -1, "coordinate 4 of the scaler has scatter -1, must be 0 to 1e+200");
    scaler[4].mean = 2;
    REFUSE(scaler[4].count, UINT64_MAX,
           "coordinate 4 of the scaler has count 18446744073709551615 and mean 2, must be at most 9007199254740992, and 1e+39 in "
           "size");
    world_finish(&world);
}

static void assert_refused(const char *const *options, size_t vector_size, const char *sentence) {
    struct rf_variant_value value = variant_of(rf_learner_variants, "dense");
    for (; *options; options += 2) {
        set_option(&value, options[0], options[1]);
    }
    struct rf_learner *learner = NULL;
    struct rf_error err;
    assert_int_equal(rf_learner_create(&value, &(struct rf_learner_context){.vector_size = vector_size}, &learner, &err),
                     RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(learner);
    variant_finish(&value);
}

static void dense_refuses_what_does_not_go_together(void **state) {
    (void)state;
    assert_refused((const char *const[]){NULL}, 0,
                   "learner dense: the examples have vectors of 0 numbers, must have 1 to 1048576");
    assert_refused((const char *const[]){"batch.size", "64", "batch.growth", "2", "batch.max", "32", NULL}, 4,
                   "learner dense: batch.max is 32, must be at least batch.size, 64, where batches grow");
    assert_refused((const char *const[]){"rate", "0.1", "l2", "10", NULL}, 4,
                   "learner dense: rate 0.1 times l2 10 is 1, must be below 1");
    assert_refused((const char *const[]){"classes", "3", NULL}, 4,
                   "learner dense: classes is 3 with loss logistic, must be given with losses of several classes only");
    assert_refused((const char *const[]){"loss", "softmax", NULL}, 4,
                   "learner dense: loss softmax has 0 classes, must be 2 to 1000: name them in features.classes, or set classes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_step_is_along_the_gradient_of_every_loss),
            cmocka_unit_test(single_records_are_learned_as_by_the_naive_twin),
            cmocka_unit_test(mini_batches_are_learned_as_by_the_naive_twin),
            cmocka_unit_test(mini_batches_count_what_is_learned_alone),
            cmocka_unit_test(mini_batches_grow_by_schedule),
            cmocka_unit_test(a_mini_batch_in_progress_is_resumed),
            cmocka_unit_test(another_core_type_is_told_and_no_part_of_the_model),
            cmocka_unit_test(explain_adds_up_to_the_score),
            cmocka_unit_test(standard_scaling_makes_scale_and_offset_vanish),
            cmocka_unit_test(absurd_values_never_make_state_or_predictions_infinite),
            cmocka_unit_test(blocks_that_do_not_hold_together_are_refused),
            cmocka_unit_test(dense_refuses_what_does_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
