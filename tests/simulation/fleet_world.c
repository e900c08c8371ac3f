#include "tests/simulation/fleet_world.h"
#include "tests/simulation/archive_simulated.h"
#include "tests/simulation/fleet_tally.h"

#include "ops/fleet_worker_internal.h"
#include "ops/settings.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_TURNS = 400000, POKE_TURNS = 50000, OUTPUTS_MAX = 1 };

static const char settings_text[] =
        "name: fraud\n"
        "kafka: {bootstrap.servers: nowhere}\n"
        "source: {topics: [cards], format: json}\n"
        "features: {id: transaction, time: at, label: fraud, numbers: [amount], categories: [customer]}\n"
        "learner: {type: linear, hash_bits: 8, loss: logistic}\n"
        "evaluation: {window: 100}\n"
        "worker: {batch_records: 16}\n";

static int64_t now_of(struct rf_clock *self) {
    return ((struct fleet_clock *)self)->now_ms;
}

static void sleep_in(struct rf_clock *self, int ms) {
    struct fleet_clock *clock = (struct fleet_clock *)self;
    clock->now_ms += ms;
    simulated_cluster_advance(clock->cluster, clock->now_ms);
}

static void assemble(struct fleet_world *world, struct rf_assembly *assembly_out) {
    struct rf_error err;
    char path[] = "/tmp/riffle-fleet-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, settings_text, sizeof settings_text - 1) == sizeof settings_text - 1);
    close(file);
    const char *sets[] = {world->learner};
    if (rf_assembly_init(path, sets, world->learner != NULL, assembly_out, &err)) {
        fail_msg("%s", err.text);
    }
    unlink(path);
    const char *log = getenv("RF_FLEET_LOG"); // to look at a story
    assembly_out->log.options.file = open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static void disassemble(struct rf_assembly *assembly) {
    close(assembly->log.options.file);
    rf_assembly_finish(assembly);
}

void fleet_open(struct fleet_world *world, size_t size, int32_t partitions, uint64_t seed) {
    memset(world, 0, sizeof *world);
    world->cluster = simulated_cluster_create(seed);
    simulated_cluster_set_sweep(world->cluster, 500);
    rf_random_init(&world->random, seed);
    world->clock = (struct fleet_clock){{now_of, now_of, sleep_in}, 1000, world->cluster};
    world->size = size;
    world->partitions = partitions;
    simulated_cluster_add_topic(world->cluster, "cards", partitions);
    simulated_cluster_add_topic(world->cluster, "fraud.deltas", 1);
    simulated_cluster_add_topic(world->cluster, "fraud.snapshots", 1);
    simulated_cluster_add_topic(world->cluster, "scores", 1);
    for (size_t i = 0; i < size; i++) {
        snprintf(world->members[i].name, sizeof world->members[i].name, "w%zu", i);
    }
}

void fleet_close(struct fleet_world *world) {
    for (size_t i = 0; i < world->size; i++) {
        if (world->members[i].worker) {
            fleet_death(world, i);
        }
    }
    simulated_cluster_destroy(world->cluster);
}

void fleet_produce(struct fleet_world *world, uint64_t records) {
    for (uint64_t i = 0; i < records; i++) {
        char value[160];
        uint64_t number = world->produced++;
        uint64_t customer = rf_random_below(&world->random, 50);
        double amount = (double)rf_random_below(&world->random, 10000) / 100;
        bool is_none = number % 97 == 13; // no decoder takes it
        snprintf(value, sizeof value,
                 is_none ? "{\"transaction\":%" PRIu64 ",%" PRIu64 ",%g,%d}"
                         : "{\"transaction\":\"t%" PRIu64 "\",\"customer\":\"c%" PRIu64 "\",\"amount\":%g,\"fraud\":%d}",
                 number, customer, amount, amount > 60);
        (void)simulated_cluster_produce(world->cluster, "cards",
                                        (int32_t)rf_random_below(&world->random, (uint64_t)world->partitions),
                                        (struct rf_text){0}, rf_text_of(value), world->clock.now_ms);
    }
}

static struct rf_source *log_source(struct fleet_world *world, const char *topic, bool until_end) {
    char *list[] = {(char *)(uintptr_t)topic};
    const struct rf_texts topics = {.list = list, .count = 1};
    return simulated_cluster_reader(
            world->cluster, &(struct simulated_reader){.topics = &topics, .start = RF_START_EARLIEST, .until_end = until_end});
}

// One sink that remembers, and Kafka's.
static enum rf_status add_sinks(struct fleet_member *member, struct rf_pipeline *pipeline, struct rf_error *err) {
    const struct rf_variant *kind = rf_sink_variants;
    while (strcmp(kind->name, "kafka") != 0) {
        kind++;
    }
    struct rf_sink_kafka_options options = {.topic = (char *)"scores"};
    const struct rf_variant_value value = {.kind = kind, .options = &options};
    const struct rf_sink_context context = {.model = "fraud", .outbox = &member->outbox};
    struct rf_sink *sink;
    member->tally = calloc(1, sizeof *member->tally);
    enum rf_status status = rf_pipeline_add_sink(pipeline, fleet_tally_sink(member->tally), err);
    status = status ? status : rf_sink_create(&value, &context, &sink, err);
    return status ? status : rf_pipeline_add_sink(pipeline, sink, err);
}

static void bury(struct fleet_member *member) {
    rf_fleet_worker_destroy(member->worker);
    rf_outbox_finish(&member->outbox);
    disassemble(&member->assembly);
    fleet_tally_destroy(member->tally);
    member->tally = NULL;
    member->worker = NULL;
}

enum rf_status fleet_try_birth(struct fleet_world *world, size_t index, struct rf_error *err) {
    struct fleet_member *member = &world->members[index];
    char *list[] = {(char *)"cards"}, id[64];
    const struct rf_texts topics = {.list = list, .count = 1};
    assert_null(member->worker);
    assemble(world, &member->assembly);
    snprintf(id, sizeof id, "riffle.fraud.%s", member->name);
    snprintf(member->nonce, sizeof member->nonce, "%zu.%" PRIu64, index, ++member->lives);
    rf_outbox_init(&member->outbox, 100000);
    struct rf_fleet_worker_options options = {
            .source = simulated_cluster_member(world->cluster, &(struct simulated_member){.topics = &topics,
                                                                                          .group = "fraud",
                                                                                          .instance = member->name,
                                                                                          .is_eager = world->is_eager,
                                                                                          .session_ms = FLEET_SESSION_MS,
                                                                                          .start = RF_START_EARLIEST}),
            .log_scan = log_source(world, "fraud.deltas", true),
            .deltas = log_source(world, "fraud.deltas", false),
            .transaction = simulated_cluster_transaction(world->cluster, id, FLEET_TRANSACTION_MS),
            .clock = &world->clock.base,
            .log = &member->assembly.log,
            .topic = "fraud.deltas",
            .worker = member->name,
            .nonce = member->nonce,
            .specification = member->assembly.specification,
            .settings = rf_settings_table,
            .program = "test",
            .outbox = &member->outbox,
            .batches = 3,
            .chunk_bytes = 2000,
            .delta_records = 60,
            .delta_bytes = 100000,
            .delta_ms = 200,
            .drain_ms = 1500,
            .send_ms = 1000,
            .first_topic = "cards",
            .snapshot_deltas = world->snapshot_deltas,
            .snapshot_ms = 3000,
            .snapshot_keep = 2,
            .forgets = world->forgets,
    };
    if (world->snapshot_deltas) {
        options.snapshots = log_source(world, "fraud.snapshots", true);
        options.archive = simulated_archive_create(world->cluster, "fraud.snapshots", "fraud.deltas", world->snapshot_faults,
                                                   rf_random_below(&world->random, 1000000));
    }
    if (rf_assembly_pipeline(&member->assembly, NULL, &options.pipeline, err) || add_sinks(member, options.pipeline, err) ||
        rf_fleet_worker_create(&options, &member->worker, err)) {
        bury(member);
        return err->status;
    }
    member->frozen_until_ms = 0;
    world->taken_up += member->worker->log_read.start != RF_OFFSET_NONE;
    return RF_OK;
}

void fleet_birth(struct fleet_world *world, size_t index) {
    struct rf_error err;
    if (fleet_try_birth(world, index, &err)) {
        fail_msg("%s is not born: %s", world->members[index].name, err.text);
    }
}

// Its sources are killed, so that nothing is told to the cluster; instances never say goodbye anyway.
void fleet_death(struct fleet_world *world, size_t index) {
    world->deaths++;
    bury(&world->members[index]);
}

static void fail_on(const struct fleet_world *world, const struct fleet_member *member, const struct rf_worker_report *report) {
    fail_msg("%s of %zu failed after %" PRIu64 " acts: %s: %s", member->name, world->size, world->acts,
             rf_status_text(report->status), report->sentence);
}

static void turn_member(struct fleet_world *world, size_t index, enum rf_fleet_part part) {
    struct fleet_member *member = &world->members[index];
    struct rf_worker_report report;
    (void)rf_fleet_worker_turn(member->worker, part);
    rf_fleet_worker_report(member->worker, &report);
    bool is_left_behind = world->forgets && report.status == RF_IO && strstr(report.sentence, "fell behind");
    if (report.status && report.status != RF_BUSY && !is_left_behind) {
        fail_on(world, member, &report);
    }
    world->left_behind += is_left_behind;
    if (report.status) {
        bury(member);
    }
}

void fleet_stop(struct fleet_world *world, size_t index) {
    struct fleet_member *member = &world->members[index];
    rf_fleet_worker_stop(member->worker);
    bool is_alive = true;
    for (uint64_t turns = 0; is_alive; turns++) {
        assert_true(turns < 100000);
        is_alive = false;
        for (int part = 0; part < RF_FLEET_PARTS; part++) {
            is_alive = rf_fleet_worker_turn(member->worker, (enum rf_fleet_part)part);
        }
        world->clock.now_ms++;
        simulated_cluster_advance(world->cluster, world->clock.now_ms);
    }
    struct rf_worker_report report;
    rf_fleet_worker_report(member->worker, &report);
    if (report.status && report.status != RF_BUSY) {
        fail_on(world, member, &report);
    }
    bury(member);
}

void fleet_freeze(struct fleet_world *world, size_t index, int64_t ms) {
    world->members[index].frozen_until_ms = world->clock.now_ms + ms;
}

void fleet_turn(struct fleet_world *world) {
    size_t index = rf_random_below(&world->random, world->size);
    struct fleet_member *member = &world->members[index];
    world->acts++;
    if (rf_random_below(&world->random, world->size + 1) == 0) {
        world->clock.now_ms += 1 + (int64_t)rf_random_below(&world->random, 3);
        simulated_cluster_advance(world->cluster, world->clock.now_ms);
    }
    if (member->worker && world->clock.now_ms >= member->frozen_until_ms) {
        turn_member(world, index, (enum rf_fleet_part)rf_random_below(&world->random, RF_FLEET_PARTS));
    }
}

void fleet_turns(struct fleet_world *world, uint64_t turns) {
    for (uint64_t i = 0; i < turns; i++) {
        fleet_turn(world);
    }
}

void fleet_faults(struct fleet_world *world, uint64_t one_in) {
    for (int fault = 0; fault < SIMULATED_FAULTS; fault++) {
        simulated_cluster_fault(world->cluster, (enum simulated_fault)fault, one_in);
    }
}

// Quiet.

static uint64_t applied_of(const struct rf_replica *replica) {
    uint64_t records, learned, rejected;
    rf_replica_counts(replica, &records, &learned, &rejected);
    return records;
}

static bool is_read(const struct fleet_world *world, const struct fleet_member *member) {
    const struct rf_fleet_worker *worker = member->worker;
    const struct rf_positions *log = &worker->log_read.positions;
    int64_t next = log->count ? log->list[0].next_offset : 0;
    if (simulated_cluster_next(world->cluster, "fraud.deltas", 0, &next)) {
        return false;
    }
    return applied_of(worker->replica) == world->produced && !worker->is_frozen && !worker->folding &&
           rf_growth_records(&worker->growth, worker->pipeline) == 0 && atomic_load(&worker->sending) == RF_FLEET_SENDING_NOTHING;
}

static bool is_quiet(const struct fleet_world *world) {
    size_t alive = 0;
    for (size_t i = 0; i < world->size; i++) {
        if (world->members[i].worker) {
            alive++;
            if (!is_read(world, &world->members[i])) {
                return false;
            }
        }
    }
    return alive > 0 && simulated_cluster_is_settled(world->cluster);
}

// The cooperative way may leave partitions to nobody until the next rebalance, which an operator brings about so.
static void have_orphans_found(struct fleet_world *world) {
    fleet_death(world, 0);
    world->clock.now_ms += 2 * FLEET_SESSION_MS;
    simulated_cluster_advance(world->cluster, world->clock.now_ms);
}

void fleet_settle(struct fleet_world *world) {
    fleet_faults(world, 0);
    uint64_t turns = 0;
    for (; !is_quiet(world) && turns < SETTLE_TURNS; turns++) {
        if (!world->members[0].worker && turns % POKE_TURNS != POKE_TURNS - 1) {
            fleet_birth(world, 0);
        }
        if (turns % POKE_TURNS == POKE_TURNS - 1 && !world->is_eager && world->members[0].worker) {
            have_orphans_found(world);
        }
        fleet_turn(world);
    }
    if (turns < SETTLE_TURNS) {
        return;
    }
    for (size_t i = 0; i < world->size; i++) {
        const struct rf_fleet_worker *worker = world->members[i].worker;
        if (worker) {
            print_message(
                    "%s: %" PRIu64 " of %" PRIu64 " applied, number %" PRIu64 " void %" PRIu64
                    " frozen %d retry %d joined %d awaits %d sending %d ask %d asked %d offered %d rewind %d growth %" PRIu64
                    "\n",
                    world->members[i].name, applied_of(worker->replica), world->produced, rf_replica_number(worker->replica),
                    rf_replica_voids(worker->replica), worker->is_frozen, worker->is_retry, worker->has_joined,
                    worker->awaits_join, worker->sending, worker->ask, (int)worker->asked, worker->is_offered,
                    worker->must_rewind, rf_growth_records(&worker->growth, worker->pipeline));
        }
    }
    fail_msg("it does not come to rest");
}

// Whatever their ways, they hold the same.
static void assert_equal_replicas(const struct rf_replica *a, const struct rf_replica *b) {
    uint8_t *bytes[2];
    size_t size[2];
    struct rf_error err;
    assert_int_equal(rf_replica_save(a, &bytes[0], &size[0], &err), RF_OK);
    assert_int_equal(rf_replica_save(b, &bytes[1], &size[1], &err), RF_OK);
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
}

// Somebody who comes fresh and folds the log of deltas alone.
static void assert_is_fold_of_log(struct fleet_world *world, struct rf_fleet_worker *one) {
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_layers *layers;
    struct rf_replica *replica;
    struct rf_replica_news news;
    struct rf_error err;
    assemble(world, &assembly);
    assert_int_equal(rf_assembly_pipeline(&assembly, NULL, &pipeline, &err), RF_OK);
    assert_int_equal(rf_layers_create(rf_pipeline_state(pipeline), &layers, &err), RF_OK);
    assert_int_equal(rf_replica_create(&(struct rf_replica_options){.model = "fraud", .layers = layers}, &replica, &err), RF_OK);
    int64_t offset = 0;
    const struct rf_record *record;
    while ((record = simulated_cluster_next_ever(world->cluster, "fraud.deltas", 0, &offset)) != NULL) {
        assert_int_equal(rf_replica_take(replica, record->value, &news, &err), RF_OK);
    }
    if (rf_state_compare(rf_layers_base(layers), rf_layers_base(one->layers), &err)) {
        fail_msg("base is not the fold of the log: %s", err.text);
    }
    assert_equal_replicas(replica, one->replica);
    rf_replica_destroy(replica);
    rf_layers_destroy(layers);
    rf_pipeline_destroy(pipeline);
    disassemble(&assembly);
}

static void assert_all_applied(struct fleet_world *world, const struct rf_replica *replica) {
    const struct rf_positions *applied = rf_replica_applied(replica);
    uint64_t records, learned, rejected, undecodable = 0;
    rf_replica_counts(replica, &records, &learned, &rejected);
    for (uint64_t number = 0; number < world->produced; number++) {
        undecodable += number % 97 == 13;
    }
    assert_int_equal(records, world->produced);
    assert_int_equal(rejected, undecodable);
    assert_int_equal(learned, world->produced - undecodable);
    for (size_t i = 0; i < applied->count; i++) {
        const struct rf_position *position = &applied->list[i];
        assert_int_equal(position->next_offset, simulated_cluster_end(world->cluster, "cards", position->partition));
        int64_t committed = simulated_cluster_committed(world->cluster, "fraud", "cards", position->partition, NULL);
        if (rf_replica_voids(replica) == 0) { // those of a void delta stand too, until the next ones
            assert_int_equal(committed, position->next_offset);
        }
    }
}

static void assert_current_is_base(struct rf_fleet_worker *worker) {
    const struct rf_state *base = rf_layers_base(worker->layers), *current = rf_pipeline_state(worker->pipeline);
    for (size_t i = 0; i < base->count; i++) {
        const struct rf_block *block = base->list[i], *now = rf_state_find(current, block->name);
        if (block->scope == RF_SCOPE_MODEL && memcmp(block->data, now->data, rf_block_size(block)) != 0) {
            fail_msg("block %s of current is not that of base", block->name);
        }
    }
}

// What a read_committed reader of the scores sees of a record.
struct seen {
    uint32_t epoch;
    uint64_t since;
    double score;
    unsigned times;
};

// Each record that is none of the undecodable stands once among the scores.
static void assert_scores_once(struct fleet_world *world, struct seen **seen) {
    int64_t offset = 0;
    const struct rf_record *record;
    uint64_t count = 0, wanted = 0;
    for (int32_t i = 0; i < world->partitions; i++) {
        seen[i] = calloc((size_t)simulated_cluster_end(world->cluster, "cards", i) + 1, sizeof **seen);
    }
    while ((record = simulated_cluster_next(world->cluster, "scores", 0, &offset)) != NULL) {
        char text[512];
        int partition;
        long long at;
        unsigned epoch;
        unsigned long long since;
        double score;
        snprintf(text, sizeof text, "%.*s", (int)record->value.size, record->value.data);
        assert_int_equal(sscanf(strstr(text, "\"partition\""), "\"partition\":%d,\"offset\":%lld", &partition, &at), 2);
        assert_int_equal(sscanf(strstr(text, "\"epoch\""), "\"epoch\":%u,\"since\":%llu,\"score\":%lf", &epoch, &since, &score),
                         3);
        struct seen *one = &seen[partition][at];
        *one = (struct seen){epoch, since, score, one->times + 1};
        if (one->times != 1) {
            fail_msg("the score of cards [%d] offset %lld stands %u times", partition, at, one->times);
        }
        count++;
    }
    for (uint64_t number = 0; number < world->produced; number++) {
        wanted += number % 97 != 13;
    }
    assert_int_equal(count, wanted);
}

// What a life gave and did not take back is what was committed of it.
static void assert_given(const struct fleet_member *member, struct seen **seen) {
    for (size_t i = 0; i < member->tally->count; i++) {
        const struct fleet_given *given = &member->tally->list[i];
        const struct seen *one = &seen[given->partition][given->offset];
        bool is_committed = one->epoch == given->epoch && one->since == given->since;
        if (is_committed == given->is_void) {
            fail_msg("%s: the prediction of cards [%d] offset %lld (epoch %u, since %llu) is %s, but %s", member->name,
                     (int)given->partition, (long long)given->offset, given->epoch, (unsigned long long)given->since,
                     is_committed ? "committed" : "not committed", given->is_void ? "was taken back" : "was not taken back");
        }
        assert_true(given->is_void || one->score == given->score);
    }
}

static void assert_predictions(struct fleet_world *world) {
    struct seen **seen = calloc((size_t)world->partitions, sizeof(struct seen *));
    assert_scores_once(world, seen);
    for (size_t i = 0; i < world->size; i++) {
        if (world->members[i].worker) {
            assert_given(&world->members[i], seen);
        }
    }
    for (int32_t i = 0; i < world->partitions; i++) {
        free(seen[i]);
    }
    free(seen);
}

void fleet_assert(struct fleet_world *world) {
    assert_predictions(world);
    struct rf_fleet_worker *one = NULL;
    struct rf_error err;
    for (size_t i = 0; i < world->size; i++) {
        struct rf_fleet_worker *worker = world->members[i].worker;
        if (!worker) {
            continue;
        }
        one = one ? one : worker;
        if (rf_state_compare(rf_layers_base(worker->layers), rf_layers_base(one->layers), &err)) {
            fail_msg("the bases of %s and another differ: %s", world->members[i].name, err.text);
        }
        assert_equal_replicas(worker->replica, one->replica);
        assert_all_applied(world, worker->replica);
        assert_current_is_base(worker);
    }
    assert_non_null(one);
    assert_is_fold_of_log(world, one);
}
