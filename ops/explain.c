#include "ops/explain.h"

#include "ingest/feature.h"
#include "ops/clock.h"
#include "ops/resolve.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rf_text rf_contribution_name(const struct rf_schema *schema, const struct rf_examples *examples,
                                    const struct rf_contribution *contribution, char room[RF_CONTRIBUTION_ROOM]) {
    size_t count;
    uint32_t field = contribution->field;
    const struct rf_cross *crosses = rf_schema_crosses(schema, &count);
    if (field == RF_FIELD_UNKNOWN) {
        return rf_text_of("(bias)");
    }
    if (field == RF_FIELD_VECTOR) {
        snprintf(room, RF_CONTRIBUTION_ROOM, "(coordinate %" PRIu64 ")", contribution->hash);
        return rf_text_of(room);
    }
    if (field < RF_FIELD_CROSS) {
        return examples->field_name[field];
    }
    return rf_text_of(field - RF_FIELD_CROSS < count ? crosses[field - RF_FIELD_CROSS].name : "(cross)");
}

static const struct rf_field *find_field(const struct rf_event *event, struct rf_text name) {
    for (size_t i = 0; i < event->count; i++) {
        if (rf_text_equal(event->fields[i].name, name)) {
            return &event->fields[i];
        }
    }
    return NULL;
}

void rf_contribution_words(const struct rf_schema *schema, const struct rf_event *event, const struct rf_examples *examples,
                           const struct rf_contribution *contribution, char words_out[RF_CONTRIBUTION_WORDS], double *raw_out) {
    words_out[0] = '\0';
    *raw_out = NAN;
    if (contribution->field == RF_FIELD_VECTOR && contribution->hash < examples->vector_size) {
        *raw_out = (double)examples->vector[contribution->hash];
    }
    for (size_t i = examples->row_start[0]; i < examples->row_start[1]; i++) {
        if (examples->field[i] != contribution->field || examples->hash[i] != contribution->hash) {
            continue;
        }
        *raw_out = examples->value[i];
        rf_feature_words(schema, event, examples, 0, i, words_out, RF_CONTRIBUTION_WORDS);
        const struct rf_field *field = find_field(event, examples->field_name[examples->field[i]]);
        if (!words_out[0] && examples->kind[i] == RF_CATEGORY && field) { // an undeclared one
            snprintf(words_out, RF_CONTRIBUTION_WORDS, "%.*s", (int)field->value.text.size, field->value.text.data);
        }
        return;
    }
}

void rf_explanation_words(const struct rf_explanation *explanation, const struct rf_contribution *contribution,
                          char words_out[RF_CONTRIBUTION_WORDS], double *raw_out) {
    rf_contribution_words(rf_pipeline_schema(rf_replay_pipeline(explanation->replay)), &explanation->event,
                          &rf_replay_batch(explanation->replay)->examples, contribution, words_out, raw_out);
}

// What each field gave.

static int by_size(const void *a, const void *b) {
    const struct rf_field_sum *left = a, *right = b;
    double difference = fabs(right->amount) - fabs(left->amount);
    if (difference != 0) {
        return difference > 0 ? 1 : -1;
    }
    return left->first < right->first ? -1 : left->first > right->first;
}

static enum rf_status sum_fields(struct rf_explanation *explanation) {
    explanation->fields = calloc(explanation->count + 1, sizeof *explanation->fields);
    if (!explanation->fields) {
        return RF_MEMORY;
    }
    for (size_t i = 0; i < explanation->count; i++) {
        const struct rf_contribution *contribution = &explanation->list[i];
        size_t at = 0;
        while (at < explanation->field_count && explanation->fields[at].field != contribution->field) {
            at++;
        }
        struct rf_field_sum *sum = &explanation->fields[at];
        if (at == explanation->field_count) {
            *sum = (struct rf_field_sum){.field = contribution->field, .first = i};
            explanation->field_count++;
        }
        sum->amount += contribution->amount;
        sum->count++;
    }
    qsort(explanation->fields, explanation->field_count, sizeof *explanation->fields, by_size);
    return RF_OK;
}

static enum rf_status explain(struct rf_explanation *explanation) {
    const struct rf_learner *learner = rf_pipeline_learner(rf_replay_pipeline(explanation->replay));
    const struct rf_examples *examples = explanation->predictions.examples;
    struct rf_contribution largest;
    explanation->count = rf_learner_explain(learner, examples, 0, &largest, 1);
    explanation->list = calloc(explanation->count + 1, sizeof *explanation->list);
    if (!explanation->list) {
        return RF_MEMORY;
    }
    rf_learner_explain(learner, examples, 0, explanation->list, explanation->count);
    for (size_t i = 0; i < explanation->count; i++) {
        explanation->sum += explanation->list[i].amount;
    }
    explanation->has_link = learner->outputs == 1 && explanation->count > 0;
    if (explanation->has_link) {
        rf_learner_link(learner, &explanation->sum, &explanation->linked);
    }
    return sum_fields(explanation);
}

static enum rf_status predict(struct rf_explanation *explanation) {
    const struct rf_learner *learner = rf_pipeline_learner(rf_replay_pipeline(explanation->replay));
    struct rf_predictions *predictions = &explanation->predictions;
    *predictions = rf_replay_batch(explanation->replay)->predictions;
    predictions->examples = &rf_replay_batch(explanation->replay)->examples;
    predictions->version = explanation->versions[0];
    predictions->score = calloc(learner->outputs, sizeof *predictions->score);
    predictions->since = calloc(1, sizeof *predictions->since);
    if (!predictions->score || !predictions->since) {
        return RF_MEMORY;
    }
    predictions->since[0] = explanation->versions[0].since;
    rf_learner_predict(learner, predictions->examples, 0, predictions->score);
    return RF_OK;
}

enum rf_status rf_explanation_init(struct rf_replay *replay, const uint8_t model_sha256[RF_SHA256_SIZE],
                                   struct rf_explanation *explanation_out, struct rf_error *err) {
    struct rf_pipeline *pipeline = rf_replay_pipeline(replay);
    const struct rf_batch *batch = rf_replay_batch(replay);
    struct rf_explanation explanation = {
            .replay = replay, .record = rf_replay_record(replay), .is_rejected = batch->rejects.count > 0};
    explanation.version_count = rf_replay_versions(replay, explanation.versions);
    memcpy(explanation.model_sha256, model_sha256, RF_SHA256_SIZE);
    enum rf_status status = RF_OK;
    if (!explanation.is_rejected) {
        status = rf_pipeline_decoder(pipeline, &explanation.decoder, err);
        if (!status) {
            status = rf_pipeline_batch(pipeline, &explanation.scratch, err);
        }
        if (!status) {
            status = rf_resolve(explanation.decoder, explanation.record, 1, rf_clock_system(), err);
        }
        struct rf_decode_error ignored; // it was decoded before
        if (!status && (rf_decoder_decode(explanation.decoder, explanation.record, &explanation.scratch->arena,
                                          &explanation.event, &ignored) ||
                        predict(&explanation) || explain(&explanation))) {
            status = rf_fail(err, RF_MEMORY, "explanation: out of memory");
        }
    }
    if (status) {
        rf_explanation_finish(&explanation);
        return status;
    }
    *explanation_out = explanation;
    return RF_OK;
}

void rf_explanation_finish(struct rf_explanation *explanation) {
    free(explanation->predictions.score);
    free(explanation->predictions.since);
    free(explanation->list);
    free(explanation->fields);
    rf_batch_destroy(explanation->scratch);
    rf_decoder_destroy(explanation->decoder);
    *explanation = (struct rf_explanation){0};
}
