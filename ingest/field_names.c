#include "ingest/field_names.h"

#include "ingest/path_plan.h"
#include "proto/bytes.h"

#include <assert.h>
#include <stdlib.h>

enum {
    LOOK_AHEAD_MAX = 8,             // expected names that a record may leave out at one place
    EXPECTED_TEXT_SIZE = 64 * 1024, // of all expected names
};

struct slot {
    uint32_t record; // the record that filled it; any other: free
    uint32_t index;  // into `met`
};

struct rf_field_names {
    const struct rf_schema *schema; // borrowed
    size_t count_max;

    struct rf_field_name *met; // [count_max] the names of this record, once one was not expected
    size_t met_count;
    bool is_expected; // all of them were, in the expected order: so they are different, and neither in `met` nor in `slots`

    struct rf_field_name *expected; // [count_max] the names of an earlier record, texts in expected_text
    uint32_t *met_expected;         // [count_max] which of them this record has
    size_t expected_count;
    size_t expected_next;
    char *expected_text; // [EXPECTED_TEXT_SIZE]

    struct slot *slots; // [mask + 1] by hash, linear probing, at most half full
    size_t mask;
    uint32_t record; // counts records, never 0
};

void rf_field_names_begin(struct rf_field_names *names) {
    names->met_count = 0;
    names->expected_next = 0;
    names->is_expected = true;
    if (++names->record == 0) {
        memset(names->slots, 0, (names->mask + 1) * sizeof *names->slots);
        names->record = 1;
    }
}

// False when the name stood before.
static bool insert(struct rf_field_names *names, uint32_t index) {
    const struct rf_field_name *name = &names->met[index];
    size_t at = name->hash & names->mask;
    for (; names->slots[at].record == names->record; at = (at + 1) & names->mask) {
        const struct rf_field_name *other = &names->met[names->slots[at].index];
        if (other->hash == name->hash && rf_text_equal(other->text, name->text)) {
            return false;
        }
    }
    names->slots[at] = (struct slot){names->record, index};
    return true;
}

// Names are short: two reads of a word each, that overlap, do for most.
static bool is_same(struct rf_text a, struct rf_text b) {
    if (a.size != b.size) {
        return false;
    }
    if (a.size >= 8 && a.size <= 16) {
        return ((rf_load_u64(a.data) ^ rf_load_u64(b.data)) |
                (rf_load_u64(a.data + a.size - 8) ^ rf_load_u64(b.data + a.size - 8))) == 0;
    }
    if (a.size >= 4 && a.size < 8) {
        return ((rf_load_u32(a.data) ^ rf_load_u32(b.data)) |
                (rf_load_u32(a.data + a.size - 4) ^ rf_load_u32(b.data + a.size - 4))) == 0;
    }
    return rf_text_equal(a, b);
}

const struct rf_field_name *rf_field_names_expect(struct rf_field_names *names, struct rf_text text) {
    size_t left = names->is_expected ? names->expected_count - names->expected_next : 0;
    size_t look_ahead = left < LOOK_AHEAD_MAX ? left : LOOK_AHEAD_MAX;
    const struct rf_field_name *expected = names->expected + names->expected_next;
    for (size_t i = 0; i < look_ahead; i++) {
        if (is_same(expected[i].text, text)) {
            names->met_expected[names->met_count++] = (uint32_t)(names->expected_next + i);
            names->expected_next += i + 1;
            return &expected[i];
        }
    }
    return NULL;
}

static void stop_expecting(struct rf_field_names *names) {
    names->is_expected = false;
    for (size_t i = 0; i < names->met_count; i++) {
        names->met[i] = names->expected[names->met_expected[i]];
        bool is_new = insert(names, (uint32_t)i);
        assert(is_new);
        (void)is_new;
    }
}

const struct rf_field_name *rf_field_names_add(struct rf_field_names *names, struct rf_text text) {
    assert(names->met_count < names->count_max);
    const struct rf_field_name *expected = rf_field_names_expect(names, text);
    if (expected) {
        return expected;
    }
    if (names->is_expected) {
        stop_expecting(names);
    }
    uint64_t hash = rf_hash(rf_schema_key(names->schema), text.data, text.size);
    uint32_t index = rf_schema_find_hashed(names->schema, text, hash);
    struct rf_field_name *name = &names->met[names->met_count];
    *name = (struct rf_field_name){
            .text = text,
            .hash = hash,
            .index = index,
            .roles = index == RF_FIELD_UNKNOWN ? 0 : rf_schema_field(names->schema, index)->roles,
            .path = rf_path_member(rf_schema_paths(names->schema), RF_PATH_RECORD, text),
            .is_wanted = rf_schema_wants(names->schema, index),
            .is_path = index != RF_FIELD_UNKNOWN && memchr(text.data, '.', text.size),
    };
    return insert(names, (uint32_t)names->met_count++) ? name : NULL;
}

void rf_field_names_end(struct rf_field_names *names) {
    if (names->is_expected) {
        return;
    }
    size_t text_size = 0;
    names->expected_count = 0;
    for (size_t i = 0; i < names->met_count; i++) {
        const struct rf_field_name *name = &names->met[i];
        if (name->text.size > EXPECTED_TEXT_SIZE - text_size) {
            break; // the names after these are hashed
        }
        char *copy = names->expected_text + text_size;
        if (name->text.size > 0) {
            memcpy(copy, name->text.data, name->text.size);
        }
        text_size += name->text.size;
        names->expected[i] = *name;
        names->expected[i].text.data = copy;
        names->expected_count++;
    }
}

void rf_field_names_destroy(struct rf_field_names *names) {
    if (names) {
        free(names->met);
        free(names->expected);
        free(names->met_expected);
        free(names->expected_text);
        free(names->slots);
        free(names);
    }
}

enum rf_status rf_field_names_create(const struct rf_schema *schema, size_t count_max, struct rf_field_names **names_out,
                                     struct rf_error *err) {
    size_t slot_count = 16;
    while (slot_count < 2 * count_max) {
        slot_count *= 2;
    }
    struct rf_field_names *names = calloc(1, sizeof *names);
    if (!names) {
        goto fail;
    }
    names->schema = schema;
    names->count_max = count_max;
    names->mask = slot_count - 1;
    names->met = calloc(count_max, sizeof *names->met);
    names->expected = calloc(count_max, sizeof *names->expected);
    names->met_expected = calloc(count_max, sizeof *names->met_expected);
    names->expected_text = calloc(1, EXPECTED_TEXT_SIZE);
    names->slots = calloc(slot_count, sizeof *names->slots);
    if (!names->met || !names->expected || !names->met_expected || !names->expected_text || !names->slots) {
        goto fail;
    }
    *names_out = names;
    return RF_OK;
fail:
    rf_field_names_destroy(names);
    return rf_fail(err, RF_MEMORY, "the names of %zu fields do not fit into memory", count_max);
}
