#include "ingest/feature.h"
#include "ingest/feature_hash.h"
#include "tests/ingest/decode_fixture.h"

#include <math.h>

// Lines of sparse features turned into examples.
struct flow {
    struct decode_fixture fixture;
    struct rf_examples examples;
    enum rf_task task;
    uint32_t classes;
};

static void flow_init(struct flow *flow, const char *format, const struct rf_feature_options *features, enum rf_task task,
                      uint32_t classes) {
    struct rf_error err = {0};
    fixture_init(&flow->fixture, format, features, &(struct rf_decoder_options){0});
    assert_int_equal(rf_examples_init(&flow->examples, 4, 8, 8, &err), RF_OK);
    rf_feature_declare(flow->fixture.schema, &flow->examples);
    flow->task = task;
    flow->classes = classes;
}

static void flow_finish(struct flow *flow) {
    rf_examples_finish(&flow->examples);
    fixture_finish(&flow->fixture);
}

static enum rf_status append(struct flow *flow, const char *text) {
    struct decode_fixture *fixture = &flow->fixture;
    struct rf_record record = {.value = rf_text_of(text), .timestamp_ms = 77, .offset = 5, .partition = 2};
    if (rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error)) {
        return RF_INVALID;
    }
    return rf_feature_append(fixture->schema, flow->task, flow->classes, &fixture->event, &record, &flow->examples,
                             &fixture->error);
}

static void reset(struct flow *flow) {
    rf_examples_reset(&flow->examples, rf_schema_count(flow->fixture.schema));
}

static uint64_t hash_of(const struct flow *flow, const char *space, const char *name) {
    struct rf_hasher hasher = rf_hasher_of(flow->fixture.schema);
    return rf_hasher_feature(&hasher, rf_hasher_namespace(&hasher, rf_text_of(space)), rf_text_of(name));
}

static void check_feature(const struct flow *flow, size_t index, enum rf_feature_kind kind, const char *field, uint64_t hash,
                          double value) {
    const struct rf_examples *examples = &flow->examples;
    assert_int_equal(examples->kind[index], kind);
    assert_true(examples->value[index] == value);
    assert_int_equal(examples->hash[index], hash);
    assert_true(examples->field[index] < examples->field_count);
    assert_true(rf_text_equal(examples->field_name[examples->field[index]], rf_text_of(field)));
}

static void sparse_features_become_an_example(void **state) {
    (void)state;
    struct flow flow;
    const struct rf_feature_options features = {.id = "tag", .label = "y", .weight = "w", .numbers = TEXTS("b", "a")};
    flow_init(&flow, "vw", &features, RF_TASK_REGRESSION, 1);
    assert_int_equal(append(&flow, "2.5 3 'me |a x:2 y |c z |b x |a x"), RF_OK);
    const struct rf_examples *examples = &flow.examples;
    assert_int_equal(examples->count, 1);
    assert_int_equal(examples->row_start[1], 4);
    assert_true(examples->label[0] == 2.5 && examples->weight[0] == 3);
    assert_true(rf_text_equal(examples->id[0], rf_text_of("me")));
    assert_int_equal(examples->purpose[0], RF_OBSERVE | RF_PREDICT | RF_EVALUATE | RF_LEARN);
    assert_int_equal(examples->time_ms[0], 77);
    assert_int_equal(examples->field_count, rf_schema_count(flow.fixture.schema));
    check_feature(&flow, 0, RF_SPARSE_NUMBER, "a", hash_of(&flow, "a", "x"), 2);
    check_feature(&flow, 1, RF_SPARSE_NUMBER, "a", hash_of(&flow, "a", "y"), 1);
    check_feature(&flow, 2, RF_SPARSE_NUMBER, "b", hash_of(&flow, "b", "x"), 1);
    check_feature(&flow, 3, RF_SPARSE_NUMBER, "a", hash_of(&flow, "a", "x"), 1);
    flow_finish(&flow);
}

static void sparse_namespaces_are_fields_as_they_are_met(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, "vw", &(struct rf_feature_options){.ignore = TEXTS("d")}, RF_TASK_BINARY, 2);
    assert_int_equal(append(&flow, "|a x | y |d z |a z"), RF_OK);
    assert_int_equal(append(&flow, "| y |b x"), RF_OK);
    assert_int_equal(flow.examples.field_count, 4); // d is declared
    assert_true(isnan(flow.examples.label[0]));
    assert_int_equal(flow.examples.purpose[0], RF_OBSERVE | RF_PREDICT);
    check_feature(&flow, 0, RF_SPARSE_NUMBER, "a", hash_of(&flow, "a", "x"), 1);
    check_feature(&flow, 1, RF_SPARSE_NUMBER, " ", hash_of(&flow, " ", "y"), 1);
    check_feature(&flow, 2, RF_SPARSE_NUMBER, "a", hash_of(&flow, "a", "z"), 1);
    check_feature(&flow, 3, RF_SPARSE_NUMBER, " ", hash_of(&flow, " ", "y"), 1);
    check_feature(&flow, 4, RF_SPARSE_NUMBER, "b", hash_of(&flow, "b", "x"), 1);
    flow_finish(&flow);
}

static void sparse_features_wait_for_the_next_batch_when_this_one_is_full(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, "vw", &(struct rf_feature_options){.label = "y"}, RF_TASK_BINARY, 2); // 8 features, 4 fields, y is one
    assert_int_equal(append(&flow, "1 |a 1 2 3 4 5"), RF_OK);
    assert_int_equal(append(&flow, "1 |b 1 2 |a 3 4"), RF_FULL);
    assert_int_equal(flow.examples.field_count, 2); // b was taken back
    assert_int_equal(append(&flow, "1 |a 1 |b 1 |c 1"), RF_OK);
    reset(&flow);
    assert_int_equal(append(&flow, "1 |b 1 2 |a 3 4"), RF_OK);
    assert_int_equal(append(&flow, "1 |c 1 |d 1"), RF_FULL);
    reset(&flow);
    assert_int_equal(append(&flow, "1 | 1 2 3 4 5 6 7 8 9"), RF_INVALID);
    assert_string_equal(flow.fixture.error.detail, "has more than 8 features, which is all a batch has room for");
    assert_int_equal(append(&flow, "1 |a 1 |b 1 |c 1 |d 1"), RF_INVALID);
    assert_string_equal(flow.fixture.error.detail, "has more than 4 fields, which is all a batch has room for");
    assert_int_equal(flow.examples.field_count, 1);
    flow_finish(&flow);
}

// The label that a line is given, or the sentence of its rejection.
struct label_case {
    const char *line;
    double label;
    const char *sentence; // NULL: none
};

static void take_labels(const char *format, const struct rf_feature_options *features, enum rf_task task, uint32_t classes,
                        const struct label_case *cases, size_t count) {
    struct flow flow;
    flow_init(&flow, format, features, task, classes);
    for (size_t i = 0; i < count; i++) {
        reset(&flow);
        enum rf_status status = append(&flow, cases[i].line);
        assert_int_equal(status, cases[i].sentence ? RF_INVALID : RF_OK);
        if (cases[i].sentence) {
            assert_string_equal(flow.fixture.error.detail, cases[i].sentence);
            assert_int_equal(flow.fixture.error.reason, RF_REASON_LABEL);
        } else {
            assert_true(flow.examples.label[0] == cases[i].label && !signbit(flow.examples.label[0]) == !(cases[i].label < 0));
        }
    }
    flow_finish(&flow);
}

#define LABELS(format_, features_, task_, classes_, ...)                                       \
    do {                                                                                       \
        const struct label_case cases[] = {__VA_ARGS__};                                       \
        take_labels(format_, features_, task_, classes_, cases, sizeof cases / sizeof *cases); \
    } while (0)

static const struct rf_feature_options plain = {.label = "y"};
static const struct rf_feature_options one_and_two = {.label = "y", .classes = TEXTS("1", "2")};

static void labels_of_two_classes_may_be_signed(void **state) {
    (void)state;
    LABELS("vw", &plain, RF_TASK_BINARY, 2, {"-1 |", 0, NULL}, {"1 |", 1, NULL}, {"0 |", 0, NULL}, {"+1 |", 1, NULL},
           {"-1.0 |", 0, NULL}, {"2 |", 0, "label is 2, must be -1, 0 or 1"}, {"-2 |", 0, "label is -2, must be -1, 0 or 1"},
           {"yes |", 0, "label is \"yes\", must be -1, 0 or 1"}, {"1:0:0.5 |", 0, "label is \"1:0:0.5\", must be -1, 0 or 1"});
    LABELS("libsvm", &plain, RF_TASK_BINARY, 2, {"-1", 0, NULL}, {"+1", 1, NULL}, {"0", 0, NULL},
           {"0.5", 0, "label is 0.5, must be -1, 0 or 1"});
    LABELS("libsvm", &one_and_two, RF_TASK_BINARY, 2, {"1", 0, NULL}, {"2", 1, NULL},
           {"-1", 0, "label is -1, must be one of the 2 classes"});
    LABELS("json", &plain, RF_TASK_BINARY, 2, {"{\"y\":-1}", 0, "label is -1, must be 0 or 1"});
}

static void labels_of_several_classes_are_counted_as_the_format_does(void **state) {
    (void)state;
    const struct rf_feature_options named = {.label = "y", .classes = TEXTS("a", "b", "c")};
    LABELS("vw", &plain, RF_TASK_MULTICLASS, 3, {"1 |", 0, NULL}, {"3 |", 2, NULL}, {"0 |", 0, "label is 0, must be 1 to 3"},
           {"4 |", 0, "label is 4, must be 1 to 3"}, {"1.5 |", 0, "label is 1.5, must be 1 to 3"});
    LABELS("vw", &named, RF_TASK_MULTICLASS, 3, {"c |", 2, NULL}, {"1 |", 0, NULL},
           {"d |", 0, "label is \"d\", must be one of the 3 classes"});
    LABELS("libsvm", &plain, RF_TASK_MULTICLASS, 3, {"0", 0, NULL}, {"2", 2, NULL}, {"3", 0, "label is 3, must be 0 to 2"});
}

static void labels_of_a_regression_are_as_they_are(void **state) {
    (void)state;
    LABELS("vw", &plain, RF_TASK_REGRESSION, 1, {"-1 |", -1, NULL}, {"2.5e3 |", 2500, NULL},
           {"x |", 0, "label is \"x\", must be a number"});
    LABELS("libsvm", &plain, RF_TASK_REGRESSION, 1, {"-1", -1, NULL}, {"24.5", 24.5, NULL});
}

static void vowpal_hashes_end_with_its_constant(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, "vw", &(struct rf_feature_options){.label = "y", .hash = RF_HASHING_VOWPAL}, RF_TASK_BINARY, 2);
    assert_int_equal(append(&flow, "1 |ns a:2"), RF_OK);
    assert_int_equal(append(&flow, "1 |"), RF_OK);
    assert_int_equal(flow.examples.row_start[1], 2);
    assert_int_equal(flow.examples.row_start[2], 3);
    check_feature(&flow, 0, RF_SPARSE_NUMBER, "ns", 354074874, 2);
    check_feature(&flow, 1, RF_CATEGORY, "Constant", 11650396, 1);
    check_feature(&flow, 2, RF_CATEGORY, "Constant", 11650396, 1);
    flow_finish(&flow);
}

static void vowpal_hashes_of_json_are_those_of_names_in_namespaces(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, "json", &(struct rf_feature_options){.hash = RF_HASHING_VOWPAL}, RF_TASK_BINARY, 2);
    assert_int_equal(append(&flow, "{\"a\":2.5,\"12\":\"a\",\"7\":0}"), RF_OK);
    check_feature(&flow, 0, RF_NUMBER, "a", 1009084850, 2.5);
    check_feature(&flow, 1, RF_CATEGORY, "12", 2883525392, 1);
    check_feature(&flow, 2, RF_NUMBER, "7", 7, 0);
    check_feature(&flow, 3, RF_CATEGORY, "Constant", 11650396, 1);
    flow_finish(&flow);
}

static void a_category_of_json_is_a_name_in_the_namespace_of_its_field(void **state) {
    (void)state;
    struct flow json, vw;
    flow_init(&json, "json", &(struct rf_feature_options){0}, RF_TASK_BINARY, 2);
    flow_init(&vw, "vw", &(struct rf_feature_options){0}, RF_TASK_BINARY, 2);
    assert_int_equal(append(&json, "{\"city\":\"Bern\"}"), RF_OK);
    assert_int_equal(append(&vw, "|city Bern"), RF_OK);
    assert_int_equal(json.examples.hash[0], vw.examples.hash[0]);
    flow_finish(&json);
    flow_finish(&vw);
}

static void sparse_features_are_no_more_than_learners_have_room_for(void **state) {
    (void)state;
    struct flow flow;
    flow_init(&flow, "vw", &(struct rf_feature_options){.label = (char[]){"y"}}, RF_TASK_REGRESSION, 0);
    flow.examples.features_max = 3;
    assert_int_equal(append(&flow, "1 |n a b c"), RF_OK);
    assert_int_equal(append(&flow, "1 |n a b c d"), RF_INVALID);
    assert_int_equal(flow.fixture.error.reason, RF_REASON_LIMIT);
    assert_string_equal(flow.fixture.error.detail, "has more than 3 features");
    assert_int_equal(flow.examples.count, 1);
    flow_finish(&flow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(sparse_features_become_an_example),
            cmocka_unit_test(sparse_features_are_no_more_than_learners_have_room_for),
            cmocka_unit_test(sparse_namespaces_are_fields_as_they_are_met),
            cmocka_unit_test(sparse_features_wait_for_the_next_batch_when_this_one_is_full),
            cmocka_unit_test(labels_of_two_classes_may_be_signed),
            cmocka_unit_test(labels_of_several_classes_are_counted_as_the_format_does),
            cmocka_unit_test(labels_of_a_regression_are_as_they_are),
            cmocka_unit_test(vowpal_hashes_end_with_its_constant),
            cmocka_unit_test(vowpal_hashes_of_json_are_those_of_names_in_namespaces),
            cmocka_unit_test(a_category_of_json_is_a_name_in_the_namespace_of_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
