#ifndef RF_OPS_METRICS_H
#define RF_OPS_METRICS_H
// How the program fares. One table names every metric (type, unit in the name, help, label), by the rules of Prometheus;
// each pipeline has its own values. Written by the threads that own the numbers, read by any: atomics, no locks.
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum rf_metric_type { RF_COUNTER, RF_GAUGE };

// name, type, label ("" for none), help
#define RF_METRIC_LIST(X)                                                                                        \
    X(records_total, RF_COUNTER, "", "records applied, rejected ones included")                                  \
    X(record_bytes_total, RF_COUNTER, "", "bytes of record values polled")                                       \
    X(learned_total, RF_COUNTER, "", "examples learned")                                                         \
    X(predictions_total, RF_COUNTER, "", "predictions made")                                                     \
    X(rejected_total, RF_COUNTER, "reason", "records rejected")                                                  \
    X(duplicates_total, RF_COUNTER, "", "records delivered again and dropped")                                   \
    X(skipped_steps_total, RF_COUNTER, "", "steps not taken because they would have made state non-finite")      \
    X(bounded_steps_total, RF_COUNTER, "", "examples learned by a gradient that was cut to its bound")           \
    X(unscaled_total, RF_COUNTER, "", "numbers left out for want of room in the scaler")                         \
    X(uncrossed_total, RF_COUNTER, "", "crosses left out for want of room")                                      \
    X(unencoded_total, RF_COUNTER, "", "labels of categories left out for want of room in the encoder")          \
    X(collided_inputs_ppm, RF_GAUGE, "", "of a million inputs, those that found another feature's row")          \
    X(used_rows_ppm, RF_GAUGE, "", "of a million rows of the hashed table, those that any feature met")          \
    X(sink_published_total, RF_COUNTER, "sink", "predictions or rejected records handed to a sink")              \
    X(sink_waits_total, RF_COUNTER, "sink", "times a sink had no room")                                          \
    X(sink_gaps_total, RF_COUNTER, "sink", "times a subscriber without room began to miss batches")              \
    X(sink_repeats_total, RF_COUNTER, "sink", "batches sent again, as a reader went away before it confirmed")   \
    X(source_waits_total, RF_COUNTER, "", "times the source paused, as all batches were in the fold's hands")    \
    X(lag_records, RF_GAUGE, "", "records in the topics that were not polled yet, over all partitions")          \
    X(snapshots_total, RF_COUNTER, "", "snapshots put in place")                                                 \
    X(snapshot_failures_total, RF_COUNTER, "", "snapshots that could not be written")                            \
    X(snapshot_bytes, RF_GAUGE, "", "size of the newest snapshot")                                               \
    X(snapshot_timestamp_seconds, RF_GAUGE, "", "Unix time of the newest snapshot")                              \
    X(offsets_lost_total, RF_COUNTER, "", "positions that the log did not hold any more and that were moved")    \
    X(fleet_deltas, RF_GAUGE, "", "deltas of the fleet in the base of this worker")                              \
    X(fleet_void_deltas, RF_GAUGE, "", "deltas in the log that do not count")                                    \
    X(fleet_dropped_total, RF_COUNTER, "", "records whose learning was dropped as it did not come into the log") \
    X(ring_batches, RF_GAUGE, "", "batches between source and fold")

enum rf_metric {
#define RF_METRIC_MEMBER(name, type, label, help) RF_METRIC_##name,
    RF_METRIC_LIST(RF_METRIC_MEMBER)
#undef RF_METRIC_MEMBER
            RF_METRIC_COUNT
};

struct rf_metric_row {
    const char *name; // without the prefix "riffle_"
    enum rf_metric_type type;
    const char *label; // its name, or ""
    const char *help;
};
extern const struct rf_metric_row rf_metric_rows[RF_METRIC_COUNT];

enum { RF_METRIC_LABELS_MAX = 32 }; // values of one label

struct rf_metrics {
    _Atomic int64_t value[RF_METRIC_COUNT][RF_METRIC_LABELS_MAX];
    const char *label[RF_METRIC_COUNT][RF_METRIC_LABELS_MAX]; // set in setup; NULL: unused
};

// Gives a label value its index; the text is borrowed. Setup only. Beyond the maximum the last index is shared.
unsigned rf_metrics_label(struct rf_metrics *metrics, enum rf_metric metric, unsigned index, const char *text);

static inline void rf_metrics_set(struct rf_metrics *metrics, enum rf_metric metric, unsigned label, int64_t value) {
    atomic_store_explicit(&metrics->value[metric][label], value, memory_order_relaxed);
}
static inline void rf_metrics_add(struct rf_metrics *metrics, enum rf_metric metric, unsigned label, int64_t value) {
    atomic_fetch_add_explicit(&metrics->value[metric][label], value, memory_order_relaxed);
}
static inline int64_t rf_metrics_get(const struct rf_metrics *metrics, enum rf_metric metric, unsigned label) {
    return atomic_load_explicit(&metrics->value[metric][label], memory_order_relaxed);
}

// Writes all in the Prometheus text format, with the label model="...".
void rf_metrics_write(const struct rf_metrics *metrics, const char *model, FILE *to);

#endif
