#include "ingest/generator.h"
#include "ops/assembly.h"
#include "ops/clock.h"
#include "ops/signals.h"
#include "ops/verbs.h"
#include "sinks/producer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DELIVERY_MS = 60000, SERVE_MS = 100 };

struct plan {
    const char *stream, *format, *out;
    uint64_t records, seed, rate; // rate 0: as fast as it goes
    bool is_stopped;
};

// Waits so that no more than `rate` records a second leave; true when the end was asked for.
static bool keep_pace(struct plan *plan, uint64_t made, int64_t begun_ms, const struct rf_signals *signals) {
    struct rf_clock *clock = rf_clock_system();
    int64_t due = plan->rate ? begun_ms + (int64_t)(made * 1000 / plan->rate) : 0;
    int64_t now = plan->rate ? clock->monotonic_ms(clock) : 0;
    int wait_ms = now < due ? (int)(due - now) : 0;
    if ((wait_ms || made % 1024 == 0) && rf_signals_wait(signals, wait_ms)) {
        plan->is_stopped = true;
    }
    return plan->is_stopped;
}

static enum rf_status write_all(struct plan *plan, struct rf_generator *generator, const struct rf_signals *signals,
                                struct rf_error *err) {
    FILE *to = !plan->out || strcmp(plan->out, "-") == 0 ? stdout : fopen(plan->out, "w");
    const char *name = plan->out ? plan->out : "standard output";
    if (!to) {
        return rf_fail(err, RF_IO, "cannot create %s: %s", name, strerror(errno));
    }
    if (strcmp(plan->format, "csv") == 0) {
        fprintf(to, "%s\n", rf_generator_csv_header(generator));
    }
    int64_t begun = rf_clock_system()->monotonic_ms(rf_clock_system());
    bool has_failed = false;
    for (uint64_t made = 0; made != plan->records && !has_failed && !keep_pace(plan, made, begun, signals); made++) {
        struct rf_generated record;
        rf_generator_next(generator, &record);
        fwrite(record.value.data, 1, record.value.size, to);
        has_failed = fputc('\n', to) == EOF;
    }
    has_failed |= fflush(to) != 0;
    int error = errno;
    if (to != stdout) {
        fclose(to);
    }
    return has_failed ? rf_fail(err, RF_IO, "cannot write %s: %s", name, strerror(error)) : RF_OK;
}

// Queues one record, waiting while the queue is full. RF_END: the end was asked for meanwhile.
static enum rf_status produce(struct plan *plan, struct rf_generator *generator, struct rf_producer *producer, const char *topic,
                              const struct rf_signals *signals, struct rf_error *err) {
    struct rf_generated record;
    rf_generator_next(generator, &record);
    enum rf_status status;
    while ((status = rf_producer_send(producer, topic, -1, record.key, record.value, record.time_ms, err)) == RF_AGAIN) {
        enum rf_status served = rf_producer_settle(producer, SERVE_MS, err);
        plan->is_stopped = rf_signals_wait(signals, 0);
        if (plan->is_stopped || (served && served != RF_AGAIN)) {
            return plan->is_stopped ? RF_END : served;
        }
    }
    return status;
}

static enum rf_status produce_all(struct plan *plan, struct rf_generator *generator, struct rf_producer *producer,
                                  const char *topic, const struct rf_signals *signals, struct rf_error *err) {
    struct rf_clock *clock = rf_clock_system();
    int64_t begun = clock->monotonic_ms(clock);
    enum rf_status status = RF_OK;
    for (uint64_t made = 0; made != plan->records && !status && !keep_pace(plan, made, begun, signals); made++) {
        status = produce(plan, generator, producer, topic, signals, err);
    }
    if (status && status != RF_END) {
        return status;
    }
    int64_t deadline = clock->monotonic_ms(clock) + DELIVERY_MS;
    do { // a second signal does not wait for what is under way
        status = rf_producer_settle(producer, SERVE_MS, err);
    } while (status == RF_AGAIN && clock->monotonic_ms(clock) < deadline && !rf_signals_wait(signals, 0));
    return status == RF_AGAIN ? rf_fail(err, RF_IO, "%" PRIu64 " records were not acknowledged", rf_producer_in_flight(producer))
                              : status;
}

static enum rf_status produce_to_topic(struct plan *plan, const struct rf_arguments *arguments, struct rf_generator *generator,
                                       const struct rf_signals *signals, struct rf_error *err) {
    struct rf_assembly assembly;
    enum rf_status status = rf_assembly_init(arguments->files[0], arguments->sets, arguments->set_count, &assembly, err);
    if (status) {
        return status;
    }
    struct rf_producer *producer = NULL;
    if (!assembly.settings.source.topics.count || assembly.settings.is_embedded) {
        status = rf_fail(err, RF_INVALID, "%s must name source.topics of a Kafka that is not embedded", arguments->files[0]);
    }
    if (!status) {
        status = rf_producer_create(&assembly.kafka, &producer, err);
    }
    if (!status) {
        status = produce_all(plan, generator, producer, assembly.settings.source.topics.list[0], signals, err);
    }
    rf_producer_destroy(producer);
    rf_assembly_finish(&assembly);
    return status;
}

int rf_verb_generate(const struct rf_verb *verb, int argc, char **argv) {
    struct plan plan = {.stream = "cards", .format = "json", .records = 1000, .seed = 1};
    const struct rf_flag flags[] = {
            {"stream", RF_FLAG_TEXT, &plan.stream, "NAME", "which simulator (cards)"},
            {"format", RF_FLAG_TEXT, &plan.format, "FORMAT", "json (default) or csv"},
            {"records", RF_FLAG_UINT, &plan.records, "N", "how many (1000)"},
            {"seed", RF_FLAG_UINT, &plan.seed, "N", "the same seed gives the same bytes (1)"},
            {"rate", RF_FLAG_UINT, &plan.rate, "N", "records a second; 0 (default): as fast as it goes"},
            {"out", RF_FLAG_TEXT, &plan.out, "FILE", "where to, when no settings name a topic (standard output)"},
            {NULL, RF_FLAG_YES, NULL, NULL, NULL},
    };
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_signals signals;
    rf_signals_block(&signals);
    struct rf_generator *generator = NULL;
    enum rf_status status = RF_OK;
    bool is_csv = strcmp(plan.format, "csv") == 0;
    if (arguments.file_count > 1) {
        status = rf_fail(&err, RF_INVALID, "takes at most one settings file, %zu are given", arguments.file_count);
    } else if (!is_csv && strcmp(plan.format, "json") != 0) {
        status = rf_fail(&err, RF_INVALID, "--format is \"%.100s\", must be json or csv", plan.format);
    }
    if (!status) {
        struct rf_generator_options options = {
                .stream = plan.stream, .seed = plan.seed, .format = is_csv ? RF_GENERATE_CSV : RF_GENERATE_JSON};
        status = rf_generator_create(&options, &generator, &err);
    }
    if (!status) {
        status = arguments.file_count ? produce_to_topic(&plan, &arguments, generator, &signals, &err)
                                      : write_all(&plan, generator, &signals, &err);
    }
    rf_generator_destroy(generator);
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
