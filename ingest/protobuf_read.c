// A record by the rules of a plan, straight from the wire.
#include "ingest/protobuf_reading.h"
#include "ingest/protobuf_types.h"

#include <inttypes.h>

#define TYPE(name) RF_PROTOBUF_TYPE(name)

// Values that are appended, and forgetting.

static enum rf_status append(struct rf_protobuf_reading *reading, uint32_t place, const struct rf_value *value) {
    struct rf_protobuf_plan *plan = reading->plan;
    if (plan->place_count + reading->appended == plan->limits.fields) {
        return rf_decode_fail(reading->error, RF_REASON_LIMIT, "has more than %" PRIu64 " fields", plan->limits.fields);
    }
    plan->appended[reading->appended] = place;
    struct rf_field *field = &reading->fields[plan->place_count + reading->appended++];
    *field = reading->fields[place];
    field->value = *value;
    return RF_OK;
}

// Notes that values from the one of this number on were appended within a rule. Only what is noted has to be looked at when the
// rule is forgotten, or a record that forgets often would take the square of its size.
static void note_span(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, size_t begin) {
    if (rule->span && reading->appended > begin) {
        uint64_t *span = reading->state + rule->span;
        span[0] = span[1] ? span[0] : begin;
        span[1] = reading->appended;
    }
}

// All that is at a rule and within it, as if it had not come.
static void forget(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule) {
    for (uint32_t place = rule->place; place < rule->place_end; place++) {
        reading->fields[place].value = (struct rf_value){.type = RF_VALUE_NULL};
    }
    const uint64_t *span = reading->state + rule->span;
    for (uint64_t i = rule->span ? span[0] : 0, end = rule->span ? span[1] : 0; i < end; i++) {
        uint32_t place = reading->plan->appended[i];
        if (place >= rule->place && place < rule->place_end) {
            reading->fields[reading->plan->place_count + i].value = (struct rf_value){.type = RF_VALUE_NULL};
        }
    }
    if (reading->plan->vector_place >= rule->place && reading->plan->vector_place < rule->place_end) {
        reading->vector = (struct rf_wire_pieces){.capacity = 0};
    }
    memset(reading->state + rule->state, 0, (rule->state_end - rule->state) * sizeof *reading->state);
}

// One member of a oneof puts the others out.
static void take_turn(struct rf_protobuf_reading *reading, const struct rf_protobuf_node *node,
                      const struct rf_protobuf_rule *rule) {
    uint64_t *member = &reading->state[rule->oneof];
    if (*member == rule->member) {
        return;
    }
    for (size_t i = 0; *member && i < node->count; i++) {
        if (node->rules[i].oneof == rule->oneof && node->rules[i].member == *member) {
            forget(reading, &node->rules[i]);
        }
    }
    *member = rule->member;
}

// Messages.

static enum rf_status read_fields(struct rf_protobuf_reading *reading, const struct rf_protobuf_node *node, struct rf_wire wire);

// A message is there, maybe not for the first time: then what comes is merged.
static enum rf_status read_message(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                   struct rf_text bytes) {
    if (!reading->state[rule->state]) {
        reading->state[rule->state] = 1;
        for (size_t i = 0; i < rule->node->count; i++) {
            const struct rf_protobuf_rule *inner = &rule->node->rules[i];
            if (inner->has_default) {
                reading->fields[inner->place].value = reading->plan->defaults[inner->place];
            }
        }
    }
    return read_fields(reading, rule->node, rf_wire_of(bytes));
}

static struct rf_value moment_value(int64_t seconds, int64_t nanos) {
    bool is_far = seconds > INT64_MAX / 2000 || seconds < INT64_MIN / 2000;
    int64_t part_ms = nanos / 1000000;
    return (struct rf_value){
            .type = RF_VALUE_NUMBER,
            .has_time_unit = true,
            .time_unit = RF_TIME_MS,
            .number = is_far ? (double)seconds * 1000.0 : (double)(seconds * 1000 + part_ms),
    };
}

// A Timestamp or a Duration; merged, too.
static enum rf_status read_moment(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                  struct rf_text bytes) {
    uint64_t *state = reading->state + rule->state;
    struct rf_wire wire = rf_wire_of(bytes);
    state[0] = 1;
    while (wire.at < wire.end) {
        uint32_t tag;
        if (!rf_wire_tag(&wire, &tag)) {
            return rf_protobuf_no_message(reading);
        }
        bool is_known = tag == RF_WIRE_TAG(1, RF_WIRE_VARINT) || tag == RF_WIRE_TAG(2, RF_WIRE_VARINT);
        if (is_known && !rf_wire_varint(&wire, &state[tag >> 3])) {
            return rf_protobuf_no_message(reading);
        }
        enum rf_status status = is_known ? RF_OK : rf_protobuf_skip(reading, &wire, tag);
        if (status) {
            return status;
        }
    }
    int64_t seconds = (int64_t)state[1], nanos = (int32_t)state[2];
    bool is_span = rule->action == RF_PROTOBUF_SPAN;
    if (nanos > 999999999 || nanos < (is_span ? -999999999 : 0)) {
        return rf_decode_fail(reading->error, RF_REASON_TYPE,
                              "field %s has %" PRId64 " nanoseconds, must have less than a second",
                              rf_protobuf_show_name(reading, rule).text, nanos);
    }
    struct rf_value span = {.type = RF_VALUE_NUMBER, .number = (double)seconds + (double)nanos / 1e9};
    reading->fields[rule->place].value = is_span ? span : moment_value(seconds, nanos);
    return RF_OK;
}

static enum rf_status read_one(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, struct rf_text bytes) {
    return rule->action == RF_PROTOBUF_MESSAGE ? read_message(reading, rule, bytes) : read_moment(reading, rule, bytes);
}

// An element of repeated messages: read as if it were alone, and what is found appended.
static enum rf_status read_each(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, struct rf_text bytes) {
    memset(reading->state + rule->state, 0, (rule->state_end - rule->state) * sizeof *reading->state);
    enum rf_status status = read_one(reading, rule, bytes);
    for (uint32_t place = rule->place; place < rule->place_end && !status; place++) {
        struct rf_value *value = &reading->fields[place].value;
        if (value->type != RF_VALUE_NULL) {
            status = append(reading, place, value);
            *value = (struct rf_value){.type = RF_VALUE_NULL};
        }
    }
    return status;
}

static enum rf_status read_element(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                   struct rf_text bytes) {
    uint64_t index = reading->state[rule->state]++;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < rule->pick_count && !status; i++) {
        const struct rf_protobuf_pick *pick = &rule->picks[i];
        if (pick->index == RF_PROTOBUF_EACH) {
            status = read_each(reading, &pick->rule, bytes);
        } else if (pick->index == index) {
            status = read_one(reading, &pick->rule, bytes);
        }
    }
    return status;
}

// A scalar of several.
static enum rf_status read_scalar_element(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                          struct rf_wire *wire) {
    uint64_t index = reading->state[rule->state]++;
    const uint8_t *begin = wire->at;
    for (size_t i = 0; i < rule->pick_count; i++) {
        const struct rf_protobuf_pick *pick = &rule->picks[i];
        if (pick->index != RF_PROTOBUF_EACH && pick->index != index) {
            continue;
        }
        struct rf_value value;
        wire->at = begin;
        enum rf_status status = rf_protobuf_read_value(reading, &pick->rule, wire, &value);
        if (!status && pick->index == RF_PROTOBUF_EACH) {
            status = append(reading, pick->rule.place, &value);
        } else if (!status) {
            reading->fields[pick->rule.place].value = value;
        }
        if (status) {
            return status;
        }
    }
    return wire->at != begin ? RF_OK : rf_protobuf_skip(reading, wire, rule->tag);
}

static enum rf_status read_packed(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                  struct rf_wire *wire) {
    struct rf_text bytes;
    if (!rf_wire_delimited(wire, &bytes)) {
        return rf_protobuf_no_message(reading);
    }
    struct rf_wire elements = rf_wire_of(bytes);
    enum rf_status status = RF_OK;
    while (elements.at < elements.end && !status) {
        status = read_scalar_element(reading, rule, &elements);
    }
    return status;
}

// A number of the vector that is no float or double. One more than the vector has is kept, so that it shows.
static enum rf_status append_number(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                    struct rf_wire *wire) {
    struct rf_value value;
    enum rf_status status = rf_protobuf_read_value(reading, rule, wire, &value);
    if (status) {
        return status;
    }
    struct rf_wire_pieces *vector = &reading->vector;
    if (!vector->capacity) {
        size_t capacity = (rf_schema_rules(reading->plan->schema)->vector_size + 1) * sizeof(double);
        char *room = rf_arena_take(reading->arena, capacity);
        if (!room) {
            return RF_FULL;
        }
        *vector = (struct rf_wire_pieces){{room, 0}, capacity};
    }
    if (vector->bytes.size < vector->capacity) {
        memcpy((char *)vector->bytes.data + vector->bytes.size, &value.number, sizeof value.number);
        vector->bytes.size += sizeof value.number;
    }
    return RF_OK;
}

static enum rf_status read_vector(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, uint32_t tag,
                                  struct rf_wire *wire) {
    struct rf_text bytes = {(const char *)wire->at, 0};
    enum rf_status status = RF_OK;
    bool is_packed = tag == rule->packed_tag;
    bool is_float = rule->type == TYPE(FLOAT);
    if (is_float || rule->type == TYPE(DOUBLE)) { // as they lie
        size_t width = is_float ? sizeof(float) : sizeof(double);
        status = is_packed ? RF_OK : rf_protobuf_skip(reading, wire, tag);
        bytes.size = is_packed ? 0 : width;
        if (status || (is_packed && (!rf_wire_delimited(wire, &bytes) || bytes.size % width != 0))) {
            return rf_protobuf_no_message(reading);
        }
        return rf_wire_append(&reading->vector, bytes, reading->arena) ? RF_OK : RF_FULL;
    }
    if (!is_packed) {
        return append_number(reading, rule, wire);
    }
    if (!rf_wire_delimited(wire, &bytes)) {
        return rf_protobuf_no_message(reading);
    }
    struct rf_wire numbers = rf_wire_of(bytes);
    while (numbers.at < numbers.end && !status) {
        status = append_number(reading, rule, &numbers);
    }
    return status;
}

// The value of a map's entry, in place of one that had the same key.
static enum rf_status read_entry_value(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule,
                                       struct rf_wire entry) {
    forget(reading, rule);
    enum rf_status status = RF_OK;
    size_t begin = reading->appended;
    if (rule->action == RF_PROTOBUF_VALUE) {
        reading->fields[rule->place].value = reading->plan->defaults[rule->place];
    } else {
        status = read_one(reading, rule, (struct rf_text){"", 0});
    }
    while (entry.at < entry.end && !status) {
        uint32_t tag;
        struct rf_text bytes;
        if (!rf_wire_tag(&entry, &tag)) {
            return rf_protobuf_no_message(reading);
        }
        if (tag != rule->tag) {
            status = rf_protobuf_skip(reading, &entry, tag);
        } else if (rule->action == RF_PROTOBUF_VALUE) {
            status = rf_protobuf_read_value(reading, rule, &entry, &reading->fields[rule->place].value);
        } else {
            status = rf_wire_delimited(&entry, &bytes) ? read_one(reading, rule, bytes) : rf_protobuf_no_message(reading);
        }
    }
    note_span(reading, rule, begin);
    return status;
}

// The key is looked for first: it may stand behind the value.
static enum rf_status read_entry(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, struct rf_text bytes) {
    struct rf_wire wire = rf_wire_of(bytes);
    struct rf_text key = {"", 0};
    while (wire.at < wire.end) {
        uint32_t tag;
        if (!rf_wire_tag(&wire, &tag)) {
            return rf_protobuf_no_message(reading);
        }
        if (tag == RF_WIRE_TAG(1, RF_WIRE_DELIMITED)) {
            if (!rf_wire_delimited(&wire, &key)) {
                return rf_protobuf_no_message(reading);
            }
            continue;
        }
        enum rf_status status = rf_protobuf_skip(reading, &wire, tag);
        if (status) {
            return status;
        }
    }
    for (size_t i = 0; i < rule->pick_count; i++) {
        if (rf_text_equal(rule->picks[i].key, key)) {
            return read_entry_value(reading, &rule->picks[i].rule, rf_wire_of(bytes));
        }
    }
    return RF_OK;
}

static enum rf_status read_field(struct rf_protobuf_reading *reading, const struct rf_protobuf_rule *rule, uint32_t tag,
                                 struct rf_wire *wire) {
    struct rf_text bytes;
    switch (rule->action) {
    case RF_PROTOBUF_VALUE:
        return rf_protobuf_read_value(reading, rule, wire, &reading->fields[rule->place].value);
    case RF_PROTOBUF_VALUES:
        return tag == rule->packed_tag ? read_packed(reading, rule, wire) : read_scalar_element(reading, rule, wire);
    case RF_PROTOBUF_VECTOR:
        return read_vector(reading, rule, tag, wire);
    case RF_PROTOBUF_SKIP:
        return rf_protobuf_skip(reading, wire, tag);
    default:
        break;
    }
    if (!rf_wire_delimited(wire, &bytes)) {
        return rf_protobuf_no_message(reading);
    }
    return rule->action == RF_PROTOBUF_MESSAGES ? read_element(reading, rule, bytes)
           : rule->action == RF_PROTOBUF_MAP    ? read_entry(reading, rule, bytes)
                                                : read_one(reading, rule, bytes);
}

static const struct rf_protobuf_rule *find_rule(const struct rf_protobuf_node *node, uint32_t tag) {
    uint32_t number = tag >> 3;
    const struct rf_protobuf_rule *rule = NULL;
    if (number < node->number_count) {
        rule = node->by_number[number] ? &node->rules[node->by_number[number] - 1] : NULL;
    } else if (!node->by_number) {
        size_t low = 0, high = node->count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (node->rules[middle].tag >> 3 < number) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        rule = low < node->count && node->rules[low].tag >> 3 == number ? &node->rules[low] : NULL;
    }
    return rule && (rule->tag == tag || rule->packed_tag == tag) ? rule : NULL;
}

// Fields mostly come in the order of their numbers, so the rule after the last one is tried first.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the paths of the schema
static enum rf_status read_fields(struct rf_protobuf_reading *reading, const struct rf_protobuf_node *node, struct rf_wire wire) {
    const struct rf_protobuf_rule *next = node->rules, *end = node->rules + node->count;
    enum rf_status status = RF_OK;
    while (wire.at < wire.end && !status) {
        uint32_t tag;
        if (!rf_wire_tag(&wire, &tag)) {
            return rf_protobuf_no_message(reading);
        }
        const struct rf_protobuf_rule *rule = next < end && next->tag == tag ? next : find_rule(node, tag);
        if (!rule) {
            status = rf_protobuf_skip(reading, &wire, tag);
            continue;
        }
        next = rule + 1;
        if (rule->oneof) {
            take_turn(reading, node, rule);
        }
        size_t begin = reading->appended;
        status = read_field(reading, rule, tag, &wire);
        if (rule->oneof) {
            note_span(reading, rule, begin);
        }
    }
    return status;
}

enum rf_status rf_protobuf_plan_decode(struct rf_protobuf_plan *plan, struct rf_text message, struct rf_arena *arena,
                                       struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct rf_protobuf_reading reading = {
            .plan = plan,
            .message = message,
            .arena = arena,
            .error = error_out,
            .fields = plan->fields,
            .state = plan->state,
    };
    for (uint32_t place = 0; place < plan->place_count; place++) {
        plan->fields[place].value = plan->start[place];
    }
    memset(plan->state, 0, plan->state_count * sizeof *plan->state);
    enum rf_status status = read_fields(&reading, plan->root.node, rf_wire_of(message));
    if (status) {
        return status;
    }
    if (reading.vector.bytes.size > 0) {
        plan->fields[plan->vector_place].value = (struct rf_value){
                .type = plan->is_vector_of_floats ? RF_VALUE_FLOATS : RF_VALUE_DOUBLES, .text = reading.vector.bytes};
    }
    *event_out = (struct rf_event){.fields = plan->fields, .count = plan->place_count + reading.appended};
    return RF_OK;
}
