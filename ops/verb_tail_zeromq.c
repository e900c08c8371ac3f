#include "ops/printer.h"
#include "ops/settings.h"
#include "ops/signals.h"
#include "ops/verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <riffle.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { POLL_MS = 100 };

struct tail {
    bool wants_json;
    uint64_t count, every; // count 0: no end
    double min_score;      // print no lower ones; -infinity: all
    uint64_t seen, shown, lost;
    uint64_t sequence; // of the last batch, 0: none
    uint32_t epoch;
    bool is_cut; // nobody reads what is printed any more
};

static void add_number(struct rf_printer *printer, double number) {
    if (isfinite(number)) {
        rf_printer_real(printer, number);
    } else {
        rf_printer_add(printer, "null");
    }
}

static void print_json(const Riffle__V1__Predictions *batch, const Riffle__V1__Prediction *prediction) {
    struct rf_printer printer = {0};
    rf_printer_add(&printer, "{\"model\":");
    rf_printer_quote(&printer, batch->model);
    rf_printer_add(&printer, ",\"topic\":");
    rf_printer_quote(&printer, prediction->topic);
    rf_printer_format(&printer, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, prediction->partition, prediction->offset);
    if (*prediction->id) {
        rf_printer_add(&printer, ",\"id\":");
        rf_printer_quote(&printer, prediction->id);
    }
    if (prediction->version) {
        rf_printer_format(&printer, ",\"line\":%" PRIu32 ",\"base\":%" PRIu64 ",\"epoch\":%" PRIu32 ",\"since\":%" PRIu64,
                          prediction->version->line, prediction->version->base_number, prediction->version->epoch,
                          prediction->version->since);
    }
    if (prediction->n_scores) {
        rf_printer_add(&printer, ",\"scores\":[");
        for (size_t i = 0; i < prediction->n_scores; i++) {
            rf_printer_add(&printer, i ? "," : "");
            add_number(&printer, prediction->scores[i]);
        }
        rf_printer_add(&printer, "]");
    } else {
        rf_printer_add(&printer, ",\"score\":");
        add_number(&printer, prediction->score);
    }
    if (*prediction->class_name) {
        rf_printer_add(&printer, ",\"class\":");
        rf_printer_quote(&printer, prediction->class_name);
    }
    if (prediction->outcome_case == RIFFLE__V1__PREDICTION__OUTCOME_LABEL) {
        rf_printer_add(&printer, ",\"label\":");
        add_number(&printer, prediction->label);
    }
    printf("%s}\n", printer.text ? printer.text : "");
    rf_printer_finish(&printer);
}

// That of the class that is named.
static double score_of(const Riffle__V1__Prediction *prediction) {
    double score = prediction->score;
    for (size_t i = 0; i < prediction->n_scores; i++) {
        score = i == 0 || prediction->scores[i] > score ? prediction->scores[i] : score;
    }
    return score;
}

static void print_line(const Riffle__V1__Prediction *prediction) {
    printf("%s[%" PRId32 "] %-9" PRId64 " id %-9s score %.6f", prediction->topic, prediction->partition, prediction->offset,
           *prediction->id ? prediction->id : "-", score_of(prediction));
    if (*prediction->class_name) {
        printf("  class %s", prediction->class_name);
    }
    if (prediction->outcome_case == RIFFLE__V1__PREDICTION__OUTCOME_LABEL) {
        printf("  label %g", prediction->label);
    }
    printf("\n");
}

static void note_sequence(struct tail *tail, const Riffle__V1__Predictions *batch) {
    if (tail->sequence && batch->epoch == tail->epoch && batch->sequence > tail->sequence + 1) {
        tail->lost += batch->sequence - tail->sequence - 1;
        fprintf(stderr, "riffle tail: %" PRIu64 " batches were missed before batch %" PRIu64 "\n",
                batch->sequence - tail->sequence - 1, batch->sequence);
    }
    tail->sequence = batch->sequence;
    tail->epoch = batch->epoch;
}

static void print_batch(struct tail *tail, const Riffle__V1__Predictions *batch) {
    note_sequence(tail, batch);
    for (size_t i = 0; i < batch->n_predictions && (!tail->count || tail->shown < tail->count); i++) {
        if (score_of(batch->predictions[i]) < tail->min_score || tail->seen++ % tail->every) {
            continue;
        }
        tail->shown++;
        if (tail->wants_json) {
            print_json(batch, batch->predictions[i]);
        } else {
            print_line(batch->predictions[i]);
        }
    }
    tail->is_cut = fflush(stdout) != 0;
    if (tail->is_cut && errno == EPIPE) {
        clearerr(stdout); // the reader has seen enough
    }
}

// Takes one message of two frames; the first, the topic, only filters.
static void take_message(struct tail *tail, void *socket) {
    zmq_msg_t frame;
    int is_first = 1, has_more = 1;
    while (has_more) {
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return;
        }
        has_more = zmq_msg_more(&frame);
        if (!is_first) {
            Riffle__V1__Predictions *batch = riffle__v1__predictions__unpack(NULL, zmq_msg_size(&frame), zmq_msg_data(&frame));
            if (batch) {
                print_batch(tail, batch);
                riffle__v1__predictions__free_unpacked(batch, NULL);
            } else {
                fprintf(stderr, "riffle tail: a message of %zu bytes is no riffle.v1.Predictions\n", zmq_msg_size(&frame));
            }
        }
        is_first = 0;
        zmq_msg_close(&frame);
    }
}

static enum rf_status follow(struct tail *tail, const char *endpoint, struct rf_error *err) {
    struct rf_signals signals;
    rf_signals_block(&signals);
    void *context = zmq_ctx_new();
    void *socket = context ? zmq_socket(context, ZMQ_SUB) : NULL;
    int no_linger = 0, high_water_mark = 100000;
    enum rf_status status = RF_OK;
    if (!socket || zmq_setsockopt(socket, ZMQ_LINGER, &no_linger, sizeof no_linger) ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark) ||
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "predictions/", strlen("predictions/"))) {
        status = rf_fail(err, RF_IO, "cannot make a ZeroMQ socket: %s", zmq_strerror(errno));
    } else if (zmq_connect(socket, endpoint)) {
        status = rf_fail(err, RF_INVALID, "cannot connect to \"%.200s\": %s", endpoint, zmq_strerror(errno));
    }
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    while (!status && !tail->is_cut && (!tail->count || tail->shown < tail->count) && !rf_signals_wait(&signals, 0)) {
        if (zmq_poll(&item, 1, POLL_MS) > 0) {
            take_message(tail, socket);
        }
    }
    if (socket) {
        zmq_close(socket);
    }
    if (context) {
        zmq_ctx_term(context);
    }
    return status;
}

// The first endpoint on which the settings' ZeroMQ sinks publish.
static const char *endpoint_of(const struct rf_settings *settings) {
    for (size_t i = 0; i < settings->sinks.count; i++) {
        const struct rf_variant_value *sink = &settings->sinks.list[i];
        const struct rf_sink_zeromq_options *options = sink->options;
        if (strcmp(sink->kind->name, "zeromq") == 0 && options->publish) {
            return options->publish;
        }
    }
    return NULL;
}

static enum rf_status find_and_follow(struct tail *tail, const struct rf_arguments *arguments, struct rf_error *err) {
    if (arguments->file_count != 1) {
        return rf_fail(err, RF_INVALID, "takes a settings file or an endpoint such as tcp://127.0.0.1:5555");
    }
    if (strstr(arguments->files[0], "://")) {
        return follow(tail, arguments->files[0], err);
    }
    struct rf_settings settings;
    enum rf_status status = rf_settings_load(arguments->files[0], arguments->sets, arguments->set_count, &settings, err);
    if (status) {
        return status;
    }
    const char *endpoint = endpoint_of(&settings);
    status = endpoint
                     ? follow(tail, endpoint, err)
                     : rf_fail(err, RF_INVALID, "%s has no sink `zeromq: {publish: ENDPOINT}` to listen to", arguments->files[0]);
    rf_settings_finish(&settings);
    return status;
}

int rf_verb_tail(const struct rf_verb *verb, int argc, char **argv) {
    struct tail tail = {.every = 1, .min_score = -INFINITY};
    const char *min_score = NULL;
    const struct rf_flag flags[] = {
            {"count", RF_FLAG_UINT, &tail.count, "N", "stop after N predictions; 0 (default): never"},
            {"every", RF_FLAG_UINT, &tail.every, "N", "print one of N (1)"},
            {"min-score", RF_FLAG_TEXT, &min_score, "X", "print none that scores lower; --every counts those that are left"},
            {"json", RF_FLAG_YES, &tail.wants_json, NULL, "one JSON object a line"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    enum rf_status status = RF_OK;
    char *end = "";
    tail.min_score = min_score ? strtod(min_score, &end) : tail.min_score;
    if (min_score && (!*min_score || *end)) {
        status = rf_fail(&err, RF_INVALID, "--min-score is \"%.100s\", must be a number", min_score);
    } else if (!tail.every) {
        status = rf_fail(&err, RF_INVALID, "--every is 0, must be 1 or more");
    } else {
        status = find_and_follow(&tail, &arguments, &err);
    }
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
