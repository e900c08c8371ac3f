#include "tests/simulation/cluster_client.h"

#include <stdio.h>
#include <string.h>

enum { PATIENCE = 100 };

void client_init(struct client *client, struct rf_source *source) {
    memset(client, 0, sizeof *client);
    client->source = source;
    client->records = (struct rf_records){.list = client->list, .capacity = POLL_RECORDS, .loans = client->loans};
    rf_positions_init(&client->positions);
}

void client_leave(struct client *client) {
    rf_source_destroy(client->source);
    rf_positions_finish(&client->positions);
    client->source = NULL;
}

void client_die(struct client *client) {
    simulated_cluster_kill(client->source);
    rf_positions_finish(&client->positions);
    client->source = NULL;
}

static void note_records(struct client *client) {
    for (size_t i = 0; i < client->records.count; i++) {
        const struct rf_record *record = &client->list[i];
        assert_in_range(client->seen_count, 0, SEEN_MAX - 1);
        client->seen[client->seen_count].partition = record->partition;
        client->seen[client->seen_count].offset = record->offset;
        snprintf(client->seen[client->seen_count].value, sizeof client->seen->value, "%.*s", (int)record->value.size,
                 record->value.data ? record->value.data : "");
        client->seen_count++;
        client->positions.list[record->partition].next_offset = record->offset + 1;
    }
}

enum rf_source_event client_poll(struct client *client) {
    struct rf_poll want = {.records_max = POLL_RECORDS, .bytes_max = 1 << 20};
    enum rf_source_event event = RF_SOURCE_IDLE;
    client->status = rf_source_poll(client->source, &want, &client->records, &event, &client->told, &client->err);
    if (client->status) {
        assert_true(client->err.text[0] != '\0');
        return RF_SOURCE_IDLE;
    }
    assert_int_equal(event == RF_SOURCE_RECORDS, client->records.count > 0);
    note_records(client);
    rf_source_release(client->source, &client->records);
    return event;
}

void client_await(struct client *client, enum rf_source_event event) {
    for (int i = 0; i < PATIENCE; i++) {
        enum rf_source_event came = client_poll(client);
        assert_int_equal(client->status, RF_OK);
        if (came == event) {
            return;
        }
        assert_true(came == RF_SOURCE_IDLE || came == RF_SOURCE_RECORDS);
    }
    fail_msg("event %d did not come", (int)event);
}

void client_assign(struct client *client) {
    for (size_t i = 0; i < client->told->count; i++) {
        size_t index;
        assert_int_equal(
                rf_positions_add(&client->positions, client->told->list[i].topic, client->told->list[i].partition, &index),
                RF_OK);
    }
    assert_int_equal(rf_source_assign(client->source, &client->positions, &client->err), RF_OK);
}

void client_read(struct client *client) {
    enum { IDLE_POLLS = 12 };
    for (int idle = 0; idle < IDLE_POLLS;) {
        enum rf_source_event event = client_poll(client);
        assert_int_equal(client->status, RF_OK);
        idle = event == RF_SOURCE_IDLE ? idle + 1 : 0;
        if (event == RF_SOURCE_ASSIGNED) {
            client_assign(client);
        } else if (event == RF_SOURCE_REVOKED || event == RF_SOURCE_LOST) {
            rf_source_unassign(client->source);
        } else if (event == RF_SOURCE_END) {
            return;
        }
    }
}

bool client_saw(const struct client *client, const char *value) {
    for (size_t i = 0; i < client->seen_count; i++) {
        if (strcmp(client->seen[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}
