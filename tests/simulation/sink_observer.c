#include "tests/simulation/sink_observer.h"

#include "sinks/message.h"
#include "tests/test.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    struct rf_version version;
    int32_t partition;
    int64_t offset;
    double score;
};

struct observer {
    struct seen *list; // [capacity]
    size_t count, capacity;
};

struct observer_sink {
    struct rf_sink base;
    struct observer *observer;
};

static enum rf_status observer_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                       struct rf_error *err) {
    struct observer *observer = ((struct observer_sink *)self)->observer;
    const struct rf_examples *examples = predictions->examples;
    (void)err;
    for (; *done < examples->count; (*done)++) {
        if (!rf_message_is_due(predictions, *done)) {
            continue;
        }
        if (observer->count == observer->capacity) {
            observer->capacity = observer->capacity ? 2 * observer->capacity : 1024;
            observer->list = realloc(observer->list, observer->capacity * sizeof *observer->list);
            assert_non_null(observer->list);
        }
        struct seen *seen = &observer->list[observer->count++];
        *seen = (struct seen){.version = predictions->version,
                              .partition = predictions->positions->list[examples->partition[*done]].partition,
                              .offset = examples->offset[*done],
                              .score = predictions->score[*done * predictions->outputs]};
        seen->version.since = predictions->since[*done];
    }
    return RF_OK;
}

static void observer_sink_destroy(struct rf_sink *self) {
    free(self);
}

static const struct rf_sink_ops observer_ops = {
        .name = "observer",
        .publish = observer_publish,
        .destroy = observer_sink_destroy,
};

struct observer *observer_create(void) {
    struct observer *observer = calloc(1, sizeof *observer);
    assert_non_null(observer);
    return observer;
}

void observer_destroy(struct observer *observer) {
    if (observer) {
        free(observer->list);
        free(observer);
    }
}

enum rf_status sink_observer_create(struct observer *observer, struct rf_sink **sink_out, struct rf_error *err) {
    struct observer_sink *sink = calloc(1, sizeof *sink);
    if (!sink || !(sink->base.label = strdup("observer"))) {
        free(sink);
        return rf_fail(err, RF_MEMORY, "a sink does not fit into memory");
    }
    sink->base.ops = &observer_ops;
    sink->observer = observer;
    *sink_out = &sink->base;
    return RF_OK;
}

static int by_number(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int by_version(const void *left, const void *right) {
    const struct rf_version *a = &((const struct seen *)left)->version, *b = &((const struct seen *)right)->version;
    int order = by_number(a->line, b->line);
    order = order ? order : by_number(a->base, b->base);
    order = order ? order : by_number(a->epoch, b->epoch);
    return order ? order : by_number(a->since, b->since);
}

size_t assert_versions_used_once(struct observer *observer) {
    if (observer->count) {
        qsort(observer->list, observer->count, sizeof *observer->list, by_version);
    }
    for (size_t i = 1; i < observer->count; i++) {
        const struct seen *a = &observer->list[i - 1], *b = &observer->list[i];
        if (by_version(a, b) == 0 &&
            (a->partition != b->partition || a->offset != b->offset || memcmp(&a->score, &b->score, sizeof a->score) != 0)) {
            fail_msg("version %u.%" PRIu64 ".%u.%" PRIu64 " is of offset %" PRId64 " of partition %d, and of offset %" PRId64
                     " of partition %d",
                     a->version.line, a->version.base, a->version.epoch, a->version.since, a->offset, (int)a->partition,
                     b->offset, (int)b->partition);
        }
    }
    return observer->count;
}
