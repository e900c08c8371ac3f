#include "ops/evaluate.h"

#include "ops/clock.h"
#include "ops/resolve.h"

#include <inttypes.h>
#include <math.h>

enum { POLL_MS = 1000 };

// Makes the source's partitions ours from their start, also those that were read before.
static enum rf_status take_all(struct rf_pipeline *pipeline, struct rf_source *source, const struct rf_positions *partitions,
                               struct rf_error *err) {
    struct rf_positions *positions = rf_pipeline_positions(pipeline);
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index;
        if (rf_positions_add(positions, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            return rf_fail(err, RF_MEMORY, "positions: out of memory");
        }
        positions->list[index].next_offset = RF_OFFSET_NONE;
        positions->list[index].fingerprint = 0;
    }
    return rf_source_assign(source, positions, err);
}

static enum rf_status fold_batch(struct rf_pipeline *pipeline, struct rf_decoder *decoder, struct rf_batch *batch,
                                 struct rf_error *err) {
    enum rf_status status = rf_resolve(decoder, batch->records.list, batch->records.count, rf_clock_system(), err);
    while (!status && batch->end < batch->records.count) {
        rf_pipeline_prepare(pipeline, decoder, batch);
        while ((status = rf_pipeline_step(pipeline, batch, 0, err)) == RF_AGAIN) { // a sink has no room
            rf_clock_system()->sleep_ms(rf_clock_system(), 1);
        }
    }
    return status;
}

// How many records to ask for: no more than are left to the next line and the next point, so that those are of exactly as many
// records as they say. Where batches are cut does not show in what is learned.
static size_t records_wanted(const struct rf_pipeline *pipeline, const struct rf_evaluate_options *options, size_t capacity) {
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(pipeline);
    uint64_t wanted = capacity;
    if (options->lines && options->lines->next - counts->records < wanted) {
        wanted = options->lines->next - counts->records;
    }
    if (options->curve && options->curve->evaluated + options->curve->span > counts->learned) {
        uint64_t left = options->curve->evaluated + options->curve->span - counts->learned;
        wanted = left < wanted ? left : wanted;
    }
    return (size_t)wanted;
}

static void tell(struct rf_pipeline *pipeline, const struct rf_batch *batch, const struct rf_evaluate_options *options) {
    const struct rf_pipeline_counts *counts = rf_pipeline_counts(pipeline);
    if (options->curve && rf_curve_is_due(options->curve, counts->learned)) {
        struct rf_figures figures;
        rf_evaluation_quick_figures(rf_pipeline_evaluation(pipeline), &figures);
        rf_curve_add(options->curve, &figures);
    }
    if (options->lines && counts->records >= options->lines->next) {
        rf_evaluate_line(options->lines, pipeline, batch);
    }
}

static enum rf_status fold_all(struct rf_pipeline *pipeline, struct rf_source *source, struct rf_decoder *decoder,
                               struct rf_batch *batch, const struct rf_evaluate_options *options, struct rf_error *err) {
    struct rf_poll want = {.bytes_max = rf_pipeline_batch_bytes(pipeline), .timeout_ms = POLL_MS};
    for (;;) {
        enum rf_source_event event;
        const struct rf_positions *partitions;
        batch->source = source;
        want.records_max = records_wanted(pipeline, options, batch->records.capacity);
        enum rf_status status = rf_source_poll(source, &want, &batch->records, &event, &partitions, err);
        if (!status && event == RF_SOURCE_ASSIGNED) {
            status = take_all(pipeline, source, partitions, err);
        } else if (!status && batch->records.count) {
            status = fold_batch(pipeline, decoder, batch, err);
        }
        if (status) {
            return status;
        }
        tell(pipeline, batch, options);
        rf_batch_reset(batch, rf_schema_count(rf_pipeline_schema(pipeline)));
        if (event == RF_SOURCE_END) {
            return rf_pipeline_settle(pipeline, 60000, err);
        }
    }
}

enum rf_status rf_evaluate(struct rf_pipeline *pipeline, struct rf_source *source, const struct rf_evaluate_options *options,
                           struct rf_error *err) {
    static const struct rf_evaluate_options none = {0};
    struct rf_decoder *decoder = NULL;
    struct rf_batch *batch = NULL;
    options = options ? options : &none;
    enum rf_status status = options->is_test ? rf_pipeline_begin_test(pipeline, err) : RF_OK;
    if (!status) {
        status = rf_pipeline_decoder(pipeline, &decoder, err);
    }
    if (!status) {
        status = rf_pipeline_batch(pipeline, &batch, err);
    }
    if (!status) {
        status = fold_all(pipeline, source, decoder, batch, options, err);
    }
    rf_batch_destroy(batch);
    rf_decoder_destroy(decoder);
    return status;
}

// The table that grows.

void rf_evaluate_lines_init(struct rf_evaluate_lines *lines, uint64_t every, FILE *to) {
    *lines = (struct rf_evaluate_lines){.to = to, .every = every, .next = every ? every : 1};
}

// The mean since the last line; NaN when nothing was evaluated.
static double mean_since(const struct rf_figures *now, const struct rf_figures *told, enum rf_figure_name name) {
    double before = told->evaluated ? told->list[name].value * told->weight : 0;
    return (now->list[name].value * now->weight - before) / (now->weight - told->weight);
}

static void print_class(FILE *to, const struct rf_predictions *predictions, int64_t class) {
    if (predictions->classes) {
        fprintf(to, " %12.12s", predictions->classes[class]);
    } else {
        fprintf(to, " %12" PRId64, class);
    }
}

// The label of the example folded last, and what was predicted: the number; the probability or margin of class 1; the class.
static void print_example(FILE *to, const struct rf_batch *batch) {
    const struct rf_predictions *predictions = &batch->predictions;
    if (!batch->examples.count) { // the last record was rejected, and was alone
        fprintf(to, " %12s %12s\n", "-", "-");
        return;
    }
    size_t last = batch->examples.count - 1;
    double label = batch->examples.label[last], score = predictions->score[last * predictions->outputs];
    bool is_class = predictions->task != RF_TASK_REGRESSION;
    if (isnan(label)) {
        fprintf(to, " %12s", "-");
    } else if (is_class) {
        print_class(to, predictions, (int64_t)label);
    } else {
        fprintf(to, " %12.6g", label);
    }
    if (predictions->task == RF_TASK_MULTICLASS && !isnan(score)) {
        print_class(to, predictions, rf_prediction_class(predictions, last));
        fputc('\n', to);
    } else {
        fprintf(to, " %12.6g\n", score);
    }
}

void rf_evaluate_line(struct rf_evaluate_lines *lines, struct rf_pipeline *pipeline, const struct rf_batch *batch) {
    const struct rf_learner *learner = rf_pipeline_learner(pipeline);
    enum rf_figure_name name = rf_curve_figure(learner->task, learner->is_margin);
    uint64_t records = rf_pipeline_counts(pipeline)->records;
    struct rf_figures figures;
    rf_evaluation_quick_figures(rf_pipeline_evaluation(pipeline), &figures);
    if (lines->next == (lines->every ? lines->every : 1)) {
        fprintf(lines->to, "%12s %12s %12s %12s %12s\n%12s %12s %12s %12s %12s\n", "", rf_figure_title(name),
                rf_figure_title(name), "", "", "records", "since last", "of all", "label", "prediction");
    }
    fprintf(lines->to, "%12" PRIu64, records);
    if (figures.evaluated > lines->told.evaluated) {
        fprintf(lines->to, " %12.6f", mean_since(&figures, &lines->told, name));
    } else {
        fprintf(lines->to, " %12s", "-");
    }
    if (figures.evaluated) {
        fprintf(lines->to, " %12.6f", figures.list[name].value);
    } else {
        fprintf(lines->to, " %12s", "-");
    }
    print_example(lines->to, batch);
    lines->told = figures;
    while (lines->next <= records) {
        lines->next = lines->every ? lines->next + lines->every : lines->next * 2;
    }
}
