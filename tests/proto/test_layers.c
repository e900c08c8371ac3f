// Workers that learn apart and fold one log of deltas, in any order of events.
#include "proto/layers.h"
#include "proto/random.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 200, KEYS = 8, KEYED_ROWS = 2 * KEYS, WORKERS = 4, LOG_MAX = 4096 };

struct cell {
    double sum;
    float most;
    uint32_t reserved;
    uint64_t derived; // sum's bits, as its owner makes it when it finds zero
};

struct keyed {
    uint64_t key, count;
    double mean, scatter;
};

struct model {
    struct rf_state state;
    struct cell cells[ROWS];
    uint64_t cells_used;
    struct {
        double total;
        uint64_t learned;
    } plain;
    struct keyed keyed[KEYED_ROWS];
    uint64_t keyed_used;
    uint64_t window[4];
    struct rf_block *cell_block;
};

static const struct rf_column cell_columns[] = {
        {"sum", RF_F64, offsetof(struct cell, sum), 1, RF_MERGE_SUM},
        {"most", RF_F32, offsetof(struct cell, most), 1, RF_MERGE_MAX},
        {"reserved", RF_U32, offsetof(struct cell, reserved), 1, RF_MERGE_MAX},
        {"derived", RF_U64, offsetof(struct cell, derived), 1, RF_MERGE_DERIVED},
};
static const struct rf_column plain_columns[] = {{"total", RF_F64, 0, 1, RF_MERGE_SUM}, {"learned", RF_U64, 8, 1, RF_MERGE_SUM}};
static const struct rf_column keyed_columns[] = {
        {"key", RF_U64, offsetof(struct keyed, key), 1, RF_MERGE_KEY},
        {"count", RF_U64, offsetof(struct keyed, count), 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, offsetof(struct keyed, mean), 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct keyed, scatter), 1, RF_MERGE_MOMENTS},
};
static const struct rf_column used_columns[] = {{"used", RF_U64, 0, 1, RF_MERGE_USED}};
static const struct rf_column window_columns[] = {{"last", RF_U64, 0, 1, RF_MERGE_DERIVED}};

static struct rf_block *add(struct model *model, const char *name, size_t rows, size_t row_size, const struct rf_column *columns,
                            size_t count, void *data) {
    return rf_state_add(
            &model->state,
            &(struct rf_block){
                    .name = name, .rows = rows, .row_size = row_size, .columns = columns, .column_count = count, .data = data});
}

static void model_init(struct model *model) {
    memset(model, 0, sizeof *model);
    rf_state_init(&model->state);
    model->cell_block = add(model, "cells", ROWS, sizeof(struct cell), cell_columns, 4, model->cells);
    model->cell_block->is_touched = true;
    add(model, "cells_used", 1, 8, used_columns, 1, &model->cells_used);
    add(model, "plain", 1, 16, plain_columns, 2, &model->plain);
    add(model, "keyed", KEYED_ROWS, sizeof(struct keyed), keyed_columns, 4, model->keyed);
    add(model, "keyed_used", 1, 8, used_columns, 1, &model->keyed_used);
    add(model, "window", 4, 8, window_columns, 1, model->window)->scope = RF_SCOPE_EVALUATION;
}

static void learn_keyed(struct model *model, uint64_t key, double x) {
    size_t row = rf_key_home(key, 4);
    while (model->keyed[row].count > 0 && model->keyed[row].key != key) {
        row = (row + 1) % KEYED_ROWS;
    }
    struct keyed *keyed = &model->keyed[row];
    model->keyed_used += keyed->count == 0;
    keyed->key = key;
    double before = x - keyed->mean;
    keyed->mean += before / (double)++keyed->count;
    keyed->scatter += before * (x - keyed->mean);
}

// Whole numbers, so that sums are exact in whatever order they are made.
static void learn(struct model *model, struct rf_random *random) {
    size_t row = rf_random_below(random, ROWS);
    double x = 1 + (double)rf_random_below(random, 9);
    rf_block_touch(model->cell_block, row);
    struct cell *cell = &model->cells[row];
    model->cells_used += cell->sum == 0;
    cell->sum += x;
    cell->most = cell->most < (float)x ? (float)x : cell->most;
    memcpy(&cell->derived, &cell->sum, sizeof cell->derived);
    model->plain.total += x;
    model->plain.learned++;
    learn_keyed(model, 1 + rf_random_below(random, KEYS), x);
    model->window[row % 4] = row;
}

struct worker {
    struct model model;
    struct rf_layers *layers;
    size_t read;               // of the log
    size_t sent;               // where its frozen delta stands in the log, + 1; 0: nowhere
    uint64_t learned, growing; // records that are or will be in the log, and those that are not frozen yet
    double total, total_growing;
};

struct entry {
    size_t worker;
    uint8_t *bytes;
    size_t size;
};

struct fleet {
    struct rf_random random;
    struct worker workers[WORKERS];
    size_t worker_count;
    struct entry log[LOG_MAX];
    size_t log_count;
};

static void fleet_init(struct fleet *fleet, size_t workers, uint64_t seed) {
    memset(fleet, 0, sizeof *fleet);
    rf_random_init(&fleet->random, seed);
    fleet->worker_count = workers;
    struct rf_error err;
    for (size_t i = 0; i < workers; i++) {
        model_init(&fleet->workers[i].model);
        assert_int_equal(rf_layers_create(&fleet->workers[i].model.state, &fleet->workers[i].layers, &err), RF_OK);
    }
}

static void fleet_finish(struct fleet *fleet) {
    for (size_t i = 0; i < fleet->worker_count; i++) {
        rf_layers_destroy(fleet->workers[i].layers);
        rf_state_finish(&fleet->workers[i].model.state);
    }
    for (size_t i = 0; i < fleet->log_count; i++) {
        free(fleet->log[i].bytes);
    }
}

static void let_learn(struct fleet *fleet, struct worker *worker) {
    double before = worker->model.plain.total;
    learn(&worker->model, &fleet->random);
    worker->growing++;
    worker->total_growing += worker->model.plain.total - before;
}

static void let_freeze(struct worker *worker) {
    struct rf_error err;
    if (!rf_layers_frozen(worker->layers)) {
        assert_int_equal(rf_layers_freeze(worker->layers, &err), RF_OK);
        worker->learned += worker->growing;
        worker->total += worker->total_growing;
        worker->growing = 0;
        worker->total_growing = 0;
    }
}

static void let_send(struct fleet *fleet, size_t index) {
    struct worker *worker = &fleet->workers[index];
    struct rf_error err;
    if (rf_layers_frozen(worker->layers) && !worker->sent && fleet->log_count < LOG_MAX) {
        struct entry *entry = &fleet->log[fleet->log_count++];
        entry->worker = index;
        assert_int_equal(rf_delta_bytes(rf_layers_frozen(worker->layers), 0, &entry->bytes, &entry->size, &err), RF_OK);
        worker->sent = fleet->log_count;
    }
}

static void let_read(struct fleet *fleet, size_t index) {
    struct worker *worker = &fleet->workers[index];
    struct rf_error err;
    if (worker->read == fleet->log_count) {
        return;
    }
    const struct entry *entry = &fleet->log[worker->read++];
    if (entry->worker == index) {
        assert_int_equal(rf_layers_fold_own(worker->layers, &err), RF_OK);
        worker->sent = 0;
        return;
    }
    struct rf_delta *delta;
    assert_int_equal(rf_delta_create(&worker->model.state, &delta, &err), RF_OK);
    assert_int_equal(rf_delta_of_bytes(entry->bytes, entry->size, delta, &err), RF_OK);
    assert_int_equal(rf_layers_fold(worker->layers, delta, &err), RF_OK);
    rf_delta_destroy(delta);
}

// A frozen one that is on its way cannot be dropped: the log has it.
static void let_drop(struct worker *worker) {
    if (worker->sent) {
        return;
    }
    if (rf_layers_frozen(worker->layers)) { // it counted as learned
        const struct rf_delta_rows *rows = &rf_layers_frozen(worker->layers)->blocks[2];
        if (rows->count) {
            double start[2], now[2];
            memcpy(start, rows->start, sizeof start);
            memcpy(now, rows->now, sizeof now);
            uint64_t records[2];
            memcpy(&records[0], &start[1], 8);
            memcpy(&records[1], &now[1], 8);
            worker->learned -= records[1] - records[0];
            worker->total -= now[0] - start[0];
        }
    }
    rf_layers_drop(worker->layers);
    worker->growing = 0;
    worker->total_growing = 0;
}

static void catch_up(struct fleet *fleet) {
    for (size_t i = 0; i < fleet->worker_count; i++) {
        for (int k = 0; k < 2; k++) { // what is frozen, then what is growing
            let_send(fleet, i);
            while (fleet->workers[i].read < fleet->log_count) {
                let_read(fleet, i);
            }
            let_freeze(&fleet->workers[i]);
        }
        let_send(fleet, i);
    }
    for (size_t i = 0; i < fleet->worker_count; i++) {
        while (fleet->workers[i].read < fleet->log_count) {
            let_read(fleet, i);
        }
    }
}

static const void *base_of(struct worker *worker, const char *name) {
    return rf_state_find(rf_layers_base(worker->layers), name)->data;
}

static void assert_one_base(struct fleet *fleet) {
    struct rf_error err;
    uint64_t learned = 0;
    double total = 0;
    for (size_t i = 0; i < fleet->worker_count; i++) {
        struct worker *worker = &fleet->workers[i];
        if (rf_state_compare(rf_layers_base(worker->layers), rf_layers_base(fleet->workers[0].layers), &err)) {
            fail_msg("base of worker %zu: %s", i, err.text);
        }
        learned += worker->learned;
        total += worker->total;
        const struct cell *base = base_of(worker, "cells");
        for (size_t row = 0; row < ROWS; row++) { // current is base, but for what is derived
            assert_true(worker->model.cells[row].sum == base[row].sum);
            assert_true(worker->model.cells[row].most == base[row].most);
        }
        assert_memory_equal(&worker->model.plain, base_of(worker, "plain"), sizeof worker->model.plain);
        assert_memory_equal(worker->model.keyed, base_of(worker, "keyed"), sizeof worker->model.keyed);
    }
    const struct cell *cells = base_of(&fleet->workers[0], "cells");
    double sum = 0;
    uint64_t used = 0, counted;
    for (size_t row = 0; row < ROWS; row++) {
        sum += cells[row].sum;
        used += cells[row].sum != 0;
    }
    memcpy(&counted, base_of(&fleet->workers[0], "cells_used"), sizeof counted);
    double plain[2];
    memcpy(plain, base_of(&fleet->workers[0], "plain"), sizeof plain);
    uint64_t records;
    memcpy(&records, &plain[1], sizeof records);
    assert_int_equal(records, learned);
    assert_true(plain[0] == total);
    assert_true(sum == total);
    assert_int_equal(counted, used);
}

static void play(struct fleet *fleet, size_t acts) {
    for (size_t act = 0; act < acts; act++) {
        size_t index = rf_random_below(&fleet->random, fleet->worker_count);
        struct worker *worker = &fleet->workers[index];
        switch (rf_random_below(&fleet->random, 16)) {
        case 0:
        case 1:
            let_freeze(worker);
            break;
        case 2:
        case 3:
            let_send(fleet, index);
            break;
        case 4:
        case 5:
        case 6:
        case 7:
            let_read(fleet, index);
            break;
        case 8:
            if (rf_random_below(&fleet->random, 20) == 0) {
                let_drop(worker);
            }
            break;
        default:
            let_learn(fleet, worker);
        }
    }
}

static void all_bases_are_equal_and_hold_what_was_sent(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fleet *fleet = malloc(sizeof *fleet);
        fleet_init(fleet, 2 + seed % (WORKERS - 1), seed);
        play(fleet, 2000);
        catch_up(fleet);
        assert_one_base(fleet);
        fleet_finish(fleet);
        free(fleet);
    }
}

static void a_fleet_of_one_is_to_the_byte_a_worker_alone(void **state) {
    (void)state;
    struct fleet *fleet = malloc(sizeof *fleet);
    struct model alone;
    fleet_init(fleet, 1, 7);
    model_init(&alone);
    struct rf_random random;
    rf_random_init(&random, 7);
    for (int records = 0; records < 3000; records++) {
        learn(&alone, &random);
        let_learn(fleet, &fleet->workers[0]);
        if (records % 7 == 3) {
            let_freeze(&fleet->workers[0]);
        }
        if (records % 5 == 4) {
            let_send(fleet, 0);
        }
        let_read(fleet, 0);
    }
    catch_up(fleet);
    struct rf_error err;
    if (rf_state_compare(&alone.state, &fleet->workers[0].model.state, &err)) {
        fail_msg("%s", err.text);
    }
    assert_memory_equal(alone.cells, base_of(&fleet->workers[0], "cells"), sizeof alone.cells);
    assert_memory_equal(alone.keyed, base_of(&fleet->workers[0], "keyed"), sizeof alone.keyed);
    fleet_finish(fleet);
    free(fleet);
    rf_state_finish(&alone.state);
}

static void what_is_dropped_never_was(void **state) {
    (void)state;
    struct fleet *fleet = malloc(sizeof *fleet);
    fleet_init(fleet, 2, 11);
    play(fleet, 500);
    catch_up(fleet);
    struct worker *worker = &fleet->workers[0];
    struct model before = worker->model;
    for (int i = 0; i < 100; i++) {
        let_learn(fleet, worker);
    }
    let_freeze(worker);
    for (int i = 0; i < 100; i++) {
        let_learn(fleet, worker);
    }
    let_drop(worker);
    assert_one_base(fleet);
    assert_memory_equal(&before.plain, &worker->model.plain, sizeof before.plain);
    assert_int_equal(before.cells_used, worker->model.cells_used);
    fleet_finish(fleet);
    free(fleet);
}

// A worker that begins with a base that was saved goes on as those that folded the log.
static void a_restored_base_is_begun_with(void **state) {
    (void)state;
    struct fleet *fleet = malloc(sizeof *fleet);
    fleet_init(fleet, 2, 12);
    play(fleet, 500);
    catch_up(fleet);
    struct model late;
    struct rf_layers *layers;
    struct rf_error err;
    model_init(&late);
    assert_int_equal(rf_layers_create(&late.state, &layers, &err), RF_OK);
    struct rf_state *from = rf_layers_base(fleet->workers[0].layers), *to = rf_layers_base(layers);
    for (size_t i = 0; i < to->count; i++) {
        memcpy(to->list[i]->data, from->list[i]->data, rf_block_size(to->list[i]));
    }
    rf_layers_begin(layers);
    assert_memory_equal(&late.plain, &fleet->workers[0].model.plain, sizeof late.plain);
    assert_int_equal(rf_layers_freeze(layers, &err), RF_OK);
    assert_true(rf_delta_is_empty(rf_layers_frozen(layers)));
    rf_layers_destroy(layers);
    rf_state_finish(&late.state);
    fleet_finish(fleet);
    free(fleet);
}

static void damaged_bytes_are_refused(void **state) {
    (void)state;
    struct fleet *fleet = malloc(sizeof *fleet);
    fleet_init(fleet, 1, 3);
    for (int i = 0; i < 50; i++) {
        let_learn(fleet, &fleet->workers[0]);
    }
    let_freeze(&fleet->workers[0]);
    let_send(fleet, 0);
    struct rf_delta *delta;
    struct rf_error err;
    assert_int_equal(rf_delta_create(&fleet->workers[0].model.state, &delta, &err), RF_OK);
    const struct entry *entry = &fleet->log[0];
    for (size_t size = 0; size < entry->size; size++) {
        assert_int_equal(rf_delta_of_bytes(entry->bytes, size, delta, &err), RF_CORRUPT);
    }
    for (int i = 0; i < 3000; i++) {
        uint8_t *bytes = malloc(entry->size);
        memcpy(bytes, entry->bytes, entry->size);
        bytes[rf_random_below(&fleet->random, entry->size)] ^= (uint8_t)(1 + rf_random_below(&fleet->random, 255));
        (void)!rf_delta_of_bytes(bytes, entry->size, delta, &err); // sanitizers look on
        free(bytes);
    }
    rf_delta_destroy(delta);
    fleet_finish(fleet);
    free(fleet);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(all_bases_are_equal_and_hold_what_was_sent),
            cmocka_unit_test(a_fleet_of_one_is_to_the_byte_a_worker_alone),
            cmocka_unit_test(what_is_dropped_never_was),
            cmocka_unit_test(a_restored_base_is_begun_with),
            cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
