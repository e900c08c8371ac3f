#include "ingest/source.h"

#include <assert.h>

enum rf_status rf_source_poll(struct rf_source *self, const struct rf_poll *want, struct rf_records *records,
                              enum rf_source_event *event_out, const struct rf_positions **partitions_out, struct rf_error *err) {
    assert(records->count == 0); // the loan before was released
    assert(want->records_max > 0);
    assert(want->records_max <= records->capacity);
    assert(records->header_capacity == 0 || records->header_capacity >= RF_RECORD_HEADERS_MAX);
    records->header_count = 0;
    self->is_temporary = false;
    return self->ops->poll(self, want, records, event_out, partitions_out, err);
}

enum rf_status rf_source_assign(struct rf_source *self, struct rf_positions *positions, struct rf_error *err) {
    self->is_temporary = false;
    enum rf_status status = self->ops->assign(self, positions, err);
    if (status == RF_OK) {
        self->partitions_assigned = positions->count;
    }
    return status;
}

enum rf_status rf_source_look(struct rf_source *self, const struct rf_positions *positions, struct rf_holding *holdings_out,
                              struct rf_error *err) {
    self->is_temporary = false;
    for (size_t i = 0; i < positions->count; i++) {
        holdings_out[i] = (struct rf_holding){.end = -1};
    }
    return self->ops->look && positions->count ? self->ops->look(self, positions, holdings_out, err) : RF_OK;
}

enum rf_status rf_source_refresh(struct rf_source *self, struct rf_error *err) {
    self->is_temporary = false;
    return self->ops->refresh ? self->ops->refresh(self, err) : RF_OK;
}

void rf_source_unassign(struct rf_source *self) {
    self->ops->unassign(self);
    if (!self->ops->group) { // of a group, the others stay
        self->partitions_assigned = 0;
    }
}

enum rf_status rf_source_commit(struct rf_source *self, const struct rf_positions *positions, const char *note,
                                struct rf_error *err) {
    self->is_temporary = false;
    return self->ops->commit ? self->ops->commit(self, positions, note, err) : RF_OK;
}

enum rf_status rf_source_committed(struct rf_source *self, struct rf_positions *positions, char *note_out, size_t note_size,
                                   struct rf_error *err) {
    assert(note_size > 0);
    self->is_temporary = false;
    if (self->ops->committed) {
        return self->ops->committed(self, positions, note_out, note_size, err);
    }
    for (size_t i = 0; i < positions->count; i++) {
        positions->list[i].next_offset = RF_OFFSET_NONE;
    }
    note_out[0] = '\0';
    return RF_OK;
}

void rf_source_ends(struct rf_source *self, int64_t *end_out) {
    for (size_t i = 0; i < self->partitions_assigned; i++) {
        end_out[i] = -1;
    }
    if (self->ops->ends && self->partitions_assigned > 0) {
        self->ops->ends(self, end_out);
    }
}

enum rf_status rf_source_times(struct rf_source *self, const struct rf_positions *positions, int64_t time_ms, int64_t *offset_out,
                               struct rf_error *err) {
    self->is_temporary = false;
    return self->ops->times
                   ? self->ops->times(self, positions, time_ms, offset_out, err)
                   : rf_fail(err, RF_UNSUPPORTED, "records of a %s carry no time of their own, give an offset", self->ops->name);
}

enum rf_status rf_source_group(struct rf_source *self, uint8_t **bytes_out, size_t *size_out, struct rf_error *err) {
    return self->ops->group ? self->ops->group(self, bytes_out, size_out, err)
                            : rf_fail(err, RF_UNSUPPORTED, "a %s source is of no group", self->ops->name);
}

void rf_source_release(struct rf_source *self, struct rf_records *records) {
    if (records->count > 0) {
        self->ops->release(self, records);
        records->count = 0;
    }
}

void rf_source_destroy(struct rf_source *self) {
    if (self) {
        self->ops->destroy(self);
    }
}
