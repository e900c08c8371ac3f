#include "tests/simulation/fleet_tally.h"

#include "tests/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tally_sink {
    struct rf_sink base;
    struct fleet_tally *tally;
};

static void remember(struct fleet_tally *tally, const struct fleet_given *given) {
    if (tally->count == tally->capacity) {
        tally->capacity = tally->capacity ? 2 * tally->capacity : 1024;
        tally->list = reallocarray(tally->list, tally->capacity, sizeof *tally->list);
        assert_non_null(tally->list);
    }
    tally->list[tally->count++] = *given;
}

static enum rf_status tally_publish(struct rf_sink *self, const struct rf_predictions *predictions, size_t *done,
                                    struct rf_error *err) {
    (void)err;
    struct tally_sink *sink = (struct tally_sink *)self;
    const struct rf_examples *examples = predictions->examples;
    for (; *done < examples->count; (*done)++) {
        if (examples->purpose[*done] & RF_PREDICT) {
            remember(sink->tally,
                     &(struct fleet_given){.line = predictions->version.line,
                                           .epoch = predictions->version.epoch,
                                           .since = predictions->since[*done],
                                           .partition = predictions->positions->list[examples->partition[*done]].partition,
                                           .offset = examples->offset[*done],
                                           .score = predictions->score[*done]});
        }
    }
    return RF_OK;
}

static enum rf_status tally_retract(struct rf_sink *self, const struct rf_retraction *retraction, struct rf_error *err) {
    (void)err;
    struct fleet_tally *tally = ((struct tally_sink *)self)->tally;
    for (size_t i = 0; i < tally->count; i++) {
        struct fleet_given *given = &tally->list[i];
        bool is_meant = given->line == retraction->line && given->epoch == retraction->epoch &&
                        given->since >= retraction->since_first && given->since < retraction->since_end;
        given->is_void = given->is_void || is_meant;
    }
    return RF_OK;
}

static void tally_free(struct rf_sink *self) {
    free(self);
}

static const struct rf_sink_ops tally_ops = {
        .name = "tally", .publish = tally_publish, .retract = tally_retract, .destroy = tally_free};

struct rf_sink *fleet_tally_sink(struct fleet_tally *tally) {
    struct tally_sink *sink = calloc(1, sizeof *sink);
    assert_non_null(sink);
    sink->base.ops = &tally_ops;
    sink->base.label = strdup("tally");
    sink->tally = tally;
    return &sink->base;
}

void fleet_tally_destroy(struct fleet_tally *tally) {
    if (tally) {
        free(tally->list);
        free(tally);
    }
}
