#ifndef RF_INGEST_REGISTRY_FETCH_H
#define RF_INGEST_REGISTRY_FETCH_H
// One schema with all that it refers to, asked of one registry: request after request, without blocking.
#include "ingest/http.h"
#include "ingest/registered.h"

#include <stdbool.h>

struct rf_registry_fetch;

// `http` is borrowed. `is_serialized`: schemas of Protobuf are asked for as descriptors.
enum rf_status rf_registry_fetch_create(struct rf_http *http, bool is_serialized, struct rf_registry_fetch **fetch_out,
                                        struct rf_error *err) RF_MUST_USE;
void rf_registry_fetch_destroy(struct rf_registry_fetch *fetch); // takes NULL

// Begins with an id, in place of what was under way; `url` is the registry's, borrowed until the end.
enum rf_status rf_registry_fetch_begin(struct rf_registry_fetch *fetch, const char *url, uint32_t id,
                                       struct rf_error *err) RF_MUST_USE;

// Goes on for at most wait_ms. RF_AGAIN: under way. RF_OK: the caller owns what came, which may be a refusal for good.
// RF_NOT_FOUND: the registry does not know the id. Else as rf_registry_judge() has it.
enum rf_status rf_registry_fetch_turn(struct rf_registry_fetch *fetch, int wait_ms, struct rf_registered **registered_out,
                                      struct rf_error *err) RF_MUST_USE;

#endif
