#include "ingest/feature.h"

#include "ingest/derived.h"
#include "ingest/feature_hash.h"
#include "ingest/gram.h"
#include "ingest/met_fields.h"
#include "ingest/number.h"
#include "ingest/reject.h"
#include "ingest/time_field.h"
#include "ingest/vector.h"
#include "proto/bytes.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

// An example in the making. It counts only once it is whole.
struct draft {
    const struct rf_schema *schema;
    struct rf_examples *examples;
    struct rf_decode_error *error;
    enum rf_label_form label_form;
    struct rf_met_fields met;
    struct rf_hasher hasher;
    size_t feature_count; // of the batch
    size_t feature_end;   // how far it may come with this example
    int64_t time_ms;
    double label; // NaN: none
    double weight;
    struct rf_text id;
    bool has_vector;
    uint64_t *seen; // a bit for each declared field that has a value
};

// A key that no category's text is hashed with.
static struct rf_hash_key marked_key(struct rf_hash_key key, uint64_t field_hash) {
    return (struct rf_hash_key){key.k0 ^ field_hash, ~key.k1};
}

uint64_t rf_feature_bucket_hash(struct rf_hash_key key, uint64_t field_hash, const struct rf_bucket *bucket) {
    char bytes[10] = {'b', (char)(bucket->sign + 1)};
    rf_store_u64(bytes + 2, (uint64_t)bucket->index);
    return rf_hash(marked_key(key, field_hash), bytes, sizeof bytes);
}

uint64_t rf_feature_missing_hash(struct rf_hash_key key, uint64_t field_hash) {
    return rf_hash(marked_key(key, field_hash), "m", 1);
}

void rf_feature_declare(const struct rf_schema *schema, struct rf_examples *examples) {
    uint32_t count = rf_schema_count(schema);
    assert(count <= examples->field_capacity);
    for (uint32_t i = 0; i < count; i++) {
        examples->field_name[i] = rf_schema_field(schema, i)->name;
    }
    examples->field_count = count;
}

// A value as it stands in a sentence: texts in quotes.
struct shown_value {
    const char *quote;
    struct rf_shown shown;
};

static struct shown_value show_value(const struct rf_value *value) {
    char room[RF_VALUE_ROOM];
    return (struct shown_value){value->type == RF_VALUE_TEXT ? "\"" : "", rf_show(rf_value_words(value, room))};
}

static enum rf_status wrong_value(const struct draft *draft, const struct rf_field *field, const char *wanted) {
    struct shown_value is = show_value(&field->value);
    return rf_decode_fail(draft->error, RF_REASON_TYPE, "field %s is %s%s%s, must be %s", rf_show(field->name).text, is.quote,
                          is.shown.text, is.quote, wanted);
}

// The batch has no room for the example: cut it before this record, unless that would not help.
static enum rf_status full(const struct draft *draft, const char *what, size_t capacity) {
    if (draft->examples->count > 0) {
        return RF_FULL;
    }
    return rf_decode_fail(draft->error, RF_REASON_LIMIT, "has more than %zu %s, which is all a batch has room for", capacity,
                          what);
}

static size_t features_max(const struct rf_examples *examples) {
    return examples->features_max < RF_SCHEMA_FEATURES_MAX ? examples->features_max : RF_SCHEMA_FEATURES_MAX;
}

static enum rf_status too_many_features(const struct draft *draft) {
    return rf_decode_fail(draft->error, RF_REASON_LIMIT, "has more than %zu features", features_max(draft->examples));
}

static enum rf_status append_feature(struct draft *draft, enum rf_feature_kind kind, uint32_t field, uint64_t hash,
                                     double value) {
    struct rf_examples *examples = draft->examples;
    if (draft->feature_count == draft->feature_end) {
        return too_many_features(draft);
    }
    if (draft->feature_count == examples->feature_capacity) {
        return full(draft, "features", examples->feature_capacity);
    }
    size_t index = draft->feature_count++;
    examples->hash[index] = hash;
    examples->value[index] = value;
    examples->field[index] = field;
    examples->kind[index] = (uint8_t)kind;
    return RF_OK;
}

static enum rf_status append_category(struct draft *draft, const struct rf_field *field, uint32_t index) {
    bool is_keyed = draft->hasher.hashing == RF_HASHING_KEYED; // then the hash of the namespace is known
    uint64_t field_hash = is_keyed ? field->hash : rf_hasher_namespace(&draft->hasher, field->name);
    return append_feature(draft, RF_CATEGORY, index, rf_hasher_feature(&draft->hasher, field_hash, field->value.text), 1.0);
}

static enum rf_status append_number(struct draft *draft, const struct rf_field *field, uint32_t index) {
    bool is_keyed = draft->hasher.hashing == RF_HASHING_KEYED;
    uint64_t hash = is_keyed ? field->hash : rf_hasher_namespace(&draft->hasher, field->name);
    return append_feature(draft, RF_NUMBER, index, hash, field->value.number);
}

static uint32_t met_index(struct draft *draft, struct rf_text name, uint64_t hash) {
    return rf_met_fields_index(&draft->met, name, hash);
}

static enum rf_status too_many_fields(const struct draft *draft) {
    return full(draft, "fields", rf_met_fields_capacity(draft->examples));
}

static enum rf_status append_namespace(struct draft *draft, const struct rf_namespace *space, const uint64_t *hash,
                                       const double *value, size_t count) {
    struct rf_examples *examples = draft->examples;
    uint32_t index = space->index;
    if (index == RF_FIELD_UNKNOWN) {
        index = met_index(draft, space->name, space->hash);
    }
    if (index == RF_FIELD_UNKNOWN) {
        return too_many_fields(draft);
    }
    if (count > draft->feature_end - draft->feature_count) {
        return too_many_features(draft);
    }
    if (count > examples->feature_capacity - draft->feature_count) {
        return full(draft, "features", examples->feature_capacity);
    }
    if (index < rf_schema_count(draft->schema)) {
        draft->seen[index / 64] |= (uint64_t)1 << index % 64;
    }
    size_t begin = draft->feature_count;
    memcpy(examples->hash + begin, hash, count * sizeof *hash);
    memcpy(examples->value + begin, value, count * sizeof *value);
    memset(examples->kind + begin, RF_SPARSE_NUMBER, count);
    for (size_t i = 0; i < count; i++) {
        examples->field[begin + i] = index;
    }
    draft->feature_count += count;
    return RF_OK;
}

static enum rf_status append_namespaces(struct draft *draft, const struct rf_event *event) {
    enum rf_status status = RF_OK;
    size_t begin = 0;
    for (size_t i = 0; i < event->namespace_count && !status; i++) {
        const struct rf_namespace *space = &event->namespaces[i];
        status = append_namespace(draft, space, event->feature_hash + begin, event->feature_value + begin, space->end - begin);
        begin = space->end;
    }
    return status;
}

static enum rf_status append_constant(struct draft *draft) {
    struct rf_text name = rf_text_of("Constant");
    uint64_t hash = rf_hash(draft->hasher.key, name.data, name.size);
    uint32_t index = rf_schema_find_hashed(draft->schema, name, hash);
    index = index == RF_FIELD_UNKNOWN ? met_index(draft, name, hash) : index;
    return index == RF_FIELD_UNKNOWN ? too_many_fields(draft)
                                     : append_feature(draft, RF_CATEGORY, index, RF_VOWPAL_CONSTANT, 1.0);
}

static enum rf_status append_as_written(struct draft *draft, const struct rf_field *field, uint32_t index) {
    return field->value.type == RF_VALUE_NUMBER ? append_number(draft, field, index) : append_category(draft, field, index);
}

static enum rf_status append_grams(struct draft *draft, const struct rf_field *field) {
    const struct rf_schema_rules *rules = rf_schema_rules(draft->schema);
    struct rf_grams grams;
    rf_grams_init(&grams, &draft->hasher, field->name, rules->ngrams, rules->skips);
    struct rf_text rest = field->value.text;
    struct rf_text token;
    while (rf_token_take(&rest, &token)) {
        uint64_t hash;
        rf_grams_add(&grams, token);
        while (rf_grams_next(&grams, &hash)) {
            enum rf_status status = append_feature(draft, RF_CATEGORY, field->index, hash, 1.0);
            if (status) {
                return status;
            }
        }
    }
    return RF_OK;
}

static enum rf_status append_buckets(struct draft *draft, const struct rf_field *field) {
    struct rf_bucket buckets[RF_BUCKETS_MAX];
    size_t count = rf_bucket_find(rf_schema_field(draft->schema, field->index)->bucket, field->value.number, buckets);
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < count && !status; i++) {
        uint64_t hash = rf_feature_bucket_hash(rf_schema_key(draft->schema), field->hash, &buckets[i]);
        status = append_feature(draft, RF_CATEGORY, field->index, hash, buckets[i].share);
    }
    return status;
}

static enum rf_status take_undeclared(struct draft *draft, const struct rf_field *field) {
    if (field->value.type == RF_VALUE_NULL) {
        return RF_OK;
    }
    uint32_t index = met_index(draft, field->name, field->hash);
    if (index == RF_FIELD_UNKNOWN) {
        return too_many_fields(draft);
    }
    return append_as_written(draft, field, index);
}

static enum rf_status take_id(struct draft *draft, const struct rf_field *field) {
    struct rf_text id = field->value.text;
    if (id.size > 0 && memchr(id.data, '\0', id.size)) {
        return wrong_value(draft, field, "a text without NUL characters");
    }
    draft->id = id;
    return RF_OK;
}

static enum rf_status take_time(struct draft *draft, const struct rf_field *field) {
    int64_t time_ms;
    enum rf_time_unit unit = rf_schema_rules(draft->schema)->time_unit;
    if (!rf_time_field_read(&field->value, unit, &time_ms)) {
        return wrong_value(draft, field, rf_time_field_form(&field->value, unit));
    }
    if (time_ms < 0 || time_ms > RF_TIME_MS_MAX) {
        return wrong_value(draft, field, "in the years 1970 to 9999");
    }
    draft->time_ms = time_ms;
    return RF_OK;
}

static enum rf_status take_weight(struct draft *draft, const struct rf_field *field) {
    if (field->value.type != RF_VALUE_NUMBER || field->value.number < 0) {
        return wrong_value(draft, field, "a number, 0 or more");
    }
    draft->weight = field->value.number;
    return RF_OK;
}

// The index of the class that a value names, or -1. `are_numbers_out`: some class names are numbers, so that a number that
// names none of them is no index either.
static int64_t named_class(const struct rf_schema *schema, const struct rf_value *value, bool *are_numbers_out) {
    uint32_t count;
    const char *const *names = rf_schema_classes(schema, &count);
    *are_numbers_out = false;
    for (uint32_t i = 0; value->text.data && i < count; i++) {
        if (rf_text_equal(rf_text_of(names[i]), value->text)) {
            return i;
        }
    }
    for (uint32_t i = 0; value->type == RF_VALUE_NUMBER && i < count; i++) {
        struct rf_text name = rf_text_of(names[i]);
        struct rf_number number;
        if (rf_number_scan(name, RF_NUMBER_PLAIN, &number) == name.size) {
            *are_numbers_out = true;
            if (rf_number_value(&number) == value->number) {
                return i;
            }
        }
    }
    return -1;
}

// The class that a number means where no names do; one that is out of range stays so.
static double numbered_class(const struct draft *draft, double number, enum rf_task task) {
    if (task == RF_TASK_BINARY) {
        return draft->label_form != RF_LABEL_INDEX && number == -1 ? 0.0 : number;
    }
    return draft->label_form == RF_LABEL_VOWPAL ? number - 1 : number;
}

static enum rf_status wrong_label(const struct draft *draft, const struct rf_value *value, enum rf_task task, uint32_t classes) {
    char wanted[48];
    uint32_t named;
    rf_schema_classes(draft->schema, &named);
    if (task == RF_TASK_REGRESSION) {
        snprintf(wanted, sizeof wanted, "a number");
    } else if (named > 0) {
        snprintf(wanted, sizeof wanted, "one of the %" PRIu32 " classes", named);
    } else if (task == RF_TASK_BINARY) {
        snprintf(wanted, sizeof wanted, draft->label_form == RF_LABEL_INDEX ? "0 or 1" : "-1, 0 or 1");
    } else {
        uint32_t first = draft->label_form == RF_LABEL_VOWPAL;
        snprintf(wanted, sizeof wanted, "%" PRIu32 " to %" PRIu32, first, first + classes - 1);
    }
    struct shown_value is = show_value(value);
    return rf_decode_fail(draft->error, RF_REASON_LABEL, "label is %s%s%s, must be %s", is.quote, is.shown.text, is.quote,
                          wanted);
}

static enum rf_status take_label(struct draft *draft, const struct rf_value *value, enum rf_task task, uint32_t classes) {
    bool is_text = value->type == RF_VALUE_TEXT;
    if (task == RF_TASK_REGRESSION) {
        draft->label = value->number;
        return is_text ? wrong_label(draft, value, task, classes) : RF_OK;
    }
    uint32_t count = task == RF_TASK_BINARY ? 2 : classes;
    bool are_numbers;
    int64_t named = named_class(draft->schema, value, &are_numbers);
    bool is_index = !is_text && !(are_numbers && named < 0) && (task == RF_TASK_BINARY || value->type == RF_VALUE_NUMBER);
    if (named < 0 && !is_index) {
        return wrong_label(draft, value, task, classes);
    }
    double index = named >= 0 ? (double)named : numbered_class(draft, value->number, task);
    if (!(index >= 0 && index < count && index == trunc(index))) {
        return wrong_label(draft, value, task, classes);
    }
    draft->label = index + 0.0; // no minus zero
    return RF_OK;
}

static enum rf_status take_vector(struct draft *draft, const struct rf_field *field) {
    const struct rf_schema_rules *rules = rf_schema_rules(draft->schema);
    struct rf_examples *examples = draft->examples;
    assert(examples->vector_size == rules->vector_size);
    draft->has_vector = true;
    return rf_vector_read(field, rules->vector_size, rules->vector_divide,
                          examples->vector + examples->count * examples->vector_size, draft->error);
}

// The features of a value, by the roles that make features.
static enum rf_status take_features(struct draft *draft, const struct rf_field *field, unsigned roles) {
    enum rf_status status = RF_OK;
    if (roles & (RF_ROLE_NUMBER | RF_ROLE_BUCKET) && field->value.type == RF_VALUE_TEXT) {
        return wrong_value(draft, field, "a number");
    }
    if (roles & RF_ROLE_NUMBER) {
        status = append_number(draft, field, field->index);
    }
    if (!status && roles & RF_ROLE_BUCKET) {
        status = append_buckets(draft, field);
    }
    if (!status && roles & RF_ROLE_CATEGORY) {
        status = append_category(draft, field, field->index);
    }
    if (!status && roles & RF_ROLE_TEXT) {
        status = append_grams(draft, field);
    }
    if (!status && roles & RF_ROLE_CROSSED) {
        status = append_as_written(draft, field, field->index);
    }
    return status;
}

static enum rf_status too_many_values(const struct draft *draft, const struct rf_event *event, const struct rf_field *field) {
    size_t count = 0;
    for (size_t i = 0; i < event->count; i++) {
        count += event->fields[i].index == field->index && event->fields[i].value.type != RF_VALUE_NULL;
    }
    return rf_decode_fail(draft->error, RF_REASON_TYPE, "field %s has %zu values, must have one", rf_show(field->name).text,
                          count);
}

static enum rf_status take_declared(struct draft *draft, const struct rf_field *field, enum rf_task task, uint32_t classes) {
    unsigned roles = rf_schema_field(draft->schema, field->index)->roles;
    const struct rf_value *value = &field->value;
    enum rf_status status = RF_OK;
    if (roles & RF_ROLE_ID) {
        status = take_id(draft, field);
    }
    if (!status && roles & RF_ROLE_TIME) {
        status = take_time(draft, field);
    }
    if (!status && roles & RF_ROLE_LABEL) {
        status = take_label(draft, value, task, classes);
    }
    if (!status && roles & RF_ROLE_WEIGHT) {
        status = take_weight(draft, field);
    }
    if (!status && roles & RF_ROLE_VECTOR) {
        status = take_vector(draft, field);
    }
    if (!status && roles & RF_ROLES_FEATURE) {
        status = take_features(draft, field, roles);
    }
    return status;
}

static enum rf_status append_derived(struct draft *draft, const struct rf_event *event) {
    size_t count;
    const struct rf_derived *list = rf_schema_derived(draft->schema, &count);
    struct rf_derived_inputs inputs;
    if (count > 0) {
        rf_derived_gather(draft->schema, event, draft->time_ms, &inputs);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t index = list[i].index;
        struct rf_derived_value derived;
        enum rf_status status = rf_derived_find(&list[i], &inputs, &derived);
        if (status == RF_NOT_FOUND) {
            continue;
        }
        if (status) {
            return wrong_value(draft, derived.wrong, derived.wanted);
        }
        const struct rf_schema_field *declared = rf_schema_field(draft->schema, index);
        draft->seen[index / 64] |= (uint64_t)1 << index % 64;
        const struct rf_field field = {declared->name, declared->hash, index, derived.value};
        status = append_as_written(draft, &field, index);
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status append_missing(struct draft *draft) {
    enum rf_status status = RF_OK;
    for (uint32_t i = 0; i < rf_schema_count(draft->schema) && !status; i++) {
        const struct rf_schema_field *field = rf_schema_field(draft->schema, i);
        if (field->roles & RF_ROLES_FEATURE && !(draft->seen[i / 64] >> i % 64 & 1)) {
            uint64_t hash = rf_feature_missing_hash(rf_schema_key(draft->schema), field->hash);
            status = append_feature(draft, RF_CATEGORY, i, hash, 1.0);
        }
    }
    return status;
}

static enum rf_status check_vector(const struct draft *draft) {
    const struct rf_schema_rules *rules = rf_schema_rules(draft->schema);
    if (rules->vector_field == RF_FIELD_UNKNOWN || draft->has_vector) {
        return RF_OK;
    }
    return rf_decode_fail(draft->error, RF_REASON_TYPE, "has no field %s, must have it with %zu numbers",
                          rf_show(rf_schema_field(draft->schema, rules->vector_field)->name).text, rules->vector_size);
}

// The short way for what most fields are: a number or a category and nothing besides, hashed by our key. False: it is not such a
// field, or there is no room.
static inline bool take_plain(struct draft *draft, const struct rf_field *field, unsigned roles) {
    struct rf_examples *examples = draft->examples;
    const size_t index = draft->feature_count;
    if (draft->hasher.hashing != RF_HASHING_KEYED || index == examples->feature_capacity || index == draft->feature_end) {
        return false;
    }
    uint64_t hash = field->hash;
    double value = 1.0;
    if (roles == RF_ROLE_CATEGORY) {
        struct rf_hash_key key = {draft->hasher.key.k0 ^ field->hash, draft->hasher.key.k1}; // see rf_hasher_feature()
        hash = rf_hash(key, field->value.text.data, field->value.text.size);
    } else if (roles == RF_ROLE_NUMBER && field->value.type != RF_VALUE_TEXT) {
        value = field->value.number;
    } else {
        return false;
    }
    draft->feature_count++;
    examples->hash[index] = hash;
    examples->value[index] = value;
    examples->field[index] = field->index;
    examples->kind[index] = roles == RF_ROLE_NUMBER ? RF_NUMBER : RF_CATEGORY;
    return true;
}

static enum rf_status take_all_declared(struct draft *draft, const struct rf_event *event, enum rf_task task, uint32_t classes) {
    const struct rf_schema_field *fields = rf_schema_fields(draft->schema);
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < event->count && !status; i++) {
        const struct rf_field *field = &event->fields[i];
        if (field->index == RF_FIELD_UNKNOWN || field->value.type == RF_VALUE_NULL) {
            continue;
        }
        uint64_t *seen = &draft->seen[field->index / 64];
        uint64_t bit = (uint64_t)1 << field->index % 64;
        bool is_again = *seen & bit;
        *seen |= bit;
        if (is_again && !rf_schema_takes_list(draft->schema, field->index)) {
            status = too_many_values(draft, event, field);
        } else if (!take_plain(draft, field, fields[field->index].roles)) {
            status = take_declared(draft, field, task, classes);
        }
    }
    return status;
}

// Undeclared fields and namespaces come last: nothing but a full batch can fail once names are listed.
static enum rf_status take_fields(struct draft *draft, const struct rf_event *event, enum rf_task task, uint32_t classes) {
    enum rf_status status = take_all_declared(draft, event, task, classes);
    status = status ? status : check_vector(draft);
    status = status ? status : append_derived(draft, event);
    for (size_t i = 0; i < event->count && !status && rf_schema_takes_rest(draft->schema); i++) {
        const struct rf_field *field = &event->fields[i];
        status = field->index == RF_FIELD_UNKNOWN ? take_undeclared(draft, field) : RF_OK;
    }
    status = status ? status : append_namespaces(draft, event);
    if (!status && rf_schema_rules(draft->schema)->missing == RF_MISSING_INDICATOR) {
        status = append_missing(draft);
    }
    return !status && draft->hasher.hashing == RF_HASHING_VOWPAL ? append_constant(draft) : status;
}

static void commit(const struct draft *draft, const struct rf_record *record) {
    struct rf_examples *examples = draft->examples;
    size_t index = examples->count++;
    bool has_label = !isnan(draft->label);
    examples->row_start[index + 1] = draft->feature_count;
    examples->purpose[index] = (uint8_t)(RF_OBSERVE | RF_PREDICT | (has_label ? RF_EVALUATE | RF_LEARN : 0));
    examples->partition[index] = record->partition;
    examples->offset[index] = record->offset;
    examples->time_ms[index] = draft->time_ms;
    examples->label[index] = draft->label;
    examples->weight[index] = draft->weight;
    examples->id[index] = draft->id;
}

enum rf_status rf_feature_append(const struct rf_schema *schema, enum rf_task task, uint32_t classes,
                                 const struct rf_event *event, const struct rf_record *record, struct rf_examples *examples,
                                 struct rf_decode_error *error_out) {
    if (examples->count == examples->capacity) {
        return RF_FULL;
    }
    size_t declared = rf_schema_count(schema);
    size_t field_count = examples->field_count;
    assert(field_count >= declared); // see rf_feature_declare()
    uint64_t seen[RF_SCHEMA_FIELDS_MAX / 64];
    memset(seen, 0, (declared + 63) / 64 * sizeof *seen);
    struct draft draft = {
            .schema = schema,
            .seen = seen,
            .examples = examples,
            .error = error_out,
            .label_form = event->label_form,
            .hasher = rf_hasher_of(schema),
            .met = {.examples = examples, .key = rf_schema_key(schema), .declared = declared, .next = declared},
            .feature_count = examples->row_start[examples->count],
            .feature_end = examples->row_start[examples->count] + features_max(examples),
            .time_ms = record->timestamp_ms,
            .label = NAN,
            .weight = 1.0,
    };
    enum rf_status status = take_fields(&draft, event, task, classes);
    if (status) {
        rf_met_fields_forget(&draft.met, field_count);
        return status;
    }
    commit(&draft, record);
    return RF_OK;
}
