#include "ingest/avro_names.h"
#include "ingest/avro_program.h"
#include "ingest/registered.h"
#include "ingest/reject.h"

#include <assert.h>
#include <stdlib.h>

// The plan of one writer's schema.
struct writer {
    uint64_t hash;             // of the schema's text
    struct rf_avro_plan *plan; // NULL: it is no schema, and `error` says why
    struct rf_error error;
};

struct avro_decoder {
    struct rf_decoder base;
    struct rf_avro_walker *walker;
    struct rf_avro_plan *plan; // of records without a schema; NULL: they must have one
    struct writer **writers;   // [writer_count] the one met last in front
    size_t writer_count;
};

static const struct rf_decoder_ops avro_ops;

static struct avro_decoder *avro_from(struct rf_decoder *self) {
    assert(self->ops == &avro_ops);
    return (struct avro_decoder *)self;
}

// A schema that is met for the first time: once a file, not once a record.
static struct writer *add_writer(struct avro_decoder *avro, const struct rf_record_schema *schema) {
    struct writer **writers = reallocarray(avro->writers, avro->writer_count + 1, sizeof *writers);
    avro->writers = writers ? writers : avro->writers;
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writers || !writer) {
        free(writer);
        return NULL;
    }
    writer->hash = schema->hash;
    writer->error.status = rf_avro_plan_create(&schema->text, 1, avro->base.schema, &writer->plan, &writer->error);
    writers[avro->writer_count++] = writer;
    return writer;
}

static struct writer *find_writer(struct avro_decoder *avro, const struct rf_record_schema *schema) {
    size_t at = 0;
    while (at < avro->writer_count && avro->writers[at]->hash != schema->hash) {
        at++;
    }
    struct writer *writer = at < avro->writer_count ? avro->writers[at] : add_writer(avro, schema);
    if (writer && at > 0) {
        avro->writers[at] = avro->writers[0];
        avro->writers[0] = writer;
    }
    return writer;
}

static enum rf_status avro_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                  struct rf_event *event_out, struct rf_decode_error *error_out) {
    struct avro_decoder *avro = avro_from(self);
    struct rf_avro_plan *plan = avro->plan;
    if (record->schema) {
        const struct writer *writer = find_writer(avro, record->schema);
        if (!writer || !writer->plan) {
            return rf_decode_fail(error_out, RF_REASON_UNDECODABLE, "its schema %s",
                                  writer ? writer->error.text : "does not fit into memory");
        }
        plan = writer->plan;
    }
    if (!plan) {
        return rf_decode_fail(error_out, RF_REASON_UNDECODABLE,
                              "has no schema, must have one: that of source.avro.schema, or of its container file");
    }
    return rf_avro_decode(avro->walker, plan, record->value, arena, event_out, error_out);
}

static void avro_destroy(struct rf_decoder *self) {
    struct avro_decoder *avro = avro_from(self);
    for (size_t i = 0; i < avro->writer_count; i++) {
        rf_avro_plan_destroy(avro->writers[i]->plan);
        free(avro->writers[i]);
    }
    free(avro->writers);
    rf_avro_plan_destroy(avro->plan);
    rf_avro_walker_destroy(avro->walker);
    free(avro);
}

static const struct rf_decoder_ops avro_ops = {
        .name = "avro",
        .decode = avro_decode,
        .destroy = avro_destroy,
};

static enum rf_status create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                             struct avro_decoder **avro_out, struct rf_error *err) {
    struct avro_decoder *avro = calloc(1, sizeof *avro);
    if (!avro) {
        return rf_fail(err, RF_MEMORY, "a decoder of avro does not fit into memory");
    }
    rf_decoder_init(&avro->base, &avro_ops, schema, options);
    enum rf_status status = rf_avro_walker_create(&avro->base.limits, &avro->walker, err);
    if (status) {
        avro_destroy(&avro->base);
        return status;
    }
    *avro_out = avro;
    return RF_OK;
}

enum rf_status rf_decoder_avro_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                      struct rf_decoder **decoder_out, struct rf_error *err) {
    struct avro_decoder *avro;
    enum rf_status status = create(schema, options, &avro, err);
    if (!status && options->avro_schema.data) {
        if (rf_avro_plan_create(&options->avro_schema, 1, schema, &avro->plan, err)) {
            status = rf_fail_in(err, "source.avro.schema");
        } else {
            status = rf_avro_check_names(&avro->plan->types, schema, options, err);
        }
        if (status) {
            avro_destroy(&avro->base);
        }
    }
    if (!status) {
        *decoder_out = &avro->base;
    }
    return status;
}

enum rf_status rf_decoder_avro_create_registered(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                                 const struct rf_registered *registered, const uint32_t *indexes,
                                                 size_t index_count, struct rf_decoder **decoder_out, struct rf_error *err) {
    assert(registered->count > 0 && index_count == 0);
    (void)indexes;
    (void)index_count;
    struct rf_text *texts = calloc(registered->count, sizeof *texts);
    struct avro_decoder *avro;
    enum rf_status status =
            texts ? create(schema, options, &avro, err) : rf_fail(err, RF_MEMORY, "a decoder of avro does not fit into memory");
    if (!status) {
        for (size_t i = 0; i < registered->count; i++) {
            texts[i] = rf_text_of(registered->schemas[i].text);
        }
        status = rf_avro_plan_create(texts, registered->count, schema, &avro->plan, err);
        if (status) {
            avro_destroy(&avro->base);
        } else {
            *decoder_out = &avro->base;
        }
    }
    free(texts);
    return status;
}
