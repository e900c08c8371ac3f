// Where a replay begins, and what it will follow.
#include "ops/checkpoint_internal.h"
#include "ops/replay_internal.h"
#include "ops/specification.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "replay: out of memory");
}

// The source tells its partitions, and which of their records are later than the point's time.

// May what the source just failed to tell be told if it is asked again?
static bool asks_again(const struct rf_replay *replay, enum rf_status status, int *tries) {
    return status && replay->source->is_temporary && (*tries)++ < replay->options.wait_tries;
}

static enum rf_status wait_offered(struct rf_replay *replay, struct rf_error *err) {
    struct rf_poll want = {.records_max = 1, .bytes_max = 1, .timeout_ms = replay->options.wait_ms};
    struct rf_record unused; // nothing is delivered before it is told from where
    void *loan;
    struct rf_records none = {.list = &unused, .loans = &loan, .capacity = 1};
    enum rf_status status;
    int tries = 0;
    do {
        enum rf_source_event event = RF_SOURCE_IDLE;
        const struct rf_positions *partitions;
        status = rf_source_poll(replay->source, &want, &none, &event, &partitions, err);
        if (!status && event == RF_SOURCE_ASSIGNED) {
            return rf_positions_copy(&replay->offered, partitions) ? no_memory(err) : RF_OK;
        }
    } while (status ? asks_again(replay, status, &tries) : tries++ < replay->options.wait_tries);
    return status ? status : rf_fail(err, RF_IO, "the source does not tell its partitions");
}

enum rf_status rf_replay_open_source(struct rf_replay *replay, struct rf_error *err) {
    enum rf_status status = wait_offered(replay, err);
    if (status || replay->options.point.kind != RF_POINT_TIME) {
        return status;
    }
    replay->late = calloc(replay->offered.count + 1, sizeof *replay->late);
    if (!replay->late) {
        return no_memory(err);
    }
    int64_t later_ms = replay->options.point.time_ms + 1;
    int tries = 0;
    do {
        status = rf_source_times(replay->source, &replay->offered, later_ms, replay->late, err);
    } while (asks_again(replay, status, &tries));
    for (size_t i = 0; i < replay->offered.count && !status; i++) {
        replay->late[i] = replay->late[i] < 0 ? INT64_MAX : replay->late[i];
    }
    return status;
}

int64_t rf_replay_late(const struct rf_replay *replay, const char *topic, int32_t partition) {
    const struct rf_position *position = rf_positions_find(&replay->offered, topic, partition);
    return position && replay->late ? replay->late[position - replay->offered.list] : INT64_MAX;
}

// Which snapshot.

// Does the snapshot fold nothing that is behind the point?
static bool is_before(const struct rf_replay *replay, const struct rf_ancestor *ancestor) {
    const struct rf_point *point = &replay->options.point;
    const struct rf_position *position;
    switch (point->kind) {
    case RF_POINT_RECORDS:
        return ancestor->records <= point->records;
    case RF_POINT_AFTER:
    case RF_POINT_BEFORE:
        position = rf_ancestor_find(ancestor, point->topic, point->partition);
        // With one partition nothing but the record itself can be the last one.
        bool may_be_at = point->kind == RF_POINT_AFTER && ancestor->positions.count == 1;
        return !position || position->next_offset <= point->offset + may_be_at;
    case RF_POINT_TIME:
        for (size_t i = 0; i < ancestor->positions.count; i++) {
            position = &ancestor->positions.list[i];
            // Where nothing was learned yet the position is where reading began, whatever the records before it say.
            if (position->records && position->next_offset > rf_replay_late(replay, position->topic, position->partition)) {
                return false;
            }
        }
        return true;
    default:
        return true;
    }
}

// Puts a snapshot of the folder into the pipeline.
static enum rf_status restore(struct rf_replay *replay, const struct rf_ancestor *ancestor, struct rf_error *err) {
    struct rf_folder folder = {.disk = replay->options.disk, .path = (char *)(uintptr_t)replay->options.folder, .lock = -1};
    struct rf_checkpoint_options options = {.folder = &folder,
                                            .log = replay->options.log,
                                            .retention = {.keep = 1},
                                            .specification = replay->options.specification,
                                            .settings = replay->options.settings};
    struct rf_checkpoint *checkpoint;
    char path[RF_SNAPSHOT_PATH_SIZE];
    enum rf_status status = rf_checkpoint_create(&options, &checkpoint, err);
    if (status) {
        return status;
    }
    rf_snapshot_path(replay->options.folder, ancestor->version.base, path);
    status = rf_checkpoint_restore_one(checkpoint, replay->pipeline, path, err);
    if (!status && memcmp(checkpoint->parent, ancestor->sha256, RF_SHA256_SIZE) != 0) {
        status = rf_fail(err, RF_CORRUPT, "%s is another snapshot than the one on record", path);
    }
    rf_checkpoint_destroy(checkpoint);
    return status;
}

// The model before its first record is what the settings make.
static enum rf_status begin_from_nothing(struct rf_replay *replay, const struct rf_ancestor *first, struct rf_error *err) {
    replay->is_from_nothing = true;
    return rf_positions_copy(rf_pipeline_positions(replay->pipeline), &first->positions) ? no_memory(err) : RF_OK;
}

static enum rf_status fail_before_all(const struct rf_replay *replay, struct rf_error *err) {
    const struct rf_point *point = &replay->options.point;
    const struct rf_ancestor *oldest = &replay->lineage.list[0];
    bool is_begin = oldest->records == 0;
    const struct rf_position *position = rf_ancestor_find(oldest, point->topic, point->partition);
    char snapshot[64] = "the model began";
    if (!is_begin) {
        snprintf(snapshot, sizeof snapshot, "snapshot %" PRIu64 ", the oldest on record, was taken", oldest->version.base);
    }
    if (position) {
        return rf_fail(err, RF_NOT_FOUND,
                       "offset %" PRId64 " of %s [%" PRId32 "] lies before where %s: it reads on from offset %" PRId64,
                       point->offset, point->topic, point->partition, snapshot, position->next_offset);
    }
    return rf_fail(err, RF_NOT_FOUND, "the point lies before where %s, at %" PRIu64 " records", snapshot, oldest->records);
}

static enum rf_status fail_gone(const struct rf_replay *replay, size_t newest_before, const struct rf_error *last,
                                struct rf_error *err) {
    const struct rf_ancestor *ancestor = &replay->lineage.list[newest_before];
    return rf_fail(err, RF_NOT_FOUND,
                   "the point lies before the oldest snapshot that is left in %s: it was learned behind snapshot %" PRIu64
                   " with %" PRIu64 " records, and neither that one nor one before it can be taken up (%.400s)",
                   replay->options.folder, ancestor->version.base, ancestor->records, last->text);
}

enum rf_status rf_replay_choose_start(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_lineage *lineage = &replay->lineage;
    size_t before = lineage->count;
    while (before > 0 && !is_before(replay, &lineage->list[before - 1])) {
        before--;
    }
    if (before == 0) {
        return fail_before_all(replay, err);
    }
    replay->bound = before;
    struct rf_error last = {0};
    for (size_t i = before; i-- > 0;) {
        const struct rf_ancestor *ancestor = &lineage->list[i];
        enum rf_status status = restore(replay, ancestor, &last);
        bool is_passed_over = rf_snapshot_is_passed_over(status);
        if (is_passed_over && ancestor->records == 0 && !ancestor->has_parent) {
            status = begin_from_nothing(replay, ancestor, &last);
            is_passed_over = false;
        }
        if (!is_passed_over) {
            *err = last;
            replay->start = replay->next = i;
            replay->begun = rf_pipeline_counts(replay->pipeline)->records;
            return status;
        }
    }
    return fail_gone(replay, before - 1, &last, err);
}

// Where partitions begin that were added behind the start: the snapshot that was taken before anything of them was learned
// tells.
static enum rf_status add_partitions(struct rf_replay *replay, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    for (size_t i = replay->start + 1; i <= replay->bound && i < replay->lineage.count; i++) {
        const struct rf_ancestor *ancestor = &replay->lineage.list[i];
        for (size_t k = 0; k < ancestor->positions.count; k++) {
            const struct rf_position *position = &ancestor->positions.list[k];
            size_t count = positions->count, index;
            if (rf_positions_add(positions, position->topic, position->partition, &index)) {
                return no_memory(err);
            }
            if (index == count && position->records == 0) {
                positions->list[index].next_offset = position->next_offset;
            }
        }
    }
    return RF_OK;
}

// Was everything that leads to the point learned under the settings of now? What was under way between two snapshots was folded
// under those of the second: a start folds again from the first.
static enum rf_status check_settings(struct rf_replay *replay, struct rf_error *err) {
    uint8_t ours[RF_SHA256_SIZE];
    uint64_t end = replay->expected + (replay->options.point.kind == RF_POINT_BEFORE);
    rf_specification_sha256(replay->options.specification, ours);
    for (size_t i = replay->start + 1; i <= replay->bound && i < replay->lineage.count; i++) {
        const struct rf_ancestor *ancestor = &replay->lineage.list[i];
        uint64_t begun = replay->lineage.list[i - 1].records;
        bool is_on_way = begun < end && begun < ancestor->records;
        if (is_on_way && memcmp(ancestor->specification_sha256, ours, RF_SHA256_SIZE) != 0) {
            rf_specification_compare(ancestor->specification, replay->options.specification, replay->options.settings, err);
            rf_fail_in(err, "what leads to snapshot %" PRIu64 " was learned under other settings, give those of then",
                       ancestor->version.base);
            return err->status = RF_CONFLICT;
        }
    }
    return RF_OK;
}

// Was what the log no longer holds learned before the point's time? Then a snapshot that covers it was taken before.
static bool was_learned_in_time(const struct rf_replay *replay, const struct rf_position *position) {
    for (size_t i = 0; i <= replay->start; i++) {
        const struct rf_ancestor *ancestor = &replay->lineage.list[i];
        const struct rf_position *then = rf_ancestor_find(ancestor, position->topic, position->partition);
        if (then && then->next_offset == position->next_offset) {
            return ancestor->created_ms <= replay->options.point.time_ms;
        }
    }
    return false;
}

// That no record is later is told by the last one of each partition, if the log still holds it: those before it were asked for.
static enum rf_status check_start_times(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    struct rf_holding *holdings = calloc(positions->count + 1, sizeof *holdings);
    struct rf_positions asked;
    rf_positions_init(&asked);
    enum rf_status status = holdings && !rf_positions_copy(&asked, positions) ? RF_OK : no_memory(err);
    for (size_t i = 0; i < asked.count; i++) {
        asked.list[i].fingerprint = asked.list[i].records = 0; // only what the log holds, of all that it holds
    }
    int tries = 0;
    if (!status) {
        do {
            status = rf_source_look(replay->source, &asked, holdings, err);
        } while (asks_again(replay, status, &tries));
    }
    for (size_t i = 0; i < positions->count && !status; i++) {
        const struct rf_position *position = &positions->list[i];
        bool is_held = rf_positions_find(&replay->offered, position->topic, position->partition) &&
                       position->next_offset > holdings[i].first;
        if (position->records && !is_held && !was_learned_in_time(replay, position)) {
            status = rf_fail(err, RF_NOT_FOUND,
                             "%s [%" PRId32 "] no longer holds what was learned of it up to offset %" PRId64
                             ", so nobody can tell whether that is later than the time: give an offset",
                             position->topic, position->partition, position->next_offset);
        }
    }
    rf_positions_finish(&asked);
    free(holdings);
    return status;
}

// The recorded order.

static enum rf_status push_run(struct rf_replay *replay, uint32_t partition, uint64_t count) {
    if (replay->script_count == replay->script_capacity) {
        size_t capacity = replay->script_capacity ? 2 * replay->script_capacity : 256;
        struct rf_run *script = realloc(replay->script, capacity * sizeof *script);
        if (!script) {
            return RF_MEMORY;
        }
        replay->script = script;
        replay->script_capacity = capacity;
    }
    replay->script[replay->script_count++] = (struct rf_run){partition, count};
    replay->script_end += count;
    return RF_OK;
}

// Adds what one line has recorded from script_end up to `end`. script_torn tells when it was less.
static enum rf_status read_line(struct rf_replay *replay, uint32_t line, uint64_t end, struct rf_error *err) {
    struct rf_schedule *schedule;
    enum rf_status status = rf_schedule_open_to_read(replay->options.disk, replay->options.folder, line, replay->script_end,
                                                     rf_pipeline_positions(replay->pipeline), &schedule, err);
    if (status) {
        return status;
    }
    size_t count;
    const struct rf_run *runs = rf_schedule_ahead(schedule, &count);
    for (size_t i = 0; i < count && replay->script_end < end && !status; i++) {
        uint64_t left = end - replay->script_end;
        status = push_run(replay, runs[i].partition, runs[i].count < left ? runs[i].count : left) ? no_memory(err) : RF_OK;
    }
    bool is_known_beyond = end != UINT64_MAX; // a snapshot covers more
    if (!status && replay->script_end < end && (is_known_beyond || rf_schedule_retracted(schedule))) {
        rf_fail(&replay->script_torn, RF_CORRUPT,
                "the recorded order of line %" PRIu32 " in %s is %s at record %" PRIu64
                ", so what was learned behind it cannot be folded again in the same order",
                line, replay->options.folder, rf_schedule_is_torn(schedule) ? "torn" : "missing", replay->script_end);
    }
    rf_schedule_close(schedule);
    return status;
}

bool rf_replay_is_at(const struct rf_replay *replay) {
    const struct rf_point *point = &replay->options.point;
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    return point->kind == RF_POINT_AFTER && positions->list[replay->target].next_offset == point->offset + 1;
}

// How many records of the partition stand before the offset `end` (INT64_MAX: it does not end), UINT64_MAX: nobody can tell.
static uint64_t left_before(const struct rf_position *position, int64_t end) {
    if (end == INT64_MAX || position->next_offset < 0) {
        return UINT64_MAX;
    }
    return end > position->next_offset ? (uint64_t)(end - position->next_offset) : 0;
}

// At most so many records lead to the point: offsets may be left out in a log, none stands twice.
static uint64_t expect(const struct rf_replay *replay) {
    const struct rf_point *point = &replay->options.point;
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    if (point->kind == RF_POINT_RECORDS) {
        return point->records;
    }
    if (rf_replay_is_at(replay)) {
        return replay->begun;
    }
    uint64_t records = replay->begun;
    uint64_t *left = calloc(positions->count + 1, sizeof *left); // [positions] records of each that do not reach the point
    for (size_t i = 0; left && i < positions->count; i++) {
        const struct rf_position *position = &positions->list[i];
        int64_t end = point->kind == RF_POINT_TIME ? rf_replay_late(replay, position->topic, position->partition) : INT64_MAX;
        bool is_target = (point->kind == RF_POINT_AFTER || point->kind == RF_POINT_BEFORE) && i == replay->target;
        left[i] = left_before(position, is_target ? point->offset : end);
    }
    for (size_t i = 0; left && i < replay->script_count; i++) {
        const struct rf_run *run = &replay->script[i];
        if (run->count > left[run->partition]) {
            records += left[run->partition] + (point->kind == RF_POINT_AFTER);
            break;
        }
        left[run->partition] -= left[run->partition] == UINT64_MAX ? 0 : run->count;
        records += run->count;
    }
    free(left);
    return records;
}

static enum rf_status find_target(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_point *point = &replay->options.point;
    if (point->kind != RF_POINT_AFTER && point->kind != RF_POINT_BEFORE) {
        return RF_OK;
    }
    struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    const struct rf_position *position = rf_positions_find(positions, point->topic, point->partition);
    if (!position) {
        return rf_fail(err, RF_NOT_FOUND, "nothing of %s [%" PRId32 "] was learned, the model %s reads other partitions",
                       point->topic, point->partition, rf_pipeline_name(replay->pipeline));
    }
    replay->target = (size_t)(position - positions->list);
    if (position->next_offset > point->offset && !rf_replay_is_at(replay)) { // a partition that was added behind the start
        return rf_fail(err, RF_NOT_FOUND,
                       "offset %" PRId64 " of %s [%" PRId32 "] was never learned: the model reads it from offset %" PRId64 " on",
                       point->offset, point->topic, point->partition, position->next_offset);
    }
    return RF_OK;
}

enum rf_status rf_replay_read_script(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_lineage *lineage = &replay->lineage;
    enum rf_status status = replay->options.point.kind == RF_POINT_TIME ? check_start_times(replay, err) : RF_OK;
    status = status ? status : add_partitions(replay, err);
    replay->script_end = replay->begun;
    for (size_t i = replay->start; i < lineage->count && !status && !replay->script_torn.status; i++) {
        uint32_t line = lineage->list[i].version.line;
        bool is_last = i + 1 == lineage->count;
        if (!is_last && lineage->list[i + 1].version.line == line) {
            continue; // read as a whole
        }
        status = read_line(replay, line, is_last ? UINT64_MAX : lineage->list[i + 1].records, err);
    }
    uint64_t covered = lineage->list[lineage->count - 1].records;
    if (!status && replay->script_end < covered && !replay->script_torn.status) {
        rf_fail(&replay->script_torn, RF_CORRUPT,
                "the recorded order in %s ends at record %" PRIu64 ", but snapshot %" PRIu64 " holds %" PRIu64
                ": a part of the schedule is missing or torn",
                replay->options.folder, replay->script_end, lineage->list[lineage->count - 1].version.base, covered);
    }
    if (!status) {
        status = find_target(replay, err);
    }
    if (!status) {
        replay->expected = expect(replay);
        status = check_settings(replay, err);
    }
    return status;
}

// The log.

// How many records of a partition are needed, at most.
static uint64_t needed(const struct rf_replay *replay, size_t partition) {
    uint64_t left = replay->expected > replay->begun ? replay->expected - replay->begun : 0, count = 0;
    left += replay->options.point.kind == RF_POINT_BEFORE; // the record itself
    for (size_t i = 0; i < replay->script_count && left > 0; i++) {
        uint64_t taken = replay->script[i].count < left ? replay->script[i].count : left;
        count += replay->script[i].partition == partition ? taken : 0;
        left -= taken;
    }
    return count;
}

static enum rf_status check_ends(struct rf_replay *replay, const uint64_t *needs, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    int64_t *ends = calloc(positions->count + 1, sizeof *ends);
    if (!ends) {
        return no_memory(err);
    }
    rf_source_ends(replay->source, ends);
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < positions->count && !status; i++) {
        const struct rf_position *position = &positions->list[i];
        if (needs[i] && ends[i] >= 0 && ends[i] - position->next_offset < (int64_t)needs[i]) {
            status = rf_fail(err, RF_CONFLICT,
                             "%s [%" PRId32 "] ends at offset %" PRId64 ", but %" PRIu64 " records from offset %" PRId64
                             " on were learned before: the topic was made anew or cut",
                             position->topic, position->partition, ends[i], needs[i], position->next_offset);
        }
    }
    free(ends);
    return status;
}

// Partitions of which nothing is needed are read from their end, so that it does not matter what is left of them.
static enum rf_status assign_needed(struct rf_replay *replay, const uint64_t *needs, struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(replay->pipeline), copy;
    enum rf_status status = RF_OK;
    rf_positions_init(&copy);
    if (rf_positions_copy(&copy, positions)) {
        return no_memory(err);
    }
    for (size_t i = 0; i < copy.count && !status; i++) {
        struct rf_position *position = &copy.list[i];
        if (!needs[i]) {
            position->next_offset = RF_OFFSET_NONE;
            position->fingerprint = 0;
        } else if (position->next_offset == RF_OFFSET_NONE) {
            status = rf_fail(err, RF_CORRUPT, "where %s [%" PRId32 "] was read from on is not on record in %s", position->topic,
                             position->partition, replay->options.folder);
        }
    }
    if (!status && rf_source_assign(replay->source, &copy, err)) {
        rf_fail_in(err, "what was learned from record %" PRIu64 " on cannot be read again", replay->begun);
        status = err->status;
    }
    rf_positions_finish(&copy);
    return status;
}

enum rf_status rf_replay_assign(struct rf_replay *replay, struct rf_error *err) {
    const struct rf_positions *positions = rf_pipeline_positions(replay->pipeline);
    uint64_t *needs = calloc(positions->count + 1, sizeof *needs), all = 0;
    if (!needs) {
        return no_memory(err);
    }
    for (size_t i = 0; i < positions->count; i++) {
        needs[i] = needed(replay, i);
        all += needs[i];
    }
    enum rf_status status = all ? assign_needed(replay, needs, err) : RF_OK;
    if (!status && all) {
        status = check_ends(replay, needs, err);
    }
    free(needs);
    return status;
}
