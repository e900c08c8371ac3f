#ifndef RF_TESTS_OUTPUTS_H
#define RF_TESTS_OUTPUTS_H
// What stands in the files of simulated sinks.
#include "tests/simulation/life.h"

#define REJECTED_FILE "out/rejected"

// Every record from offset from[partition] on (NULL: from 0 on) stands once in the file, if it is of those that belong there,
// and nothing else does.
void assert_output_once(const struct world *world, const char *path, const int64_t *from);

// The same for the files of all sinks.
void assert_outputs_once(const struct world *world, const int64_t *from);

// No record stands twice in any of the files, whatever is not there yet.
void assert_outputs_not_twice(const struct world *world);

// The first offset of a partition that stands in the file, and the one after the last; RF_OFFSET_NONE: none does.
void find_in_output(const struct world *world, const char *path, size_t partition, int64_t *first_out, int64_t *end_out);

// The files as they stand, to compare with later.
struct outputs {
    char *data[SINKS_MAX + 1];
    size_t size[SINKS_MAX + 1];
};
void copy_outputs(const struct world *world, struct outputs *outputs_out);
void free_outputs(struct outputs *outputs);
void assert_outputs_untouched(const struct world *world, struct outputs *outputs); // frees the copy

#endif
