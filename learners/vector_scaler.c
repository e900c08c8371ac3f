#include "learners/vector_scaler.h"

#include "learners/table.h"

#include <math.h>
#include <stdlib.h>

struct coordinate {
    uint64_t count;
    double mean;
    double scatter;
};

static const struct rf_column coordinate_columns[] = {
        {"count", RF_U64, offsetof(struct coordinate, count), 1, RF_MERGE_MOMENTS},
        {"mean", RF_F64, offsetof(struct coordinate, mean), 1, RF_MERGE_MOMENTS},
        {"scatter", RF_F64, offsetof(struct coordinate, scatter), 1, RF_MERGE_MOMENTS},
};

struct rf_vector_scaler {
    struct coordinate *coordinate; // [vector_size]
    size_t vector_size;
};

#define COUNT_MAX (UINT64_C(1) << 53) // what a double counts exactly
#define MEAN_MAX 1e39                 // beyond any float
#define SCATTER_MAX 1e200             // beyond what so many floats can give

void rf_vector_scaler_learn(struct rf_vector_scaler *scaler, const float *vector) {
    for (size_t i = 0; i < scaler->vector_size; i++) {
        struct coordinate *coordinate = &scaler->coordinate[i];
        coordinate->count++;
        double before = vector[i] - coordinate->mean;
        coordinate->mean += before / (double)coordinate->count;
        coordinate->scatter += before * (vector[i] - coordinate->mean);
    }
}

void rf_vector_scaler_scale(const struct rf_vector_scaler *scaler, const float *vector, double *scaled_out) {
    for (size_t i = 0; i < scaler->vector_size; i++) {
        const struct coordinate *coordinate = &scaler->coordinate[i];
        double variance = coordinate->count > 0 ? coordinate->scatter / (double)coordinate->count : 0;
        scaled_out[i] = variance > 0 ? (vector[i] - coordinate->mean) / sqrt(variance) : 0;
    }
}

void rf_vector_scaler_state(struct rf_vector_scaler *scaler, const char *name, struct rf_state *state) {
    rf_state_add(state, &(struct rf_block){
                                .name = name,
                                .rows = scaler->vector_size,
                                .row_size = sizeof *scaler->coordinate,
                                .columns = coordinate_columns,
                                .column_count = sizeof coordinate_columns / sizeof coordinate_columns[0],
                                .data = scaler->coordinate,
                                .scope = RF_SCOPE_MODEL,
                        });
}

enum rf_status rf_vector_scaler_check(const struct rf_vector_scaler *scaler, struct rf_error *err) {
    for (size_t i = 0; i < scaler->vector_size; i++) {
        const struct coordinate *coordinate = &scaler->coordinate[i];
        if (coordinate->count > COUNT_MAX || !(fabs(coordinate->mean) <= MEAN_MAX)) {
            return rf_fail(err, RF_CORRUPT,
                           "coordinate %zu of the scaler has count %llu and mean %g, must be at most %llu, and %g in size", i,
                           (unsigned long long)coordinate->count, coordinate->mean, (unsigned long long)COUNT_MAX, MEAN_MAX);
        }
        if (!(coordinate->scatter >= 0 && coordinate->scatter <= SCATTER_MAX)) {
            return rf_fail(err, RF_CORRUPT, "coordinate %zu of the scaler has scatter %g, must be 0 to %g", i,
                           coordinate->scatter, SCATTER_MAX);
        }
    }
    return RF_OK;
}

void rf_vector_scaler_destroy(struct rf_vector_scaler *scaler) {
    if (scaler) {
        rf_table_destroy(scaler->coordinate, scaler->vector_size * sizeof *scaler->coordinate);
        free(scaler);
    }
}

enum rf_status rf_vector_scaler_create(size_t vector_size, struct rf_vector_scaler **scaler_out, struct rf_error *err) {
    struct rf_vector_scaler *scaler = calloc(1, sizeof *scaler);
    if (!scaler) {
        return rf_fail(err, RF_MEMORY, "out of memory for a scaler");
    }
    void *coordinates = NULL;
    if (rf_table_create(vector_size * sizeof *scaler->coordinate, &coordinates, err) != RF_OK) {
        free(scaler);
        return rf_fail_in(err, "scaler of %zu coordinates", vector_size);
    }
    *scaler = (struct rf_vector_scaler){coordinates, vector_size};
    *scaler_out = scaler;
    return RF_OK;
}
