// The loops of optimizer_bank.c for one number type: included twice, with
//
//     REAL              float or double
//     CELLS(name)       the name for this type
//     COLUMN            the type of a column of it
//     CELL_MAX, CELL_MIN
//     PART              how many numbers a register holds, and for as many:
//     WORD              the whole numbers of its size
//     OF_DOUBLES(x)     from doubles
//     MASK(words)       bit i: lane i is not 0
//     ROOT(a)           square roots
//     SMALLER(a, b), LARGER(a, b), CHOOSE(mask, a, b), and WITH_LAST(a, b): a, but the last lane that of b
//     TINY              added to A under the root: what counts as nothing
//
// No include guard, on purpose.

typedef REAL CELLS(part) __attribute__((vector_size(4 * RF_PART_FLOATS), may_alias));
typedef WORD CELLS(words) __attribute__((vector_size(4 * RF_PART_FLOATS), may_alias));
enum { CELLS(PARTS) = LANES / PART, CELLS(CELL) = 2 * LANES };

// What a step needs of one output.
struct CELLS(output) {
    REAL square[LANES]; // i g^2, the last lane 0: added to A times z^2
    REAL reach[LANES];  // sum of z^2 / sqrt(A)
    REAL move[LANES];   // by how much of its reach each v moves, the last lane 0
};

INLINE size_t CELLS(row_size)(uint32_t outputs) {
    return (outputs == 1 ? 1 : outputs + (size_t)1) * CELLS(CELL) * sizeof(REAL);
}

static void CELLS(lay_out)(struct rf_optimizer *self, uint32_t outputs) {
    const uint32_t size = sizeof(REAL);
    const uint32_t note = (2 * LANES - 1) * size;
    struct rf_column *columns = self->columns;
    self->row_size = CELLS(row_size)(outputs);
    if (outputs == 1) {
        *columns++ = (struct rf_column){"weight", COLUMN, 0, RATES, RF_MERGE_SUM};
    } else {
        *columns++ = (struct rf_column){"reserved", RF_U8, 0, RATES * size, RF_MERGE_MAX};
    }
    *columns++ = (struct rf_column){"size", COLUMN, RATES * size, 1, RF_MERGE_MAX};
    if (outputs == 1) {
        *columns++ = (struct rf_column){"square", COLUMN, LANES * size, RATES, RF_MERGE_SUM};
    } else {
        *columns++ = (struct rf_column){"reserved2", RF_U8, LANES * size, RATES * size, RF_MERGE_MAX};
    }
    *columns++ = (struct rf_column){"note", RF_U32, note, size / 4, RF_MERGE_MAX};
    if (outputs > 1) { // weight[8], square[8] of each output, the last of both 0
        *columns++ = (struct rf_column){"cells", COLUMN, CELLS(CELL) * size, CELLS(CELL) * outputs, RF_MERGE_SUM};
    }
    self->weights.column_count = (size_t)(columns - self->columns);
}

INLINE REAL *CELLS(row)(const struct bank *bank, size_t row, uint32_t outputs) {
    return (REAL *)(void *)(bank->adaptive.base.cells + row * CELLS(row_size)(outputs));
}

INLINE REAL *CELLS(cell)(REAL *row, uint32_t k, uint32_t outputs) {
    return row + (outputs == 1 ? 0 : k + 1) * CELLS(CELL);
}

INLINE uint32_t *CELLS(note)(REAL *row) {
    return (uint32_t *)(void *)(row + 2 * LANES - 1);
}

INLINE REAL CELLS(value)(double x) {
    const double most = RF_NORMALISER_MAX;
    x = x < most ? x : most;
    return (REAL)(x > -most ? x : -most);
}

INLINE CELLS(part) CELLS(all)(REAL value) {
    return value - (CELLS(part)){0};
}

INLINE CELLS(part) CELLS(within)(CELLS(part) a, REAL most) {
    return LARGER(SMALLER(a, CELLS(all)(most)), CELLS(all)(-most));
}

// z of a value as it enters a score.
INLINE REAL CELLS(scaled)(REAL x, REAL size, bool is_resistant) {
    const REAL most = is_resistant ? (REAL)RF_NORMALISER_CUT : CELL_MAX;
    REAL z = size > 0 ? x / size : 0;
    z = z < most ? z : most;
    return z > -most ? z : -most;
}

INLINE CELLS(part) CELLS(load)(const REAL *from) {
    return *(const CELLS(part) *)(const void *)from;
}

INLINE void CELLS(store)(REAL *to, CELLS(part) a) {
    *(CELLS(part) *)(void *)to = a;
}

INLINE REAL CELLS(stored)(REAL value) {
    return value > CELL_MAX ? CELL_MAX : value < -CELL_MAX ? -CELL_MAX : value < CELL_MIN && value > -CELL_MIN ? 0 : value;
}

static void CELLS(gather)(const struct rf_optimizer *self, const uint32_t *rows, size_t count, double *weight_out) {
    const struct bank *bank = (const struct bank *)self;
    const uint32_t outputs = self->outputs;
    for (size_t i = 0; i < count; i++) {
        REAL *row = CELLS(row)(bank, rows[i], outputs);
        double size = (double)row[LAST];
        for (uint32_t e = 0; e < RATES; e++) {
            for (uint32_t k = 0; k < outputs; k++) {
                *weight_out++ = size > 0 ? (double)CELLS(cell)(row, k, outputs)[e] / size : 0;
            }
        }
    }
}

#include "learners/optimizer_bank_sizes.h"

INLINE void CELLS(add)(const REAL *cell, REAL z, CELLS(part) sum[CELLS(PARTS)]) {
    const CELLS(part) *v = (const CELLS(part) *)(const void *)cell;
#pragma GCC unroll 4
    for (int part = 0; part < CELLS(PARTS); part++) {
        sum[part] += v[part] * z;
    }
}

INLINE void CELLS(score)(const struct bank *bank, const uint32_t *rows, const double *x, size_t count, double *score_out,
                         uint32_t outputs) {
    const REAL *z = bank->z;
    CELLS(scale)(bank, rows, x, count, outputs, false);
    for (uint32_t k = 0; k < outputs; k++) {
        CELLS(part) even[CELLS(PARTS)] = {0}, odd[CELLS(PARTS)] = {0}; // by i mod 2
        size_t i = 0;
        for (; i + 2 <= count; i += 2) {
            CELLS(add)(CELLS(cell)(CELLS(row)(bank, rows[i], outputs), k, outputs), z[i], even);
            CELLS(add)(CELLS(cell)(CELLS(row)(bank, rows[i + 1], outputs), k, outputs), z[i + 1], odd);
        }
        if (i < count) {
            CELLS(add)(CELLS(cell)(CELLS(row)(bank, rows[i], outputs), k, outputs), z[i], even);
        }
        for (size_t e = 0; e < RATES; e++) {
            score_out[e * outputs + k] = (double)(even[e / PART] + odd[e / PART])[e % PART];
        }
    }
}

static void CELLS(advance)(struct rf_optimizer *self, const uint32_t *rows, size_t count) {
    rf_block_touch_rows(self->touched, rows, count);
}

// Adds to the A of a cell, and keeps z / sqrt(A).
INLINE void CELLS(accumulate)(REAL *cell, REAL z, const struct CELLS(output) * output, REAL *reach,
                              CELLS(part) total[CELLS(PARTS)]) {
    CELLS(part) *a = (CELLS(part) *)(void *)(cell + LANES);
    const CELLS(part) *square = (const CELLS(part) *)(const void *)output->square;
    CELLS(part) *kept = (CELLS(part) *)(void *)reach;
#pragma GCC unroll 4
    for (int part = 0; part < CELLS(PARTS); part++) {
        const bool has_note = part == CELLS(PARTS) - 1; // which is no number
        const CELLS(part) old = a[part], zeros = {0};
        CELLS(part) now = has_note ? (CELLS(part))WITH_LAST(old, zeros) : old;
        now = SMALLER(now + square[part] * (z * z), CELLS(all)(CELL_MAX));
        CELLS(part) far = z / ROOT(now + TINY);
        kept[part] = far;
        total[part] += z * far;
        now = has_note ? (CELLS(part))WITH_LAST(now, old) : now;
        a[part] = now;
    }
}

// From the sums of a record to how each v is to move.
static void CELLS(find_moves)(const struct bank *bank, const struct rf_step *step, double mean, double inflation, uint32_t k,
                              struct CELLS(output) * output) {
    double reach[LANES] = {0}, importance[LANES] = {0}, change[LANES] = {0};
    const double root = sqrt(inflation);
    for (int e = 0; e < RATES; e++) {
        reach[e] = (double)output->reach[e];
        importance[e] = rates[e] * step->weight * reach[e] * root * mean;
    }
    find_changes(bank, step, k, importance, change);
    for (int e = 0; e < RATES; e++) {
        double move = reach[e] > 1e-30 ? change[e] / reach[e] : 0;
        output->move[e] = (REAL)(move > 1e30 ? 1e30 : move < -1e30 ? -1e30 : move);
    }
    output->move[LAST] = 0;
}

// The squared gradients [LANES] of each output. False when all are 0: nothing is to be learned.
INLINE bool CELLS(start)(const struct rf_step *step, double inflation, struct CELLS(output) * list, uint32_t outputs) {
    const double factor = inflation / step->weight;
    bool is_moving = false;
    for (uint32_t k = 0; k < outputs; k++) {
        for (uint32_t e = 0; e < RATES; e++) {
            double gradient = step->gradient[(size_t)e * outputs + k];
            double square = gradient * gradient * factor;
            is_moving |= gradient != 0;
            list[k].square[e] = (REAL)(square < CELL_MAX ? square : CELL_MAX / 16);
        }
        list[k].square[LAST] = 0;
        memset(list[k].reach, 0, sizeof list[k].reach);
    }
    return is_moving;
}

INLINE void CELLS(move)(REAL *cell, const REAL *reach, const struct CELLS(output) * output) {
    CELLS(part) *v = (CELLS(part) *)(void *)cell;
    const CELLS(part) *far = (const CELLS(part) *)(const void *)reach;
    const CELLS(part) *move = (const CELLS(part) *)(const void *)output->move;
#pragma GCC unroll 4
    for (int part = 0; part < CELLS(PARTS); part++) {
        const CELLS(part) old = v[part];
        CELLS(part) now = CELLS(within)(old + move[part] * far[part], CELL_MAX);
        now = part == CELLS(PARTS) - 1 ? (CELLS(part))WITH_LAST(now, old) : now; // the size
        v[part] = now;
    }
}

// Learn the sizes and the squares of a record's features, and return the sum of z^2. With one output the sums stay in registers.
INLINE double CELLS(learn_one)(struct bank *bank, const struct rf_step *step, struct CELLS(output) * output, REAL *reach) {
    CELLS(part) total[CELLS(PARTS)] = {0};
    const size_t settled = CELLS(learn_sizes)(bank, step, 1);
    REAL *list = bank->z;
    double norm = 0;
    for (size_t i = 0; i < step->count; i++) {
        REAL *row = CELLS(row)(bank, step->rows[i], 1);
        REAL z = list[i];
        if (__builtin_expect(i >= settled, 0)) {
            z = list[i] = CELLS(learn_scale)(bank, row, step->x[i], 1);
        }
        norm += (double)(z * z);
        if (z != 0) {
            CELLS(accumulate)(row, z, output, reach + i * LANES, total);
        }
    }
    memcpy(output->reach, total, sizeof total);
    return norm;
}

INLINE double CELLS(learn_many)(struct bank *bank, const struct rf_step *step, struct CELLS(output) * list, REAL *reach,
                                uint32_t outputs) {
    const size_t settled = CELLS(learn_sizes)(bank, step, outputs);
    REAL *scaled = bank->z;
    double norm = 0;
    for (size_t i = 0; i < step->count; i++) {
        REAL *row = CELLS(row)(bank, step->rows[i], outputs);
        REAL z = scaled[i] = i < settled ? scaled[i] : CELLS(learn_scale)(bank, row, step->x[i], outputs);
        norm += (double)(z * z);
        for (uint32_t k = 0; k < outputs && z != 0; k++) {
            CELLS(part) *total = (CELLS(part) *)(void *)list[k].reach;
            CELLS(accumulate)(CELLS(cell)(row, k, outputs), z, &list[k], reach + (i * outputs + k) * LANES, total);
        }
    }
    return norm;
}

INLINE bool CELLS(step)(struct bank *bank, const struct rf_step *given, uint32_t outputs) {
    struct rf_step bounded;
    const struct rf_step *step = rf_adaptive_bound(&bank->adaptive, given, &bounded);
    struct CELLS(output) *list = bank->outputs;
    REAL *reach = bank->reach; // [count][outputs][LANES]
    const double inflation = rf_adaptive_inflation(&bank->adaptive);
    if (!CELLS(start)(step, inflation, list, outputs)) {
        return true;
    }
    const double norm =
            outputs == 1 ? CELLS(learn_one)(bank, step, list, reach) : CELLS(learn_many)(bank, step, list, reach, outputs);
    double mean = rf_adaptive_learn_norm(&bank->adaptive, norm, step->weight);
    for (uint32_t k = 0; k < outputs; k++) {
        CELLS(find_moves)(bank, step, mean, inflation, k, &list[k]);
    }
    const REAL *z = bank->z;
    for (size_t i = 0; i < step->count; i++) {
        REAL *row = CELLS(row)(bank, step->rows[i], outputs);
        for (uint32_t k = 0; k < outputs && z[i] != 0; k++) {
            CELLS(move)(CELLS(cell)(row, k, outputs), reach + (i * outputs + k) * LANES, &list[k]);
        }
    }
    return true;
}

static void CELLS(renew)(struct rf_optimizer *self) {
    struct bank *bank = bank_from(self);
    const uint32_t outputs = self->outputs;
    const REAL deflation = (REAL)rf_adaptive_deflate(&bank->adaptive);
    if (deflation == 1) {
        return;
    }
    for (size_t i = 0; i < self->rows; i++) {
        REAL *row = CELLS(row)(bank, i, outputs);
        if (row[LAST] == 0) {
            continue; // pages never used stay untouched
        }
        rf_block_touch(self->touched, i);
        for (uint32_t k = 0; k < outputs; k++) {
            REAL *a = CELLS(cell)(row, k, outputs) + LANES;
            for (int e = 0; e < RATES; e++) {
                a[e] = CELLS(stored)(a[e] * deflation);
            }
        }
    }
}

// The v and A of one output of a row; beside them are the size and the note, or nothing.
static enum rf_status CELLS(check_cell)(const REAL *cell, bool is_alone, size_t row, struct rf_error *err) {
    for (int at = 0; at < CELLS(CELL); at++) {
        REAL most = at % LANES == LAST ? 0 : CELL_MAX;
        REAL least = at < LANES ? -most : 0;
        if (at % LANES == LAST && is_alone) {
            continue;
        }
        if (!(cell[at] >= least && cell[at] <= most)) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the weights holds %g, must be %g to %g", row, (double)cell[at],
                           (double)least, (double)most);
        }
    }
    return RF_OK;
}

static enum rf_status CELLS(check)(const struct rf_optimizer *self, struct rf_error *err) {
    const struct bank *bank = (const struct bank *)self;
    const uint32_t outputs = self->outputs;
    enum rf_status status = rf_adaptive_check_norms(self, err);
    for (size_t i = 0; i < self->rows && status == RF_OK; i++) {
        REAL *row = CELLS(row)(bank, i, outputs);
        for (uint32_t k = 0; k < outputs && status == RF_OK; k++) {
            status = CELLS(check_cell)(CELLS(cell)(row, k, outputs), outputs == 1, i, err);
        }
        status = status ? status : rf_adaptive_check_row(self, i, (double)row[LAST], *CELLS(note)(row), err);
    }
    return status;
}

static void CELLS(score_any)(const struct rf_optimizer *self, const uint32_t *rows, const double *x, size_t count,
                             double *score_out) {
    const struct bank *bank = (const struct bank *)self;
    if (self->outputs == 1) {
        CELLS(score)(bank, rows, x, count, score_out, 1);
    } else {
        CELLS(score)(bank, rows, x, count, score_out, self->outputs);
    }
}

static bool CELLS(step_any)(struct rf_optimizer *self, const struct rf_step *step, double rate) {
    (void)rate;
    return self->outputs == 1 ? CELLS(step)(bank_from(self), step, 1) : CELLS(step)(bank_from(self), step, self->outputs);
}

static const struct rf_optimizer_ops CELLS(ops) = {
        .name = "adaptive",
        .gather = CELLS(gather),
        .score = CELLS(score_any),
        .advance = CELLS(advance),
        .step = CELLS(step_any),
        .renew = CELLS(renew),
        .reserve = bank_reserve,
        .state = rf_adaptive_state,
        .check = CELLS(check),
        .destroy = bank_destroy,
};

#undef REAL
#undef CELLS
#undef COLUMN
#undef CELL_MAX
#undef CELL_MIN
#undef ROOT
#undef TINY
#undef SMALLER
#undef LARGER
#undef CHOOSE
#undef WITH_LAST
#undef WORD
#undef OF_DOUBLES
#undef MASK
#undef PART
