#include "ops/replay.h"

#include "ingest/rfc3339.h"
#include "ops/clock.h"
#include "ops/folder.h"
#include "ops/replay_internal.h"
#include "ops/resolve.h"
#include "ops/specification.h"
#include "proto/snapshot.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The point.

static bool read_count(const char *text, size_t size, uint64_t limit, uint64_t *value_out) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (text[i] < '0' || text[i] > '9' || value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *value_out = value;
    return size > 0;
}

static bool read_origin(const char *text, struct rf_point *point) {
    const char *second = strrchr(text, ':'), *first = second;
    while (first && first > text && *--first != ':') {
    }
    uint64_t partition, offset;
    if (!first || first == text || (size_t)(first - text) >= sizeof point->topic ||
        !read_count(first + 1, (size_t)(second - first - 1), INT32_MAX, &partition) ||
        !read_count(second + 1, strlen(second + 1), INT64_MAX, &offset)) {
        return false;
    }
    point->kind = RF_POINT_AFTER;
    memcpy(point->topic, text, (size_t)(first - text));
    point->topic[first - text] = '\0';
    point->partition = (int32_t)partition;
    point->offset = (int64_t)offset;
    return true;
}

enum rf_status rf_point_read(const char *text, struct rf_point *point_out, struct rf_error *err) {
    struct rf_point point = {.kind = RF_POINT_TIME};
    bool is_read = rf_rfc3339_parse(rf_text_of(text), &point.time_ms) || read_origin(text, &point);
    if (!is_read && read_count(text, strlen(text), UINT64_MAX, &point.records)) {
        point.kind = RF_POINT_RECORDS;
        is_read = true;
    }
    if (!is_read) {
        return rf_fail(err, RF_INVALID,
                       "\"%.200s\" names no point: give TOPIC:PARTITION:OFFSET, a time as in 2026-11-22T08:30:00Z, or a number "
                       "of records",
                       text);
    }
    *point_out = point;
    return RF_OK;
}

// Going on.

static enum rf_status fail_other(const struct rf_replay *replay, const struct rf_ancestor *ancestor, const char *what,
                                 const char *is, const char *was, struct rf_error *err) {
    const struct rf_ancestor *start = &replay->lineage.list[replay->start];
    return rf_fail(err, RF_CONFLICT,
                   "folded from %s %" PRIu64 " the model of %" PRIu64 " records has %s %s, but snapshot %" PRIu64
                   " has %s: the log, the settings or the program are not those of then",
                   replay->is_from_nothing ? "nothing, as at snapshot" : "snapshot", start->version.base, ancestor->records, what,
                   is, ancestor->version.base, was);
}

// A snapshot with as many records must hold the same model.
static enum rf_status meet(struct rf_replay *replay, const struct rf_ancestor *ancestor, struct rf_error *err) {
    uint8_t digest[RF_SHA256_SIZE];
    char is[RF_SHA256_TEXT_SIZE], was[RF_SHA256_TEXT_SIZE];
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    for (size_t i = 0; i < ancestor->positions.count; i++) {
        const struct rf_position *theirs = &ancestor->positions.list[i];
        const struct rf_position *ours = rf_positions_find(positions, theirs->topic, theirs->partition);
        if (!ours || ours->records != theirs->records) {
            snprintf(is, sizeof is, "%" PRIu64, ours ? ours->records : 0);
            snprintf(was, sizeof was, "%" PRIu64, theirs->records);
            return fail_other(replay, ancestor, "another count of records of a partition:", is, was, err);
        }
    }
    rf_model_sha256(ancestor->specification_sha256, rf_pipeline_state(replay->pipeline), digest);
    if (memcmp(digest, ancestor->model_sha256, RF_SHA256_SIZE) != 0) {
        rf_sha256_text(digest, is);
        rf_sha256_text(ancestor->model_sha256, was);
        return fail_other(replay, ancestor, "model_sha256", is, was, err);
    }
    return RF_OK;
}

static enum rf_status meet_all(struct rf_replay *replay, struct rf_error *err) {
    uint64_t records = rf_pipeline_counts(replay->pipeline)->records;
    enum rf_status status = RF_OK;
    while (!status && replay->next < replay->lineage.count && replay->lineage.list[replay->next].records <= records) {
        status = meet(replay, &replay->lineage.list[replay->next], err);
        replay->met += !status && replay->next > replay->start;
        replay->next++;
    }
    return status;
}

// Is the point reached, at the latest, with a number of records?
static bool is_counted(const struct rf_replay *replay) {
    enum rf_point_kind kind = replay->options.point.kind;
    return kind == RF_POINT_NEWEST || kind == RF_POINT_RECORDS || kind == RF_POINT_TIME;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

// How many records more may be folded at once.
static uint64_t room(const struct rf_replay *replay) {
    uint64_t records = rf_pipeline_counts(replay->pipeline)->records;
    uint64_t most = replay->batch->records.capacity;
    most = smaller(most, replay->script[replay->script_index].count - replay->script_done);
    if (replay->next < replay->lineage.count) {
        most = smaller(most, replay->lineage.list[replay->next].records - records);
    }
    return is_counted(replay) ? smaller(most, replay->expected - records) : most;
}

// Where in the loan the point is met; records.count: not in it.
static size_t find_point(const struct rf_replay *replay) {
    const struct rf_records *records = &replay->batch->records;
    const struct rf_point *point = &replay->options.point;
    uint32_t partition = replay->script[replay->script_index].partition;
    const struct rf_position *position = &rf_pipeline_positions(replay->pipeline)->list[partition];
    int64_t offset = INT64_MAX;
    if (point->kind == RF_POINT_TIME) {
        offset = rf_replay_late(replay, position->topic, position->partition);
    } else if ((point->kind == RF_POINT_AFTER || point->kind == RF_POINT_BEFORE) && partition == replay->target) {
        offset = point->offset;
    }
    size_t at = 0;
    while (at < records->count && (records->list[at].offset < offset || records->list[at].offset < position->next_offset)) {
        at++;
    }
    return at;
}

// Folds the first `count` records of the loan.
static enum rf_status fold(struct rf_replay *replay, size_t count, struct rf_error *err) {
    struct rf_batch *batch = replay->batch;
    size_t lent = batch->records.count;
    uint64_t before = rf_pipeline_counts(replay->pipeline)->records;
    enum rf_status status = RF_OK;
    batch->records.count = count;
    while (!status && batch->end < count) {
        rf_pipeline_prepare(replay->pipeline, replay->decoder, batch);
        status = rf_pipeline_step(replay->pipeline, batch, 0, err);
    }
    batch->records.count = lent;
    replay->script_done += rf_pipeline_counts(replay->pipeline)->records - before;
    if (replay->script_done >= replay->script[replay->script_index].count) {
        replay->script_index++;
        replay->script_done = 0;
    }
    return status;
}

static enum rf_status fail_no_record(const struct rf_replay *replay, int64_t found, struct rf_error *err) {
    const struct rf_point *point = &replay->options.point;
    return rf_fail(err, RF_NOT_FOUND,
                   "%s [%" PRId32 "] holds no record at offset %" PRId64 ": the one that was learned next has offset %" PRId64,
                   point->topic, point->partition, point->offset, found);
}

static enum rf_status fold_to(struct rf_replay *replay, size_t at, struct rf_error *err) {
    struct rf_batch *batch = replay->batch;
    if (at == batch->records.count) {
        return fold(replay, at, err);
    }
    const struct rf_point *point = &replay->options.point;
    int64_t found = batch->records.list[at].offset;
    if (point->kind != RF_POINT_TIME && found != point->offset) {
        return fail_no_record(replay, found, err);
    }
    replay->is_reached = true;
    enum rf_status status = fold(replay, at + (point->kind == RF_POINT_AFTER), err);
    if (!status && point->kind == RF_POINT_BEFORE) {
        size_t lent = batch->records.count;
        batch->records.count = at + 1;
        rf_pipeline_prepare(replay->pipeline, replay->decoder, batch);
        batch->records.count = lent;
        replay->at = at;
    }
    return status;
}

static enum rf_status fail_not_yet(const struct rf_replay *replay, struct rf_error *err) {
    const struct rf_point *point = &replay->options.point;
    if (replay->script_torn.status) {
        *err = replay->script_torn;
        return err->status;
    }
    if (point->kind == RF_POINT_RECORDS) {
        return rf_fail(err, RF_NOT_FOUND, "%" PRIu64 " records are not learned yet: the newest one recorded is number %" PRIu64,
                       point->records, replay->script_end);
    }
    const struct rf_position *position = &rf_pipeline_positions(replay->pipeline)->list[replay->target];
    return rf_fail(err, RF_NOT_FOUND,
                   "offset %" PRId64 " of %s [%" PRId32 "] is not learned yet: the next one to be learned is %" PRId64,
                   point->offset, point->topic, point->partition, position->next_offset);
}

// Nothing more is to be folded: is that the point?
static enum rf_status end_script(struct rf_replay *replay, struct rf_error *err) {
    uint64_t records = rf_pipeline_counts(replay->pipeline)->records;
    bool is_there = rf_replay_is_at(replay) || (is_counted(replay) && records == replay->expected);
    bool may_go_on = replay->options.point.kind != RF_POINT_RECORDS && records == replay->script_end;
    if (!is_there || (is_counted(replay) && may_go_on && replay->script_torn.status)) {
        return fail_not_yet(replay, err);
    }
    replay->is_reached = true;
    return RF_OK;
}

static enum rf_status poll(struct rf_replay *replay, struct rf_error *err) {
    uint32_t partition = replay->script[replay->script_index].partition;
    struct rf_poll want = {.records_max = (size_t)room(replay),
                           .bytes_max = rf_pipeline_batch_bytes(replay->pipeline),
                           .timeout_ms = replay->options.wait_ms,
                           .has_partition = true,
                           .partition = partition};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *unused;
    struct rf_records *records = &replay->batch->records;
    enum rf_status status = rf_source_poll(replay->source, &want, records, &event, &unused, err);
    const struct rf_position *position = &rf_pipeline_positions(replay->pipeline)->list[partition];
    if (status && replay->source->is_temporary && replay->tries < replay->options.wait_tries) {
        status = RF_OK;
    } else if (!status && (event == RF_SOURCE_END || (!records->count && replay->tries >= replay->options.wait_tries))) {
        status = rf_fail(err, RF_CONFLICT,
                         "%s [%" PRId32 "] %s at offset %" PRId64
                         ", but records behind it were learned: the topic or file was made anew or cut, or cannot be reached",
                         position->topic, position->partition, event == RF_SOURCE_END ? "ends" : "gives nothing more",
                         position->next_offset);
    }
    replay->tries = records->count ? 0 : replay->tries + 1;
    return status;
}

enum rf_status rf_replay_step(struct rf_replay *replay, struct rf_error *err) {
    enum rf_status status = meet_all(replay, err);
    bool has_enough =
            rf_replay_is_at(replay) || (is_counted(replay) && rf_pipeline_counts(replay->pipeline)->records == replay->expected);
    if (!status && !replay->is_reached && (has_enough || replay->script_index == replay->script_count)) {
        status = end_script(replay, err);
    }
    if (status || replay->is_reached) {
        return status ? status : RF_END;
    }
    rf_batch_reset(replay->batch, rf_schema_count(rf_pipeline_schema(replay->pipeline)));
    replay->batch->source = replay->source;
    status = poll(replay, err);
    if (!status && replay->batch->records.count) {
        status = rf_resolve(replay->decoder, replay->batch->records.list, replay->batch->records.count, rf_clock_system(), err);
        status = status ? status : fold_to(replay, find_point(replay), err);
    }
    return status;
}

// What became of it.

void rf_replay_progress(const struct rf_replay *replay, struct rf_replay_progress *progress_out) {
    *progress_out = (struct rf_replay_progress){
            .begun = replay->begun,
            .snapshot = replay->is_from_nothing ? 0 : replay->lineage.list[replay->start].version.base,
            .records = rf_pipeline_counts(replay->pipeline)->records,
            .expected = replay->expected,
            .met = replay->met,
    };
}

struct rf_pipeline *rf_replay_pipeline(struct rf_replay *replay) {
    return replay->pipeline;
}

const struct rf_record *rf_replay_record(const struct rf_replay *replay) {
    assert(replay->is_reached && replay->options.point.kind == RF_POINT_BEFORE);
    return &replay->batch->records.list[replay->at];
}

const struct rf_batch *rf_replay_batch(const struct rf_replay *replay) {
    return replay->batch;
}

// A snapshot begins a new base when it is in place: before anything is folded where a start took it up or waited for it, else
// at a moment that nobody recorded.
size_t rf_replay_versions(const struct rf_replay *replay, struct rf_version versions_out[RF_REPLAY_VERSIONS_MAX]) {
    const struct rf_lineage *lineage = &replay->lineage;
    uint64_t records = rf_pipeline_counts(replay->pipeline)->records;
    size_t base = replay->start;
    while (base + 1 < lineage->count && lineage->list[base + 1].records <= records) {
        base++;
    }
    const struct rf_ancestor *now = &lineage->list[base], *before = base > 0 ? now - 1 : NULL;
    uint32_t epoch = base + 1 < lineage->count ? now[1].version.epoch : replay->epoch;
    versions_out[0] = now->version;
    versions_out[0].epoch = epoch;
    versions_out[0].since = records - now->records;
    bool is_certain = !before || now->version.epoch != epoch || now->version.line != before->version.line;
    if (is_certain) {
        return 1;
    }
    versions_out[1] = before->version;
    versions_out[1].epoch = epoch;
    versions_out[1].since = records - before->records;
    return 2;
}

// Setup.

static enum rf_status begin(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_replay_options *options = &replay->options;
    enum rf_status status = rf_lineage_read(options->disk, options->folder, options->line, &replay->lineage, err);
    if (!status) {
        status = rf_folder_epoch(options->disk, options->folder, &replay->epoch, err);
    }
    if (!status) {
        status = rf_replay_open_source(replay, err);
    }
    if (!status) {
        status = rf_replay_choose_start(replay, err);
    }
    if (!status) {
        status = rf_replay_read_script(replay, err);
    }
    if (!status) {
        status = rf_replay_assign(replay, err);
    }
    if (!status) {
        status = rf_pipeline_decoder(replay->pipeline, &replay->decoder, err);
    }
    return status ? status : rf_pipeline_batch(replay->pipeline, &replay->batch, err);
}

enum rf_status rf_replay_create(const struct rf_replay_options *options, struct rf_replay **replay_out, struct rf_error *err) {
    struct rf_replay *replay = calloc(1, sizeof *replay);
    if (!replay) {
        rf_pipeline_destroy(options->pipeline);
        rf_source_destroy(options->source);
        return rf_fail(err, RF_MEMORY, "replay: out of memory");
    }
    replay->options = *options;
    replay->pipeline = options->pipeline;
    replay->source = options->source;
    rf_positions_init(&replay->offered);
    enum rf_status status = begin(replay, err);
    if (status) {
        rf_replay_destroy(replay);
        return status;
    }
    *replay_out = replay;
    return RF_OK;
}

void rf_replay_destroy(struct rf_replay *replay) {
    if (replay) {
        rf_batch_destroy(replay->batch);
        rf_decoder_destroy(replay->decoder);
        rf_pipeline_destroy(replay->pipeline);
        rf_source_destroy(replay->source);
        rf_lineage_finish(&replay->lineage);
        rf_positions_finish(&replay->offered);
        free(replay->script);
        free(replay->late);
        free(replay);
    }
}
