#include "ops/chain.h"
#include "ops/lineage.h"
#include "tests/simulation/outputs.h"
#include "tests/simulation/play.h"
#include "tests/simulation/refold.h"
#include "tests/simulation/replaying.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every_record_is_folded_once(struct play *play) {
    struct rf_worker_report report;
    rf_worker_report(play->life.worker, &report);
    assert_int_equal(report.counts.records, play->world.produced);
    assert_int_equal(report.counts.rejected, play->world.undecodable);
    assert_int_equal(report.counts.learned, play->world.produced - play->world.undecodable);
    const struct rf_positions *positions = rf_pipeline_positions(rf_worker_pipeline(play->life.worker));
    for (size_t i = 0; i < simulated_kafka_count(play->world.kafka); i++) {
        const struct rf_position *name = simulated_kafka_partition(play->world.kafka, i);
        const struct rf_position *position = rf_positions_find(positions, name->topic, name->partition);
        assert_non_null(position);
        assert_int_equal(position->next_offset, simulated_kafka_end(play->world.kafka, i));
        assert_int_equal(position->records, simulated_kafka_end(play->world.kafka, i));
    }
}

static void assert_file(const struct world *world, const char *path, const struct written *expected) {
    const char *data = NULL;
    size_t size = 0, at = 0;
    (void)rf_disk_simulated_peek(world->disk, path, &data, &size);
    while (at < size && at < expected->size && data[at] == expected->data[at]) {
        at++;
    }
    if (size != expected->size || at < size) {
        fail_msg("%s has %zu bytes, must have %zu, and is not what it must be from byte %zu on", path, size, expected->size, at);
    }
}

static void the_state_and_what_left_are_the_fold_of_the_log(struct play *play) {
    struct refolded refolded;
    uint8_t digest[RF_SHA256_SIZE];
    refold(&play->world, &refolded);
    digest_of(&play->life, digest);
    assert_int_equal(refolded.records, play->world.produced);
    assert_int_equal(refolded.rejected, play->world.undecodable);
    assert_memory_equal(digest, refolded.digest, sizeof digest);
    for (size_t i = 0; i < simulated_kafka_count(play->world.kafka); i++) {
        assert_int_equal(refolded.next_offset[i], simulated_kafka_end(play->world.kafka, i));
    }
    assert_true(refolded.checked > 0);
    assert_file(&play->world, play->world.sinks[0], &refolded.scores);
    assert_file(&play->world, REJECTED_FILE, &refolded.rejects);
    free_refolded(&refolded);
}

static void nothing_stands_twice(struct play *play) {
    if (!play->rollbacks) { // after one, what was folded on the line before stays
        assert_outputs_not_twice(&play->world);
    }
}

static void no_version_is_of_two_predictions(struct play *play) {
    assert_true(assert_versions_used_once(play->world.observer) >= play->world.produced - play->world.undecodable);
}

static void the_chain_verifies(struct play *play) {
    struct rf_chain_report report;
    struct rf_error err;
    if (rf_chain_verify(play->world.disk, play->world.folder, &report, &err)) {
        fail_msg("the chain does not verify: %s", err.text);
    }
}

// A temporary file may be anything; what has the name of a snapshot is one, unless its number was never on record.
static void all_snapshots_in_place_verify(struct play *play) {
    struct rf_disk *disk = play->world.disk;
    struct rf_error err;
    char **names;
    size_t count;
    assert_int_equal(rf_disk_list(disk, play->world.folder, "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    for (size_t i = 0; i < count; i++) {
        char path[128];
        const char *data;
        size_t size;
        struct rf_snapshot_header header;
        snprintf(path, sizeof path, "%s/%s", play->world.folder, names[i]);
        assert_true(rf_disk_simulated_peek(disk, path, &data, &size));
        if (rf_snapshot_read_header(data, size, &header, NULL, &err)) {
            fail_msg("%s does not verify: %s", path, err.text);
        }
        rf_snapshot_header_finish(&header);
    }
    rf_disk_names_destroy(names, count);
}

static void what_was_told_to_kafka_is_covered(struct play *play) {
    struct rf_disk *disk = play->world.disk;
    struct rf_error err;
    char **names;
    size_t count;
    bool has_committed = false;
    for (size_t i = 0; i < simulated_kafka_count(play->world.kafka); i++) {
        has_committed |= simulated_kafka_committed(play->world.kafka, i) >= 0;
    }
    assert_int_equal(rf_disk_list(disk, play->world.folder, "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    assert_true(count > 0 || !has_committed);
    if (count > 0 && !play->rollbacks) { // which goes back behind what was told
        char path[128];
        const char *data;
        size_t size;
        struct rf_snapshot_header header;
        snprintf(path, sizeof path, "%s/%s", play->world.folder, names[count - 1]);
        assert_true(rf_disk_simulated_peek(disk, path, &data, &size));
        assert_int_equal(rf_snapshot_read_header(data, size, &header, NULL, &err), RF_OK);
        for (size_t i = 0; i < simulated_kafka_count(play->world.kafka); i++) {
            const struct rf_position *name = simulated_kafka_partition(play->world.kafka, i);
            const struct rf_position *covered = rf_positions_find(&header.positions, name->topic, name->partition);
            int64_t told = simulated_kafka_committed(play->world.kafka, i);
            assert_true(told <= (covered ? covered->next_offset : -1));
        }
        rf_snapshot_header_finish(&header);
    }
    rf_disk_names_destroy(names, count);
}

static void what_was_thinned_out_is_on_record(struct play *play) {
    assert_removed_are_on_record(&play->thinning, &play->world);
}

static void nothing_is_left_that_was_to_go(struct play *play) {
    assert_thinned(&play->thinning);
}

static void assert_replays(struct play *play, const struct rf_point *point, const uint8_t specification[RF_SHA256_SIZE],
                           const uint8_t expected[RF_SHA256_SIZE]) {
    struct life life = {0};
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_replay *replay = replay_to(&play->world, &life, point, 0);
    rf_model_sha256(specification, rf_pipeline_state(rf_replay_pipeline(replay)), digest);
    assert_memory_equal(digest, expected, sizeof digest);
    end_replay(&play->world, &life, replay);
}

// Of any snapshot on record, whether it is still there or not, and of now.
static void what_is_left_gives_the_past_again(struct play *play) {
    const uint8_t none[RF_SHA256_SIZE] = {0};
    uint8_t digest[RF_SHA256_SIZE];
    struct rf_lineage lineage;
    struct rf_error err;
    digest_of(&play->life, digest);
    assert_replays(play, &(struct rf_point){.kind = RF_POINT_NEWEST}, none, digest);
    assert_int_equal(rf_lineage_read(play->world.disk, play->world.folder, 0, &lineage, &err), RF_OK);
    const struct rf_ancestor *ancestor = &lineage.list[rf_random_below(&play->world.random, lineage.count)];
    assert_replays(play, &(struct rf_point){.kind = RF_POINT_RECORDS, .records = ancestor->records},
                   ancestor->specification_sha256, ancestor->model_sha256);
    rf_lineage_finish(&lineage);
}

const struct invariant invariants[] = {
        {"every record is folded once", NULL, every_record_is_folded_once},
        {"state and outputs are the fold of the log by its schedule", NULL, the_state_and_what_left_are_the_fold_of_the_log},
        {"nothing stands twice in a file", nothing_stands_twice, nothing_stands_twice},
        {"no version is of two predictions", NULL, no_version_is_of_two_predictions},
        {"the chain of snapshots verifies", the_chain_verifies, the_chain_verifies},
        {"snapshots in place verify", all_snapshots_in_place_verify, all_snapshots_in_place_verify},
        {"what was thinned out is on record, and the newest is in place", what_was_thinned_out_is_on_record,
         what_was_thinned_out_is_on_record},
        {"nothing is left that was to be thinned out", NULL, nothing_is_left_that_was_to_go},
        {"what is left gives the past again", NULL, what_is_left_gives_the_past_again},
        {"offsets told to Kafka are covered by a snapshot", what_was_told_to_kafka_is_covered, what_was_told_to_kafka_is_covered},
        {NULL, NULL, NULL},
};
