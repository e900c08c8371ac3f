#include "ops/evaluate.h"

#include "ops/clock.h"
#include "ops/printer.h"

#include <inttypes.h>
#include <math.h>

enum { POLL_MS = 1000 };

// Makes the source's partitions ours from their start.
static enum rf_status take_all(struct rf_pipeline *pipeline, struct rf_source *source, const struct rf_positions *partitions,
                               struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(pipeline);
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index;
        if (rf_positions_add(positions, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "positions: out of memory");
        }
    }
    return rf_source_assign(source, positions, err);
}

static enum rf_status fold_batch(struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch,
                                 struct rf_error *err) {
    enum rf_status status = RF_OK;
    while (!status && batch->end < batch->records.count) {
        rf_pipeline_prepare(pipeline, decoder, batch);
        while ((status = rf_pipeline_step(pipeline, batch, 0, err)) == RF_AGAIN) { // a sink has no room
            rf_clock_system()->sleep_ms(rf_clock_system(), 1);
        }
    }
    return status;
}

static enum rf_status fold_all(struct rf_pipeline *pipeline, struct rf_source *source, struct rf_decoder *decoder,
                               struct rf_batch *batch, struct rf_curve *curve, struct rf_error *err) {
    struct rf_poll want = {
            .records_max = batch->records.capacity, .bytes_max = rf_pipeline_batch_bytes(pipeline), .timeout_ms = POLL_MS};
    for (;;) {
        enum rf_source_event event;
        const struct rf_positions *partitions;
        batch->source = source;
        enum rf_status status = rf_source_poll(source, &want, &batch->records, &event, &partitions, err);
        if (!status && event == RF_SOURCE_ASSIGNED) {
            status = take_all(pipeline, source, partitions, err);
        } else if (!status && batch->records.count) {
            status = fold_batch(pipeline, decoder, batch, err);
        }
        if (status) {
            return status;
        }
        rf_batch_reset(batch, rf_schema_count(rf_pipeline_schema(pipeline)));
        if (curve && rf_curve_is_due(curve, rf_pipeline_counts(pipeline)->learned)) {
            struct rf_figures figures;
            rf_evaluation_figures(rf_pipeline_evaluation(pipeline), &figures);
            rf_curve_add(curve, &figures);
        }
        if (event == RF_SOURCE_END) {
            return rf_pipeline_settle(pipeline, 60000, err);
        }
    }
}

enum rf_status rf_evaluate(struct rf_pipeline *pipeline, struct rf_source *source, struct rf_curve *curve, struct rf_error *err) {
    struct rf_decoder *decoder = NULL;
    struct rf_batch *batch = NULL;
    enum rf_status status = rf_pipeline_decoder(pipeline, &decoder, err);
    if (!status) {
        status = rf_pipeline_batch(pipeline, &batch, err);
    }
    if (!status) {
        status = fold_all(pipeline, source, decoder, batch, curve, err);
    }
    rf_batch_destroy(batch);
    rf_decoder_destroy(decoder);
    return status;
}

static double rate_of(const struct rf_result *result) {
    return result->seconds > 0 ? (double)(result->counts.records - result->resumed) / result->seconds : 0;
}

void rf_evaluate_json(const struct rf_result *result, FILE *to) {
    char digest[RF_SHA256_TEXT_SIZE];
    const struct rf_pipeline_counts *counts = &result->counts;
    rf_sha256_text(result->model_sha256, digest);
    struct rf_printer name = {0};
    rf_printer_quote(&name, result->model);
    fprintf(to,
            "{\"model\":%s,\"records\":%" PRIu64 ",\"learned\":%" PRIu64 ",\"rejected\":%" PRIu64
            ",\"seconds\":%.3f,\"records_per_second\":%.0f",
            name.text ? name.text : "null", counts->records, counts->learned, counts->rejected, result->seconds, rate_of(result));
    rf_printer_finish(&name);
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        const struct rf_figure *figure = &result->figures.list[i];
        if (figure->applies && isfinite(figure->value) && result->figures.evaluated) {
            struct rf_printer number = {0};
            rf_printer_real(&number, figure->value);
            fprintf(to, ",\"%s\":%s", rf_figure_key((enum rf_figure_name)i), number.text ? number.text : "null");
            rf_printer_finish(&number);
        }
    }
    for (unsigned reason = 0, count = 0; reason < RF_REASON_COUNT; reason++) {
        if (counts->rejected_by[reason]) {
            fprintf(to, "%s\"%s\":%" PRIu64, count++ ? "," : ",\"rejected_by\":{", rf_reason_word((enum rf_reason)reason),
                    counts->rejected_by[reason]);
        }
        if (reason + 1 == RF_REASON_COUNT && count) {
            fputc('}', to);
        }
    }
    fprintf(to, ",\"model_sha256\":\"%s\"}\n", digest);
}

void rf_evaluate_table(const struct rf_result *result, FILE *to) {
    char digest[RF_SHA256_TEXT_SIZE];
    const struct rf_pipeline_counts *counts = &result->counts;
    rf_sha256_text(result->model_sha256, digest);
    fprintf(to, "  %-12s %14s %14s\n", "", "Riffle", "without skill");
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        const struct rf_figure *figure = &result->figures.list[i];
        if (!figure->applies || !result->figures.evaluated) {
            continue;
        }
        fprintf(to, "  %-12s %14.6f", rf_figure_title((enum rf_figure_name)i), figure->value);
        if (!isnan(figure->baseline)) {
            fprintf(to, " %14.6f", figure->baseline);
        }
        fputc('\n', to);
    }
    fprintf(to, "  %-12s %14" PRIu64 "\n  %-12s %14" PRIu64 "\n  %-12s %14" PRIu64 "\n", "records", counts->records, "learned",
            counts->learned, "rejected", counts->rejected);
    for (unsigned reason = 0; reason < RF_REASON_COUNT; reason++) {
        if (counts->rejected_by[reason]) {
            fprintf(to, "    %-10s %14" PRIu64 "\n", rf_reason_word((enum rf_reason)reason), counts->rejected_by[reason]);
        }
    }
    fprintf(to, "  %-12s %14.3f\n  %-12s %14.0f a second\n  %-12s %s\n", "seconds", result->seconds, "rate", rate_of(result),
            "model", digest);
}

void rf_evaluate_warn(const struct rf_result *result, const char *prefix, const char *last_reject, FILE *to) {
    uint64_t accepted = result->counts.records - result->counts.rejected;
    if (*last_reject) {
        fprintf(to, "%s%" PRIu64 " of %" PRIu64 " records were rejected, the last one %s\n", prefix, result->counts.rejected,
                result->counts.records, last_reject);
    }
    if (accepted && !result->counts.learned) {
        fprintf(to, "%snothing was learned: none of %" PRIu64 " records had a label; does features.label name the right field?\n",
                prefix, accepted);
    }
}
