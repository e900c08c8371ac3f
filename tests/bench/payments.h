#ifndef RF_TESTS_BENCH_PAYMENTS_H
#define RF_TESTS_BENCH_PAYMENTS_H
// Made card payments for benchmarks of whole streams: an id, a time, an outcome, and 12 fields that become features, in every
// format. The n-th payment is the same in all of them.
#include <stddef.h>
#include <stdint.h>

enum { PAYMENT_NUMBERS = 6, PAYMENT_CATEGORIES = 6, PAYMENT_BYTES_MAX = 1024 };

extern const char *const payment_number_names[PAYMENT_NUMBERS];
extern const char *const payment_category_names[PAYMENT_CATEGORIES];

struct payment {
    uint64_t id;
    int64_t at_ms;
    int fraud;
    double number[PAYMENT_NUMBERS];        // as they are written: two decimals, or whole
    char category[PAYMENT_CATEGORIES][16]; // a letter and digits
};

void payment_make(uint64_t seed, uint64_t number, struct payment *payment_out);

enum payment_format { PAYMENT_JSON, PAYMENT_CSV, PAYMENT_EXAMPLE, PAYMENT_PROTOBUF, PAYMENT_AVRO, PAYMENT_VW, PAYMENT_FORMATS };
extern const char *const payment_format_names[PAYMENT_FORMATS];

// Bytes written to bytes_out [PAYMENT_BYTES_MAX], without a line end. PAYMENT_EXAMPLE is a riffle.v1.Example, PAYMENT_PROTOBUF
// and PAYMENT_AVRO are the message and the record of tests/bench/payments.{proto,avsc}.
size_t payment_write(const struct payment *payment, enum payment_format format, char *bytes_out);

#endif
