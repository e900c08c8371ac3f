// Merging against learning everything in one place, and by closed forms.
#include "proto/random.h"
#include "proto/state_merge.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS = 4, ROOM = 4, TRIANGLE = ROOM * (ROOM + 1) / 2, KEYED_ROWS = 2 * ROOM };

// A worker's state, with every rule in it.
struct model {
    struct rf_state state;
    struct plain {
        double sum;
        uint64_t count;
        int64_t most;
        float most_float, mean, total;
        double decayed;
        uint64_t derived;
    } plain[3];
    struct keyed {
        uint64_t key, count;
        double mean, scatter;
    } keyed[KEYED_ROWS];
    uint64_t keyed_used;
    struct place {
        uint64_t key, place;
    } place[KEYED_ROWS];
    uint64_t place_used;
    struct matrix {
        double count[ROOM], mean[ROOM], scatter[TRIANGLE];
    } matrix[2];
};

static const struct rf_column plain_columns[] = {
        {"sum", RF_F64, offsetof(struct plain, sum), 1, RF_MERGE_SUM},
        {"count", RF_U64, offsetof(struct plain, count), 1, RF_MERGE_SUM},
        {"most", RF_I64, offsetof(struct plain, most), 1, RF_MERGE_MAX},
        {"most_float", RF_F32, offsetof(struct plain, most_float), 1, RF_MERGE_MAX},
        {"mean", RF_F32, offsetof(struct plain, mean), 1, RF_MERGE_MEAN},
        {"total", RF_F32, offsetof(struct plain, total), 1, RF_MERGE_SUM},
        {"pad", RF_U32, offsetof(struct plain, total) + 4, 1, RF_MERGE_SUM},
        {"decayed", RF_F64, offsetof(struct plain, decayed), 1, RF_MERGE_DECAYED},
        {"derived", RF_U64, offsetof(struct plain, derived), 1, RF_MERGE_DERIVED},
};
static const struct rf_column keyed_columns[] = {
        {"key", RF_U64, offsetof(struct keyed, key), 1, RF_MERGE_KEY},
        {"count", RF_U64, offsetof(struct keyed, count), 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, offsetof(struct keyed, mean), 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct keyed, scatter), 1, RF_MERGE_MOMENTS},
};
static const struct rf_column place_columns[] = {
        {"key", RF_U64, offsetof(struct place, key), 1, RF_MERGE_KEY},
        {"place", RF_U64, offsetof(struct place, place), 1, RF_MERGE_PLACE},
};
static const struct rf_column used_columns[] = {{"used", RF_U64, 0, 1, RF_MERGE_USED}};
static const struct rf_column matrix_columns[] = {
        {"count", RF_F64, offsetof(struct matrix, count), ROOM, RF_MERGE_MOMENTS},
        {"mean", RF_F64, offsetof(struct matrix, mean), ROOM, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct matrix, scatter), TRIANGLE, RF_MERGE_MOMENTS},
};

static struct rf_block *add(struct model *model, const char *name, size_t rows, size_t row_size, const struct rf_column *columns,
                            size_t count, void *data) {
    return rf_state_add(&model->state, &(struct rf_block){.name = name,
                                                          .rows = rows,
                                                          .row_size = row_size,
                                                          .columns = columns,
                                                          .column_count = count,
                                                          .data = data,
                                                          .is_touched = true});
}

#define ADD(model, name, field, columns)                                                               \
    add(model, name, sizeof(model)->field / sizeof(model)->field[0], sizeof(model)->field[0], columns, \
        sizeof(columns) / sizeof(columns)[0], (model)->field)

static void model_create(struct model *model, const struct model *copied) {
    memset(model, 0, sizeof *model);
    if (copied) {
        *model = *copied;
    }
    rf_state_init(&model->state);
    ADD(model, "plain", plain, plain_columns);
    ADD(model, "keyed", keyed, keyed_columns);
    add(model, "keyed_used", 1, 8, used_columns, 1, &model->keyed_used);
    ADD(model, "place", place, place_columns);
    add(model, "place_used", 1, 8, used_columns, 1, &model->place_used);
    ADD(model, "matrix", matrix, matrix_columns)->places = "place";
}

static void model_finish(struct model *model) {
    rf_state_finish(&model->state);
}

static size_t row_of(const struct model *model, uint64_t key) {
    size_t row = rf_key_home(key, 3);
    while (model->keyed[row].count > 0 && model->keyed[row].key != key) {
        row = (row + 1) % KEYED_ROWS;
    }
    return row;
}

static size_t place_row_of(const struct model *model, uint64_t key) {
    size_t row = rf_key_home(key, 3);
    while (model->place[row].place > 0 && model->place[row].key != key) {
        row = (row + 1) % KEYED_ROWS;
    }
    return row;
}

static void learn_keyed(struct model *model, uint64_t key, double x) {
    struct keyed *keyed = &model->keyed[row_of(model, key)];
    if (keyed->count == 0 && model->keyed_used++ >= ROOM) {
        fail_msg("no room for key %llu", (unsigned long long)key);
    }
    keyed->key = key;
    double before = x - keyed->mean;
    keyed->mean += before / (double)++keyed->count;
    keyed->scatter += before * (x - keyed->mean);
}

// A record of all fields, in the order given by `first`: places are given as they are met.
static void learn_matrix(struct model *model, size_t row, size_t first, const double x[FIELDS]) {
    size_t place[FIELDS];
    double u[ROOM];
    struct matrix *matrix = &model->matrix[row];
    for (size_t n = 0; n < FIELDS; n++) {
        size_t field = (first + n) % FIELDS;
        struct place *found = &model->place[place_row_of(model, 100 + field)];
        if (found->place == 0) {
            *found = (struct place){100 + field, ++model->place_used};
        }
        place[field] = (size_t)found->place - 1;
    }
    for (size_t field = 0; field < FIELDS; field++) {
        size_t i = place[field];
        double n = matrix->count[i]++;
        u[i] = sqrt(n / (n + 1)) * (x[field] - matrix->mean[i]);
        matrix->mean[i] += (x[field] - matrix->mean[i]) / (n + 1);
    }
    for (size_t i = 0; i < ROOM; i++) {
        for (size_t j = 0; j <= i; j++) {
            matrix->scatter[i * (i + 1) / 2 + j] += u[i] * u[j];
        }
    }
}

static void learn(struct model *model, struct rf_random *random, size_t records, size_t first) {
    for (size_t n = 0; n < records; n++) {
        double x[FIELDS], common = rf_random_normal(random);
        for (size_t field = 0; field < FIELDS; field++) {
            x[field] = 5 * (double)field + common + rf_random_normal(random) * (1 + (double)field);
            learn_keyed(model, 7 + ((field + first) % FIELDS), x[(field + first) % FIELDS > field ? field : 0]);
        }
        learn_matrix(model, n % 2, first, x);
        model->plain[n % 3].sum += (double)(n % 5) + 0.5;
        model->plain[n % 3].count += n;
    }
}

static void assert_close(double a, double b) {
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b)))) {
        fail_msg("%.17g is not %.17g", a, b);
    }
}

static void assert_same_knowledge(const struct model *a, const struct model *b) {
    assert_memory_equal(a->plain, b->plain, sizeof a->plain);
    assert_int_equal(a->keyed_used, b->keyed_used);
    assert_int_equal(a->place_used, b->place_used);
    for (uint64_t key = 7; key < 7 + FIELDS; key++) {
        const struct keyed *x = &a->keyed[row_of(a, key)], *y = &b->keyed[row_of(b, key)];
        assert_int_equal(x->count, y->count);
        assert_close(x->mean, y->mean);
        assert_close(x->scatter / (double)x->count, y->scatter / (double)y->count);
    }
    for (uint64_t f = 0; f < FIELDS; f++) {
        size_t i = (size_t)a->place[place_row_of(a, 100 + f)].place - 1, k = (size_t)b->place[place_row_of(b, 100 + f)].place - 1;
        for (size_t row = 0; row < 2; row++) {
            const struct matrix *x = &a->matrix[row], *y = &b->matrix[row];
            assert_true(x->count[i] == y->count[k]);
            assert_close(x->mean[i], y->mean[k]);
            for (uint64_t g = 0; g <= FIELDS - 1; g++) {
                size_t j = (size_t)a->place[place_row_of(a, 100 + g)].place - 1;
                size_t l = (size_t)b->place[place_row_of(b, 100 + g)].place - 1;
                size_t ij = i > j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
                size_t kl = k > l ? k * (k + 1) / 2 + l : l * (l + 1) / 2 + k;
                assert_close(x->scatter[ij] / x->count[i], y->scatter[kl] / y->count[k]);
            }
        }
    }
}

static void merge(const struct model *base, const struct model *theirs, struct model *ours) {
    struct rf_error err;
    if (rf_state_merge(&base->state, &theirs->state, &ours->state, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
}

// One stream, cut into what the base, ours and theirs learn; the two meet the fields in different orders.
static void check_split(size_t base_records, size_t our_records, size_t their_records, uint64_t seed) {
    struct model whole, base, ours, theirs;
    struct rf_random random, again;
    rf_random_init(&random, seed);
    rf_random_init(&again, seed);
    model_create(&base, NULL);
    learn(&base, &random, base_records, 0);
    model_create(&ours, &base);
    model_create(&theirs, &base);
    learn(&ours, &random, our_records, 1);
    learn(&theirs, &random, their_records, 3);
    model_create(&whole, NULL);
    learn(&whole, &again, base_records, 0);
    learn(&whole, &again, our_records, 1);
    learn(&whole, &again, their_records, 3);
    struct model twin;
    model_create(&twin, &ours);
    merge(&base, &theirs, &ours);
    merge(&base, &theirs, &twin);
    assert_same_knowledge(&ours, &whole);
    struct rf_error err;
    assert_int_equal(rf_state_compare(&ours.state, &twin.state, &err), RF_OK); // the same bytes
    model_finish(&twin);
    model_finish(&whole);
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

static void merged_moments_are_those_of_all_records(void **state) {
    (void)state;
    struct rf_random random;
    rf_random_init(&random, 17);
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t base = (size_t)rf_random_below(&random, seed % 2 ? 200 : 3);
        check_split(base, 1 + (size_t)rf_random_below(&random, 300), 2 + (size_t)rf_random_below(&random, 300), seed);
    }
}

static void each_rule_gives_what_is_documented(void **state) {
    (void)state;
    struct model base, ours, theirs;
    model_create(&base, NULL);
    base.plain[1] = (struct plain){1.5, 10, -5, -2, 4, 1, 8, 3};
    model_create(&ours, &base);
    model_create(&theirs, &base);
    ours.plain[1] = (struct plain){2.5, UINT64_MAX, -4, -3, 6, 1.5F, 4, 33};
    theirs.plain[1] = (struct plain){4.5, 14, -6, 0.5F, 5, 0.5F, 7, 333};
    merge(&base, &theirs, &ours);
    assert_true(ours.plain[1].sum == 5.5);
    assert_int_equal(ours.plain[1].count, 3); // modulo 2^64
    assert_int_equal(ours.plain[1].most, -4);
    assert_true(ours.plain[1].most_float == 0.5F);
    assert_true(ours.plain[1].mean == 5.5F);
    assert_true(ours.plain[1].total == 1.0F);
    assert_true(ours.plain[1].decayed == 3);
    assert_int_equal(ours.plain[1].derived, 0);
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

static void sums_stay_finite(void **state) {
    (void)state;
    struct model base, ours, theirs;
    model_create(&base, NULL);
    model_create(&ours, NULL);
    model_create(&theirs, NULL);
    base.plain[0].sum = -DBL_MAX;
    ours.plain[0] = (struct plain){.sum = DBL_MAX, .total = FLT_MAX};
    theirs.plain[0] = (struct plain){.sum = DBL_MAX, .total = FLT_MAX};
    merge(&base, &theirs, &ours);
    assert_true(ours.plain[0].sum == DBL_MAX);
    assert_true(ours.plain[0].total == FLT_MAX);
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

static void one_side_that_learned_nothing_changes_no_byte(void **state) {
    (void)state;
    struct model base, ours, theirs;
    struct rf_random random;
    struct rf_error err;
    rf_random_init(&random, 5);
    model_create(&base, NULL);
    learn(&base, &random, 20, 0);
    base.plain[0].derived = 77;
    model_create(&ours, &base);
    model_create(&theirs, &base);
    learn(&theirs, &random, 10, 2);
    merge(&base, &theirs, &ours);
    assert_int_equal(rf_state_compare(&ours.state, &theirs.state, &err), RF_OK);
    merge(&base, &base, &ours);
    assert_int_equal(rf_state_compare(&ours.state, &theirs.state, &err), RF_OK);
    assert_int_equal(ours.plain[0].derived, 77);
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

static void keys_beyond_the_room_are_left_out(void **state) {
    (void)state;
    struct model base, ours, theirs;
    model_create(&base, NULL);
    model_create(&ours, NULL);
    model_create(&theirs, NULL);
    for (uint64_t key = 1; key <= 3; key++) {
        learn_keyed(&ours, key, (double)key);
        learn_keyed(&theirs, key + 2, (double)key);
    }
    merge(&base, &theirs, &ours);
    assert_int_equal(ours.keyed_used, ROOM); // 1, 2, 3 and one of 4 and 5
    for (uint64_t key = 1; key <= 3; key++) {
        assert_int_equal(ours.keyed[row_of(&ours, key)].count, key == 3 ? 2 : 1);
    }
    assert_true(ours.keyed[row_of(&ours, 3)].mean == 2);
    assert_close(ours.keyed[row_of(&ours, 3)].scatter, 2);
    assert_int_equal(ours.keyed[row_of(&ours, 4)].count + ours.keyed[row_of(&ours, 5)].count, 1);
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

static void refuse_columns(const struct rf_column *columns, size_t count, size_t rows, size_t row_size, const char *sentence) {
    uint64_t data[3][12] = {{0}};
    struct rf_state states[3];
    for (size_t i = 0; i < 3; i++) {
        rf_state_init(&states[i]);
        rf_state_add(&states[i], &(struct rf_block){.name = "odd",
                                                    .rows = rows,
                                                    .row_size = row_size,
                                                    .columns = columns,
                                                    .column_count = count,
                                                    .data = data[i]});
    }
    data[1][0] = 1;
    data[2][0] = 2;
    struct rf_error err;
    assert_int_equal(rf_state_merge(&states[0], &states[1], &states[2], &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
    assert_int_equal(data[2][0], 2);
    for (size_t i = 0; i < 3; i++) {
        rf_state_finish(&states[i]);
    }
}

#define REFUSE(columns, rows, row_size, sentence) \
    refuse_columns(columns, sizeof(columns) / sizeof(columns)[0], rows, row_size, sentence)

static void what_has_no_rule_is_refused(void **state) {
    (void)state;
    static const struct rf_column none[] = {{"seed", RF_U64, 0, 1, RF_MERGE_NONE}};
    REFUSE(none, 2, 8, "block odd: column seed has no rule for merging");
    static const struct rf_column mean[] = {{"x", RF_U64, 0, 1, RF_MERGE_MEAN}};
    REFUSE(mean, 2, 8, "block odd: column x is of integers, must be of floats to be averaged");
    static const struct rf_column moments[] = {{"mean", RF_F64, 0, 2, RF_MERGE_MOMENTS},
                                               {"scatter", RF_F64, 16, 2, RF_MERGE_MOMENTS}};
    REFUSE(moments, 2, 32, "block odd: column mean is not the first of count, mean and scatter");
    static const struct rf_column uneven[] = {{"count", RF_U64, 0, 1, RF_MERGE_MOMENTS},
                                              {"mean", RF_F64, 8, 3, RF_MERGE_MOMENTS},
                                              {"scatter", RF_F64, 32, 4, RF_MERGE_MOMENTS}};
    REFUSE(uneven, 1, 64, "block odd: column count is not the first of count, mean and scatter");
    static const struct rf_column key[] = {{"key", RF_U64, 0, 1, RF_MERGE_KEY}};
    REFUSE(key, 3, 8, "block odd: column key is no key, must be a u64 in front of 2^n rows");
    static const struct rf_column place[] = {{"place", RF_U64, 0, 1, RF_MERGE_PLACE}};
    REFUSE(place, 4, 8, "block odd: column place is no place, must be a u64 beside a key");
    static const struct rf_column used[] = {{"used", RF_U64, 0, 1, RF_MERGE_USED}};
    REFUSE(used, 1, 8, "block odd: column used counts nothing, must be a u64 in one row behind another block");
}

static void states_of_other_shapes_are_refused(void **state) {
    (void)state;
    struct model base, ours;
    struct rf_state nothing;
    struct rf_error err;
    model_create(&base, NULL);
    model_create(&ours, NULL);
    rf_state_init(&nothing);
    assert_int_equal(rf_state_merge(&base.state, &nothing, &ours.state, &err), RF_CONFLICT);
    assert_string_equal(err.text, "block plain is in ours, must be in theirs too");
    ours.state.list[5]->places = "keyed";
    assert_int_equal(rf_state_merge(&base.state, &base.state, &ours.state, &err), RF_INVALID);
    assert_string_equal(err.text, "block matrix has its places in block keyed, must be in a keyed one listed before");
    model_finish(&base);
    model_finish(&ours);
}

static void keyed_blocks_that_are_none_are_refused(void **state) {
    (void)state;
    struct model base, ours, theirs;
    struct rf_error err;
    model_create(&base, NULL);
    model_create(&ours, NULL);
    model_create(&theirs, NULL);
    learn_keyed(&ours, 1, 1);
    learn_keyed(&theirs, 1, 1);
    size_t right = row_of(&theirs, 1), wrong = (right + 1) % KEYED_ROWS;
    theirs.keyed[wrong] = theirs.keyed[right];
    theirs.keyed[right] = (struct keyed){0};
    char sentence[128];
    snprintf(sentence, sizeof sentence, "block keyed of theirs has a key in row %zu, must be in row %zu", wrong, right);
    assert_int_equal(rf_state_merge(&base.state, &theirs.state, &ours.state, &err), RF_CORRUPT);
    assert_string_equal(err.text, sentence);
    for (size_t row = 0; row < KEYED_ROWS; row++) {
        theirs.keyed[row] = (struct keyed){row, 1, 0, 0};
    }
    assert_int_equal(rf_state_merge(&base.state, &theirs.state, &ours.state, &err), RF_CORRUPT);
    assert_string_equal(err.text, "block keyed of theirs has 8 of its 8 rows in use, must be at most half");
    model_finish(&base);
    model_finish(&ours);
    model_finish(&theirs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(merged_moments_are_those_of_all_records),
            cmocka_unit_test(each_rule_gives_what_is_documented),
            cmocka_unit_test(sums_stay_finite),
            cmocka_unit_test(one_side_that_learned_nothing_changes_no_byte),
            cmocka_unit_test(keys_beyond_the_room_are_left_out),
            cmocka_unit_test(what_has_no_rule_is_refused),
            cmocka_unit_test(states_of_other_shapes_are_refused),
            cmocka_unit_test(keyed_blocks_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
