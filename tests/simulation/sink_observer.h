#ifndef RF_TESTS_SINK_OBSERVER_H
#define RF_TESTS_SINK_OBSERVER_H
// A sink that forgets nothing: what has left over a network cannot be taken back. It outlives the workers that publish to it.
#include "sinks/sink.h"

struct observer;

struct observer *observer_create(void);
void observer_destroy(struct observer *observer);

enum rf_status sink_observer_create(struct observer *observer, struct rf_sink **sink_out, struct rf_error *err) RF_MUST_USE;

// How many predictions were seen. Fails the test when two of them, of other records or with other scores, have one version.
size_t assert_versions_used_once(struct observer *observer);

#endif
