// The rule of optimizer_adaptive.h where it is run most: single precision, one output, all three parts, power 1/2. Features
// are worked on eight at a time, their numbers in lanes of single precision; every operation is by lane, so that the bits of a
// result do not depend on how many lanes an instruction takes. The cells of a block are read, and added to, one after the
// other: features of a record that share a row all count.
#include "learners/optimizer_adaptive.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_bits __attribute__((vector_size(16)));

enum { LANES = 8 };

#define ALL(value) ((four){value, value, value, value})
#define VALUE_MAX 1e38f
#define SQUARE_MAX 1e30f
#define WEIGHT_MAX 1e30f
#define TINY 1e-30f // added to A under the root: what counts as nothing

// The cells of up to four features, and their values. Where there is no feature: a cell of nothing, and 0.
struct block {
    struct rf_adaptive_cell *cell[4];
    four value;
};

INLINE struct rf_adaptive_cell *cell_at(const struct rf_adaptive *self, uint32_t row) {
    return (struct rf_adaptive_cell *)(void *)self->base.cells + row;
}

INLINE float bounded(float value, float limit) {
    value = value < limit ? value : limit;
    return value > -limit ? value : -limit;
}

INLINE four choose(four_bits mask, four yes, four no) {
    return (four)(((four_bits)yes & mask) | ((four_bits)no & ~mask));
}

INLINE four cut(four value, float limit) {
    value = choose(value < limit, value, ALL(limit));
    return choose(value > -limit, value, ALL(-limit));
}

INLINE struct block block_at(const struct rf_adaptive *self, const uint32_t *rows, const double *x, size_t count, size_t from,
                             struct rf_adaptive_cell *nothing) {
    struct block block;
    if (__builtin_expect(from + 4 <= count, 1)) {
        block.cell[0] = cell_at(self, rows[from]);
        block.cell[1] = cell_at(self, rows[from + 1]);
        block.cell[2] = cell_at(self, rows[from + 2]);
        block.cell[3] = cell_at(self, rows[from + 3]);
        block.value = (four){(float)x[from], (float)x[from + 1], (float)x[from + 2], (float)x[from + 3]};
    } else {
        float value[4] = {0};
        for (size_t lane = 0; lane < 4; lane++) {
            bool is_used = from + lane < count;
            block.cell[lane] = is_used ? cell_at(self, rows[from + lane]) : nothing;
            value[lane] = is_used ? (float)x[from + lane] : 0;
        }
        block.value = (four){value[0], value[1], value[2], value[3]};
    }
    block.value = cut(block.value, VALUE_MAX);
    return block;
}

// The values by the sizes of their features, cut as a prediction cuts them; 0 of a feature not seen yet.
INLINE four scaled(const struct block *block) {
    four size = {block->cell[0]->size, block->cell[1]->size, block->cell[2]->size, block->cell[3]->size};
    return cut(block->value / choose(size > 0, size, ALL(INFINITY)), (float)RF_NORMALISER_CUT);
}

typedef double two __attribute__((vector_size(16)));

struct sums { // in eight lanes, by the place of a feature modulo 8
    two lane[LANES / 2];
};

INLINE double total_of(const struct sums *sums) {
    struct rf_lanes lanes;
    memcpy(&lanes, sums, sizeof lanes);
    return rf_lanes_total(&lanes);
}

INLINE void add_to(struct sums *sums, size_t part, four value) {
    sums->lane[2 * part] += (two){(double)value[0], (double)value[1]};
    sums->lane[2 * part + 1] += (two){(double)value[2], (double)value[3]};
}

INLINE void score_block(const struct block *block, size_t part, struct sums *sums) {
    four weight = {block->cell[0]->weight, block->cell[1]->weight, block->cell[2]->weight, block->cell[3]->weight};
    add_to(sums, part, weight * scaled(block));
}

void rf_adaptive_fast_score(const struct rf_optimizer *base, const uint32_t *rows, const double *x, size_t count,
                            double *score_out) {
    const struct rf_adaptive *self = (const struct rf_adaptive *)base;
    struct rf_adaptive_cell nothing = {0};
    struct sums sums = {{{0}}};
    for (size_t from = 0; from < count; from += LANES) {
        const struct block low = block_at(self, rows, x, count, from, &nothing);
        const struct block high = block_at(self, rows, x, count, from + 4, &nothing);
        score_block(&low, 0, &sums);
        score_block(&high, 1, &sums);
    }
    score_out[0] = total_of(&sums);
}

// Learns the size of one feature, and returns its value; 0: nothing is to be learned from it.
INLINE float learn_size(const struct rf_adaptive *self, struct rf_adaptive_cell *cell, float value) {
    float size = fabsf(value);
    bool is_settled = size <= cell->size && size * (float)RF_NORMALISER_SMALL >= cell->size &&
                      (cell->note & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_RUN)) == RF_NORMALISER_CONFIRMED;
    if (__builtin_expect(is_settled, 1) || value == 0) {
        return value;
    }
    return rf_adaptive_learn_size(self, cell, value) ? value : 0;
}

INLINE float accumulate(struct rf_adaptive_cell *cell, float added) {
    float square = cell->square + added;
    return cell->square = square < SQUARE_MAX ? square : SQUARE_MAX;
}

// Learns sizes, then adds to the A of each cell, one after the other, and keeps z / sqrt(A).
INLINE void learn_block(const struct rf_adaptive *self, struct block *block, float added, size_t part, float *reach_out,
                        struct sums *reach, struct sums *norm) {
    struct rf_adaptive_cell *const *cell = block->cell;
    const four value = block->value;
    block->value = (four){learn_size(self, cell[0], value[0]), learn_size(self, cell[1], value[1]),
                          learn_size(self, cell[2], value[2]), learn_size(self, cell[3], value[3])};
    const four z = scaled(block);
    const four more = added * (z * z);
    four square;
    square[0] = accumulate(cell[0], more[0]);
    square[1] = accumulate(cell[1], more[1]);
    square[2] = accumulate(cell[2], more[2]);
    square[3] = accumulate(cell[3], more[3]);
    square += TINY;
    const four far = z / (four){sqrtf(square[0]), sqrtf(square[1]), sqrtf(square[2]), sqrtf(square[3])};
    memcpy(reach_out, &far, sizeof far);
    add_to(reach, part, z * far);
    add_to(norm, part, z * z);
}

bool rf_adaptive_fast_step(struct rf_optimizer *base, const struct rf_step *given, double rate) {
    struct rf_adaptive *self = (struct rf_adaptive *)base;
    struct rf_step bounds;
    const struct rf_step *step = rf_adaptive_bound(self, given, &bounds);
    const double inflation = rf_adaptive_inflation(self);
    const double square = step->gradient[0] * step->gradient[0] / step->weight * inflation;
    const float added = (float)fmin(square, (double)SQUARE_MAX / 16);
    struct rf_adaptive_cell nothing = {0};
    if (step->gradient[0] == 0) {
        return true;
    }
    struct sums reach = {{{0}}}, norm = {{{0}}};
    for (size_t from = 0; from < step->count; from += LANES) {
        struct block low = block_at(self, step->rows, step->x, step->count, from, &nothing);
        struct block high = block_at(self, step->rows, step->x, step->count, from + 4, &nothing);
        learn_block(self, &low, added, 0, self->reach + from, &reach, &norm);
        learn_block(self, &high, added, 1, self->reach + from + 4, &reach, &norm);
    }
    double mean = rf_adaptive_learn_norm(self, total_of(&norm), step->weight);
    double total = total_of(&reach);
    double h = rate * step->weight * total * sqrt(inflation) * mean;
    double change = total > 1e-30 ? rf_adaptive_change(self, step, 0, step->score[0], step->gradient[0], h) / total : 0;
    const float move = bounded((float)change, WEIGHT_MAX);
    for (size_t i = 0; i < step->count; i++) {
        struct rf_adaptive_cell *cell = cell_at(self, step->rows[i]);
        cell->weight = bounded(cell->weight + move * self->reach[i], WEIGHT_MAX);
    }
    return true;
}
