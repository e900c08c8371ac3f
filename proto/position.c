#include "proto/position.h"

#include <stdlib.h>
#include <string.h>

void rf_positions_init(struct rf_positions *positions) {
    *positions = (struct rf_positions){0};
}

void rf_positions_finish(struct rf_positions *positions) {
    for (size_t i = 0; i < positions->count; i++) {
        free(positions->list[i].topic);
    }
    free(positions->list);
    *positions = (struct rf_positions){0};
}

struct rf_position *rf_positions_find(const struct rf_positions *positions, const char *topic, int32_t partition) {
    for (size_t i = 0; i < positions->count; i++) {
        struct rf_position *position = &positions->list[i];
        if (position->partition == partition && strcmp(position->topic, topic) == 0) {
            return position;
        }
    }
    return NULL;
}

static enum rf_status grow(struct rf_positions *positions, size_t capacity) {
    struct rf_position *list = reallocarray(positions->list, capacity, sizeof *list);
    if (!list) {
        return RF_MEMORY;
    }
    positions->list = list;
    positions->capacity = capacity;
    return RF_OK;
}

// Appends a copy of a position that is not there yet.
static enum rf_status append(struct rf_positions *positions, const struct rf_position *position) {
    if (positions->count == positions->capacity) {
        enum rf_status status = grow(positions, positions->capacity ? 2 * positions->capacity : 8);
        if (status != RF_OK) {
            return status;
        }
    }
    char *topic = strdup(position->topic);
    if (!topic) {
        return RF_MEMORY;
    }
    struct rf_position *added = &positions->list[positions->count++];
    *added = *position;
    added->topic = topic;
    return RF_OK;
}

enum rf_status rf_positions_add(struct rf_positions *positions, const char *topic, int32_t partition, size_t *index_out) {
    const struct rf_position *found = rf_positions_find(positions, topic, partition);
    if (found) {
        *index_out = (size_t)(found - positions->list);
        return RF_OK;
    }
    const struct rf_position fresh = {.topic = (char *)topic, .partition = partition, .next_offset = RF_OFFSET_NONE};
    enum rf_status status = append(positions, &fresh);
    if (status == RF_OK) {
        *index_out = positions->count - 1;
    }
    return status;
}

enum rf_status rf_positions_copy(struct rf_positions *to, const struct rf_positions *from) {
    struct rf_positions copy;
    rf_positions_init(&copy);
    for (size_t i = 0; i < from->count; i++) {
        enum rf_status status = append(&copy, &from->list[i]);
        if (status != RF_OK) {
            rf_positions_finish(&copy);
            return status;
        }
    }
    rf_positions_finish(to);
    *to = copy;
    return RF_OK;
}
