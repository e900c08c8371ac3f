// Scalers and encoders of two workers, merged, against those of one that learned everything. Tables of keys: the two meet their
// fields in different orders.
#include "learners/encode.h"
#include "learners/scale.h"
#include "proto/random.h"
#include "proto/state_merge.h"
#include "tests/test.h"

#include <math.h>

enum { VALUES = 400, FIELDS = 6 };
enum { BASE, OURS, THEIRS, WHOLE, WORKERS };

static void merge(struct rf_state *states) {
    struct rf_error err;
    if (rf_state_merge(&states[BASE], &states[THEIRS], &states[OURS], &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

// Who learns value i of a stream, beside the whole; fields that only one side meets are among them.
static int worker_of(size_t i) {
    return i < 20 ? BASE : i < 150 ? OURS : THEIRS;
}

static uint64_t field_of(size_t i) {
    return worker_of(i) == BASE ? i % 2 : worker_of(i) == OURS ? i % 4 : 1 + (VALUES - i) % (FIELDS - 1);
}

static void learn_scaler(struct rf_scaler *scaler, size_t i) {
    struct rf_random random;
    double scaled;
    rf_random_init(&random, i);
    double value = 3 * (double)field_of(i) + rf_random_normal(&random);
    assert_true(rf_scaler_learn(scaler, field_of(i), value, false, &scaled));
}

static void check_scalers(enum rf_scale kind) {
    struct rf_scaler *scalers[WORKERS];
    struct rf_state states[WORKERS];
    struct rf_error err;
    for (int w = 0; w < WORKERS; w++) {
        const struct rf_scaler_options options = {.scale = kind, .fields_max = 8};
        assert_int_equal(rf_scaler_create(&options, &scalers[w], &err), RF_OK);
        rf_state_init(&states[w]);
        rf_scaler_state(scalers[w], "fields", "size", &states[w]);
        for (size_t i = 0; i < VALUES; i++) {
            if (w == WHOLE || worker_of(i) == BASE || worker_of(i) == w) {
                learn_scaler(scalers[w], i);
            }
        }
    }
    merge(states);
    assert_int_equal(rf_scaler_check(scalers[OURS], &err), RF_OK);
    for (uint64_t field = 0; field < FIELDS; field++) {
        double ours = rf_scaler_scale(scalers[OURS], field, 1.5, false),
               whole = rf_scaler_scale(scalers[WHOLE], field, 1.5, false);
        assert_true(fabs(ours - whole) <= 1e-12 * fmax(1, fabs(whole)));
    }
    for (int w = 0; w < WORKERS; w++) {
        rf_state_finish(&states[w]);
        rf_scaler_destroy(scalers[w]);
    }
}

static void merged_scalers_scale_as_one(void **state) {
    (void)state;
    check_scalers(RF_SCALE_STANDARD);
    check_scalers(RF_SCALE_MIN_MAX);
    check_scalers(RF_SCALE_MAX_ABS);
}

static void merged_encoders_encode_as_one(void **state) {
    (void)state;
    struct rf_encoder *encoders[WORKERS];
    struct rf_state states[WORKERS];
    struct rf_error err;
    for (int w = 0; w < WORKERS; w++) {
        const struct rf_encoder_options options = {RF_TASK_BINARY, 8, 10};
        assert_int_equal(rf_encoder_create(&options, &encoders[w], &err), RF_OK);
        rf_state_init(&states[w]);
        rf_encoder_state(encoders[w], "categories", "total", &states[w]);
        for (size_t i = 0; i < VALUES; i++) {
            if (w == WHOLE || worker_of(i) == BASE || worker_of(i) == w) {
                double label = i % 3 == 0;
                rf_encoder_learn_total(encoders[w], label, 1);
                assert_true(rf_encoder_learn(encoders[w], field_of(i), label, 1));
            }
        }
    }
    merge(states);
    assert_int_equal(rf_encoder_check(encoders[OURS], &err), RF_OK);
    for (uint64_t category = 0; category < FIELDS; category++) { // counts: exactly
        assert_true(rf_encoder_encode(encoders[OURS], category) == rf_encoder_encode(encoders[WHOLE], category));
    }
    for (int w = 0; w < WORKERS; w++) {
        rf_state_finish(&states[w]);
        rf_encoder_destroy(encoders[w]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(merged_scalers_scale_as_one),
            cmocka_unit_test(merged_encoders_encode_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
