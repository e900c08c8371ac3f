// A topic of snapshots of the simulated cluster, as its writer sees it: records arrive with settle() or before, in order; with
// faults some never do, and the writer hears of it.
#include "tests/simulation/archive_simulated.h"

#include <assert.h>
#include <stdlib.h>

enum { QUEUE_MAX = 4 };

struct simulated_archive {
    struct rf_archive base;
    struct simulated_cluster *cluster;
    const char *snapshots, *deltas;
    uint64_t one_in; // calls that fail
    struct rf_random random;
    size_t queued; // since the last settle()
};

static const struct rf_archive_ops archive_ops;

static struct simulated_archive *archive_from(struct rf_archive *self) {
    assert(self->ops == &archive_ops);
    return (struct simulated_archive *)self;
}

static bool fails(struct simulated_archive *archive) {
    return archive->one_in && rf_random_below(&archive->random, archive->one_in) == 0;
}

static enum rf_status archive_send(struct rf_archive *self, struct rf_text value, struct rf_error *err) {
    struct simulated_archive *archive = archive_from(self);
    if (archive->queued == QUEUE_MAX) {
        return RF_AGAIN;
    }
    if (fails(archive)) {
        archive->queued = 0;
        return rf_fail(err, RF_IO, "a record of a snapshot was refused");
    }
    archive->queued++;
    (void)simulated_cluster_produce(archive->cluster, archive->snapshots, 0, (struct rf_text){0}, value,
                                    simulated_cluster_now(archive->cluster));
    return RF_OK;
}

static enum rf_status archive_settle(struct rf_archive *self, int timeout_ms, struct rf_error *err) {
    struct simulated_archive *archive = archive_from(self);
    (void)timeout_ms;
    if (rf_random_below(&archive->random, 3) == 0) {
        return RF_AGAIN;
    }
    archive->queued = 0;
    return fails(archive) ? rf_fail(err, RF_IO, "it is not known whether records of a snapshot arrived") : RF_OK;
}

static enum rf_status archive_forget(struct rf_archive *self, enum rf_archive_log log, int64_t offset, struct rf_error *err) {
    struct simulated_archive *archive = archive_from(self);
    const char *topic = log == RF_ARCHIVE_DELTAS ? archive->deltas : archive->snapshots;
    if (fails(archive)) {
        return rf_fail(err, RF_IO, "the brokers do not delete now");
    }
    if (offset > simulated_cluster_first(archive->cluster, topic, 0)) {
        simulated_cluster_cut(archive->cluster, topic, 0, offset);
    }
    return RF_OK;
}

static void archive_destroy(struct rf_archive *self) {
    free(archive_from(self));
}

static const struct rf_archive_ops archive_ops = {.name = "simulated",
                                                  .send = archive_send,
                                                  .settle = archive_settle,
                                                  .forget = archive_forget,
                                                  .destroy = archive_destroy};

struct rf_archive *simulated_archive_create(struct simulated_cluster *cluster, const char *snapshots, const char *deltas,
                                            uint64_t one_in, uint64_t seed) {
    struct simulated_archive *archive = calloc(1, sizeof *archive);
    if (!archive) {
        abort();
    }
    *archive = (struct simulated_archive){
            .base.ops = &archive_ops, .cluster = cluster, .snapshots = snapshots, .deltas = deltas, .one_in = one_in};
    rf_random_init(&archive->random, seed);
    return &archive->base;
}
