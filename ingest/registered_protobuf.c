#include "ingest/registered_protobuf.h"

#include "ingest/base64.h"
#include "ingest/descriptors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rf_status no_memory(struct rf_error *err) {
    return rf_fail(err, RF_MEMORY, "descriptors of protobuf: out of memory");
}

// A set is a repeated field 1: each file behind its tag and size.
static enum rf_status add_file(struct rf_registered_message *message, struct rf_text base64, struct rf_error *err) {
    enum { HEAD_MAX = 11 };
    uint8_t *grown = realloc(message->descriptors, message->size + HEAD_MAX + base64.size);
    if (!grown) {
        return no_memory(err);
    }
    message->descriptors = grown;
    uint8_t *file = malloc(base64.size);
    if (!file) {
        return no_memory(err);
    }
    size_t size = rf_base64_decode(base64, file);
    grown[message->size++] = 1 << 3 | 2;
    size_t left = size;
    for (; left >= 0x80; left >>= 7) {
        grown[message->size++] = (uint8_t)(left | 0x80);
    }
    grown[message->size++] = (uint8_t)left;
    memcpy(grown + message->size, file, size);
    message->size += size;
    free(file);
    return RF_OK;
}

static enum rf_status fail_place(const uint32_t *indexes, size_t count, const char *scope, size_t held, struct rf_error *err) {
    char place[RF_CONFLUENT_INDEXES_MAX * 11 + 1] = "";
    for (size_t i = 0, used = 0; i < count && used < sizeof place - 11; i++) {
        used += (size_t)snprintf(place + used, sizeof place - used, "%s%" PRIu32, i ? "." : "", indexes[i]);
    }
    return rf_fail(err, RF_INVALID, "has no message %s: %s holds %zu", place, scope, held);
}

// `file` is the last one of the set.
static enum rf_status name_message(const Google__Protobuf__FileDescriptorProto *file, const uint32_t *indexes, size_t count,
                                   char **name_out, struct rf_error *err) {
    char *name = strdup(file->package ? file->package : "");
    size_t held = file->n_message_type;
    Google__Protobuf__DescriptorProto *const *messages = file->message_type;
    enum rf_status status = name ? RF_OK : no_memory(err);
    for (size_t i = 0; i < count && !status; i++) {
        if (indexes[i] >= held) {
            status = fail_place(indexes, count, i ? name : "the file", held, err);
            break;
        }
        const Google__Protobuf__DescriptorProto *message = messages[indexes[i]];
        char *longer = NULL;
        if (asprintf(&longer, "%s%s%s", name, *name ? "." : "", message->name ? message->name : "") < 0) {
            status = no_memory(err);
            break;
        }
        free(name);
        name = longer;
        held = message->n_nested_type;
        messages = message->nested_type;
    }
    if (status) {
        free(name);
        return status;
    }
    *name_out = name;
    return RF_OK;
}

enum rf_status rf_registered_message(const struct rf_registered *registered, const uint32_t *indexes, size_t index_count,
                                     struct rf_registered_message *message_out, struct rf_error *err) {
    struct rf_registered_message message = {0};
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < registered->count && !status; i++) {
        struct rf_text text = rf_text_of(registered->schemas[i].text);
        status = rf_base64_is_valid(text) ? add_file(&message, text, err)
                                          : rf_fail(err, RF_INVALID, "is not kept as a descriptor");
    }
    Google__Protobuf__FileDescriptorSet *set = NULL;
    if (!status) {
        status = rf_descriptors_unpack((struct rf_text){(const char *)message.descriptors, message.size}, &set, err);
    }
    if (!status) {
        status = name_message(set->file[set->n_file - 1], indexes, index_count, &message.name, err);
    }
    if (set) {
        google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    }
    if (status) {
        rf_registered_message_finish(&message);
        return status;
    }
    *message_out = message;
    return RF_OK;
}

void rf_registered_message_finish(struct rf_registered_message *message) {
    free(message->descriptors);
    free(message->name);
    *message = (struct rf_registered_message){0};
}

// What is left of a full name behind a scope and its dot; NULL: it is not in there.
static const char *rest_of(const char *name, const char *scope) {
    size_t size = scope ? strlen(scope) : 0;
    if (size == 0) {
        return name;
    }
    return strncmp(name, scope, size) == 0 && name[size] == '.' ? name + size + 1 : NULL;
}

// Where it is among these messages and those in them; 0: nowhere.
static size_t find_place(Google__Protobuf__DescriptorProto *const *messages, size_t held, const char *name, uint32_t *indexes) {
    size_t count = 0;
    while (count < RF_CONFLUENT_INDEXES_MAX) {
        const Google__Protobuf__DescriptorProto *within = NULL;
        for (size_t i = 0; i < held; i++) {
            const char *own = messages[i]->name ? messages[i]->name : "";
            if (!strcmp(own, name)) {
                indexes[count] = (uint32_t)i;
                return count + 1;
            }
            if (*own && rest_of(name, own)) {
                indexes[count] = (uint32_t)i;
                within = messages[i];
            }
        }
        if (!within) {
            return 0;
        }
        name = rest_of(name, within->name);
        held = within->n_nested_type;
        messages = within->nested_type;
        count++;
    }
    return 0;
}

enum rf_status rf_message_indexes(struct rf_text descriptors, const char *name, uint32_t indexes_out[RF_CONFLUENT_INDEXES_MAX],
                                  size_t *index_count_out, struct rf_error *err) {
    Google__Protobuf__FileDescriptorSet *set;
    enum rf_status status = rf_descriptors_unpack(descriptors, &set, err);
    if (status) {
        return status;
    }
    size_t count = 0;
    name += *name == '.';
    for (size_t i = 0; i < set->n_file && !count; i++) {
        const char *rest = rest_of(name, set->file[i]->package);
        count = rest ? find_place(set->file[i]->message_type, set->file[i]->n_message_type, rest, indexes_out) : 0;
    }
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    if (!count) {
        return rf_fail(err, RF_INVALID, "message %.200s has no place in a file of the descriptors", name);
    }
    *index_count_out = count;
    return RF_OK;
}
