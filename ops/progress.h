#ifndef RF_OPS_PROGRESS_H
#define RF_OPS_PROGRESS_H
#include "ops/log.h"
#include "ops/worker.h"

// How a run goes on, for people: a line on standard output every second, or a line in the log every so many seconds.
struct rf_progress {
    const char *model; // its name, borrowed
    bool is_shown;     // on standard output
    int64_t every_ms;
    struct rf_log *log;
    int64_t told_ms;
    uint64_t told_records;
    bool has_head;
};

// `resumed`: records that an earlier run applied.
void rf_progress_init(struct rf_progress *progress, const char *model, bool is_shown, double log_seconds, struct rf_log *log,
                      uint64_t resumed);
void rf_progress_tell(struct rf_progress *progress, const struct rf_worker_report *report);

#endif
