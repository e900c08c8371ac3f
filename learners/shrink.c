#include "learners/shrink.h"
#include "learners/table.h"
#include "proto/math.h"

#include <assert.h>
#include <stdlib.h>

struct block_sum {
    double before;   // sum of what the steps from the start of the span to this block add
    double one_step; // what each of its steps adds
};

enum { BLOCKS_MAX = RF_CATCH_UP_STEPS_MAX / RF_RATE_BLOCK + 2 };

struct rf_shrink_sums {
    struct rf_rate rate;
    struct block_sum *block; // [BLOCKS_MAX], filled as far as needed
    size_t known;
    uint64_t first_block; // of the span the sums are for
};

// The logarithm of the factor under L2, else the threshold.
static double one_step(double l1, double l2, double rate) {
    return l2 > 0 ? rf_log1p(-rate * l2) : l1 * rate;
}

// The sum from the start of the span to `step`.
static double sum_before(const struct rf_shrinking *shrinking, uint64_t step) {
    struct rf_shrink_sums *sums = shrinking->sums;
    uint64_t index = step / RF_RATE_BLOCK - sums->first_block;
    assert(index < BLOCKS_MAX);
    while (sums->known <= index) {
        struct block_sum *block = &sums->block[sums->known];
        uint64_t first_step = (sums->first_block + sums->known) * RF_RATE_BLOCK;
        block->before = sums->known == 0 ? 0 : block[-1].before + RF_RATE_BLOCK * block[-1].one_step;
        block->one_step = one_step(shrinking->l1, shrinking->l2, rf_rate_at(&sums->rate, first_step));
        sums->known++;
    }
    return sums->block[index].before + (double)(step % RF_RATE_BLOCK) * sums->block[index].one_step;
}

static double sum_between(const struct rf_shrinking *shrinking, uint64_t start, uint64_t from, uint64_t to) {
    struct rf_shrink_sums *sums = shrinking->sums;
    if (!sums) {
        return (double)(to - from) * shrinking->one_step;
    }
    if (sums->first_block != start / RF_RATE_BLOCK) {
        sums->first_block = start / RF_RATE_BLOCK;
        sums->known = 0;
    }
    return sum_before(shrinking, to) - sum_before(shrinking, from);
}

struct rf_shrink rf_shrinking_between(const struct rf_shrinking *shrinking, uint64_t start, uint64_t from, uint64_t to) {
    if (from == to || (shrinking->l1 == 0 && shrinking->l2 == 0)) {
        return (struct rf_shrink){.factor = 1};
    }
    double sum = sum_between(shrinking, start, from, to);
    if (shrinking->l2 == 0) {
        return (struct rf_shrink){.factor = 1, .threshold = sum};
    }
    double threshold = shrinking->l1 > 0 ? shrinking->l1 / shrinking->l2 * -rf_expm1(sum) : 0;
    return (struct rf_shrink){.factor = rf_exp(sum), .threshold = threshold};
}

void rf_shrinking_finish(struct rf_shrinking *shrinking) {
    if (shrinking->sums) {
        rf_table_destroy(shrinking->sums->block, BLOCKS_MAX * sizeof *shrinking->sums->block);
        free(shrinking->sums);
        shrinking->sums = NULL;
    }
}

enum rf_status rf_shrinking_init(struct rf_shrinking *shrinking, const struct rf_rate *rate, double l1, double l2,
                                 struct rf_error *err) {
    if (l1 > 0 && rate->first * l2 < 1e-30) {
        l2 = 0; // moves no bit of a weight, and l1 / l2 might overflow
    }
    *shrinking = (struct rf_shrinking){.l1 = l1, .l2 = l2};
    if (!rf_rate_varies(rate)) {
        shrinking->is_power = l1 == 0 && l2 > 0;
        shrinking->one_step = one_step(l1, l2, rate->first);
        rf_powers_init(&shrinking->power, 1 - rate->first * l2);
        return RF_OK;
    }
    if (l1 == 0 && l2 == 0) {
        return RF_OK;
    }
    shrinking->sums = calloc(1, sizeof *shrinking->sums);
    if (!shrinking->sums) {
        return rf_fail(err, RF_MEMORY, "out of memory for the sums of a rate");
    }
    void *blocks = NULL;
    if (rf_table_create(BLOCKS_MAX * sizeof *shrinking->sums->block, &blocks, err) != RF_OK) {
        rf_shrinking_finish(shrinking);
        return err->status;
    }
    shrinking->sums->rate = *rate;
    shrinking->sums->block = blocks;
    return RF_OK;
}
