#include "ingest/descriptors.h"

#include "ingest/wire.h"
#include "proto/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rf_descriptors {
    Google__Protobuf__FileDescriptorSet *set;
    struct rf_message_type *messages; // [message_count] names are owned
    size_t message_count, message_capacity;
    struct rf_enum_type *enums; // [enum_count] names are owned
    size_t enum_count, enum_capacity;
};

enum { NESTING_MAX = 64 }; // of messages declared within messages

// What holds messages, from the outermost, by the field that they are in.
enum { SET_FILES = 1, FILE_MESSAGES = 4, MESSAGE_MESSAGES = 3 };

// protobuf-c unpacks messages within messages by calling itself, however deep they are: so their bytes are walked before.
// RF_INVALID: they are no message; RF_FULL: too deep.
// NOLINTNEXTLINE(misc-no-recursion): at most NESTING_MAX deep, and two for set and file
static enum rf_status check_nesting(struct rf_text message, uint32_t field, int depth) {
    struct rf_wire wire = rf_wire_of(message);
    uint32_t inner = field == SET_FILES ? FILE_MESSAGES : MESSAGE_MESSAGES;
    enum rf_status status = depth > NESTING_MAX + 2 ? RF_FULL : RF_OK;
    while (wire.at < wire.end && !status) {
        uint32_t tag;
        struct rf_text bytes;
        if (!rf_wire_tag(&wire, &tag)) {
            return RF_INVALID;
        }
        if (tag != RF_WIRE_TAG(field, RF_WIRE_DELIMITED)) {
            status = rf_wire_skip(&wire, tag, RF_WIRE_DEPTH_MAX) ? RF_INVALID : RF_OK;
        } else {
            status = rf_wire_delimited(&wire, &bytes) ? check_nesting(bytes, inner, depth + 1) : RF_INVALID;
        }
    }
    return status;
}

enum rf_status rf_descriptors_unpack(struct rf_text bytes, Google__Protobuf__FileDescriptorSet **set_out, struct rf_error *err) {
    enum rf_status status = check_nesting(bytes, SET_FILES, 0);
    if (status == RF_FULL) {
        rf_fail(err, RF_INVALID, "the descriptors have a message that is declared within more than %d others", NESTING_MAX);
        return RF_INVALID;
    }
    Google__Protobuf__FileDescriptorSet *set =
            status ? NULL : google__protobuf__file_descriptor_set__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
    if (set && set->n_file > 0) {
        *set_out = set;
        return RF_OK;
    }
    if (set) {
        google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    }
    rf_fail(err, RF_INVALID,
            "the descriptors are %zu bytes that are no such set, must be what protoc --descriptor_set_out writes", bytes.size);
    return RF_INVALID;
}

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "the descriptors do not fit into memory");
}

// `scope` is a package or a message, or empty.
static char *full_name(const char *scope, const char *name) {
    char *full = NULL;
    return asprintf(&full, "%s%s%s", scope, *scope ? "." : "", name) < 0 ? NULL : full;
}

// Room for one more; NULL: out of memory.
static void *grow(void *list, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return list;
    }
    size_t wanted = *capacity ? 2 * *capacity : 16;
    void *grown = realloc(list, wanted * size);
    *capacity = grown ? wanted : *capacity;
    return grown;
}

static enum rf_status add_enum(struct rf_descriptors *set, const char *scope, const Google__Protobuf__EnumDescriptorProto *type,
                               struct rf_error *err) {
    struct rf_enum_type *enums = grow(set->enums, set->enum_count, &set->enum_capacity, sizeof *enums);
    if (!enums) {
        return no_memory(err);
    }
    set->enums = enums;
    char *name = full_name(scope, type->name ? type->name : "");
    if (!name) {
        return no_memory(err);
    }
    enums[set->enum_count++] = (struct rf_enum_type){name, type};
    return RF_OK;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as declarations nest, at most NESTING_MAX
static enum rf_status add_message(struct rf_descriptors *set, const struct rf_message_type *like, const char *scope,
                                  const Google__Protobuf__DescriptorProto *type, struct rf_error *err) {
    struct rf_message_type *messages = grow(set->messages, set->message_count, &set->message_capacity, sizeof *messages);
    if (!messages) {
        return no_memory(err);
    }
    set->messages = messages;
    char *name = full_name(scope, type->name ? type->name : "");
    if (!name) {
        return no_memory(err);
    }
    struct rf_message_type *message = &messages[set->message_count++];
    *message = *like;
    message->name = name;
    message->descriptor = type;
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < type->n_nested_type && !status; i++) {
        status = add_message(set, like, name, type->nested_type[i], err);
    }
    for (size_t i = 0; i < type->n_enum_type && !status; i++) {
        status = add_enum(set, name, type->enum_type[i], err);
    }
    return status;
}

static enum rf_status add_file(struct rf_descriptors *set, const Google__Protobuf__FileDescriptorProto *file,
                               struct rf_error *err) {
    const char *syntax = file->syntax && *file->syntax ? file->syntax : "proto2";
    const struct rf_message_type like = {
            .has_implicit_presence = strcmp(syntax, "proto3") == 0,
            .is_refused = strcmp(syntax, "proto3") != 0 && strcmp(syntax, "proto2") != 0,
    };
    const char *package = file->package ? file->package : "";
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < file->n_message_type && !status; i++) {
        status = add_message(set, &like, package, file->message_type[i], err);
    }
    for (size_t i = 0; i < file->n_enum_type && !status; i++) {
        status = add_enum(set, package, file->enum_type[i], err);
    }
    return status;
}

enum rf_status rf_descriptors_create(struct rf_text bytes, struct rf_descriptors **descriptors_out, struct rf_error *err) {
    struct rf_descriptors *set = calloc(1, sizeof *set);
    if (!set) {
        return no_memory(err);
    }
    if (rf_descriptors_unpack(bytes, &set->set, err)) {
        goto fail;
    }
    for (size_t i = 0; i < set->set->n_file; i++) {
        if (add_file(set, set->set->file[i], err)) {
            goto fail;
        }
    }
    *descriptors_out = set;
    return RF_OK;
fail:
    rf_descriptors_destroy(set);
    return err->status;
}

void rf_descriptors_destroy(struct rf_descriptors *descriptors) {
    if (!descriptors) {
        return;
    }
    for (size_t i = 0; i < descriptors->message_count; i++) {
        free((char *)descriptors->messages[i].name);
    }
    for (size_t i = 0; i < descriptors->enum_count; i++) {
        free((char *)descriptors->enums[i].name);
    }
    free(descriptors->messages);
    free(descriptors->enums);
    if (descriptors->set) {
        google__protobuf__file_descriptor_set__free_unpacked(descriptors->set, NULL);
    }
    free(descriptors);
}

static const char *without_dot(const char *name) {
    return *name == '.' ? name + 1 : name;
}

const struct rf_message_type *rf_descriptors_message(const struct rf_descriptors *descriptors, const char *name) {
    for (size_t i = 0; i < descriptors->message_count; i++) {
        if (strcmp(descriptors->messages[i].name, without_dot(name)) == 0) {
            return &descriptors->messages[i];
        }
    }
    return NULL;
}

const struct rf_enum_type *rf_descriptors_enum(const struct rf_descriptors *descriptors, const char *name) {
    for (size_t i = 0; i < descriptors->enum_count; i++) {
        if (strcmp(descriptors->enums[i].name, without_dot(name)) == 0) {
            return &descriptors->enums[i];
        }
    }
    return NULL;
}

static const char *last_part(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

enum rf_status rf_descriptors_find(const struct rf_descriptors *descriptors, const char *name,
                                   const struct rf_message_type **message_out, struct rf_error *err) {
    const struct rf_message_type *found = rf_descriptors_message(descriptors, name);
    if (found) {
        *message_out = found;
        return RF_OK;
    }
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < descriptors->message_count; i++) {
        const char *candidate = descriptors->messages[i].name;
        bool is_nearer = rf_is_nearer(name, candidate, &best) || rf_is_nearer(last_part(name), last_part(candidate), &best);
        nearest = is_nearer ? candidate : nearest;
    }
    if (nearest) {
        return rf_fail(err, RF_INVALID, "message %.200s is not among the descriptors, did you mean %.200s?", name, nearest);
    }
    return rf_fail(err, RF_INVALID,
                   "message %.200s is not among the descriptors, must be one of them: its name in full, with the package", name);
}
