#ifndef RF_INGEST_REGISTRY_H
#define RF_INGEST_REGISTRY_H
// The schemas of a schema registry (Confluent's HTTP interface), by their ids.
#include "ingest/http.h"
#include "ingest/registered.h"
#include "proto/setting.h"

#include <stdbool.h>

// The settings under `source.registry`.
struct rf_registry_options {
    char *url; // one, or several with commas in between; NULL: no registry
    char *user, *password, *token, *ca_file;
    double timeout_seconds;
    uint64_t reply_bytes, ids;
};
extern const struct rf_setting rf_registry_settings[];

// What must hold between them, and of the URLs. RF_INVALID, in words, in which no credentials stand.
enum rf_status rf_registry_check(const struct rf_registry_options *options, struct rf_error *err) RF_MUST_USE;

// Where schemas are kept beyond the process, so that a restart needs no registry. Called by who resolves.
struct rf_registry_store {
    void *context;
    // NULL: nothing, or nothing sound, is kept of the id. The registry owns it.
    struct rf_registered *(*load)(void *context, uint32_t id);
    // NULL: nothing is kept. What cannot be kept is the store's to tell: the schema is used all the same.
    void (*save)(void *context, const struct rf_registered *registered);
};

// What is known of schema ids. An id that is known stays so, and always with the same contents: what it means never changes.
struct rf_registry;

// `is_serialized`: schemas are wanted as descriptors of Protobuf. Takes `http`, also when it fails; borrows the options; copies
// the store, which may be NULL.
enum rf_status rf_registry_create(const struct rf_registry_options *options, bool is_serialized, struct rf_http *http,
                                  const struct rf_registry_store *store, struct rf_registry **registry_out,
                                  struct rf_error *err) RF_MUST_USE;
void rf_registry_destroy(struct rf_registry *registry); // takes NULL

// What is known of an id, without asking anybody; NULL: nothing yet. Any thread; good as long as the registry.
const struct rf_registered *rf_registry_find(struct rf_registry *registry, uint32_t id);

// The same, asking the store and the registry where it must, for at most wait_ms. One thread. RF_AGAIN: call again, with the same
// id; where something is wrong `err` says what (registry away, or credentials refused), else its text is left alone. It is tried
// again a second later, each of the URLs in turn. More ids than are kept wait likewise: what is answered must not depend on which
// ids were met before.
//
// A registry that does not know an id is asked once more, a moment later: it may be one of several, and behind the others.
enum rf_status rf_registry_resolve(struct rf_registry *registry, uint32_t id, int64_t now_ms, int wait_ms,
                                   const struct rf_registered **registered_out, struct rf_error *err) RF_MUST_USE;

// Asks whether the registry is there and takes the credentials, for at most wait_ms. RF_AGAIN: call again. RF_INVALID: it does
// not. RF_IO: it is away, or silent for 5 seconds: a start is not held up by it. One thread, nothing else being under way.
enum rf_status rf_registry_probe(struct rf_registry *registry, int64_t now_ms, int wait_ms, struct rf_error *err) RF_MUST_USE;

const char *rf_registry_url(const struct rf_registry *registry); // that was asked last

#endif
