#include "ingest/avro_schema.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

static const char *refusal(const char *text, size_t size) {
    static struct rf_error err;
    struct rf_avro_schema schema;
    enum rf_status status = rf_avro_schema_init(&(struct rf_text){text, size}, 1, &schema, &err);
    if (!status) {
        rf_avro_schema_finish(&schema);
        return "taken";
    }
    assert_int_equal(status, RF_INVALID);
    return err.text;
}

#define REFUSES(text, sentence) assert_string_equal(refusal(text, strlen(text)), sentence)
#define TAKES(text) REFUSES(text, "taken")
#define RECORD(fields) "{\"type\":\"record\",\"name\":\"shop.R\",\"fields\":[" fields "]}"
#define FIELD(type) RECORD("{\"name\":\"f\",\"type\":" type "}")

static void schema_takes_every_type(void **state) {
    (void)state;
    TAKES("\"null\"");
    TAKES("{\"type\":\"error\",\"name\":\"R\",\"fields\":[]}");
    TAKES(FIELD("[\"null\",\"boolean\",\"int\",\"long\",\"float\",\"double\",\"bytes\",\"string\"]"));
    TAKES(FIELD("{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"long\"}}"));
    TAKES(FIELD(
            "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"],\"default\":\"A\",\"aliases\":[\"F\"],\"doc\":\"x\"}"));
    TAKES(FIELD("{\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":16}}"));
    TAKES(FIELD("[\"null\",\"shop.R\"]"));
    TAKES(FIELD("{\"type\":\"array\",\"items\":\"R\"}"));
    TAKES(FIELD("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}"));
}

static void schema_finds_names_by_their_namespace(void **state) {
    (void)state;
    TAKES(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}},"
                 "{\"name\":\"b\",\"type\":\"F\"},{\"name\":\"c\",\"type\":\"shop.F\"}"));
    TAKES(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"namespace\":\"x.y\",\"size\":2}},"
                 "{\"name\":\"b\",\"type\":\"x.y.F\"}"));
    REFUSES(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"x.y.F\",\"size\":2}},{\"name\":\"b\",\"type\":"
                   "\"F\"}"),
            "field b of shop.R: type \"F\" is not known, must be a type of Avro or one defined before");
    TAKES(RECORD("{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}},"
                 "{\"name\":\"b\",\"type\":{\"type\":\"fixed\",\"name\":\"x.F\",\"size\":2}}"));
}

static void schema_takes_types_of_texts_before_it(void **state) {
    (void)state;
    const struct rf_text texts[] = {
            rf_text_of("{\"type\":\"fixed\",\"name\":\"other.F\",\"size\":2}"),
            rf_text_of(FIELD("\"other.F\"")),
            rf_text_of(FIELD("\"other.G\"")),
    };
    struct rf_avro_schema schema;
    struct rf_error err;
    assert_int_equal(rf_avro_schema_init(texts, 2, &schema, &err), RF_OK);
    assert_int_equal(schema.types[schema.root].kind, RF_AVRO_RECORD);
    assert_int_equal(schema.types[schema.root].size, 2);
    rf_avro_schema_finish(&schema);
    assert_int_equal(rf_avro_schema_init(texts + 1, 1, &schema, &err), RF_INVALID);
    assert_int_equal(rf_avro_schema_init(texts + 1, 2, &schema, &err), RF_INVALID);
    assert_string_equal(err.text,
                        "field f of shop.R: type \"other.F\" is not known, must be a type of Avro or one defined before");
}

static void schema_names_the_place_of_what_is_wrong(void **state) {
    (void)state;
    REFUSES("", "is no JSON: unexpected token near end of file at line 1, column 0");
    REFUSES("7", "type must be a name, an object or a list of them");
    REFUSES("{\"type\":\"record\",\"name\":\"R\"}", "record R: has no list of fields, must have one");
    REFUSES("{\"type\":\"record\",\"fields\":[]}", "record \"\" must have a name of 1 to 1024 bytes");
    REFUSES("{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}",
            "record int has the name of a primitive type, must have another");
    REFUSES(RECORD("7"), "record shop.R: has a field that is no object with a name of 1 to 1024 bytes");
    REFUSES(RECORD("{\"name\":\"a\"}"), "field a of shop.R: has no type, must have one");
    REFUSES(RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"),
            "record shop.R: has field a twice, must have it once");
    REFUSES(FIELD("\"strin\""), "field f of shop.R: type \"strin\" is not known, must be a type of Avro or one defined before");
    REFUSES(FIELD("{\"type\":\"array\"}"), "field f of shop.R: array without \"items\", must have the type of them");
    REFUSES(FIELD("{\"type\":\"map\"}"), "field f of shop.R: map without \"values\", must have the type of them");
    REFUSES(FIELD("{\"type\":\"enum\",\"name\":\"E\"}"),
            "field f of shop.R: enum shop.E has no symbols, must have a list of them");
    REFUSES(FIELD("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[1]}"),
            "field f of shop.R: enum shop.E: symbol 0 must be a text of 1 to 1024 bytes");
    REFUSES(FIELD("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}"),
            "field f of shop.R: enum shop.E has the symbol A twice, must have it once");
    REFUSES(FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}"),
            "field f of shop.R: fixed shop.F must have a size of 0 to 2147483647");
    REFUSES(FIELD("[]"), "field f of shop.R: union of nothing, must have branches");
    REFUSES(FIELD("[\"null\",[\"int\"]]"), "field f of shop.R: union directly in a union, must be one union of all branches");
    REFUSES(FIELD("[\"int\",{\"type\":\"int\",\"logicalType\":\"date\"}]"),
            "field f of shop.R: union has int twice, must have it once");
    REFUSES(FIELD("[\"R\",\"shop.R\"]"), "field f of shop.R: union has shop.R twice, must have it once");
    REFUSES(FIELD("{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}"),
            "field f of shop.R: type shop.R is defined twice, must be defined once");
    REFUSES(FIELD("{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":1001}"),
            "field f of shop.R: decimal has a precision of 1001, must have at most 1000");
}

static void schema_refuses_records_without_end(void **state) {
    (void)state;
    REFUSES(FIELD("\"R\""), "record shop.R holds itself without end");
    REFUSES(FIELD("[\"R\"]"), "record shop.R holds itself without end");
    REFUSES(FIELD("{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"r\",\"type\":[\"R\",\"S\"]}]}"),
            "record shop.S holds itself without end");
    TAKES(FIELD("{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"r\",\"type\":[\"R\",\"S\",\"null\"]}]}"));
}

// `count` times `open`, then `middle`, then `count` times `close`.
static const char *nested(const char *open, const char *middle, const char *close, size_t count) {
    size_t size = (strlen(open) + strlen(close)) * count + strlen(middle);
    char *text = malloc(size + 1);
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, open);
    }
    at = stpcpy(at, middle);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, close);
    }
    const char *answer = refusal(text, size);
    free(text);
    return answer;
}

static void schema_refuses_what_is_too_much(void **state) {
    (void)state;
    assert_string_equal(nested("{\"type\":\"array\",\"items\":", "\"int\"", "}", 255), "taken");
    assert_string_equal(nested("{\"type\":\"array\",\"items\":", "\"int\"", "}", 256), "types are nested deeper than 256");
    assert_string_equal(nested("{\"type\":", "\"int\"", "}", 257), "types are nested deeper than 256");
    assert_non_null(strstr(nested("{\"type\":\"array\",\"items\":", "\"int\"", "}", 100000), "is no JSON: "));
    assert_string_equal(nested(" ", "", " ", RF_AVRO_SCHEMA_BYTES_MAX), "has 8388608 bytes, must have at most 4194304");
    assert_string_equal(nested("[\"int\",", "\"long\"", "]", 200),
                        "union directly in a union, must be one union of all branches");
}

// Each record holds the one before it twice: sizes double, and so would time, if they were not known by type.
static void schema_knows_sizes_without_going_through(void **state) {
    (void)state;
    enum { RECORDS = 200 };
    char *text = malloc((size_t)RECORDS * 200 + 200), *at = text;
    at += sprintf(at, "{\"type\":\"record\",\"name\":\"Top\",\"fields\":[{\"name\":\"f0\",\"type\":{\"type\":\"fixed\",\"name\":"
                      "\"R0\",\"size\":1}}");
    for (int i = 1; i <= RECORDS; i++) {
        at += sprintf(at, ",{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[", i, i);
        at += sprintf(at, "{\"name\":\"a\",\"type\":\"R%d\"},{\"name\":\"b\",\"type\":\"R%d\"}]}}", i - 1, i - 1);
    }
    at = stpcpy(at, "]}");
    struct rf_avro_schema schema;
    struct rf_error err;
    assert_int_equal(rf_avro_schema_init(&(struct rf_text){text, (size_t)(at - text)}, 1, &schema, &err), RF_OK);
    assert_int_equal(schema.types[schema.root].size, RF_AVRO_SIZE_VARIES - 1); // more than there can be
    rf_avro_schema_finish(&schema);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(schema_takes_every_type),
            cmocka_unit_test(schema_finds_names_by_their_namespace),
            cmocka_unit_test(schema_takes_types_of_texts_before_it),
            cmocka_unit_test(schema_names_the_place_of_what_is_wrong),
            cmocka_unit_test(schema_refuses_records_without_end),
            cmocka_unit_test(schema_refuses_what_is_too_much),
            cmocka_unit_test(schema_knows_sizes_without_going_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
