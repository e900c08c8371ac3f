// The simulated parts are checked, not believed: a script gives the same bytes on them and on the real ones.
#include "ingest/broker.h"
#include "sinks/producer.h"
#include "tests/simulation/life.h"

#include <stdio.h>
#include <stdlib.h>

static void produce_to_broker(struct simulated_kafka *kafka, const char *bootstrap) {
    char name[] = "bootstrap.servers", value[256];
    snprintf(value, sizeof value, "%s", bootstrap);
    struct rf_pair pair = {.name = name, .value = value};
    const struct rf_pairs properties = {&pair, 1};
    struct rf_producer *producer;
    struct rf_error err;
    assert_int_equal(rf_producer_create(&properties, &producer, &err), RF_OK);
    struct rf_source *source = simulated_kafka_source(kafka, NULL, true);
    struct rf_positions positions;
    rf_positions_init(&positions);
    size_t index;
    assert_int_equal(rf_positions_add(&positions, "cards", 0, &index), RF_OK);
    positions.list[0].next_offset = RF_OFFSET_NONE;
    struct rf_record records[64];
    void *loans[64];
    struct rf_records loan = {.list = records, .capacity = 64, .loans = loans};
    const struct rf_poll want = {.records_max = 64, .bytes_max = SIZE_MAX};
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    assert_int_equal(rf_source_poll(source, &want, &loan, &event, &partitions, &err), RF_OK);
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    while (event != RF_SOURCE_END) {
        loan.count = 0;
        assert_int_equal(rf_source_poll(source, &want, &loan, &event, &partitions, &err), RF_OK);
        for (size_t i = 0; i < loan.count; i++) {
            assert_int_equal(
                    rf_producer_send(producer, "cards", 0, records[i].key, records[i].value, records[i].timestamp_ms, &err),
                    RF_OK);
        }
    }
    assert_int_equal(rf_producer_settle(producer, 30000, &err), RF_OK);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    rf_producer_destroy(producer);
}

static void a_script_gives_the_same_bytes_simulated_and_real(void **state) {
    (void)state;
    struct world simulated, real;
    const uint64_t deaths[] = {800, 2500, 2600};
    uint8_t expected[RF_SHA256_SIZE], found[RF_SHA256_SIZE];
    open_simulated(&simulated, 1, 5);
    run_script(&simulated, deaths, 3, expected);

    struct rf_broker *broker;
    struct rf_error err;
    assert_int_equal(rf_broker_create(&broker, &err), RF_OK);
    assert_int_equal(rf_broker_add_topic(broker, "cards", 1, &err), RF_OK);
    produce_to_broker(simulated.kafka, rf_broker_bootstrap(broker));
    real = (struct world){.bootstrap = rf_broker_bootstrap(broker), .folder = "/tmp/riffle-simulation-XXXXXX"};
    real.clock = simulated.clock;
    real.produced = simulated.produced;
    real.undecodable = simulated.undecodable;
    assert_non_null(mkdtemp(real.folder));
    run_script(&real, deaths, 3, found);
    assert_memory_equal(expected, found, sizeof expected);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", real.folder);
    assert_int_equal(system(command), 0);
    rf_broker_destroy(broker);
    close_simulated(&simulated);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_script_gives_the_same_bytes_simulated_and_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
