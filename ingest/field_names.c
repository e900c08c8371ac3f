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

// How many names a record may come to from here.
static size_t look_ahead(const struct rf_field_names *names) {
    size_t left = names->is_expected ? names->expected_count - names->expected_next : 0;
    return left < LOOK_AHEAD_MAX ? left : LOOK_AHEAD_MAX;
}

// The one so many behind the next.
static const struct rf_field_name *take_expected(struct rf_field_names *names, size_t skipped) {
    const struct rf_field_name *expected = &names->expected[names->expected_next + skipped];
    names->met_expected[names->met_count++] = (uint32_t)(names->expected_next + skipped);
    names->expected_next += skipped + 1;
    return expected;
}

const struct rf_field_name *rf_field_names_expect(struct rf_field_names *names, struct rf_text text) {
    const struct rf_field_name *expected = names->expected + names->expected_next;
    for (size_t i = 0, count = look_ahead(names); i < count; i++) {
        if (is_same(expected[i].text, text)) {
            return take_expected(names, i);
        }
    }
    return NULL;
}

const struct rf_field_name *rf_field_names_expect_quoted(struct rf_field_names *names, struct rf_text bytes) {
    const struct rf_field_name *expected = names->expected + names->expected_next;
    for (size_t i = 0, count = look_ahead(names); i < count; i++) {
        size_t size = expected[i].text.size;
        if (size < bytes.size && bytes.data[size] == '"' && expected[i].is_plain &&
            is_same(expected[i].text, (struct rf_text){bytes.data, size})) {
            return take_expected(names, i);
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

static bool is_plain(struct rf_text text) {
    bool is_plain = true;
    for (size_t i = 0; i < text.size && is_plain; i++) {
        is_plain = (unsigned char)text.data[i] >= 0x20 && text.data[i] != '"' && text.data[i] != '\\';
    }
    return is_plain;
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
            // Names that were expected are there already, at their place or behind it.
            memmove(copy, name->text.data, name->text.size);
        }
        text_size += name->text.size;
        names->expected[i] = *name;
        names->expected[i].text.data = copy;
        names->expected[i].is_plain = is_plain(names->expected[i].text);
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
