// Lists of lists, maps of lists, lists of numbers and of sections in settings: read, set, refused, printed, specified.
#include "ops/config.h"

#include "ops/specification.h"
#include "proto/text.h"
#include "tests/ops/config_table.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status read_with(const char *text, const char *const *sets, size_t set_count, struct model_options *options,
                                struct rf_error *err) {
    *options = (struct model_options){0};
    *err = (struct rf_error){0};
    return rf_config_read("fraud.yaml", rf_text_of(text), sets, set_count, model_settings, options, err);
}

static struct model_options read_ok(const char *text, const char *const *sets, size_t set_count) {
    struct model_options options;
    struct rf_error err;
    if (read_with(text, sets, set_count, &options, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return options;
}

static void refuse(const char *features, const char *sentence) {
    char text[512];
    snprintf(text, sizeof text, "name: a\nfeatures: {%s}", features);
    struct model_options options;
    struct rf_error err;
    assert_int_equal(read_with(text, NULL, 0, &options, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    static const struct model_options nothing;
    assert_memory_equal(&options, &nothing, sizeof options);
}

static void refuse_set(const char *set, const char *sentence) {
    struct model_options options;
    struct rf_error err;
    assert_int_equal(read_with("name: a\nfeatures: {crosses: [[a, b]], buckets: [{field: x}]}", &set, 1, &options, &err),
                     RF_INVALID);
    assert_string_equal(err.text, sentence);
}

static const char full[] = "name: a\n"
                           "features:\n"
                           "  namespaces: {user: [age, \"the city\"], \"an item\": [], y: [price]}\n"
                           "  crosses: [[customer, hour], [user, y, hour]]\n"
                           "  buckets:\n"
                           "  - {field: amount, width: 0.5}\n"
                           "  - field: age\n"
                           "    edges: [-1.50, 0, 1e3]\n";

static void config_reads_lists_of_lists_maps_of_lists_and_lists_of_sections(void **state) {
    (void)state;
    struct model_options options = read_ok(full, NULL, 0);
    const struct rf_named_texts *namespaces = &options.features.namespaces;
    assert_int_equal(namespaces->count, 3);
    assert_string_equal(namespaces->list[0].name, "user");
    assert_int_equal(namespaces->list[0].texts.count, 2);
    assert_string_equal(namespaces->list[0].texts.list[1], "the city");
    assert_int_equal(namespaces->list[1].texts.count, 0);
    const struct rf_text_lists *crosses = &options.features.crosses;
    assert_int_equal(crosses->count, 2);
    assert_int_equal(crosses->list[0].count, 2);
    assert_string_equal(crosses->list[1].list[2], "hour");
    assert_int_equal(options.features.buckets.count, 2);
    const struct bucket_options *buckets = options.features.buckets.list;
    assert_string_equal(buckets[0].field, "amount");
    assert_true(buckets[0].width == 0.5 && buckets[1].width == 1);
    assert_int_equal(buckets[0].edges.count, 0);
    assert_int_equal(buckets[1].edges.count, 3);
    assert_true(buckets[1].edges.list[0] == -1.5 && buckets[1].edges.list[2] == 1000);
    rf_config_finish(model_settings, &options);
    static const struct model_options nothing;
    assert_memory_equal(&options, &nothing, sizeof options);
}

static void config_sets_members_by_index_and_name(void **state) {
    (void)state;
    static const char *const sets[] = {
            "features.crosses.1=[a, b]",     "features.crosses.2=[c, d]",  "features.namespaces.y=[q, r]",
            "features.namespaces.w.x=[s]",   "features.buckets.0.width=2", "features.buckets.2.field=z",
            "features.buckets.1={field: v}",
    };
    struct model_options options = read_ok(full, sets, sizeof sets / sizeof sets[0]);
    assert_int_equal(options.features.crosses.count, 3);
    assert_string_equal(options.features.crosses.list[1].list[0], "a");
    assert_string_equal(options.features.crosses.list[2].list[1], "d");
    assert_int_equal(options.features.namespaces.count, 4);
    assert_string_equal(options.features.namespaces.list[2].texts.list[1], "r");
    assert_string_equal(options.features.namespaces.list[3].name, "w.x");
    const struct bucket_options *buckets = options.features.buckets.list;
    assert_int_equal(options.features.buckets.count, 3);
    assert_true(buckets[0].width == 2);
    assert_string_equal(buckets[1].field, "v");
    assert_string_equal(buckets[2].field, "z");
    rf_config_finish(model_settings, &options);
    static const char *const first[] = {"features.buckets.0.field=n", "features.crosses.0=[a]"};
    options = read_ok("name: a", first, 2);
    assert_int_equal(options.features.buckets.count, 1);
    assert_int_equal(options.features.crosses.count, 1);
    rf_config_finish(model_settings, &options);
    static const char *const plain[] = {"features.numbers.0=n", "features.numbers.1=m", "features.numbers.0=k",
                                        "features.buckets.1.edges.1=2.5", "features.buckets.0.edges.0=7"};
    options = read_ok(full, plain, sizeof plain / sizeof plain[0]);
    assert_int_equal(options.features.numbers.count, 2);
    assert_string_equal(options.features.numbers.list[0], "k");
    assert_string_equal(options.features.numbers.list[1], "m");
    buckets = options.features.buckets.list;
    assert_int_equal(buckets[1].edges.count, 3);
    assert_true(buckets[1].edges.list[1] == 2.5 && buckets[0].edges.list[0] == 7);
    rf_config_finish(model_settings, &options);
}

static void config_refuses_lists_of_another_shape(void **state) {
    (void)state;
    refuse("crosses: [a, b]", "fraud.yaml:2:22: features.crosses.0 is \"a\", must be a list of texts, as in [a, b]");
    refuse("crosses: a", "fraud.yaml:2:21: features.crosses is \"a\", must be a list of lists, as in [[a, b], [a, c]]");
    refuse("crosses: [[a], [b, [c]]]", "fraud.yaml:2:31: features.crosses.1.1 is a list, must be a text");
    refuse("namespaces: [a]", "fraud.yaml:2:24: features.namespaces is a list, must be names with lists, as in {name: [a, b]}");
    refuse("namespaces: {a: b}", "fraud.yaml:2:28: features.namespaces.a is \"b\", must be a list of texts, as in [a, b]");
    refuse("namespaces: {a: [b], c: [~]}", "fraud.yaml:2:37: features.namespaces.c.0 is empty, must be a text");
    refuse("buckets: {field: a}",
           "fraud.yaml:2:21: features.buckets is a map, must be a list of settings, as in [{name: value}]");
    refuse("buckets: [a]", "fraud.yaml:2:22: features.buckets.0 is \"a\", must be settings, as in {name: value}");
    refuse("buckets: [{field: a}, {width: 2}]", "fraud.yaml:2:34: features.buckets.1.field is missing: field of the number");
    refuse("buckets: [{field: a, widht: 2}]",
           "fraud.yaml:2:33: unknown setting \"features.buckets.0.widht\", did you mean \"features.buckets.0.width\"?");
    refuse("buckets: [{field: a, width: 101}]",
           "fraud.yaml:2:40: features.buckets.0.width is \"101\", must be a number from 0 to 100");
    refuse("buckets: [{field: a, edges: 1}]",
           "fraud.yaml:2:40: features.buckets.0.edges is \"1\", must be a list of numbers, as in [0, 1.5]");
    refuse("buckets: [{field: a, edges: [1, x]}]", "fraud.yaml:2:44: features.buckets.0.edges.1 is \"x\", must be a number");
    refuse("buckets: [{field: a, edges: [[1]]}]", "fraud.yaml:2:41: features.buckets.0.edges.0 is a list, must be a number");
    refuse_set("features.crosses.0.1=x", "--set features.crosses.0.1: crosses.0 is no map, must be set as a whole");
    refuse_set("features.crosses.x=[a, b]", "--set features.crosses.x: \"x\" is no member of crosses, must be 0 to 1");
    refuse_set("features.numbers.1=x", "--set features.numbers.1: \"1\" is no member of numbers, must be 0 to 0");
    refuse_set("features.numbers.0.x=1", "--set features.numbers.0.x: numbers.0 is no map, must be set as a whole");
    refuse_set("features.buckets.0.edges.x=1", "--set features.buckets.0.edges.x: \"x\" is no member of edges, must be 0 to 0");
    refuse_set("features.buckets.3.width=1", "--set features.buckets.3.width: \"3\" is no member of buckets, must be 0 to 1");
    refuse_set("features.buckets.0.widht=1",
               "--set features.buckets.0.widht: unknown setting \"features.buckets.0.widht\", did you mean "
               "\"features.buckets.0.width\"?");
}

static char *printed(const struct model_options *options) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    rf_config_print(model_settings, options, file);
    fclose(file);
    return text;
}

static void config_prints_lists_that_read_back_the_same(void **state) {
    (void)state;
    struct model_options options = read_ok(full, NULL, 0);
    char *first = printed(&options);
    assert_non_null(strstr(first, "  namespaces:\n"
                                  "    user: [age, \"the city\"]\n"
                                  "    \"an item\": []\n"
                                  "    \"y\": [price]\n"
                                  "  crosses: [[customer, hour], [user, \"y\", hour]]\n"
                                  "  buckets:\n"
                                  "    -\n"
                                  "      field: amount\n"
                                  "      width: 0.5\n"
                                  "      edges: []\n"
                                  "    -\n"
                                  "      field: age\n"
                                  "      width: 1\n"
                                  "      edges: [-1.5, 0, 1000]\n"));
    struct model_options again = read_ok(first, NULL, 0);
    char *second = printed(&again);
    assert_string_equal(first, second);
    free(first);
    free(second);
    rf_config_finish(model_settings, &options);
    rf_config_finish(model_settings, &again);
}

static void config_tells_what_lists_take(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    rf_config_markdown(model_settings, file);
    fclose(file);
    assert_non_null(strstr(text, "| `namespaces` | names with lists of texts | none | yes, may grow | groups of fields |\n"
                                 "| `crosses` | list of lists of texts | none | yes, may grow | fields to cross |\n"
                                 "| `buckets` | list of sections | none | yes | numbers put into buckets |\n"));
    assert_non_null(strstr(text, "\n### `features.buckets`\n\n"));
    assert_non_null(strstr(text, "| `edges` | list of numbers | none | yes | between buckets |\n"));
    free(text);
}

static char *specification_of(const char *yaml) {
    struct model_options options = read_ok(yaml, NULL, 0);
    char *text = rf_specification_text(model_settings, &options);
    assert_non_null(text);
    rf_config_finish(model_settings, &options);
    return text;
}

static void specification_writes_lists_in_one_way(void **state) {
    (void)state;
    char *text = specification_of(full);
    assert_non_null(strstr(text, "features.namespaces[\"user\"][] = \"age\"\n"
                                 "features.namespaces[\"user\"][] = \"the city\"\n"
                                 "features.namespaces[\"y\"][] = \"price\"\n"
                                 "features.crosses[] = [\"customer\", \"hour\"]\n"
                                 "features.crosses[] = [\"user\", \"y\", \"hour\"]\n"
                                 "features.buckets[0].field = \"amount\"\n"
                                 "features.buckets[0].width = 0.5\n"
                                 "features.buckets[1].field = \"age\"\n"
                                 "features.buckets[1].width = 1\n"
                                 "features.buckets[1].edges[] = -1.5\n"
                                 "features.buckets[1].edges[] = 0\n"
                                 "features.buckets[1].edges[] = 1000\n"));
    char *other = specification_of("name: a\n"
                                   "features:\n"
                                   "  buckets: [{width: 0.50, field: amount}, {edges: [-1.5, 0.0, 1000], field: age}]\n"
                                   "  crosses: [[user, y, hour], [customer, hour]]\n"
                                   "  namespaces: {y: [price], user: [the city, age]}\n");
    assert_string_equal(text, other);
    free(text);
    free(other);
}

// Compares the specifications of two sections of features.
static void expect(const char *before, const char *after, enum rf_specification_change change, const char *sentence) {
    char text[512];
    snprintf(text, sizeof text, "name: a\nfeatures: {%s}", before);
    char *old = specification_of(text);
    snprintf(text, sizeof text, "name: a\nfeatures: {%s}", after);
    char *new = specification_of(text);
    struct rf_error err = {0};
    assert_int_equal(rf_specification_compare(old, new, model_settings, &err), change);
    assert_string_equal(err.text, sentence);
    free(old);
    free(new);
}

static void specification_lets_lists_apart_gain_their_first_member(void **state) {
    (void)state;
    expect("", "crosses: [[a, b]]", RF_SPECIFICATION_COMPATIBLE, "features.crosses gained [\"a\", \"b\"]");
    expect("crosses: [[b, c]]", "crosses: [[a, b], [b, c]]", RF_SPECIFICATION_COMPATIBLE,
           "features.crosses gained [\"a\", \"b\"]");
    expect("crosses: [[a, b]]", "crosses: [[a, c]]", RF_SPECIFICATION_BREAKING, "features.crosses lost [\"a\", \"b\"]");
    expect("namespaces: {u: [a]}", "namespaces: {u: [a, b], v: [c]}", RF_SPECIFICATION_COMPATIBLE,
           "features.namespaces[\"u\"] gained \"b\"");
    expect("namespaces: {u: [a]}", "namespaces: {v: [a]}", RF_SPECIFICATION_BREAKING, "features.namespaces[\"u\"] lost \"a\"");
    // A cross says nothing about which other fields are read.
    expect("crosses: [[a, b]]", "crosses: [[a, b]], numbers: [x]", RF_SPECIFICATION_BREAKING,
           "features.numbers was empty, has \"x\"");
}

static void specification_names_what_broke_in_a_list_of_sections(void **state) {
    (void)state;
    expect("buckets: [{field: a}]", "buckets: [{field: a, width: 2}]", RF_SPECIFICATION_BREAKING,
           "features.buckets[0].width was 1, is 2");
    expect("buckets: [{field: a}]", "buckets: [{field: a}, {field: b}]", RF_SPECIFICATION_BREAKING,
           "features.buckets[1].field was not set, is \"b\"");
    expect("buckets: [{field: a}, {field: b}]", "buckets: [{field: a}]", RF_SPECIFICATION_BREAKING,
           "features.buckets[1].field was \"b\", is not set");
    expect("buckets: [{field: a, edges: [1, 2]}]", "buckets: [{field: a, edges: [1, 3]}]", RF_SPECIFICATION_BREAKING,
           "features.buckets[0].edges[1] was 2, is 3");
    expect("buckets: [{field: a, edges: [1]}]", "buckets: [{field: a, edges: [1, 3]}]", RF_SPECIFICATION_BREAKING,
           "features.buckets[0].edges gained 3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(config_reads_lists_of_lists_maps_of_lists_and_lists_of_sections),
            cmocka_unit_test(config_sets_members_by_index_and_name),
            cmocka_unit_test(config_refuses_lists_of_another_shape),
            cmocka_unit_test(config_prints_lists_that_read_back_the_same),
            cmocka_unit_test(config_tells_what_lists_take),
            cmocka_unit_test(specification_writes_lists_in_one_way),
            cmocka_unit_test(specification_lets_lists_apart_gain_their_first_member),
            cmocka_unit_test(specification_names_what_broke_in_a_list_of_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
