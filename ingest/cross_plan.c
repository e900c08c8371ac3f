#include "ingest/cross_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status out_of_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the crosses of the features do not fit into memory");
}

static const struct rf_named_text *find_namespace(const struct rf_feature_options *options, const char *name) {
    for (size_t i = 0; i < options->namespaces.count; i++) {
        if (strcmp(options->namespaces.list[i].name, name) == 0) {
            return &options->namespaces.list[i];
        }
    }
    return NULL;
}

struct rf_texts rf_cross_plan_side(const struct rf_feature_options *options, char **name) {
    const struct rf_named_text *group = find_namespace(options, *name);
    return group ? group->texts : (struct rf_texts){name, 1};
}

// Checks.

static enum rf_status check_namespace(const struct rf_named_text *group, struct rf_error *err) {
    if (group->texts.count == 0) {
        return rf_fail(err, RF_INVALID, "namespace %s has no field, must have at least one", group->name);
    }
    for (size_t i = 0; i < group->texts.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(group->texts.list[i], group->texts.list[k]) == 0) {
                return rf_fail(err, RF_INVALID, "field %s is twice in namespace %s, must be there once", group->texts.list[i],
                               group->name);
            }
        }
    }
    return RF_OK;
}

static size_t occurrences(const struct rf_texts *sides, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < sides->count; i++) {
        count += strcmp(sides->list[i], name) == 0;
    }
    return count;
}

// Whether two crosses have the same sides, in whatever order.
static bool are_same(const struct rf_texts *a, const struct rf_texts *b) {
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++) {
        is_same = occurrences(a, a->list[i]) == occurrences(b, a->list[i]);
    }
    return is_same;
}

static enum rf_status check_cross(const struct rf_feature_options *options, size_t index, struct rf_error *err) {
    const struct rf_texts *sides = &options->crosses.list[index];
    if (sides->count < 2 || sides->count > RF_CROSS_SIDES_MAX) {
        return rf_fail(err, RF_INVALID, "cross %zu has %zu side%s, must have 2 or 3", index, sides->count,
                       sides->count == 1 ? "" : "s");
    }
    for (size_t i = 0; i < sides->count; i++) {
        if (sides->list[i][0] == '\0') {
            return rf_fail(err, RF_INVALID, "side %zu of cross %zu has no name, must be a field or a namespace", i, index);
        }
    }
    for (size_t i = 0; i < index; i++) {
        if (are_same(&options->crosses.list[i], sides)) {
            return rf_fail(err, RF_INVALID, "crosses %zu and %zu have the same sides, must stand once", i, index);
        }
    }
    return RF_OK;
}

enum rf_status rf_cross_plan_check(const struct rf_feature_options *options, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < options->namespaces.count && !status; i++) {
        status = check_namespace(&options->namespaces.list[i], err);
    }
    for (size_t i = 0; i < options->crosses.count && !status; i++) {
        status = check_cross(options, i, err);
    }
    return status;
}

// Making them.

static char *name_of(const struct rf_texts *sides) {
    static const char between[] = " x ";
    size_t size = 1;
    for (size_t i = 0; i < sides->count; i++) {
        size += strlen(sides->list[i]) + sizeof between - 1;
    }
    char *name = malloc(size);
    if (name) {
        char *end = name;
        for (size_t i = 0; i < sides->count; i++) {
            end = stpcpy(stpcpy(end, i ? between : ""), sides->list[i]);
        }
    }
    return name;
}

static int compare_indices(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static enum rf_status add_side(struct rf_cross_plan *plan, const struct rf_feature_options *options,
                               const struct rf_schema *schema, char **side, struct rf_fields *fields_out, struct rf_error *err) {
    struct rf_texts names = rf_cross_plan_side(options, side);
    uint32_t *list = malloc(names.count * sizeof *list);
    if (!list) {
        return out_of_memory(err);
    }
    plan->fields[plan->field_list_count++] = list;
    for (size_t i = 0; i < names.count; i++) {
        list[i] = rf_schema_find(schema, rf_text_of(names.list[i]));
        assert(list[i] != RF_FIELD_UNKNOWN);
    }
    qsort(list, names.count, sizeof *list, compare_indices);
    *fields_out = (struct rf_fields){list, names.count};
    return RF_OK;
}

static enum rf_status add_cross(struct rf_cross_plan *plan, const struct rf_feature_options *options,
                                const struct rf_schema *schema, const struct rf_texts *sides, struct rf_error *err) {
    struct rf_cross *cross = &plan->list[plan->count++];
    cross->name = name_of(sides);
    if (!cross->name) {
        return out_of_memory(err);
    }
    cross->sides = (uint32_t)sides->count;
    for (size_t i = 0; i < sides->count; i++) {
        size_t first = 0; // the same side again shares its list
        while (strcmp(sides->list[first], sides->list[i]) != 0) {
            first++;
        }
        if (first < i) {
            cross->side[i] = cross->side[first];
            continue;
        }
        enum rf_status status = add_side(plan, options, schema, &sides->list[i], &cross->side[i], err);
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static int compare_crosses(const void *a, const void *b) {
    return strcmp(((const struct rf_cross *)a)->name, ((const struct rf_cross *)b)->name);
}

enum rf_status rf_cross_plan_init(const struct rf_feature_options *options, const struct rf_schema *schema,
                                  struct rf_cross_plan *plan_out, struct rf_error *err) {
    size_t count = options->crosses.count;
    *plan_out = (struct rf_cross_plan){0};
    if (count == 0) {
        return RF_OK;
    }
    struct rf_cross_plan plan = {
            .list = calloc(count, sizeof *plan.list),
            .fields = calloc(count * RF_CROSS_SIDES_MAX, sizeof *plan.fields),
    };
    enum rf_status status = plan.list && plan.fields ? RF_OK : out_of_memory(err);
    for (size_t i = 0; i < count && !status; i++) {
        status = add_cross(&plan, options, schema, &options->crosses.list[i], err);
    }
    if (status) {
        rf_cross_plan_finish(&plan);
        return status;
    }
    qsort(plan.list, count, sizeof *plan.list, compare_crosses);
    *plan_out = plan;
    return RF_OK;
}

void rf_cross_plan_finish(struct rf_cross_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        free((char *)plan->list[i].name);
    }
    for (size_t i = 0; i < plan->field_list_count; i++) {
        free(plan->fields[i]);
    }
    free(plan->list);
    free(plan->fields);
    *plan = (struct rf_cross_plan){0};
}
