#include "ops/settings_internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_MODEL = RF_SETTING_NOT_MODEL, INSTANCE_SIZE_MAX = 200 };

static const struct rf_setting delta_settings[] = {
        RF_UINT(struct rf_settings_deltas, records, "100000", 1, 1000000000.0, NOT_MODEL, "most records that a delta covers"),
        RF_REAL(struct rf_settings_deltas, seconds, "1", 0.001, 3600, NOT_MODEL,
                "longest that what was learned waits before it is cut"),
        RF_UINT(struct rf_settings_deltas, bytes, "8388608", 1024, 536870912, NOT_MODEL,
                "about how large a delta becomes: how many records that are is found by the last one"),
        {0},
};

static const struct rf_setting snapshot_settings[] = {
        RF_TEXT(struct rf_settings_fleet_snapshots, topic, NULL, NOT_MODEL, "where they stand; absent: <name>.snapshots"),
        RF_UINT(struct rf_settings_fleet_snapshots, deltas, "1000", 1, 1000000000.0, NOT_MODEL,
                "deltas after which the next one is made"),
        RF_REAL(struct rf_settings_fleet_snapshots, seconds, "60", 0.1, 1000000, NOT_MODEL,
                "longest after which it is, when there is a delta that it would have more"),
        RF_UINT(struct rf_settings_fleet_snapshots, keep, "2", 1, 1000, NOT_MODEL,
                "with forget: how many must be there, and read back, before what is older is deleted"),
        RF_BOOL(struct rf_settings_fleet_snapshots, forget, "false", NOT_MODEL,
                "delete deltas that no snapshot kept needs, and older snapshots; past scores can no longer be recomputed then"),
        {0},
};

const struct rf_setting rf_settings_fleet_table[] = {
        RF_BOOL(struct rf_settings_fleet, shared, "false", NOT_MODEL,
                "share the model with all workers of kafka.group.id, see docs/FLEET.md"),
        RF_TEXT(struct rf_settings_fleet, topic, NULL, NOT_MODEL, "the log of deltas; absent: <name>.deltas"),
        RF_UINT(struct rf_settings_fleet, replication, "0", 0, 100, NOT_MODEL,
                "copies of that topic and of that of snapshots, when they are made; 0: as the brokers have it"),
        RF_SECTION(struct rf_settings_fleet, deltas, delta_settings, NOT_MODEL,
                   "how often what was learned is told, by whichever comes first"),
        RF_SECTION(struct rf_settings_fleet, snapshots, snapshot_settings, NOT_MODEL,
                   "snapshots of the shared model, with which workers that join begin"),
        RF_REAL(struct rf_settings_fleet, drain_seconds, "10", 0.1, 3600, NOT_MODEL,
                "longest that partitions are held back when the group asks for them; below session.timeout.ms"),
        RF_REAL(struct rf_settings_fleet, transaction_seconds, "10", 1, 900, NOT_MODEL,
                "when the brokers give up a transaction that a dead worker left open"),
        {0},
};

static double session_seconds(const struct rf_settings *settings) {
    const char *session = rf_settings_kafka(settings, "session.timeout.ms");
    return session ? strtod(session, NULL) / 1000 : 45;
}

static const char *fault_of_source(const struct rf_settings *settings) {
    const struct rf_settings_source *source = &settings->source;
    if (settings->is_embedded) {
        return "kafka.bootstrap.servers is embedded, which has no transactions; must name real brokers";
    }
    if (source->file || source->history.files.count || source->history.topics.count) {
        return "source reads a file or a history, must read topics alone";
    }
    if (source->order != RF_ORDER_ARRIVAL) {
        return "source.order is timestamp, must be arrival: workers read their partitions side by side";
    }
    if (settings->start == RF_START_TIME) {
        return "source.start is a time, must be earliest or latest";
    }
    return NULL;
}

enum rf_status rf_settings_check_fleet(const struct rf_settings *settings, struct rf_error *err) {
    const struct rf_settings_fleet *fleet = &settings->fleet;
    if (!fleet->shared) {
        return RF_OK;
    }
    const char *fault = fault_of_source(settings), *instance = rf_settings_kafka(settings, "group.instance.id");
    if (fault) {
        return rf_fail(err, RF_INVALID, "fleet.shared is true, but %s", fault);
    }
    if (!instance || !*instance || strlen(instance) > INSTANCE_SIZE_MAX) {
        return rf_fail(
                err, RF_INVALID,
                "kafka.group.instance.id is missing, empty or longer than %d, must be the name of this worker alone, the same "
                "at every start, e.g. ${HOSTNAME}",
                INSTANCE_SIZE_MAX);
    }
    if (rf_settings_kafka(settings, "transactional.id")) {
        return rf_fail(err, RF_INVALID, "kafka.transactional.id is given, but follows from group.id and group.instance.id");
    }
    if (fleet->drain_seconds >= session_seconds(settings)) {
        return rf_fail(err, RF_INVALID, "fleet.drain_seconds is %g, must be below kafka.session.timeout.ms, %g s",
                       fleet->drain_seconds, session_seconds(settings));
    }
    if (settings->snapshots.clone.publish) {
        return rf_fail(err, RF_INVALID, "snapshots.clone is given, but a fleet is followed by its log of deltas");
    }
    return RF_OK;
}
