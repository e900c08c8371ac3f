#ifndef RF_INGEST_AVRO_PARSER_H
#define RF_INGEST_AVRO_PARSER_H
// What making a schema of its JSON keeps on the way: types, members and names (avro_parser.c), for avro_schema.c.
#include "ingest/avro_schema.h"
#include "ingest/reject.h"

#include <jansson.h>

struct rf_avro_text {
    struct rf_avro_text *next;
    char data[];
};

struct rf_avro_parser {
    struct rf_avro_schema *schema;
    json_t *names; // full name -> type
    struct rf_error *err;
    struct rf_text record, field; // where it is; data NULL: nowhere in particular
    unsigned depth;
    uint32_t unions;
};

// A sentence that says where it is.
#define RF_AVRO_FAIL(parser, ...) (rf_fail((parser)->err, RF_INVALID, __VA_ARGS__), rf_avro_fail_here(parser))
enum rf_status rf_avro_fail_here(const struct rf_avro_parser *parser);
enum rf_status rf_avro_out_of_memory(const struct rf_avro_parser *parser);

enum rf_status rf_avro_add_type(const struct rf_avro_parser *parser, struct rf_avro_type type, uint32_t *type_out) RF_MUST_USE;

// Room for `count` members that stand together.
enum rf_status rf_avro_add_members(const struct rf_avro_parser *parser, size_t count, uint32_t *first_out) RF_MUST_USE;

// A copy that the schema owns, with a NUL behind it: `space`, a dot if there is a space, and `name`.
enum rf_status rf_avro_keep_name(const struct rf_avro_parser *parser, struct rf_text space, struct rf_text name,
                                 struct rf_text *name_out) RF_MUST_USE;

// Gives a type the name that its JSON says: a full name has dots, a simple one is completed by a namespace of its own or else by
// the one around it.
enum rf_status rf_avro_declare(const struct rf_avro_parser *parser, const json_t *json, const char *word, struct rf_text space,
                               uint32_t type) RF_MUST_USE;
struct rf_text rf_avro_space_of(struct rf_text full_name); // its namespace: what names within the type are completed with

bool rf_avro_find_primitive(struct rf_text word, enum rf_avro_kind *kind_out);
bool rf_avro_is_name(struct rf_text name);
bool rf_avro_add_to_set(json_t *set, struct rf_text name, json_int_t value); // false when it stood in it before

struct rf_text rf_avro_text_of(const json_t *json); // data NULL: it is no string
struct rf_text rf_avro_text_in(const json_t *json, const char *key);

#endif
