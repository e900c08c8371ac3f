#include "ops/pipeline.h"

#include "ingest/feature.h"
#include "ops/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SINKS_MAX = 16 };

struct rf_pipeline {
    const struct rf_pipeline_options options;
    struct rf_schema *schema;
    struct rf_learner *learner;
    struct rf_evaluation *evaluation;
    struct rf_state state;
    struct rf_positions positions;
    struct rf_pipeline_counts counts;
    struct rf_version version;
    uint64_t sequence; // of the last batch folded

    struct rf_schedule *schedule;         // NULL: the order is not recorded
    struct rf_checkpoint *checkpoint;     // NULL: nothing is saved
    struct rf_sink *sinks[SINKS_MAX + 1]; // of predictions, then the rejected one
    size_t sink_count;
    struct rf_sink *rejected; // NULL: rejects are only counted

    struct rf_run *runs; // [batch_records] of the batch being folded
    struct rf_metrics metrics;
};

// The pure part.

static void reject(struct rf_batch *batch, const struct rf_record *record, const struct rf_decode_error *error) {
    assert(batch->rejects.count < batch->rejects.capacity);
    struct rf_reject *to = &batch->rejects.list[batch->rejects.count++];
    to->reason = error->reason;
    to->record = *record;
    memcpy(to->detail, error->detail, sizeof to->detail);
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
            if (!is_new) {
                examples->purpose[example] = 0;
            }
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
    pipeline->counts.learned += pipeline->learner->learned - learned;

    if (pipeline->schedule && runs) {
        return rf_schedule_append(pipeline->schedule, &pipeline->positions, pipeline->runs, runs, err);
    }
    return RF_OK;
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

static void tell_metrics(struct rf_pipeline *pipeline) {
    struct rf_metrics *metrics = &pipeline->metrics;
    const struct rf_pipeline_counts *counts = &pipeline->counts;
    rf_metrics_set(metrics, RF_METRIC_records_total, 0, (int64_t)counts->records);
    rf_metrics_set(metrics, RF_METRIC_learned_total, 0, (int64_t)counts->learned);
    rf_metrics_set(metrics, RF_METRIC_predictions_total, 0, (int64_t)(counts->records - counts->rejected));
    rf_metrics_set(metrics, RF_METRIC_duplicates_total, 0, (int64_t)counts->duplicates);
    rf_metrics_set(metrics, RF_METRIC_skipped_steps_total, 0, (int64_t)pipeline->learner->skipped_steps);
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        rf_metrics_set(metrics, RF_METRIC_rejected_total, reason, (int64_t)counts->rejected_by[reason]);
    }
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        rf_metrics_set(metrics, RF_METRIC_sink_published_total, (unsigned)i, (int64_t)sinks[i]->published);
        rf_metrics_set(metrics, RF_METRIC_sink_waits_total, (unsigned)i, (int64_t)sinks[i]->waits);
    }
}

enum rf_status rf_pipeline_step(struct rf_pipeline *pipeline, struct rf_batch *batch, int64_t now_ms, struct rf_error *err) {
    if (batch && !batch->is_folded) {
        enum rf_status status = fold(pipeline, batch, err);
        if (status) {
            return status;
        }
        batch->is_folded = true;
        tell_metrics(pipeline);
    }
    if (batch) {
        enum rf_status status = hand_over(pipeline, batch, err);
        if (status) {
            return status;
        }
    }
    return pipeline->checkpoint ? rf_checkpoint_step(pipeline->checkpoint, pipeline, now_ms, err) : RF_OK;
}

enum rf_status rf_pipeline_settle(struct rf_pipeline *pipeline, int timeout_ms, struct rf_error *err) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        enum rf_status status = rf_sink_settle(sinks[i], timeout_ms, err);
        if (status == RF_AGAIN) {
            return rf_fail(err, RF_IO, "sink %s has not confirmed everything within %d ms", sinks[i]->label, timeout_ms);
        }
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

// Setup.

static enum rf_status make_learner(struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_pipeline_options *options = &pipeline->options;
    uint32_t classes;
    const char *const *names = rf_schema_classes(pipeline->schema, &classes);
    struct rf_learner_context context = {
            .seed = options->seed,
            .classes = names ? classes : 0,
            .examples_max = options->batch_records,
            .features_max = (size_t)options->decoder->limits.fields,
            .use_baseline_kernels = options->use_baseline_kernels,
    };
    enum rf_status status = rf_learner_create(options->learner, &context, &pipeline->learner, err);
    if (status) {
        return status;
    }
    const struct rf_learner *learner = pipeline->learner;
    if (names && (learner->task == RF_TASK_REGRESSION || (learner->task == RF_TASK_BINARY && classes != 2))) {
        return rf_fail(err, RF_INVALID, "features.classes names %" PRIu32 " classes, but the learner's loss is for %s", classes,
                       learner->task == RF_TASK_BINARY ? "2" : "numbers");
    }
    status = rf_evaluation_create(learner->task, learner->outputs, learner->is_margin, &pipeline->evaluation, err);
    if (status) {
        return status;
    }
    rf_learner_state(pipeline->learner, &pipeline->state);
    rf_evaluation_state(pipeline->evaluation, &pipeline->state);
    return RF_OK;
}

enum rf_status rf_pipeline_create(const struct rf_pipeline_options *options, struct rf_pipeline **pipeline_out,
                                  struct rf_error *err) {
    struct rf_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) {
        return rf_fail(err, RF_MEMORY, "pipeline: out of memory");
    }
    memcpy((void *)&pipeline->options, options, sizeof *options);
    rf_state_init(&pipeline->state);
    rf_positions_init(&pipeline->positions);
    pipeline->version.line = 1;
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        rf_metrics_label(&pipeline->metrics, RF_METRIC_rejected_total, reason, rf_reason_word(reason));
    }
    enum rf_status status = rf_schema_create(options->features, rf_hash_key_of_seed(options->seed), &pipeline->schema, err);
    if (!status) {
        status = make_learner(pipeline, err);
    }
    if (!status) {
        pipeline->runs = calloc(options->batch_records, sizeof *pipeline->runs);
        status = pipeline->runs ? RF_OK : rf_fail(err, RF_MEMORY, "pipeline: out of memory");
    }
    if (status) {
        rf_pipeline_destroy(pipeline);
        return status;
    }
    *pipeline_out = pipeline;
    return RF_OK;
}

void rf_pipeline_destroy(struct rf_pipeline *pipeline) {
    if (!pipeline) {
        return;
    }
    rf_checkpoint_destroy(pipeline->checkpoint);
    rf_schedule_close(pipeline->schedule);
    for (size_t i = 0; i < pipeline->sink_count; i++) {
        rf_sink_destroy(pipeline->sinks[i]);
    }
    rf_sink_destroy(pipeline->rejected);
    rf_evaluation_destroy(pipeline->evaluation);
    rf_learner_destroy(pipeline->learner);
    rf_schema_destroy(pipeline->schema);
    rf_positions_finish(&pipeline->positions);
    rf_state_finish(&pipeline->state);
    free(pipeline->runs);
    free(pipeline);
}

static void label_sinks(struct rf_pipeline *pipeline) {
    size_t count;
    struct rf_sink *const *sinks = rf_pipeline_sinks(pipeline, &count);
    for (size_t i = 0; i < count; i++) {
        rf_metrics_label(&pipeline->metrics, RF_METRIC_sink_published_total, (unsigned)i, sinks[i]->label);
        rf_metrics_label(&pipeline->metrics, RF_METRIC_sink_waits_total, (unsigned)i, sinks[i]->label);
    }
}

enum rf_status rf_pipeline_add_sink(struct rf_pipeline *pipeline, struct rf_sink *sink, struct rf_error *err) {
    for (size_t i = 0; i < pipeline->sink_count; i++) {
        if (strcmp(pipeline->sinks[i]->label, sink->label) == 0) {
            rf_fail(err, RF_INVALID, "sink %s stands twice, each may stand once", sink->label);
            rf_sink_destroy(sink);
            return RF_INVALID;
        }
    }
    if (pipeline->sink_count == SINKS_MAX) {
        rf_sink_destroy(sink);
        return rf_fail(err, RF_INVALID, "there are more than %d sinks, at most %d are taken", SINKS_MAX, SINKS_MAX);
    }
    pipeline->sinks[pipeline->sink_count++] = sink;
    pipeline->sinks[pipeline->sink_count] = pipeline->rejected;
    label_sinks(pipeline);
    return RF_OK;
}

void rf_pipeline_set_rejected(struct rf_pipeline *pipeline, struct rf_sink *sink) {
    assert(!pipeline->rejected);
    pipeline->rejected = sink;
    pipeline->sinks[pipeline->sink_count] = sink;
    label_sinks(pipeline);
}

void rf_pipeline_set_schedule(struct rf_pipeline *pipeline, struct rf_schedule *schedule) {
    pipeline->schedule = schedule;
}

void rf_pipeline_set_checkpoint(struct rf_pipeline *pipeline, struct rf_checkpoint *checkpoint) {
    pipeline->checkpoint = checkpoint;
}

enum rf_status rf_pipeline_batch(const struct rf_pipeline *pipeline, struct rf_batch **batch_out, struct rf_error *err) {
    struct rf_batch_limits limits = {
            .records = pipeline->options.batch_records,
            .bytes = pipeline->options.batch_bytes,
            .record_bytes = (size_t)pipeline->options.decoder->limits.record_bytes,
            .outputs = pipeline->learner->outputs,
    };
    struct rf_batch *batch;
    enum rf_status status = rf_batch_create(&limits, &batch, err);
    if (status) {
        return status;
    }
    uint32_t classes;
    batch->predictions.model = pipeline->options.name;
    batch->predictions.positions = &pipeline->positions;
    batch->predictions.classes = rf_schema_classes(pipeline->schema, &classes);
    batch->predictions.task = pipeline->learner->task;
    batch->predictions.outputs = pipeline->learner->outputs;
    batch->predictions.is_margin = pipeline->learner->is_margin;
    batch->rejects.positions = &pipeline->positions;
    batch->rejects.model = pipeline->options.name;
    rf_feature_declare(pipeline->schema, &batch->examples);
    *batch_out = batch;
    return RF_OK;
}

enum rf_status rf_pipeline_decoder(const struct rf_pipeline *pipeline, struct rf_decoder **decoder_out, struct rf_error *err) {
    return pipeline->options.format->create(pipeline->schema, pipeline->options.decoder, decoder_out, err);
}

// What others need to see.

const struct rf_pipeline_counts *rf_pipeline_counts(const struct rf_pipeline *pipeline) {
    return &pipeline->counts;
}

struct rf_positions *rf_pipeline_positions(struct rf_pipeline *pipeline) {
    return &pipeline->positions;
}

struct rf_state *rf_pipeline_state(struct rf_pipeline *pipeline) {
    return &pipeline->state;
}

struct rf_learner *rf_pipeline_learner(struct rf_pipeline *pipeline) {
    return pipeline->learner;
}

struct rf_evaluation *rf_pipeline_evaluation(struct rf_pipeline *pipeline) {
    return pipeline->evaluation;
}

struct rf_schedule *rf_pipeline_schedule(struct rf_pipeline *pipeline) {
    return pipeline->schedule;
}

struct rf_checkpoint *rf_pipeline_checkpoint(struct rf_pipeline *pipeline) {
    return pipeline->checkpoint;
}

const struct rf_schema *rf_pipeline_schema(const struct rf_pipeline *pipeline) {
    return pipeline->schema;
}

struct rf_metrics *rf_pipeline_metrics(struct rf_pipeline *pipeline) {
    return &pipeline->metrics;
}

const char *rf_pipeline_name(const struct rf_pipeline *pipeline) {
    return pipeline->options.name;
}

size_t rf_pipeline_batch_bytes(const struct rf_pipeline *pipeline) {
    return pipeline->options.batch_bytes;
}

struct rf_sink *const *rf_pipeline_sinks(const struct rf_pipeline *pipeline, size_t *count_out) {
    *count_out = pipeline->sink_count + (pipeline->rejected != NULL);
    return pipeline->sinks;
}

struct rf_version rf_pipeline_version(const struct rf_pipeline *pipeline) {
    return pipeline->version;
}

void rf_pipeline_set_version(struct rf_pipeline *pipeline, struct rf_version version) {
    pipeline->version = version;
}

void rf_pipeline_set_counts(struct rf_pipeline *pipeline, uint64_t records, uint64_t learned, uint64_t rejected) {
    pipeline->counts.records = records;
    pipeline->counts.learned = learned;
    pipeline->counts.rejected = rejected;
    tell_metrics(pipeline);
}
