// A pipeline's parts: how they are made, put together, shown and freed.
#include "ops/pipeline.h"

#include "ingest/feature.h"
#include "learners/loss.h"
#include "ops/checkpoint.h"
#include "ops/config_internal.h"
#include "ops/pipeline_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// The quantile that the learner's loss predicts; 0 when that is another loss.
static double quantile_of(const struct rf_variant_value *learner) {
    const struct rf_setting *row = rf_setting_find(learner->kind->settings, "loss", strlen("loss"));
    if (!row || row->type != RF_TYPE_VARIANT) {
        return 0;
    }
    const struct rf_variant_value *loss = (const void *)((const char *)learner->options + row->offset);
    bool is_quantile = loss->kind && loss->kind->registration == &rf_loss_quantile;
    return is_quantile ? ((const struct rf_loss_quantile_options *)loss->options)->tau : 0;
}

static enum rf_status make_evaluation(const struct rf_pipeline *pipeline, const char *name, enum rf_purpose purpose,
                                      size_t window, struct rf_evaluation **evaluation_out, struct rf_error *err) {
    const struct rf_learner *learner = pipeline->learner;
    const struct rf_evaluation_options options = {
            .name = name,
            .task = learner->task,
            .outputs = learner->outputs,
            .is_margin = learner->is_margin,
            .quantile = quantile_of(pipeline->options.learner),
            .window = window,
            .purpose = purpose,
    };
    return rf_evaluation_create(&options, evaluation_out, err);
}

// The held out ones are evaluated by an evaluation of their own.
static enum rf_status make_evaluations(struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_pipeline_options *options = &pipeline->options;
    enum rf_status status = make_evaluation(pipeline, "evaluation", RF_EVALUATE, options->window, &pipeline->evaluation, err);
    if (status) {
        return status;
    }
    rf_evaluation_state(pipeline->evaluation, &pipeline->state);
    pipeline->holdout = rf_holdout_of(options->seed, options->holdout_from, options->holdout_to);
    if (rf_holdout_is_empty(&pipeline->holdout)) {
        return RF_OK;
    }
    status = make_evaluation(pipeline, "holdout", RF_HOLD_OUT, 0, &pipeline->held_out, err);
    if (!status) {
        rf_evaluation_state(pipeline->held_out, &pipeline->state);
    }
    return status;
}

enum rf_status rf_pipeline_begin_test(struct rf_pipeline *pipeline, struct rf_error *err) {
    rf_evaluation_destroy(pipeline->test);
    pipeline->test = NULL;
    return make_evaluation(pipeline, "test", RF_HOLD_OUT, 0, &pipeline->test, err);
}

// Of one example: what the learner has room for, and no batch goes beyond.
static size_t features_max(const struct rf_pipeline *pipeline) {
    return rf_schema_features_max(pipeline->schema, rf_decoder_fields_max(pipeline->options.decoder, pipeline->schema));
}

static enum rf_status make_learner(struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_pipeline_options *options = &pipeline->options;
    uint32_t classes;
    const char *const *names = rf_schema_classes(pipeline->schema, &classes);
    struct rf_learner_context context = {
            .classes = names ? classes : 0,
            .class_names = names,
            .features_max = features_max(pipeline),
            .field_names = rf_schema_names(pipeline->schema),
            .field_count = rf_schema_count(pipeline->schema),
            .vector_size = rf_schema_rules(pipeline->schema)->vector_size,
            .crosses_like_vowpal = rf_schema_hashing(pipeline->schema) == RF_HASHING_VOWPAL,
            .use_baseline_kernels = options->use_baseline_kernels,
    };
    context.crosses = rf_schema_crosses(pipeline->schema, &context.cross_count);
    enum rf_status status = rf_learner_create(options->learner, &context, &pipeline->learner, err);
    if (status) {
        return status;
    }
    const struct rf_learner *learner = pipeline->learner;
    if (names && (learner->task == RF_TASK_REGRESSION || (learner->task == RF_TASK_BINARY && classes != 2))) {
        return rf_fail(err, RF_INVALID, "features.classes names %" PRIu32 " classes, but the learner's loss is for %s", classes,
                       learner->task == RF_TASK_BINARY ? "2" : "numbers");
    }
    rf_learner_state(pipeline->learner, &pipeline->state);
    return make_evaluations(pipeline, err);
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
    rf_evaluation_destroy(pipeline->held_out);
    rf_evaluation_destroy(pipeline->test);
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
        rf_metrics_label(&pipeline->metrics, RF_METRIC_sink_gaps_total, (unsigned)i, sinks[i]->label);
        rf_metrics_label(&pipeline->metrics, RF_METRIC_sink_repeats_total, (unsigned)i, sinks[i]->label);
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
    if (pipeline->sink_count == RF_PIPELINE_SINKS_MAX) {
        rf_sink_destroy(sink);
        return rf_fail(err, RF_INVALID, "there are more than %d sinks, at most %d are taken", RF_PIPELINE_SINKS_MAX,
                       RF_PIPELINE_SINKS_MAX);
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

void rf_pipeline_set_growth(struct rf_pipeline *pipeline, struct rf_growth *growth) {
    pipeline->growth = growth;
}

void rf_pipeline_set_checkpoint(struct rf_pipeline *pipeline, struct rf_checkpoint *checkpoint) {
    pipeline->checkpoint = checkpoint;
}

enum rf_status rf_pipeline_batch(const struct rf_pipeline *pipeline, struct rf_batch **batch_out, struct rf_error *err) {
    size_t vector_size = rf_schema_rules(pipeline->schema)->vector_size;
    struct rf_batch_limits limits = {
            .records = rf_batch_records(pipeline->options.batch_records, vector_size),
            .bytes = pipeline->options.batch_bytes,
            .record_bytes = (size_t)pipeline->options.decoder->limits.record_bytes,
            .features_max = features_max(pipeline),
            .vector_size = vector_size,
            .outputs = pipeline->learner->outputs,
            .with_headers = rf_decoder_wants_headers(pipeline->options.decoder),
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
    return rf_decoder_create(pipeline->options.format, pipeline->schema, pipeline->options.decoder, decoder_out, err);
}

// What others need to see.

const struct rf_pipeline_counts *rf_pipeline_counts(const struct rf_pipeline *pipeline) {
    return &pipeline->counts;
}

const char *rf_pipeline_last_reject(const struct rf_pipeline *pipeline) {
    return pipeline->last_reject;
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

struct rf_evaluation *rf_pipeline_holdout(struct rf_pipeline *pipeline) {
    return pipeline->held_out;
}

struct rf_evaluation *rf_pipeline_test(struct rf_pipeline *pipeline) {
    return pipeline->test;
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
    pipeline->resumed = pipeline->counts;
}
