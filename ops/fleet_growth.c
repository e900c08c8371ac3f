#include "ops/fleet_growth.h"

#include <assert.h>
#include <stdlib.h>

void rf_growth_init(struct rf_growth *growth) {
    *growth = (struct rf_growth){0};
    rf_positions_init(&growth->from);
}

void rf_growth_finish(struct rf_growth *growth) {
    rf_positions_finish(&growth->from);
    free(growth->runs);
    *growth = (struct rf_growth){0};
}

enum rf_status rf_growth_begin(struct rf_growth *growth, const struct rf_pipeline *pipeline, const struct rf_positions *positions,
                               struct rf_error *err) {
    if (rf_positions_copy(&growth->from, positions)) {
        return rf_fail(err, RF_MEMORY, "out of memory for %zu partitions", positions->count);
    }
    growth->run_count = 0;
    growth->deltas = 0;
    growth->before = *rf_pipeline_counts(pipeline);
    return RF_OK;
}

enum rf_status rf_growth_add(struct rf_growth *growth, const struct rf_run *runs, size_t count, struct rf_error *err) {
    for (size_t i = 0; i < count; i++) {
        struct rf_fleet_run *last = growth->run_count ? &growth->runs[growth->run_count - 1] : NULL;
        if (last && last->range == runs[i].partition && growth->deltas == 0) {
            last->records += runs[i].count;
            continue;
        }
        if (growth->run_count == growth->run_capacity) {
            size_t capacity = growth->run_capacity ? 2 * growth->run_capacity : 64;
            struct rf_fleet_run *more = reallocarray(growth->runs, capacity, sizeof *more);
            if (!more) {
                return rf_fail(err, RF_MEMORY, "out of memory for the order of %zu runs", capacity);
            }
            growth->runs = more;
            growth->run_capacity = capacity;
        }
        assert(growth->runs);
        growth->runs[growth->run_count++] =
                (struct rf_fleet_run){.range = runs[i].partition, .records = runs[i].count, .deltas = growth->deltas};
        growth->deltas = 0;
    }
    return RF_OK;
}

void rf_growth_add_delta(struct rf_growth *growth) {
    growth->deltas++;
}

uint64_t rf_growth_records(const struct rf_growth *growth, const struct rf_pipeline *pipeline) {
    return rf_pipeline_counts(pipeline)->records - growth->before.records;
}

static uint64_t records_from(const struct rf_growth *growth, size_t index, const struct rf_position *now) {
    return now->records - (index < growth->from.count ? growth->from.list[index].records : 0);
}

// Of each partition, the index of its range; ranges are those that moved.
static void list_ranges(const struct rf_growth *growth, const struct rf_positions *positions, struct rf_fleet_range *ranges,
                        uint32_t *range_of, size_t *count_out) {
    size_t count = 0;
    for (size_t i = 0; i < positions->count; i++) {
        const struct rf_position *now = &positions->list[i];
        uint64_t records = records_from(growth, i, now);
        if (records == 0) {
            continue;
        }
        range_of[i] = (uint32_t)count;
        ranges[count++] =
                (struct rf_fleet_range){.topic = now->topic,
                                        .partition = now->partition,
                                        .from = i < growth->from.count ? growth->from.list[i].next_offset : RF_OFFSET_NONE,
                                        .to = now->next_offset,
                                        .fingerprint = now->fingerprint,
                                        .records = records};
    }
    *count_out = count;
}

enum rf_status rf_growth_describe(const struct rf_growth *growth, const struct rf_pipeline *pipeline,
                                  const struct rf_positions *positions, struct rf_fleet_delta *delta_out, struct rf_error *err) {
    const struct rf_pipeline_counts *now = rf_pipeline_counts(pipeline);
    struct rf_fleet_range *ranges = calloc(positions->count + 1, sizeof *ranges);
    struct rf_fleet_run *runs = calloc(growth->run_count + 1, sizeof *runs);
    uint32_t *range_of = calloc(positions->count + 1, sizeof *range_of);
    if (!ranges || !runs || !range_of) {
        free(ranges);
        free(runs);
        free(range_of);
        return rf_fail(err, RF_MEMORY, "out of memory for the ranges of a delta");
    }
    list_ranges(growth, positions, ranges, range_of, &delta_out->range_count);
    for (size_t i = 0; i < growth->run_count; i++) {
        runs[i] = growth->runs[i];
        runs[i].range = range_of[runs[i].range];
    }
    free(range_of);
    delta_out->ranges = ranges;
    delta_out->runs = runs;
    delta_out->run_count = growth->run_count;
    delta_out->records = now->records - growth->before.records;
    delta_out->learned = now->learned - growth->before.learned;
    delta_out->rejected = now->rejected - growth->before.rejected;
    return RF_OK;
}
