#ifndef RF_OPS_REBUILD_H
#define RF_OPS_REBUILD_H
// A replay from a settings file, up to its point, for the verbs: with its parts, and how it goes on told on standard error.
#include "ops/assembly.h"
#include "ops/replay.h"

struct rf_rebuild {
    struct rf_assembly assembly;
    struct rf_texts columns;
    struct rf_replay *replay;
    double seconds; // it took
};

struct rf_rebuild_options {
    const char *verb; // for what is told
    const char *path; // of the settings
    const char *const *sets;
    size_t set_count;
    struct rf_point point;
    uint64_t line; // 0: that of the newest snapshot
};

// Finish it when RF_OK only.
enum rf_status rf_rebuild_init(const struct rf_rebuild_options *options, struct rf_rebuild *rebuild_out,
                               struct rf_error *err) RF_MUST_USE;
void rf_rebuild_finish(struct rf_rebuild *rebuild);

#endif
