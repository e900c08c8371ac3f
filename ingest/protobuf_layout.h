#ifndef RF_INGEST_PROTOBUF_LAYOUT_H
#define RF_INGEST_PROTOBUF_LAYOUT_H
#include "ingest/protobuf_internal.h"

// Gives every rule of a plan its places and its state, and makes room for them.
enum rf_status rf_protobuf_lay_out(struct rf_protobuf_plan *plan, struct rf_error *err) RF_MUST_USE;

#endif
