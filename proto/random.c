#include "proto/random.h"

#include "proto/math.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 uint128;

void rf_random_init(struct rf_random *random, uint64_t seed) {
    uint64_t state = seed;
    for (int i = 0; i < 4; i++) {
        random->state[i] = rf_splitmix64(&state);
    }
}

static inline uint64_t rotate(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

uint64_t rf_random_next(struct rf_random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

// The high half of number * bound, without those low halves that would favour some results (Lemire, 2019).
uint64_t rf_random_below(struct rf_random *random, uint64_t bound) {
    assert(bound > 0);
    uint128 product = (uint128)rf_random_next(random) * bound;
    if ((uint64_t)product < bound) {
        uint64_t surplus = -bound % bound; // 2^64 modulo bound
        while ((uint64_t)product < surplus) {
            product = (uint128)rf_random_next(random) * bound;
        }
    }
    return (uint64_t)(product >> 64);
}

double rf_random_uniform(struct rf_random *random) {
    return (double)(rf_random_next(random) >> 11) * 0x1p-53;
}

// Of the pair that the polar method gives the second is dropped: the state stays four words.
double rf_random_normal(struct rf_random *random) {
    double x, y, square;
    do {
        x = 2 * rf_random_uniform(random) - 1;
        y = 2 * rf_random_uniform(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * sqrt(-2 * rf_log(square) / square);
}

uint32_t rf_random_poisson(struct rf_random *random, double mean) {
    assert(mean >= 0 && mean <= 500);
    double bound = rf_exp(-mean);
    double product = rf_random_uniform(random);
    uint32_t count = 0;
    while (product > bound) {
        product *= rf_random_uniform(random);
        count++;
    }
    return count;
}
