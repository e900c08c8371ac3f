#include "tests/bench/payments.h"

#include "proto/random.h"

#include <inttypes.h>
#include <math.h>
#include <riffle.pb-c.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const payment_number_names[PAYMENT_NUMBERS] = {"amount", "balance", "distance", "velocity", "age_days", "hour"};
const char *const payment_category_names[PAYMENT_CATEGORIES] = {"customer", "terminal", "merchant",
                                                                "country",  "channel",  "device"};
const char *const payment_format_names[PAYMENT_FORMATS] = {"json", "csv", "example", "protobuf", "avro", "vw"};

static const unsigned category_counts[PAYMENT_CATEGORIES] = {50000, 10000, 800, 60, 5, 5000};
static const bool is_whole[PAYMENT_NUMBERS] = {[4] = true, [5] = true};

// Many small ones, few large ones.
static double skewed(struct rf_random *random, double scale) {
    double u = rf_random_uniform(random);
    return round(100 * scale * u * u * u * u) / 100;
}

void payment_make(uint64_t seed, uint64_t number, struct payment *payment_out) {
    struct rf_random random;
    rf_random_init(&random, seed + number * 2);
    struct payment *payment = payment_out;
    payment->id = number;
    payment->at_ms = INT64_C(1767225600000) + (int64_t)number * 50;
    payment->number[0] = skewed(&random, 5000) + 0.5;
    payment->number[1] = skewed(&random, 90000);
    payment->number[2] = skewed(&random, 900);
    payment->number[3] = skewed(&random, 40);
    payment->number[4] = (double)rf_random_below(&random, 4000);
    payment->number[5] = (double)(payment->at_ms / 3600000 % 24);
    double risk = payment->number[0] / 2500 + payment->number[2] / 500 - 4;
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        double u = rf_random_uniform(&random);
        unsigned which = (unsigned)(u * u * category_counts[i]);
        snprintf(payment->category[i], sizeof payment->category[i], "%c%u", payment_category_names[i][0], which);
        uint64_t mixed = ((uint64_t)i << 32) + which;
        risk += (double)(rf_splitmix64(&mixed) >> 40) / (1 << 24) - 0.5;
    }
    payment->fraud = rf_random_uniform(&random) < 1 / (1 + exp(-risk));
}

// Text.

static int write_number(char *to, double number, int index) {
    return is_whole[index] ? sprintf(to, "%.0f", number) : sprintf(to, "%.2f", number);
}

static size_t write_json(const struct payment *payment, char *bytes) {
    char *to = bytes;
    to += sprintf(to, "{\"id\":%" PRIu64 ",\"at\":%" PRId64 ",\"fraud\":%d", payment->id, payment->at_ms, payment->fraud);
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        to += sprintf(to, ",\"%s\":", payment_number_names[i]);
        to += write_number(to, payment->number[i], i);
    }
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        to += sprintf(to, ",\"%s\":\"%s\"", payment_category_names[i], payment->category[i]);
    }
    *to++ = '}';
    return (size_t)(to - bytes);
}

static size_t write_csv(const struct payment *payment, char *bytes) {
    char *to = bytes;
    to += sprintf(to, "%" PRIu64 ",%" PRId64 ",%d", payment->id, payment->at_ms, payment->fraud);
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        *to++ = ',';
        to += write_number(to, payment->number[i], i);
    }
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        to += sprintf(to, ",%s", payment->category[i]);
    }
    return (size_t)(to - bytes);
}

static size_t write_vw(const struct payment *payment, char *bytes) {
    char *to = bytes;
    to += sprintf(to, "%d '%" PRIu64 " |n", payment->fraud ? 1 : -1, payment->id);
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        to += sprintf(to, " %s:", payment_number_names[i]);
        to += write_number(to, payment->number[i], i);
    }
    to += sprintf(to, " |c");
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        to += sprintf(to, " %s=%s", payment_category_names[i], payment->category[i]);
    }
    return (size_t)(to - bytes);
}

// Binary.

static char *write_varint(char *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *to++ = (char)(value | 0x80);
    }
    *to++ = (char)value;
    return to;
}

static uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static char *write_double(char *to, double value) {
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static char *write_text(char *to, uint64_t length, const char *text) {
    size_t size = strlen(text);
    to = write_varint(to, length);
    memcpy(to, text, size);
    return to + size;
}

static size_t write_protobuf(const struct payment *payment, char *bytes) {
    enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2 };
    char *to = bytes;
    *to++ = 1 << 3 | VARINT;
    to = write_varint(to, payment->id);
    *to++ = 2 << 3 | VARINT;
    to = write_varint(to, zigzag(payment->at_ms));
    *to++ = 3 << 3 | VARINT;
    to = write_varint(to, (uint64_t)payment->fraud);
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        *to++ = (char)((4 + i) << 3 | FIXED64);
        to = write_double(to, payment->number[i]);
    }
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        *to++ = (char)((10 + i) << 3 | DELIMITED);
        to = write_text(to, strlen(payment->category[i]), payment->category[i]);
    }
    return (size_t)(to - bytes);
}

static size_t write_avro(const struct payment *payment, char *bytes) {
    char *to = write_varint(bytes, zigzag((int64_t)payment->id));
    to = write_varint(to, zigzag(payment->at_ms));
    to = write_varint(to, zigzag(1));
    to = write_varint(to, zigzag(payment->fraud));
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        to = write_double(to, payment->number[i]);
    }
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        to = write_text(to, zigzag((int64_t)strlen(payment->category[i])), payment->category[i]);
    }
    return (size_t)(to - bytes);
}

static size_t write_example(const struct payment *payment, char *bytes) {
    Riffle__V1__Example example = RIFFLE__V1__EXAMPLE__INIT;
    Riffle__V1__Number number[PAYMENT_NUMBERS], *numbers[PAYMENT_NUMBERS];
    Riffle__V1__Category category[PAYMENT_CATEGORIES], *categories[PAYMENT_CATEGORIES];
    char id[24];
    sprintf(id, "%" PRIu64, payment->id);
    example.id = id;
    example.time_ms = payment->at_ms;
    example.outcome_case = RIFFLE__V1__EXAMPLE__OUTCOME_LABEL;
    example.label = payment->fraud;
    for (int i = 0; i < PAYMENT_NUMBERS; i++) {
        riffle__v1__number__init(&number[i]);
        number[i].name = (char *)payment_number_names[i];
        number[i].value = payment->number[i];
        numbers[i] = &number[i];
    }
    for (int i = 0; i < PAYMENT_CATEGORIES; i++) {
        riffle__v1__category__init(&category[i]);
        category[i].name = (char *)payment_category_names[i];
        category[i].value = (char *)payment->category[i];
        categories[i] = &category[i];
    }
    example.n_numbers = PAYMENT_NUMBERS;
    example.numbers = numbers;
    example.n_categories = PAYMENT_CATEGORIES;
    example.categories = categories;
    return riffle__v1__example__pack(&example, (uint8_t *)bytes);
}

size_t payment_write(const struct payment *payment, enum payment_format format, char *bytes_out) {
    static size_t (*const writers[PAYMENT_FORMATS])(const struct payment *, char *) = {write_json,     write_csv,  write_example,
                                                                                       write_protobuf, write_avro, write_vw};
    return writers[format](payment, bytes_out);
}
