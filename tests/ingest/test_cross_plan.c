#include "ingest/cross_plan.h"

#include "tests/test.h"

#define TEXTS(...) \
    { (char *[]){__VA_ARGS__}, sizeof(char *[]){__VA_ARGS__} / sizeof(char *) }
#define CROSSES(...) \
    { (struct rf_texts[]){__VA_ARGS__}, sizeof(struct rf_texts[]){__VA_ARGS__} / sizeof(struct rf_texts) }
#define NAMESPACES(...) \
    { (struct rf_named_text[]){__VA_ARGS__}, sizeof(struct rf_named_text[]){__VA_ARGS__} / sizeof(struct rf_named_text) }

static struct rf_schema *create(const struct rf_feature_options *options) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    if (rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err)) {
        fail_msg("%s", err.text);
    }
    return schema;
}

static void refuses(const struct rf_feature_options *options, const char *sentence) {
    struct rf_schema *schema = NULL;
    struct rf_error err = {0};
    assert_int_equal(rf_schema_create(options, rf_hash_key_of_seed(1), &schema, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_null(schema);
}

static uint32_t index_of(const struct rf_schema *schema, const char *name) {
    return rf_schema_find(schema, rf_text_of(name));
}

static unsigned roles(const struct rf_schema *schema, const char *name) {
    return rf_schema_field(schema, index_of(schema, name))->roles;
}

static void cross_names_fields_and_namespaces(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){
            .label = "y",
            .numbers = TEXTS("price", "age"),
            .categories = TEXTS("customer", "city"),
            .namespaces = NAMESPACES({"user", TEXTS("city", "age")}, {"item", TEXTS("price")}),
            .crosses = CROSSES(TEXTS("user", "item", "hour"), TEXTS("customer", "hour"), TEXTS("user", "user")),
    });
    size_t count;
    const struct rf_cross *crosses = rf_schema_crosses(schema, &count);
    assert_int_equal(count, 3);
    assert_string_equal(crosses[0].name, "customer x hour");
    assert_int_equal(crosses[0].sides, 2);
    assert_int_equal(crosses[0].side[0].count, 1);
    assert_int_equal(crosses[0].side[0].list[0], index_of(schema, "customer"));
    assert_int_equal(crosses[0].side[1].list[0], index_of(schema, "hour"));
    assert_string_equal(crosses[1].name, "user x item x hour");
    assert_int_equal(crosses[1].sides, 3);
    assert_int_equal(crosses[1].side[0].count, 2);
    assert_int_equal(crosses[1].side[0].list[0], index_of(schema, "age")); // rising
    assert_int_equal(crosses[1].side[0].list[1], index_of(schema, "city"));
    assert_int_equal(crosses[1].side[1].list[0], index_of(schema, "price"));
    assert_ptr_equal(crosses[2].side[0].list, crosses[2].side[1].list);
    rf_schema_destroy(schema);
}

static void cross_declares_what_only_it_names(void **state) {
    (void)state;
    struct rf_schema *schema = create(&(struct rf_feature_options){
            .id = "id",
            .numbers = TEXTS("price"),
            .namespaces = NAMESPACES({"unused", TEXTS("nowhere")}),
            .crosses = CROSSES(TEXTS("price", "hour"), TEXTS("id", "hour")),
    });
    assert_int_equal(roles(schema, "hour"), RF_ROLE_CROSSED);
    assert_int_equal(roles(schema, "id"), RF_ROLE_ID | RF_ROLE_CROSSED);
    assert_int_equal(roles(schema, "price"), RF_ROLE_NUMBER);
    assert_int_equal(index_of(schema, "nowhere"), RF_FIELD_UNKNOWN);
    assert_true(rf_schema_wants(schema, index_of(schema, "hour")));
    assert_false(rf_schema_takes_rest(schema));
    rf_schema_destroy(schema);
    schema = create(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", "b"))});
    assert_true(rf_schema_takes_rest(schema)); // the others are features as before
    rf_schema_destroy(schema);
}

static void cross_does_not_depend_on_the_order_of_the_settings(void **state) {
    (void)state;
    struct rf_schema *one = create(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", "b"), TEXTS("c", "d"))});
    struct rf_schema *other = create(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("c", "d"), TEXTS("a", "b"))});
    size_t count;
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(rf_schema_crosses(one, &count)[i].name, rf_schema_crosses(other, &count)[i].name);
    }
    rf_schema_destroy(one);
    rf_schema_destroy(other);
    one = create(&(struct rf_feature_options){0});
    rf_schema_crosses(one, &count);
    assert_int_equal(count, 0);
    rf_schema_destroy(one);
}

static void cross_is_refused_in_words(void **state) {
    (void)state;
    refuses(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", "b"), TEXTS("a"))},
            "cross 1 has 1 side, must have 2 or 3");
    refuses(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", "b", "c", "d"))}, "cross 0 has 4 sides, must have 2 or 3");
    refuses(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", ""))},
            "side 1 of cross 0 has no name, must be a field or a namespace");
    refuses(&(struct rf_feature_options){.crosses = CROSSES(TEXTS("a", "b", "a"), TEXTS("c", "d"), TEXTS("a", "a", "b"))},
            "crosses 0 and 2 have the same sides, must stand once");
    refuses(&(struct rf_feature_options){.namespaces = NAMESPACES({"user", {NULL, 0}}), .crosses = CROSSES(TEXTS("user", "b"))},
            "namespace user has no field, must have at least one");
    refuses(&(struct rf_feature_options){.namespaces = NAMESPACES({"user", TEXTS("a", "b", "a")})},
            "field a is twice in namespace user, must be there once");
    refuses(&(struct rf_feature_options){.namespaces = NAMESPACES({"user", TEXTS("")}), .crosses = CROSSES(TEXTS("user", "b"))},
            "a field without a name is among features, must be named");
    refuses(&(struct rf_feature_options){.label = "y", .crosses = CROSSES(TEXTS("a", "y"))},
            "field y is the label and in crosses, must not be a feature too");
    refuses(&(struct rf_feature_options){.ignore = TEXTS("b"), .crosses = CROSSES(TEXTS("a", "b"))},
            "field b is in ignore and in crosses, must be in one of them");
    refuses(&(struct rf_feature_options){.vector = {.field = "v", .size = 2}, .crosses = CROSSES(TEXTS("a", "v"))},
            "field v is in vector and in crosses, must be in one of them");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(cross_names_fields_and_namespaces),
            cmocka_unit_test(cross_declares_what_only_it_names),
            cmocka_unit_test(cross_does_not_depend_on_the_order_of_the_settings),
            cmocka_unit_test(cross_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
