#include "tests/learners/learner_fixture.h"
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

static int choice_of(const struct rf_setting *setting, const char *text) {
    for (int i = 0; setting->choices[i]; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            return i;
        }
    }
    fail_msg("%s is no %s", text, setting->name);
    return -1;
}

static void set_field(const struct rf_setting *setting, void *options, const char *text) {
    char *field = (char *)options + setting->offset;
    switch (setting->type) {
    case RF_TYPE_TEXTS:
        fail_msg("setting %s is a list, which tests fill themselves", setting->name);
        break;
    case RF_TYPE_BOOL:
        *(bool *)(void *)field = strcmp(text, "true") == 0;
        break;
    case RF_TYPE_UINT:
        *(uint64_t *)(void *)field = strtoull(text, NULL, 10);
        break;
    case RF_TYPE_REAL:
        *(double *)(void *)field = setting->choices && !strcmp(setting->choices[0], text) ? NAN : strtod(text, NULL);
        break;
    case RF_TYPE_CHOICE:
        *(int *)(void *)field = choice_of(setting, text);
        break;
    case RF_TYPE_VARIANT:
        variant_finish((struct rf_variant_value *)(void *)field);
        *(struct rf_variant_value *)(void *)field = variant_of(setting->variants, text);
        break;
    default:
        fail_msg("setting %s has a type learners do not use", setting->name);
    }
}

struct rf_variant_value variant_of(const struct rf_variant *variants, const char *name) {
    for (; variants->name; variants++) {
        if (strcmp(variants->name, name) == 0) {
            struct rf_variant_value value = {.kind = variants, .options = calloc(1, variants->options_size)};
            assert_non_null(value.options);
            for (const struct rf_setting *setting = variants->settings; setting->name; setting++) {
                if (setting->fallback) {
                    set_field(setting, value.options, setting->fallback);
                }
            }
            return value;
        }
    }
    fail_msg("no variant is called %s", name);
    return (struct rf_variant_value){0};
}

void set_option(struct rf_variant_value *value, const char *path, const char *text) {
    char name[64] = {0};
    size_t size = strcspn(path, ".");
    assert_true(size < sizeof name);
    memcpy(name, path, size);
    const struct rf_setting *setting = setting_of(value->kind->settings, name);
    if (!setting) {
        fail_msg("%s has no setting %s", value->kind->name, name);
        return;
    }
    if (path[size] == '.') {
        set_option((struct rf_variant_value *)(void *)((char *)value->options + setting->offset), path + size + 1, text);
    } else {
        set_field(setting, value->options, text);
    }
}

void variant_finish(struct rf_variant_value *value) {
    if (!value->kind) {
        return;
    }
    for (const struct rf_setting *setting = value->kind->settings; setting->name; setting++) {
        if (setting->type == RF_TYPE_VARIANT) {
            variant_finish((struct rf_variant_value *)(void *)((char *)value->options + setting->offset));
        }
    }
    free(value->options);
    *value = (struct rf_variant_value){0};
}

void examples_create(struct rf_examples *examples, size_t capacity, size_t features) {
    struct rf_error err;
    assert_int_equal(rf_examples_init(examples, capacity, features, 64, &err), RF_OK);
    for (size_t field = 0; field < 64; field++) {
        static const char names[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
        examples->field_name[field] = (struct rf_text){names + field, 1};
    }
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

void append_random_stream(struct rf_examples *examples, size_t count, uint32_t classes, uint64_t seed) {
    struct rf_random random;
    rf_random_init(&random, seed);
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
    const struct rf_learner_context context = {.features_max = 64, .use_baseline_kernels = use_baseline_kernels};
    struct rf_learner *learner = NULL;
    struct rf_error err;
    if (rf_learner_create(value, &context, &learner, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return learner;
}
