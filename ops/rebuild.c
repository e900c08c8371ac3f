#include "ops/rebuild.h"

#include "ops/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { POLL_MS = 200, PATIENCE_POLLS = 300, TELL_MS = 1000 }; // a minute for a broker that is away

static int64_t now_ms(void) {
    return rf_clock_system()->monotonic_ms(rf_clock_system());
}

// How far it is and how long it will take, a line every second.
struct teller {
    const char *verb;
    int64_t begun_ms, told_ms;
};

static void tell(struct teller *teller, const struct rf_replay *replay) {
    int64_t now = now_ms();
    if (now - teller->told_ms < TELL_MS) {
        return;
    }
    teller->told_ms = now;
    struct rf_replay_progress progress;
    rf_replay_progress(replay, &progress);
    uint64_t done = progress.records - progress.begun, left = progress.expected - progress.records;
    double rate = (double)done * 1000 / (double)(now - teller->begun_ms);
    fprintf(stderr, "riffle %s: %" PRIu64 " of %" PRIu64 " records, %.0f a second, ", teller->verb, done,
            progress.expected - progress.begun, rate);
    if (done) {
        fprintf(stderr, "%.0f s left\n", (double)left / rate);
    } else {
        fprintf(stderr, "waiting for the source\n");
    }
}

static enum rf_status run(struct rf_rebuild *rebuild, const char *verb, struct rf_error *err) {
    struct teller teller = {.verb = verb, .begun_ms = now_ms(), .told_ms = now_ms()};
    enum rf_status status;
    while ((status = rf_replay_step(rebuild->replay, err)) == RF_OK) {
        tell(&teller, rebuild->replay);
    }
    rebuild->seconds = (double)(now_ms() - teller.begun_ms) / 1000;
    return status == RF_END ? RF_OK : status;
}

static enum rf_status make(const struct rf_rebuild_options *options, struct rf_rebuild *rebuild, struct rf_error *err) {
    struct rf_assembly *assembly = &rebuild->assembly;
    if (assembly->settings.is_embedded) {
        return rf_fail(err, RF_INVALID, "the embedded broker forgets everything at the end, so there is nothing to read again");
    }
    assembly->settings.start = RF_START_LATEST; // of partitions of which nothing is needed, nothing is read
    struct rf_replay_options parts = {
            .disk = assembly->disk,
            .folder = assembly->settings.snapshots.directory,
            .log = &assembly->log,
            .specification = assembly->specification,
            .settings = rf_settings_table,
            .point = options->point,
            .line = (uint32_t)options->line,
            .wait_ms = POLL_MS,
            .wait_tries = PATIENCE_POLLS,
    };
    enum rf_status status = rf_assembly_source(assembly, false, &parts.source, &rebuild->columns, err);
    if (!status) {
        status = rf_assembly_pipeline(assembly, &rebuild->columns, &parts.pipeline, err);
        if (status) {
            rf_source_destroy(parts.source);
        }
    }
    return status ? status : rf_replay_create(&parts, &rebuild->replay, err);
}

enum rf_status rf_rebuild_init(const struct rf_rebuild_options *options, struct rf_rebuild *rebuild_out, struct rf_error *err) {
    *rebuild_out = (struct rf_rebuild){0};
    if (options->line > UINT32_MAX) {
        return rf_fail(err, RF_INVALID, "--line is %" PRIu64 ", must be at most %" PRIu32, options->line, UINT32_MAX);
    }
    enum rf_status status = rf_assembly_init(options->path, options->sets, options->set_count, &rebuild_out->assembly, err);
    if (status) {
        return status;
    }
    status = make(options, rebuild_out, err);
    if (!status) {
        status = run(rebuild_out, options->verb, err);
    }
    if (status) {
        rf_rebuild_finish(rebuild_out);
    }
    return status;
}

void rf_rebuild_finish(struct rf_rebuild *rebuild) {
    rf_replay_destroy(rebuild->replay);
    rf_assembly_columns_finish(&rebuild->columns);
    rf_assembly_finish(&rebuild->assembly);
}
