#ifndef RF_SINKS_CLONE_H
#define RF_SINKS_CLONE_H
// Snapshots to the outside, by the Clone pattern (Hintjens, "ZeroMQ", chapter 5): every new snapshot is published; who
// comes late asks for the newest and gets it at once, then follows; a gap shows in the sequence numbers. One thread.
#include "proto/prediction.h"
#include "proto/setting.h"
#include "proto/status.h"

#include <stdbool.h>
#include <stdint.h>

struct rf_clone;

struct rf_clone_options {
    char *publish;            // endpoint of the PUB socket, e.g. tcp://127.0.0.1:5556; NULL: no clone
    char *serve;              // endpoint of the ROUTER socket that answers requests
    uint64_t high_water_mark; // messages (chunks of 1 MiB) queued for one subscriber
    uint64_t clients;         // late joiners answered at the same time; others wait
    uint64_t patience_ms;     // a late joiner that takes nothing for so long is given up
    uint64_t linger_ms;       // how long destroy() waits for room for what is under way, and then for what is queued
};
extern const struct rf_setting rf_clone_settings[];

enum rf_status rf_clone_create(const struct rf_clone_options *options, const char *model, uint32_t epoch,
                               struct rf_clone **clone_out, struct rf_error *err) RF_MUST_USE;
void rf_clone_destroy(struct rf_clone *clone);

// Where the sockets are bound, with the ports that `*` stood for. Borrowed.
const char *rf_clone_publish_endpoint(const struct rf_clone *clone);
const char *rf_clone_serve_endpoint(const struct rf_clone *clone);

// Takes the snapshot in the file at `path` (a snapshot that verifies) to publish it and to answer requests, in place of
// the one before. The file may be removed afterwards: it stays open. Reads the file once for its SHA-256 and returns;
// rf_clone_serve() sends it.
enum rf_status rf_clone_publish(struct rf_clone *clone, const char *path, const struct rf_version *version,
                                const uint8_t model_sha256[32], struct rf_error *err) RF_MUST_USE;

// Sends what subscribers and late joiners have room for and takes requests, a few MiB at most; when there is nothing to do,
// waits up to timeout_ms for something. The memory it holds is bounded by the options, whatever peers do: a snapshot is
// published at the pace of the slowest subscriber for a second in all, then past it.
void rf_clone_serve(struct rf_clone *clone, int timeout_ms);

// There is more to send: call rf_clone_serve() again soon.
bool rf_clone_is_busy(const struct rf_clone *clone);

struct rf_clone_counts {
    uint64_t published; // snapshots sent to subscribers, to the last chunk
    uint64_t requests;  // that could be read
    uint64_t ignored;   // requests that could not
    uint64_t answered;  // snapshots sent to late joiners, to the last chunk
    uint64_t dropped;   // late joiners that went away or took nothing
};
struct rf_clone_counts rf_clone_counts(const struct rf_clone *clone);

#endif
