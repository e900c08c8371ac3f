// Sources one after the other. All are assigned at once and polled in turn; the indices of positions are the same for all, and
// each leaves alone what is not its own.
#include "ingest/source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct member {
    struct rf_source *source;
    bool is_offered, is_assigned;
    bool is_told;    // its last offsets were committed once more after it was closed
    bool is_missing; // what it reads is not there: no matter once it is closed
    struct rf_error missing;
};

struct sequence_source {
    struct rf_source base;
    struct member *members; // [count]
    size_t count;
    struct rf_positions offered;
    size_t *offered_by; // [offered.count] which member
    bool is_offered, is_assigned;
    size_t current; // the member being read; those before it are closed

    // Of the positions assigned.
    size_t position_count;
    size_t *owner; // [position_count] which member reads it, or NOBODY
    int64_t *next; // [position_count] where it began
    int64_t *ends; // [position_count] for one member's answer
};

static const size_t NOBODY = SIZE_MAX;
static const struct rf_source_ops sequence_ops;

static struct sequence_source *sequence_from(struct rf_source *self) {
    assert(self->ops == &sequence_ops);
    return (struct sequence_source *)self;
}

static enum rf_status told(struct sequence_source *sequence, const struct member *member, enum rf_status status) {
    sequence->base.is_temporary = status && member->source->is_temporary;
    return status;
}

static size_t owner_of(const struct sequence_source *sequence, const struct rf_position *position) {
    const struct rf_position *found = rf_positions_find(&sequence->offered, position->topic, position->partition);
    return found ? sequence->offered_by[found - sequence->offered.list] : NOBODY;
}

static enum rf_status take_offer(struct sequence_source *sequence, size_t member, const struct rf_positions *partitions,
                                 struct rf_error *err) {
    size_t *offered_by = realloc(sequence->offered_by, (sequence->offered.count + partitions->count) * sizeof *offered_by);
    if (!offered_by) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", partitions->count);
    }
    sequence->offered_by = offered_by;
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index, before = sequence->offered.count;
        if (rf_positions_add(&sequence->offered, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", partitions->count);
        }
        if (index < before) {
            return rf_fail(err, RF_INVALID, "%s is to be read twice, must be named once", partitions->list[i].topic);
        }
        offered_by[index] = member;
    }
    return RF_OK;
}

// Asks the members in turn for what they would read, going on where a failure that passes interrupted it.
static enum rf_status offer(struct sequence_source *sequence, const struct rf_poll *want, struct rf_records *records,
                            enum rf_source_event *event_out, const struct rf_positions **partitions_out, struct rf_error *err) {
    for (size_t i = 0; i < sequence->count; i++) {
        struct member *member = &sequence->members[i];
        if (member->is_offered) {
            continue;
        }
        enum rf_source_event event = RF_SOURCE_IDLE;
        const struct rf_positions *partitions;
        enum rf_status status = rf_source_poll(member->source, want, records, &event, &partitions, err);
        member->is_missing = status == RF_NOT_FOUND && i + 1 < sequence->count;
        if (member->is_missing) {
            member->missing = *err;
        } else if (status) {
            return told(sequence, member, status);
        } else if (event != RF_SOURCE_ASSIGNED) {
            *event_out = RF_SOURCE_IDLE;
            return RF_OK;
        } else if ((status = take_offer(sequence, i, partitions, err)) != RF_OK) {
            return status;
        }
        member->is_offered = true;
    }
    sequence->is_offered = true;
    *event_out = RF_SOURCE_ASSIGNED;
    *partitions_out = &sequence->offered;
    return RF_OK;
}

static enum rf_status poll_recorded(struct sequence_source *sequence, const struct rf_poll *want, struct rf_records *records,
                                    enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                    struct rf_error *err) {
    size_t owner = want->partition < sequence->position_count ? sequence->owner[want->partition] : NOBODY;
    if (owner == NOBODY || !sequence->members[owner].is_assigned) {
        return rf_fail(err, RF_CONFLICT,
                       "the recorded order goes on with records of a source that is not read any more: name it "
                       "once more, until a snapshot covers them");
    }
    struct member *member = &sequence->members[owner];
    enum rf_status status = rf_source_poll(member->source, want, records, event_out, partitions_out, err);
    if (!status && records->count > 0 && owner > sequence->current) {
        sequence->current = owner;
    }
    return told(sequence, member, status);
}

static enum rf_status sequence_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                                    enum rf_source_event *event_out, const struct rf_positions **partitions_out,
                                    struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    if (!sequence->is_offered) {
        return offer(sequence, want, records, event_out, partitions_out, err);
    }
    if (!sequence->is_assigned) {
        *event_out = RF_SOURCE_IDLE;
        return RF_OK;
    }
    if (want->has_partition) {
        return poll_recorded(sequence, want, records, event_out, partitions_out, err);
    }
    for (;;) {
        struct member *member = &sequence->members[sequence->current];
        enum rf_status status = rf_source_poll(member->source, want, records, event_out, partitions_out, err);
        if (status || *event_out != RF_SOURCE_END || sequence->current + 1 == sequence->count) {
            return told(sequence, member, status);
        }
        sequence->current++;
    }
}

// The first member that is not closed: the last one of which a record was applied.
static size_t first_open(const struct sequence_source *sequence, const struct rf_positions *positions) {
    size_t first = 0;
    for (size_t i = 0; i < positions->count; i++) {
        size_t owner = positions->list[i].records > 0 ? owner_of(sequence, &positions->list[i]) : NOBODY;
        first = owner != NOBODY && owner > first ? owner : first;
    }
    return first;
}

static enum rf_status sequence_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                                    struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    struct rf_holding *holdings = calloc(positions->count, sizeof *holdings);
    enum rf_status status = holdings ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    for (size_t k = first_open(sequence, positions); k < sequence->count && !status; k++) {
        struct member *member = &sequence->members[k];
        if (member->is_missing) {
            continue; // assign() tells of it
        }
        status = told(sequence, member, rf_source_look(member->source, positions, holdings, err));
        for (size_t i = 0; i < positions->count && !status; i++) {
            if (owner_of(sequence, &positions->list[i]) == k) {
                holdings_out[i] = holdings[i];
            }
        }
    }
    free(holdings);
    return status;
}

// What is closed is as it is. A member of which nothing was ever known cannot be: it was named too late.
static enum rf_status close_member(const struct sequence_source *sequence, size_t member, struct rf_positions *positions,
                                   struct rf_error *err) {
    const struct rf_position *unknown = NULL;
    bool was_known = false;
    for (size_t i = 0; i < positions->count; i++) {
        if (owner_of(sequence, &positions->list[i]) == member) {
            bool is_known = positions->list[i].next_offset != RF_OFFSET_NONE || positions->list[i].records > 0;
            unknown = is_known ? unknown : &positions->list[i];
            was_known |= is_known;
        }
    }
    if (unknown && !was_known) {
        return rf_fail(
                err, RF_CONFLICT,
                "%s was to be learned before what was learned already; name it no more, or give the model a new state folder",
                unknown->topic);
    }
    for (size_t i = 0; i < positions->count; i++) {
        if (owner_of(sequence, &positions->list[i]) == member && positions->list[i].next_offset == RF_OFFSET_NONE) {
            positions->list[i].next_offset = 0; // came when it was closed
        }
    }
    return RF_OK;
}

static void unassign_members(struct sequence_source *sequence) {
    for (size_t i = 0; i < sequence->count; i++) {
        struct member *member = &sequence->members[i];
        if (member->is_assigned) {
            rf_source_unassign(member->source);
        }
        member->is_assigned = false;
    }
}

static enum rf_status remember(struct sequence_source *sequence, const struct rf_positions *positions, struct rf_error *err) {
    free(sequence->owner);
    free(sequence->next);
    free(sequence->ends);
    sequence->position_count = 0;
    sequence->owner = calloc(positions->count + 1, sizeof *sequence->owner);
    sequence->next = calloc(positions->count + 1, sizeof *sequence->next);
    sequence->ends = calloc(positions->count + 1, sizeof *sequence->ends);
    if (!sequence->owner || !sequence->next || !sequence->ends) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    sequence->position_count = positions->count;
    for (size_t i = 0; i < positions->count; i++) {
        sequence->owner[i] = owner_of(sequence, &positions->list[i]);
    }
    return RF_OK;
}

static enum rf_status sequence_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    assert(!sequence->is_assigned);
    size_t first = first_open(sequence, positions);
    enum rf_status status = remember(sequence, positions, err);
    for (size_t k = 0; k < sequence->count && !status; k++) {
        struct member *member = &sequence->members[k];
        if (k < first) {
            status = close_member(sequence, k, positions, err);
        } else if (member->is_missing) {
            *err = member->missing;
            status = err->status;
        } else {
            status = told(sequence, member, rf_source_assign(member->source, positions, err));
            member->is_assigned = !status;
        }
    }
    if (status) {
        unassign_members(sequence);
        return status;
    }
    for (size_t i = 0; i < positions->count; i++) {
        sequence->next[i] = positions->list[i].next_offset;
    }
    sequence->current = first;
    sequence->is_assigned = true;
    return RF_OK;
}

static void sequence_unassign(struct rf_source *self) {
    struct sequence_source *sequence = sequence_from(self);
    for (size_t i = 0; i < sequence->count; i++) {
        struct member *member = &sequence->members[i];
        if (member->is_offered && !member->is_missing) {
            rf_source_unassign(member->source); // offers anew
        }
        member->is_offered = member->is_assigned = member->is_missing = false;
    }
    rf_positions_finish(&sequence->offered);
    rf_positions_init(&sequence->offered);
    sequence->is_offered = sequence->is_assigned = false;
}

static enum rf_status sequence_refresh(struct rf_source *self, struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    struct member *member = &sequence->members[sequence->current];
    return sequence->is_assigned ? told(sequence, member, rf_source_refresh(member->source, err)) : RF_OK;
}

// Of a member that is closed the offsets stay, so they are told once more at most, and it does not matter whether that works.
static enum rf_status sequence_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                      struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    enum rf_status status = RF_OK;
    for (size_t k = 0; k < sequence->count && !status; k++) {
        struct member *member = &sequence->members[k];
        if (member->is_assigned) {
            status = told(sequence, member, rf_source_commit(member->source, positions, note, err));
        } else if (member->is_offered && !member->is_missing && !member->is_told) {
            struct rf_error ignored;
            enum rf_status unimportant = rf_source_commit(member->source, positions, note, &ignored);
            (void)unimportant;
            member->is_told = true;
        }
    }
    return status;
}

static enum rf_status sequence_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                         struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    struct rf_positions answers;
    char note[256];
    enum rf_status status = RF_OK;
    rf_positions_init(&answers);
    note_out[0] = '\0';
    for (size_t i = 0; i < positions->count; i++) {
        positions->list[i].next_offset = RF_OFFSET_NONE;
    }
    for (size_t k = 0; k < sequence->count && !status; k++) {
        struct member *member = &sequence->members[k];
        if (member->is_missing) {
            continue;
        }
        status = rf_positions_copy(&answers, positions)
                         ? rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count)
                         : RF_OK;
        if (!status) {
            status = told(sequence, member, rf_source_committed(member->source, &answers, note, sizeof note, err));
        }
        for (size_t i = 0; i < positions->count && !status; i++) {
            if (owner_of(sequence, &positions->list[i]) == k) {
                positions->list[i].next_offset = answers.list[i].next_offset;
            }
        }
        if (!status && !note_out[0] && strlen(note) < note_size) {
            memcpy(note_out, note, strlen(note) + 1);
        }
    }
    rf_positions_finish(&answers);
    return status;
}

// Nothing is left to be read of what is closed, or of nobody.
static void sequence_ends(struct rf_source *self, int64_t *end_out) {
    struct sequence_source *sequence = sequence_from(self);
    memcpy(end_out, sequence->next, sequence->position_count * sizeof *end_out);
    for (size_t k = 0; k < sequence->count; k++) {
        if (!sequence->members[k].is_assigned) {
            continue;
        }
        rf_source_ends(sequence->members[k].source, sequence->ends);
        for (size_t i = 0; i < sequence->position_count; i++) {
            end_out[i] = sequence->owner[i] == k ? sequence->ends[i] : end_out[i];
        }
    }
}

// A question of all members, each about those of the positions that it reads.
struct asked_times {
    const struct rf_positions *positions;
    int64_t time_ms;
    int64_t *offset_out;     // [positions]
    struct rf_positions own; // of the member that is asked, their texts borrowed; room for all
    int64_t *own_offset;     // [own], room for all
};

static enum rf_status ask_times(struct sequence_source *sequence, size_t member, struct asked_times *asked,
                                struct rf_error *err) {
    struct rf_source *source = sequence->members[member].source;
    const struct rf_positions *positions = asked->positions;
    asked->own.count = 0;
    for (size_t i = 0; i < positions->count; i++) {
        if (owner_of(sequence, &positions->list[i]) == member) {
            asked->own.list[asked->own.count++] = positions->list[i];
        }
    }
    if (asked->own.count == 0) {
        return RF_OK;
    }
    enum rf_status status = told(sequence, &sequence->members[member],
                                 rf_source_times(source, &asked->own, asked->time_ms, asked->own_offset, err));
    if (status == RF_UNSUPPORTED) {
        rf_fail_in(err, "%s", asked->own.list[0].topic);
    }
    for (size_t i = 0, next = 0; i < positions->count && !status; i++) {
        if (owner_of(sequence, &positions->list[i]) == member) {
            asked->offset_out[i] = asked->own_offset[next++];
        }
    }
    return status;
}

// A sequence has times when all that it reads has.
static enum rf_status sequence_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms,
                                     int64_t *offset_out, struct rf_error *err) {
    struct sequence_source *sequence = sequence_from(self);
    struct asked_times asked = {
            .positions = positions,
            .time_ms = time_ms,
            .offset_out = offset_out,
            .own = {.list = calloc(positions->count + 1, sizeof *asked.own.list)},
            .own_offset = calloc(positions->count + 1, sizeof *asked.own_offset),
    };
    bool has_room = asked.own.list && asked.own_offset;
    enum rf_status status = has_room ? RF_OK : rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    for (size_t i = 0; i < positions->count; i++) {
        offset_out[i] = -1;
    }
    for (size_t k = 0; k < sequence->count && !status; k++) {
        status = ask_times(sequence, k, &asked, err);
    }
    free(asked.own.list);
    free(asked.own_offset);
    return status;
}

// All records of a loan are of one member.
static void sequence_release(struct rf_source *self, struct rf_records *records) {
    struct sequence_source *sequence = sequence_from(self);
    struct rf_source *source = sequence->members[sequence->owner[records->list[0].partition]].source;
    source->ops->release(source, records);
}

static void sequence_destroy(struct rf_source *self) {
    struct sequence_source *sequence = sequence_from(self);
    for (size_t i = 0; i < sequence->count; i++) {
        rf_source_destroy(sequence->members[i].source);
    }
    rf_positions_finish(&sequence->offered);
    free(sequence->offered_by);
    free(sequence->members);
    free(sequence->owner);
    free(sequence->next);
    free(sequence->ends);
    free(sequence);
}

static const struct rf_source_ops sequence_ops = {
        .name = "sequence",
        .poll = sequence_poll,
        .look = sequence_look,
        .refresh = sequence_refresh,
        .assign = sequence_assign,
        .unassign = sequence_unassign,
        .commit = sequence_commit,
        .committed = sequence_committed,
        .ends = sequence_ends,
        .times = sequence_times,
        .release = sequence_release,
        .destroy = sequence_destroy,
};

enum rf_status rf_source_sequence_create(struct rf_source *const *sources, size_t count, struct rf_source **source_out,
                                         struct rf_error *err) {
    assert(count > 0);
    struct sequence_source *sequence = calloc(1, sizeof *sequence);
    struct member *members = calloc(count, sizeof *members);
    if (!sequence || !members) {
        free(sequence);
        free(members);
        for (size_t i = 0; i < count; i++) {
            rf_source_destroy(sources[i]);
        }
        return rf_fail(err, RF_MEMORY, "out of memory for %zu sources", count);
    }
    sequence->base.ops = &sequence_ops;
    sequence->members = members;
    sequence->count = count;
    rf_positions_init(&sequence->offered);
    for (size_t i = 0; i < count; i++) {
        members[i].source = sources[i];
    }
    *source_out = &sequence->base;
    return RF_OK;
}
