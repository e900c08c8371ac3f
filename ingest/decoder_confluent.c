#include "ingest/confluent.h"

#include "ingest/registry.h"
#include "ingest/reject.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// What records are that begin alike: with this schema id and, in Protobuf, these message indexes.
struct form {
    struct form *next; // of the same slot
    uint32_t id, index_count;
    struct rf_decoder *decoder;     // NULL: they are rejected
    struct rf_decode_error refusal; // why
    uint32_t indexes[];             // [index_count]
};

enum { SLOTS = 1024, FORMS_MAX = 65536 };

struct confluent_decoder {
    struct rf_decoder base;
    const struct rf_decoder_kind *kind;
    const struct rf_decoder_options *options; // borrowed; without a registry not needed any more
    struct rf_registry *registry;             // NULL: one decoder for all
    struct rf_decoder *only;                  // that; with a registry of records that bring their schema along
    struct rf_confluent_head expected;        // its indexes: of the only message, without a registry
    struct form *last;                        // that was found
    struct form **slots;                      // [SLOTS]
    size_t count;
};

static const struct rf_decoder_ops confluent_ops;

static struct confluent_decoder *confluent_from(struct rf_decoder *self) {
    assert(self->ops == &confluent_ops);
    return (struct confluent_decoder *)self;
}

static bool is_form(const struct form *form, const struct rf_confluent_head *head) {
    return form->id == head->id && form->index_count == head->index_count &&
           memcmp(form->indexes, head->indexes, head->index_count * sizeof *head->indexes) == 0;
}

static struct form **slot_of(struct confluent_decoder *confluent, const struct rf_confluent_head *head) {
    uint32_t hash = head->id * UINT32_C(2654435761);
    for (uint32_t i = 0; i < head->index_count; i++) {
        hash = (hash ^ head->indexes[i]) * UINT32_C(2654435761);
    }
    return &confluent->slots[hash >> 22]; // its highest ten bits
}

// NULL: it was not resolved, since there are too many.
static struct form *find(struct confluent_decoder *confluent, const struct rf_confluent_head *head) {
    if (confluent->last && is_form(confluent->last, head)) {
        return confluent->last;
    }
    struct form *form = *slot_of(confluent, head);
    while (form && !is_form(form, head)) {
        form = form->next;
    }
    confluent->last = form ? form : confluent->last;
    return form;
}

static bool has_indexes(const struct rf_confluent_head *a, const struct rf_confluent_head *b) {
    return a->index_count == b->index_count && memcmp(a->indexes, b->indexes, a->index_count * sizeof *a->indexes) == 0;
}

// As 1.0: the first message in the second one. Cut where it is long.
static struct rf_shown show_indexes(const struct rf_confluent_head *head) {
    struct rf_shown shown = {""};
    size_t used = 0;
    for (uint32_t i = 0; i < head->index_count && used < sizeof shown.text; i++) {
        int size = snprintf(shown.text + used, sizeof shown.text - used, "%s%" PRIu32, i ? "." : "", head->indexes[i]);
        used += (size_t)size;
    }
    return shown;
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
        const struct form *form = find(confluent, &head);
        if (!form) {
            return rf_decode_fail(error_out, RF_REASON_LIMIT, "schema id %" PRIu32 " is one more than are kept", head.id);
        }
        if (!form->decoder) {
            *error_out = form->refusal;
            return RF_INVALID;
        }
        decoder = form->decoder;
    }
    if (!confluent->registry && !has_indexes(&confluent->expected, &head)) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE,
                              "is message %s of its file, must be %s, which source.protobuf names", show_indexes(&head).text,
                              show_indexes(&confluent->expected).text);
    }
    struct rf_record inner = *record;
    inner.value = head.value;
    return decoder->ops->decode(decoder, &inner, arena, event_out, error_out); // of no bytes, too: they may be a message
}

// Makes the decoder of records that begin so. What cannot be made is rejected, with the sentence that says why.
static enum rf_status open_form(struct confluent_decoder *confluent, const struct rf_registered *registered, struct form *form,
                                struct rf_error *err) {
    struct rf_error why;
    if (registered->refusal) {
        rf_decode_fail(&form->refusal, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " %s", form->id, registered->refusal);
        return RF_OK;
    }
    const struct rf_decoder_kind *kind = confluent->kind;
    if (strcmp(registered->type, kind->registry_type) != 0) {
        rf_decode_fail(&form->refusal, RF_REASON_UNDECODABLE, "schema id %" PRIu32 " is of the type %s, must be %s", form->id,
                       rf_show(rf_text_of(registered->type)).text, kind->registry_type);
        return RF_OK;
    }
    enum rf_status status = kind->create_registered(confluent->base.schema, confluent->options, registered, form->indexes,
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

static enum rf_status confluent_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                        struct rf_error *err) {
    struct confluent_decoder *confluent = confluent_from(self);
    struct rf_confluent_head head;
    struct rf_decode_error ignored; // it will be rejected
    const struct rf_registered *registered;
    if (!confluent->registry || record->schema) {
        return RF_OK;
    }
    if (rf_confluent_read(record->value, confluent->kind->has_message_indexes, &head, &ignored) || find(confluent, &head)) {
        return RF_OK;
    }
    enum rf_status status = confluent->count < FORMS_MAX
                                    ? rf_registry_resolve(confluent->registry, head.id, now_ms, wait_ms, &registered, err)
                                    : RF_FULL;
    if (status) {
        return status == RF_FULL ? RF_OK : status;
    }
    struct form *form = calloc(1, sizeof *form + head.index_count * sizeof *form->indexes);
    if (!form) {
        return rf_fail(err, RF_MEMORY, "schema id %" PRIu32 ": out of memory", head.id);
    }
    form->id = head.id;
    form->index_count = head.index_count;
    memcpy(form->indexes, head.indexes, head.index_count * sizeof *form->indexes);
    status = open_form(confluent, registered, form, err);
    if (status) {
        free(form);
        return status;
    }
    struct form **slot = slot_of(confluent, &head);
    form->next = *slot;
    *slot = form;
    confluent->count++;
    return RF_OK;
}

static void confluent_destroy(struct rf_decoder *self) {
    struct confluent_decoder *confluent = confluent_from(self);
    for (size_t i = 0; confluent->slots && i < SLOTS; i++) {
        for (struct form *form = confluent->slots[i]; form;) {
            struct form *next = form->next;
            rf_decoder_destroy(form->decoder);
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
    enum rf_status status = kind->create ? kind->create(schema, options, &confluent->only, err) : RF_OK;
    if (!status && !confluent->registry && kind->has_message_indexes) {
        size_t count = 0;
        status = rf_decoder_protobuf_indexes(options, confluent->expected.indexes, &count, err);
        confluent->expected.index_count = (uint32_t)count;
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
