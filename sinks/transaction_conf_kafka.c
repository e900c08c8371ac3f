// The properties of the transactional producer.
#include "sinks/transaction_conf.h"

#include "sinks/conf.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_WITHIN = 5, REQUEST_MS_MIN = 1000 };

static const struct rf_conf_preset presets[] = {
        {"lz4", (const char *const[]){"compression.type", "compression.codec", NULL}},
        {"murmur2_random", (const char *const[]){"partitioner", NULL}}, // Java's, as of the sinks
        {"true", (const char *const[]){"socket.nagle.disable", NULL}},
};

// What the transactions decide. Timeouts of the operator's are passed over: they are meant for the sources and sinks that share
// the properties.
static bool is_decided(const char *name, const char **why_out) {
    static const char *const timeouts[] = {"message.timeout.ms", "delivery.timeout.ms", "socket.timeout.ms"};
    static const char *const others[] = {"transactional.id", "transaction.timeout.ms"};
    *why_out = NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(name, others[i]) == 0) {
            *why_out = "must not be set: it follows from the worker's settings";
            return true;
        }
    }
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        if (strcmp(name, timeouts[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum rf_status rf_transaction_conf_fill(rd_kafka_conf_t *conf, const struct rf_transaction_kafka_options *options,
                                        struct rf_error *err) {
    struct rf_pairs passed = {.list = calloc(options->properties->count + 1, sizeof *passed.list)};
    if (!passed.list) {
        return rf_fail(err, RF_MEMORY, "kafka: %zu properties do not fit into memory", options->properties->count);
    }
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < options->properties->count && !status; i++) {
        const struct rf_pair *pair = &options->properties->list[i];
        const char *why;
        if (!is_decided(pair->name, &why)) {
            passed.list[passed.count++] = *pair;
        } else if (why) {
            status = rf_fail(err, RF_INVALID, "kafka.%s is %s, %s", pair->name, pair->value, why);
        }
    }
    // librdkafka 2.0.2 ends a call in time only when no request is under way, so a single one must not take all of it. Records
    // have a timeout of their own, that of the transaction.
    int request_ms = options->timeout_ms / REQUESTS_WITHIN;
    char timeout[32], request_timeout[32];
    snprintf(timeout, sizeof timeout, "%d", options->timeout_ms);
    snprintf(request_timeout, sizeof request_timeout, "%d", request_ms > REQUEST_MS_MIN ? request_ms : REQUEST_MS_MIN);
    if (!status) {
        status = rf_conf_fill(conf, presets, sizeof presets / sizeof *presets, &passed, err);
    }
    if (!status) {
        status = rf_conf_set(conf, "transactional.id", options->id, err);
    }
    if (!status) {
        status = rf_conf_set(conf, "transaction.timeout.ms", timeout, err);
    }
    free(passed.list);
    return status ? status : rf_conf_set(conf, "socket.timeout.ms", request_timeout, err);
}
