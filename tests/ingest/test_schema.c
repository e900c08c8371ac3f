#include "ingest/schema.h"

#include "tests/ingest/decode_fixture.h"

#include <stdio.h>

static struct rf_schema *create(const struct rf_feature_options *options) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_OK);
    return schema;
}

static void refuses(const struct rf_feature_options *options, const char *sentence) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(schema);
}

static unsigned roles(const struct rf_schema *schema, const char *name) {
    uint32_t index = rf_schema_find(schema, rf_text_of(name));
    return index == RF_FIELD_UNKNOWN ? 0 : rf_schema_field(schema, index)->roles;
}

static void schema_gives_fields_their_roles(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){
            .id = "transaction",
            .time = "at",
            .label = "fraud",
            .weight = "importance",
            .numbers = TEXTS("amount", "importance"),
            .categories = TEXTS("customer", "transaction"),
            .ignore = TEXTS("note"),
    });
    assert_int_equal(rf_schema_count(schema), 7);
    assert_int_equal(roles(schema, "transaction"), RF_ROLE_ID | RF_ROLE_CATEGORY);
    assert_int_equal(roles(schema, "at"), RF_ROLE_TIME);
    assert_int_equal(roles(schema, "fraud"), RF_ROLE_LABEL);
    assert_int_equal(roles(schema, "importance"), RF_ROLE_WEIGHT | RF_ROLE_NUMBER);
    assert_int_equal(roles(schema, "amount"), RF_ROLE_NUMBER);
    assert_int_equal(roles(schema, "note"), RF_ROLE_IGNORED);
    assert_int_equal(rf_schema_find(schema, rf_text_of("amoun")), RF_FIELD_UNKNOWN);
    assert_int_equal(rf_schema_find(schema, (struct rf_text){NULL, 0}), RF_FIELD_UNKNOWN);
    assert_int_equal(rf_schema_find_role(schema, RF_ROLE_LABEL), rf_schema_find(schema, rf_text_of("fraud")));
    assert_false(rf_schema_takes_rest(schema));
    assert_false(rf_schema_wants(schema, RF_FIELD_UNKNOWN));
    assert_false(rf_schema_wants(schema, rf_schema_find(schema, rf_text_of("note"))));
    assert_true(rf_schema_wants(schema, rf_schema_find(schema, rf_text_of("at"))));
    rf_schema_destroy(schema);
}

static void schema_takes_the_rest_where_no_feature_is_named(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){.label = "y", .ignore = TEXTS("note", "y")});
    assert_true(rf_schema_takes_rest(schema));
    assert_true(rf_schema_wants(schema, RF_FIELD_UNKNOWN));
    assert_false(rf_schema_wants(schema, rf_schema_find(schema, rf_text_of("note"))));
    assert_true(rf_schema_wants(schema, rf_schema_find(schema, rf_text_of("y"))));
    assert_int_equal(rf_schema_find_role(schema, RF_ROLE_ID), RF_FIELD_UNKNOWN);
    rf_schema_destroy(schema);
    schema = create(&(struct rf_feature_options){0});
    assert_int_equal(rf_schema_count(schema), 0);
    assert_int_equal(rf_schema_find(schema, rf_text_of("x")), RF_FIELD_UNKNOWN);
    rf_schema_destroy(schema);
}

static void schema_keeps_the_rest_beside_buckets_and_a_vector(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){
            .buckets = {(struct rf_bucket_options[]){{.field = "a", .width = 2}, {.field = "b", .width = 3, .plain = true}}, 2},
            .vector = {.field = "v", .size = 4},
    });
    assert_true(rf_schema_takes_rest(schema));
    assert_int_equal(roles(schema, "a"), RF_ROLE_BUCKET);
    assert_int_equal(roles(schema, "b"), RF_ROLE_BUCKET | RF_ROLE_NUMBER);
    assert_int_equal(roles(schema, "v"), RF_ROLE_VECTOR);
    assert_true(rf_schema_field(schema, rf_schema_find(schema, rf_text_of("b")))->bucket->width == 3);
    const struct rf_schema_rules *rules = rf_schema_rules(schema);
    assert_int_equal(rules->vector_field, rf_schema_find(schema, rf_text_of("v")));
    assert_int_equal(rules->vector_size, 4);
    assert_true(rules->vector_divide == 1);
    assert_int_equal(rules->ngrams, 1);
    rf_schema_destroy(schema);
    schema = create(&(struct rf_feature_options){.texts = TEXTS("t"), .ngrams = 3, .skips = 2});
    assert_false(rf_schema_takes_rest(schema));
    assert_int_equal(roles(schema, "t"), RF_ROLE_TEXT);
    assert_int_equal(rf_schema_rules(schema)->skips, 2);
    assert_int_equal(rf_schema_rules(schema)->vector_field, RF_FIELD_UNKNOWN);
    rf_schema_destroy(schema);
}

static void schema_finds_each_of_many_fields(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    static char names[COUNT][16];
    static char *list[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        list[i] = names[i];
    }
    struct rf_schema *schema = create(&(struct rf_feature_options){.numbers = {list, COUNT}});
    for (uint32_t i = 0; i < COUNT; i++) {
        struct rf_text name = rf_text_of(names[i]);
        assert_int_equal(rf_schema_find(schema, name), i);
        assert_int_equal(rf_schema_field(schema, i)->hash, rf_hash(rf_hash_key_of_seed(1), name.data, name.size));
    }
    assert_int_equal(rf_schema_find(schema, rf_text_of("f1000")), RF_FIELD_UNKNOWN);
    rf_schema_destroy(schema);
}

static void schema_keeps_the_classes_in_order(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){.label = "y", .classes = TEXTS("no", "yes")});
    uint32_t count;
    const char *const *classes = rf_schema_classes(schema, &count);
    assert_int_equal(count, 2);
    assert_string_equal(classes[0], "no");
    assert_string_equal(classes[1], "yes");
    rf_schema_destroy(schema);
    schema = create(&(struct rf_feature_options){.label = "y"});
    assert_null(rf_schema_classes(schema, &count));
    assert_int_equal(count, 0);
    rf_schema_destroy(schema);
}

static void schema_refuses_in_words(void **state) {
    (void)state;
    refuses(&(struct rf_feature_options){.numbers = TEXTS("x"), .categories = TEXTS("x")},
            "field x is in numbers and in categories, must be in one of them");
    refuses(&(struct rf_feature_options){.categories = TEXTS("x"), .ignore = TEXTS("x")},
            "field x is in categories and in ignore, must be in one of them");
    refuses(&(struct rf_feature_options){.numbers = TEXTS("x", "y", "x")}, "field x is twice in numbers, must be there once");
    refuses(&(struct rf_feature_options){.numbers = TEXTS("x", "")}, "a field without a name is among features, must be named");
    refuses(&(struct rf_feature_options){.id = ""}, "a field without a name is among features, must be named");
    refuses(&(struct rf_feature_options){.label = "y", .numbers = TEXTS("y")},
            "field y is the label and in numbers, must not be a feature too");
    refuses(&(struct rf_feature_options){.texts = TEXTS("x"), .categories = TEXTS("x")},
            "field x is in categories and in texts, must be in one of them");
    refuses(&(struct rf_feature_options){.label = "y", .texts = TEXTS("y")},
            "field y is the label and in texts, must not be a feature too");
    refuses(&(struct rf_feature_options){.categories = TEXTS("x"),
                                         .buckets = {&(struct rf_bucket_options){.field = "x", .width = 1}, 1}},
            "field x is in categories and in buckets, must be in one of them");
    refuses(
            &(struct rf_feature_options){
                    .buckets = {(struct rf_bucket_options[]){{.field = "x", .width = 1}, {.field = "x", .width = 2}}, 2}},
            "field x is twice in buckets, must be there once");
    refuses(&(struct rf_feature_options){.buckets = {&(struct rf_bucket_options){.field = "x"}, 1}},
            "buckets of field x have neither width nor edges, must have one of the two");
    refuses(&(struct rf_feature_options){.numbers = TEXTS("x"), .vector = {.field = "x", .size = 2}},
            "field x is in numbers and in vector, must be in one of them");
    refuses(&(struct rf_feature_options){.id = "x", .vector = {.field = "x", .size = 2}},
            "field x is the vector, must be nothing else");
    refuses(&(struct rf_feature_options){.vector = {.field = "x"}},
            "vector has field x and no size, must say how many numbers it holds");
    refuses(&(struct rf_feature_options){.vector = {.size = 9}}, "vector has a size of 9 and no field, must name its field");
    refuses(&(struct rf_feature_options){.label = "y", .classes = TEXTS("yes")},
            "classes has one name, yes, must have at least two");
    refuses(&(struct rf_feature_options){.label = "y", .classes = TEXTS("a", "b", "a")},
            "class a is twice in classes, must be there once");
    refuses(&(struct rf_feature_options){.label = "y", .classes = TEXTS("a", "")}, "class 1 has no name, must be named");
}

static void schema_destroys_nothing(void **state) {
    (void)state;
    rf_schema_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(schema_gives_fields_their_roles),
            cmocka_unit_test(schema_keeps_the_rest_beside_buckets_and_a_vector),
            cmocka_unit_test(schema_takes_the_rest_where_no_feature_is_named),
            cmocka_unit_test(schema_finds_each_of_many_fields),
            cmocka_unit_test(schema_keeps_the_classes_in_order),
            cmocka_unit_test(schema_refuses_in_words),
            cmocka_unit_test(schema_destroys_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
