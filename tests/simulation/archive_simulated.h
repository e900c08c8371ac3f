#ifndef RF_TESTS_ARCHIVE_SIMULATED_H
#define RF_TESTS_ARCHIVE_SIMULATED_H
#include "proto/random.h"
#include "sinks/archive.h"
#include "tests/simulation/cluster_simulated.h"

// The texts are borrowed. One in so many calls fails; 0: none.
struct rf_archive *simulated_archive_create(struct simulated_cluster *cluster, const char *snapshots, const char *deltas,
                                            uint64_t one_in, uint64_t seed);

#endif
