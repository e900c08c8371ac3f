// What holds for every learner of the registry, with every model, loss, optimizer, regulariser, rate and precision that go
// together by the table of combination.h: learning is a fold. What does not go together is refused.
#include "learners/loss.h"
#include "learners/optimizer.h"
#include "proto/random.h"
#include "proto/snapshot.h"
#include "tests/learners/learner_fixture.h"
#include "tests/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXAMPLES = 1100, EXAMPLES_FEW = 250, CLASSES = 3 };

struct world { // a learner, its blocks, and what it predicted
    struct rf_learner *learner;
    struct rf_state state;
    struct rf_predictions predictions;
};

static void world_create(struct world *world, const struct rf_variant_value *value, const struct rf_examples *examples,
                         bool use_baseline_kernels) {
    world->learner = create_learner(value, use_baseline_kernels);
    rf_state_init(&world->state);
    rf_learner_state(world->learner, &world->state);
    predictions_create(&world->predictions, world->learner, examples);
}

static void world_finish(struct world *world) {
    predictions_finish(&world->predictions);
    rf_state_finish(&world->state);
    rf_learner_destroy(world->learner);
}

static void assert_same_state(const struct world *a, const struct world *b) {
    struct rf_error err;
    if (rf_state_compare(&a->state, &b->state, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

static void assert_same_scores(const struct world *a, const struct world *b, size_t begin, size_t end) {
    size_t outputs = a->learner->outputs;
    assert_memory_equal(a->predictions.score + begin * outputs, b->predictions.score + begin * outputs,
                        (end - begin) * outputs * sizeof(double));
}

static void fold(struct world *world, size_t begin, size_t end) {
    rf_learner_fold(world->learner, world->predictions.examples, begin, end, &world->predictions);
}

typedef void property(const struct rf_variant_value *value, const struct rf_examples *examples);

// A snapshot in memory.
struct saved {
    uint8_t *data;
    size_t size, capacity;
};

static enum rf_status append_bytes(void *context, const void *data, size_t size, struct rf_error *err) {
    struct saved *saved = context;
    (void)err;
    if (saved->size + size > saved->capacity) {
        saved->capacity = 2 * (saved->size + size);
        saved->data = realloc(saved->data, saved->capacity);
        assert_non_null(saved->data);
    }
    memcpy(saved->data + saved->size, data, size);
    saved->size += size;
    return RF_OK;
}

static void save(struct world *world, struct saved *saved) {
    char text[] = "property";
    const struct rf_snapshot_header header = {.model = text, .specification = text, .worker = text, .program = text};
    struct rf_snapshot_writer *writer = NULL;
    struct rf_error err;
    enum rf_status status = rf_snapshot_writer_create(&header, &world->state, append_bytes, saved, &writer, &err);
    while (!status && (status = rf_snapshot_writer_advance(writer, 1 << 20, &err)) == RF_AGAIN) {
        status = RF_OK;
    }
    if (status) {
        fail_msg("%s", err.text);
    }
    rf_snapshot_writer_destroy(writer);
}

// The thread sanitizer takes a tenth of a second for a new process: there, what resumes is a new learner only.
#ifdef __SANITIZE_THREAD__
enum { FORKS = false };
#else
enum { FORKS = true };
#endif

// What a process that resumed hands back.
struct resumed {
    bool is_done;
    uint8_t sha256[2][RF_SHA256_SIZE]; // of the blocks of the model, and of those beside it
    double score[EXAMPLES * CLASSES];
};

static void digest(const struct world *world, uint8_t sha256_out[2][RF_SHA256_SIZE]) {
    rf_state_sha256(&world->state, RF_SCOPE_MODEL, sha256_out[0]);
    rf_state_sha256(&world->state, RF_SCOPE_EVALUATION, sha256_out[1]);
}

// In a process of its own: nothing but the snapshot comes from the one that learned before.
static void resume(const struct rf_variant_value *value, const struct rf_examples *examples, const struct saved *saved,
                   size_t cut, struct resumed *out) {
    struct world world;
    struct rf_snapshot_header header;
    struct rf_error err;
    world_create(&world, value, examples, false);
    if (rf_snapshot_read_header(saved->data, saved->size, &header, NULL, &err) ||
        rf_snapshot_read_state(saved->data, saved->size, &world.state, &err) || rf_learner_check(world.learner, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return;
    }
    fold(&world, cut, examples->count);
    digest(&world, out->sha256);
    size_t outputs = world.learner->outputs;
    memcpy(out->score + cut * outputs, world.predictions.score + cut * outputs,
           (examples->count - cut) * outputs * sizeof(double));
    out->is_done = true;
    rf_snapshot_header_finish(&header);
    world_finish(&world);
}

static struct rf_random cuts = {{1, 2, 3, 4}}; // where to save: somewhere in the second half, so that held rates have changed

// Learn N = learn k, save, restore in a new process, learn N - k; to save changes nothing.
static void resumes_bit_exactly(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct world straight;
    struct saved saved = {0};
    size_t cut = examples->count - 1 - rf_random_below(&cuts, examples->count == EXAMPLES ? 70 : examples->count / 2);
    struct resumed *resumed = mmap(NULL, sizeof *resumed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(resumed != MAP_FAILED);
    world_create(&straight, value, examples, false);
    fold(&straight, 0, cut);
    save(&straight, &saved);
    pid_t child = FORKS ? fork() : 0;
    if (child == 0) {
        resume(value, examples, &saved, cut, resumed);
        if (FORKS) {
            _exit(0);
        }
    }
    fold(&straight, cut, examples->count);
    uint8_t sha256[2][RF_SHA256_SIZE];
    digest(&straight, sha256);
    assert_true(!FORKS || (child > 0 && waitpid(child, NULL, 0) == child));
    assert_true(resumed->is_done);
    assert_memory_equal(sha256, resumed->sha256, sizeof sha256);
    size_t outputs = straight.learner->outputs;
    assert_memory_equal(straight.predictions.score + cut * outputs, resumed->score + cut * outputs,
                        (examples->count - cut) * outputs * sizeof(double));
    world_finish(&straight);
    free(saved.data);
    munmap(resumed, sizeof *resumed);
}

static void batches_never_show(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct world whole, cut;
    world_create(&whole, value, examples, false);
    world_create(&cut, value, examples, false);
    fold(&whole, 0, examples->count);
    for (size_t begin = 0, size = 1; begin < examples->count; size = size % 97 + 1) {
        size_t end = begin + size < examples->count ? begin + size : examples->count;
        fold(&cut, begin, end);
        begin = end;
    }
    assert_same_state(&whole, &cut);
    assert_same_scores(&whole, &cut, 0, examples->count);
    world_finish(&whole);
    world_finish(&cut);
}

static void asking_changes_nothing(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct world quiet, asked;
    world_create(&quiet, value, examples, false);
    world_create(&asked, value, examples, false);
    for (size_t i = 0; i < examples->count; i++) {
        fold(&quiet, i, i + 1);
        double score[CLASSES];
        struct rf_contribution list[4];
        rf_learner_predict(asked.learner, examples, (i * 31) % examples->count, score);
        rf_learner_explain(asked.learner, examples, (i * 17) % examples->count, list, 4);
        rf_learner_predict(asked.learner, examples, i, score);
        fold(&asked, i, i + 1);
        assert_memory_equal(score, asked.predictions.score + i * asked.learner->outputs, asked.learner->outputs * sizeof *score);
    }
    assert_same_state(&quiet, &asked);
    assert_same_scores(&quiet, &asked, 0, examples->count);
    world_finish(&quiet);
    world_finish(&asked);
}

static void instruction_sets_give_the_same_bits(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct world baseline, best;
    world_create(&baseline, value, examples, true);
    world_create(&best, value, examples, false);
    fold(&baseline, 0, examples->count);
    fold(&best, 0, examples->count);
    assert_same_state(&baseline, &best);
    assert_same_scores(&baseline, &best, 0, examples->count);
    world_finish(&baseline);
    world_finish(&best);
}

static void every_sound_example_is_learned(const struct rf_variant_value *value, const struct rf_examples *examples) {
    struct world world;
    world_create(&world, value, examples, false);
    fold(&world, 0, examples->count);
    assert_int_equal(world.learner->learned, examples->count);
    for (size_t i = 0; i < examples->count * world.learner->outputs; i++) {
        assert_true(isfinite(world.predictions.score[i]));
    }
    world_finish(&world);
}

static uint32_t classes_of(const struct rf_variant *loss) {
    enum rf_task task = ((const struct rf_loss_ops *)loss->registration)->task;
    return task == RF_TASK_REGRESSION ? 0 : task == RF_TASK_MULTICLASS ? CLASSES : 2;
}

// Counts are not below 0, factors not beyond 1.
static void fit_labels(struct rf_examples *examples, const struct rf_variant *loss) {
    const bool is_factor = loss->registration == &rf_loss_hinge_factor;
    for (size_t i = 0; i < examples->count && is_factor; i++) {
        examples->label[i] = fmax(-1, fmin(1, examples->label[i]));
    }
    for (size_t i = 0; i < examples->count && loss->registration == &rf_loss_poisson; i++) {
        examples->label[i] = fabs(examples->label[i]);
    }
}

// What is walked beside the loss: every combination of these.
struct combination {
    const struct rf_variant *optimizer;
    const char *decay, *warm_up; // NULL: the optimizer has no rate
    const char *l1, *l2, *precision;
    const char *name, *text; // a setting of the optimizer that is not at its default, NULL: none
};

static void set_combination(struct rf_variant_value *value, const struct combination *combination) {
    set_option(value, "optimizer", combination->optimizer->name);
    if (combination->decay) {
        set_option(value, "optimizer.rate_decay", combination->decay);
        set_option(value, "optimizer.rate_every", "400");
        set_option(value, "optimizer.rate_warm_up", combination->warm_up);
    }
    if (combination->name) {
        char path[64];
        snprintf(path, sizeof path, "optimizer.%s", combination->name);
        set_option(value, path, combination->text);
    }
    set_option(value, "l1", combination->l1);
    set_option(value, "l2", combination->l2);
    set_option(value, "precision", combination->precision);
}

static void assert_refused(const struct rf_variant_value *value) {
    const struct rf_learner_context context = {.features_max = 64};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    assert_int_equal(rf_learner_create(value, &context, &learner, &err), RF_INVALID);
    assert_null(learner);
}

static void check_combination(struct rf_variant_value *value, struct rf_examples *examples, const struct combination *combination,
                              property *check) {
    set_combination(value, combination);
    if (!goes_together(value)) {
        assert_refused(value);
        return;
    }
    // A rate that is held changes after 1,024 steps: to resume must find it.
    bool is_constant = !combination->decay || (strcmp(combination->decay, "constant") == 0 && *combination->warm_up == '0');
    bool is_held = !is_constant && (strcmp(combination->l1, "0") != 0 || strcmp(combination->l2, "0") != 0 ||
                                    strcmp(combination->optimizer->name, "adam") == 0);
    size_t count = examples->count;
    examples->count = is_held && check == resumes_bit_exactly ? EXAMPLES : EXAMPLES_FEW;
    check(value, examples);
    examples->count = count;
}

// Calls `check` for a learner with one loss and one optimizer, for each rate, L1, L2 and precision.
static void for_each_rate(struct rf_variant_value *value, struct rf_examples *examples, const struct rf_variant *optimizer,
                          const char *setting, const char *text, property *check) {
    static const char *const no_rate[] = {NULL, NULL};
    const struct rf_setting *decay = setting_of(optimizer->settings, "rate_decay");
    const char *const *name = decay ? decay->choices : no_rate;
    do {
        for (unsigned bits = 0; bits < (*name ? 16 : 8); bits++) {
            const struct combination combination = {
                    .optimizer = optimizer,
                    .name = setting,
                    .text = text,
                    .decay = *name,
                    .l1 = bits & 1 ? "0.0005" : "0",
                    .l2 = bits & 2 ? "0.001" : "0",
                    .precision = bits & 4 ? "double" : "single",
                    .warm_up = bits & 8 ? "50" : "0",
            };
            check_combination(value, examples, &combination, check);
        }
    } while (*name && *++name);
}

// One rate and several, with and without forgetting: a half-life so short that ticks are renewed. Then, at one rate, each
// switch turned once, and squares to begin with under an l1.
static void for_each_adaptive(struct rf_variant_value *value, struct rf_examples *examples, property *check) {
    static const char *const switches[] = {"adaptive", "normalized", "invariant", "resistant"};
    size_t count = examples->count;
    examples->count = EXAMPLES_FEW;
    set_option(value, "optimizer", "adaptive");
    set_option(value, "l1", "0");
    set_option(value, "l2", "0");
    for (unsigned bits = 0; bits < 8; bits++) {
        set_option(value, "optimizer.half_life", bits & 1 ? "2" : "0");
        set_option(value, "optimizer.rate", bits & 2 ? "0.5" : "auto");
        set_option(value, "precision", bits & 4 ? "double" : "single");
        check(value, examples);
    }
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "optimizer.%s", switches[i]);
        set_option(value, "optimizer", "adaptive");
        set_option(value, "optimizer.rate", "0.01");
        set_option(value, path, "false");
        check(value, examples);
    }
    set_option(value, "optimizer", "adaptive");
    set_option(value, "optimizer.rate", "0.01");
    set_option(value, "optimizer.squares", "0.5");
    set_option(value, "optimizer.l1", "0.001");
    check(value, examples);
    examples->count = count;
}

// Each optimizer, and each of its own switches and choices turned once.
static void for_each_optimizer(struct rf_variant_value *value, struct rf_examples *examples, property *check) {
    const struct rf_setting *optimizers = setting_of(value->kind->settings, "optimizer");
    for (const struct rf_variant *kind = optimizers->variants; kind->name; kind++) {
        if (strcmp(kind->name, "adaptive") == 0) {
            for_each_adaptive(value, examples, check);
            continue;
        }
        for_each_rate(value, examples, kind, NULL, NULL, check);
        for (const struct rf_setting *own = kind->settings; own->name; own++) {
            if (own->type == RF_TYPE_BOOL) {
                for_each_rate(value, examples, kind, own->name, strcmp(own->fallback, "true") == 0 ? "false" : "true", check);
            }
            for (size_t i = 0; own->type == RF_TYPE_CHOICE && strcmp(own->name, "rate_decay") != 0 && own->choices[i]; i++) {
                if (strcmp(own->choices[i], own->fallback) != 0) {
                    for_each_rate(value, examples, kind, own->name, own->choices[i], check);
                }
            }
        }
    }
}

// Calls `check` for a learner of vectors, for each kind of mini-batch, and for what may stand beside it.
static void for_each_batch(struct rf_variant_value *value, struct rf_examples *examples, property *check) {
    static const char *const batches[][2] = {{"1", "1"}, {"32", "1"}, {"1", "3"}};
    for (size_t batch = 0; batch < 3; batch++) {
        set_option(value, "batch.size", batches[batch][0]);
        set_option(value, "batch.growth", batches[batch][1]);
        set_option(value, "batch.every", "100");
        set_option(value, "batch.max", "70");
        for (unsigned bits = 0; bits < 16; bits++) {
            set_option(value, "l2", bits & 1 ? "0.001" : "0");
            set_option(value, "rate", "0.0002"); // more, and poisson with momentum diverges on these vectors
            set_option(value, "rate_decay", bits & 1 ? "inverse_scaling" : "constant");
            set_option(value, "momentum", bits & 2 ? "0.9" : "0");
            set_option(value, "precision", bits & 4 ? "double" : "single");
            set_option(value, "scale", bits & 8 ? "standard" : "none");
            check(value, examples);
        }
    }
}

// Of a learner with a loss: each loss, with each optimizer or mini-batch.
static void for_each_loss(const struct rf_variant *kind, property *check) {
    const struct rf_setting *loss = setting_of(kind->settings, "loss");
    for (size_t l = 0; loss->variants[l].name; l++) {
        struct rf_variant_value value = variant_of(rf_learner_variants, kind->name);
        uint32_t classes = classes_of(&loss->variants[l]);
        set_option(&value, "loss", loss->variants[l].name);
        set_option(&value, "classes", classes == CLASSES ? "3" : "0");
        bool has_optimizer = setting_of(kind->settings, "optimizer");
        if (has_optimizer) {
            set_option(&value, "hash_bits", "8");
        }
        struct rf_examples examples;
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_random_stream(&examples, EXAMPLES, classes, 100 + l);
        fit_labels(&examples, &loss->variants[l]);
        (has_optimizer ? for_each_optimizer : for_each_batch)(&value, &examples, check);
        rf_examples_finish(&examples);
        variant_finish(&value);
    }
}

// Of a learner without: each model it offers, for two classes and for more, with room for all fields and for few.
static void for_each_model(const struct rf_variant *kind, property *check) {
    const struct rf_setting *model = setting_of(kind->settings, "model");
    assert_non_null(model);
    for (size_t m = 0; model->choices[m]; m++) {
        for (unsigned bits = 0; bits < 4; bits++) {
            struct rf_variant_value value = variant_of(rf_learner_variants, kind->name);
            uint32_t classes = bits & 1 ? CLASSES : 2;
            set_option(&value, "model", model->choices[m]);
            set_option(&value, "classes", classes == CLASSES ? "3" : "2");
            set_option(&value, "fields_max", bits & 2 ? "4" : "256");
            set_option(&value, "hash_bits", bits & 2 ? "3" : "8");
            struct rf_examples examples;
            examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
            append_random_stream(&examples, EXAMPLES, classes, 200 + m);
            check(&value, &examples);
            rf_examples_finish(&examples);
            variant_finish(&value);
        }
    }
}

// What goes with some losses only, or is no optimizer.
enum { VARIATION_OPTIONS = 6 };
static const char *const variations[][VARIATION_OPTIONS][2] = {
        {{"loss", "hinge"}, {"optimizer", "passive_aggressive"}},
        {{"loss", "hinge"}, {"optimizer", "passive_aggressive"}, {"optimizer.average", "true"}, {"precision", "double"}},
        {{"loss", "hinge"}, {"optimizer", "passive_aggressive"}, {"optimizer.variant", "plain"}},
        {{"loss", "epsilon_insensitive"}, {"optimizer", "passive_aggressive"}, {"optimizer.variant", "II"}},
        {{"loss", "absolute"}, {"optimizer", "passive_aggressive"}, {"optimizer.c", "0.01"}, {"clip", "labels"}},
        {{"loss", "one_against_all"},
         {"loss.base", "hinge"},
         {"classes", "3"},
         {"optimizer", "passive_aggressive"},
         {"optimizer.average", "true"}},
        {{"loss", "one_against_all"}, {"loss.base", "squared"}, {"classes", "3"}},
        {{"loss", "perceptron"}, {"optimizer.rate", "1"}, {"optimizer.average", "true"}},
        {{"loss", "softmax"}, {"classes", "3"}, {"optimizer.average", "true"}, {"optimizer.rate_decay", "inverse_scaling"}},
        {{"loss", "squared"}, {"clip", "labels"}, {"class_weights.1", "2"}, {"class_weights.0.5", "3"}, {"gradient_max", "0.5"}},
        {{"loss", "logistic"}, {"class_weights.1", "4"}, {"gradient_max", "0.2"}, {"bias_rate", "0.1"}},
        {{"update", "mini_batch"}, {"update.size", "7"}},
        {{"update", "mini_batch"}, {"update.size", "1"}, {"update.growth", "3"}, {"update.every", "100"}, {"bias_rate", "0.1"}},
        {{"loss", "softmax"}, {"classes", "3"}, {"update", "mini_batch"}, {"optimizer", "nesterov"}, {"l2", "0.001"}},
        {{"loss", "squared"},
         {"update", "window"},
         {"clip", "labels_and_zero"},
         {"update.gradient", "sum"},
         {"optimizer.rate", "0.001"}},
        {{"update", "window"},
         {"update.size", "30"},
         {"update.every", "50"},
         {"l2", "0.001"},
         {"optimizer.rate_decay", "inverse_scaling"}},
        {{"loss", "softmax"}, {"classes", "3"}, {"update", "window"}, {"optimizer", "momentum"}, {"update.size", "13"}},
        {{"scale", "min_max"}, {"encode", "target"}},
        {{"scale", "max_abs"}, {"encode", "both"}, {"encode_categories", "16"}},
        {{"scale", "robust"}, {"noise", "0.1"}},
        {{"scale", "robust"}, {"scale_fields", "2"}, {"loss", "squared"}, {"encode", "target"}},
        {{"scale", "standard"}, {"select_variance", "0.5"}},
        {{"scale", "none"}, {"select_weight", "0.05"}, {"select_after", "100"}, {"noise", "0.5"}},
};

static void for_each_variation(const char *learner, property *check) {
    for (size_t v = 0; v < sizeof variations / sizeof *variations; v++) {
        struct rf_variant_value value = variant_of(rf_learner_variants, learner);
        set_option(&value, "hash_bits", "8");
        set_option(&value, "optimizer", "sgd");
        for (size_t i = 0; i < VARIATION_OPTIONS && variations[v][i][0]; i++) {
            set_option(&value, variations[v][i][0], variations[v][i][1]);
        }
        struct rf_learner *asked = create_learner(&value, false);
        struct rf_examples examples;
        examples_create(&examples, EXAMPLES, (size_t)EXAMPLES * 16);
        append_random_stream(&examples, EXAMPLES,
                             asked->task == RF_TASK_REGRESSION ? 0
                             : asked->task == RF_TASK_BINARY   ? 2
                                                               : CLASSES,
                             200 + v);
        check(&value, &examples);
        rf_examples_finish(&examples);
        rf_learner_destroy(asked);
        variant_finish(&value);
    }
}

static void for_each_learner(property *check) {
    for_each_variation("linear", check);
    for (const struct rf_variant *kind = rf_learner_variants; kind->name; kind++) {
        (setting_of(kind->settings, "loss") ? for_each_loss : for_each_model)(kind, check);
    }
}

static void learners_resume_bit_exactly(void **state) {
    (void)state;
    for_each_learner(resumes_bit_exactly);
}

static void learners_do_not_see_where_batches_are_cut(void **state) {
    (void)state;
    for_each_learner(batches_never_show);
}

static void learners_do_not_change_when_asked(void **state) {
    (void)state;
    for_each_learner(asking_changes_nothing);
}

static void learners_give_the_same_bits_with_any_instruction_set(void **state) {
    (void)state;
    for_each_learner(instruction_sets_give_the_same_bits);
}

static void learners_learn_every_sound_example(void **state) {
    (void)state;
    for_each_learner(every_sound_example_is_learned);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(learners_resume_bit_exactly),
            cmocka_unit_test(learners_do_not_see_where_batches_are_cut),
            cmocka_unit_test(learners_do_not_change_when_asked),
            cmocka_unit_test(learners_give_the_same_bits_with_any_instruction_set),
            cmocka_unit_test(learners_learn_every_sound_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
