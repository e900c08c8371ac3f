#ifndef RF_OPS_SETTINGS_H
#define RF_OPS_SETTINGS_H
// The settings of one model and its worker: the top-level table, and what must hold between settings.
#include "ingest/decoder.h"
#include "ingest/registry.h"
#include "ingest/schema.h"
#include "ingest/source.h"
#include "ops/log.h"
#include "proto/setting.h"
#include "proto/status.h"
#include "sinks/clone.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stdio.h>

enum rf_order { RF_ORDER_ARRIVAL, RF_ORDER_TIMESTAMP };
enum rf_offset_lost { RF_OFFSET_LOST_FAIL, RF_OFFSET_LOST_EARLIEST, RF_OFFSET_LOST_LATEST };
enum rf_kernels { RF_KERNELS_AUTO, RF_KERNELS_BASELINE };

// Learned before the source proper: the files in their order, then the topics.
struct rf_settings_history {
    struct rf_texts files;
    struct rf_texts topics;
};

// What format avro needs to know.
struct rf_settings_avro {
    char *schema; // path of a file; NULL: none
};

// Where messages of the user's own are described; neither: records are riffle.v1.Example.
struct rf_settings_protobuf {
    char *descriptors; // path of a file
    char *message;
};

struct rf_settings_source {
    struct rf_texts topics; // exactly one of topics and file is given
    char *file;
    struct rf_settings_history history;
    int format;  // see rf_settings_decoder()
    int framing; // enum rf_framing
    struct rf_registry_options registry;
    char *start;
    int order; // enum rf_order
    double order_idle_seconds;
    int on_offset_lost; // enum rf_offset_lost
    struct rf_texts columns;
    char *delimiter;           // one character, or tab
    struct rf_csv_options csv; // see rf_settings.dialect
    struct rf_pairs fields;
    int envelope; // enum rf_envelope
    struct rf_settings_protobuf protobuf;
    bool numeric_texts;
    struct rf_settings_avro avro;
    struct rf_decode_limits limits;
};

struct rf_settings_embedded {
    char *stream;
    uint64_t records; // 0: no end
    uint64_t partitions;
    uint64_t seed;
};

struct rf_settings_every {
    uint64_t records; // 0: never by records
    double seconds;   // 0: never by time
};

struct rf_settings_snapshots {
    char *directory;
    struct rf_settings_every every;
    uint64_t keep, keep_hours, keep_days;
    struct rf_clone_options clone;
};

struct rf_settings_deltas {
    uint64_t records, bytes;
    double seconds;
};

struct rf_settings_fleet_snapshots {
    char *topic; // NULL: <name>.snapshots
    uint64_t deltas, keep;
    double seconds;
    bool forget;
};

struct rf_settings_fleet {
    bool shared;
    char *topic; // NULL: <name>.deltas
    uint64_t replication;
    struct rf_settings_deltas deltas;
    struct rf_settings_fleet_snapshots snapshots;
    double drain_seconds, transaction_seconds;
};

struct rf_settings_evaluation {
    uint64_t window; // records; 0: none
    double holdout;  // share of the records
};

struct rf_settings_worker {
    int log;       // enum rf_log_format
    int log_level; // enum rf_log_level
    uint64_t batch_records;
    uint64_t batch_bytes;
    uint64_t batches; // in flight between the threads
    double shutdown_seconds;
    double progress_seconds; // 0: never
    int kernels;             // enum rf_kernels
};

struct rf_settings {
    char *name;
    uint64_t seed;
    struct rf_pairs kafka;
    struct rf_settings_source source;
    struct rf_settings_embedded embedded; // counts only when is_embedded
    struct rf_rejected_options rejected;
    struct rf_feature_options features;
    struct rf_variant_value learner;
    struct rf_settings_evaluation evaluation;
    struct rf_settings_snapshots snapshots;
    struct rf_settings_fleet fleet;
    struct rf_variant_values sinks;
    struct rf_settings_worker worker;

    // Derived.
    struct rf_csv_dialect dialect; // of source.delimiter and source.csv
    bool is_embedded;              // bootstrap.servers is "embedded": a broker inside this process
    enum rf_start start;
    int64_t start_time_ms; // RF_START_TIME
};

extern const struct rf_setting rf_settings_table[];

// Reads and checks a file with `sets` laid over it (see ops/config.h). `settings_out` needs no preparation; finish it
// only when RF_OK.
enum rf_status rf_settings_load(const char *path, const char *const *sets, size_t set_count, struct rf_settings *settings_out,
                                struct rf_error *err) RF_MUST_USE;

// The same from memory; `name` stands for the path in sentences.
enum rf_status rf_settings_read(const char *name, struct rf_text text, const char *const *sets, size_t set_count,
                                struct rf_settings *settings_out, struct rf_error *err) RF_MUST_USE;
void rf_settings_finish(struct rf_settings *settings);

const struct rf_decoder_kind *rf_settings_decoder(const struct rf_settings *settings);
const struct rf_decoder_kind *rf_settings_file_format(const struct rf_settings *settings); // json where an envelope is around
const char *rf_settings_kafka(const struct rf_settings *settings, const char *name);       // NULL when it is not set

// docs/SETTINGS.md, whole.
void rf_settings_markdown(FILE *file);

#endif
