#include "ingest/broker.h"
#include "ops/signals.h"
#include "ops/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "NAME" or "NAME:PARTITIONS".
static enum rf_status add_topic(struct rf_broker *broker, const char *word, struct rf_error *err) {
    char name[256];
    const char *colon = strrchr(word, ':');
    size_t size = colon ? (size_t)(colon - word) : strlen(word);
    char *end = NULL;
    long partitions = colon ? strtol(colon + 1, &end, 10) : 1;
    if (!size || size >= sizeof name || (colon && (*end || end == colon + 1)) || partitions < 1 || partitions > 10000) {
        return rf_fail(err, RF_INVALID, "topic is \"%.200s\", must be NAME or NAME:PARTITIONS with 1 to 10000 partitions", word);
    }
    memcpy(name, word, size);
    name[size] = '\0';
    return rf_broker_add_topic(broker, name, (int32_t)partitions, err);
}

int rf_verb_broker(const struct rf_verb *verb, int argc, char **argv) {
    const struct rf_flag flags[] = {{NULL, RF_FLAG_YES, NULL, NULL, NULL}};
    struct rf_arguments arguments;
    int code;
    if (!rf_arguments_take(verb, argc, argv, flags, &arguments, &code)) {
        return code;
    }
    struct rf_error err;
    struct rf_broker *broker = NULL;
    struct rf_signals signals;
    rf_signals_block(&signals);
    enum rf_status status = rf_broker_create(&broker, &err);
    for (size_t i = 0; i < arguments.file_count && !status; i++) {
        status = add_topic(broker, arguments.files[i], &err);
    }
    if (!status) {
        printf("%s\n", rf_broker_bootstrap(broker));
        fflush(stdout);
        while (!rf_signals_wait(&signals, 1000)) {
        }
    }
    rf_broker_destroy(broker);
    rf_arguments_finish(&arguments);
    return status ? rf_arguments_complain(verb, &err) : RF_EXIT_DONE;
}
