#include "ops/embedded.h"

#include "ingest/broker.h"
#include "ingest/generator.h"
#include "ops/clock.h"
#include "sinks/producer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AHEAD_MAX = 20000, PACE_MS = 1 }; // records the reader may lie behind

struct rf_embedded {
    struct rf_broker *broker;
    struct rf_generator *generator;
    struct rf_producer *producer;
    struct rf_log *log;
    const char *topic;
    uint64_t records; // 0: no end
    _Atomic uint64_t applied;
    _Atomic bool is_stopping;
    bool has_started;
    pthread_t thread;
};

static enum rf_status send(struct rf_embedded *embedded, const struct rf_generated *record, struct rf_error *err) {
    enum rf_status status;
    do {
        status = rf_producer_send(embedded->producer, embedded->topic, -1, record->key, record->value, record->time_ms, err);
        if (status == RF_AGAIN) {
            (void)!rf_producer_settle(embedded->producer, PACE_MS, err);
        }
    } while (status == RF_AGAIN && !atomic_load(&embedded->is_stopping));
    return status;
}

static void *generate(void *context) {
    struct rf_embedded *embedded = context;
    struct rf_error err;
    struct rf_clock *clock = rf_clock_system();
    for (uint64_t made = 0; !atomic_load(&embedded->is_stopping);) {
        if ((embedded->records && made == embedded->records) || made >= atomic_load(&embedded->applied) + AHEAD_MAX) {
            (void)!rf_producer_settle(embedded->producer, 0, &err);
            clock->sleep_ms(clock, PACE_MS);
            continue;
        }
        struct rf_generated record;
        rf_generator_next(embedded->generator, &record);
        enum rf_status status = send(embedded, &record, &err);
        if (status && status != RF_AGAIN) {
            rf_log(embedded->log, RF_LOG_ERROR, "the embedded stream ended", rf_log_text("error", err.text));
            break;
        }
        made++;
    }
    return NULL;
}

// A folder that no earlier run has used.
static enum rf_status fresh_folder(struct rf_assembly *assembly, struct rf_error *err) {
    char **directory = &assembly->settings.snapshots.directory;
    struct rf_clock *clock = rf_clock_system();
    char *fresh = NULL;
    if (asprintf(&fresh, "%s/embedded-%" PRId64 "-%d", *directory, clock->unix_ms(clock), (int)getpid()) < 0) {
        return rf_fail(err, RF_MEMORY, "embedded broker: out of memory");
    }
    free(*directory);
    *directory = fresh;
    return RF_OK;
}

static enum rf_status make(struct rf_embedded *embedded, struct rf_assembly *assembly, struct rf_error *err) {
    const struct rf_settings *settings = &assembly->settings;
    enum rf_status status = rf_broker_create(&embedded->broker, err);
    for (size_t i = 0; i < settings->source.topics.count && !status; i++) {
        status = rf_broker_add_topic(embedded->broker, settings->source.topics.list[i], (int32_t)settings->embedded.partitions,
                                     err);
    }
    if (!status) {
        status = rf_assembly_set_bootstrap(assembly, rf_broker_bootstrap(embedded->broker), err);
    }
    struct rf_generator_options options = {
            .stream = settings->embedded.stream,
            .seed = settings->embedded.seed,
            .format = strcmp(rf_settings_decoder(settings)->name, "csv") == 0 ? RF_GENERATE_CSV : RF_GENERATE_JSON,
    };
    if (!status) {
        status = rf_generator_create(&options, &embedded->generator, err);
    }
    if (!status) {
        status = rf_producer_create(&assembly->kafka, &embedded->producer, err);
    }
    return status ? status : fresh_folder(assembly, err);
}

enum rf_status rf_embedded_create(struct rf_assembly *assembly, struct rf_embedded **embedded_out, struct rf_error *err) {
    struct rf_embedded *embedded = calloc(1, sizeof *embedded);
    if (!embedded) {
        return rf_fail(err, RF_MEMORY, "embedded broker: out of memory");
    }
    embedded->log = &assembly->log;
    embedded->topic = assembly->settings.source.topics.list[0];
    embedded->records = assembly->settings.embedded.records;
    enum rf_status status = make(embedded, assembly, err);
    if (status) {
        rf_embedded_destroy(embedded);
        return status;
    }
    *embedded_out = embedded;
    return RF_OK;
}

enum rf_status rf_embedded_start(struct rf_embedded *embedded, struct rf_error *err) {
    int error = pthread_create(&embedded->thread, NULL, generate, embedded);
    if (error) {
        return rf_fail(err, RF_IO, "cannot start a thread: %s", strerror(error));
    }
    embedded->has_started = true;
    return RF_OK;
}

bool rf_embedded_pace(struct rf_embedded *embedded, uint64_t applied) {
    atomic_store(&embedded->applied, applied);
    return embedded->records && applied >= embedded->records;
}

void rf_embedded_destroy(struct rf_embedded *embedded) {
    if (!embedded) {
        return;
    }
    atomic_store(&embedded->is_stopping, true);
    if (embedded->has_started) {
        pthread_join(embedded->thread, NULL);
    }
    rf_producer_destroy(embedded->producer);
    rf_generator_destroy(embedded->generator);
    rf_broker_destroy(embedded->broker);
    free(embedded);
}
