#include "learners/catch_up.h"
#include "learners/table.h"
#include "proto/math.h"

#include <assert.h>
#include <stdlib.h>

void rf_powers_init(struct rf_powers *powers, double factor) {
    for (size_t level = 0; level < RF_CATCH_UP_LEVELS; level++) {
        double power = 1;
        for (size_t k = 0; k < RF_CATCH_UP_BASE; k++) {
            powers->power[level][k] = power;
            power *= factor;
        }
        factor = power;
    }
}

static struct rf_motion after(struct rf_motion second, struct rf_motion first) {
    return (struct rf_motion){
            .ww = second.ww * first.ww + second.wv * first.vw,
            .wv = second.ww * first.wv + second.wv * first.vv,
            .vw = second.vw * first.ww + second.vv * first.vw,
            .vv = second.vw * first.wv + second.vv * first.vv,
    };
}

void rf_motion_powers_init(struct rf_motion_powers *powers, struct rf_motion motion) {
    for (size_t level = 0; level < RF_CATCH_UP_LEVELS; level++) {
        struct rf_motion power = {.ww = 1, .vv = 1};
        for (size_t k = 0; k < RF_CATCH_UP_BASE; k++) {
            powers->power[level][k] = power;
            power = after(motion, power);
        }
        motion = power;
    }
}

struct block_sum {
    double before;   // sum of the logarithms from the start of the span to this block
    double one_step; // logarithm of the factor of each of its steps
};

enum { BLOCKS_MAX = RF_CATCH_UP_STEPS_MAX / RF_RATE_BLOCK + 2 };

struct rf_decay_sums {
    struct rf_rate rate;
    double l2;
    struct block_sum *block; // [BLOCKS_MAX], filled as far as needed
    size_t known;
    uint64_t first_block; // of the span the sums are for
};

// The sum of the logarithms from the start of the span to `step`.
static double sum_before(struct rf_decay_sums *sums, uint64_t step) {
    uint64_t index = step / RF_RATE_BLOCK - sums->first_block;
    assert(index < BLOCKS_MAX);
    while (sums->known <= index) {
        struct block_sum *block = &sums->block[sums->known];
        uint64_t first_step = (sums->first_block + sums->known) * RF_RATE_BLOCK;
        block->before = sums->known == 0 ? 0 : block[-1].before + RF_RATE_BLOCK * block[-1].one_step;
        block->one_step = rf_log1p(-rf_rate_at(&sums->rate, first_step) * sums->l2);
        sums->known++;
    }
    return sums->block[index].before + (double)(step % RF_RATE_BLOCK) * sums->block[index].one_step;
}

double rf_decay_sums_product(struct rf_decay_sums *sums, uint64_t start, uint64_t from, uint64_t to) {
    if (sums->first_block != start / RF_RATE_BLOCK) {
        sums->first_block = start / RF_RATE_BLOCK;
        sums->known = 0;
    }
    return rf_exp(sum_before(sums, to) - sum_before(sums, from));
}

void rf_decay_sums_destroy(struct rf_decay_sums *sums) {
    if (sums) {
        rf_table_destroy(sums->block, BLOCKS_MAX * sizeof *sums->block);
        free(sums);
    }
}

enum rf_status rf_decay_sums_create(const struct rf_rate *rate, double l2, struct rf_decay_sums **sums_out,
                                    struct rf_error *err) {
    struct rf_decay_sums *sums = calloc(1, sizeof *sums);
    void *blocks = NULL;
    if (!sums) {
        return rf_fail(err, RF_MEMORY, "out of memory for the sums of a decaying rate");
    }
    if (rf_table_create(BLOCKS_MAX * sizeof *sums->block, &blocks, err) != RF_OK) {
        rf_decay_sums_destroy(sums);
        return err->status;
    }
    sums->rate = *rate;
    sums->l2 = l2;
    sums->block = blocks;
    *sums_out = sums;
    return RF_OK;
}
