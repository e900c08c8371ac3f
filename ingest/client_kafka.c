// The client under the Kafka source: properties, and what librdkafka tells of its own accord.
#include "ingest/kafka.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

// A property of ours. One that is `why` is a promise: the operator may repeat it, but not say otherwise.
struct property {
    const char *name, *value, *why;
};

static const struct property properties_kept[] = {
        {"enable.auto.commit", "false", "offsets are committed after the snapshot that covers them"},
        {"auto.commit.enable", "false", "offsets are committed after the snapshot that covers them"},
        {"enable.auto.offset.store", "false", "offsets are committed after the snapshot that covers them"},
        {"auto.offset.reset", "error", "source.start says where to begin, and a lost position is never jumped over"},
        {"client.id", "riffle", NULL},
        {"group.id", "riffle", NULL}, // librdkafka assigns nothing without one; nothing is committed to it
        {"check.crcs", "true", NULL},
        {"socket.nagle.disable", "true", NULL},
        {"fetch.wait.max.ms", "50", NULL},      // the embedded broker sleeps it out; a real one answers at once
        {"fetch.error.backoff.ms", "50", NULL}, // waited also after a mere change of leader
        {"reconnect.backoff.max.ms", "2000", NULL},
        {NULL, NULL, NULL},
};

// Beside those, of a member of a group.
static const struct property properties_of_members[] = {
        {"isolation.level", "read_committed", "what others learned of must not be taken back"},
        {"partition.assignment.strategy", "cooperative-sticky", NULL},
        {"topic.metadata.refresh.interval.ms", "60000", NULL}, // how soon partitions that are new are given out
        {NULL, NULL, NULL},
};

static const char *property_find(const struct rf_pairs *properties, const char *name) {
    for (size_t i = 0; i < properties->count; i++) {
        if (strcmp(properties->list[i].name, name) == 0) {
            return properties->list[i].value;
        }
    }
    return NULL;
}

static bool says_the_same(const char *a, const char *kept) {
    return strcasecmp(a, kept) == 0 || (strcmp(kept, "false") == 0 && (strcmp(a, "0") == 0 || strcasecmp(a, "f") == 0));
}

static enum rf_status set_property(rd_kafka_conf_t *conf, const char *name, const char *value, struct rf_error *err) {
    char text[512] = "";
    switch (rd_kafka_conf_set(conf, name, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return RF_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return rf_fail(err, RF_INVALID, "kafka.%s is not a property of librdkafka %s", name, rd_kafka_version_str());
    default: // its words name the value and the range, and keep secrets to themselves
        return rf_fail(err, RF_INVALID, "kafka.%s cannot be set: %s", name, text);
    }
}

static enum rf_status keep_properties(rd_kafka_conf_t *conf, const struct property *kept, const struct rf_pairs *properties,
                                      struct rf_error *err) {
    for (; kept->name; kept++) {
        const char *said = property_find(properties, kept->name);
        if (said && kept->why && !says_the_same(said, kept->value)) {
            return rf_fail(err, RF_INVALID, "kafka.%s is %s, must be %s: %s", kept->name, said, kept->value, kept->why);
        }
        enum rf_status status = set_property(conf, kept->name, kept->value, err);
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

static enum rf_status set_properties(rd_kafka_conf_t *conf, bool is_member, const struct rf_pairs *properties,
                                     struct rf_error *err) {
    enum rf_status status = keep_properties(conf, properties_kept, properties, err);
    if (!status && is_member) {
        status = keep_properties(conf, properties_of_members, properties, err);
    }
    for (size_t i = 0; i < properties->count && !status; i++) {
        status = set_property(conf, properties->list[i].name, properties->list[i].value, err);
    }
    return status;
}

static bool is_temporary(rd_kafka_resp_err_t code) {
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT: // a transaction that stands open is about to change the offset
        return true;
    default:
        return false;
    }
}

enum rf_status rf_kafka_fail(struct rf_kafka *kafka, struct rf_error *err, int code, const char *format, ...) {
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    kafka->is_temporary = is_temporary((rd_kafka_resp_err_t)code);
    const char *words = rd_kafka_err2str((rd_kafka_resp_err_t)code);
    bool is_connection = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                         code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__RESOLVE;
    if (is_connection && kafka->is_down && kafka->reason[0]) {
        words = kafka->reason;
    }
    return rf_fail(err, RF_IO, "%s: %s", what, words);
}

static void fail_fatally(struct rf_kafka *kafka, struct rf_error *err) {
    char fatal[256];
    kafka->is_temporary = false;
    if (rd_kafka_fatal_error(kafka->client, fatal, sizeof fatal) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        rf_fail(err, RF_BUSY, "another worker of group %s has come with kafka.group.instance.id %s, which must be of one alone",
                kafka->group, kafka->instance);
    } else {
        rf_fail(err, RF_IO, "the kafka client cannot go on: %s", fatal);
    }
}

// "Subscribed topic not available: transactions: Broker: ..." and "transactions [3]: ..." name what is missing.
static void fail_missing(struct rf_kafka *kafka, struct rf_error *err, const char *reason) {
    static const char subscribed[] = "Subscribed topic not available: ";
    if (strncmp(reason, subscribed, strlen(subscribed)) == 0) {
        reason += strlen(subscribed);
    }
    rf_fail(err, RF_NOT_FOUND, "%.*s is gone from %s", (int)strcspn(reason, ":"), reason, kafka->servers);
    kafka->is_temporary = false;
}

// Called by librdkafka on our own thread, while it is served.
static void note_error(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    struct rf_kafka *kafka = opaque;
    (void)client;
    if (kafka->has_failure && !kafka->is_failure_temporary) {
        return; // the first that will not pass is the cause; what follows it ("all brokers down") hides it
    }
    switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        // One connection of several, which librdkafka makes anew: it is news only when all are down.
        snprintf(kafka->reason, sizeof kafka->reason, "%s", reason);
        return;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        kafka->is_down = true;
        rf_kafka_fail(kafka, &kafka->failure, code, "no broker of %s can be reached", kafka->servers);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
        rf_fail(&kafka->failure, RF_IO, "%s does not let us in: %s", kafka->servers, reason);
        kafka->is_temporary = false;
        break;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        if (!kafka->has_group) {
            return; // the name that we made up: nothing is committed to it
        }
        rf_fail(&kafka->failure, RF_IO, "kafka.group.id may not be used: %s", reason);
        kafka->is_temporary = false;
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        fail_missing(kafka, &kafka->failure, reason);
        break;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        return; // its partitions are told to be lost, and it joins again
    case RD_KAFKA_RESP_ERR__FATAL:
        fail_fatally(kafka, &kafka->failure);
        break;
    default:
        rf_kafka_fail(kafka, &kafka->failure, code, "%s: %s", kafka->servers, reason);
        break;
    }
    kafka->has_failure = true;
    kafka->is_failure_temporary = kafka->is_temporary;
}

// Called by librdkafka on our own thread, while it is served.
static void note_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions,
                           void *opaque) {
    struct rf_kafka *kafka = opaque;
    if (kafka->is_leaving) {
        rd_kafka_assign(client, NULL); // which is fine by either protocol, now
    } else {
        if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            kafka->generation = rf_kafka_generation(kafka);
        }
        kafka->membership.note(kafka->membership.context, code, partitions);
    }
}

static void drop_log(const rd_kafka_t *client, int level, const char *facility, const char *line) {
    (void)client, (void)level, (void)facility, (void)line; // what matters comes through note_error()
}

static enum rf_status make_client(struct rf_kafka *kafka, struct rf_error *err) {
    char text[512] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(kafka->conf);
    kafka->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!kafka->client) {
        rd_kafka_conf_destroy(conf); // rd_kafka_new() takes it only when it succeeds
        return rf_fail(err, RF_INVALID, "kafka: %s", text);
    }
    rd_kafka_poll_set_consumer(kafka->client);
    return RF_OK;
}

// Closing a consumer waits for brokers that may be away (librdkafka issue 4519); a member has left the group before.
static void *destroy_client(void *client) {
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

// False: librdkafka does not come to an end (issues 4187, 4527, 4724 of 2.0.2, when a group changes at the wrong moment). What
// the client may still use then stays behind, for the program to take along when it ends.
static bool drop_client(struct rf_kafka *kafka) {
    enum { DESTROY_SECONDS_MAX = 10 };
    if (kafka->commit_queue) {
        rd_kafka_queue_destroy(kafka->commit_queue);
        kafka->commit_queue = NULL;
    }
    rd_kafka_t *client = kafka->client;
    kafka->client = NULL;
    pthread_t thread;
    if (kafka->is_unfit) {
        return false;
    }
    if (!client || !kafka->membership.note || pthread_create(&thread, NULL, destroy_client, client)) {
        if (client) {
            destroy_client(client);
        }
        return true;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DESTROY_SECONDS_MAX;
    if (pthread_timedjoin_np(thread, NULL, &until)) {
        pthread_detach(thread);
        return false;
    }
    return true;
}

enum rf_status rf_kafka_serve(struct rf_kafka *kafka, struct rf_error *err) {
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->client, 0);
        if (!message) {
            break;
        }
        note_error(kafka->client, message->err, rd_kafka_message_errstr(message), kafka);
        rd_kafka_message_destroy(message);
    }
    if (!kafka->has_failure) {
        return RF_OK;
    }
    kafka->has_failure = false;
    kafka->is_temporary = kafka->is_failure_temporary;
    *err = kafka->failure;
    return err->status;
}

enum rf_status rf_kafka_share(struct rf_kafka *kafka, size_t partitions, struct rf_error *err) {
    if (kafka->is_shared || partitions <= 1 || (kafka->is_size_set && kafka->is_count_set)) {
        return RF_OK;
    }
    kafka->is_shared = true; // once: later there may be loans out, which must not outlive their client
    char size[32], count[32];
    size_t kbytes = (RF_KAFKA_QUEUE_BYTES >> 10) / partitions, records = RF_KAFKA_QUEUE_RECORDS / partitions;
    snprintf(size, sizeof size, "%zu", kbytes > 1024 ? kbytes : 1024);
    snprintf(count, sizeof count, "%zu", records > 1000 ? records : 1000);
    enum rf_status status = RF_OK;
    if (!kafka->is_size_set) {
        status = set_property(kafka->conf, "queued.max.messages.kbytes", size, err);
    }
    if (!status && !kafka->is_count_set) {
        status = set_property(kafka->conf, "queued.min.messages", count, err);
    }
    if (status) {
        return status;
    }
    (void)drop_client(kafka); // nothing was joined yet
    return make_client(kafka, err);
}

static enum rf_status describe_client(struct rf_kafka *kafka, const struct rf_pairs *properties, struct rf_error *err) {
    const char *servers = property_find(properties, "bootstrap.servers");
    if (!servers) {
        servers = property_find(properties, "metadata.broker.list"); // librdkafka's older name
    }
    kafka->is_size_set = property_find(properties, "queued.max.messages.kbytes") != NULL;
    kafka->is_count_set = property_find(properties, "queued.min.messages") != NULL;
    const char *group = property_find(properties, "group.id");
    kafka->has_group = group && group[0];
    const char *instance = property_find(properties, "group.instance.id");
    bool is_member = kafka->membership.note != NULL;
    enum rf_status status = set_properties(kafka->conf, is_member, properties, err);
    if (status) {
        return status;
    }
    if (is_member && !kafka->has_group) {
        return rf_fail(err, RF_INVALID, "kafka.group.id is not set, must name the group that the workers make up");
    }
    if (!servers || !servers[0]) {
        return rf_fail(err, RF_INVALID, "kafka.bootstrap.servers is not set, must name a broker, e.g. 127.0.0.1:9092");
    }
    kafka->servers = strdup(servers);
    kafka->group = kafka->has_group ? strdup(group) : NULL;
    kafka->instance = instance && instance[0] ? strdup(instance) : NULL;
    if (!kafka->servers || (kafka->has_group && !kafka->group) || (instance && instance[0] && !kafka->instance)) {
        return rf_fail(err, RF_MEMORY, "out of memory for a kafka client");
    }
    const struct property ours[] = {
            {"queued.max.messages.kbytes", kafka->is_size_set ? NULL : "262144", NULL},
            {"queued.min.messages", kafka->is_count_set ? NULL : "1000000", NULL},
            {"group.id", kafka->has_group ? NULL : "riffle", NULL},
            {"enable.partition.eof", "true", NULL}, // where no record is left, that must be known
    };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0] && !status; i++) {
        if (ours[i].value) {
            status = set_property(kafka->conf, ours[i].name, ours[i].value, err);
        }
    }
    return status;
}

static enum rf_status create(const struct rf_pairs *properties, const struct rf_kafka_membership *membership,
                             struct rf_kafka **kafka_out, struct rf_error *err) {
    struct rf_kafka *kafka = calloc(1, sizeof *kafka);
    if (!kafka) {
        return rf_fail(err, RF_MEMORY, "out of memory for a kafka client");
    }
    kafka->conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(kafka->conf, kafka);
    rd_kafka_conf_set_error_cb(kafka->conf, note_error);
    rd_kafka_conf_set_log_cb(kafka->conf, drop_log);
    if (membership) {
        kafka->generation = -1;
        kafka->membership = *membership;
        rd_kafka_conf_set_rebalance_cb(kafka->conf, note_rebalance);
    }
    enum rf_status status = describe_client(kafka, properties, err);
    if (!status) {
        status = make_client(kafka, err);
    }
    if (status) {
        rf_kafka_destroy(kafka);
        return status;
    }
    *kafka_out = kafka;
    return RF_OK;
}

enum rf_status rf_kafka_create(const struct rf_pairs *properties, struct rf_kafka **kafka_out, struct rf_error *err) {
    return create(properties, NULL, kafka_out, err);
}

enum rf_status rf_kafka_create_member(const struct rf_pairs *properties, const struct rf_kafka_membership *membership,
                                      struct rf_kafka **kafka_out, struct rf_error *err) {
    return create(properties, membership, kafka_out, err);
}

enum rf_status rf_kafka_create_aside(const struct rf_kafka *kafka, struct rf_kafka **aside_out, struct rf_error *err) {
    struct rf_kafka *aside = calloc(1, sizeof *aside);
    char *servers = strdup(kafka->servers);
    if (!aside || !servers) {
        free(servers);
        free(aside);
        return rf_fail(err, RF_MEMORY, "out of memory for a kafka client");
    }
    aside->servers = servers;
    aside->is_size_set = kafka->is_size_set;
    aside->is_count_set = kafka->is_count_set;
    aside->conf = rd_kafka_conf_dup(kafka->conf);
    rd_kafka_conf_set_opaque(aside->conf, aside);
    rd_kafka_conf_set_rebalance_cb(aside->conf, NULL);
    enum rf_status status = make_client(aside, err);
    if (status) {
        rf_kafka_destroy(aside);
        return status;
    }
    *aside_out = aside;
    return RF_OK;
}

void rf_kafka_destroy(struct rf_kafka *kafka) {
    if (!kafka) {
        return;
    }
    if (!drop_client(kafka)) {
        return;
    }
    if (kafka->conf) {
        rd_kafka_conf_destroy(kafka->conf);
    }
    free(kafka->servers);
    free(kafka->group);
    free(kafka->instance);
    free(kafka);
}
