#include "proto/random.h"
#include "sinks/message.h"
#include "tests/sinks/made_batch.h"
#include "tests/test.h"

#include <riffle.pb-c.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct batch batch;
static struct rf_message message;
static struct rf_error err;

static int set_up(void **state) {
    (void)state;
    batch_init(&batch);
    rf_message_init(&message);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    rf_message_finish(&message);
    batch_finish(&batch);
    return 0;
}

static const char *as_text(void) {
    assert_int_equal(rf_message_reserve(&message, 1, &err), RF_OK);
    message.data[message.size] = '\0';
    return message.data;
}

static const char *json_of(size_t index) {
    rf_message_clear(&message);
    assert_int_equal(rf_message_add_prediction(&message, RF_MESSAGE_JSON, RF_MESSAGE_WITH_ID, &batch.predictions, index, &err),
                     RF_OK);
    return as_text();
}

static const char *reject_json_of(size_t index) {
    rf_message_clear(&message);
    assert_int_equal(rf_message_add_reject(&message, RF_MESSAGE_JSON, &batch.rejects, index, &err), RF_OK);
    return as_text();
}

static Riffle__V1__Predictions *unpack_batch(void) {
    rf_message_clear(&message);
    assert_int_equal(rf_message_add_batch(&message, &batch.predictions, 0, &err), RF_OK);
    Riffle__V1__Predictions *read = riffle__v1__predictions__unpack(NULL, message.size, (uint8_t *)message.data);
    assert_non_null(read);
    return read;
}

static void a_binary_prediction_is_one_json_object(void **state) {
    (void)state;
    batch_add(&batch, 42, "t-1", 0.93);
    batch.examples.time_ms[0] = 1700000000123;
    batch.examples.label[0] = 1;
    assert_string_equal(json_of(0),
                        "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":42,\"id\":\"t-1\","
                        "\"time_ms\":1700000000123,\"line\":1,\"base\":7,\"epoch\":2,\"since\":100,\"score\":0.93,"
                        "\"class\":\"1\",\"label\":1}");
}

static void json_leaves_out_what_is_unknown(void **state) {
    (void)state;
    batch.predictions.task = RF_TASK_REGRESSION;
    batch_add(&batch, 0, NULL, -1.5);
    assert_string_equal(json_of(0), "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":0,\"line\":1,"
                                    "\"base\":7,\"epoch\":2,\"since\":100,\"score\":-1.5}");
}

static void an_id_left_out_is_told(void **state) {
    (void)state;
    batch_add(&batch, 0, "t-1", 0.25);
    assert_int_equal(rf_message_add_prediction(&message, RF_MESSAGE_JSON, RF_MESSAGE_WITHOUT_ID, &batch.predictions, 0, &err),
                     RF_OK);
    assert_string_equal(as_text(),
                        "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":0,\"id_left_out\":true,"
                        "\"line\":1,\"base\":7,\"epoch\":2,\"since\":100,\"score\":0.25,\"class\":\"0\"}");
    static const enum rf_message_id ids[] = {RF_MESSAGE_WITHOUT_ID, RF_MESSAGE_WITH_ID};
    for (size_t i = 0; i < 2; i++) {
        rf_message_clear(&message);
        assert_int_equal(rf_message_add_prediction(&message, RF_MESSAGE_PROTOBUF, ids[i], &batch.predictions, 0, &err), RF_OK);
        Riffle__V1__Prediction *read = riffle__v1__prediction__unpack(NULL, message.size, (uint8_t *)message.data);
        assert_non_null(read);
        assert_string_equal(read->id, i == 0 ? "" : "t-1");
        assert_int_equal(read->id_left_out, i == 0);
        riffle__v1__prediction__free_unpacked(read, NULL);
    }
}

static void a_multiclass_prediction_has_all_scores_and_the_name_of_the_best(void **state) {
    (void)state;
    static const char *const classes[] = {"low", "mid", "high \"x\""};
    batch.predictions.task = RF_TASK_MULTICLASS;
    batch.predictions.outputs = 3;
    batch.predictions.classes = classes;
    batch_add(&batch, 1, "a", 0.25);
    batch.predictions.score[1] = 0.125;
    batch.predictions.score[2] = 0.625;
    assert_non_null(strstr(json_of(0), ",\"scores\":[0.25,0.125,0.625],\"class\":\"high \\\"x\\\"\"}"));

    Riffle__V1__Predictions *read = unpack_batch();
    assert_int_equal(read->predictions[0]->n_scores, 3);
    assert_true(read->predictions[0]->scores[2] == 0.625);
    assert_string_equal(read->predictions[0]->class_name, "high \"x\"");
    riffle__v1__predictions__free_unpacked(read, NULL);
}

static void a_number_that_is_not_finite_is_null(void **state) {
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1 + 0.2, "0.30000000000000004"}, {1e300, "1e300"}, {INFINITY, "null"}, {-INFINITY, "null"}};
    batch.predictions.task = RF_TASK_REGRESSION;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        batch_add(&batch, 0, NULL, cases[i].number);
        const char *score = strstr(json_of(i), "\"score\":") + strlen("\"score\":");
        assert_memory_equal(score, cases[i].text, strlen(cases[i].text));
        assert_string_equal(score + strlen(cases[i].text), "}");
    }
}

static void an_id_of_odd_bytes_becomes_valid_json(void **state) {
    (void)state;
    batch_add(&batch, 0, "", 0.5);
    batch.examples.id[0] = (struct rf_text){"a\"\\\n\x01\0\x7f\xc3\xa9\xff\xed\xa0\x80z", 14};
    assert_non_null(strstr(json_of(0), ",\"id\":\"a\\\"\\\\\\n\\u0001\\u0000\\u007f\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffdz\","));
}

static void a_batch_carries_every_field(void **state) {
    (void)state;
    batch_add(&batch, 42, "t-1", 0.93);
    batch.examples.time_ms[0] = 1700000000123;
    batch.examples.label[0] = 0;
    batch_add(&batch, 43, NULL, 0.07);
    batch.predictions.sequence = 5;
    Riffle__V1__Predictions *read = unpack_batch();
    assert_string_equal(read->model, "fraud");
    assert_int_equal(read->sequence, 5);
    assert_int_equal(read->epoch, 2);
    assert_int_equal(read->n_predictions, 2);
    const Riffle__V1__Prediction *first = read->predictions[0];
    assert_string_equal(first->id, "t-1");
    assert_string_equal(first->topic, "transactions");
    assert_int_equal(first->partition, 3);
    assert_int_equal(first->offset, 42);
    assert_int_equal(first->version->line, 1);
    assert_int_equal(first->version->base_number, 7);
    assert_int_equal(first->version->epoch, 2);
    assert_int_equal(first->version->since, 100);
    assert_true(first->score == 0.93);
    assert_string_equal(first->class_name, "1");
    assert_int_equal(first->outcome_case, RIFFLE__V1__PREDICTION__OUTCOME_LABEL);
    assert_true(first->label == 0);
    assert_true(first->time_ms == 1700000000123);
    const Riffle__V1__Prediction *second = read->predictions[1];
    assert_string_equal(second->id, "");
    assert_int_equal(second->outcome_case, RIFFLE__V1__PREDICTION__OUTCOME__NOT_SET);
    assert_int_equal(second->version->since, 101);
    assert_string_equal(second->class_name, "0");
    assert_int_equal(second->time_ms, -1);
    riffle__v1__predictions__free_unpacked(read, NULL);
}

static void a_batch_passes_over_what_was_not_asked_for_or_not_given(void **state) {
    (void)state;
    batch_add(&batch, 1, "a", 0.1);
    batch_add(&batch, 2, "b", NAN);
    batch_add(&batch, 3, "c", 0.3);
    batch.examples.purpose[2] = RF_OBSERVE;
    Riffle__V1__Predictions *read = unpack_batch();
    assert_int_equal(read->n_predictions, 1);
    assert_string_equal(read->predictions[0]->id, "a");
    riffle__v1__predictions__free_unpacked(read, NULL);
}

static void protobuf_text_is_utf8_without_nul(void **state) {
    (void)state;
    batch_add(&batch, 1, "", 0.5);
    batch.examples.id[0] = (struct rf_text){"a\0b\xff", 4};
    Riffle__V1__Predictions *read = unpack_batch();
    assert_string_equal(read->predictions[0]->id, "a\xEF\xBF\xBD"
                                                  "b\xEF\xBF\xBD");
    riffle__v1__predictions__free_unpacked(read, NULL);
}

static void largest_numbers_fit(void **state) {
    (void)state;
    batch.predictions.version = (struct rf_version){UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX};
    batch.predictions.sequence = UINT64_MAX;
    batch.positions.list[0].partition = INT32_MIN;
    batch_add(&batch, INT64_MIN, NULL, -1.2345678901234567e-300);
    batch.predictions.since[0] = UINT64_MAX;
    batch.examples.time_ms[0] = INT64_MIN;
    batch.examples.label[0] = -1.2345678901234567e-300;
    Riffle__V1__Predictions *read = unpack_batch();
    assert_true(read->predictions[0]->offset == INT64_MIN);
    assert_true(read->predictions[0]->version->since == UINT64_MAX);
    riffle__v1__predictions__free_unpacked(read, NULL);
    const char *score = strstr(json_of(0), "\"score\":") + strlen("\"score\":");
    assert_true(strtod(score, NULL) == -1.2345678901234567e-300);
}

// Text of any bytes, short and long; NULL for none.
static const char *odd_text(struct rf_random *random, char text[300]) {
    size_t size = rf_random_below(random, 4) == 0 ? rf_random_below(random, 300) : rf_random_below(random, 20);
    bool is_plain = rf_random_below(random, 2);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)(is_plain ? 'a' + (int)rf_random_below(random, 26) : 1 + (int)rf_random_below(random, 255));
    }
    text[size] = '\0';
    return size ? text : NULL;
}

static uint64_t odd_number(struct rf_random *random) {
    return rf_random_next(random) >> rf_random_below(random, 65) % 64;
}

static void bytes_are_those_of_protobuf_c(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 7);
    char texts[3][300];
    size_t second;
    assert_int_equal(rf_positions_add(&batch.positions, "a topic of another name", 12, &second), RF_OK);
    for (int round = 0; round < 2000; round++) {
        batch_next(&batch, 0, 0);
        batch.predictions.task = (enum rf_task)rf_random_below(&random, 2);
        batch.predictions.version = (struct rf_version){(uint32_t)odd_number(&random), odd_number(&random),
                                                        (uint32_t)odd_number(&random), odd_number(&random)};
        batch.predictions.sequence = odd_number(&random);
        batch.positions.list[0].partition = (int32_t)odd_number(&random);
        for (size_t i = 0; i < 3; i++) {
            double score = rf_random_below(&random, 8) ? rf_random_uniform(&random) : 0;
            batch_add(&batch, (int64_t)odd_number(&random), odd_text(&random, texts[i]), score);
            batch.predictions.since[i] = odd_number(&random);
            batch.examples.partition[i] = (uint32_t)rf_random_below(&random, 2);
            batch.examples.time_ms[i] = (int64_t)odd_number(&random) * (rf_random_below(&random, 2) ? 1 : -1);
            batch.examples.label[i] = rf_random_below(&random, 3) ? rf_random_uniform(&random) : NAN;
        }
        Riffle__V1__Predictions *read = unpack_batch();
        assert_int_equal(read->n_predictions, 3);
        assert_int_equal(riffle__v1__predictions__get_packed_size(read), message.size);
        uint8_t *packed = malloc(message.size);
        assert_non_null(packed);
        riffle__v1__predictions__pack(read, packed);
        assert_memory_equal(packed, message.data, message.size);
        free(packed);
        riffle__v1__predictions__free_unpacked(read, NULL);
    }
}

static void a_second_batch_of_the_same_size_takes_no_more_room(void **state) {
    (void)state;
    batch_next(&batch, 0, BATCH_CAPACITY);
    assert_int_equal(rf_message_add_batch(&message, &batch.predictions, 0, &err), RF_OK);
    const char *data = message.data;
    size_t capacity = message.capacity;
    for (int i = 0; i < 10; i++) {
        rf_message_clear(&message);
        batch_next(&batch, 1000 * i, BATCH_CAPACITY);
        assert_int_equal(rf_message_add_batch(&message, &batch.predictions, 0, &err), RF_OK);
        assert_ptr_equal(message.data, data);
        assert_int_equal(message.capacity, capacity);
    }
}

static void a_reject_of_text_is_json_with_text(void **state) {
    (void)state;
    batch_add_reject(&batch, 9, rf_text_of("k\n"), rf_text_of("{\"amount\": 1e400}"), "field amount: 1e400 is not finite");
    batch.rejected[0].reason = RF_REASON_NON_FINITE;
    assert_string_equal(reject_json_of(0), "{\"model\":\"fraud\",\"topic\":\"transactions\",\"partition\":3,\"offset\":9,"
                                           "\"timestamp_ms\":1700000000000,\"reason\":\"non_finite\","
                                           "\"detail\":\"field amount: 1e400 is not finite\",\"key\":\"k\\n\","
                                           "\"value\":\"{\\\"amount\\\": 1e400}\"}");
}

static void a_reject_of_other_bytes_is_json_with_base64(void **state) {
    (void)state;
    static const struct {
        struct rf_text value;
        const char *text;
    } cases[] = {
            {{"\xff", 1}, "\"value_base64\":\"/w==\"}"},
            {{"\xff\xfe", 2}, "\"value_base64\":\"//4=\"}"},
            {{"\xff\xfe\xfd", 3}, "\"value_base64\":\"//79\"}"},
            {{"\xff\0\x10\x83", 4}, "\"value_base64\":\"/wAQgw==\"}"},
            {{"", 0}, "\"value\":\"\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        batch_add_reject(&batch, 0, (struct rf_text){0}, cases[i].value, "");
        const char *json = reject_json_of(i);
        assert_string_equal(json + strlen(json) - strlen(cases[i].text), cases[i].text);
        assert_null(strstr(json, "\"key"));
    }
}

static void a_tombstone_is_a_reject_without_value(void **state) {
    (void)state;
    batch_add_reject(&batch, 0, rf_text_of("k"), (struct rf_text){0}, "");
    assert_null(strstr(reject_json_of(0), "value"));
    rf_message_clear(&message);
    assert_int_equal(rf_message_add_reject(&message, RF_MESSAGE_PROTOBUF, &batch.rejects, 0, &err), RF_OK);
    Riffle__V1__Rejected *read = riffle__v1__rejected__unpack(NULL, message.size, (uint8_t *)message.data);
    assert_non_null(read);
    assert_int_equal(read->content_case, RIFFLE__V1__REJECTED__CONTENT__NOT_SET);
    riffle__v1__rejected__free_unpacked(read, NULL);
}

static void a_reject_in_protobuf_keeps_its_bytes(void **state) {
    (void)state;
    batch_add_reject(&batch, 9, rf_text_of("k"), (struct rf_text){"\xff\0x", 3}, "at byte 0: \xff");
    assert_int_equal(rf_message_add_reject(&message, RF_MESSAGE_PROTOBUF, &batch.rejects, 0, &err), RF_OK);
    Riffle__V1__Rejected *read = riffle__v1__rejected__unpack(NULL, message.size, (uint8_t *)message.data);
    assert_non_null(read);
    assert_string_equal(read->model, "fraud");
    assert_string_equal(read->topic, "transactions");
    assert_int_equal(read->partition, 3);
    assert_int_equal(read->offset, 9);
    assert_true(read->timestamp_ms == 1700000000000);
    assert_string_equal(read->reason, "undecodable");
    assert_string_equal(read->detail, "at byte 0: \xEF\xBF\xBD");
    assert_int_equal(read->key.len, 1);
    assert_int_equal(read->content_case, RIFFLE__V1__REJECTED__CONTENT_VALUE);
    assert_int_equal(read->value.len, 3);
    assert_memory_equal(read->value.data, "\xff\0x", 3);
    riffle__v1__rejected__free_unpacked(read, NULL);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            CLAIM(a_binary_prediction_is_one_json_object),
            CLAIM(json_leaves_out_what_is_unknown),
            CLAIM(an_id_left_out_is_told),
            CLAIM(a_multiclass_prediction_has_all_scores_and_the_name_of_the_best),
            CLAIM(a_number_that_is_not_finite_is_null),
            CLAIM(an_id_of_odd_bytes_becomes_valid_json),
            CLAIM(a_batch_carries_every_field),
            CLAIM(a_batch_passes_over_what_was_not_asked_for_or_not_given),
            CLAIM(protobuf_text_is_utf8_without_nul),
            CLAIM(largest_numbers_fit),
            CLAIM(bytes_are_those_of_protobuf_c),
            CLAIM(a_second_batch_of_the_same_size_takes_no_more_room),
            CLAIM(a_reject_of_text_is_json_with_text),
            CLAIM(a_reject_of_other_bytes_is_json_with_base64),
            CLAIM(a_tombstone_is_a_reject_without_value),
            CLAIM(a_reject_in_protobuf_keeps_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
