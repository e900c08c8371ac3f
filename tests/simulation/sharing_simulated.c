// Who is to have which partition. With the eager protocol by range; with the cooperative one as few as can be change hands, and
// what changes hands is given to nobody before who has it let go of it.
#include "tests/simulation/cluster_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *topic_of(const struct simulated_group *group, size_t partition) {
    return group->cluster->partitions[partition]->topic;
}

static void give(struct simulated_share *share, struct simulated_seat *seat) {
    if (share->target) {
        share->target->given--;
    }
    share->target = seat;
    if (seat) {
        seat->given++;
    }
}

// The one with the fewest partitions that reads the topic, by chance where there are several; NULL: none does.
static struct simulated_seat *least_of(const struct simulated_group *group, const char *topic) {
    struct simulated_seat *least = NULL;
    size_t begin = (size_t)rf_random_below(&group->cluster->random, group->seat_count);
    for (size_t i = 0; i < group->seat_count; i++) {
        struct simulated_seat *seat = group->seats[(begin + i) % group->seat_count];
        if ((!least || seat->given < least->given) && simulated_texts_hold(&seat->topics, topic)) {
            least = seat;
        }
    }
    return least;
}

// Takes a partition from who has most for who has least. False when that would not help.
static bool level(struct simulated_group *group) {
    struct simulated_seat *most = group->seats[0], *least = group->seats[0];
    for (size_t i = 1; i < group->seat_count; i++) {
        most = group->seats[i]->given > most->given ? group->seats[i] : most;
        least = group->seats[i]->given < least->given ? group->seats[i] : least;
    }
    if (most->given - least->given <= 1) {
        return false;
    }
    size_t begin = (size_t)rf_random_below(&group->cluster->random, group->share_count);
    for (size_t i = 0; i < group->share_count; i++) {
        size_t partition = (begin + i) % group->share_count;
        if (group->shares[partition].target == most && simulated_texts_hold(&least->topics, topic_of(group, partition))) {
            give(&group->shares[partition], least);
            return true;
        }
    }
    return false;
}

static void share_sticky(struct simulated_group *group) {
    for (size_t i = 0; i < group->share_count; i++) {
        struct simulated_share *share = &group->shares[i];
        if (share->claim && simulated_texts_hold(&share->claim->topics, topic_of(group, i))) {
            give(share, share->claim);
        }
    }
    for (size_t i = 0; i < group->share_count; i++) {
        if (!group->shares[i].target) {
            give(&group->shares[i], least_of(group, topic_of(group, i)));
        }
    }
    for (size_t i = 0; i < group->share_count && level(group); i++) {
    }
    for (size_t i = 0; i < group->share_count; i++) {
        struct simulated_share *share = &group->shares[i];
        share->target = share->claim && share->claim != share->target ? NULL : share->target;
    }
}

static int by_name(const void *a, const void *b) {
    const struct simulated_seat *const *seats[] = {a, b};
    const char *names[] = {(*seats[0])->instance, (*seats[1])->instance};
    if (names[0] && names[1]) {
        return strcmp(names[0], names[1]);
    }
    uint64_t ids[] = {(*seats[0])->id, (*seats[1])->id};
    return names[0] ? -1 : names[1] ? 1 : ids[0] < ids[1] ? -1 : 1;
}

// Each topic by itself: the first so many partitions to the first of those that read it, and so on.
static void share_topic(struct simulated_group *group, const struct simulated_topic *topic, struct simulated_seat **readers) {
    size_t count = 0;
    for (size_t i = 0; i < group->seat_count; i++) {
        if (simulated_texts_hold(&group->seats[i]->topics, topic->name)) {
            readers[count++] = group->seats[i];
        }
    }
    qsort(readers, count, sizeof *readers, by_name);
    for (size_t i = 0; i < topic->count && count > 0; i++) {
        size_t more = topic->count % count, each = topic->count / count, split = more * (each + 1);
        size_t reader = i < split ? i / (each + 1) : more + (i - split) / each;
        give(&group->shares[topic->partitions[i]->index], readers[reader]);
    }
}

void simulated_group_share_out(struct simulated_group *group) {
    struct simulated_cluster *cluster = group->cluster;
    for (size_t i = 0; i < cluster->partition_count; i++) {
        simulated_group_share(group, i)->target = NULL;
    }
    for (size_t i = 0; i < group->seat_count; i++) {
        group->seats[i]->given = 0;
    }
    if (group->seat_count == 0) {
        return;
    }
    if (!group->is_eager) {
        share_sticky(group);
        return;
    }
    struct simulated_seat **readers = simulated_allocate(group->seat_count * sizeof(void *));
    for (size_t i = 0; i < cluster->topic_count; i++) {
        share_topic(group, cluster->topics[i], readers);
    }
    free(readers);
}
