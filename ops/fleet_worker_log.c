// The log of deltas as a worker of a fleet reads it.
#include "ops/fleet_worker_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_WAIT_MS = 100, SCAN_PATIENCE_MS = 60000 };

static enum rf_status make_room(struct rf_records *records, struct rf_error *err) {
    if (records->list) {
        return RF_OK;
    }
    records->list = calloc(RF_FLEET_LOG_RECORDS, sizeof *records->list);
    records->loans = calloc(RF_FLEET_LOG_RECORDS, sizeof(void *));
    records->capacity = RF_FLEET_LOG_RECORDS;
    return records->list && records->loans ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for the log of deltas");
}

// Whether the entry is the next one: a source may give records again.
static bool is_next(struct rf_positions *positions, const struct rf_record *record) {
    int64_t *next = &positions->list[record->partition].next_offset;
    bool is_new = record->offset >= *next;
    *next = is_new ? record->offset + 1 : *next;
    return is_new;
}

// Begins to read at the beginning. RF_AGAIN: it did, or will once that is possible.
static enum rf_status begin_log(struct rf_source *source, struct rf_positions *positions, bool *is_offered,
                                struct rf_error *err) {
    enum rf_status status = rf_source_assign(source, positions, err);
    *is_offered = status != RF_OK;
    return status ? status : RF_AGAIN;
}

// Polls the source of a log, and begins at its beginning when it offers it. RF_AGAIN: nothing came; RF_END: nothing more will.
static enum rf_status poll_log(struct rf_source *source, struct rf_positions *positions, bool *is_offered, int wait_ms,
                               struct rf_records *records, struct rf_error *err) {
    const struct rf_poll want = {.records_max = RF_FLEET_LOG_RECORDS, .bytes_max = 64 << 20, .timeout_ms = wait_ms};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    if (*is_offered) {
        return begin_log(source, positions, is_offered, err);
    }
    enum rf_status status = rf_source_poll(source, &want, records, &event, &partitions, err);
    if (!status && event == RF_SOURCE_ASSIGNED) {
        return rf_positions_copy(positions, partitions) ? rf_fail(err, RF_MEMORY, "out of memory for the log of deltas")
                                                        : begin_log(source, positions, is_offered, err);
    }
    if (status) {
        return status;
    }
    return event == RF_SOURCE_RECORDS ? RF_OK : event == RF_SOURCE_END ? RF_END : RF_AGAIN;
}

enum rf_status rf_fleet_scan_log(struct rf_fleet_worker *worker, struct rf_error *err) {
    const struct rf_replica_options options = {.model = rf_pipeline_name(worker->pipeline),
                                               .specification = worker->options.specification,
                                               .settings = worker->options.settings};
    struct rf_source *source = worker->options.log_scan;
    struct rf_replica *replica;
    struct rf_positions positions;
    struct rf_replica_news news;
    int64_t begun = rf_fleet_now_ms(worker);
    bool is_offered = false;
    rf_positions_init(&positions);
    enum rf_status status = make_room(&worker->entries, err);
    if (status || (status = rf_replica_create(&options, &replica, err))) {
        return status;
    }
    while (!status) {
        status = poll_log(source, &positions, &is_offered, SCAN_WAIT_MS, &worker->entries, err);
        bool is_patient = rf_fleet_now_ms(worker) - begun < SCAN_PATIENCE_MS;
        if (status == RF_AGAIN && !is_patient) {
            status = rf_fail(err, RF_IO,
                             "the log of deltas in topic %s could not be read to its end within %d s: does a transaction stand "
                             "open for so long?",
                             worker->options.topic, SCAN_PATIENCE_MS / 1000);
        } else if (status == RF_AGAIN || (status && status != RF_END && source->is_temporary && is_patient)) {
            rf_fleet_sleep_ms(worker, 1);
            status = RF_OK;
            continue;
        }
        for (size_t i = 0; i < worker->entries.count && !status; i++) {
            const struct rf_record *record = &worker->entries.list[i];
            status = is_next(&positions, record) ? rf_replica_take(replica, record->value, &news, err) : RF_OK;
        }
        rf_source_release(source, &worker->entries);
        worker->entries.count = 0;
    }
    size_t count;
    const struct rf_replica_reset *resets = rf_replica_resets(replica, &count);
    if (status == RF_END) {
        worker->resets = calloc(count + 1, sizeof *worker->resets);
        status = worker->resets ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for resets");
    }
    for (size_t i = 0; i < count && !status; i++) {
        worker->resets[i] = resets[i];
    }
    worker->reset_count = status ? 0 : count;
    rf_replica_destroy(replica);
    rf_positions_finish(&positions);
    return status;
}

// Does what is growing, or frozen, still follow the log? Not when somebody else got ahead on a partition of ours.
static bool is_followed(const struct rf_fleet_worker *worker) {
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
    struct rf_version version = rf_pipeline_version(worker->pipeline);
    version.epoch = news->epoch;
    rf_pipeline_set_version(worker->pipeline, version);
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
    bool is_of_epoch = news.is_own && news.epoch == version.epoch;
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
    if (news.event == RF_REPLICA_FOLDED && !is_followed(worker)) {
        worker->is_stale = true;
    }
    return news.event == RF_REPLICA_JOINED ? note_join(worker, &news, err) : RF_OK;
}

enum rf_status rf_fleet_read_log(struct rf_fleet_worker *worker, struct rf_error *err) {
    int64_t now = rf_fleet_now_ms(worker);
    if (worker->log_read_ms && now - worker->log_read_ms < RF_FLEET_LOG_MS && now >= worker->log_read_ms && !worker->has_more) {
        return RF_OK;
    }
    worker->log_read_ms = now;
    enum rf_status status = make_room(&worker->entries, err);
    if (!status) {
        status = poll_log(worker->deltas, &worker->log_positions, &worker->is_log_offered, 0, &worker->entries, err);
    }
    worker->has_more = !status;
    if (status == RF_AGAIN || status == RF_END) {
        return RF_OK;
    }
    if (status && worker->deltas->is_temporary) {
        rf_log(worker->options.log, RF_LOG_WARN, "the log of deltas cannot be read now; waiting for it",
               rf_log_text("error", err->text));
        return RF_OK;
    }
    for (size_t i = 0; i < worker->entries.count && !status; i++) {
        const struct rf_record *record = &worker->entries.list[i];
        status = is_next(&worker->log_positions, record) ? take(worker, record, err) : RF_OK;
    }
    rf_source_release(worker->deltas, &worker->entries);
    worker->entries.count = 0;
    if (!status && worker->is_frozen_void) {
        worker->is_frozen_void = false;
        worker->is_stale = true;
    }
    return status;
}
