#include "ops/ring.h"
#include "tests/test.h"

#include <pthread.h>

// A ring carries pointers and never looks behind them.
static struct rf_batch *batch_number(uintptr_t number) {
    return (struct rf_batch *)number;
}

static void ring_gives_back_in_order(void **state) {
    (void)state;
    struct rf_ring *ring;
    struct rf_error err;
    struct rf_batch *batch;
    assert_int_equal(rf_ring_create(2, &ring, &err), RF_OK);
    assert_int_equal(rf_ring_take(ring, &batch, 0), RF_AGAIN);
    for (uintptr_t round = 1; round < 10; round += 2) {
        assert_int_equal(rf_ring_give(ring, batch_number(round), 0), RF_OK);
        assert_int_equal(rf_ring_give(ring, batch_number(round + 1), 0), RF_OK);
        assert_int_equal(rf_ring_give(ring, batch_number(99), 0), RF_AGAIN);
        assert_int_equal(rf_ring_count(ring), 2);
        assert_int_equal(rf_ring_take(ring, &batch, 0), RF_OK);
        assert_ptr_equal(batch, batch_number(round));
        assert_int_equal(rf_ring_take(ring, &batch, 0), RF_OK);
        assert_ptr_equal(batch, batch_number(round + 1));
    }
    rf_ring_destroy(ring);
}

static void ring_that_is_closed_gives_what_is_inside_and_takes_nothing(void **state) {
    (void)state;
    struct rf_ring *ring;
    struct rf_error err;
    struct rf_batch *batch;
    assert_int_equal(rf_ring_create(4, &ring, &err), RF_OK);
    assert_int_equal(rf_ring_give(ring, batch_number(1), 0), RF_OK);
    rf_ring_close(ring);
    assert_int_equal(rf_ring_give(ring, batch_number(2), 0), RF_END);
    assert_int_equal(rf_ring_take(ring, &batch, 0), RF_OK);
    assert_int_equal(rf_ring_take(ring, &batch, 1000), RF_END);
    rf_ring_destroy(ring);
}

enum { CROSSINGS = 100000 };

static void *give_all(void *context) {
    for (uintptr_t i = 1; i <= CROSSINGS; i++) {
        while (rf_ring_give(context, batch_number(i), 1000) == RF_AGAIN) {
        }
    }
    rf_ring_close(context);
    return NULL;
}

static void ring_loses_and_repeats_nothing_between_threads(void **state) {
    (void)state;
    struct rf_ring *ring;
    struct rf_error err;
    struct rf_batch *batch;
    pthread_t thread;
    assert_int_equal(rf_ring_create(3, &ring, &err), RF_OK);
    assert_int_equal(pthread_create(&thread, NULL, give_all, ring), 0);
    uintptr_t expected = 1;
    enum rf_status status;
    while ((status = rf_ring_take(ring, &batch, 1000)) != RF_END) {
        if (status == RF_OK) {
            assert_ptr_equal(batch, batch_number(expected));
            expected++;
        }
    }
    assert_int_equal(expected, CROSSINGS + 1);
    pthread_join(thread, NULL);
    rf_ring_destroy(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(ring_gives_back_in_order),
            cmocka_unit_test(ring_that_is_closed_gives_what_is_inside_and_takes_nothing),
            cmocka_unit_test(ring_loses_and_repeats_nothing_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
