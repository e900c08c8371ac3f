#ifndef RF_OPS_ASSEMBLY_H
#define RF_OPS_ASSEMBLY_H
// From settings to the parts of a model: the one place that knows which setting goes into which part.
#include "ops/folder.h"
#include "ops/pipeline.h"
#include "ops/schema_folder.h"
#include "ops/settings.h"
#include "sinks/outbox.h"

// A model read from a settings file, ready to be run or looked at. Everything in it is owned and freed by finish().
struct rf_assembly {
    struct rf_settings settings;
    struct rf_decoder_options decoder;
    struct rf_text avro_schema;      // its bytes, owned; data NULL: none
    struct rf_text descriptors;      // of protobuf messages, owned; data NULL: none
    char *specification;             // canonical text
    double holdout_from, holdout_to; // as the settings say, unless changed before the pipeline is made
    struct rf_log log;
    struct rf_pairs kafka; // the settings' own, with what Riffle adds
    struct rf_disk *disk;
    struct rf_folder folder; // open when has_folder
    struct rf_schema_folder schemas;
    struct rf_registry *registry; // NULL: none
    struct rf_outbox outbox;      // of Kafka sinks in a fleet
    char fleet_topic[250], fleet_snapshots[250], nonce[16];
    bool has_settings, has_log, has_folder;
};

// Reads and checks the settings.
enum rf_status rf_assembly_init(const char *path, const char *const *sets, size_t set_count, struct rf_assembly *assembly_out,
                                struct rf_error *err) RF_MUST_USE;
void rf_assembly_finish(struct rf_assembly *assembly);

// The fold alone: nothing is read, sent or saved. `columns` stands in for source.columns where those are empty (a CSV file's
// own header); it is borrowed for the pipeline's life.
enum rf_status rf_assembly_pipeline(struct rf_assembly *assembly, const struct rf_texts *columns,
                                    struct rf_pipeline **pipeline_out, struct rf_error *err) RF_MUST_USE;

// The source that the settings name. For a CSV file with a header line, `columns_out` gets its columns (to be freed by
// rf_assembly_columns_finish); else it is empty.
enum rf_status rf_assembly_source(struct rf_assembly *assembly, bool until_end, struct rf_source **source_out,
                                  struct rf_texts *columns_out, struct rf_error *err) RF_MUST_USE;

// The same of files alone: those of the history, then source.file; there must be one. Nobody asks Kafka.
enum rf_status rf_assembly_files(struct rf_assembly *assembly, struct rf_source **source_out, struct rf_texts *columns_out,
                                 struct rf_error *err) RF_MUST_USE;

// One file that the settings do not name, in their format.
enum rf_status rf_assembly_file(struct rf_assembly *assembly, const char *path, struct rf_source **source_out,
                                struct rf_texts *columns_out, struct rf_error *err) RF_MUST_USE;
void rf_assembly_columns_finish(struct rf_texts *columns);

// Adds the sinks of predictions and of rejected records to the pipeline.
enum rf_status rf_assembly_sinks(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_error *err) RF_MUST_USE;

// Opens the state folder (made if need be, locked) and gives the pipeline its checkpoint.
enum rf_status rf_assembly_state(struct rf_assembly *assembly, struct rf_pipeline *pipeline, struct rf_error *err) RF_MUST_USE;

// Asks the schema registry, if there is one, whether it is there and takes the credentials. RF_INVALID: it does not; RF_IO: it is
// away; both in words.
enum rf_status rf_assembly_ask_registry(struct rf_assembly *assembly, struct rf_error *err) RF_MUST_USE;

// The digest of what the pipeline has learned under these settings; not while a snapshot is under way.
void rf_assembly_model_sha256(const struct rf_assembly *assembly, struct rf_pipeline *pipeline,
                              uint8_t digest_out[RF_SHA256_SIZE]);

// Names the broker: the embedded one puts its own address in place of the word.
enum rf_status rf_assembly_set_bootstrap(struct rf_assembly *assembly, const char *servers, struct rf_error *err) RF_MUST_USE;

#endif
