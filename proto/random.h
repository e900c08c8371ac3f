#ifndef RF_PROTO_RANDOM_H
#define RF_PROTO_RANDOM_H
#include <stdint.h>

// xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64. The same seed gives the same numbers on every
// machine, for ever. State is plain bytes, so that it can stand in a block.
struct rf_random {
    uint64_t state[4];
};

// One step of splitmix64 (Steele, Lea and Flood, 2014): a well-mixed number for every state, which it advances.
static inline uint64_t rf_splitmix64(uint64_t *state) {
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

void rf_random_init(struct rf_random *random, uint64_t seed);
uint64_t rf_random_next(struct rf_random *random);
uint64_t rf_random_below(struct rf_random *random, uint64_t bound); // uniform in [0, bound), bound > 0, without bias
double rf_random_uniform(struct rf_random *random);                 // [0, 1), 53 bits
double rf_random_normal(struct rf_random *random);                  // mean 0, variance 1 (Marsaglia's polar method)
uint32_t rf_random_poisson(struct rf_random *random, double mean);  // Knuth's product method; 0 <= mean <= 500

#endif
