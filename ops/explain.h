#ifndef RF_OPS_EXPLAIN_H
#define RF_OPS_EXPLAIN_H
// Why a record got the score it got: what it was, the model it met, and what each of its features contributed.
#include "ops/replay.h"

#include <stdio.h>

// The name of what contributed, for people: a field, a cross, a coordinate of the vector, or the bias. It may stand in `room`.
enum { RF_CONTRIBUTION_ROOM = 48 };
struct rf_text rf_contribution_name(const struct rf_schema *schema, const struct rf_examples *examples,
                                    const struct rf_contribution *contribution, char room[RF_CONTRIBUTION_ROOM]);

// What a contribution stands for beside its name: the text of a category, the words of rf_feature_words(), or "". *raw_out is
// the value of the feature as it stands in the record; NaN where there is none. `event` is that of the only example.
enum { RF_CONTRIBUTION_WORDS = 96 };
void rf_contribution_words(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples,
                           const struct rf_contribution *contribution, char words_out[RF_CONTRIBUTION_WORDS], double *raw_out);

// What all features of a field contributed together.
struct rf_field_sum {
    uint32_t field; // as in rf_contribution
    size_t first;   // its largest contribution
    size_t count;
    double amount;
};

struct rf_explanation {
    struct rf_replay *replay; // borrowed
    const struct rf_record *record;
    struct rf_batch *scratch; // memory of the event
    struct rf_decoder *decoder;
    struct rf_event event; // the record as it was decoded; empty when it was rejected
    struct rf_version versions[RF_REPLAY_VERSIONS_MAX];
    size_t version_count;
    uint8_t model_sha256[RF_SHA256_SIZE]; // of the model that gave the score
    bool is_rejected;

    // Of a record that was not rejected.
    struct rf_predictions predictions; // one, as sinks got it
    struct rf_contribution *list;      // [count] largest first
    size_t count;
    struct rf_field_sum *fields; // [field_count] largest first
    size_t field_count;
    double sum;    // of the list, in its order: the score before the link, of the first output
    bool has_link; // there is one output
    double linked; // the sum through the link: the score, but for rounding, and for what mixes rates or clips
};

// At the end of a replay to RF_POINT_BEFORE. The replay stays as it is, and outlives the explanation.
enum rf_status rf_explanation_init(struct rf_replay *replay, const uint8_t model_sha256[RF_SHA256_SIZE],
                                   struct rf_explanation *explanation_out, struct rf_error *err) RF_MUST_USE;
void rf_explanation_finish(struct rf_explanation *explanation);

// One JSON object on one line; its `prediction` (or `rejected`) is what sinks write. RF_MEMORY.
enum rf_status rf_explanation_json(const struct rf_explanation *explanation, FILE *to, struct rf_error *err) RF_MUST_USE;

// The same for a terminal. The largest contributions are shown, and how many more there are.
void rf_explanation_table(const struct rf_explanation *explanation, FILE *to);

// Those of one of its contributions.
void rf_explanation_words(const struct rf_explanation *explanation, const struct rf_contribution *contribution,
                          char words_out[RF_CONTRIBUTION_WORDS], double *raw_out);

#endif
