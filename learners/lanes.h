#ifndef RF_LEARNERS_LANES_H
#define RF_LEARNERS_LANES_H
// As many numbers of single precision as a register holds: eight under AVX2, four elsewhere. For files built once for each
// instruction set. Every operation is by lane and exact by IEEE 754, so that the bits of a result do not depend on the width.
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX2__)
#define RF_LANES_AVX2
#include <immintrin.h>
#elif defined(__SSE2__)
#define RF_LANES_SSE2
#include <emmintrin.h>
#endif

#if defined(RF_LANES_AVX2)
enum { RF_PART_FLOATS = 8 };
#else
enum { RF_PART_FLOATS = 4 };
#endif

typedef float rf_floats __attribute__((vector_size(4 * RF_PART_FLOATS)));
typedef int32_t rf_floats_bits __attribute__((vector_size(4 * RF_PART_FLOATS)));
typedef double rf_doubles __attribute__((vector_size(4 * RF_PART_FLOATS)));
typedef int64_t rf_doubles_bits __attribute__((vector_size(4 * RF_PART_FLOATS)));

// Sums in eight lanes of doubles, by the place of a number modulo 8.
typedef struct {
    rf_doubles lane[16 / RF_PART_FLOATS];
} rf_floats_sums;

#define RF_LANES_INLINE static inline __attribute__((always_inline))

RF_LANES_INLINE rf_floats rf_floats_of(float value) {
    return value - (rf_floats){0};
}

RF_LANES_INLINE rf_floats rf_floats_load(const float *from) {
    rf_floats value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

RF_LANES_INLINE void rf_floats_store(float *to, rf_floats value) {
    __builtin_memcpy(to, &value, sizeof value);
}

RF_LANES_INLINE rf_floats rf_floats_choose(rf_floats_bits mask, rf_floats yes, rf_floats no) {
#if defined(RF_LANES_AVX2)
    return _mm256_blendv_ps(no, yes, (rf_floats)mask);
#else
    return (rf_floats)(((rf_floats_bits)yes & mask) | ((rf_floats_bits)no & ~mask));
#endif
}

// a < b ? a : b and a > b ? a : b.
RF_LANES_INLINE rf_floats rf_floats_smaller(rf_floats a, rf_floats b) {
#if defined(RF_LANES_AVX2)
    return _mm256_min_ps(a, b);
#elif defined(RF_LANES_SSE2)
    return _mm_min_ps(a, b);
#else
    return rf_floats_choose(a < b, a, b);
#endif
}

RF_LANES_INLINE rf_floats rf_floats_larger(rf_floats a, rf_floats b) {
#if defined(RF_LANES_AVX2)
    return _mm256_max_ps(a, b);
#elif defined(RF_LANES_SSE2)
    return _mm_max_ps(a, b);
#else
    return rf_floats_choose(a > b, a, b);
#endif
}

RF_LANES_INLINE rf_floats rf_floats_root(rf_floats a) {
#if defined(RF_LANES_AVX2)
    return _mm256_sqrt_ps(a);
#elif defined(RF_LANES_SSE2)
    return _mm_sqrt_ps(a);
#else
    for (int lane = 0; lane < RF_PART_FLOATS; lane++) {
        a[lane] = __builtin_sqrtf(a[lane]);
    }
    return a;
#endif
}

// a, but the last lane that of b.
RF_LANES_INLINE rf_floats rf_floats_with_last(rf_floats a, rf_floats b) {
#if defined(RF_LANES_AVX2)
    return _mm256_blend_ps(a, b, 0x80);
#else
    return rf_floats_choose((rf_floats_bits){0, 0, 0, -1}, b, a);
#endif
}

// The same for doubles.

RF_LANES_INLINE uint32_t rf_doubles_mask(rf_doubles_bits mask) {
#if defined(RF_LANES_AVX2)
    return (uint32_t)_mm256_movemask_pd((rf_doubles)mask);
#elif defined(RF_LANES_SSE2)
    return (uint32_t)_mm_movemask_pd((rf_doubles)mask);
#else
    return (uint32_t)(mask[0] != 0) | (uint32_t)(mask[1] != 0) << 1;
#endif
}

RF_LANES_INLINE rf_doubles rf_doubles_of_doubles(const double *from) {
    rf_doubles value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

RF_LANES_INLINE rf_doubles rf_doubles_choose(rf_doubles_bits mask, rf_doubles yes, rf_doubles no) {
#if defined(RF_LANES_AVX2)
    return _mm256_blendv_pd(no, yes, (rf_doubles)mask);
#else
    return (rf_doubles)(((rf_doubles_bits)yes & mask) | ((rf_doubles_bits)no & ~mask));
#endif
}

RF_LANES_INLINE rf_doubles rf_doubles_with_last(rf_doubles a, rf_doubles b) {
#if defined(RF_LANES_AVX2)
    return _mm256_blend_pd(a, b, 0x8);
#else
    return rf_doubles_choose((rf_doubles_bits){0, -1}, b, a);
#endif
}

RF_LANES_INLINE rf_doubles rf_doubles_smaller(rf_doubles a, rf_doubles b) {
#if defined(RF_LANES_AVX2)
    return _mm256_min_pd(a, b);
#elif defined(RF_LANES_SSE2)
    return _mm_min_pd(a, b);
#else
    return (rf_doubles){a[0] < b[0] ? a[0] : b[0], a[1] < b[1] ? a[1] : b[1]};
#endif
}

RF_LANES_INLINE rf_doubles rf_doubles_larger(rf_doubles a, rf_doubles b) {
#if defined(RF_LANES_AVX2)
    return _mm256_max_pd(a, b);
#elif defined(RF_LANES_SSE2)
    return _mm_max_pd(a, b);
#else
    return (rf_doubles){a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1]};
#endif
}

RF_LANES_INLINE rf_doubles rf_doubles_root(rf_doubles a) {
#if defined(RF_LANES_AVX2)
    return _mm256_sqrt_pd(a);
#elif defined(RF_LANES_SSE2)
    return _mm_sqrt_pd(a);
#else
    return (rf_doubles){__builtin_sqrt(a[0]), __builtin_sqrt(a[1])};
#endif
}

// Bit i: lane i of a mask is set.
RF_LANES_INLINE uint32_t rf_floats_mask(rf_floats_bits mask) {
#if defined(RF_LANES_AVX2)
    return (uint32_t)_mm256_movemask_ps((rf_floats)mask);
#elif defined(RF_LANES_SSE2)
    return (uint32_t)_mm_movemask_ps((rf_floats)mask);
#else
    uint32_t bits = 0;
    for (int lane = 0; lane < RF_PART_FLOATS; lane++) {
        bits |= (uint32_t)(mask[lane] != 0) << lane;
    }
    return bits;
#endif
}

RF_LANES_INLINE rf_floats rf_floats_of_doubles(const double *from) {
#if defined(RF_LANES_AVX2)
    const __m128 low = _mm256_cvtpd_ps(_mm256_loadu_pd(from)), high = _mm256_cvtpd_ps(_mm256_loadu_pd(from + 4));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
#else
    return (rf_floats){(float)from[0], (float)from[1], (float)from[2], (float)from[3]};
#endif
}

// Adds numbers whose first is at a place (modulo 8) that is a multiple of RF_PART_FLOATS.
RF_LANES_INLINE void rf_floats_add_to(rf_floats_sums *sums, size_t place, rf_floats value) {
    rf_doubles *lane = sums->lane + (RF_PART_FLOATS == 8 ? 0 : place / 2);
#if defined(RF_LANES_AVX2)
    lane[0] += _mm256_cvtps_pd(_mm256_castps256_ps128(value));
    lane[1] += _mm256_cvtps_pd(_mm256_extractf128_ps(value, 1));
#else
    lane[0] += (rf_doubles){(double)value[0], (double)value[1]};
    lane[1] += (rf_doubles){(double)value[2], (double)value[3]};
#endif
}

#endif
