#ifndef RF_OPS_EMBEDDED_H
#define RF_OPS_EMBEDDED_H
// `bootstrap.servers: embedded`: a broker inside this process and a generated stream into the source's first topic, for
// trying out. The stream is paced by its reader, because the broker keeps only a few MiB a partition.
#include "ops/assembly.h"

struct rf_embedded;

// Starts the broker with the source's topics, puts its address into the assembly and gives the model a fresh state folder
// below the one in the settings (the broker forgets, so an older state would not fit).
enum rf_status rf_embedded_create(struct rf_assembly *assembly, struct rf_embedded **embedded_out,
                                  struct rf_error *err) RF_MUST_USE;

// Starts to generate, in a thread of its own.
enum rf_status rf_embedded_start(struct rf_embedded *embedded, struct rf_error *err) RF_MUST_USE;

// Tells how many records the reader has applied. True once that is all that were asked for.
bool rf_embedded_pace(struct rf_embedded *embedded, uint64_t applied);

void rf_embedded_destroy(struct rf_embedded *embedded); // NULL is fine

#endif
