#include "learners/class_weight.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct class_weight {
    double label, weight;
};

struct rf_class_weights {
    struct class_weight *list; // [count] by label, rising
    size_t count;
};

static bool parse_number(const char *text, double *value_out) {
    bool is_decimal = text[0] != '\0' && strspn(text, "0123456789+-.eE") == strlen(text); // no hexadecimal, nan or infinity
    char *end = NULL;
    *value_out = is_decimal ? strtod(text, &end) : 0;
    return is_decimal && end != text && *end == '\0' && isfinite(*value_out);
}

static enum rf_status parse_label(const char *text, enum rf_task task, uint32_t classes, const char *const *names,
                                  double *label_out, struct rf_error *err) {
    for (uint32_t k = 0; names && k < classes; k++) {
        if (strcmp(names[k], text) == 0) {
            *label_out = k;
            return RF_OK;
        }
    }
    if (names) {
        return rf_fail(err, RF_INVALID, "class_weights has %s, must be a class that features.classes names, such as %s", text,
                       names[0]);
    }
    bool is_number = parse_number(text, label_out);
    if (task == RF_TASK_REGRESSION) {
        return is_number ? RF_OK : rf_fail(err, RF_INVALID, "class_weights has %s, must be a label, which is a number", text);
    }
    if (!is_number || *label_out != floor(*label_out) || *label_out < 0 || *label_out >= classes) {
        return rf_fail(err, RF_INVALID, "class_weights has %s, must be a class from 0 to %u", text, classes - 1);
    }
    return RF_OK;
}

static int compare(const void *a, const void *b) {
    double difference = ((const struct class_weight *)a)->label - ((const struct class_weight *)b)->label;
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

enum rf_status rf_class_weights_create(const struct rf_pairs *pairs, enum rf_task task, uint32_t classes,
                                       const char *const *names, struct rf_class_weights **weights_out, struct rf_error *err) {
    *weights_out = NULL;
    if (pairs->count == 0) {
        return RF_OK;
    }
    struct rf_class_weights *weights = calloc(1, sizeof *weights);
    struct class_weight *list = calloc(pairs->count, sizeof *list);
    if (!weights || !list) {
        rf_fail(err, RF_MEMORY, "out of memory for class weights");
        goto fail;
    }
    for (size_t i = 0; i < pairs->count; i++) {
        const struct rf_pair *pair = &pairs->list[i];
        if (parse_label(pair->name, task, classes, names, &list[i].label, err) != RF_OK) {
            goto fail;
        }
        if (!parse_number(pair->value, &list[i].weight) || list[i].weight < 0 || list[i].weight > RF_CLASS_WEIGHT_MAX) {
            rf_fail(err, RF_INVALID, "class_weights gives %s the weight %s, must be a number from 0 to %g", pair->name,
                    pair->value, RF_CLASS_WEIGHT_MAX);
            goto fail;
        }
    }
    qsort(list, pairs->count, sizeof *list, compare);
    for (size_t i = 1; i < pairs->count; i++) {
        if (list[i].label == list[i - 1].label) {
            rf_fail(err, RF_INVALID, "class_weights has label %g twice, must have it once", list[i].label);
            goto fail;
        }
    }
    *weights = (struct rf_class_weights){list, pairs->count};
    *weights_out = weights;
    return RF_OK;
fail:
    free(weights);
    free(list);
    return err->status;
}

void rf_class_weights_destroy(struct rf_class_weights *weights) {
    if (weights) {
        free(weights->list);
        free(weights);
    }
}

double rf_class_weights_of(const struct rf_class_weights *weights, double label) {
    size_t low = 0, high = weights ? weights->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (weights->list[middle].label == label) {
            return weights->list[middle].weight;
        }
        *(weights->list[middle].label < label ? &low : &high) = weights->list[middle].label < label ? middle + 1 : middle;
    }
    return 1;
}
