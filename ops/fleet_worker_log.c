// The log of deltas as a worker of a fleet reads it.
#include "ops/fleet_start.h"
#include "ops/fleet_worker_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rf_status rf_fleet_take_up(struct rf_fleet_worker *worker, struct rf_error *err) {
    const struct rf_fleet_start_options options = {.snapshots = worker->options.snapshots,
                                                   .deltas = worker->options.log_scan,
                                                   .clock = worker->options.clock,
                                                   .log = worker->options.log,
                                                   .replica = {.model = rf_pipeline_name(worker->pipeline),
                                                               .specification = worker->options.specification,
                                                               .settings = worker->options.settings,
                                                               .layers = worker->layers,
                                                               .worker = worker->options.worker}};
    struct rf_fleet_start start;
    enum rf_status status;
    int64_t begun_ms = rf_fleet_now_ms(worker);
    do { // a topic that was just made is not known to every broker yet
        status = rf_fleet_start_find(&options, &start, err);
        rf_fleet_sleep_ms(worker, status == RF_NOT_FOUND ? RF_FLEET_BACKOFF_MS : 0);
    } while (status == RF_NOT_FOUND && rf_fleet_now_ms(worker) - begun_ms < RF_FLEET_FOUNDING_MS);
    if (status) {
        return status;
    }
    worker->replica = start.replica;
    worker->resets = start.resets;
    worker->log_read.start = start.log_offset;
    worker->keeping.number = rf_replica_number(start.replica);
    worker->keeping.since_ms = rf_fleet_now_ms(worker);
    if (start.has_snapshot) {
        struct rf_version version = rf_pipeline_version(worker->pipeline);
        version.base = start.snapshot.number;
        version.line = start.snapshot.line;
        rf_pipeline_set_version(worker->pipeline, version);
        rf_log(worker->options.log, RF_LOG_INFO, "base taken up", rf_log_text("model", rf_pipeline_name(worker->pipeline)),
               rf_log_uint("number", start.snapshot.number), rf_log_text("of", start.snapshot.worker),
               rf_log_int("offset", start.log_offset));
    }
    return RF_OK;
}

bool rf_fleet_follows(const struct rf_fleet_worker *worker) {
    const struct rf_positions *applied = rf_replica_applied(worker->replica);
    const struct rf_positions *from = worker->is_frozen ? &worker->frozen_from : &worker->growth.from;
    for (size_t i = 0; i < from->count; i++) {
        const struct rf_position *by_log = rf_positions_find(applied, from->list[i].topic, from->list[i].partition);
        if (rf_fleet_holds(worker, i) && by_log && by_log->next_offset != from->list[i].next_offset) {
            return false;
        }
    }
    return true;
}

// Who has our group.instance.id in the log?
static enum rf_status note_join(struct rf_fleet_worker *worker, const struct rf_replica_news *news, struct rf_error *err) {
    char nonce[RF_FLEET_NONCE_SIZE];
    uint64_t sent = atomic_load(&worker->joins_sent);
    size_t own = strnlen(worker->options.nonce, 15);
    bool is_this_process = strncmp(news->nonce, worker->options.nonce, own) == 0 && news->nonce[own] == '-';
    if (!news->is_own || (!is_this_process && !worker->has_joined)) {
        return RF_OK;
    }
    if (!is_this_process) {
        return rf_fail(
                err, RF_BUSY,
                "another process has joined the fleet of model %s as %s (group.instance.id), which must be this one's alone: "
                "stop one of the two, or give it another name",
                rf_pipeline_name(worker->pipeline), news->worker);
    }
    snprintf(nonce, sizeof nonce, "%.15s-%" PRIu64, worker->options.nonce, sent);
    if (strcmp(nonce, news->nonce) != 0) { // an earlier one, of which no answer came
        return RF_OK;
    }
    if (!worker->has_joined) { // versions keep the first one of the process: `since` goes on too
        struct rf_version version = rf_pipeline_version(worker->pipeline);
        version.epoch = news->epoch;
        rf_pipeline_set_version(worker->pipeline, version);
    }
    worker->epoch = news->epoch;
    worker->join = sent;
    worker->has_joined = true;
    atomic_store(&worker->may_read, true);
    worker->awaits_join = false;
    if (worker->barrier == RF_FLEET_BARRIER_ASKED && sent > worker->barrier_join) {
        worker->barrier = RF_FLEET_BARRIER_READ;
    }
    worker->sequence = 0;
    if (worker->is_frozen) { // and did not get into the log before: it is sent again in this epoch
        worker->is_retry = true;
        rf_replica_expect(worker->replica, 0);
    }
    rf_log(worker->options.log, RF_LOG_INFO, "joined the fleet", rf_log_text("model", rf_pipeline_name(worker->pipeline)),
           rf_log_text("worker", news->worker), rf_log_uint("epoch", news->epoch));
    return RF_OK;
}

static void note_own(struct rf_fleet_worker *worker, const struct rf_replica_news *news, bool was_frozen) {
    worker->sequence = news->sequence > worker->sequence ? news->sequence : worker->sequence;
    if (!was_frozen || news->sequence != worker->frozen_sequence) {
        return;
    }
    if (news->event == RF_REPLICA_FOLDED) {
        rf_fleet_forget_frozen(worker);
    } else {
        worker->is_frozen_void = true;
    }
}

static void tell_void(struct rf_fleet_worker *worker, const struct rf_replica_news *news) {
    rf_log(worker->options.log, RF_LOG_ERROR, "a delta does not count", rf_log_text("model", rf_pipeline_name(worker->pipeline)),
           rf_log_text("worker", news->worker), rf_log_uint("epoch", news->epoch), rf_log_uint("sequence", news->sequence),
           rf_log_text("why", news->sentence));
}

static enum rf_status take(struct rf_fleet_worker *worker, const struct rf_record *record, struct rf_error *err) {
    struct rf_replica_news news;
    enum rf_status status = rf_replica_take(worker->replica, record->value, &news, err);
    if (status) {
        return status;
    }
    struct rf_version version = rf_pipeline_version(worker->pipeline);
    bool is_of_epoch = news.is_own && news.epoch == worker->epoch;
    if (news.event == RF_REPLICA_VOID) {
        tell_void(worker, &news);
    }
    if (is_of_epoch && (news.event == RF_REPLICA_FOLDED || news.event == RF_REPLICA_VOID)) {
        note_own(worker, &news, worker->is_frozen);
    } else if (news.event == RF_REPLICA_FOLDED) {
        rf_growth_add_delta(&worker->growth);
    }
    version.base = rf_replica_number(worker->replica);
    version.line = rf_replica_line(worker->replica);
    rf_pipeline_set_version(worker->pipeline, version);
    if (news.event == RF_REPLICA_FOLDED && !rf_fleet_follows(worker)) {
        worker->stale = "another worker has learned the same records";
    }
    return news.event == RF_REPLICA_JOINED ? note_join(worker, &news, err) : RF_OK;
}

enum rf_status rf_fleet_read_log(struct rf_fleet_worker *worker, struct rf_error *err) {
    int64_t now = rf_fleet_now_ms(worker);
    if (worker->log_read_ms && now - worker->log_read_ms < RF_FLEET_LOG_MS && now >= worker->log_read_ms && !worker->has_more) {
        return RF_OK;
    }
    worker->log_read_ms = now;
    enum rf_status status = rf_fleet_log_poll(&worker->log_read, 0, err);
    worker->has_more = !status;
    if (status == RF_AGAIN || status == RF_END) {
        return RF_OK;
    }
    if (status && worker->deltas->is_temporary) {
        rf_log(worker->options.log, RF_LOG_WARN, "the log of deltas cannot be read now; waiting for it",
               rf_log_text("error", err->text));
        return RF_OK;
    }
    if (status == RF_CONFLICT) { // a restart will do
        rf_fail_in(err, "this worker fell behind the deltas that are kept, and must begin anew");
        status = err->status = RF_IO;
    }
    for (size_t i = 0; i < worker->log_read.fresh && !status; i++) {
        status = take(worker, &worker->log_read.entries.list[i], err);
    }
    rf_fleet_log_release(&worker->log_read);
    if (!status && worker->is_frozen_void) {
        worker->is_frozen_void = false;
        worker->is_retry = true;
        worker->stale = "its last delta does not count";
    }
    return status;
}
