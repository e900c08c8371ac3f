#include "ingest/derived.h"

#include "ingest/rfc3339.h"
#include "ingest/schema.h"
#include "proto/math.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS, OFFSET_MS_MAX = 14 * HOUR_MS };

// Settings.

#define NAME(default_) RF_TEXT(struct rf_derived_options, name, NULL, 0, "of the feature; absent: " default_)
#define TIME_FIELD RF_TEXT(struct rf_derived_options, field, NULL, 0, "a time field; absent: the event time")
#define UNIT                                                           \
    RF_CHOICE(struct rf_derived_options, unit, NULL, rf_time_units, 0, \
              "what numbers in the field count since 1970; absent: as features.time_unit")
#define UTC_OFFSET RF_TEXT(struct rf_derived_options, utc_offset, "+00:00", 0, "of the clock, as +02:00; it is the same all year")
#define NUMBER_FIELD RF_TEXT(struct rf_derived_options, field, NULL, RF_SETTING_REQUIRED, "field of the number")

static const struct rf_setting hour_settings[] = {NAME("hour, or hour_FIELD"), TIME_FIELD, UNIT, UTC_OFFSET, {0}};
static const struct rf_setting weekday_settings[] = {NAME("weekday, or weekday_FIELD"), TIME_FIELD, UNIT, UTC_OFFSET, {0}};
static const struct rf_setting night_settings[] = {
        NAME("night, or night_FIELD"),
        TIME_FIELD,
        UNIT,
        UTC_OFFSET,
        RF_UINT(struct rf_derived_options, from, "22", 0, 23, 0, "hour in which the night begins"),
        RF_UINT(struct rf_derived_options, to, "6", 0, 23, 0, "first hour after the night"),
        {0},
};
static const struct rf_setting log_settings[] = {NAME("log_FIELD"), NUMBER_FIELD, {0}};
static const struct rf_setting ratio_settings[] = {
        NAME("ratio_FIELD_BY"),
        RF_TEXT(struct rf_derived_options, field, NULL, RF_SETTING_REQUIRED, "field of the number that is divided"),
        RF_TEXT(struct rf_derived_options, by, NULL, RF_SETTING_REQUIRED,
                "field of the number it is divided by; where that is 0 there is no feature"),
        {0},
};
static const struct rf_setting bucket_settings[] = {
        NAME("bucket_FIELD"),
        NUMBER_FIELD,
        RF_REALS(struct rf_derived_options, bounds, -1e300, 1e300, 0, "where a bucket ends and the next begins, rising"),
        {0},
};

#define KIND(name_, summary_) \
    { .name = #name_, .summary = summary_, .settings = name_##_settings, .options_size = sizeof(struct rf_derived_options) }
const struct rf_variant rf_derived_kinds[] = {
        KIND(hour, "the hour of a time, 0 to 23: a category"),
        KIND(weekday, "the day of a time, monday to sunday: a category"),
        KIND(night, "1 by night, else 0: a number"),
        KIND(log, "the natural logarithm of 1 + the size of a number, with its sign"),
        KIND(ratio, "one number divided by another"),
        KIND(bucket, "which of some buckets a number is in: a category, 0 to the number of bounds"),
        {0},
};

static enum rf_status read_offset(const char *text, int64_t *offset_ms_out, struct rf_error *err) {
    int64_t ms;
    if (!rf_rfc3339_parse_offset(rf_text_of(text), &ms) || ms < -OFFSET_MS_MAX || ms > OFFSET_MS_MAX) {
        return rf_fail(err, RF_INVALID, "utc_offset is \"%.40s\", must be as +02:00, from -14:00 to +14:00", text);
    }
    *offset_ms_out = ms;
    return RF_OK;
}

static enum rf_status check_bounds(const struct rf_reals *bounds, struct rf_error *err) {
    if (bounds->count == 0) {
        return rf_fail(err, RF_INVALID, "bounds is empty, must have one number or more, rising");
    }
    for (size_t i = 1; i < bounds->count; i++) {
        if (!(bounds->list[i] > bounds->list[i - 1])) {
            return rf_fail(err, RF_INVALID, "bounds has %.15g after %.15g, must rise", bounds->list[i], bounds->list[i - 1]);
        }
    }
    return RF_OK;
}

static enum rf_status check(enum rf_derived_kind kind, const struct rf_derived_options *options, struct rf_error *err) {
    if (options->name && !options->name[0]) {
        return rf_fail(err, RF_INVALID, "name is empty, must be a text");
    }
    if ((options->field && !options->field[0]) || (options->by && !options->by[0])) {
        return rf_fail(err, RF_INVALID, "%s is empty, must be the name of a field",
                       options->field && !options->field[0] ? "field" : "by");
    }
    if (kind == RF_DERIVED_NIGHT && options->from == options->to) {
        return rf_fail(err, RF_INVALID, "from and to are both %llu, must be two hours", (unsigned long long)options->from);
    }
    if (options->field && options->by && !strcmp(options->field, options->by)) {
        return rf_fail(err, RF_INVALID, "field and by are both %s, must be two fields", options->field);
    }
    return kind == RF_DERIVED_BUCKET ? check_bounds(&options->bounds, err) : RF_OK;
}

// The caller owns the name; NULL when memory is out.
static char *name_of(const char *kind, const struct rf_derived_options *options) {
    if (options->name) {
        return strdup(options->name);
    }
    char *name = NULL;
    int size = asprintf(&name, "%s%s%s%s%s", kind, options->field ? "_" : "", options->field ? options->field : "",
                        options->by ? "_" : "", options->by ? options->by : "");
    return size < 0 ? NULL : name;
}

enum rf_status rf_derived_init(const struct rf_variant_value *value, enum rf_time_unit unit, struct rf_derived *derived_out,
                               struct rf_error *err) {
    const struct rf_derived_options *options = value->options;
    struct rf_derived derived = {
            .kind = (enum rf_derived_kind)(value->kind - rf_derived_kinds),
            .unit = options->unit < 0 ? unit : (enum rf_time_unit)options->unit,
            .from = (int64_t)options->from,
            .to = (int64_t)options->to,
    };
    enum rf_status status = check(derived.kind, options, err);
    if (!status && options->utc_offset) {
        status = read_offset(options->utc_offset, &derived.offset_ms, err);
    }
    if (!status && derived.kind == RF_DERIVED_BUCKET) {
        const struct rf_bucket_options bounds = {.field = options->field, .edges = options->bounds};
        status = rf_bucket_rule_init(&bounds, &derived.bounds, err);
    }
    if (status) {
        return status;
    }
    derived.name = name_of(value->kind->name, options);
    if (!derived.name) {
        rf_derived_finish(&derived);
        return rf_fail(err, RF_MEMORY, "its name does not fit into memory");
    }
    *derived_out = derived;
    return RF_OK;
}

void rf_derived_finish(struct rf_derived *derived) {
    free(derived->name);
    rf_bucket_rule_finish(&derived->bounds);
    *derived = (struct rf_derived){0};
}

bool rf_derived_is_category(const struct rf_derived *derived) {
    return derived->kind == RF_DERIVED_HOUR || derived->kind == RF_DERIVED_WEEKDAY || derived->kind == RF_DERIVED_BUCKET;
}

bool rf_derived_is_of_event_time(const struct rf_variant_value *value) {
    return value->kind - rf_derived_kinds <= RF_DERIVED_NIGHT && !((const struct rf_derived_options *)value->options)->field;
}

// Records.

void rf_derived_gather(const struct rf_schema *schema, const struct rf_event *event, int64_t time_ms,
                       struct rf_derived_inputs *inputs_out) {
    memset(inputs_out->field, 0, rf_schema_rules(schema)->derived_inputs * sizeof *inputs_out->field);
    inputs_out->time_ms = time_ms;
    for (size_t i = 0; i < event->count; i++) {
        const struct rf_field *field = &event->fields[i];
        if (field->index == RF_FIELD_UNKNOWN || field->value.type == RF_VALUE_NULL) {
            continue;
        }
        const struct rf_schema_field *declared = rf_schema_field(schema, field->index);
        if (declared->roles & RF_ROLE_INPUT) {
            inputs_out->field[declared->input] = field;
        }
    }
}

static enum rf_status wrong(const struct rf_field *field, const char *wanted, struct rf_derived_value *value_out) {
    value_out->wrong = field;
    value_out->wanted = wanted;
    return RF_INVALID;
}

// Milliseconds since 1970 by the clock at the offset.
static enum rf_status take_time(const struct rf_derived *derived, const struct rf_derived_inputs *inputs, int64_t *ms_out,
                                struct rf_derived_value *value_out) {
    int64_t ms = inputs->time_ms;
    if (derived->input_count == 0) {
        *ms_out = ms + derived->offset_ms;
        return ms < 0 ? RF_NOT_FOUND : RF_OK;
    }
    const struct rf_field *field = inputs->field[derived->input[0]];
    if (!field) {
        return RF_NOT_FOUND;
    }
    if (!rf_time_field_read(&field->value, derived->unit, &ms)) {
        return wrong(field, rf_time_field_form(&field->value, derived->unit), value_out);
    }
    if (ms < RF_TIME_MS_MIN || ms > RF_TIME_MS_MAX) {
        return wrong(field, "in the years 0 to 9999", value_out);
    }
    *ms_out = ms + derived->offset_ms;
    return RF_OK;
}

static enum rf_status take_number(const struct rf_derived *derived, const struct rf_derived_inputs *inputs, size_t which,
                                  double *number_out, struct rf_derived_value *value_out) {
    const struct rf_field *field = inputs->field[derived->input[which]];
    if (!field) {
        return RF_NOT_FOUND;
    }
    if (field->value.type == RF_VALUE_TEXT) {
        return wrong(field, "a number", value_out);
    }
    *number_out = field->value.number;
    return RF_OK;
}

static struct rf_text digits_of(uint64_t number, char room[RF_JSON_NUMBER_SIZE]) {
    return (struct rf_text){room, rf_json_write_count(number, room)};
}

static enum rf_status find_in_time(const struct rf_derived *derived, const struct rf_derived_inputs *inputs,
                                   struct rf_derived_value *value_out) {
    static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    int64_t ms;
    enum rf_status status = take_time(derived, inputs, &ms, value_out);
    if (status) {
        return status;
    }
    int64_t of_day = ms % DAY_MS;
    of_day += of_day < 0 ? DAY_MS : 0; // before 1970 too, days begin at midnight
    int64_t hour = of_day / HOUR_MS;
    int64_t weekday = ((ms - of_day) / DAY_MS % 7 + 7 + 3) % 7; // 1970 began on a Thursday
    bool is_through_midnight = derived->from > derived->to;
    bool is_after = hour >= derived->from, is_before = hour < derived->to;
    if (derived->kind == RF_DERIVED_NIGHT) {
        value_out->number = is_through_midnight ? is_after || is_before : is_after && is_before;
        value_out->value = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value_out->number};
        return RF_OK;
    }
    bool is_hour = derived->kind == RF_DERIVED_HOUR;
    value_out->number = (double)(is_hour ? hour : weekday);
    value_out->value = (struct rf_value){
            .type = RF_VALUE_TEXT,
            .text = is_hour ? digits_of((uint64_t)hour, value_out->room) : rf_text_of(days[weekday]),
    };
    return RF_OK;
}

static enum rf_status find_bucket(const struct rf_derived *derived, double x, struct rf_derived_value *value_out) {
    struct rf_bucket buckets[RF_BUCKETS_MAX];
    rf_bucket_find(&derived->bounds, x, buckets);
    value_out->number = (double)buckets[0].index;
    value_out->value = (struct rf_value){
            .type = RF_VALUE_TEXT,
            .text = digits_of((uint64_t)buckets[0].index, value_out->room),
    };
    return RF_OK;
}

enum rf_status rf_derived_find(const struct rf_derived *derived, const struct rf_derived_inputs *inputs,
                               struct rf_derived_value *value_out) {
    if (derived->kind <= RF_DERIVED_NIGHT) {
        return find_in_time(derived, inputs, value_out);
    }
    double x = 0.0, by = 0.0;
    enum rf_status status = take_number(derived, inputs, 0, &x, value_out);
    if (derived->kind == RF_DERIVED_BUCKET) {
        return status ? status : find_bucket(derived, x, value_out);
    }
    if (derived->kind == RF_DERIVED_RATIO && status != RF_INVALID) { // both are looked at, so that a wrong one shows
        enum rf_status second = take_number(derived, inputs, 1, &by, value_out);
        status = second ? second : status;
        status = !status && (by == 0.0 || isinf(x / by)) ? RF_NOT_FOUND : status;
    }
    if (status) {
        return status;
    }
    double result = derived->kind == RF_DERIVED_RATIO ? x / by : copysign(rf_log1p(fabs(x)), x);
    value_out->number = result + 0.0; // no minus zero
    value_out->value = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value_out->number};
    return RF_OK;
}
