#include "ingest/path_plan.h"

#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct rf_schema *create(const struct rf_feature_options *options) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    return schema;
}

// Follows steps as a record has them: `items [1] sku`, an element in brackets. In words: the names of the fields there, sorted as
// the schema has them, and `...` where there are more beneath.
static const char *follow(const struct rf_schema *schema, const char *way) {
    static char words[256];
    char steps[256];
    const struct rf_path_plan *plan = rf_schema_paths(schema);
    uint32_t state = RF_PATH_RECORD;
    strcpy(steps, way);
    for (char *rest, *step = strtok_r(steps, " ", &rest); step; step = strtok_r(NULL, " ", &rest)) {
        state = step[0] == '[' ? rf_path_element(plan, state, strtoul(step + 1, NULL, 10))
                               : rf_path_member(plan, state, rf_text_of(step));
    }
    struct rf_path path = rf_path_at(plan, state);
    size_t size = (size_t)snprintf(words, sizeof words, "%.*s:", (int)path.text.size, path.text.data ? path.text.data : "");
    for (uint32_t i = 0; i < path.field_count; i++) {
        size += (size_t)snprintf(words + size, sizeof words - size, " %s", rf_schema_field(schema, path.fields[i])->name.data);
    }
    snprintf(words + size, sizeof words - size, "%s", path.goes_on ? " ..." : "");
    return words;
}

#define LEADS(schema, way, words) assert_string_equal(follow(schema, way), words)

static void path_leads_to_members(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){
            .label = "y", .numbers = TEXTS("a.b", "a.c.d", "top", "a.c.e"), .ignore = TEXTS("a.z", "z")});
    LEADS(schema, "y", "y: y");
    LEADS(schema, "top", "top: top");
    LEADS(schema, "a", "a: ...");
    LEADS(schema, "a b", "a.b: a.b");
    LEADS(schema, "a c", "a.c: ...");
    LEADS(schema, "a c d", "a.c.d: a.c.d");
    LEADS(schema, "a c e", "a.c.e: a.c.e");
    LEADS(schema, "b", ":");
    LEADS(schema, "a d", ":");
    LEADS(schema, "a b c", ":");
    LEADS(schema, "a z", ":"); // ignored
    LEADS(schema, "z", ":");
    LEADS(schema, "a.b", "a.b: a.b"); // the whole name
    LEADS(schema, "a c.d", ":");      // in the record alone
    LEADS(schema, "x y z", ":");
    rf_schema_destroy(schema);
}

static void path_walks_arrays(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){.categories = TEXTS("items.sku", "tags")});
    LEADS(schema, "items [0] sku", "items.sku: items.sku");
    LEADS(schema, "items [7] sku", "items.sku: items.sku");
    LEADS(schema, "items [7] [3] sku", "items.sku: items.sku");
    LEADS(schema, "items sku [5]", "items.sku: items.sku");
    LEADS(schema, "tags [0]", "tags: tags");
    LEADS(schema, "tags [0] [1]", "tags: tags");
    LEADS(schema, "other [0]", ":");
    size_t count;
    (void)rf_path_elements(rf_schema_paths(schema), RF_PATH_NONE, &count);
    assert_int_equal(count, 0);
    rf_schema_destroy(schema);
}

static void path_picks_elements(void **state) {
    (void)state;
    struct rf_schema *schema =
            create(&(struct rf_feature_options){.numbers = TEXTS("m.0.1", "items.0.n", "items.10.n"),
                                                .categories = TEXTS("items.sku", "items.0.sku", "t", "t.01", "t.2")});
    LEADS(schema, "m [0] [1]", "m.0.1: m.0.1");
    LEADS(schema, "m [0]", "m.0: ...");
    LEADS(schema, "m [1]", ":");
    LEADS(schema, "m [0] [0]", ":");
    LEADS(schema, "m [1] [0] [1]", ":");
    LEADS(schema, "m 0 1", "m.0.1: m.0.1"); // objects with such names
    LEADS(schema, "items [0] n", "items.0.n: items.0.n");
    LEADS(schema, "items [10] n", "items.10.n: items.10.n");
    LEADS(schema, "items [1] n", ":");
    LEADS(schema, "items [1] sku", "items.sku: items.sku");
    LEADS(schema, "items [0] sku", "items.sku: items.sku items.0.sku");
    LEADS(schema, "items [1] [0] sku", "items.sku: items.sku");
    LEADS(schema, "items sku", "items.sku: items.sku");
    LEADS(schema, "t", "t: t ...");
    LEADS(schema, "t [1]", "t: t ..."); // 01 is no number of an element, but may be a name in it
    LEADS(schema, "t [2]", "t: t t.2 ...");
    LEADS(schema, "t 01", "t.01: t.01");
    const struct rf_path_plan *plan = rf_schema_paths(schema);
    size_t count;
    (void)rf_path_elements(plan, rf_path_member(plan, RF_PATH_RECORD, rf_text_of("items")), &count);
    assert_true(count > 0);
    rf_schema_destroy(schema);
}

static void path_takes_empty_steps_for_empty_names(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){.numbers = TEXTS("a.", ".b", ".")});
    const struct rf_path_plan *plan = rf_schema_paths(schema);
    const struct rf_text empty = {"", 0};
    uint32_t a = rf_path_member(plan, RF_PATH_RECORD, rf_text_of("a"));
    assert_int_equal(rf_path_at(plan, rf_path_member(plan, a, empty)).field_count, 1);
    uint32_t unnamed = rf_path_member(plan, RF_PATH_RECORD, empty);
    assert_int_equal(rf_path_at(plan, rf_path_member(plan, unnamed, rf_text_of("b"))).field_count, 1);
    assert_int_equal(rf_path_at(plan, rf_path_member(plan, unnamed, empty)).field_count, 1);
    rf_schema_destroy(schema);
}

static void path_finds_each_of_many(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static char names[COUNT][24];
    static char *list[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], i % 2 ? "pixels.%d" : "p.n%d.v", i);
        list[i] = names[i];
    }
    struct rf_schema *schema = create(&(struct rf_feature_options){.numbers = {list, COUNT}});
    for (int i = 0; i < COUNT; i++) {
        char way[32], words[64];
        snprintf(way, sizeof way, i % 2 ? "pixels [%d]" : "p n%d v", i);
        snprintf(words, sizeof words, "%s: %s", names[i], names[i]);
        LEADS(schema, way, words);
    }
    LEADS(schema, "pixels [0]", ":");
    LEADS(schema, "p n1 v", ":");
    rf_schema_destroy(schema);
}

static void refuses(const struct rf_feature_options *options, const char *sentence) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(schema);
}

static void path_refuses_what_has_too_many_steps(void **state) {
    (void)state;
    char name[2 * RF_PATH_STEPS_MAX + 2];
    for (size_t i = 0; i < sizeof name - 1; i++) {
        name[i] = i % 2 ? '.' : 'a';
    }
    name[sizeof name - 3] = '\0';
    rf_schema_destroy(create(&(struct rf_feature_options){.numbers = TEXTS(name)}));
    char sentence[300];
    name[sizeof name - 3] = '.';
    name[sizeof name - 1] = '\0';
    snprintf(sentence, sizeof sentence, "field %s has 65 steps between its dots, must have at most 64", name);
    refuses(&(struct rf_feature_options){.numbers = TEXTS(name)}, sentence);
}

// Every subset of the names below each of 20 arrays within arrays would be a place of its own.
static void path_refuses_what_leads_to_too_many_places(void **state) {
    (void)state;
    enum { DEPTH = 22 };
    static char names[2 * DEPTH][64];
    static char *list[2 * DEPTH];
    for (int i = 0; i < 2 * DEPTH; i++) {
        size_t size = 0;
        for (int k = 0; k < DEPTH; k++) {
            size += (size_t)sprintf(names[i] + size, "%s.", k == i / 2 ? (i % 2 ? "0" : "1") : "a");
        }
        names[i][size - 1] = '\0';
        list[i] = names[i];
    }
    refuses(&(struct rf_feature_options){.numbers = {list, 2 * DEPTH}},
            "features name paths to more than 1048576 places of a record, must be fewer");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(path_leads_to_members),
            cmocka_unit_test(path_walks_arrays),
            cmocka_unit_test(path_picks_elements),
            cmocka_unit_test(path_takes_empty_steps_for_empty_names),
            cmocka_unit_test(path_finds_each_of_many),
            cmocka_unit_test(path_refuses_what_has_too_many_steps),
            cmocka_unit_test(path_refuses_what_leads_to_too_many_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
