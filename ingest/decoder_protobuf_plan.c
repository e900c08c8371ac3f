// Messages of the user's own: a decoder around a plan.
#include "ingest/decoder.h"

#include "ingest/protobuf_plan.h"
#include "ingest/registered_protobuf.h"

#include <assert.h>
#include <stdlib.h>

struct plan_decoder {
    struct rf_decoder base;
    struct rf_protobuf_plan *plan;
};

static const struct rf_decoder_ops plan_ops;

static struct plan_decoder *plan_from(struct rf_decoder *self) {
    assert(self->ops == &plan_ops);
    return (struct plan_decoder *)self;
}

static enum rf_status plan_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                  struct rf_event *event_out, struct rf_decode_error *error_out) {
    return rf_protobuf_plan_decode(plan_from(self)->plan, record->value, arena, event_out, error_out);
}

static void plan_destroy(struct rf_decoder *self) {
    struct plan_decoder *decoder = plan_from(self);
    rf_protobuf_plan_destroy(decoder->plan);
    free(decoder);
}

static const struct rf_decoder_ops plan_ops = {
        .name = "protobuf",
        .decode = plan_decode,
        .destroy = plan_destroy,
};

static enum rf_status create(const struct rf_schema *schema, const struct rf_decoder_options *options, struct rf_text descriptors,
                             const char *message, bool may_lack_fields, struct rf_decoder **decoder_out, struct rf_error *err) {
    struct plan_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        return rf_fail(err, RF_MEMORY, "a decoder of protobuf does not fit into memory");
    }
    rf_decoder_init(&decoder->base, &plan_ops, schema, options);
    decoder->base.takes_empty = true;
    const struct rf_protobuf_plan_options plan = {
            .schema = schema,
            .limits = decoder->base.limits,
            .descriptors = descriptors,
            .message = message,
            .decoder = options,
            .may_lack_fields = may_lack_fields,
    };
    enum rf_status status = rf_protobuf_plan_create(&plan, &decoder->plan, err);
    if (status) {
        plan_destroy(&decoder->base);
        return status;
    }
    *decoder_out = &decoder->base;
    return RF_OK;
}

enum rf_status rf_decoder_protobuf_plan_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                               struct rf_decoder **decoder_out, struct rf_error *err) {
    return create(schema, options, options->protobuf_descriptors, options->protobuf_message, false, decoder_out, err)
                   ? rf_fail_in(err, "source.protobuf")
                   : RF_OK;
}

// One version of a schema may have fields that another has not.
enum rf_status rf_decoder_protobuf_create_registered(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                                     const struct rf_registered *registered, const uint32_t *indexes,
                                                     size_t index_count, struct rf_decoder **decoder_out, struct rf_error *err) {
    struct rf_registered_message message;
    enum rf_status status = rf_registered_message(registered, indexes, index_count, &message, err);
    if (status) {
        return status;
    }
    struct rf_text descriptors = {(const char *)message.descriptors, message.size};
    status = create(schema, options, descriptors, message.name, true, decoder_out, err);
    rf_registered_message_finish(&message);
    return status;
}

enum rf_status rf_decoder_protobuf_indexes(const struct rf_decoder_options *options,
                                           uint32_t indexes_out[RF_CONFLUENT_INDEXES_MAX], size_t *index_count_out,
                                           struct rf_error *err) {
    if (options->protobuf_message) {
        return rf_message_indexes(options->protobuf_descriptors, options->protobuf_message, indexes_out, index_count_out, err)
                       ? rf_fail_in(err, "source.protobuf")
                       : RF_OK;
    }
    indexes_out[0] = 0; // riffle.v1.Example is the first one of proto/riffle.proto
    *index_count_out = 1;
    return RF_OK;
}
