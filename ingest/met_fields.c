#include "ingest/met_fields.h"

#include <assert.h>

// The table has at least twice as many slots as there are names, and is built anew when it must grow; so a batch of few
// names clears few slots. A slot holds 1 + the index of a name; 0 is free.

size_t rf_met_fields_capacity(const struct rf_examples *examples) {
    return examples->field_capacity / 2;
}

static uint32_t *slots_of(const struct rf_examples *examples) {
    return (uint32_t *)(void *)(examples->field_name + rf_met_fields_capacity(examples));
}

// For `count` names: a power of two, less than 4 * count. That many fit the upper half: it has 4 slots for each name.
static size_t slot_count(size_t count) {
    size_t slots = 2;
    while (slots < 2 * count) {
        slots *= 2;
    }
    return slots;
}

static void insert(const struct rf_examples *examples, size_t slots, uint64_t hash, size_t index) {
    uint32_t *slot = slots_of(examples);
    size_t at = hash & (slots - 1);
    while (slot[at]) {
        at = (at + 1) & (slots - 1);
    }
    slot[at] = (uint32_t)index + 1;
}

static void rebuild(const struct rf_met_fields *fields, size_t slots) {
    const struct rf_examples *examples = fields->examples;
    memset(slots_of(examples), 0, slots * sizeof(uint32_t));
    for (size_t i = fields->declared; i < examples->field_count; i++) {
        struct rf_text name = examples->field_name[i];
        insert(examples, slots, rf_hash(fields->key, name.data, name.size), i);
    }
}

static uint32_t find(const struct rf_met_fields *fields, struct rf_text name, uint64_t hash) {
    const struct rf_examples *examples = fields->examples;
    size_t count = examples->field_count - fields->declared;
    if (count == 0) {
        return RF_FIELD_UNKNOWN; // the table is that of an earlier batch
    }
    const uint32_t *slot = slots_of(examples);
    size_t mask = slot_count(count) - 1;
    for (size_t at = hash & mask; slot[at]; at = (at + 1) & mask) {
        if (rf_text_equal(examples->field_name[slot[at] - 1], name)) {
            return slot[at] - 1;
        }
    }
    return RF_FIELD_UNKNOWN;
}

uint32_t rf_met_fields_index(struct rf_met_fields *fields, struct rf_text name, uint64_t hash) {
    struct rf_examples *examples = fields->examples;
    size_t index = fields->next;
    if (index >= examples->field_count || !rf_text_equal(examples->field_name[index], name)) {
        index = find(fields, name, hash);
    }
    if (index == RF_FIELD_UNKNOWN) {
        if (examples->field_count >= rf_met_fields_capacity(examples)) {
            return RF_FIELD_UNKNOWN;
        }
        index = examples->field_count++;
        examples->field_name[index] = name;
        size_t count = examples->field_count - fields->declared;
        size_t slots = slot_count(count);
        if (count == 1 || slots != slot_count(count - 1)) {
            rebuild(fields, slots);
        } else {
            insert(examples, slots, hash, index);
        }
    }
    fields->next = index + 1;
    return (uint32_t)index;
}

void rf_met_fields_forget(struct rf_met_fields *fields, size_t field_count) {
    assert(field_count >= fields->declared);
    if (field_count < fields->examples->field_count) {
        fields->examples->field_count = field_count;
        rebuild(fields, slot_count(field_count - fields->declared));
    }
}
