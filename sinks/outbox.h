#ifndef RF_SINKS_OUTBOX_H
#define RF_SINKS_OUTBOX_H
// What Kafka sinks of a fleet were given and no transaction has sent yet: it becomes visible with the delta that was learned
// beside it, or never. One thread.
#include "proto/status.h"
#include "proto/text.h"

#include <stddef.h>

struct rf_outbox_record {
    const char *topic; // borrowed from the sink
    size_t key, value; // where they begin in `bytes`
    size_t key_size, value_size;
    bool has_key;
};

struct rf_outbox {
    struct rf_outbox_record *list; // [count]
    size_t count, capacity;
    char *bytes;
    size_t size, room;
    size_t record_bytes_max; // as message.max.bytes; larger ones are refused
};

void rf_outbox_init(struct rf_outbox *outbox, size_t record_bytes_max);
void rf_outbox_finish(struct rf_outbox *outbox);
void rf_outbox_clear(struct rf_outbox *outbox);

// Copies a record. RF_FULL, in words: it is larger than message.max.bytes, and was not taken. RF_MEMORY.
enum rf_status rf_outbox_add(struct rf_outbox *outbox, const char *topic, struct rf_text key, struct rf_text value,
                             struct rf_error *err) RF_MUST_USE;

#endif
