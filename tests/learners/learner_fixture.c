#include "tests/learners/learner_fixture.h"
#include "learners/combination.h"
#include "learners/loss.h"
#include "learners/options.h"
#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct rf_setting *setting_of(const struct rf_setting *settings, const char *name) {
    for (; settings->name; settings++) {
        if (strcmp(settings->name, name) == 0) {
            return settings;
        }
    }
    return NULL;
}

struct rf_variant_value variant_of(const struct rf_variant *variants, const char *name) {
    struct rf_variant_value value = {0};
    struct rf_error err;
    if (rf_options_create(variants, name, NULL, &value, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return value;
}

void set_option(struct rf_variant_value *value, const char *path, const char *text) {
    struct rf_error err;
    if (rf_options_set(value, path, text, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

void variant_finish(struct rf_variant_value *value) {
    rf_options_destroy(value);
}

const char *pace_of(const struct rf_variant *optimizer) {
    return setting_of(optimizer->settings, "rate")    ? "optimizer.rate"
           : setting_of(optimizer->settings, "alpha") ? "optimizer.alpha"
                                                      : "optimizer.c";
}

bool goes_together(const struct rf_variant_value *linear) {
    const struct rf_linear_options *options = linear->options;
    struct rf_loss loss;
    struct rf_error err;
    assert_int_equal(rf_loss_init(&options->loss, &loss, &err), RF_OK);
    return rf_combination_check(&loss, &options->optimizer, options->l1, options->l2, &err) == RF_OK;
}

void examples_create(struct rf_examples *examples, size_t capacity, size_t features) {
    struct rf_error err;
    assert_int_equal(rf_examples_init(examples, capacity, features, 64, &err), RF_OK);
    for (size_t field = 0; field < 64; field++) {
        static const char names[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
        examples->field_name[field] = (struct rf_text){names + field, 1};
    }
    assert_int_equal(rf_examples_reserve_vectors(examples, VECTOR_SIZE, &err), RF_OK);
}

void append_example(struct rf_examples *examples, double label, const struct feature *features, size_t count) {
    size_t index = examples->count;
    size_t first = examples->row_start[index];
    assert_true(index < examples->capacity);
    assert_true(first + count <= examples->feature_capacity);
    examples->count++;
    examples->row_start[index + 1] = first + count;
    examples->purpose[index] = RF_OBSERVE | RF_PREDICT | (isnan(label) ? 0 : RF_EVALUATE | RF_LEARN);
    examples->partition[index] = 0;
    examples->offset[index] = (int64_t)index;
    examples->time_ms[index] = -1;
    examples->label[index] = label;
    examples->weight[index] = 1;
    examples->id[index] = (struct rf_text){0};
    for (size_t i = 0; i < count; i++) {
        examples->hash[first + i] = features[i].hash;
        examples->value[first + i] = features[i].value;
        examples->field[first + i] = (uint32_t)i;
        examples->kind[first + i] = (uint8_t)features[i].kind;
    }
}

static uint64_t hash_of(uint64_t field, uint64_t category) {
    uint64_t text[2] = {field, category};
    return rf_hash(rf_hash_key_of_seed(1), text, sizeof text);
}

// Its coordinates lean to where the label does, each by another share.
static void fill_vector(struct rf_random *random, double tendency, float *vector) {
    for (size_t i = 0; i < VECTOR_SIZE; i++) {
        double share = ((double)(i % 5) - 2) / 4;
        vector[i] = (float)(rf_random_normal(random) + tendency * share + (double)(i % 3));
    }
}

void append_random_stream(struct rf_examples *examples, size_t count, uint32_t classes, uint64_t seed) {
    struct rf_random random, vectors;
    rf_random_init(&random, seed);
    rf_random_init(&vectors, seed + 1000);
    for (size_t n = 0; n < count; n++) {
        struct feature features[16];
        size_t used = 0;
        double tendency = 0;
        for (uint64_t field = 0; field < 3; field++) {
            double value = 10 * (double)field + rf_random_normal(&random) * (1 + (double)field);
            features[used++] = (struct feature){hash_of(field, 0), value, RF_NUMBER};
            tendency += value / 10 - (double)field;
        }
        if (rf_random_below(&random, 7) == 0) {
            features[used++] = (struct feature){hash_of(3, 0), rf_random_uniform(&random), RF_NUMBER};
        }
        for (uint64_t field = 4; field < 8; field++) {
            uint64_t category = rf_random_below(&random, rf_random_below(&random, 40) + 1);
            features[used++] = (struct feature){hash_of(field, category), 1, RF_CATEGORY};
            tendency += category % 2 ? 0.5 : -0.5;
        }
        if (rf_random_below(&random, 3) == 0) { // the same row as the first number, and as one another
            features[used++] = (struct feature){features[0].hash + (UINT64_C(1) << 40), 1, RF_CATEGORY};
            features[used++] = (struct feature){features[0].hash + (UINT64_C(1) << 41), 0.5, RF_CATEGORY};
        }
        tendency += rf_random_normal(&random) / 2;
        double label = classes == 0 ? tendency : fmin(fmax(floor((tendency + 2) / 4 * classes), 0), classes - 1.0);
        append_example(examples, label, features, used);
        fill_vector(&vectors, tendency, examples->vector + (examples->count - 1) * VECTOR_SIZE);
        examples->weight[examples->count - 1] = rf_random_below(&random, 5) == 0 ? 2.5 : 1;
    }
}

void predictions_create(struct rf_predictions *predictions, const struct rf_learner *learner,
                        const struct rf_examples *examples) {
    *predictions = (struct rf_predictions){
            .examples = examples,
            .task = learner->task,
            .outputs = learner->outputs,
            .is_margin = learner->is_margin,
            .score = calloc(examples->capacity * learner->outputs, sizeof(double)),
            .since = calloc(examples->capacity, sizeof(uint64_t)),
    };
    assert_non_null(predictions->score);
    assert_non_null(predictions->since);
}

void predictions_finish(struct rf_predictions *predictions) {
    free(predictions->score);
    free(predictions->since);
}

struct rf_learner *create_learner(const struct rf_variant_value *value, bool use_baseline_kernels) {
    const struct rf_learner_context context = {.features_max = 64,
                                               .vector_size = strcmp(value->kind->name, "dense") == 0 ? VECTOR_SIZE : 0,
                                               .use_baseline_kernels = use_baseline_kernels};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    if (rf_learner_create(value, &context, &learner, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return learner;
}
