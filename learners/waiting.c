#include "learners/waiting.h"
#include "learners/mini_batch.h"
#include "learners/row_sums.h"
#include "learners/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 1e100                 // of the size of an input that may wait: sums of gradients times inputs stay finite
#define GRADIENT_MAX 1e30               // of the size of a gradient times the weight of its record
#define RECORDS_MAX (UINT64_C(1) << 53) // what a double counts exactly
#define NUMBERS_MAX (UINT64_C(1) << 27) // that may wait, and that they may add up to

enum { FEATURES_MAX = 1 << 16 };

enum { GRADIENT_MEAN, GRADIENT_SUM };
static const char *const gradient_names[] = {"mean", "sum", NULL};

#define SHARED_SETTINGS(type_)                                                          \
    RF_UINT(type_, features, "256", 1, FEATURES_MAX, 0,                                 \
            "inputs of a record for which room is kept; one with more is not learned"), \
            RF_CHOICE(type_, gradient, "mean", gradient_names, 0, "the mean of the records' gradients, or their sum")

static const struct rf_setting no_settings[] = {{0}};

static const struct rf_setting mini_batch_settings[] = {
        RF_MINI_BATCH_SETTINGS(struct rf_mini_batch_options, "32", "records of a mini-batch, of the first if they grow"),
        SHARED_SETTINGS(struct rf_mini_batch_options),
        {0},
};

static const struct rf_setting window_settings[] = {
        RF_UINT(struct rf_window_options, size, "100", 1, RF_MINI_BATCH_MAX, 0, "records of the window"),
        RF_UINT(struct rf_window_options, every, "10", 1, RF_MINI_BATCH_MAX, 0, "records from one step to the next"),
        SHARED_SETTINGS(struct rf_window_options),
        {0},
};

enum update_kind { EACH_RECORD, MINI_BATCH, WINDOW };

const struct rf_variant rf_update_variants[] = {
        [EACH_RECORD] = {"each_record", "a step for every record", no_settings, 0, NULL},
        [MINI_BATCH] = {"mini_batch", "one step for each batch of records, of fixed or growing size", mini_batch_settings,
                        sizeof(struct rf_mini_batch_options), NULL},
        [WINDOW] = {"window", "gradient descent over the last records, a step every few of them", window_settings,
                    sizeof(struct rf_window_options), NULL},
        {0},
};

struct progress {
    uint64_t added; // records
    uint64_t taken; // of them in mini-batches that are done; 0 in a window
};

struct record {
    double label, weight;
    uint32_t inputs;
    uint32_t reserved; // 0
};

static const struct rf_column progress_columns[] = {
        {"added", RF_U64, offsetof(struct progress, added), 1, RF_MERGE_NONE},
        {"taken", RF_U64, offsetof(struct progress, taken), 1, RF_MERGE_NONE},
};

static const struct rf_column record_columns[] = {
        {"label", RF_F64, offsetof(struct record, label), 1, RF_MERGE_NONE},
        {"weight", RF_F64, offsetof(struct record, weight), 1, RF_MERGE_NONE},
        {"inputs", RF_U32, offsetof(struct record, inputs), 1, RF_MERGE_NONE},
        {"reserved", RF_U32, offsetof(struct record, reserved), 1, RF_MERGE_NONE},
};

struct rf_waiting {
    struct rf_mini_batch_sizes sizes;
    uint64_t every;                 // of a window; 0: mini-batches
    bool is_sum;                    // of gradients, not their mean
    struct rf_optimizer *optimizer; // borrowed
    size_t capacity;                // records there is room for
    size_t room;                    // inputs of each

    struct progress progress;
    struct record *record; // [capacity] a ring
    uint32_t *row;         // [capacity][room]
    double *x;             // [capacity][room]
    struct rf_column row_column, x_column;
    struct rf_block *record_block, *row_block, *x_block; // as listed in a state, or NULL

    struct rf_row_sums sums;
    double *factor; // [outputs] of the step being taken
    double *total;  // [outputs]
};

static enum rf_status check_sizes(const struct rf_waiting *waiting, const char *kind, const struct rf_optimizer *optimizer,
                                  struct rf_error *err) {
    uint64_t numbers = (uint64_t)waiting->capacity * waiting->room * optimizer->outputs;
    if (optimizer->needs_record) {
        return rf_fail(err, RF_INVALID,
                       "update is %s, must be each_record with an optimizer whose steps are made from single records", kind);
    }
    if (waiting->sizes.growth > 1 && waiting->sizes.max < waiting->sizes.size) {
        return rf_fail(err, RF_INVALID, "update.max is %llu, must be at least %llu, the size of the first mini-batch",
                       (unsigned long long)waiting->sizes.max, (unsigned long long)waiting->sizes.size);
    }
    if (numbers > NUMBERS_MAX) {
        return rf_fail(
                err, RF_INVALID,
                "update %s keeps %zu records of %zu inputs for %u outputs, %llu numbers, must be at most %llu: lower size or "
                "features",
                kind, waiting->capacity, waiting->room, optimizer->outputs, (unsigned long long)numbers,
                (unsigned long long)NUMBERS_MAX);
    }
    return RF_OK;
}

// Takes over the settings, and returns for how many inputs of a record they want room.
static uint64_t configure(struct rf_waiting *waiting, const struct rf_variant_value *update) {
    if (update->kind == &rf_update_variants[WINDOW]) {
        const struct rf_window_options *window = update->options;
        waiting->every = window->every;
        waiting->is_sum = window->gradient == GRADIENT_SUM;
        waiting->capacity = window->size;
        return window->features;
    }
    const struct rf_mini_batch_options *batch = update->options;
    waiting->sizes = (struct rf_mini_batch_sizes){batch->size, batch->growth, batch->every, batch->max};
    waiting->is_sum = batch->gradient == GRADIENT_SUM;
    waiting->capacity = batch->growth > 1 ? batch->max : batch->size;
    return batch->features;
}

static enum rf_status reserve(struct rf_waiting *waiting, uint32_t outputs, struct rf_error *err) {
    size_t inputs = waiting->capacity * waiting->room;
    void *record = NULL, *row = NULL, *x = NULL;
    if (rf_table_create(waiting->capacity * sizeof *waiting->record, &record, err) != RF_OK) {
        return err->status;
    }
    waiting->record = record;
    if (rf_table_create(inputs * sizeof *waiting->row, &row, err) != RF_OK) {
        return err->status;
    }
    waiting->row = row;
    if (rf_table_create(inputs * sizeof *waiting->x, &x, err) != RF_OK) {
        return err->status;
    }
    waiting->x = x;
    waiting->factor = calloc(outputs, sizeof *waiting->factor);
    waiting->total = calloc(outputs, sizeof *waiting->total);
    if (!waiting->factor || !waiting->total) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    size_t rows = waiting->optimizer->rows; // no more of them can differ
    return rf_row_sums_init(&waiting->sums, inputs < rows ? inputs : rows, outputs, err);
}

enum rf_status rf_waiting_create(const struct rf_variant_value *update, struct rf_optimizer *optimizer, size_t inputs_max,
                                 struct rf_waiting **waiting_out, struct rf_error *err) {
    *waiting_out = NULL;
    if (!update->kind || update->kind == &rf_update_variants[EACH_RECORD]) {
        return RF_OK;
    }
    struct rf_waiting *waiting = calloc(1, sizeof *waiting);
    if (!waiting) {
        return rf_fail(err, RF_MEMORY, "out of memory for a learner");
    }
    size_t wanted = (size_t)configure(waiting, update) + 1; // and the bias
    waiting->optimizer = optimizer;
    waiting->room = inputs_max < wanted ? inputs_max : wanted;
    waiting->row_column = (struct rf_column){"row", RF_U32, 0, (uint32_t)waiting->room, RF_MERGE_NONE};
    waiting->x_column = (struct rf_column){"x", RF_F64, 0, (uint32_t)waiting->room, RF_MERGE_NONE};
    if (check_sizes(waiting, update->kind->name, optimizer, err) != RF_OK || reserve(waiting, optimizer->outputs, err) != RF_OK) {
        rf_waiting_destroy(waiting);
        return err->status;
    }
    *waiting_out = waiting;
    return RF_OK;
}

void rf_waiting_destroy(struct rf_waiting *waiting) {
    if (waiting) {
        size_t inputs = waiting->capacity * waiting->room;
        rf_table_destroy(waiting->record, waiting->capacity * sizeof *waiting->record);
        rf_table_destroy(waiting->row, inputs * sizeof *waiting->row);
        rf_table_destroy(waiting->x, inputs * sizeof *waiting->x);
        rf_row_sums_finish(&waiting->sums);
        free(waiting->factor);
        free(waiting->total);
        free(waiting);
    }
}

// The records of the mini-batch under way: it follows from those in batches before.
static uint64_t batch_size(const struct rf_waiting *waiting) {
    return rf_mini_batch_size_at(&waiting->sizes, waiting->progress.taken);
}

static size_t held(const struct rf_waiting *waiting) {
    uint64_t count = waiting->progress.added - waiting->progress.taken;
    return count < waiting->capacity ? (size_t)count : waiting->capacity;
}

// Of the i-th oldest record.
static size_t place_of(const struct rf_waiting *waiting, size_t i) {
    return (size_t)((waiting->progress.added - held(waiting) + i) % waiting->capacity);
}

static struct rf_waiting_record record_at(const struct rf_waiting *waiting, size_t i) {
    size_t place = place_of(waiting, i);
    const struct record *record = &waiting->record[place];
    return (struct rf_waiting_record){
            .rows = waiting->row + place * waiting->room,
            .x = waiting->x + place * waiting->room,
            .count = record->inputs,
            .label = record->label,
            .weight = record->weight,
    };
}

static void touch(struct rf_block *block, size_t row) {
    if (block) {
        rf_block_touch(block, row);
    }
}

bool rf_waiting_add(struct rf_waiting *waiting, const struct rf_waiting_record *record) {
    if (record->count > waiting->room) {
        return false;
    }
    for (size_t i = 0; i < record->count; i++) {
        if (!(fabs(record->x[i]) <= INPUT_MAX)) {
            return false;
        }
    }
    size_t place = (size_t)(waiting->progress.added % waiting->capacity);
    touch(waiting->record_block, place);
    touch(waiting->row_block, place);
    touch(waiting->x_block, place);
    waiting->record[place] = (struct record){record->label, record->weight, (uint32_t)record->count, 0};
    memcpy(waiting->row + place * waiting->room, record->rows, record->count * sizeof *record->rows);
    memcpy(waiting->x + place * waiting->room, record->x, record->count * sizeof *record->x);
    waiting->progress.added++;
    return true;
}

bool rf_waiting_is_due(const struct rf_waiting *waiting) {
    if (waiting->every > 0) {
        return waiting->progress.added % waiting->every == 0;
    }
    return waiting->progress.added - waiting->progress.taken >= batch_size(waiting);
}

static bool is_sane(uint32_t outputs, const double *gradient) {
    for (uint32_t k = 0; k < outputs; k++) {
        if (!(fabs(gradient[k]) <= GRADIENT_MAX)) {
            return false;
        }
    }
    return true;
}

// Adds up the gradients of all records by weight, and by score. Returns how many records had one.
static size_t add_up(struct rf_waiting *waiting, rf_waiting_gradient *gradient_of, void *learner) {
    uint32_t outputs = waiting->optimizer->outputs;
    size_t used = 0;
    rf_row_sums_clear(&waiting->sums);
    memset(waiting->total, 0, outputs * sizeof *waiting->total);
    for (size_t i = 0; i < held(waiting); i++) {
        const struct rf_waiting_record record = record_at(waiting, i);
        rf_optimizer_advance(waiting->optimizer, record.rows, record.count);
        const double *gradient = gradient_of(learner, &record);
        if (!gradient || !is_sane(outputs, gradient)) {
            continue;
        }
        used++;
        for (uint32_t k = 0; k < outputs; k++) {
            waiting->total[k] += gradient[k];
        }
        for (size_t j = 0; j < record.count; j++) {
            rf_row_sums_add(&waiting->sums, record.rows[j], record.x[j], gradient);
        }
    }
    return used;
}

static double largest(const double *list, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs(list[i]));
    }
    return most;
}

const double *rf_waiting_step(struct rf_waiting *waiting, rf_waiting_gradient *gradient, void *learner) {
    uint32_t outputs = waiting->optimizer->outputs;
    size_t used = add_up(waiting, gradient, learner);
    if (waiting->every == 0) {
        waiting->progress.taken = waiting->progress.added;
    }
    if (used == 0) {
        return NULL;
    }
    for (uint32_t k = 0; k < outputs; k++) {
        waiting->factor[k] = waiting->is_sum ? 1 : 1 / (double)used;
        waiting->total[k] *= waiting->factor[k];
    }
    const struct rf_step step = {
            .rows = waiting->sums.row,
            .x = waiting->sums.sum,
            .count = waiting->sums.count,
            .is_sum = true,
            .x_largest = largest(waiting->sums.sum, waiting->sums.count * outputs),
            .gradient = waiting->factor,
            .weight = 1,
    };
    return rf_optimizer_step(waiting->optimizer, &step) ? waiting->total : NULL;
}

static struct rf_block *list_block(struct rf_state *state, const char *name, size_t rows, size_t row_size,
                                   const struct rf_column *columns, size_t column_count, void *data) {
    return rf_state_add(state, &(struct rf_block){
                                       .name = name,
                                       .rows = rows,
                                       .row_size = row_size,
                                       .columns = columns,
                                       .column_count = column_count,
                                       .data = data,
                                       .scope = RF_SCOPE_MODEL,
                                       .is_touched = rows > 1,
                               });
}

void rf_waiting_state(struct rf_waiting *waiting, struct rf_state *state) {
    if (!waiting) {
        return;
    }
    list_block(state, "waiting.progress", 1, sizeof waiting->progress, progress_columns,
               sizeof progress_columns / sizeof progress_columns[0], &waiting->progress);
    waiting->record_block = list_block(state, "waiting.records", waiting->capacity, sizeof *waiting->record, record_columns,
                                       sizeof record_columns / sizeof record_columns[0], waiting->record);
    waiting->row_block = list_block(state, "waiting.rows", waiting->capacity, waiting->room * sizeof *waiting->row,
                                    &waiting->row_column, 1, waiting->row);
    waiting->x_block = list_block(state, "waiting.x", waiting->capacity, waiting->room * sizeof *waiting->x, &waiting->x_column,
                                  1, waiting->x);
}

static enum rf_status check_record(const struct rf_waiting *waiting, size_t i, struct rf_error *err) {
    const struct rf_waiting_record record = record_at(waiting, i);
    if (record.count > waiting->room) {
        return rf_fail(err, RF_CORRUPT, "a record that waits has %zu inputs, must have at most %zu", record.count, waiting->room);
    }
    if (!(record.weight > 0 && isfinite(record.weight))) {
        return rf_fail(err, RF_CORRUPT, "a record that waits has weight %g, must be finite and above 0", record.weight);
    }
    for (size_t j = 0; j < record.count; j++) {
        if (record.rows[j] >= waiting->optimizer->rows) {
            return rf_fail(err, RF_CORRUPT, "a record that waits is in row %u, must be below %zu", record.rows[j],
                           waiting->optimizer->rows);
        }
        if (!(fabs(record.x[j]) <= INPUT_MAX)) {
            return rf_fail(err, RF_CORRUPT, "a record that waits has input %g, must be at most %g in size", record.x[j],
                           INPUT_MAX);
        }
    }
    return RF_OK;
}

enum rf_status rf_waiting_check(const struct rf_waiting *waiting, struct rf_error *err) {
    if (!waiting) {
        return RF_OK;
    }
    const struct progress *progress = &waiting->progress;
    if (progress->added > RECORDS_MAX || progress->taken > progress->added || (waiting->every > 0 && progress->taken > 0)) {
        return rf_fail(err, RF_CORRUPT,
                       "%llu records of %llu are in batches that are done, must be at most as many, and 0 in a window",
                       (unsigned long long)progress->taken, (unsigned long long)progress->added);
    }
    if (waiting->every == 0 && progress->added - progress->taken >= batch_size(waiting)) {
        return rf_fail(err, RF_CORRUPT, "%llu records wait for a batch of %llu, must be fewer",
                       (unsigned long long)(progress->added - progress->taken), (unsigned long long)batch_size(waiting));
    }
    for (size_t i = 0; i < held(waiting); i++) {
        if (check_record(waiting, i, err) != RF_OK) {
            return err->status;
        }
    }
    return RF_OK;
}
