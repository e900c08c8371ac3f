// Kafka's transactions, by the only transactional producer of the program.
//
// librdkafka tells three kinds of failures. What may pass is tried again while there is time. What spoils the transaction is
// answered by aborting it; the brokers take that only of a transaction that was not committed, so ABORTED is certain even where a
// commit was under way. What is fatal needs a new client with the same transactional.id: open() makes it, and the brokers settle
// what was left before they let it go on.
//
// The brokers tell one that another has its transactional.id (PRODUCER_FENCED) and one whose transaction they have timed out by
// the same code to clients of this age (INVALID_PRODUCER_EPOCH), and librdkafka calls both fenced. A transaction that stood open
// for less than its timeout was not timed out; one that stood longer is told as unknown, since taking the id again may be right.
#include "sinks/transaction.h"
#include "sinks/transaction_conf.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENTENCE_SIZE = 512, SLICE_MS = 50, ABORT_GRACE_MS = 1000, ABORT_MS_MIN = 100 };

struct kafka_transaction {
    struct rf_transaction base;
    rd_kafka_conf_t *conf; // of every client
    rd_kafka_t *client;    // NULL: there is none that can go on
    bool is_fresh;         // the client has not been given its id yet
    bool is_ready;         // it has, and may begin
    bool is_open;          // a transaction was sent, not ended
    int timeout_ms;        // when the brokers abort
    int64_t begun_ms;
    size_t message_bytes_max;
    char trouble[SENTENCE_SIZE]; // what the client last complained of, e.g. that it cannot connect
    struct rf_error refusal;     // the first record of this transaction that was not taken
};

static const struct rf_transaction_ops kafka_ops;

static struct kafka_transaction *kafka_from(struct rf_transaction *self) {
    assert(self->ops == &kafka_ops);
    return (struct kafka_transaction *)self;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_until(int64_t deadline_ms) {
    int64_t left_ms = deadline_ms - now_ms();
    return left_ms > 0 ? (int)left_ms : 0;
}

static void note_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    struct kafka_transaction *transaction = opaque;
    if (message->err && !transaction->refusal.status) {
        rf_fail(&transaction->refusal, RF_IO, "kafka: topic %s refused a record of %zu bytes: %s",
                rd_kafka_topic_name(message->rkt), message->key_len + message->len, rd_kafka_err2str(message->err));
    }
}

static void note_trouble(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    (void)client;
    struct kafka_transaction *transaction = opaque;
    if (code != RD_KAFKA_RESP_ERR__FATAL) { // which the call that it concerns tells
        snprintf(transaction->trouble, sizeof transaction->trouble, "%s", reason);
    }
}

static enum rf_status fail_with(const struct kafka_transaction *transaction, struct rf_error *err, enum rf_status status,
                                const char *what, const char *why) {
    const char *trouble = transaction->trouble;
    return rf_fail(err, status, "kafka: %s: %s%s%s", what, why, trouble[0] ? "; " : "", trouble);
}

static enum rf_status make_client(struct kafka_transaction *transaction, struct rf_error *err) {
    char text[SENTENCE_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(transaction->conf);
    transaction->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!transaction->client) {
        rd_kafka_conf_destroy(conf); // rd_kafka_new() takes it only when it succeeds
        return rf_fail(err, RF_INVALID, "kafka: cannot make a transactional producer: %s", text);
    }
    transaction->is_fresh = true;
    transaction->trouble[0] = '\0';
    return RF_OK;
}

static void drop_client(struct kafka_transaction *transaction) {
    if (transaction->client) {
        (void)rd_kafka_purge(transaction->client,
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(transaction->client);
    }
    transaction->client = NULL;
    transaction->is_fresh = transaction->is_ready = transaction->is_open = false;
}

static enum rf_status kafka_open(struct rf_transaction *self, int timeout_ms, struct rf_error *err) {
    struct kafka_transaction *transaction = kafka_from(self);
    int64_t deadline_ms = now_ms() + timeout_ms;
    if (!transaction->is_fresh) {
        drop_client(transaction);
        enum rf_status status = make_client(transaction, err);
        if (status) {
            return status;
        }
    }
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(transaction->client, left_until(deadline_ms));
        if (!error) {
            transaction->is_fresh = false;
            transaction->is_ready = true;
            return RF_OK;
        }
        rd_kafka_poll(transaction->client, 0); // for note_trouble()
        bool may_pass = rd_kafka_error_is_retriable(error);
        if (!may_pass || left_until(deadline_ms) == 0) {
            bool is_fenced = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FENCED;
            fail_with(transaction, err, is_fenced ? RF_CONFLICT : RF_IO, "the transactional.id cannot be taken",
                      rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
            transaction->is_fresh = may_pass; // the next call goes on where this one gave up
            return err->status;
        }
        rd_kafka_error_destroy(error);
        rd_kafka_poll(transaction->client, SLICE_MS);
    }
}

// The client can do no more. What that means is told by how long the transaction stood open: see the head of this file.
static enum rf_outcome end_broken(struct kafka_transaction *transaction, bool is_fenced) {
    bool may_be_timed_out = now_ms() - transaction->begun_ms >= transaction->timeout_ms;
    transaction->is_open = transaction->is_ready = false;
    return is_fenced && !may_be_timed_out ? RF_OUTCOME_FENCED : RF_OUTCOME_UNKNOWN;
}

// Aborts what stands open. The failure that led here is in `err` and stays, unless there is none.
static enum rf_outcome abort_open(struct kafka_transaction *transaction, int64_t deadline_ms, struct rf_error *err) {
    int64_t least_ms = now_ms() + ABORT_MS_MIN;
    deadline_ms += ABORT_GRACE_MS;
    deadline_ms = deadline_ms > least_ms ? deadline_ms : least_ms;
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_abort_transaction(transaction->client, left_until(deadline_ms));
        if (!error) {
            transaction->is_open = false;
            return RF_OUTCOME_ABORTED;
        }
        rd_kafka_poll(transaction->client, 0);
        bool is_fenced = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__FENCED;
        bool may_pass = rd_kafka_error_is_retriable(error);
        if (!may_pass || left_until(deadline_ms) == 0) {
            if (!err->status || is_fenced) {
                fail_with(transaction, err, is_fenced ? RF_CONFLICT : RF_IO, "the transaction was not aborted",
                          rd_kafka_error_string(error));
            }
            rd_kafka_error_destroy(error);
            return end_broken(transaction, is_fenced);
        }
        rd_kafka_error_destroy(error);
        rd_kafka_poll(transaction->client, SLICE_MS);
    }
}

static bool is_of_group(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

// Says what failed, and ends the transaction: by aborting it where the client still can. Takes the error.
static enum rf_outcome end_failed(struct kafka_transaction *transaction, rd_kafka_error_t *error, const char *what,
                                  int64_t deadline_ms, struct rf_error *err) {
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool is_fatal = rd_kafka_error_is_fatal(error);
    bool is_fenced = is_fatal && code == RD_KAFKA_RESP_ERR__FENCED;
    if (is_of_group(code)) {
        rf_fail(err, RF_CONFLICT, "kafka: %s: the group has gone on without this worker: %s", what, rd_kafka_error_string(error));
    } else {
        fail_with(transaction, err, is_fenced ? RF_CONFLICT : RF_IO, what, rd_kafka_error_string(error));
    }
    rd_kafka_error_destroy(error);
    return is_fatal ? end_broken(transaction, is_fenced) : abort_open(transaction, deadline_ms, err);
}

static enum rf_status check_sizes(const struct kafka_transaction *transaction, const struct rf_transaction_contents *contents,
                                  struct rf_error *err) {
    for (size_t i = 0; i < contents->count; i++) {
        const struct rf_transaction_record *record = &contents->records[i];
        size_t size = record->key.size + record->value.size;
        if (size > transaction->message_bytes_max) {
            return rf_fail(err, RF_FULL, "kafka: a record of %zu bytes is for topic %s, message.max.bytes is %zu", size,
                           record->topic, transaction->message_bytes_max);
        }
    }
    return RF_OK;
}

// The topic's handle has the leader looked up at once: by its name alone librdkafka 2.0.2 asks only with its next scan, up to a
// second later. Waits for room in the queue.
static rd_kafka_resp_err_t produce(struct kafka_transaction *transaction, const struct rf_transaction_record *record,
                                   int64_t deadline_ms) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(transaction->client, record->topic, NULL);
    if (!topic) {
        return rd_kafka_last_error();
    }
    const rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
            {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)record->key.data, record->key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)record->value.data, record->value.size}},
            // A copy: when the brokers do not answer, a request may outlive this call.
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
    };
    rd_kafka_resp_err_t code;
    do {
        rd_kafka_error_t *error = rd_kafka_produceva(transaction->client, fields, sizeof fields / sizeof *fields);
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(transaction->client, SLICE_MS); // what is confirmed keeps its place until it is served
        }
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && left_until(deadline_ms) > 0);
    rd_kafka_topic_destroy(topic);
    return code;
}

// Sends all records and waits until the brokers have taken them.
static enum rf_status send_records(struct kafka_transaction *transaction, const struct rf_transaction_contents *contents,
                                   int64_t deadline_ms, struct rf_error *err) {
    for (size_t i = 0; i < contents->count; i++) {
        rd_kafka_resp_err_t code = produce(transaction, &contents->records[i], deadline_ms);
        if (code) {
            char what[SENTENCE_SIZE];
            snprintf(what, sizeof what, "record %zu of %zu, for topic %s, cannot be sent", i + 1, contents->count,
                     contents->records[i].topic);
            return fail_with(transaction, err, RF_IO, what, rd_kafka_err2str(code));
        }
    }
    while (rd_kafka_outq_len(transaction->client) > 0 && !transaction->refusal.status) {
        int left_ms = left_until(deadline_ms);
        if (left_ms == 0) {
            return fail_with(transaction, err, RF_IO, "records were not confirmed", "the brokers took too long");
        }
        rd_kafka_flush(transaction->client, left_ms < SLICE_MS ? left_ms : SLICE_MS);
    }
    if (transaction->refusal.status) {
        *err = transaction->refusal;
        return err->status;
    }
    return RF_OK;
}

static rd_kafka_topic_partition_list_t *list_of(const struct rf_positions *offsets, const char *note) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)offsets->count);
    for (size_t i = 0; i < offsets->count; i++) {
        const struct rf_position *position = &offsets->list[i];
        if (position->next_offset < 0) {
            continue;
        }
        rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, position->topic, position->partition);
        element->offset = position->next_offset;
        element->metadata = note ? strdup(note) : NULL; // the list frees it
        element->metadata_size = element->metadata ? strlen(note) : 0;
    }
    return list;
}

static rd_kafka_error_t *send_offsets(struct kafka_transaction *transaction, const struct rf_transaction_contents *contents,
                                      int64_t deadline_ms) {
    if (!contents->offsets || contents->offsets->count == 0) {
        return NULL;
    }
    rd_kafka_consumer_group_metadata_t *group;
    rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_read(&group, contents->group, contents->group_size);
    if (error) {
        return error;
    }
    rd_kafka_topic_partition_list_t *list = list_of(contents->offsets, contents->note);
    do {
        rd_kafka_error_destroy(error);
        error = rd_kafka_send_offsets_to_transaction(transaction->client, list, group, left_until(deadline_ms));
    } while (error && rd_kafka_error_is_retriable(error) && left_until(deadline_ms) > 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_group_metadata_destroy(group);
    return error;
}

static enum rf_status kafka_send(struct rf_transaction *self, const struct rf_transaction_contents *contents, int timeout_ms,
                                 enum rf_outcome *outcome_out, struct rf_error *err) {
    struct kafka_transaction *transaction = kafka_from(self);
    assert(transaction->is_ready);
    assert(!transaction->is_open);
    *outcome_out = RF_OUTCOME_ABORTED;
    enum rf_status status = check_sizes(transaction, contents, err);
    if (status) {
        return status;
    }
    int64_t deadline_ms = now_ms() + timeout_ms;
    transaction->begun_ms = now_ms();
    transaction->refusal = (struct rf_error){0};
    rd_kafka_poll(transaction->client, 0);
    transaction->trouble[0] = '\0'; // of before
    rd_kafka_error_t *error = rd_kafka_begin_transaction(transaction->client);
    if (error) {
        *outcome_out = end_failed(transaction, error, "a transaction cannot begin", deadline_ms, err);
        return err->status;
    }
    transaction->is_open = true;
    status = send_records(transaction, contents, deadline_ms, err);
    if (status) {
        *outcome_out = abort_open(transaction, deadline_ms, err);
        return err->status;
    }
    error = send_offsets(transaction, contents, deadline_ms);
    if (error) {
        *outcome_out = end_failed(transaction, error, "offsets cannot be sent", deadline_ms, err);
        return err->status;
    }
    *outcome_out = RF_OUTCOME_OPEN;
    return RF_OK;
}

static enum rf_status kafka_commit(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                   struct rf_error *err) {
    struct kafka_transaction *transaction = kafka_from(self);
    assert(transaction->is_open);
    int64_t deadline_ms = now_ms() + timeout_ms;
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_commit_transaction(transaction->client, left_until(deadline_ms));
        if (!error) {
            transaction->is_open = false;
            *outcome_out = RF_OUTCOME_COMMITTED;
            return RF_OK;
        }
        rd_kafka_poll(transaction->client, 0);
        if (rd_kafka_error_is_fatal(error) || rd_kafka_error_txn_requires_abort(error)) {
            *outcome_out = end_failed(transaction, error, "the transaction was not committed", deadline_ms, err);
            return err->status;
        }
        if (!rd_kafka_error_is_retriable(error) || left_until(deadline_ms) == 0) {
            fail_with(transaction, err, RF_IO, "whether the transaction was committed is not known",
                      rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
            *outcome_out = end_broken(transaction, false);
            return err->status;
        }
        rd_kafka_error_destroy(error);
        rd_kafka_poll(transaction->client, SLICE_MS);
    }
}

static enum rf_status kafka_abort(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                  struct rf_error *err) {
    struct kafka_transaction *transaction = kafka_from(self);
    assert(transaction->is_open);
    struct rf_error failure = {0};
    *outcome_out = abort_open(transaction, now_ms() + timeout_ms, &failure);
    if (failure.status) {
        *err = failure;
    }
    return failure.status;
}

static void kafka_destroy(struct rf_transaction *self) {
    struct kafka_transaction *transaction = kafka_from(self);
    drop_client(transaction);
    if (transaction->conf) {
        rd_kafka_conf_destroy(transaction->conf);
    }
    free(transaction);
}

static const struct rf_transaction_ops kafka_ops = {
        .name = "kafka",
        .open = kafka_open,
        .send = kafka_send,
        .commit = kafka_commit,
        .abort = kafka_abort,
        .destroy = kafka_destroy,
};

static size_t message_bytes_max(const rd_kafka_conf_t *conf) {
    char text[32] = "";
    size_t size = sizeof text;
    rd_kafka_conf_get(conf, "message.max.bytes", text, &size);
    return (size_t)strtoull(text, NULL, 10);
}

enum rf_status rf_transaction_kafka_create(const struct rf_transaction_kafka_options *options,
                                           struct rf_transaction **transaction_out, struct rf_error *err) {
    struct kafka_transaction *transaction = calloc(1, sizeof *transaction);
    if (!transaction) {
        return rf_fail(err, RF_MEMORY, "kafka: a transactional producer does not fit into memory");
    }
    transaction->base.ops = &kafka_ops;
    transaction->timeout_ms = options->timeout_ms;
    transaction->conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(transaction->conf, transaction);
    rd_kafka_conf_set_error_cb(transaction->conf, note_trouble);
    rd_kafka_conf_set_dr_msg_cb(transaction->conf, note_delivery);
    enum rf_status status = rf_transaction_conf_fill(transaction->conf, options, err);
    if (!status) {
        transaction->message_bytes_max = message_bytes_max(transaction->conf);
        status = make_client(transaction, err);
    }
    if (status) {
        kafka_destroy(&transaction->base);
        return status;
    }
    *transaction_out = &transaction->base;
    return RF_OK;
}
