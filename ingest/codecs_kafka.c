// Which compressed topics can be read: librdkafka's builds differ, and say so.
#include "ingest/kafka.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static bool lists(const char *features, const char *word) {
    for (const char *at = features; *at; at += strspn(at, ", ")) {
        size_t size = strcspn(at, ", ");
        if (size == strlen(word) && memcmp(at, word, size) == 0) {
            return true;
        }
        at += size;
    }
    return false;
}

void rf_kafka_codecs_missing(const char *features, char missing_out[RF_KAFKA_CODECS_SIZE]) {
    static const char *const codecs[] = {"gzip", "snappy", "lz4", "zstd"};
    size_t used = 0;
    missing_out[0] = '\0';
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (!lists(features, codecs[i])) {
            used += (size_t)snprintf(missing_out + used, RF_KAFKA_CODECS_SIZE - used, "%s%s", used ? ", " : "", codecs[i]);
        }
    }
}

void rf_source_kafka_codecs_missing(char missing_out[RF_KAFKA_CODECS_SIZE]) {
    char features[512] = "";
    size_t size = sizeof features;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool is_known = rd_kafka_conf_get(conf, "builtin.features", features, &size) == RD_KAFKA_CONF_OK && features[0];
    rd_kafka_conf_destroy(conf);
    missing_out[0] = '\0';
    if (is_known) {
        rf_kafka_codecs_missing(features, missing_out);
    }
}
