// The log as a worker finds it, at the start and when its partitions change: which partitions there are, and whether they still
// hold what was learned last and what comes next. All are looked at before anything of any is folded, cut or rewound.
#include "ops/worker_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 200 };

static bool is_stopped(struct rf_worker *worker) {
    return atomic_load(&worker->is_stopping) ||
           (worker->options.is_stopped && worker->options.is_stopped(worker->options.stop_context));
}

bool rf_worker_waits(struct rf_worker *worker, struct rf_worker_wait *wait, enum rf_status *status, struct rf_error *err) {
    int64_t now = rf_worker_now_ms(worker);
    wait->begun_ms = wait->begun_ms ? wait->begun_ms : now;
    bool is_over = !worker->has_started && now - wait->begun_ms >= worker->options.wait_ms; // later: as long as it takes
    if (!*status || !worker->source->is_temporary || is_over) {
        return false;
    }
    if (is_stopped(worker)) {
        *status = rf_fail(err, RF_END, "stopped before the source was there");
        return false;
    }
    if (!wait->is_told) {
        rf_log(worker->options.log, RF_LOG_WARN, "waiting for the source", rf_log_text("error", err->text),
               rf_log_uint("wait_ms", (uint64_t)worker->options.wait_ms));
        wait->is_told = true;
    }
    rf_worker_sleep_ms(worker, RETRY_MS);
    return true;
}

// Waits until the source knows its partitions.
static enum rf_status wait_assigned(struct rf_worker *worker, const struct rf_positions **partitions_out, struct rf_error *err) {
    struct rf_poll want = {.records_max = 1, .bytes_max = 1, .timeout_ms = RETRY_MS};
    struct rf_record unused; // nothing is delivered before it is told from where
    void *loan;
    struct rf_records none = {.list = &unused, .loans = &loan, .capacity = 1};
    struct rf_worker_wait wait = {0};
    while (!is_stopped(worker)) {
        enum rf_source_event event = RF_SOURCE_IDLE;
        enum rf_status status = rf_source_poll(worker->source, &want, &none, &event, partitions_out, err);
        if (!status && event == RF_SOURCE_ASSIGNED) {
            return RF_OK;
        }
        if (status && !rf_worker_waits(worker, &wait, &status, err)) {
            return status;
        }
    }
    return rf_fail(err, RF_END, "stopped before the source was there");
}

// Partitions of the source become the model's; a model may know others, which nobody reads now. RF_CONFLICT when one of those
// has records in the recorded order still to be folded.
static enum rf_status add_partitions(struct rf_worker *worker, const struct rf_positions *partitions, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index;
        if (rf_positions_add(positions, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "worker: out of memory");
        }
    }
    for (size_t i = 0; i < worker->script_count; i++) {
        const struct rf_position *position = &positions->list[worker->script[i].partition];
        if (!rf_positions_find(partitions, position->topic, position->partition)) {
            return rf_fail(err, RF_CONFLICT,
                           "%s [%" PRId32 "] is not read any more, but records of it were learned since the last snapshot; "
                           "run once more with it in the source, to the next snapshot",
                           position->topic, position->partition);
        }
    }
    return RF_OK;
}

enum rf_status rf_worker_find_partitions(struct rf_worker *worker, struct rf_error *err) {
    const struct rf_positions *partitions;
    enum rf_status status = wait_assigned(worker, &partitions, err);
    return status ? status : add_partitions(worker, partitions, err);
}

// What is wrong with a position.
enum loss {
    LOSS_NONE,
    LOSS_GONE,    // the log begins behind it
    LOSS_BEYOND,  // the log ends before it
    LOSS_OTHER,   // the record learned last is another one now
    LOSS_RECORDED // the log ends before what was learned after the snapshot
};

static uint64_t recorded_of(const struct rf_worker *worker, size_t index) {
    uint64_t recorded = 0;
    for (size_t i = 0; i < worker->script_count; i++) {
        recorded += worker->script[i].partition == index ? worker->script[i].count : 0;
    }
    return recorded;
}

static enum loss find_loss(const struct rf_worker *worker, size_t index, const struct rf_holding *holding) {
    const struct rf_position *position = &rf_pipeline_positions(worker->pipeline)->list[index];
    int64_t next = position->next_offset, end = holding->end;
    if (next < 0) {
        return LOSS_NONE;
    }
    if (next < holding->first) {
        return LOSS_GONE;
    }
    if (end >= 0 && next > end) {
        return LOSS_BEYOND;
    }
    if (holding->has_last && position->fingerprint && holding->fingerprint != position->fingerprint) {
        return LOSS_OTHER;
    }
    return end >= 0 && (uint64_t)(end - next) < recorded_of(worker, index) ? LOSS_RECORDED : LOSS_NONE;
}

static enum rf_status fail_lost(const struct rf_worker *worker, size_t index, enum loss loss, const struct rf_holding *holding,
                                size_t others, struct rf_error *err) {
    static const char advice[] = "; give the model a new state folder, or restore the topic, or say in source.on_offset_lost "
                                 "where to go on (earliest or latest); with a new folder it is started with --fresh";
    const struct rf_position *position = &rf_pipeline_positions(worker->pipeline)->list[index];
    char more[96] = "";
    if (others) {
        snprintf(more, sizeof more, " (and %zu more)", others);
    }
    switch (loss) {
    case LOSS_GONE:
        return rf_fail(err, RF_CONFLICT,
                       "offset %" PRId64 " of %s [%" PRId32 "] is no longer there: the log holds %" PRId64 " to %" PRId64 "%s%s",
                       position->next_offset, position->topic, position->partition, holding->first, holding->end, more, advice);
    case LOSS_BEYOND:
        return rf_fail(err, RF_CONFLICT,
                       "offset %" PRId64 " of %s [%" PRId32 "] is beyond the end: the log holds %" PRId64 " to %" PRId64
                       ": the topic was made anew or cut%s%s",
                       position->next_offset, position->topic, position->partition, holding->first, holding->end, more, advice);
    case LOSS_OTHER:
        return rf_fail(err, RF_CONFLICT,
                       "offset %" PRId64 " of %s [%" PRId32
                       "] holds another record than the one that was learned: the topic was made anew or cut%s%s",
                       position->next_offset - 1, position->topic, position->partition, more, advice);
    default:
        return rf_fail(err, RF_CONFLICT,
                       "%s [%" PRId32 "] ends at offset %" PRId64 ", but %" PRIu64 " records from offset %" PRId64
                       " on were learned before: the topic was made anew or cut%s%s",
                       position->topic, position->partition, holding->end, recorded_of(worker, index), position->next_offset,
                       more, advice);
    }
}

// Goes on where on_offset_lost says. What is merely missing of what was learned after the snapshot leaves the position as it is:
// the model does not hold it any more either.
static void move(struct rf_worker *worker, size_t index, enum loss loss, const struct rf_holding *holding) {
    struct rf_position *position = &rf_pipeline_positions(worker->pipeline)->list[index];
    int64_t wanted = position->next_offset;
    if (loss != LOSS_RECORDED) {
        bool is_earliest = worker->options.on_offset_lost == RF_OFFSET_LOST_EARLIEST;
        position->next_offset = is_earliest || holding->end < 0 ? holding->first : holding->end;
        position->fingerprint = 0;
    }
    static const char *const words[] = {
            [LOSS_GONE] = "records are gone from the log before they were learned",
            [LOSS_BEYOND] = "the log ends before what was learned",
            [LOSS_OTHER] = "the log holds another record than the one that was learned",
            [LOSS_RECORDED] = "the log ends before what was learned after the snapshot",
    };
    rf_metrics_add(rf_pipeline_metrics(worker->pipeline), RF_METRIC_offsets_lost_total, 0, 1);
    rf_log(worker->options.log, RF_LOG_ERROR, "offset lost, going on elsewhere",
           rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_text("why", words[loss]),
           rf_log_text("topic", position->topic), rf_log_int("partition", position->partition), rf_log_int("wanted", wanted),
           rf_log_int("log_first", holding->first), rf_log_int("log_end", holding->end),
           rf_log_int("now_at", position->next_offset));
}

static void forget_script(struct rf_worker *worker) {
    worker->script = NULL;
    worker->script_count = worker->script_index = 0;
    worker->script_done = 0;
}

// Positions that move begin a new line of the model: in the old one, what was folded is a stretch of the log without a gap, and
// its recorded order beyond the snapshot cannot be followed any more.
static enum rf_status begin_line(struct rf_worker *worker, struct rf_error *err) {
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    forget_script(worker);
    worker->awaits_first = true;
    if (!checkpoint) {
        return RF_OK;
    }
    enum rf_status status = rf_checkpoint_begin_line(checkpoint, worker->pipeline, err);
    if (!status) {
        rf_log(worker->options.log, RF_LOG_WARN, "a new line of the model begins where the log goes on",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)),
               rf_log_uint("line", rf_pipeline_version(worker->pipeline).line));
    }
    return status;
}

static enum rf_status judge(struct rf_worker *worker, const struct rf_holding *holdings, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    size_t lost = 0, first = 0;
    enum loss loss = LOSS_NONE;
    for (size_t i = positions->count; i-- > 0;) {
        enum loss found = find_loss(worker, i, &holdings[i]);
        if (found) {
            lost++;
            first = i;
            loss = found;
        }
    }
    if (!lost) {
        return RF_OK;
    }
    if (worker->options.on_offset_lost == RF_OFFSET_LOST_FAIL) {
        return fail_lost(worker, first, loss, &holdings[first], lost - 1, err);
    }
    for (size_t i = 0; i < positions->count; i++) {
        enum loss found = find_loss(worker, i, &holdings[i]);
        if (found) {
            move(worker, i, found, &holdings[i]);
        }
    }
    return begin_line(worker, err);
}

enum rf_status rf_worker_check_log(struct rf_worker *worker, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    struct rf_holding *holdings = calloc(positions->count + 1, sizeof *holdings);
    if (!holdings) {
        return rf_fail(err, RF_MEMORY, "worker: out of memory");
    }
    struct rf_worker_wait wait = {0};
    enum rf_status status;
    do {
        status = rf_source_look(worker->source, positions, holdings, err);
    } while (rf_worker_waits(worker, &wait, &status, err));
    if (!status) {
        status = judge(worker, holdings, err);
    }
    free(holdings);
    return status;
}

static bool has_new_partition(const struct rf_positions *positions) {
    for (size_t i = 0; i < positions->count; i++) {
        if (positions->list[i].next_offset == RF_OFFSET_NONE) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_worker_assign(struct rf_worker *worker, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(worker->pipeline);
    int64_t *next_offset = calloc(positions->count + 1, sizeof *next_offset);
    int64_t *ends = calloc(positions->count + 1, sizeof *ends);
    worker->awaits_first |= has_new_partition(positions);
    struct rf_worker_wait wait = {0};
    enum rf_status status = next_offset && ends ? RF_OK : rf_fail(err, RF_MEMORY, "worker: out of memory");
    if (!status) {
        do {
            status = rf_source_assign(worker->source, positions, err);
        } while (rf_worker_waits(worker, &wait, &status, err));
    }
    if (status) {
        free(next_offset);
        free(ends);
        return status;
    }
    free(worker->next_offset);
    free(worker->ends);
    worker->next_offset = next_offset;
    worker->ends = ends;
    worker->partition_count = positions->count;
    for (size_t i = 0; i < positions->count; i++) {
        next_offset[i] = positions->list[i].next_offset;
    }
    return RF_OK;
}

enum rf_status rf_worker_regroup(struct rf_worker *worker, struct rf_error *err) {
    size_t known = worker->partition_count;
    forget_script(worker); // it was followed to its end
    rf_source_unassign(worker->source);
    enum rf_status status = rf_worker_find_partitions(worker, err);
    if (!status) {
        status = rf_worker_check_log(worker, err);
    }
    if (!status) {
        status = rf_worker_assign(worker, err);
    }
    if (status) {
        return status;
    }
    if (worker->partition_count > known) {
        rf_log(worker->options.log, RF_LOG_INFO, "partitions were added",
               rf_log_text("model", rf_pipeline_name(worker->pipeline)), rf_log_uint("partitions", worker->partition_count));
    }
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(worker->pipeline);
    const char *sentence;
    worker->awaits_first &= checkpoint != NULL;
    if (worker->awaits_first) {
        worker->failures_before = rf_checkpoint_failures(checkpoint, &sentence);
        rf_checkpoint_request(checkpoint);
    }
    return RF_OK;
}
