#ifndef RF_TESTS_SINK_SIMULATED_H
#define RF_TESTS_SINK_SIMULATED_H
// A sink that is a file on the simulated disk, as sinks/sink_file.c is on the machine's: a line for each prediction that is
// due, or for each rejected record,
//
//     topic partition offset
//
// (where scores are told: score line base epoch since behind them, the score as the bits of the first one)
// with one write for what is handed over at once. The bookmark is the length, settling is a sync. A seed decides how often it
// has no room, and takes a part of a batch or none, and how often it has not yet confirmed.
#include "ops/disk.h"
#include "sinks/sink.h"

// Opens the file, made if need be; the disk is borrowed. The label is that of a file.
enum simulated_lines { SIMULATED_ORIGINS, SIMULATED_SCORES, SIMULATED_REJECTED };
enum rf_status simulated_sink_create(struct rf_disk *disk, const char *path, enum simulated_lines lines, uint64_t seed,
                                     struct rf_sink **sink_out, struct rf_error *err) RF_MUST_USE;

#endif
