// Explanations as JSON and for a terminal. Texts of records are shown as they stand in JSON, so that none of their bytes reaches
// a terminal as a command.
#include "ops/explain.h"
#include "ops/printer.h"
#include "proto/json_text.h"
#include "sinks/message.h"

#include <inttypes.h>
#include <math.h>

// A score differs by more from its sum only where it is more than a sum.
#define ROUNDING_MAX 1e-9

enum { SHOWN_MAX = 40, TEXT_MAX = 200 };

// Without quotes, and cut at `most` bytes.
static void add_text(struct rf_printer *out, struct rf_text text, size_t most) {
    char escape[RF_JSON_ESCAPE_SIZE];
    bool is_cut = text.size > most;
    text.size = is_cut ? most : text.size;
    while (text.size > 0) {
        struct rf_text piece = rf_json_take_piece(&text, escape);
        rf_printer_add_bytes(out, piece.data, piece.size);
    }
    rf_printer_add(out, is_cut ? "..." : "");
}

static void add_quoted(struct rf_printer *out, struct rf_text text) {
    rf_printer_add(out, "\"");
    add_text(out, text, SIZE_MAX);
    rf_printer_add(out, "\"");
}

// JSON has no word for what is not finite.
static void add_number(struct rf_printer *out, const char *key, double value) {
    rf_printer_format(out, ",\"%s\":", key);
    if (isfinite(value)) {
        rf_printer_real(out, value);
    } else {
        rf_printer_add(out, "null");
    }
}

static struct rf_text name_of(const struct rf_explanation *explanation, const struct rf_contribution *contribution,
                              char room[RF_CONTRIBUTION_ROOM]) {
    return rf_contribution_name(rf_pipeline_schema(rf_replay_pipeline(explanation->replay)), explanation->predictions.examples,
                                contribution, room);
}

static const struct rf_position *position_of(const struct rf_explanation *explanation) {
    return &rf_pipeline_positions(rf_replay_pipeline(explanation->replay))->list[explanation->record->partition];
}

// JSON.

static void add_versions(struct rf_printer *out, const struct rf_explanation *explanation) {
    rf_printer_add(out, ",\"versions\":[");
    for (size_t i = 0; i < explanation->version_count; i++) {
        const struct rf_version *version = &explanation->versions[i];
        rf_printer_format(out, "%s{\"line\":%" PRIu32 ",\"base\":%" PRIu64 ",\"epoch\":%" PRIu32 ",\"since\":%" PRIu64 "}",
                          i ? "," : "", version->line, version->base, version->epoch, version->since);
    }
    rf_printer_add(out, "]");
}

static void add_positions(struct rf_printer *out, const struct rf_explanation *explanation) {
    const struct rf_positions *positions = rf_pipeline_positions(rf_replay_pipeline(explanation->replay));
    rf_printer_add(out, ",\"positions\":[");
    for (size_t i = 0; i < positions->count; i++) {
        rf_printer_add(out, i ? ",{\"topic\":" : "{\"topic\":");
        add_quoted(out, rf_text_of(positions->list[i].topic));
        rf_printer_format(out, ",\"partition\":%" PRId32 ",\"next_offset\":%" PRId64 "}", positions->list[i].partition,
                          positions->list[i].next_offset);
    }
    rf_printer_add(out, "]");
}

static void add_value(struct rf_printer *out, const struct rf_value *value) {
    char room[RF_VALUE_ROOM];
    if (value->type == RF_VALUE_NULL) {
        rf_printer_add(out, "null");
    } else {
        add_quoted(out, rf_value_words(value, room)); // numbers too, as they were written
    }
}

static void add_fields(struct rf_printer *out, const struct rf_event *event) {
    rf_printer_add(out, ",\"fields\":[");
    for (size_t i = 0; i < event->count; i++) {
        rf_printer_add(out, i ? ",{\"name\":" : "{\"name\":");
        add_quoted(out, event->fields[i].name);
        rf_printer_add(out, ",\"value\":");
        add_value(out, &event->fields[i].value);
        rf_printer_add(out, "}");
    }
    rf_printer_add(out, "]");
    size_t begin = 0;
    for (size_t i = 0; i < event->namespace_count; i++) {
        rf_printer_add(out, i ? ",{\"name\":" : ",\"namespaces\":[{\"name\":");
        add_quoted(out, event->namespaces[i].name);
        rf_printer_format(out, ",\"features\":%zu}%s", event->namespaces[i].end - begin,
                          i + 1 == event->namespace_count ? "]" : "");
        begin = event->namespaces[i].end;
    }
}

static void add_contributions(struct rf_printer *out, const struct rf_explanation *explanation) {
    char room[RF_CONTRIBUTION_ROOM], words[RF_CONTRIBUTION_WORDS];
    double raw;
    rf_printer_add(out, ",\"contributions\":[");
    for (size_t i = 0; i < explanation->count; i++) {
        const struct rf_contribution *contribution = &explanation->list[i];
        rf_explanation_words(explanation, contribution, words, &raw);
        rf_printer_add(out, i ? ",{\"field\":" : "{\"field\":");
        add_quoted(out, name_of(explanation, contribution, room));
        if (words[0]) {
            rf_printer_add(out, ",\"words\":");
            add_quoted(out, rf_text_of(words));
        }
        if (!isnan(raw)) {
            add_number(out, "raw", raw);
        }
        add_number(out, "value", contribution->value);
        add_number(out, "weight", contribution->weight);
        add_number(out, "amount", contribution->amount);
        rf_printer_add(out, "}");
    }
    rf_printer_add(out, "],\"by_field\":[");
    for (size_t i = 0; i < explanation->field_count; i++) {
        const struct rf_field_sum *sum = &explanation->fields[i];
        rf_printer_add(out, i ? ",{\"field\":" : "{\"field\":");
        add_quoted(out, sum->field == RF_FIELD_VECTOR ? rf_text_of("(vector)")
                                                      : name_of(explanation, &explanation->list[sum->first], room));
        rf_printer_format(out, ",\"features\":%zu", sum->count);
        add_number(out, "amount", sum->amount);
        rf_printer_add(out, "}");
    }
    rf_printer_add(out, "]");
    add_number(out, "sum", explanation->sum);
    if (explanation->has_link) {
        add_number(out, "linked", explanation->linked);
        add_number(out, "difference", explanation->predictions.score[0] - explanation->linked);
    }
}

enum rf_status rf_explanation_json(const struct rf_explanation *explanation, FILE *to, struct rf_error *err) {
    const struct rf_position *position = position_of(explanation);
    struct rf_pipeline *pipeline = rf_replay_pipeline(explanation->replay);
    struct rf_message message;
    rf_message_init(&message);
    enum rf_status status =
            explanation->is_rejected
                    ? rf_message_add_reject_json(&message, &rf_replay_batch(explanation->replay)->rejects, 0, err)
                    : rf_message_add_prediction_json(&message, RF_MESSAGE_WITH_ID, &explanation->predictions, 0, err);
    struct rf_printer out = {0};
    char digest[RF_SHA256_TEXT_SIZE];
    rf_sha256_text(explanation->model_sha256, digest);
    rf_printer_add(&out, "{\"model\":");
    rf_printer_quote(&out, rf_pipeline_name(pipeline));
    rf_printer_add(&out, ",\"topic\":");
    rf_printer_quote(&out, position->topic);
    rf_printer_format(&out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"records\":%" PRIu64 ",\"model_sha256\":\"%s\"",
                      position->partition, explanation->record->offset, rf_pipeline_counts(pipeline)->records, digest);
    add_versions(&out, explanation);
    add_positions(&out, explanation);
    rf_printer_add(&out, explanation->is_rejected ? ",\"rejected\":" : ",\"prediction\":");
    if (!status) {
        rf_printer_add_bytes(&out, message.data, message.size);
    }
    if (!explanation->is_rejected) {
        add_fields(&out, &explanation->event);
        add_contributions(&out, explanation);
    }
    rf_printer_add(&out, "}\n");
    rf_message_finish(&message);
    if (!status && out.is_cut) {
        status = rf_fail(err, RF_MEMORY, "explanation: out of memory");
    }
    if (!status) {
        fwrite(out.text, 1, out.size, to);
    }
    rf_printer_finish(&out);
    return status;
}

// For a terminal.

static void print_version(const struct rf_explanation *explanation, FILE *to) {
    const struct rf_version *version = &explanation->versions[0];
    fprintf(to, "  version  line %" PRIu32 ", base %" PRIu64 ", epoch %" PRIu32 ", since %" PRIu64, version->line, version->base,
            version->epoch, version->since);
    if (explanation->version_count > 1) {
        fprintf(to, " (or base %" PRIu64 ", since %" PRIu64 ", if snapshot %" PRIu64 " was not in place yet)", version[1].base,
                version[1].since, version->base);
    }
    fputc('\n', to);
}

static void print_head(const struct rf_explanation *explanation, FILE *to) {
    struct rf_replay_progress progress;
    char digest[RF_SHA256_TEXT_SIZE];
    struct rf_pipeline *pipeline = rf_replay_pipeline(explanation->replay);
    const struct rf_positions *positions = rf_pipeline_positions(pipeline);
    const struct rf_position *position = position_of(explanation);
    rf_sha256_text(explanation->model_sha256, digest);
    rf_replay_progress(explanation->replay, &progress);
    fprintf(to, "%s [%" PRId32 "] offset %" PRId64 ", by the model %s\n", position->topic, position->partition,
            explanation->record->offset, rf_pipeline_name(pipeline));
    print_version(explanation, to);
    fprintf(to, "  folded   %" PRIu64 " records before it, %" PRIu64 " of them again by this replay\n", progress.records,
            progress.records - progress.begun);
    for (size_t i = 0; i < positions->count; i++) {
        fprintf(to, "  position %s [%" PRId32 "] next offset %" PRId64 "\n", positions->list[i].topic,
                positions->list[i].partition, positions->list[i].next_offset);
    }
    fprintf(to, "  model    %s\n", digest);
}

static void print_event(const struct rf_event *event, FILE *to) {
    char room[RF_VALUE_ROOM];
    fprintf(to, "record\n");
    for (size_t i = 0; i < event->count; i++) {
        struct rf_printer line = {0};
        rf_printer_add(&line, "  ");
        add_text(&line, event->fields[i].name, TEXT_MAX);
        rf_printer_pad(&line, 26);
        rf_printer_add(&line, " ");
        add_text(&line, rf_value_words(&event->fields[i].value, room), TEXT_MAX);
        fprintf(to, "%s\n", line.text ? line.text : "");
        rf_printer_finish(&line);
    }
    size_t begin = 0;
    for (size_t i = 0; i < event->namespace_count; i++) {
        struct rf_printer line = {0};
        add_text(&line, event->namespaces[i].name, TEXT_MAX);
        fprintf(to, "  |%-23s %zu features\n", line.text ? line.text : "", event->namespaces[i].end - begin);
        rf_printer_finish(&line);
        begin = event->namespaces[i].end;
    }
}

static void print_contribution(const struct rf_explanation *explanation, const struct rf_contribution *contribution, FILE *to) {
    char room[RF_CONTRIBUTION_ROOM], words[RF_CONTRIBUTION_WORDS];
    double raw;
    rf_explanation_words(explanation, contribution, words, &raw);
    struct rf_printer line = {0};
    rf_printer_format(&line, "  %+14.8f  ", contribution->amount);
    add_text(&line, name_of(explanation, contribution, room), TEXT_MAX);
    if (words[0]) {
        rf_printer_add(&line, " = ");
        add_text(&line, rf_text_of(words), TEXT_MAX);
    } else if (!isnan(raw)) {
        rf_printer_add(&line, " = ");
        rf_printer_real(&line, raw);
    }
    rf_printer_pad(&line, 46);
    rf_printer_format(&line, "  %.6g x weight %.6g", contribution->value, contribution->weight);
    fprintf(to, "%s\n", line.text ? line.text : "");
    rf_printer_finish(&line);
}

static void print_fields(const struct rf_explanation *explanation, FILE *to) {
    char room[RF_CONTRIBUTION_ROOM];
    fprintf(to, "by field\n");
    for (size_t i = 0; i < explanation->field_count && i < SHOWN_MAX; i++) {
        const struct rf_field_sum *sum = &explanation->fields[i];
        struct rf_printer line = {0};
        rf_printer_format(&line, "  %+14.8f  ", sum->amount);
        add_text(&line,
                 sum->field == RF_FIELD_VECTOR ? rf_text_of("(vector)")
                                               : name_of(explanation, &explanation->list[sum->first], room),
                 TEXT_MAX);
        if (sum->count > 1) {
            rf_printer_format(&line, ", %zu features", sum->count);
        }
        fprintf(to, "%s\n", line.text ? line.text : "");
        rf_printer_finish(&line);
    }
}

// How the contributions add up to the score.
static void print_identity(const struct rf_explanation *explanation, FILE *to) {
    const struct rf_predictions *predictions = &explanation->predictions;
    fprintf(to, "score\n");
    if (explanation->has_link) {
        fprintf(to, "  %+14.8f  is the sum: the score before the link\n", explanation->sum);
        fprintf(to, "  %.17g  by the link\n", explanation->linked);
        double difference = predictions->score[0] - explanation->linked;
        bool is_rounding = fabs(difference) < ROUNDING_MAX;
        fprintf(to, "  %.17g  is the score that was given: %+.3g by %s\n", predictions->score[0], difference,
                is_rounding ? "rounding" : "what is no sum of features (the mixing of several rates, clipping)");
        return;
    }
    if (explanation->count) {
        fprintf(to, "  %+14.8f  is the sum\n", explanation->sum);
    }
    for (uint32_t k = 0; k < predictions->outputs; k++) {
        fprintf(to, "  %.17g", predictions->score[k]);
        if (predictions->task == RF_TASK_MULTICLASS && predictions->classes) {
            fprintf(to, "  %s", predictions->classes[k]);
        }
        fputc('\n', to);
    }
}

void rf_explanation_table(const struct rf_explanation *explanation, FILE *to) {
    print_head(explanation, to);
    if (explanation->is_rejected) {
        const struct rf_reject *reject = &rf_replay_batch(explanation->replay)->rejects.list[0];
        struct rf_printer line = {0};
        add_text(&line, rf_text_of(reject->detail), TEXT_MAX);
        fprintf(to, "it was rejected and never reached the model: %s: %s\n", rf_reason_word(reject->reason),
                line.text ? line.text : "");
        rf_printer_finish(&line);
        return;
    }
    print_event(&explanation->event, to);
    double label = explanation->predictions.examples->label[0];
    if (isnan(label)) {
        fprintf(to, "no label\n");
    } else {
        fprintf(to, "label %.17g\n", label);
    }
    if (explanation->count) {
        fprintf(to, explanation->predictions.outputs > 1
                            ? "contributions (of a Bayes learner, to the most probable class against "
                              "the next; of another, to the first class)\n"
                            : "contributions\n");
    } else {
        fprintf(to, "this kind of learner cannot tell what its features contribute\n");
    }
    for (size_t i = 0; i < explanation->count && i < SHOWN_MAX; i++) {
        print_contribution(explanation, &explanation->list[i], to);
    }
    if (explanation->count > SHOWN_MAX) {
        fprintf(to, "  and %zu more; --json tells all\n", explanation->count - SHOWN_MAX);
    }
    if (explanation->field_count < explanation->count) {
        print_fields(explanation, to);
    }
    print_identity(explanation, to);
}
