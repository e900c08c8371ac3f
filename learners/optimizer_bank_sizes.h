// The part of optimizer_bank_cells.h, which includes it, that is about the sizes of features: what values become in a score, and
// how sizes are learned. No include guard, on purpose.

// Fills the z of a record's values as they enter a score, and what of their cells decides whether they change a size. What lies
// behind the last value is worked on too, and means nothing.
INLINE void CELLS(scale)(const struct bank *bank, const uint32_t *rows, const double *x, size_t count, uint32_t outputs,
                         bool learns) {
    const REAL most = bank->adaptive.options.resistant ? (REAL)RF_NORMALISER_CUT : CELL_MAX;
    REAL *size = bank->size, *value = bank->value, *z = bank->z;
    WORD *note = bank->note;
    size_t next = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        REAL *row = CELLS(row)(bank, rows[i], outputs);
        size[i] = row[LAST];
        if (learns) {
            note[i] = (WORD)*CELLS(note)(row);
        }
    }
    for (; next + PART <= count; next += PART) {
        CELLS(store)(value + next, CELLS(within)(OF_DOUBLES(x + next), (REAL)RF_NORMALISER_MAX));
    }
    for (; next < count; next++) {
        value[next] = CELLS(value)(x[next]);
    }
    for (size_t i = 0; i < count; i += PART) {
        const CELLS(part) all = CELLS(load)(size + i), zeros = {0};
        CELLS(store)(z + i, CELLS(within)(CELLS(load)(value + i) / CHOOSE(all > zeros, all, CELLS(all)(INFINITY)), most));
    }
}

static __attribute__((noinline)) void CELLS(rescale)(REAL *row, double now, uint32_t outputs) {
    double ratio = (double)row[LAST] / now;
    REAL factor = (REAL)(ratio > 1 ? 1 / ratio : 1), squared = (REAL)(ratio < 1 ? ratio * ratio : 1);
    for (uint32_t k = 0; k < outputs && ratio > 0; k++) {
        REAL *cell = CELLS(cell)(row, k, outputs);
        for (int e = 0; e < RATES; e++) {
            cell[e] = CELLS(stored)(cell[e] * factor);
            cell[LANES + e] = CELLS(stored)(cell[LANES + e] * squared);
        }
    }
    row[LAST] = (REAL)now;
}

static __attribute__((noinline)) void CELLS(learn_unsettled)(const struct bank *bank, REAL *row, REAL value, uint32_t outputs) {
    double before = (double)row[LAST];
    double size = rf_adaptive_size(&bank->adaptive, before, CELLS(note)(row), fabs((double)value));
    if (size != before) {
        CELLS(rescale)(row, size, outputs);
    }
}

// Learns the size of a value, and returns its z; 0: nothing is to be learned from it.
INLINE REAL CELLS(learn_scale)(const struct bank *bank, REAL *row, double x, uint32_t outputs) {
    const bool is_resistant = bank->adaptive.options.resistant;
    REAL value = CELLS(value)(x), size = value < 0 ? -value : value;
    bool is_settled = size <= row[LAST] && size * (REAL)RF_NORMALISER_SMALL >= row[LAST] &&
                      (*CELLS(note)(row) & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_RUN)) == RF_NORMALISER_CONFIRMED;
    if (__builtin_expect(!is_settled, 0)) {
        CELLS(learn_unsettled)(bank, row, value, outputs);
    }
    bool is_held = is_resistant && size > (REAL)RF_NORMALISER_CUT * row[LAST];
    REAL z = is_held ? 0 : CELLS(scaled)(value, row[LAST], is_resistant);
    return z * z < (REAL)RF_ADAPTIVE_SQUARE_MIN ? 0 : z;
}

// A feature's first two values, whose effect on its cell does not depend on what of it is learned before. False: it is another.
INLINE bool CELLS(learn_first_values)(REAL *row, REAL value, REAL *z_out) {
    const REAL large = value < 0 ? -value : value, before = row[LAST];
    uint32_t *note = CELLS(note)(row);
    REAL reach = large * (*note & RF_NORMALISER_CONFIRMED ? (REAL)RF_NORMALISER_SMALL : (REAL)RF_NORMALISER_CUT);
    if (!(large >= (REAL)RF_NORMALISER_MIN) || !(before == 0 || (large <= before && reach >= before))) {
        return false;
    }
    *note = before == 0 ? 0 : (*note & RF_NORMALISER_HELD) | RF_NORMALISER_CONFIRMED;
    row[LAST] = before == 0 ? large : before;
    *z_out = value / row[LAST];
    return true;
}

// Bit `lane` of the result: the value may change the size of its feature, or the note.
INLINE uint64_t CELLS(changes)(const struct bank *bank, size_t i) {
    const CELLS(part) value = CELLS(load)((REAL *)bank->value + i), size = CELLS(load)((REAL *)bank->size + i);
    const CELLS(part) large = LARGER(value, -value);
    const CELLS(words) note = *(const CELLS(words) *)(const void *)((WORD *)bank->note + i);
    const CELLS(words) is_settled = (large <= size) & (large * (REAL)RF_NORMALISER_SMALL >= size) &
                                    ((note & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_RUN)) == RF_NORMALISER_CONFIRMED);
    return MASK(~(is_settled | (value == 0)));
}

// Learns the sizes of a record's values up to the first that does more to its feature than first values do, and returns its
// place: up to there the z of all are right.
INLINE size_t CELLS(learn_sizes)(const struct bank *bank, const struct rf_step *step, uint32_t outputs) {
    const REAL *value = bank->value;
    REAL *z = bank->z;
    const size_t count = step->count;
    CELLS(scale)(bank, step->rows, step->x, count, outputs, true);
    for (size_t group = 0; group < count; group += GROUP) {
        uint64_t changes = 0;
        for (size_t i = group; i < count && i < group + GROUP; i += PART) {
            changes |= CELLS(changes)(bank, i) << (i - group);
        }
        for (; changes; changes &= changes - 1) {
            const size_t i = group + (size_t)__builtin_ctzll(changes);
            if (i >= count) {
                break;
            }
            REAL *row = CELLS(row)(bank, step->rows[i], outputs);
            if (!bank->adaptive.options.resistant || !CELLS(learn_first_values)(row, value[i], &z[i])) {
                return i;
            }
        }
    }
    return count;
}
