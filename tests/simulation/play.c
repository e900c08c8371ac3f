#include "tests/simulation/play.h"

#include <inttypes.h>
#include <string.h>

static void assert_excused(const struct play *play, const char *sentence) {
    if (!play->has_excuse && !strstr(sentence, "all brokers are away")) {
        fail_msg("nothing was done to disk or Kafka, but the worker failed: %s", sentence);
    }
    assert_true(strlen(sentence) > 10);
}

void assert_at_rest(struct play *play) {
    for (const struct invariant *invariant = invariants; invariant->claim; invariant++) {
        if (invariant->at_rest) {
            invariant->at_rest(play);
        }
    }
}

void end_life(struct play *play) {
    if (play->is_alive) {
        die(&play->world, &play->life);
        play->is_alive = false;
    }
    fail_disk(&play->world, 0);
    play->has_excuse = false;
    assert_at_rest(play);
}

void assert_at_end(struct play *play) {
    for (const struct invariant *invariant = invariants; invariant->claim; invariant++) {
        if (invariant->at_end) {
            invariant->at_end(play);
        }
    }
}

bool have_life(struct play *play) {
    if (!play->is_alive) {
        play->is_alive = be_born(&play->world, &play->life) == RF_OK;
        play->lives++;
        if (!play->is_alive) {
            assert_excused(play, play->life.err.text);
            die(&play->world, &play->life);
            end_life(play);
        }
    }
    return play->is_alive;
}

void go_on(struct play *play, uint64_t turns) {
    if (live_for(&play->world, &play->life, turns)) {
        return;
    }
    struct rf_worker_report report;
    rf_worker_report(play->life.worker, &report);
    if (report.status) {
        tell(&play->world, ": %s", report.sentence);
        assert_excused(play, report.sentence);
    }
    end_life(play);
}

void draw_retention(struct play *play) {
    static const size_t keeps[] = {1, 1, 2, 3, 6};
    static const uint64_t hours[] = {0, 0, 2, 24, 2000}, days[] = {0, 0, 1, 7, 400};
    struct rf_random *random = &play->world.random;
    struct rf_retention *retention = &play->world.retention;
    *retention = (struct rf_retention){keeps[rf_random_below(random, 5)], hours[rf_random_below(random, 5)],
                                       days[rf_random_below(random, 5)]};
    tell(&play->world, "; keeps %zu, %" PRIu64 " hours and %" PRIu64 " days", retention->keep, retention->keep_hours,
         retention->keep_days);
}

enum rf_status roll_back(struct play *play, uint64_t number, struct rf_error *err) {
    struct world *world = &play->world;
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline = NULL;
    struct rf_version version;
    assemble(world, &assembly);
    assert_int_equal(rf_assembly_pipeline(&assembly, NULL, &pipeline, err), RF_OK);
    enum rf_status status = rf_assembly_state(&assembly, pipeline, err);
    if (!status) {
        status = rf_checkpoint_rollback(rf_pipeline_checkpoint(pipeline), pipeline, number, world->clock.now_ms, &version, err);
    }
    rf_pipeline_destroy(pipeline);
    disassemble(world, &assembly);
    tell(world, "; rolled back to snapshot %d%s%s", (int)number, status ? ", which failed: " : "", status ? err->text : "");
    play->rollbacks++;
    return status;
}
