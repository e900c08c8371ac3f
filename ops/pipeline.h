#ifndef RF_OPS_PIPELINE_H
#define RF_OPS_PIPELINE_H
// The flow of one model, as code: records in, predictions and snapshots out. It knows no threads, no Kafka and no clock:
// whoever drives it (ops/worker with threads, `evaluate` and the simulation without) hands in batches and the time.
#include "ingest/decoder.h"
#include "learners/evaluation.h"
#include "learners/learner.h"
#include "ops/batch.h"
#include "ops/metrics.h"
#include "ops/schedule.h"
#include "sinks/sink.h"

struct rf_pipeline;
enum { RF_PIPELINE_SINKS_MAX = 16 }; // of predictions, beside the one of rejected records
struct rf_checkpoint;
struct rf_growth;

struct rf_pipeline_options {
    const char *name;
    uint64_t seed;
    const struct rf_feature_options *features;
    const struct rf_decoder_kind *format;
    const struct rf_decoder_options *decoder;
    const struct rf_variant_value *learner;
    size_t batch_records;
    size_t batch_bytes;
    bool use_baseline_kernels;
    size_t window;                   // of the evaluation, in records; 0: none
    double holdout_from, holdout_to; // which records are never learned, see ops/holdout.h
};

// Makes a model that has learned nothing. Options are borrowed until the pipeline is destroyed.
enum rf_status rf_pipeline_create(const struct rf_pipeline_options *options, struct rf_pipeline **pipeline_out,
                                  struct rf_error *err) RF_MUST_USE;
void rf_pipeline_destroy(struct rf_pipeline *pipeline);

// What stands around the fold; each is owned by the pipeline from here on, also when the call fails. All are optional.
enum rf_status rf_pipeline_add_sink(struct rf_pipeline *pipeline, struct rf_sink *sink, struct rf_error *err) RF_MUST_USE;
void rf_pipeline_set_rejected(struct rf_pipeline *pipeline, struct rf_sink *sink);
void rf_pipeline_set_schedule(struct rf_pipeline *pipeline, struct rf_schedule *schedule);
void rf_pipeline_set_checkpoint(struct rf_pipeline *pipeline, struct rf_checkpoint *checkpoint);
void rf_pipeline_set_growth(struct rf_pipeline *pipeline, struct rf_growth *growth); // borrowed; of a worker in a fleet

// A batch and a decoder that fit this pipeline. A decoder serves one thread.
enum rf_status rf_pipeline_batch(const struct rf_pipeline *pipeline, struct rf_batch **batch_out,
                                 struct rf_error *err) RF_MUST_USE;
enum rf_status rf_pipeline_decoder(const struct rf_pipeline *pipeline, struct rf_decoder **decoder_out,
                                   struct rf_error *err) RF_MUST_USE;

// Sees to it that all records of the batch can be decoded by this decoder: what that needs from outside (schemas) is fetched, for
// at most wait_ms. To be called until it is RF_OK, before a batch is prepared. RF_AGAIN, and anything else: as
// rf_decoder_resolve() has it.
enum rf_status rf_pipeline_resolve(struct rf_decoder *decoder, struct rf_batch *batch, int64_t now_ms, int wait_ms,
                                   struct rf_error *err) RF_MUST_USE;

// The pure part: decodes the batch's records into examples and rejects. Any thread, one batch and decoder each. A batch that
// runs out of room is cut: prepare and step it again until batch->end reaches the count of its records.
void rf_pipeline_prepare(const struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch);

// The fold: scores and learns a prepared batch, records the order, hands predictions and rejects to the sinks, and takes
// snapshots that are due at `now_ms`. A batch of NULL only does what is due. RF_AGAIN: a sink has no room now; call again
// with the same batch. Anything else but RF_OK ends the pipeline, in words.
enum rf_status rf_pipeline_step(struct rf_pipeline *pipeline, struct rf_batch *batch, int64_t now_ms,
                                struct rf_error *err) RF_MUST_USE;

// The label of the sink that had no room for the rest of a folded batch.
const char *rf_pipeline_full_sink(const struct rf_pipeline *pipeline, const struct rf_batch *batch);

// From here on records are predicted and evaluated apart (rf_pipeline_test), and neither learned nor part of any other figure.
enum rf_status rf_pipeline_begin_test(struct rf_pipeline *pipeline, struct rf_error *err) RF_MUST_USE;

// Once a pipeline is drained: waits until the sinks have confirmed all, at most timeout_ms each.
enum rf_status rf_pipeline_settle(struct rf_pipeline *pipeline, int timeout_ms, struct rf_error *err) RF_MUST_USE;

// What drivers and snapshots need to see. Everything is borrowed and belongs to the fold thread.
struct rf_pipeline_counts {
    uint64_t records; // applied, rejected ones included
    uint64_t learned;
    uint64_t rejected;
    uint64_t duplicates; // delivered again and dropped
    uint64_t rejected_by[RF_REASON_COUNT];
};
// The record rejected last, as "topic [partition] offset: reason: detail"; "" when none was. Good until the next step.
const char *rf_pipeline_last_reject(const struct rf_pipeline *pipeline);

const struct rf_pipeline_counts *rf_pipeline_counts(const struct rf_pipeline *pipeline);
struct rf_positions *rf_pipeline_positions(struct rf_pipeline *pipeline);
struct rf_state *rf_pipeline_state(struct rf_pipeline *pipeline);
struct rf_learner *rf_pipeline_learner(struct rf_pipeline *pipeline);
struct rf_evaluation *rf_pipeline_evaluation(struct rf_pipeline *pipeline); // of the records learned
struct rf_evaluation *rf_pipeline_holdout(struct rf_pipeline *pipeline);    // of those held out; NULL: none are
struct rf_evaluation *rf_pipeline_test(struct rf_pipeline *pipeline);       // of those folded since the test began; NULL: none
struct rf_schedule *rf_pipeline_schedule(struct rf_pipeline *pipeline);
struct rf_checkpoint *rf_pipeline_checkpoint(struct rf_pipeline *pipeline);
const struct rf_schema *rf_pipeline_schema(const struct rf_pipeline *pipeline);
struct rf_metrics *rf_pipeline_metrics(struct rf_pipeline *pipeline);
const char *rf_pipeline_name(const struct rf_pipeline *pipeline);
size_t rf_pipeline_batch_bytes(const struct rf_pipeline *pipeline); // of record values wanted in a batch

struct rf_sink *const *rf_pipeline_sinks(const struct rf_pipeline *pipeline, size_t *count_out); // the rejected one included

// The version of the next prediction. A new base begins when a snapshot is in place (ops/checkpoint).
struct rf_version rf_pipeline_version(const struct rf_pipeline *pipeline);
void rf_pipeline_set_version(struct rf_pipeline *pipeline, struct rf_version version);

// Puts a restored snapshot's counts in place.
void rf_pipeline_set_counts(struct rf_pipeline *pipeline, uint64_t records, uint64_t learned, uint64_t rejected);

#endif
