#ifndef RF_TESTS_INGEST_FEATURE_FIXTURE_H
#define RF_TESTS_INGEST_FEATURE_FIXTURE_H
#include "ingest/feature.h"
#include "ingest/feature_hash.h"
#include "tests/ingest/decode_fixture.h"

enum { FLOW_FEATURES = 16 }; // of the batch

// JSON records turned into examples.
struct flow {
    struct decode_fixture fixture;
    struct rf_examples examples;
    enum rf_task task;
    uint32_t classes;
};

void flow_init(struct flow *flow, const struct rf_feature_options *features, enum rf_task task, uint32_t classes);
void flow_finish(struct flow *flow);
enum rf_status flow_append(struct flow *flow, const char *text);

// Appends the record as the only one of the batch.
void flow_takes(struct flow *flow, const char *text);

// As flow_takes, and fails unless the example has these features, as `hour 7=1, log_amount=0.5`: the field, what it stands
// for, its value.
void flow_expects(struct flow *flow, const char *record, const char *features);

// The record is rejected, and nothing changed.
void flow_refuses(struct flow *flow, const char *text, enum rf_reason reason, const char *sentence);

uint64_t name_hash(const char *name);
uint64_t category_hash(const char *name, const char *category);

void flow_check_feature(const struct flow *flow, size_t index, enum rf_feature_kind kind, const char *name, uint64_t hash,
                        double value);

#endif
