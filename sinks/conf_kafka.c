#include "sinks/conf.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

bool rf_conf_says(const struct rf_pairs *properties, const char *const *names) {
    for (size_t i = 0; i < properties->count; i++) {
        for (const char *const *name = names; *name; name++) {
            if (strcmp(properties->list[i].name, *name) == 0) {
                return true;
            }
        }
    }
    return false;
}

enum rf_status rf_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct rf_error *err) {
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        return rf_fail(err, RF_INVALID, "kafka: %s is %s: %s", name, value, text);
    }
    return RF_OK;
}

// Stages do not log, and a consumer's property among a producer's is no news. Trouble arrives through the error callback.
static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

enum rf_status rf_conf_fill(rd_kafka_conf_t *conf, const struct rf_conf_preset *presets, size_t count,
                            const struct rf_pairs *properties, struct rf_error *err) {
    if (!rf_conf_says(properties, (const char *const[]){"debug", NULL})) {
        rd_kafka_conf_set_log_cb(conf, drop_log);
    }
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < count && !status; i++) {
        if (!rf_conf_says(properties, presets[i].names)) {
            status = rf_conf_set(conf, presets[i].names[0], presets[i].value, err);
        }
    }
    for (size_t i = 0; i < properties->count && !status; i++) {
        status = rf_conf_set(conf, properties->list[i].name, properties->list[i].value, err);
    }
    return status;
}
