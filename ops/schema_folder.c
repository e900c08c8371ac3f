#include "ops/schema_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4352 };

static void path_of(const struct rf_schema_folder *folder, uint32_t id, const char *suffix, char path_out[PATH_SIZE]) {
    snprintf(path_out, PATH_SIZE, "%s/schemas/%" PRIu32 "%s", folder->state, id, suffix);
}

static struct rf_registered *load(void *context, uint32_t id) {
    const struct rf_schema_folder *folder = context;
    char path[PATH_SIZE];
    const uint8_t *data;
    size_t size;
    struct rf_error err;
    struct rf_registered *registered = NULL;
    path_of(folder, id, "", path);
    enum rf_status status = rf_disk_read(folder->disk, path, &data, &size, &err);
    if (!status) {
        status = rf_registered_read((struct rf_text){(const char *)data, size}, id, &registered, &err);
        rf_disk_forget(folder->disk, data, size);
        if (status) {
            rf_fail_in(&err, "%s", path);
        }
    }
    if (status && status != RF_NOT_FOUND) {
        rf_log(folder->log, RF_LOG_WARN, "a kept schema cannot be read; asking the registry", rf_log_text("error", err.text));
    }
    return registered;
}

static enum rf_status keep(const struct rf_schema_folder *folder, const struct rf_registered *registered, struct rf_error *err) {
    char path[PATH_SIZE], fresh[PATH_SIZE], inner[PATH_SIZE];
    path_of(folder, registered->id, "", path);
    path_of(folder, registered->id, ".new", fresh);
    snprintf(inner, sizeof inner, "%s/schemas", folder->state);
    char *text = rf_registered_print(registered);
    if (!text) {
        return rf_fail(err, RF_MEMORY, "out of memory");
    }
    enum rf_status status = rf_disk_make_folder(folder->disk, inner, err);
    if (!status) {
        const struct rf_disk_replacement file = {inner, path, fresh, text, strlen(text)};
        status = rf_disk_replace(folder->disk, &file, err);
    }
    if (!status) {
        status = rf_disk_sync_folder(folder->disk, folder->state, err); // where the inner one is new
    }
    free(text);
    return status;
}

static void save(void *context, const struct rf_registered *registered) {
    const struct rf_schema_folder *folder = context;
    struct rf_error err;
    if (!folder->is_held) {
        return;
    }
    if (registered->refusal) {
        rf_log(folder->log, RF_LOG_WARN, "no such schema; records with its id are rejected",
               rf_log_uint("schema_id", registered->id), rf_log_text("why", registered->refusal));
    } else {
        rf_log(folder->log, RF_LOG_INFO, "schema fetched", rf_log_uint("schema_id", registered->id),
               rf_log_text("type", registered->type), rf_log_uint("references", registered->count - 1));
    }
    if (keep(folder, registered, &err)) {
        rf_log(folder->log, RF_LOG_WARN, "a schema is not kept; the next start asks the registry for it",
               rf_log_uint("schema_id", registered->id), rf_log_text("error", err.text));
    }
}

struct rf_registry_store rf_schema_folder_store(struct rf_schema_folder *folder) {
    return (struct rf_registry_store){.context = folder, .load = load, .save = save};
}
