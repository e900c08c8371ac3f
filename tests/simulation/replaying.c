#include "tests/simulation/replaying.h"

#include "ops/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVES_MAX = 5 };

// Reads of a disk, and lets nothing else through.
struct reading_disk {
    struct rf_disk base;
    struct rf_disk *disk;
};

static int read_through(struct rf_disk *self, const char *path, const uint8_t **data_out, size_t *size_out) {
    struct rf_disk *disk = ((struct reading_disk *)self)->disk;
    return disk->ops->read(disk, path, data_out, size_out);
}

static void forget_through(struct rf_disk *self, const uint8_t *data, size_t size) {
    struct rf_disk *disk = ((struct reading_disk *)self)->disk;
    disk->ops->forget(disk, data, size);
}

static int list_through(struct rf_disk *self, const char *folder, void (*visit)(void *context, const char *name), void *context) {
    struct rf_disk *disk = ((struct reading_disk *)self)->disk;
    return disk->ops->list(disk, folder, visit, context);
}

static const struct rf_disk_ops reading_ops = {
        .name = "reading", .read = read_through, .forget = forget_through, .list = list_through}; // else NULL is called

enum rf_status begin_replay(struct world *world, struct life *life, const struct rf_point *point, uint32_t line,
                            struct rf_replay **replay_out) {
    static struct reading_disk disk;
    disk = (struct reading_disk){{&reading_ops}, world->disk};
    assemble(world, &life->assembly);
    struct rf_replay_options options = {
            .disk = &disk.base,
            .folder = world->folder,
            .source = source_of(world),
            .log = &life->assembly.log,
            .specification = life->assembly.specification,
            .settings = rf_settings_table,
            .point = *point,
            .line = line,
            .wait_tries = 1000,
    };
    assert_int_equal(rf_assembly_pipeline(&life->assembly, NULL, &options.pipeline, &life->err), RF_OK);
    return rf_replay_create(&options, replay_out, &life->err);
}

struct rf_replay *replay_to(struct world *world, struct life *life, const struct rf_point *point, uint32_t line) {
    struct rf_replay *replay = NULL;
    if (begin_replay(world, life, point, line, &replay)) {
        fail_msg("%s", life->err.text);
    }
    enum rf_status status;
    do {
        status = rf_replay_step(replay, &life->err);
    } while (status == RF_OK);
    if (status != RF_END) {
        fail_msg("%s", life->err.text);
    }
    return replay;
}

void end_replay(struct world *world, struct life *life, struct rf_replay *replay) {
    char *story = strdup(world->story);
    rf_replay_destroy(replay);
    die(world, life);
    assert_non_null(story);
    memcpy(world->story, story, strlen(story) + 1); // replays are not part of it
    free(story);
}

uint64_t records_at(struct rf_replay *replay) {
    return rf_pipeline_counts(rf_replay_pipeline(replay))->records;
}

void digest_at(struct rf_replay *replay, uint8_t digest_out[RF_SHA256_SIZE]) {
    const uint8_t specification[RF_SHA256_SIZE] = {0};
    rf_model_sha256(specification, rf_pipeline_state(rf_replay_pipeline(replay)), digest_out);
}

void assert_replay_refused(struct world *world, const struct rf_point *point, enum rf_status expected, const char *words) {
    struct life life = {0};
    struct rf_replay *replay = NULL;
    enum rf_status status = begin_replay(world, &life, point, 0, &replay);
    while (status == RF_OK) {
        status = rf_replay_step(replay, &life.err);
    }
    if (status != expected || !strstr(life.err.text, words)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", rf_status_text(status), life.err.text, words);
    }
    end_replay(world, &life, replay);
}

// Lives, whose models are noted.

static void forget_beyond(struct past *past, uint64_t records) {
    for (uint64_t i = records + 1; i <= FEW_RECORDS; i++) {
        past->is_known[i] = false;
    }
}

bool is_frozen(struct life *life) {
    return rf_pipeline_state(rf_worker_pipeline(life->worker))->is_frozen;
}

void live_noted(struct world *world, struct past *past, uint64_t turns) {
    struct life life = {0};
    assert_int_equal(be_born(world, &life), RF_OK);
    uint64_t noted = records_of(&life);
    forget_beyond(past, noted);
    while (turns-- > 0 && rf_worker_turn(life.worker)) {
        world->clock.now_ms++;
        if (records_of(&life) != noted && !is_frozen(&life)) {
            noted = records_of(&life);
            digest_of(&life, past->digest[noted]);
            past->is_known[noted] = true;
        }
    }
    tell(world, "; to %" PRIu64 " records", noted);
    die(world, &life);
}

void roll_past_back(struct world *world, struct past *past, uint64_t number) {
    struct life life = {0};
    struct rf_pipeline *pipeline;
    struct rf_version version;
    assemble(world, &life.assembly);
    assert_int_equal(rf_assembly_pipeline(&life.assembly, NULL, &pipeline, &life.err), RF_OK);
    assert_int_equal(rf_assembly_state(&life.assembly, pipeline, &life.err), RF_OK);
    struct rf_checkpoint *checkpoint = rf_pipeline_checkpoint(pipeline);
    if (rf_checkpoint_rollback(checkpoint, pipeline, number, 1000, &version, &life.err)) {
        fail_msg("%s", life.err.text);
    }
    forget_beyond(past, rf_pipeline_counts(pipeline)->records);
    tell(world, "; back to snapshot %" PRIu64 ", with %" PRIu64 " records", number, rf_pipeline_counts(pipeline)->records);
    rf_pipeline_destroy(pipeline);
    die(world, &life);
}

uint64_t oldest_snapshot(struct world *world) {
    struct rf_error err;
    char **names;
    size_t count;
    assert_int_equal(rf_disk_list(world->disk, world->folder, "snapshot-", ".riffle", &names, &count, &err), RF_OK);
    uint64_t number = count ? strtoull(names[0] + strlen("snapshot-"), NULL, 10) : 0; // none before the first life has begun
    rf_disk_names_destroy(names, count);
    return number;
}

void live_by_chance(struct world *world, struct past *past, bool has_lines) {
    world->tells_versions = true;
    memset(past, 0, sizeof *past);
    for (uint64_t lives = 1 + rf_random_below(&world->random, LIVES_MAX); lives > 0; lives--) {
        live_noted(world, past, rf_random_below(&world->random, 60));
        if (rf_random_below(&world->random, 3) == 0) {
            cut_power(world, rf_random_below(&world->random, 2));
        }
        if (has_lines && oldest_snapshot(world) && rf_random_below(&world->random, 2)) {
            roll_past_back(world, past, oldest_snapshot(world));
        }
    }
    live_noted(world, past, UINT64_MAX);
}

void open_lived(struct world *world, struct past *past, uint64_t seed, bool has_lines) {
    open_small(world, PARTITIONS, seed, FEW_RECORDS);
    live_by_chance(world, past, has_lines);
}

struct rf_point point_of(enum rf_point_kind kind, int32_t partition, int64_t offset) {
    return (struct rf_point){.kind = kind, .topic = "cards", .partition = partition, .offset = offset};
}
