#ifndef RF_TESTS_DISK_SIMULATED_H
#define RF_TESTS_DISK_SIMULATED_H
// A disk in memory that can fail any call, and lose what was not synced.
#include "ops/disk.h"
#include "proto/random.h"

#include <stdbool.h>

struct rf_disk *rf_disk_simulated_create(void);

// The call with this number, counted from now on (1 is the next one), answers `error`; 0: none fails.
void rf_disk_simulated_fail(struct rf_disk *disk, uint64_t call, int error);

// From the call with this number on none has any effect, and all fail: what a process that dies there leaves behind.
void rf_disk_simulated_halt(struct rf_disk *disk, uint64_t call);

// While it is full nothing can be made or written.
void rf_disk_simulated_fill(struct rf_disk *disk, bool is_full);

bool rf_disk_simulated_has_failed(const struct rf_disk *disk); // one of those calls has come

// The call that failed last, as sentences name it ("write state/snapshot.tmp"), or "".
const char *rf_disk_simulated_failed_call(const struct rf_disk *disk);

uint64_t rf_disk_simulated_calls(const struct rf_disk *disk); // so far

// Tells of each file that got its name by a rename, and of each that was removed. It must not call the disk, but may peek.
void rf_disk_simulated_watch(struct rf_disk *disk, void (*renamed)(void *context, const char *path),
                             void (*removed)(void *context, const char *path), void *context);

// Opens a file to write at its end, made if need be, and cuts one that is open: what sinks do with theirs. Calls like those
// of rf_disk_ops: they are counted, can be failed, and answer errno values.
int rf_disk_simulated_append(struct rf_disk *disk, const char *path, int *handle_out, uint64_t *size_out);
int rf_disk_simulated_truncate(struct rf_disk *disk, int handle, uint64_t size);

// What a power cut leaves: names as of the last sync of their folder, contents as of the last sync of their file.
void rf_disk_simulated_cut_power(struct rf_disk *disk);

// The same, but a disk writes when it likes: what was not synced may have reached it, or the first part of it.
void rf_disk_simulated_cut_power_by_chance(struct rf_disk *disk, struct rf_random *random);

// Changes a byte, or cuts a file, behind the program's back. False when it is not there.
bool rf_disk_simulated_damage(struct rf_disk *disk, const char *path, size_t at);
bool rf_disk_simulated_cut(struct rf_disk *disk, const char *path, size_t size);

// Lends the contents behind the program's back, until the next call of the disk; the call is not counted. False when there is
// no such file.
bool rf_disk_simulated_peek(const struct rf_disk *disk, const char *path, const char **data_out, size_t *size_out);

#endif
