// The rule of optimizer_adaptive.h where it is run most: single precision, one output, all three parts, power 1/2. Built once for
// each instruction set (see kernels.h). The numbers of a record's features are brought side by side and worked on PART at a time,
// in single precision; every operation is by lane, so that the bits of a result do not depend on PART. Cells are added to one
// after the other: features of a record that share a row all count.
#include "learners/lanes.h"
#include "learners/optimizer_adaptive.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#if defined(RF_KERNELS_AVX2)
#define FAST(name) name##_avx2
#else
#define FAST(name) name##_baseline
#endif

enum { PART = RF_PART_FLOATS, LANES = 8, GROUP = 64 };

#define VALUE_MAX 1e38f
#define SQUARE_MAX 1e30f
#define WEIGHT_MAX 1e30f
#define TINY 1e-30f // added to A under the root: what counts as nothing

typedef rf_floats part;

// The cells of PART features. Where there is no feature: a cell of nothing.
struct block {
    struct rf_adaptive_cell *cell[PART];
};

INLINE struct rf_adaptive_cell *cell_at(const struct rf_adaptive *self, uint32_t row) {
    return (struct rf_adaptive_cell *)(void *)self->base.cells + row;
}

INLINE float bounded(float value, float limit) {
    value = value < limit ? value : limit;
    return value > -limit ? value : -limit;
}

INLINE part cut(part value, float limit) {
    return rf_floats_larger(rf_floats_smaller(value, rf_floats_of(limit)), rf_floats_of(-limit));
}

// The cells and the values from a place on: 0 where there is no feature.
INLINE part block_at(const struct rf_adaptive *self, const uint32_t *rows, const double *x, size_t count, size_t from,
                     struct rf_adaptive_cell *nothing, struct block *block) {
    double rest[PART] = {0};
    if (__builtin_expect(from + PART <= count, 1)) {
        for (size_t lane = 0; lane < PART; lane++) {
            block->cell[lane] = cell_at(self, rows[from + lane]);
        }
        return cut(rf_floats_of_doubles(x + from), VALUE_MAX);
    }
    for (size_t lane = 0; lane < PART; lane++) {
        bool is_used = from + lane < count;
        block->cell[lane] = is_used ? cell_at(self, rows[from + lane]) : nothing;
        rest[lane] = is_used ? x[from + lane] : 0;
    }
    return cut(rf_floats_of_doubles(rest), VALUE_MAX);
}

// The values by the sizes of their features, cut as a prediction cuts them; 0 of a feature not seen yet.
INLINE part scaled(part value, part size) {
    return cut(value / rf_floats_choose(size > 0, size, rf_floats_of(INFINITY)), (float)RF_NORMALISER_CUT);
}

INLINE double total_of(const rf_floats_sums *sums) {
    struct rf_lanes lanes;
    memcpy(&lanes, sums, sizeof lanes);
    return rf_lanes_total(&lanes);
}

#if defined(RF_LANES_AVX2)

// Two cells in one register: those of lanes k and k + 4.
INLINE part pair_of(const struct block *block, size_t k) {
    const __m128 low = _mm_load_ps(&block->cell[k]->weight);
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), _mm_load_ps(&block->cell[k + 4]->weight), 1);
}

INLINE void weights_and_sizes(const struct block *block, part *weight, part *size) {
    part low = _mm256_shuffle_ps(pair_of(block, 0), pair_of(block, 1), 0x88);
    part high = _mm256_shuffle_ps(pair_of(block, 2), pair_of(block, 3), 0x88);
    *weight = _mm256_shuffle_ps(low, high, 0x88);
    *size = _mm256_shuffle_ps(low, high, 0xdd);
}

INLINE void sizes_and_notes(const struct block *block, part *size, rf_floats_bits *note) {
    part low = _mm256_unpackhi_ps(pair_of(block, 0), pair_of(block, 1));
    part high = _mm256_unpackhi_ps(pair_of(block, 2), pair_of(block, 3));
    *size = _mm256_shuffle_ps(low, high, 0x44);
    *note = (rf_floats_bits)_mm256_shuffle_ps(low, high, 0xee);
}

#else

INLINE void weights_and_sizes(const struct block *block, part *weight, part *size) {
    struct rf_adaptive_cell *const *cell = block->cell;
    *weight = (part){cell[0]->weight, cell[1]->weight, cell[2]->weight, cell[3]->weight};
    *size = (part){cell[0]->size, cell[1]->size, cell[2]->size, cell[3]->size};
}

INLINE void sizes_and_notes(const struct block *block, part *size, rf_floats_bits *note) {
    struct rf_adaptive_cell *const *cell = block->cell;
    *size = (part){cell[0]->size, cell[1]->size, cell[2]->size, cell[3]->size};
    *note = (rf_floats_bits){(int32_t)cell[0]->note, (int32_t)cell[1]->note, (int32_t)cell[2]->note, (int32_t)cell[3]->note};
}

#endif

void FAST(rf_adaptive_fast_score)(const struct rf_optimizer *base, const uint32_t *rows, const double *x, size_t count,
                                  double *score_out) {
    const struct rf_adaptive *self = (const struct rf_adaptive *)base;
    struct rf_adaptive_cell nothing = {0};
    rf_floats_sums sums = {{{0}}};
    for (size_t from = 0; from < count; from += LANES) {
#pragma GCC unroll 2
        for (size_t half = 0; half < LANES; half += PART) {
            struct block block;
            part value = block_at(self, rows, x, count, from + half, &nothing, &block), weight, size;
            weights_and_sizes(&block, &weight, &size);
            rf_floats_add_to(&sums, half, weight * scaled(value, size));
        }
    }
    score_out[0] = total_of(&sums);
}

// Learns the size of a feature whose size or note a value changes, and returns its z; 0: nothing is to be learned from it. What
// a feature goes through at its first values stands here, the rest where it is written for all.
INLINE float learn_size(const struct rf_adaptive *self, struct rf_adaptive_cell *cell, float value, bool *is_rescaled) {
    const float size = fabsf(value), before = cell->size;
    const uint32_t note = cell->note;
    if (size >= (float)RF_NORMALISER_MIN && before == 0) {
        cell->size = size;
        cell->note = 0;
        return value / size;
    }
    float reach = size * (note & RF_NORMALISER_CONFIRMED ? (float)RF_NORMALISER_SMALL : (float)RF_NORMALISER_CUT);
    if (size >= (float)RF_NORMALISER_MIN && size <= before && reach >= before) {
        cell->note = (note & RF_NORMALISER_HELD) | RF_NORMALISER_CONFIRMED;
        return value / before;
    }
    bool is_learned = rf_adaptive_learn_size(self, cell, value);
    *is_rescaled |= before > 0 && cell->size != before;
    return is_learned ? bounded(value / cell->size, (float)RF_NORMALISER_CUT) : 0;
}

// Bit `lane` of the result: the value may change the size of its feature, or the note.
INLINE uint64_t unsettled(part value, part size, rf_floats_bits note) {
    const part large = rf_floats_larger(value, -value);
    const rf_floats_bits confirmed = (note & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_RUN)) == RF_NORMALISER_CONFIRMED;
    const rf_floats_bits is_settled = (large <= size) & (large * (float)RF_NORMALISER_SMALL >= size) & confirmed;
    return rf_floats_mask(~(is_settled | (value == 0)));
}

// Learns the sizes of all features, and fills self->value and self->scaled.
INLINE void learn_sizes(struct rf_adaptive *self, const struct rf_step *step) {
    struct rf_adaptive_cell nothing = {0};
    const size_t count = step->count;
    bool is_rescaled = false;
    for (size_t group = 0; group < count; group += GROUP) {
        uint64_t changes = 0;
        for (size_t from = group; from < count && from < group + GROUP; from += PART) {
            struct block block;
            part value = block_at(self, step->rows, step->x, count, from, &nothing, &block), size;
            rf_floats_bits note;
            sizes_and_notes(&block, &size, &note);
            changes |= unsettled(value, size, note) << (from - group);
            rf_floats_store(self->value + from, value);
            rf_floats_store(self->scaled + from, scaled(value, size));
        }
        for (; changes; changes &= changes - 1) {
            size_t i = group + (size_t)__builtin_ctzll(changes);
            self->scaled[i] = learn_size(self, cell_at(self, step->rows[i]), self->value[i], &is_rescaled);
        }
    }
    for (size_t i = 0; i < count && is_rescaled; i++) { // another feature of the record may have moved that of this row
        float size = cell_at(self, step->rows[i])->size;
        self->scaled[i] = self->scaled[i] != 0 ? bounded(self->value[i] / size, (float)RF_NORMALISER_CUT) : 0;
    }
}

// Adds to the A of each cell, one after the other, and fills self->reach with z / sqrt(A). `added` is i g^2.
INLINE void learn_squares(struct rf_adaptive *self, const struct rf_step *step, float added, rf_floats_sums *reach,
                          rf_floats_sums *norm) {
    const size_t count = step->count;
    float *more = self->value, *square = self->reach;
    for (size_t from = 0; from < count; from += PART) {
        const part z = rf_floats_load(self->scaled + from);
        rf_floats_store(more + from, added * (z * z));
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        struct rf_adaptive_cell *cell = cell_at(self, step->rows[i]);
        float sum = cell->square + more[i];
        square[i] = cell->square = sum < SQUARE_MAX ? sum : SQUARE_MAX;
    }
    for (size_t i = count; i % LANES; i++) {
        self->scaled[i] = square[i] = 0;
    }
    for (size_t from = 0; from < count; from += LANES) {
#pragma GCC unroll 2
        for (size_t half = 0; half < LANES; half += PART) {
            const part z = rf_floats_load(self->scaled + from + half);
            const part far = z / rf_floats_root(rf_floats_load(square + from + half) + TINY);
            rf_floats_store(self->reach + from + half, far);
            rf_floats_add_to(reach, half, z * far);
            rf_floats_add_to(norm, half, z * z);
        }
    }
}

bool FAST(rf_adaptive_fast_step)(struct rf_optimizer *base, const struct rf_step *given, double rate) {
    struct rf_adaptive *self = (struct rf_adaptive *)base;
    struct rf_step bounds;
    const struct rf_step *step = rf_adaptive_bound(self, given, &bounds);
    const double inflation = rf_adaptive_inflation(self);
    const double square = step->gradient[0] * step->gradient[0] / step->weight * inflation;
    const float added = (float)fmin(square, (double)SQUARE_MAX / 16);
    if (step->gradient[0] == 0) {
        return true;
    }
    rf_floats_sums reach = {{{0}}}, norm = {{{0}}};
    learn_sizes(self, step);
    learn_squares(self, step, added, &reach, &norm);
    double mean = rf_adaptive_learn_norm(self, total_of(&norm), step->weight);
    double total = total_of(&reach);
    double h = rate * step->weight * total * sqrt(inflation) * mean;
    double change = total > 1e-30 ? rf_adaptive_change(self, step, 0, step->score[0], step->gradient[0], h) / total : 0;
    const float move = bounded((float)change, WEIGHT_MAX);
    for (size_t from = 0; from < step->count; from += PART) {
        rf_floats_store(self->reach + from, move * rf_floats_load(self->reach + from));
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < step->count; i++) {
        struct rf_adaptive_cell *cell = cell_at(self, step->rows[i]);
        cell->weight = bounded(cell->weight + self->reach[i], WEIGHT_MAX);
    }
    return true;
}
