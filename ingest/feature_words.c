// What features of an example stand for, in words: they are made once more from the event, in the same order.
#include "ingest/feature.h"

#include "ingest/derived.h"
#include "ingest/gram.h"
#include "proto/math.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void add(char *words, size_t size, const char *bytes, size_t count) {
    size_t used = strlen(words);
    size_t room = size - 1 - used;
    size_t taken = count < room ? count : room;
    memcpy(words + used, bytes, taken);
    words[used + taken] = '\0';
}

static void show_gram(const struct rf_grams *grams, char *words, size_t size) {
    struct rf_text tokens[RF_GRAM_TOKENS_MAX];
    size_t count = rf_grams_tokens(grams, tokens);
    add(words, size, "\"", 1);
    for (size_t i = 0; i < count; i++) {
        char lower[RF_TOKEN_SIZE_MAX];
        size_t lower_size = rf_token_lower(tokens[i], lower);
        add(words, size, " ", i > 0);
        add(words, size, lower, lower_size);
    }
    add(words, size, "\"", 1);
}

// The `*nth` gram of a text; where there are fewer, their number is taken from it.
static bool find_gram(const struct rf_schema *schema, const struct rf_field *field, size_t *nth, char *words, size_t size) {
    const struct rf_schema_rules *rules = rf_schema_rules(schema);
    struct rf_grams grams;
    struct rf_hasher hasher = rf_hasher_of(schema);
    rf_grams_init(&grams, &hasher, field->name, rules->ngrams, rules->skips);
    struct rf_text rest = field->value.text;
    struct rf_text token;
    while (rf_token_take(&rest, &token)) {
        uint64_t hash;
        rf_grams_add(&grams, token);
        while (rf_grams_next(&grams, &hash)) {
            if ((*nth)-- == 0) {
                show_gram(&grams, words, size);
                return true;
            }
        }
    }
    return false;
}

// The ends of a bucket, or the place of a knot.
static void show_bucket(const struct rf_bucket_rule *rule, const struct rf_bucket *bucket, char *words, size_t size) {
    bool is_hard = rule->kind == RF_BUCKET_HARD;
    if (rule->edges) {
        size_t index = (size_t)bucket->index;
        if (!is_hard) {
            snprintf(words, size, "at %g", rule->edges[index]);
        } else if (index == 0) {
            snprintf(words, size, "below %g", rule->edges[0]);
        } else if (index == rule->edge_count) {
            snprintf(words, size, "%g or more", rule->edges[index - 1]);
        } else {
            snprintf(words, size, "%g to %g", rule->edges[index - 1], rule->edges[index]);
        }
        return;
    }
    double low = (double)bucket->index * rule->width;
    double high = ((double)bucket->index + 1.0) * rule->width;
    if (rule->scale == RF_BUCKET_LOG) {
        low = bucket->sign * rf_exp(low);
        high = bucket->sign * rf_exp(high);
    }
    if (is_hard && bucket->sign != 0) {
        snprintf(words, size, "%g to %g", low, high);
    } else {
        snprintf(words, size, "at %g", low);
    }
}

static void find_bucket(const struct rf_bucket_rule *rule, double number, size_t nth, char *words, size_t size) {
    struct rf_bucket buckets[RF_BUCKETS_MAX];
    if (nth < rf_bucket_find(rule, number, buckets)) {
        show_bucket(rule, &buckets[nth], words, size);
    }
}

// The next value of a field, from `*at` on; NULL: there is none.
static const struct rf_field *next_value(const struct rf_event *event, uint32_t index, size_t *at) {
    while (*at < event->count) {
        const struct rf_field *field = &event->fields[(*at)++];
        if (field->index == index && field->value.type != RF_VALUE_NULL) {
            return field;
        }
    }
    return NULL;
}

// What the `nth` category of a field stands for, over all values that the field has.
static void find_category(const struct rf_schema *schema, const struct rf_schema_field *declared, const struct rf_event *event,
                          uint32_t index, size_t nth, char *words, size_t size) {
    bool is_found = false;
    const struct rf_field *field;
    for (size_t at = 0; !is_found && (field = next_value(event, index, &at));) {
        if (declared->roles & RF_ROLE_TEXT) {
            is_found = find_gram(schema, field, &nth, words, size);
        } else if (declared->bucket) {
            find_bucket(declared->bucket, field->value.number, nth, words, size);
            is_found = true;
        } else if (nth-- == 0) {
            add(words, size, field->value.text.data, field->value.text.size);
            is_found = true;
        }
    }
}

// A derived number is its own value; a category is computed again.
static void find_derived(const struct rf_schema *schema, const struct rf_event *event, int64_t time_ms, uint32_t index,
                         char *words, size_t size) {
    size_t count;
    const struct rf_derived *list = rf_schema_derived(schema, &count);
    struct rf_derived_inputs inputs;
    rf_derived_gather(schema, event, time_ms, &inputs);
    for (size_t i = 0; i < count; i++) {
        struct rf_derived_value derived;
        if (list[i].index != index || rf_derived_find(&list[i], &inputs, &derived)) {
            continue;
        }
        if (list[i].kind == RF_DERIVED_BUCKET) {
            show_bucket(&list[i].bounds, &(struct rf_bucket){.sign = 1, .index = (int64_t)derived.number}, words, size);
        } else if (derived.value.type == RF_VALUE_TEXT) {
            add(words, size, derived.value.text.data, derived.value.text.size);
        }
    }
}

void rf_feature_words(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples,
                      size_t example, size_t feature, char *words_out, size_t size) {
    uint32_t index = examples->field[feature];
    words_out[0] = '\0';
    if (index >= rf_schema_count(schema)) {
        return;
    }
    const struct rf_schema_field *declared = rf_schema_field(schema, index);
    size_t nth = 0; // of the categories of its field
    for (size_t i = examples->row_start[example]; i < feature; i++) {
        nth += examples->field[i] == index && examples->kind[i] == RF_CATEGORY;
    }
    if (examples->hash[feature] == rf_feature_missing_hash(rf_schema_key(schema), declared->hash)) {
        snprintf(words_out, size, "missing");
    } else if (declared->roles & RF_ROLE_DERIVED) {
        find_derived(schema, event, examples->time_ms[example], index, words_out, size);
    } else if (examples->kind[feature] == RF_CATEGORY) {
        find_category(schema, declared, event, index, nth, words_out, size);
    }
}
