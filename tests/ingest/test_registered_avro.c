#include "ingest/registered_avro.h"

#include "tests/test.h"

#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

// The schemas as one text, or what is wrong. The caller frees it.
static char *join(struct rf_registered_schema *schemas, size_t count) {
    struct rf_registered registered = {.id = 1, .type = (char[]){"AVRO"}, .schemas = schemas, .count = count};
    struct rf_error err;
    char *text = NULL;
    return rf_registered_avro_text(&registered, &text, &err) ? strdup(err.text) : text;
}

static void expect(struct rf_registered_schema *schemas, size_t count, const char *expected) {
    char *text = join(schemas, count);
    assert_string_equal(text, expected);
    free(text);
}

static void a_schema_alone_is_left_as_it_is(void **state) {
    (void)state;
    struct rf_registered_schema schemas[] = {{"", "{ \"type\" : \"string\" }"}};
    expect(schemas, COUNT(schemas), "{ \"type\" : \"string\" }");
    schemas[0].text = "no JSON";
    expect(schemas, COUNT(schemas), "no JSON");
}

static void what_is_referred_to_stands_where_it_is_met_first(void **state) {
    (void)state;
    struct rf_registered_schema schemas[] = {
            {"shop.City", "{\"type\":\"record\",\"name\":\"City\",\"namespace\":\"shop\",\"fields\":[]}"},
            {"shop.Customer",
             "{\"type\":\"record\",\"name\":\"shop.Customer\",\"fields\":[{\"name\":\"city\",\"type\":[\"null\",\"City\"]},"
             "{\"name\":\"home\",\"type\":\"City\"}]}"},
            {"", "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":["
                 "{\"name\":\"customers\",\"type\":{\"type\":\"array\",\"items\":\"shop.Customer\"}},"
                 "{\"name\":\"other\",\"type\":\"Customer\"},{\"name\":\"n\",\"type\":\"int\"}]}"},
    };
    expect(schemas, COUNT(schemas),
           "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":["
           "{\"name\":\"customers\",\"type\":{\"type\":\"array\",\"items\":"
           "{\"type\":\"record\",\"name\":\"shop.Customer\",\"fields\":[{\"name\":\"city\",\"type\":[\"null\","
           "{\"type\":\"record\",\"name\":\"City\",\"namespace\":\"shop\",\"fields\":[]}]},"
           "{\"name\":\"home\",\"type\":\"City\"}]}}},"
           "{\"name\":\"other\",\"type\":\"Customer\"},{\"name\":\"n\",\"type\":\"int\"}]}");
}

static void the_namespace_around_it_is_not_its_own(void **state) {
    (void)state;
    struct rf_registered_schema schemas[] = {
            {"Colour", "{\"type\":\"enum\",\"name\":\"Colour\",\"symbols\":[\"RED\"]}"},
            {"", "{\"type\":\"record\",\"name\":\"shop.Order\",\"fields\":[{\"name\":\"a\",\"type\":\"Colour\"},"
                 "{\"name\":\"b\",\"type\":{\"type\":\"map\",\"values\":\"other.Colour\"}}]}"},
    };
    expect(schemas, COUNT(schemas), // shop.Colour and other.Colour are not meant
           "{\"type\":\"record\",\"name\":\"shop.Order\",\"fields\":[{\"name\":\"a\",\"type\":\"Colour\"},"
           "{\"name\":\"b\",\"type\":{\"type\":\"map\",\"values\":\"other.Colour\"}}]}");
    schemas[1].text = "[\"null\",\"Colour\"]";
    expect(schemas, COUNT(schemas),
           "[\"null\",{\"type\":\"enum\",\"name\":\"Colour\",\"symbols\":[\"RED\"],\"namespace\":\"\"}]");
    schemas[1].text = "\"Colour\"";
    expect(schemas, COUNT(schemas), "{\"type\":\"enum\",\"name\":\"Colour\",\"symbols\":[\"RED\"],\"namespace\":\"\"}");
}

static void types_that_refer_to_each_other_come_to_an_end(void **state) {
    (void)state;
    struct rf_registered_schema schemas[] = {
            {"B", "{\"type\":\"record\",\"name\":\"B\",\"namespace\":\"\",\"fields\":[{\"name\":\"b\",\"type\":\"B\"}]}"},
            {"", "{\"type\":\"B\"}"},
    };
    expect(schemas, COUNT(schemas),
           "{\"type\":{\"type\":\"record\",\"name\":\"B\",\"namespace\":\"\",\"fields\":[{\"name\":\"b\",\"type\":\"B\"}]}}");
}

static void what_is_no_json_is_refused(void **state) {
    (void)state;
    struct rf_registered_schema schemas[] = {{"B", "{"}, {"", "\"B\""}};
    char *text = join(schemas, COUNT(schemas));
    assert_memory_equal(text, "schema B is no JSON: ", 21);
    free(text);
    schemas[1].text = "]";
    text = join(schemas, COUNT(schemas));
    assert_memory_equal(text, "schema  is no JSON: ", 20);
    free(text);
    char deep[4096] = "";
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    schemas[1].text = deep;
    expect(schemas, COUNT(schemas), "the schema is nested deeper than 512");
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_schema_alone_is_left_as_it_is),
            cmocka_unit_test(what_is_referred_to_stands_where_it_is_met_first),
            cmocka_unit_test(the_namespace_around_it_is_not_its_own),
            cmocka_unit_test(types_that_refer_to_each_other_come_to_an_end),
            cmocka_unit_test(what_is_no_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
