#include "ingest/confluent.h"

#include "ingest/message_places.h"
#include "ingest/registry.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// What records are that begin alike: with this schema id and, in Protobuf, these message indexes. There an id has one more,
// without indexes, which tells of all that name no message: nothing is kept for what records make up.
struct form {
    struct form *next; // of the same slot
    uint32_t id, index_count;
    struct rf_decoder *decoder;
    struct rf_message_places *places; // of Protobuf's id, where it is good
    struct rf_decode_error refusal;   // where there is neither: why they are rejected
    uint32_t indexes[];               // [index_count]
};

enum { SLOTS = 1024 };

struct confluent_decoder {
    struct rf_decoder base;
    const struct rf_decoder_kind *kind;
    const struct rf_decoder_options *options; // borrowed; without a registry not needed any more
    struct rf_registry *registry;             // NULL: one decoder for all
    struct rf_decoder *only;                  // that; with a registry of records that bring their schema along
    size_t index_count;                       // of the only message, without a registry
    uint32_t indexes[RF_CONFLUENT_INDEXES_MAX];
    struct form *last;   // that was found
    struct form **slots; // [SLOTS]
};

static const struct rf_decoder_ops confluent_ops;

static struct confluent_decoder *confluent_from(struct rf_decoder *self) {
    assert(self->ops == &confluent_ops);
    return (struct confluent_decoder *)self;
}

static bool are_equal(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count) {
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

static bool is_form(const struct form *form, uint32_t id, const uint32_t *indexes, uint32_t index_count) {
    return form->id == id && are_equal(form->indexes, form->index_count, indexes, index_count);
}

static struct form **slot_of(struct confluent_decoder *confluent, uint32_t id, const uint32_t *indexes, uint32_t index_count) {
    uint32_t hash = id * UINT32_C(2654435761);
    for (uint32_t i = 0; i < index_count; i++) {
        hash = (hash ^ indexes[i]) * UINT32_C(2654435761);
    }
    return &confluent->slots[hash >> 22]; // its highest ten bits
}

static const struct form *find(struct confluent_decoder *confluent, uint32_t id, const uint32_t *indexes, uint32_t index_count) {
    if (confluent->last && is_form(confluent->last, id, indexes, index_count)) {
        return confluent->last;
    }
    struct form *form = *slot_of(confluent, id, indexes, index_count);
    while (form && !is_form(form, id, indexes, index_count)) {
        form = form->next;
    }
    confluent->last = form ? form : confluent->last;
    return form;
}

// What is to be done with the record: the form's decoder, or a rejection. NULL: nothing is known yet.
static const struct form *judge(struct confluent_decoder *confluent, const struct rf_confluent_head *head) {
    size_t depth;
    uint32_t held;
    const struct form *form = find(confluent, head->id, head->indexes, head->index_count);
    if (form || head->index_count == 0) {
        return form;
    }
    form = find(confluent, head->id, head->indexes, 0);
    return form && form->places && rf_message_places_have(form->places, head->indexes, head->index_count, &depth, &held) ? NULL
                                                                                                                         : form;
}

// As 1.0: the first message in the second one. Cut where it is long.
static struct rf_shown show_indexes(const uint32_t *indexes, size_t count) {
    struct rf_shown shown = {""};
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof shown.text; i++) {
        int size = snprintf(shown.text + used, sizeof shown.text - used, "%s%" PRIu32, i ? "." : "", indexes[i]);
        used += (size_t)size;
    }
    return shown;
}

static enum rf_status reject(const struct form *form, const struct rf_confluent_head *head, struct rf_decode_error *error_out) {
    if (!form->places) {
        *error_out = form->refusal;
        return RF_INVALID;
    }
    size_t depth = 0;
    uint32_t held = 0;
    rf_message_places_have(form->places, head->indexes, head->index_count, &depth, &held);
    return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " has no message %s: %s%s holds %" PRIu32,
                          head->id, show_indexes(head->indexes, head->index_count).text, depth ? "message " : "its file",
                          show_indexes(head->indexes, depth).text, held);
}

static enum rf_status confluent_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                       struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct confluent_decoder *confluent = confluent_from(self);
    struct rf_confluent_head head;
    if (record->schema) { // of a file: nothing stands in front of it
        return confluent->only->ops->decode(confluent->only, record, arena, event_out, error_out);
    }
    enum rf_status status = rf_confluent_read(record->value, confluent->kind->has_message_indexes, &head, error_out);
    if (status) {
        return status;
    }
    struct rf_decoder *decoder = confluent->only;
    if (confluent->registry) {
        const struct form *form = judge(confluent, &head);
        if (!form) {
            return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " was not looked up", head.id);
        }
        if (!form->decoder) {
            return reject(form, &head, error_out);
        }
        decoder = form->decoder;
    } else if (!are_equal(confluent->indexes, confluent->index_count, head.indexes, head.index_count)) {
        return rf_decode_fail(
                error_out, RF_REASON_UNDECODABLE, "is message %s of its file, must be %s, which source.protobuf names",
                show_indexes(head.indexes, head.index_count).text, show_indexes(confluent->indexes, confluent->index_count).text);
    }
    struct rf_record inner = *record;
    inner.value = head.value;
    return decoder->ops->decode(decoder, &inner, arena, event_out, error_out); // of no bytes, too: they may be a message
}

// Makes what decodes records that begin so. What cannot be made is rejected, with the sentence that says why.
static enum rf_status fill_form(struct confluent_decoder *confluent, const struct rf_registered *registered, struct form *form,
                                struct rf_error *err) {
    const struct rf_decoder_kind *kind = confluent->kind;
    struct rf_error why;
    if (registered->refusal) {
        rf_decode_fail(&form->refusal, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " %s", form->id, registered->refusal);
        return RF_OK;
    }
    if (strcmp(registered->type, kind->registry_type) != 0) {
        rf_decode_fail(&form->refusal, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " is of the type %s, must be %s", form->id,
                       rf_show(rf_text_of(registered->type)).text, kind->registry_type);
        return RF_OK;
    }
    enum rf_status status =
            kind->has_message_indexes && form->index_count == 0
                    ? rf_message_places_create(rf_text_of(registered->schemas[registered->count - 1].text), &form->places, &why)
                    : kind->create_registered(confluent->base.schema, confluent->options, registered, form->indexes,
                                              form->index_count, &form->decoder, &why);
    if (status == RF_MEMORY) {
        *err = why;
        return status;
    }
    if (status) {
        rf_decode_fail(&form->refusal, RF_REASON_UNDECODABLE, "schema id %" PRIu32 ": %s", form->id, why.text);
    }
    return RF_OK;
}

static enum rf_status add_form(struct confluent_decoder *confluent, const struct rf_registered *registered,
                               const uint32_t *indexes, uint32_t index_count, struct rf_error *err) {
    struct form *form = calloc(1, sizeof *form + index_count * sizeof *form->indexes);
    if (!form) {
        return rf_fail(err, RF_MEMORY, "schema id %" PRIu32 ": out of memory", registered->id);
    }
    form->id = registered->id;
    form->index_count = index_count;
    memcpy(form->indexes, indexes, index_count * sizeof *indexes);
    enum rf_status status = fill_form(confluent, registered, form, err);
    if (status) {
        free(form);
        return status;
    }
    struct form **slot = slot_of(confluent, form->id, indexes, index_count);
    form->next = *slot;
    *slot = form;
    return RF_OK;
}

// What the id stands for. The decoder of a thread that must not ask finds what another one resolved.
static enum rf_status look_up(struct confluent_decoder *confluent, uint32_t id, int64_t now_ms, int wait_ms,
                              const struct rf_registered **registered_out, struct rf_error *err) {
    if (wait_ms != RF_RESOLVE_KNOWN) {
        return rf_registry_resolve(confluent->registry, id, now_ms, wait_ms, registered_out, err);
    }
    *registered_out = rf_registry_find(confluent->registry, id);
    return *registered_out ? RF_OK : rf_fail(err, RF_INVALID, "schema id %" PRIu32 " was not looked up", id);
}

static enum rf_status confluent_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                        struct rf_error *err) {
    struct confluent_decoder *confluent = confluent_from(self);
    struct rf_confluent_head head;
    struct rf_decode_error ignored; // it will be rejected
    const struct rf_registered *registered;
    if (!confluent->registry || record->schema ||
        rf_confluent_read(record->value, confluent->kind->has_message_indexes, &head, &ignored) || judge(confluent, &head)) {
        return RF_OK;
    }
    enum rf_status status = look_up(confluent, head.id, now_ms, wait_ms, &registered, err);
    if (!status && !find(confluent, head.id, head.indexes, 0)) {
        status = add_form(confluent, registered, head.indexes, 0, err);
    }
    return status || judge(confluent, &head) ? status : add_form(confluent, registered, head.indexes, head.index_count, err);
}

static void confluent_destroy(struct rf_decoder *self) {
    struct confluent_decoder *confluent = confluent_from(self);
    for (size_t i = 0; confluent->slots && i < SLOTS; i++) {
        for (struct form *form = confluent->slots[i]; form;) {
            struct form *next = form->next;
            rf_decoder_destroy(form->decoder);
            rf_message_places_destroy(form->places);
            free(form);
            form = next;
        }
    }
    rf_decoder_destroy(confluent->only);
    free(confluent->slots);
    free(confluent);
}

static const struct rf_decoder_ops confluent_ops = {
        .name = "confluent",
        .decode = confluent_decode,
        .resolve = confluent_resolve,
        .destroy = confluent_destroy,
};

enum rf_status rf_decoder_confluent_create(const struct rf_decoder_kind *kind, const struct rf_schema *schema,
                                           const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                           struct rf_error *err) {
    struct confluent_decoder *confluent = calloc(1, sizeof *confluent);
    if (!confluent) {
        return rf_fail(err, RF_MEMORY, "a decoder of framed records does not fit into memory");
    }
    rf_decoder_init(&confluent->base, &confluent_ops, schema, options);
    confluent->kind = kind;
    confluent->options = options;
    confluent->registry = kind->create_registered ? options->registry : NULL;
    enum rf_status status = kind->create(schema, options, &confluent->only, err);
    if (!status && !confluent->registry && kind->has_message_indexes) {
        status = rf_decoder_protobuf_indexes(options, confluent->indexes, &confluent->index_count, err);
    }
    if (!status && confluent->registry) {
        confluent->slots = calloc(SLOTS, sizeof *confluent->slots);
        status = confluent->slots ? RF_OK : rf_fail(err, RF_MEMORY, "a decoder of framed records does not fit into memory");
    }
    if (status) {
        confluent_destroy(&confluent->base);
        return status;
    }
    *decoder_out = &confluent->base;
    return RF_OK;
}
