#ifndef RF_LEARNERS_NORMALISER_H
#define RF_LEARNERS_NORMALISER_H
// How large the values of a feature are, so that a learner works on x / size. The largest |x| seen, as of old (Ross, Mineiro
// and Langford, 2013: "Normalized online learning"), but one that a lone extreme does not move:
//
//   - A value up to four times the size, and above it, is the new size at once.
//   - A value beyond that is held back: nothing is learned from it, and it is kept in mind. The next such value makes the
//     smaller of the two the size. (The first value of all has nothing to be measured by; it is the size.)
//   - After 64 values in a row below 1/256 of the size, the size is the largest of them. Until a second value has confirmed
//     the first (to a factor of 4), 16 values below a quarter do.
//
// In a prediction |x / size| counts as at most 4. What is kept in mind fits 32 bits: values as powers of two.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RF_NORMALISER_CUT 4.0     // of |x / size|
#define RF_NORMALISER_MAX 1e38    // a value counts as at most this
#define RF_NORMALISER_MIN 1e-37   // and below this as nothing
#define RF_NORMALISER_SMALL 256.0 // below 1 / this of the size, a value speaks against it

enum {
    RF_NORMALISER_CONFIRMED = 1 << 30,
    RF_NORMALISER_RUN = 0xff,       // how many small values in a row
    RF_NORMALISER_LARGEST = 0xff00, // of them, as a power
    RF_NORMALISER_HELD = 0xff0000,  // the largest value held back, as a power
    RF_NORMALISER_ALL = RF_NORMALISER_CONFIRMED | 0xffffff,
};

// The power of two at or above a value within the bounds, in 8 bits; and back.
static inline uint32_t rf_normaliser_power(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits += 0xfffffffffffff;
    return (uint32_t)(bits >> 52) - (1023 - 127);
}

static inline double rf_normaliser_value(uint32_t power) {
    uint64_t bits = (uint64_t)(power + (1023 - 127)) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Whether a value changes nothing: most do.
static inline bool rf_normaliser_is_settled(double size, uint32_t note, double value) {
    return value <= size && value * RF_NORMALISER_SMALL >= size &&
           (note & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_RUN)) == RF_NORMALISER_CONFIRMED;
}

// Learns |x|, from RF_NORMALISER_MIN to RF_NORMALISER_MAX, and returns the size as it is now; 0: as it was. A value above
// RF_NORMALISER_CUT times that is held back.
double rf_normaliser_learn(double size, uint32_t *note, double value);

#endif
