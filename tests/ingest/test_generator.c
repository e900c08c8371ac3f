#include "ingest/generator.h"
#include "proto/hash.h"
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

static struct rf_generator *create(uint64_t seed, enum rf_generator_format format) {
    struct rf_generator *generator = NULL;
    struct rf_error err = {0};
    const struct rf_generator_options options = {.stream = "cards", .seed = seed, .format = format};
    assert_int_equal(rf_generator_create(&options, &generator, &err), RF_OK);
    return generator;
}

// One record of the CSV form.
struct payment {
    unsigned long long transaction, at;
    unsigned customer, terminal, whole, cents, fraud;
};

static struct payment next_payment(struct rf_generator *generator) {
    struct rf_generated record;
    struct payment payment;
    char text[256];
    rf_generator_next(generator, &record);
    assert_true(record.value.size < sizeof text);
    memcpy(text, record.value.data, record.value.size);
    text[record.value.size] = '\0';
    int used = 0;
    assert_int_equal(sscanf(text, "%llu,%llu,%u,%u,%u.%2u,%u%n", &payment.transaction, &payment.at, &payment.customer,
                            &payment.terminal, &payment.whole, &payment.cents, &payment.fraud, &used),
                     7);
    assert_int_equal(used, record.value.size);
    assert_int_equal(record.time_ms, payment.at);
    snprintf(text, sizeof text, "%u", payment.customer);
    assert_true(rf_text_equal(record.key, rf_text_of(text)));
    return payment;
}

static void digest(uint64_t seed, enum rf_generator_format format, size_t count, char text_out[RF_SHA256_TEXT_SIZE]) {
    struct rf_generator *generator = create(seed, format);
    struct rf_sha256 sha;
    uint8_t bytes[RF_SHA256_SIZE];
    rf_sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        struct rf_generated record;
        rf_generator_next(generator, &record);
        rf_sha256_update(&sha, record.value.data, record.value.size);
        rf_sha256_update(&sha, "\n", 1);
    }
    rf_sha256_finish(&sha, bytes);
    rf_sha256_text(bytes, text_out);
    rf_generator_destroy(generator);
}

static void cards_of_the_same_seed_are_the_same_bytes(void **state) {
    (void)state;
    char text[RF_SHA256_TEXT_SIZE];
    digest(1, RF_GENERATE_JSON, 30000, text);
    assert_string_equal(text, "2699105cadbd2770671a292ed43ed0cfbae3d27785692ccbe0e42bb963e77161");
    digest(1, RF_GENERATE_CSV, 30000, text);
    assert_string_equal(text, "12e679db8bf2afc7523ec661aec53aa267076917b2692d94451663e8fe916f2d");
    char other[RF_SHA256_TEXT_SIZE];
    digest(2, RF_GENERATE_CSV, 30000, other);
    assert_string_not_equal(text, other);
}

static void cards_come_as_json_or_csv(void **state) {
    (void)state;
    struct rf_generator *json = create(7, RF_GENERATE_JSON), *csv = create(7, RF_GENERATE_CSV);
    assert_string_equal(rf_generator_csv_header(csv), "transaction,at,customer,terminal,amount,fraud");
    for (int i = 0; i < 1000; i++) {
        struct rf_generated record;
        rf_generator_next(json, &record);
        struct payment payment = next_payment(csv);
        char expected[256];
        snprintf(expected, sizeof expected,
                 "{\"transaction\":%llu,\"at\":%llu,\"customer\":%u,\"terminal\":%u,\"amount\":%u.%02u,\"fraud\":%u}",
                 payment.transaction, payment.at, payment.customer, payment.terminal, payment.whole, payment.cents,
                 payment.fraud);
        assert_true(rf_text_equal(record.value, rf_text_of(expected)));
        assert_int_equal(record.time_ms, payment.at);
    }
    rf_generator_destroy(json);
    rf_generator_destroy(csv);
}

static void cards_come_in_order_of_time_with_rare_fraud(void **state) {
    (void)state;
    enum { DAYS = 60, SETTLED_DAYS = 30 };
    const unsigned long long first_ms = 1522540800000, day_ms = 86400000;
    struct rf_generator *generator = create(42, RF_GENERATE_CSV);
    unsigned long long before = first_ms, count = 0, fraud = 0, large = 0, noon = 0, settled = 0;
    double total = 0;
    for (struct payment payment = next_payment(generator); payment.at < first_ms + DAYS * day_ms;
         payment = next_payment(generator)) {
        assert_int_equal(payment.transaction, count);
        assert_true(payment.at >= before);
        assert_true(payment.customer < 5000);
        assert_true(payment.terminal < 10000);
        assert_true(payment.fraud <= 1);
        assert_true(payment.fraud == 1 || payment.whole * 100 + payment.cents <= 22000);
        before = payment.at;
        count++;
        total += payment.whole + payment.cents / 100.0;
        unsigned long long of_day = (payment.at - first_ms) % day_ms;
        noon += of_day > 8 * 3600000 && of_day < 16 * 3600000;
        if (payment.at >= first_ms + SETTLED_DAYS * day_ms) {
            settled++;
            fraud += payment.fraud;
            large += payment.whole >= 220;
        }
    }
    rf_generator_destroy(generator);
    double rate = (double)fraud / (double)settled;
    double per_day = (double)count / DAYS;
    print_message("%.0f a day, mean %.2f, fraud %.4f %%, above 220 %.4f %%, within 4 h of noon %.3f\n", per_day,
                  total / (double)count, 100 * rate, 100.0 * (double)large / (double)settled, (double)noon / (double)count);
    assert_true(per_day > 9000 && per_day < 10200);
    assert_true(rate > 0.0070 && rate < 0.0100);
    assert_true(total / (double)count > 50 && total / (double)count < 57);
    assert_true((double)noon / (double)count > 0.50 && (double)noon / (double)count < 0.58);
}

static void names_a_stream_that_is_not_known(void **state) {
    (void)state;
    struct rf_generator *generator = NULL;
    struct rf_error err;
    const struct rf_generator_options options = {.stream = "card"};
    assert_int_equal(rf_generator_create(&options, &generator, &err), RF_NOT_FOUND);
    assert_string_equal(err.text, "stream card is not known, must be one of cards");
    assert_null(generator);
    rf_generator_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(cards_of_the_same_seed_are_the_same_bytes),
            cmocka_unit_test(cards_come_as_json_or_csv),
            cmocka_unit_test(cards_come_in_order_of_time_with_rare_fraud),
            cmocka_unit_test(names_a_stream_that_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
