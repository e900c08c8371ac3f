// Whatever stands in the log of deltas, a replica folds it to its end, and what is void changes nothing. Entries stand one after
// the other, each behind its size in two bytes.
#include "ops/fleet_replica.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct keyed {
    uint64_t key, count;
    double mean, scatter;
};

struct model {
    struct rf_state state;
    double cells[16];
    struct keyed keyed[4];
    uint64_t used;
};

static const struct rf_column cell_columns[] = {{"sum", RF_F64, 0, 1, RF_MERGE_SUM}};
static const struct rf_column keyed_columns[] = {
        {"key", RF_U64, 0, 1, RF_MERGE_KEY},
        {"count", RF_U64, 8, 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, 16, 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, 24, 1, RF_MERGE_MOMENTS},
};
static const struct rf_column used_columns[] = {{"used", RF_U64, 0, 1, RF_MERGE_USED}};

static void add(struct model *model, const char *name, size_t rows, size_t row_size, const struct rf_column *columns,
                size_t count, void *data) {
    rf_state_add(
            &model->state,
            &(struct rf_block){
                    .name = name, .rows = rows, .row_size = row_size, .columns = columns, .column_count = count, .data = data});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct model model = {.cells = {0}};
    struct rf_layers *layers;
    struct rf_replica *replica;
    struct rf_replica_news news;
    struct rf_error err;
    rf_state_init(&model.state);
    add(&model, "cells", 16, 8, cell_columns, 1, model.cells);
    add(&model, "keyed", 4, 32, keyed_columns, 4, model.keyed);
    add(&model, "used", 1, 8, used_columns, 1, &model.used);
    if (rf_layers_create(&model.state, &layers, &err) ||
        rf_replica_create(&(struct rf_replica_options){.model = "m", .layers = layers}, &replica, &err)) {
        abort();
    }
    enum rf_status status = RF_OK;
    while (size >= 2 && !status) {
        size_t entry = (size_t)data[0] | (size_t)data[1] << 8;
        entry = entry < size - 2 ? entry : size - 2;
        uint64_t number = rf_replica_number(replica);
        status = rf_replica_take(replica, (struct rf_text){(const char *)data + 2, entry}, &news, &err);
        if (!status && news.event == RF_REPLICA_VOID && rf_replica_number(replica) != number) {
            abort();
        }
        data += 2 + entry;
        size -= 2 + entry;
    }
    if (status && status != RF_CONFLICT && status != RF_CORRUPT) {
        abort();
    }
    rf_replica_destroy(replica);
    rf_layers_destroy(layers);
    rf_state_finish(&model.state);
    return 0;
}
