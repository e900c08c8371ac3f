// The flow of one model, to be read from the bottom up: a step folds a batch, hands its predictions over, and takes snapshots
// that are due.
#include "ops/pipeline.h"

#include "ingest/feature.h"
#include "ops/checkpoint.h"
#include "ops/fleet_growth.h"
#include "ops/pipeline_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// The pure part.

static void reject(struct rf_batch *batch, const struct rf_record *record, const struct rf_decode_error *error) {
    assert(batch->rejects.count < batch->rejects.capacity);
    struct rf_reject *to = &batch->rejects.list[batch->rejects.count++];
    to->reason = error->reason;
    to->record = *record;
    memcpy(to->detail, error->detail, sizeof to->detail);
}

enum rf_status rf_pipeline_resolve(struct rf_decoder *decoder, struct rf_batch *batch, int64_t now_ms, int wait_ms,
                                   struct rf_error *err) {
    enum rf_status status = RF_OK;
    while (!status && batch->resolved < batch->records.count) {
        status = rf_decoder_resolve(decoder, &batch->records.list[batch->resolved], now_ms, wait_ms, err);
        batch->resolved += !status;
    }
    return status;
}

// RF_FULL: the batch has no room left for this one.
static enum rf_status prepare_record(const struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch,
                                     const struct rf_record *record) {
    struct rf_decode_error error;
    struct rf_event event;
    enum rf_status status = rf_decoder_decode(decoder, record, &batch->arena, &event, &error);
    if (!status) {
        status = rf_feature_append(pipeline->schema, pipeline->learner->task, pipeline->learner->outputs, &event, record,
                                   &batch->examples, &error);
    }
    if (status == RF_INVALID) {
        reject(batch, record, &error);
        return RF_OK;
    }
    return status;
}

void rf_pipeline_prepare(const struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch) {
    if (batch->end > 0) { // the rest of a batch that was cut
        rf_batch_forget(batch, rf_schema_count(pipeline->schema));
    }
    batch->first = batch->end;
    while (batch->end < batch->records.count && !prepare_record(pipeline, decoder, batch, &batch->records.list[batch->end])) {
        batch->end++;
    }
    assert(batch->end > batch->first || !batch->records.count); // an empty batch has room for any record that is accepted
}

// The fold.

// Is the record new? One that was applied before is dropped; the last applied one shows whether the log is still the same.
static enum rf_status admit(struct rf_pipeline *pipeline, const struct rf_record *record, bool *is_new_out,
                            struct rf_error *err) {
    const struct rf_position *position = &pipeline->positions.list[record->partition];
    *is_new_out = record->offset >= position->next_offset;
    if (*is_new_out) {
        return RF_OK;
    }
    if (record->offset == position->next_offset - 1 && position->fingerprint &&
        rf_record_fingerprint(record) != position->fingerprint) {
        return rf_fail(err, RF_CONFLICT,
                       "offset %" PRId64 " of %s [%" PRId32
                       "] holds another record than the one that was learned: the topic was made "
                       "anew or cut; give the model a new state folder, or restore the topic",
                       record->offset, position->topic, position->partition);
    }
    pipeline->counts.duplicates++;
    return RF_OK;
}

// The record ends the run of its partition, or begins a new one.
static void extend_runs(struct rf_run *runs, size_t *count, uint32_t partition) {
    if (*count && runs[*count - 1].partition == partition) {
        runs[*count - 1].count++;
    } else {
        runs[(*count)++] = (struct rf_run){.partition = partition, .count = 1};
    }
}

static void note_reject(struct rf_pipeline *pipeline, const struct rf_reject *reject) {
    const struct rf_position *position = &pipeline->positions.list[reject->record.partition];
    snprintf(pipeline->last_reject, sizeof pipeline->last_reject, "%.200s [%" PRId32 "] offset %" PRId64 ": %s: %s",
             position->topic, position->partition, reject->record.offset, rf_reason_word(reject->reason), reject->detail);
}

// Takes an example out of what is learned: it keeps its prediction, and is evaluated apart if it has a label.
static void hold_out(uint8_t *purpose) {
    bool is_evaluated = *purpose & RF_EVALUATE;
    *purpose = (uint8_t)((*purpose & ~(RF_EVALUATE | RF_LEARN)) | (is_evaluated ? RF_HOLD_OUT : 0));
}

static void decide_purpose(const struct rf_pipeline *pipeline, struct rf_examples *examples, size_t index, bool is_new) {
    const struct rf_holdout *holdout = &pipeline->holdout;
    if (!is_new) {
        examples->purpose[index] = 0;
    } else if (pipeline->test) {
        hold_out(&examples->purpose[index]);
        examples->purpose[index] &= (uint8_t)~RF_OBSERVE;
    } else if (!rf_holdout_is_empty(holdout) && rf_holdout_has(holdout, examples, index, &pipeline->positions)) {
        hold_out(&examples->purpose[index]);
    }
}

// Moves the positions over the batch's records and takes the purpose from examples that are not new. Rejects of records
// that are not new are removed. Accepted and rejected records stand in the order of the batch, each in its own list.
static enum rf_status advance(struct rf_pipeline *pipeline, struct rf_batch *batch, size_t *run_count_out, struct rf_error *err) {
    struct rf_examples *examples = &batch->examples;
    struct rf_rejects *rejects = &batch->rejects;
    size_t example = 0, rejected = 0, rejected_kept = 0, runs = 0;
    for (size_t i = batch->first; i < batch->end; i++) {
        const struct rf_record *record = &batch->records.list[i];
        bool is_example = example < examples->count && examples->offset[example] == record->offset &&
                          examples->partition[example] == record->partition;
        bool is_new;
        enum rf_status status = admit(pipeline, record, &is_new, err);
        if (status) {
            return status;
        }
        if (is_new) {
            struct rf_position *position = &pipeline->positions.list[record->partition];
            position->next_offset = record->offset + 1;
            position->records++;
            pipeline->counts.records++;
            extend_runs(pipeline->runs, &runs, record->partition);
            if (i + 1 == batch->end || batch->records.list[i + 1].partition != record->partition) {
                position->fingerprint = rf_record_fingerprint(record);
            }
        }
        if (is_example) {
            batch->predictions.since[example] = pipeline->version.since;
            decide_purpose(pipeline, examples, example, is_new);
            example++;
        } else {
            if (is_new) {
                pipeline->counts.rejected++;
                pipeline->counts.rejected_by[rejects->list[rejected].reason]++;
                rejects->list[rejected_kept++] = rejects->list[rejected];
            }
            rejected++;
        }
        pipeline->version.since += is_new;
    }
    rejects->count = rejected_kept;
    if (rejected_kept) {
        note_reject(pipeline, &rejects->list[rejected_kept - 1]);
    }
    *run_count_out = runs;
    return RF_OK;
}

static enum rf_status fold(struct rf_pipeline *pipeline, struct rf_batch *batch, struct rf_error *err) {
    struct rf_predictions *predictions = &batch->predictions;
    predictions->examples = &batch->examples;
    predictions->version = pipeline->version;
    predictions->sequence = ++pipeline->sequence;

    size_t runs;
    enum rf_status status = advance(pipeline, batch, &runs, err);
    if (status) {
        return status;
    }
    uint64_t learned = pipeline->learner->learned;
    rf_learner_fold(pipeline->learner, &batch->examples, 0, batch->examples.count, predictions);
    rf_evaluation_fold(pipeline->evaluation, &batch->examples, 0, batch->examples.count, predictions);
    struct rf_evaluation *apart = pipeline->test ? pipeline->test : pipeline->held_out;
    if (apart) {
        rf_evaluation_fold(apart, &batch->examples, 0, batch->examples.count, predictions);
    }
    pipeline->counts.learned += pipeline->learner->learned - learned;

    if (pipeline->growth && runs) {
        status = rf_growth_add(pipeline->growth, pipeline->runs, runs, err);
    }
    if (status) {
        return status;
    }
    if (pipeline->schedule && runs) {
        return rf_schedule_append(pipeline->schedule, &pipeline->positions, pipeline->runs, runs, err);
    }
    return RF_OK;
}

static enum rf_status attend(struct rf_pipeline *pipeline, int64_t now_ms, struct rf_error *err) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < pipeline->sink_count && !status; i++) {
        status = rf_sink_attend(pipeline->sinks[i], now_ms, err);
    }
    return status;
}

// Hands predictions to each sink in turn, then the rejects; takes up where it stopped.
static enum rf_status hand_over(struct rf_pipeline *pipeline, struct rf_batch *batch, struct rf_error *err) {
    for (; batch->sink < pipeline->sink_count; batch->sink++, batch->published = 0) {
        enum rf_status status = rf_sink_publish(pipeline->sinks[batch->sink], &batch->predictions, &batch->published, err);
        if (status) {
            return status;
        }
    }
    if (pipeline->rejected && batch->rejects.count) {
        return rf_sink_reject(pipeline->rejected, &batch->rejects, &batch->published, err);
    }
    return RF_OK;
}

const char *rf_pipeline_full_sink(const struct rf_pipeline *pipeline, const struct rf_batch *batch) {
    const struct rf_sink *sink = batch->sink < pipeline->sink_count ? pipeline->sinks[batch->sink] : pipeline->rejected;
    return sink->label;
}

static void tell_metrics(struct rf_pipeline *pipeline) {
    struct rf_metrics *metrics = &pipeline->metrics;
    const struct rf_pipeline_counts *counts = &pipeline->counts;
    uint64_t records = counts->records - pipeline->resumed.records; // of this process, as the other counters are
    uint64_t rejected = counts->rejected - pipeline->resumed.rejected;
    rf_metrics_set(metrics, RF_METRIC_records_total, 0, (int64_t)records);
    rf_metrics_set(metrics, RF_METRIC_learned_total, 0, (int64_t)(counts->learned - pipeline->resumed.learned));
    rf_metrics_set(metrics, RF_METRIC_predictions_total, 0, (int64_t)(records - rejected));
    rf_metrics_set(metrics, RF_METRIC_duplicates_total, 0, (int64_t)counts->duplicates);
    rf_metrics_set(metrics, RF_METRIC_skipped_steps_total, 0, (int64_t)pipeline->learner->skipped_steps);
    rf_metrics_set(metrics, RF_METRIC_bounded_steps_total, 0, (int64_t)pipeline->learner->bounded_steps);
    rf_metrics_set(metrics, RF_METRIC_unscaled_total, 0, (int64_t)pipeline->learner->unscaled);
    rf_metrics_set(metrics, RF_METRIC_uncrossed_total, 0, (int64_t)pipeline->learner->uncrossed);
    rf_metrics_set(metrics, RF_METRIC_unencoded_total, 0, (int64_t)pipeline->learner->unencoded);
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        rf_metrics_set(metrics, RF_METRIC_rejected_total, reason, (int64_t)counts->rejected_by[reason]);
    }
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        rf_metrics_set(metrics, RF_METRIC_sink_published_total, (unsigned)i, (int64_t)sinks[i]->published);
        rf_metrics_set(metrics, RF_METRIC_sink_waits_total, (unsigned)i, (int64_t)sinks[i]->waits);
        rf_metrics_set(metrics, RF_METRIC_sink_gaps_total, (unsigned)i, (int64_t)sinks[i]->gaps);
        rf_metrics_set(metrics, RF_METRIC_sink_repeats_total, (unsigned)i, (int64_t)sinks[i]->repeats);
    }
}

enum rf_status rf_pipeline_step(struct rf_pipeline *pipeline, struct rf_batch *batch, int64_t now_ms, struct rf_error *err) {
    enum rf_status status = RF_OK;
    if (batch && !batch->is_folded) {
        status = fold(pipeline, batch, err);
        batch->is_folded = true;
    }
    if (batch && !status && pipeline->checkpoint) {
        status = rf_checkpoint_rewind(pipeline->checkpoint, pipeline, err);
    }
    if (!status) {
        status = attend(pipeline, now_ms, err);
    }
    if (batch && !status) {
        status = hand_over(pipeline, batch, err);
    }
    if (!status && pipeline->checkpoint) {
        status = rf_checkpoint_step(pipeline->checkpoint, pipeline, now_ms, err);
    }
    tell_metrics(pipeline);
    return status;
}

enum rf_status rf_pipeline_settle(struct rf_pipeline *pipeline, int timeout_ms, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        enum rf_status status = rf_sink_settle(sinks[i], timeout_ms, err);
        if (status == RF_AGAIN) {
            return rf_fail(err, RF_IO, "sink %s has not confirmed all that it was given", sinks[i]->label);
        }
        if (status) {
            return status;
        }
    }
    return RF_OK;
}
