#include "ingest/feature.h"

#include "tests/ingest/feature_fixture.h"

#include <math.h>
#include <stdio.h>

static const struct rf_feature_options full = {
        .id = "id",
        .time = "at",
        .label = "y",
        .weight = "w",
        .numbers = TEXTS("amount", "age"),
        .categories = TEXTS("city", "id"),
};

static void feature_makes_an_example_of_an_event(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    flow_takes(&flow,
               "{\"id\":\"t-1\",\"at\":1522540831000,\"y\":1,\"w\":0.5,\"amount\":0,\"city\":\"Bern\",\"age\":true,\"x\":9}");
    const struct rf_examples *examples = &flow.examples;
    assert_int_equal(examples->row_start[0], 0);
    assert_int_equal(examples->row_start[1], 4);
    flow_check_feature(&flow, 0, RF_CATEGORY, "id", category_hash("id", "t-1"), 1);
    flow_check_feature(&flow, 1, RF_NUMBER, "amount", name_hash("amount"), 0);
    flow_check_feature(&flow, 2, RF_CATEGORY, "city", category_hash("city", "Bern"), 1);
    flow_check_feature(&flow, 3, RF_NUMBER, "age", name_hash("age"), 1);
    assert_true(rf_text_equal(examples->id[0], rf_text_of("t-1")));
    assert_int_equal(examples->time_ms[0], 1522540831000);
    assert_true(examples->label[0] == 1 && examples->weight[0] == 0.5);
    assert_int_equal(examples->purpose[0], RF_OBSERVE | RF_PREDICT | RF_EVALUATE | RF_LEARN);
    assert_int_equal(examples->offset[0], 5);
    assert_int_equal(examples->partition[0], 2);
    assert_int_equal(examples->field_count, rf_schema_count(flow.fixture.schema));
    flow_finish(&flow);
}

static void feature_leaves_out_what_is_null_or_absent(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    for (int i = 0; i < 2; i++) {
        flow_takes(&flow, i ? "{}" : "{\"id\":null,\"at\":null,\"y\":null,\"w\":null,\"amount\":null,\"city\":null}");
        assert_int_equal(flow.examples.row_start[1], 0);
        assert_null(flow.examples.id[0].data);
        assert_int_equal(flow.examples.time_ms[0], 77); // the record's
        assert_true(isnan(flow.examples.label[0]));
        assert_true(flow.examples.weight[0] == 1);
        assert_int_equal(flow.examples.purpose[0], RF_OBSERVE | RF_PREDICT);
    }
    flow_finish(&flow);
}

static void feature_takes_numbers_and_booleans_as_written_for_categories(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    flow_takes(&flow, "{\"city\":8.0e3}");
    flow_check_feature(&flow, 0, RF_CATEGORY, "city", category_hash("city", "8.0e3"), 1);
    flow_takes(&flow, "{\"city\":false,\"id\":12}");
    flow_check_feature(&flow, 0, RF_CATEGORY, "city", category_hash("city", "false"), 1);
    assert_true(rf_text_equal(flow.examples.id[0], rf_text_of("12")));
    flow_takes(&flow, "{\"city\":\"\"}");
    flow_check_feature(&flow, 0, RF_CATEGORY, "city", category_hash("city", ""), 1);
    flow_finish(&flow);
}

static void feature_tells_categories_of_different_fields_apart(void **state) {
    (void)state;
    struct rf_hasher hasher = {RF_HASHING_KEYED, rf_hash_key_of_seed(1)};
    struct rf_hasher other = {RF_HASHING_KEYED, rf_hash_key_of_seed(2)};
    struct rf_text text = rf_text_of("x");
    uint64_t hash = rf_hasher_feature(&hasher, name_hash("a"), text);
    assert_int_equal(hash, rf_hasher_feature(&hasher, name_hash("a"), text));
    assert_int_not_equal(hash, rf_hasher_feature(&hasher, name_hash("b"), text));
    assert_int_not_equal(hash, rf_hasher_feature(&other, name_hash("a"), text));
    assert_int_not_equal(hash, rf_hasher_feature(&hasher, name_hash("a"), rf_text_of("y")));
    assert_int_not_equal(hash, name_hash("a"));
}

static void feature_takes_every_undeclared_field_where_none_is_named(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.label = "y", .ignore = TEXTS("z")}, RF_TASK_REGRESSION, 1);
    flow_takes(&flow, "{\"a\":1.5,\"b\":\"x\",\"c\":true,\"d\":null,\"y\":2,\"z\":3}");
    assert_int_equal(flow.examples.row_start[1], 3);
    flow_check_feature(&flow, 0, RF_NUMBER, "a", name_hash("a"), 1.5);
    flow_check_feature(&flow, 1, RF_CATEGORY, "b", category_hash("b", "x"), 1);
    flow_check_feature(&flow, 2, RF_CATEGORY, "c", category_hash("c", "true"), 1);
    assert_int_equal(flow.examples.field_count, 2 + 3);
    assert_int_equal(flow_append(&flow, "{\"c\":0,\"e\":1,\"a\":2}"), RF_OK);
    flow_check_feature(&flow, 3, RF_NUMBER, "c", name_hash("c"), 0);
    flow_check_feature(&flow, 4, RF_NUMBER, "e", name_hash("e"), 1);
    flow_check_feature(&flow, 5, RF_NUMBER, "a", name_hash("a"), 2);
    assert_int_equal(flow.examples.field_count, 2 + 4); // a, b, c, e: each once
    assert_int_equal(flow.examples.field[5], flow.examples.field[0]);
    flow_finish(&flow);
}

static void feature_reads_times(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    flow_takes(&flow, "{\"at\":\"2018-04-01T02:00:31.25+02:00\"}");
    assert_int_equal(flow.examples.time_ms[0], 1522540831250);
    flow_takes(&flow, "{\"at\":1.522540831e12}");
    assert_int_equal(flow.examples.time_ms[0], 1522540831000);
    flow_takes(&flow, "{\"at\":0}");
    assert_int_equal(flow.examples.time_ms[0], 0);
    flow_takes(&flow, "{\"at\":253402300799999}");
    assert_int_equal(flow.examples.time_ms[0], 253402300799999);
    flow_refuses(&flow, "{\"at\":253402300800000}", RF_REASON_TYPE,
                 "field at is 253402300800000, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":-1}", RF_REASON_TYPE, "field at is -1, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":1e300}", RF_REASON_TYPE, "field at is 1e300, must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":\"1969-12-31T23:59:59Z\"}", RF_REASON_TYPE,
                 "field at is \"1969-12-31T23:59:59Z\", must be in the years 1970 to 9999");
    flow_refuses(&flow, "{\"at\":1.5}", RF_REASON_TYPE, "field at is 1.5, must be Unix milliseconds or RFC 3339");
    flow_refuses(&flow, "{\"at\":\"yesterday\"}", RF_REASON_TYPE,
                 "field at is \"yesterday\", must be Unix milliseconds or RFC 3339");
    flow_refuses(&flow, "{\"at\":true}", RF_REASON_TYPE, "field at is true, must be Unix milliseconds or RFC 3339");
    flow_finish(&flow);
}

static void feature_refuses_wrong_types_in_words(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    flow_refuses(&flow, "{\"amount\":\"12.5\"}", RF_REASON_TYPE, "field amount is \"12.5\", must be a number");
    flow_refuses(&flow, "{\"amount\":1,\"age\":\"old\\n\"}", RF_REASON_TYPE, "field age is \"old\\x0a\", must be a number");
    flow_refuses(&flow, "{\"w\":-1}", RF_REASON_TYPE, "field w is -1, must be a number, 0 or more");
    flow_refuses(&flow, "{\"w\":\"1\"}", RF_REASON_TYPE, "field w is \"1\", must be a number, 0 or more");
    flow_refuses(&flow, "{\"w\":true}", RF_REASON_TYPE, "field w is true, must be a number, 0 or more");
    flow_refuses(&flow, "{\"id\":\"a\\u0000b\"}", RF_REASON_TYPE,
                 "field id is \"a\\x00b\", must be a text without NUL characters");
    flow_refuses(
            &flow,
            "{\"amount\":\"Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich\"}",
            RF_REASON_TYPE,
            "field amount is \"Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcrich Z\xc3\xbcr...\", must be a "
            "number");
    flow_takes(&flow, "{\"w\":0}");
    assert_true(flow.examples.weight[0] == 0);
    flow_finish(&flow);
}

struct label_case {
    const char *record;
    double label;
};

static void take_labels(struct flow *flow, const struct label_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        flow_takes(flow, cases[i].record);
        if (!(flow->examples.label[0] == cases[i].label)) {
            fail_msg("%s gives the label %g", cases[i].record, flow->examples.label[0]);
        }
    }
}

#define TAKE_LABELS(flow, ...)                                  \
    do {                                                        \
        const struct label_case cases[] = {__VA_ARGS__};        \
        take_labels(flow, cases, sizeof cases / sizeof *cases); \
    } while (0)

static void feature_reads_labels_of_a_regression(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_REGRESSION, 1);
    TAKE_LABELS(&flow, {"{\"y\":-12.5}", -12.5}, {"{\"y\":true}", 1}, {"{\"y\":0}", 0});
    flow_refuses(&flow, "{\"y\":\"1\"}", RF_REASON_LABEL, "label is \"1\", must be a number");
    flow_finish(&flow);
}

static void feature_reads_labels_of_two_classes(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_BINARY, 2);
    TAKE_LABELS(&flow, {"{\"y\":0}", 0}, {"{\"y\":1.0}", 1}, {"{\"y\":false}", 0}, {"{\"y\":true}", 1}, {"{\"y\":-0}", 0});
    assert_false(signbit(flow.examples.label[0]));
    flow_refuses(&flow, "{\"y\":-1}", RF_REASON_LABEL, "label is -1, must be 0 or 1");
    flow_refuses(&flow, "{\"y\":2}", RF_REASON_LABEL, "label is 2, must be 0 or 1");
    flow_refuses(&flow, "{\"y\":0.5}", RF_REASON_LABEL, "label is 0.5, must be 0 or 1");
    flow_refuses(&flow, "{\"y\":\"1\"}", RF_REASON_LABEL, "label is \"1\", must be 0 or 1");
    flow_finish(&flow);

    flow_init(&flow, &(struct rf_feature_options){.label = "y", .classes = TEXTS("no", "yes")}, RF_TASK_BINARY, 2);
    TAKE_LABELS(&flow, {"{\"y\":\"no\"}", 0}, {"{\"y\":\"yes\"}", 1}, {"{\"y\":1}", 1}, {"{\"y\":false}", 0});
    flow_refuses(&flow, "{\"y\":\"maybe\"}", RF_REASON_LABEL, "label is \"maybe\", must be one of the 2 classes");
    flow_refuses(&flow, "{\"y\":2}", RF_REASON_LABEL, "label is 2, must be one of the 2 classes");
    flow_finish(&flow);
}

static void feature_takes_numbers_for_class_names_before_indices(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.label = "y", .classes = TEXTS("-1", "1")}, RF_TASK_BINARY, 2);
    TAKE_LABELS(&flow, {"{\"y\":-1}", 0}, {"{\"y\":1}", 1}, {"{\"y\":1.0}", 1}, {"{\"y\":\"-1\"}", 0});
    flow_refuses(&flow, "{\"y\":0}", RF_REASON_LABEL, "label is 0, must be one of the 2 classes");
    flow_finish(&flow);
}

static void feature_reads_labels_of_many_classes(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &full, RF_TASK_MULTICLASS, 3);
    TAKE_LABELS(&flow, {"{\"y\":0}", 0}, {"{\"y\":2}", 2}, {"{\"y\":1e0}", 1});
    flow_refuses(&flow, "{\"y\":7}", RF_REASON_LABEL, "label is 7, must be 0 to 2");
    flow_refuses(&flow, "{\"y\":-1}", RF_REASON_LABEL, "label is -1, must be 0 to 2");
    flow_refuses(&flow, "{\"y\":1.5}", RF_REASON_LABEL, "label is 1.5, must be 0 to 2");
    flow_refuses(&flow, "{\"y\":true}", RF_REASON_LABEL, "label is true, must be 0 to 2");
    flow_refuses(&flow, "{\"y\":\"a\"}", RF_REASON_LABEL, "label is \"a\", must be 0 to 2");
    flow_finish(&flow);

    flow_init(&flow, &(struct rf_feature_options){.label = "y", .classes = TEXTS("a", "b", "true")}, RF_TASK_MULTICLASS, 3);
    TAKE_LABELS(&flow, {"{\"y\":\"b\"}", 1}, {"{\"y\":true}", 2}, {"{\"y\":0}", 0});
    flow_refuses(&flow, "{\"y\":false}", RF_REASON_LABEL, "label is false, must be one of the 3 classes");
    flow_finish(&flow);
}

static void feature_says_when_a_batch_is_full(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, &(struct rf_feature_options){.label = "y"}, RF_TASK_BINARY, 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(flow_append(&flow, "{\"a\":1}"), RF_OK);
    }
    assert_int_equal(flow_append(&flow, "{\"a\":1}"), RF_FULL);
    assert_int_equal(flow.examples.count, 4);

    rf_examples_reset(&flow.examples, 1);
    assert_int_equal(flow_append(&flow, "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}"), RF_OK);
    struct rf_examples before = flow.examples;
    assert_int_equal(flow_append(&flow, "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1}"),
                     RF_FULL); // features
    assert_memory_equal(&flow.examples, &before, sizeof before);
    assert_int_equal(flow_append(&flow, "{\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,\"u\":1,\"v\":1}"), RF_FULL); // field names
    assert_memory_equal(&flow.examples, &before, sizeof before);
    assert_int_equal(flow_append(&flow, "{\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,\"u\":1,\"i\":1}"), RF_OK);
    flow_finish(&flow);
}

static void feature_rejects_what_no_batch_can_hold(void **state) {
    (void)state;
    struct flow flow;
    char record[1024];
    size_t size = 0;
    for (int i = 0; i < 17; i++) {
        size += (size_t)sprintf(record + size, "%c\"n%d\":1", i ? ',' : '{', i);
    }
    strcpy(record + size, "}");
    flow_init(&flow, &(struct rf_feature_options){.label = "y"}, RF_TASK_BINARY, 2);
    flow_refuses(&flow, record, RF_REASON_LIMIT, "has more than 16 fields, which is all a batch has room for");
    flow_finish(&flow);
}

static void feature_lists_each_name_once_in_any_order(void **state) {
    (void)state;
    struct rf_error err = {0};
    struct rf_examples examples;
    struct decode_fixture fixture;
    enum { NAMES = 200, RECORDS = 20 };
    static char text[RECORDS][NAMES * 16]; // names are borrowed: records stay as long as the batch
    fixture_init(&fixture, "json", &(struct rf_feature_options){.label = "y"}, &(struct rf_decoder_options){0});
    assert_int_equal(rf_examples_init(&examples, RECORDS, NAMES * RECORDS, 2 * (NAMES + 1), &err), RF_OK);
    rf_feature_declare(fixture.schema, &examples);
    for (int batch = 0; batch < 3; batch++) {
        rf_examples_reset(&examples, 1);
        for (int i = 0; i < RECORDS; i++) {
            static const int steps[] = {1, 3, 199, 77, 21};
            size_t size = 0;
            for (int k = 0; k < NAMES; k++) {
                size += (size_t)sprintf(text[i] + size, "%c\"n%d\":%d", k ? ',' : '{', (k * steps[i % 5] + i + batch) % NAMES, k);
            }
            strcpy(text[i] + size, "}");
            struct rf_record record = {.value = {text[i], size + 1}};
            assert_int_equal(rf_decoder_decode(fixture.decoder, &record, &fixture.arena, &fixture.event, &fixture.error), RF_OK);
            assert_int_equal(
                    rf_feature_append(fixture.schema, RF_TASK_BINARY, 2, &fixture.event, &record, &examples, &fixture.error),
                    RF_OK);
            size_t start = examples.row_start[examples.count - 1];
            for (size_t k = 0; k < NAMES; k++) {
                assert_true(rf_text_equal(examples.field_name[examples.field[start + k]], fixture.event.fields[k].name));
            }
        }
        assert_int_equal(examples.field_count, NAMES + 1);
    }
    rf_examples_finish(&examples);
    fixture_finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(feature_makes_an_example_of_an_event),
            cmocka_unit_test(feature_leaves_out_what_is_null_or_absent),
            cmocka_unit_test(feature_takes_numbers_and_booleans_as_written_for_categories),
            cmocka_unit_test(feature_tells_categories_of_different_fields_apart),
            cmocka_unit_test(feature_takes_every_undeclared_field_where_none_is_named),
            cmocka_unit_test(feature_reads_times),
            cmocka_unit_test(feature_refuses_wrong_types_in_words),
            cmocka_unit_test(feature_reads_labels_of_a_regression),
            cmocka_unit_test(feature_reads_labels_of_two_classes),
            cmocka_unit_test(feature_takes_numbers_for_class_names_before_indices),
            cmocka_unit_test(feature_reads_labels_of_many_classes),
            cmocka_unit_test(feature_says_when_a_batch_is_full),
            cmocka_unit_test(feature_rejects_what_no_batch_can_hold),
            cmocka_unit_test(feature_lists_each_name_once_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
