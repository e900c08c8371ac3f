#ifndef RF_TESTS_DISK_SIMULATED_H
#define RF_TESTS_DISK_SIMULATED_H
// A disk in memory that can fail any call, and lose what was not synced.
#include "ops/disk.h"

#include <stdbool.h>

struct rf_disk *rf_disk_simulated_create(void);

// The call with this number, counted from now on (1 is the next one), answers `error`; 0: none fails.
void rf_disk_simulated_fail(struct rf_disk *disk, uint64_t call, int error);

uint64_t rf_disk_simulated_calls(const struct rf_disk *disk); // so far

// What a power cut leaves: names as of the last sync of their folder, contents as of the last sync of their file.
void rf_disk_simulated_cut_power(struct rf_disk *disk);

// Changes a byte, or cuts a file, behind the program's back. False when it is not there.
bool rf_disk_simulated_damage(struct rf_disk *disk, const char *path, size_t at);
bool rf_disk_simulated_cut(struct rf_disk *disk, const char *path, size_t size);

#endif
