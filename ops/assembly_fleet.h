#ifndef RF_OPS_ASSEMBLY_FLEET_H
#define RF_OPS_ASSEMBLY_FLEET_H
// From settings to a worker of a fleet, and to whoever only looks at one.
#include "ops/assembly.h"
#include "ops/fleet_worker.h"
#include "sinks/topic.h"

enum { RF_FLEET_TOPIC_SIZE = 250 };

// The log of deltas: fleet.topic, or <name>.deltas.
void rf_assembly_fleet_topic(const struct rf_assembly *assembly, char topic_out[RF_FLEET_TOPIC_SIZE]);

// The topic of snapshots: fleet.snapshots.topic, or <name>.snapshots.
void rf_assembly_fleet_snapshots(const struct rf_assembly *assembly, char topic_out[RF_FLEET_TOPIC_SIZE]);
enum rf_status rf_assembly_fleet_shelf(struct rf_assembly *assembly, struct rf_source **source_out,
                                       struct rf_error *err) RF_MUST_USE; // up to its end

// The source of the log of deltas: up to its end as it is now, or on and on.
enum rf_status rf_assembly_fleet_log(struct rf_assembly *assembly, bool until_end, struct rf_source **source_out,
                                     struct rf_error *err) RF_MUST_USE;

// Makes or checks the log's topic, all parts, and the worker that owns them. What it borrows lives as long as the assembly.
enum rf_status rf_assembly_fleet_worker(struct rf_assembly *assembly, struct rf_fleet_worker **worker_out,
                                        struct rf_error *err) RF_MUST_USE;

#endif
