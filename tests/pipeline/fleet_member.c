// What a worker of a fleet does with Kafka, one command a line, for tests that decide when: fleet_member.py speaks to it.
// Every command is answered by one line of JSON.
#include "ingest/source.h"
#include "sinks/topic.h"
#include "sinks/transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORDS_MAX = 256, LOAN_CAPACITY = 1000, PATIENCE_MS = 30000 };

struct words {
    char *list[WORDS_MAX];
    size_t count;
};

static struct rf_source *source;
static struct rf_positions positions; // all that were offered; next_offset goes on with what is delivered
static struct rf_transaction *transaction;
static uint8_t *group; // as last asked for
static size_t group_size;

static void print_text(const char *name, const char *text, size_t size) {
    printf("\"%s\": \"", name);
    for (size_t i = 0; i < size; i++) {
        printf(text[i] == '"' || text[i] == '\\' ? "\\%c" : "%c", text[i]);
    }
    printf("\"");
}

static void answer(enum rf_status status, const struct rf_error *err) {
    print_text("status", rf_status_text(status), strlen(rf_status_text(status)));
    if (status) {
        printf(", ");
        print_text("text", err->text, strlen(err->text));
    }
}

// name=value of all words from `first` on.
static struct rf_pairs pairs_of(struct words *words, size_t first) {
    static struct rf_pair list[WORDS_MAX];
    struct rf_pairs pairs = {.list = list};
    for (size_t i = first; i < words->count; i++) {
        char *equals = strchr(words->list[i], '=');
        if (equals) {
            *equals = '\0';
            list[pairs.count++] = (struct rf_pair){.name = words->list[i], .value = equals + 1};
        }
    }
    return pairs;
}

// source START TOPIC NAME=VALUE...
static void do_source(struct words *words) {
    struct rf_error err;
    struct rf_texts topics = {.list = &words->list[2], .count = 1};
    struct rf_pairs properties = pairs_of(words, 3);
    struct rf_source_group_options options = {
            .properties = &properties,
            .topics = &topics,
            .start = strcmp(words->list[1], "latest") == 0 ? RF_START_LATEST : RF_START_EARLIEST,
    };
    rf_positions_init(&positions);
    answer(rf_source_group_create(&options, &source, &err), &err);
}

static void print_records(const struct rf_records *records) {
    printf(", \"records\": [");
    for (size_t i = 0; i < records->count; i++) {
        const struct rf_record *record = &records->list[i];
        struct rf_position *position = &positions.list[record->partition];
        printf("%s{\"partition\": %d, \"offset\": %lld, ", i ? ", " : "", (int)position->partition, (long long)record->offset);
        print_text("value", record->value.data, record->value.size);
        printf("}");
        position->next_offset = record->offset + 1;
    }
    printf("]");
}

static void print_partitions(const struct rf_positions *partitions) {
    printf(", \"partitions\": [");
    for (size_t i = 0; i < partitions->count; i++) {
        size_t index;
        if (rf_positions_add(&positions, partitions->list[i].topic, partitions->list[i].partition, &index)) {
            exit(1);
        }
        printf("%s%d", i ? ", " : "", (int)partitions->list[i].partition);
    }
    printf("]");
}

// poll MS
static void do_poll(struct words *words) {
    static const char *const names[] = {"records", "idle", "assigned", "revoked", "lost", "end"};
    static struct rf_record list[LOAN_CAPACITY];
    static void *loans[LOAN_CAPACITY];
    struct rf_records records = {.list = list, .loans = loans, .capacity = LOAN_CAPACITY};
    struct rf_poll want = {.records_max = LOAN_CAPACITY, .bytes_max = 1 << 30, .timeout_ms = atoi(words->list[1])};
    enum rf_source_event event;
    const struct rf_positions *partitions;
    struct rf_error err;
    enum rf_status status = rf_source_poll(source, &want, &records, &event, &partitions, &err);
    answer(status, &err);
    printf(", \"is_temporary\": %s", source->is_temporary ? "true" : "false");
    if (status) {
        return;
    }
    printf(", \"event\": \"%s\"", names[event]);
    if (event == RF_SOURCE_RECORDS) {
        print_records(&records);
    } else if (event == RF_SOURCE_ASSIGNED || event == RF_SOURCE_REVOKED || event == RF_SOURCE_LOST) {
        print_partitions(partitions);
    }
    rf_source_release(source, &records);
}

static void print_positions(void) {
    printf(", \"positions\": {");
    for (size_t i = 0; i < positions.count; i++) {
        printf("%s\"%d\": %lld", i ? ", " : "", (int)positions.list[i].partition, (long long)positions.list[i].next_offset);
    }
    printf("}");
}

static void do_assign(struct words *words) {
    (void)words;
    struct rf_error err;
    answer(rf_source_assign(source, &positions, &err), &err);
    print_positions();
}

static void do_unassign(struct words *words) {
    (void)words;
    rf_source_unassign(source);
    answer(RF_OK, NULL);
}

// set TOPIC PARTITION OFFSET [FINGERPRINT]
static void do_set(struct words *words) {
    size_t index;
    if (rf_positions_add(&positions, words->list[1], atoi(words->list[2]), &index)) {
        exit(1);
    }
    positions.list[index].next_offset = atoll(words->list[3]);
    positions.list[index].fingerprint = words->count > 4 ? strtoull(words->list[4], NULL, 10) : 0;
    answer(RF_OK, NULL);
}

static void do_committed(struct words *words) {
    (void)words;
    struct rf_error err;
    char note[256];
    struct rf_positions asked;
    rf_positions_init(&asked);
    enum rf_status status = rf_positions_copy(&asked, &positions);
    if (!status) {
        status = rf_source_committed(source, &asked, note, sizeof note, &err);
    }
    answer(status, &err);
    if (!status) {
        printf(", ");
        print_text("note", note, strlen(note));
        printf(", \"positions\": {");
        for (size_t i = 0; i < asked.count; i++) {
            printf("%s\"%d\": %lld", i ? ", " : "", (int)asked.list[i].partition, (long long)asked.list[i].next_offset);
        }
        printf("}");
    }
    rf_positions_finish(&asked);
}

static void do_look(struct words *words) {
    (void)words;
    struct rf_error err;
    struct rf_holding holdings[WORDS_MAX];
    enum rf_status status = rf_source_look(source, &positions, holdings, &err);
    answer(status, &err);
    printf(", \"holdings\": {");
    for (size_t i = 0; i < positions.count && !status; i++) {
        printf("%s\"%d\": [%lld, %lld, %s]", i ? ", " : "", (int)positions.list[i].partition, (long long)holdings[i].first,
               (long long)holdings[i].end, holdings[i].has_last ? "true" : "false");
    }
    printf("}");
}

static void do_ends(struct words *words) {
    (void)words;
    int64_t end[WORDS_MAX];
    rf_source_ends(source, end);
    answer(RF_OK, NULL);
    printf(", \"ends\": {");
    for (size_t i = 0; i < source->partitions_assigned; i++) {
        printf("%s\"%d\": %lld", i ? ", " : "", (int)positions.list[i].partition, (long long)end[i]);
    }
    printf("}");
}

// group: asks for the metadata, which send then uses.
static void do_group(struct words *words) {
    (void)words;
    struct rf_error err;
    uint8_t *bytes;
    size_t size;
    enum rf_status status = rf_source_group(source, &bytes, &size, &err);
    if (!status) {
        free(group);
        group = bytes;
        group_size = size;
    }
    answer(status, &err);
}

static void do_destroy(struct words *words) {
    (void)words;
    rf_source_destroy(source);
    source = NULL;
    rf_positions_finish(&positions);
    answer(RF_OK, NULL);
}

// transaction ID TIMEOUT_MS NAME=VALUE...
static void do_transaction(struct words *words) {
    struct rf_error err;
    struct rf_pairs properties = pairs_of(words, 3);
    struct rf_transaction_kafka_options options = {
            .properties = &properties,
            .id = words->list[1],
            .timeout_ms = atoi(words->list[2]),
    };
    answer(rf_transaction_kafka_create(&options, &transaction, &err), &err);
}

// open MS
static void do_open(struct words *words) {
    struct rf_error err;
    answer(rf_transaction_open(transaction, atoi(words->list[1]), &err), &err);
}

static void print_outcome(enum rf_outcome outcome) {
    static const char *const names[] = {"open", "committed", "aborted", "fenced", "unknown"};
    printf(", \"outcome\": \"%s\"", names[outcome]);
}

// Good until the next.
static char *noise(size_t size) {
    static char *bytes;
    free(bytes);
    bytes = malloc(size);
    uint64_t state = 1;
    for (size_t i = 0; bytes && i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(state >> 56);
    }
    return bytes;
}

// send MS NOTE TOPIC=VALUE... @TOPIC:PARTITION:OFFSET...; a VALUE *N is N bytes that no codec makes smaller
static void do_send(struct words *words) {
    static struct rf_transaction_record records[WORDS_MAX];
    struct rf_positions offsets;
    struct rf_transaction_contents contents = {
            .records = records, .offsets = &offsets, .note = words->list[2], .group = group, .group_size = group_size};
    rf_positions_init(&offsets);
    for (size_t i = 3; i < words->count; i++) {
        char *word = words->list[i], *equals = strchr(word, '=');
        if (word[0] == '@') {
            char *partition = strchr(word, ':'), *offset = strrchr(word, ':');
            size_t index;
            *partition = '\0';
            if (rf_positions_add(&offsets, word + 1, atoi(partition + 1), &index)) {
                exit(1);
            }
            offsets.list[index].next_offset = atoll(offset + 1);
        } else if (equals) {
            *equals = '\0';
            struct rf_text value = {equals + 1, strlen(equals + 1)};
            if (equals[1] == '*') {
                value.size = strtoull(equals + 2, NULL, 10);
                value.data = noise(value.size);
            }
            records[contents.count++] = (struct rf_transaction_record){.topic = word, .value = value};
        }
    }
    struct rf_error err;
    enum rf_outcome outcome;
    answer(rf_transaction_send(transaction, &contents, atoi(words->list[1]), &outcome, &err), &err);
    print_outcome(outcome);
    rf_positions_finish(&offsets);
}

// commit MS
static void do_commit(struct words *words) {
    struct rf_error err;
    enum rf_outcome outcome;
    answer(rf_transaction_commit(transaction, atoi(words->list[1]), &outcome, &err), &err);
    print_outcome(outcome);
}

// abort MS
static void do_abort(struct words *words) {
    struct rf_error err;
    enum rf_outcome outcome;
    answer(rf_transaction_abort(transaction, atoi(words->list[1]), &outcome, &err), &err);
    print_outcome(outcome);
}

static void do_drop(struct words *words) {
    (void)words;
    rf_transaction_destroy(transaction);
    transaction = NULL;
    answer(RF_OK, NULL);
}

// ensure NAME REPLICATION MESSAGE_BYTES NAME=VALUE...
static void do_ensure(struct words *words) {
    struct rf_error err;
    struct rf_pairs properties = pairs_of(words, 4);
    struct rf_topic_options options = {.properties = &properties,
                                       .name = words->list[1],
                                       .replication = atoi(words->list[2]),
                                       .message_bytes_max = atoll(words->list[3])};
    answer(rf_topic_ensure_log(&options, PATIENCE_MS, &err), &err);
}

// forget NAME OFFSET NAME=VALUE...
static void do_forget(struct words *words) {
    struct rf_error err;
    struct rf_pairs properties = pairs_of(words, 3);
    struct rf_topic_options options = {.properties = &properties, .name = words->list[1]};
    answer(rf_topic_forget(&options, atoll(words->list[2]), PATIENCE_MS, &err), &err);
}

static const struct {
    const char *name;
    size_t words_min;
    void (*run)(struct words *words);
} commands[] = {
        {"source", 3, do_source},
        {"poll", 2, do_poll},
        {"assign", 1, do_assign},
        {"unassign", 1, do_unassign},
        {"set", 4, do_set},
        {"committed", 1, do_committed},
        {"look", 1, do_look},
        {"ends", 1, do_ends},
        {"group", 1, do_group},
        {"destroy", 1, do_destroy},
        {"transaction", 3, do_transaction},
        {"open", 2, do_open},
        {"send", 3, do_send},
        {"commit", 2, do_commit},
        {"abort", 2, do_abort},
        {"drop", 1, do_drop},
        {"ensure", 4, do_ensure},
        {"forget", 3, do_forget},
};

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void run(struct words *words) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(words->list[0], commands[i].name) == 0 && words->count >= commands[i].words_min) {
            double began_ms = now_ms();
            printf("{");
            commands[i].run(words);
            printf(", \"ms\": %.1f}\n", now_ms() - began_ms);
            return;
        }
    }
    printf("{\"status\": \"no such command\"}\n");
}

int main(void) {
    static char line[1 << 16];
    while (fgets(line, sizeof line, stdin)) {
        struct words words = {.count = 0};
        char *rest = NULL;
        for (char *word = strtok_r(line, " \n", &rest); word && words.count < WORDS_MAX; word = strtok_r(NULL, " \n", &rest)) {
            words.list[words.count++] = word;
        }
        if (words.count > 0) {
            run(&words);
            fflush(stdout);
        }
    }
    rf_source_destroy(source);
    rf_transaction_destroy(transaction);
    free(group);
    return 0;
}
