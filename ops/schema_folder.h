#ifndef RF_OPS_SCHEMA_FOLDER_H
#define RF_OPS_SCHEMA_FOLDER_H
// Where the schemas of a schema registry are kept: the folder `schemas` in the state folder, a file an id. What stands there
// needs no registry; a file that is damaged is as none. An id that the registry did not know is kept too, so that the same log
// gives the same model when it is read again: who registers it later removes the file.
#include "ingest/registry.h"
#include "ops/disk.h"
#include "ops/log.h"

struct rf_schema_folder {
    struct rf_disk *disk; // borrowed
    const char *state;    // path of the state folder, borrowed
    struct rf_log *log;   // borrowed
    bool is_held;         // by this process: else nothing is written
};

// Borrows the folder.
struct rf_registry_store rf_schema_folder_store(struct rf_schema_folder *folder);

#endif
