#ifndef RF_INGEST_GENERATOR_H
#define RF_INGEST_GENERATOR_H
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

// Seeded streams from documented simulators: the same seed gives the same bytes on every machine.
//
// "cards": payments by card, a stream built after the simulator of the Fraud Detection Handbook (Le Borgne, Siblini,
// Lebichot and Bontempi, 2022: "Reproducible Machine Learning for Credit Card Fraud Detection", chapter 3). One record is
//
//     {"transaction":123,"at":1522540831000,"customer":596,"terminal":3156,"amount":57.16,"fraud":0}
//
// in time order from 2018-04-01 on, about 9,600 a day; the key is the customer. 5,000 customers and 10,000 terminals are
// spread over a square of 100 by 100; a customer pays at the terminals within 5 of him, on average 0 to 4 times a day,
// around noon, amounts about a mean of his own of 5 to 100. What is fraud:
//
//     1. every amount above 220 (0.06 % of all payments);
//     2. every payment at a terminal that is compromised: two more each day, for 28 days (0.5 %);
//     3. a third of the payments of a customer whose card leaked, with five times the amount: three more each day, for
//        14 days (0.3 %).
//
// It takes 28 days until as many terminals are compromised as ever will be: from then on 0.8 to 0.9 % of the payments
// are fraud.
struct rf_generator;

enum rf_generator_format { RF_GENERATE_JSON, RF_GENERATE_CSV };

struct rf_generator_options {
    const char *stream; // a name from rf_generator_kinds
    uint64_t seed;
    enum rf_generator_format format;
};

struct rf_generated {
    struct rf_text value, key; // valid until the next call
    int64_t time_ms;           // event time
};

// What a kind of generator must do.
struct rf_generator_ops {
    const char *csv_header;

    // The next record; allocates nothing.
    void (*next)(struct rf_generator *self, struct rf_generated *record_out);

    void (*destroy)(struct rf_generator *self);
};

struct rf_generator { // embedded first in each kind
    const struct rf_generator_ops *ops;
};

// The registry: one row a stream.
struct rf_generator_kind {
    const char *name, *summary;
    enum rf_status (*create)(const struct rf_generator_options *options, struct rf_generator **generator_out,
                             struct rf_error *err);
};
extern const struct rf_generator_kind rf_generator_kinds[]; // ends with a row without name

// RF_NOT_FOUND for a stream that there is not.
enum rf_status rf_generator_create(const struct rf_generator_options *options, struct rf_generator **generator_out,
                                   struct rf_error *err) RF_MUST_USE;
void rf_generator_destroy(struct rf_generator *generator);

// The next record; the stream has no end.
void rf_generator_next(struct rf_generator *generator, struct rf_generated *record_out);

// The header line of the CSV form, without a line end.
const char *rf_generator_csv_header(const struct rf_generator *generator);

enum rf_status rf_generator_cards_create(const struct rf_generator_options *options, struct rf_generator **generator_out,
                                         struct rf_error *err) RF_MUST_USE;

#endif
