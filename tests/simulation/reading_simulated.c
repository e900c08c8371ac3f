#include "tests/simulation/reading_simulated.h"

#include <stdlib.h>

enum { IDLE_ONE_IN = 8, REPEATED_MAX = 8 };

void simulated_reading_resize(struct simulated_reading *reading, size_t count) {
    struct simulated_place *places = realloc(reading->places, (count ? count : 1) * sizeof *places);
    if (!places) {
        abort();
    }
    for (size_t i = reading->count; i < count; i++) {
        places[i] = (struct simulated_place){.next = -1};
    }
    reading->places = places;
    reading->count = count;
}

void simulated_reading_begin(struct simulated_reading *reading, size_t index, struct simulated_log *log, int64_t next) {
    if (!reading->places[index].log) {
        reading->active =
                simulated_room(reading->active, reading->active_count, &reading->active_capacity, sizeof *reading->active);
        reading->active[reading->active_count++] = (uint32_t)index;
    }
    reading->places[index] = (struct simulated_place){.log = log, .next = next};
}

void simulated_reading_stop(struct simulated_reading *reading, size_t index) {
    size_t kept = 0;
    for (size_t i = 0; i < reading->active_count; i++) {
        if (reading->active[i] != index) {
            reading->active[kept++] = reading->active[i];
        }
    }
    reading->active_count = kept;
    reading->places[index] = (struct simulated_place){.next = -1};
}

void simulated_reading_finish(struct simulated_reading *reading) {
    free(reading->places);
    free(reading->active);
    *reading = (struct simulated_reading){0};
}

static bool is_ready(const struct simulated_place *place) {
    return place->log && place->next < place->log->stable_end;
}

bool simulated_reading_is_dry(const struct simulated_reading *reading, const struct rf_poll *want) {
    if (want->has_partition) {
        return want->partition >= reading->count || !is_ready(&reading->places[want->partition]);
    }
    for (size_t i = 0; i < reading->active_count; i++) {
        if (is_ready(&reading->places[reading->active[i]])) {
            return false;
        }
    }
    return true;
}

// One by chance among those that have something; one has.
static size_t choose(const struct simulated_reading *reading, struct rf_random *random) {
    size_t ready = 0, i = 0;
    for (size_t k = 0; k < reading->active_count; k++) {
        ready += is_ready(&reading->places[reading->active[k]]);
    }
    uint64_t chosen = rf_random_below(random, ready);
    while (!is_ready(&reading->places[reading->active[i]]) || chosen-- > 0) {
        i++;
    }
    return reading->active[i];
}

static void go_back(struct simulated_place *place, struct rf_random *random) {
    int64_t back = 1 + (int64_t)rf_random_below(random, REPEATED_MAX), given = place->next - place->log->first;
    place->next -= back < given ? back : given;
}

static void give(struct simulated_place *place, size_t index, struct rf_random *random, const struct rf_poll *want,
                 struct rf_records *records) {
    size_t most = (size_t)(place->log->stable_end - place->next), bytes = 0;
    most = most < want->records_max ? most : want->records_max;
    most = want->has_partition ? most : 1 + (size_t)rf_random_below(random, most);
    while (records->count < most) {
        int64_t next = place->next;
        const struct rf_record *record = simulated_log_next(place->log, &next);
        if (record && records->count > 0 && bytes + record->value.size > want->bytes_max) {
            break; // it stays for the next poll
        }
        place->next = next;
        if (!record) {
            break;
        }
        bytes += record->value.size;
        records->list[records->count] = *record;
        records->list[records->count++].partition = (uint32_t)index;
    }
}

enum rf_status simulated_reading_poll(struct simulated_reading *reading, struct rf_random *random, uint64_t repeat_one_in,
                                      const struct rf_poll *want, struct rf_records *records, enum rf_source_event *event_out,
                                      struct rf_error *err) {
    *event_out = RF_SOURCE_IDLE;
    if (simulated_reading_is_dry(reading, want)) {
        return RF_OK;
    }
    size_t index = want->has_partition ? want->partition : choose(reading, random);
    struct simulated_place *place = &reading->places[index];
    if (place->next < place->log->first) {
        return rf_fail(err, RF_CONFLICT,
                       "offset %lld of partition %zu is no longer there: the log was cut while it was being read",
                       (long long)place->next, index);
    }
    if (rf_random_below(random, IDLE_ONE_IN) == 0) {
        return RF_OK;
    }
    if (place->log->without_leader > 0) {
        place->log->without_leader--;
        return RF_OK;
    }
    if (repeat_one_in && rf_random_below(random, repeat_one_in) == 0) {
        go_back(place, random);
    }
    give(place, index, random, want, records);
    *event_out = records->count > 0 ? RF_SOURCE_RECORDS : RF_SOURCE_IDLE;
    return RF_OK;
}
