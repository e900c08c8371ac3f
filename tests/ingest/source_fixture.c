#include "tests/ingest/source_fixture.h"

#include "tests/test.h"

#include <pthread.h>
#include <stdio.h>

void loan_init(struct loan *loan) {
    loan->records = (struct rf_records){.list = loan->list, .capacity = LOAN_CAPACITY, .loans = loan->loans};
}

struct rf_poll want_all(void) {
    return (struct rf_poll){.records_max = LOAN_CAPACITY, .bytes_max = 1 << 30, .timeout_ms = POLL_MS};
}

enum rf_source_event poll_source(struct rf_source *source, const struct rf_poll *want, struct loan *loan) {
    struct rf_error err = {0};
    enum rf_source_event event = RF_SOURCE_LOST;
    const struct rf_positions *partitions = NULL;
    if (rf_source_poll(source, want, &loan->records, &event, &partitions, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return event;
}

void expect_assigned(struct rf_source *source, struct rf_positions *positions) {
    static struct loan loan;
    loan_init(&loan);
    struct rf_error err = {0};
    enum rf_source_event event = RF_SOURCE_LOST;
    const struct rf_positions *partitions = NULL;
    struct rf_poll want = want_all();
    if (rf_source_poll(source, &want, &loan.records, &event, &partitions, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(event, RF_SOURCE_ASSIGNED);
    rf_positions_init(positions);
    assert_int_equal(rf_positions_copy(positions, partitions), RF_OK);
}

void assign_all(struct rf_source *source, struct rf_positions *positions) {
    struct rf_error err = {0};
    expect_assigned(source, positions);
    if (rf_source_assign(source, positions, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

size_t read_records(struct rf_source *source, const struct rf_poll *want, size_t count, char *text, size_t text_size) {
    static struct loan loan;
    loan_init(&loan);
    size_t seen = 0, used = 0;
    text[0] = '\0';
    for (int idle = 0; seen < count && idle < 100;) {
        enum rf_source_event event = poll_source(source, want, &loan);
        if (event == RF_SOURCE_END) {
            break;
        }
        idle = event == RF_SOURCE_IDLE ? idle + 1 : 0;
        for (size_t i = 0; i < loan.records.count; i++, seen++) {
            const struct rf_record *record = &loan.list[i];
            int size =
                    snprintf(text + used, text_size - used, "%u@%lld=%.*s ", record->partition, (long long)record->offset,
                             record->value.data ? (int)record->value.size : 4, record->value.data ? record->value.data : "null");
            used = used + (size_t)size < text_size ? used + (size_t)size : text_size - 1;
        }
        rf_source_release(source, &loan.records);
    }
    return seen;
}

struct giving_back {
    struct rf_source *source;
    struct loan *loan;
};

static void *give_back(void *context) {
    struct giving_back *giving_back = context;
    rf_source_release(giving_back->source, &giving_back->loan->records);
    return NULL;
}

void release_elsewhere(struct rf_source *source, struct loan *loan) {
    struct giving_back giving_back = {source, loan};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_back, &giving_back), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(loan->records.count, 0);
}
