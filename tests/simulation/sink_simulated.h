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

// How slow a sink is. Belongs to the test, and may change at any time.
struct simulated_pace {
    uint64_t no_room_one_in; // at least 2: then it takes what it has room for, and asks to be called again
    uint64_t not_yet_max;    // times that confirming is put off
};

enum { SIMULATED_LINE_SIZE = 128 };

// A line of such a file: where the record stood and, when it was not rejected (NULL), its score to the last bit.
size_t simulated_line(const char *topic, int32_t partition, int64_t offset, const double *score,
                      char line_out[SIMULATED_LINE_SIZE]);

// Opens the file, made if need be; the disk is borrowed. The label is that of a file.
// What stands in a line beside the origin: the score, as simulated_line() writes it; the bits of the score and the version;
// nothing.
enum simulated_lines { SIMULATED_SCORES, SIMULATED_VERSIONS, SIMULATED_REJECTED };
enum rf_status simulated_sink_create(struct rf_disk *disk, const char *path, enum simulated_lines lines, uint64_t seed,
                                     const struct simulated_pace *pace, struct rf_sink **sink_out,
                                     struct rf_error *err) RF_MUST_USE;

#endif
