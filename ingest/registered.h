#ifndef RF_INGEST_REGISTERED_H
#define RF_INGEST_REGISTERED_H
#include "proto/status.h"
#include "proto/text.h"

#include <stdint.h>

// What a schema registry answered for one schema id: the schema with all that it refers to, or that there is none. Immutable.
struct rf_registered_schema {
    char *name; // by which others refer to it: an Avro type, a file of Protobuf; of the id's own schema ""
    char *text; // as it was registered; Protobuf: its FileDescriptorProto in base64
};

struct rf_registered {
    uint32_t id;
    char *refusal;                        // why there is no such schema; NULL: there is one
    char *type;                           // AVRO, PROTOBUF, JSON or another word of the registry's
    struct rf_registered_schema *schemas; // [count] whatever is referred to stands before what refers to it; the last is the id's
    size_t count;
};
void rf_registered_destroy(struct rf_registered *registered); // takes NULL

// The same as a text to be kept, which tells when it was damaged. The caller frees it; NULL: out of memory.
char *rf_registered_print(const struct rf_registered *registered);
// RF_CORRUPT, in words, when the text is not what was printed for this id.
enum rf_status rf_registered_read(struct rf_text text, uint32_t id, struct rf_registered **registered_out,
                                  struct rf_error *err) RF_MUST_USE;

#endif
