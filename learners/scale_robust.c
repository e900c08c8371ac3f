// Quartiles of a stream, from a histogram whose buckets are read off the bits of a double: sign, exponent, and the first four
// bits of the mantissa. Each quartile is a cursor on its bucket, which a new value moves by a rank at most.
#include "learners/scale_internal.h"
#include "proto/bytes.h"

#include <math.h>
#include <string.h>

enum {
    OCTAVES = 64, // 2^-32 to 2^32; what is smaller is 0, what is larger counts as the largest
    STEPS = 16,   // buckets an octave
    SIDE = OCTAVES * STEPS,
    ZERO = SIDE, // the bucket of 0, between those of the negative and the positive values
    BUCKETS = 2 * SIDE + 1,
    QUARTILES = 3,
};

#define TOTAL_MAX (UINT32_C(1) << 30) // then all counts are halved, which also lets old values fade

struct robust {
    struct scaled_field field;
    uint64_t total;             // in the histogram
    uint64_t below[QUARTILES];  // values in the buckets below the quartile's
    uint32_t bucket[QUARTILES]; // in which the quartile is
    uint32_t histogram[BUCKETS];
};

static const struct rf_column columns[] = {
        RF_SCALE_FIELD_COLUMNS(RF_MERGE_SUM),
        {"total", RF_U64, offsetof(struct robust, total), 1, RF_MERGE_SUM},
        {"below", RF_U64, offsetof(struct robust, below), QUARTILES, RF_MERGE_DERIVED},
        {"bucket", RF_U32, offsetof(struct robust, bucket), QUARTILES, RF_MERGE_DERIVED},
        {"histogram", RF_U32, offsetof(struct robust, histogram), BUCKETS, RF_MERGE_SUM},
};

_Static_assert(sizeof(struct robust) == offsetof(struct robust, histogram) + BUCKETS * sizeof(uint32_t), "no padding");

static uint32_t bucket_of(double value) {
    uint64_t bits;
    double size = fabs(value);
    memcpy(&bits, &size, sizeof bits);
    int64_t step = (int64_t)(bits >> 48) - (int64_t)(1023 - OCTAVES / 2) * STEPS;
    if (step < 0) {
        return ZERO;
    }
    uint32_t side = step < SIDE ? (uint32_t)step : SIDE - 1;
    return value > 0 ? ZERO + 1 + side : ZERO - 1 - side;
}

// The lower end in size of bucket `side` of a side.
static double edge_of(uint32_t side) {
    return ldexp(1 + (double)(side % STEPS) / STEPS, (int)(side / STEPS) - OCTAVES / 2);
}

// The value in a bucket with a share of its values below it.
static double value_in(uint32_t bucket, double share) {
    if (bucket == ZERO) {
        return 0;
    }
    uint32_t side = bucket > ZERO ? bucket - ZERO - 1 : ZERO - 1 - bucket;
    double low = edge_of(side), high = edge_of(side + 1);
    return bucket > ZERO ? low + share * (high - low) : -(high - share * (high - low));
}

static uint64_t rank_of(const struct robust *robust, unsigned quartile) {
    return (robust->total - 1) * (quartile + 1) / (QUARTILES + 1);
}

// Where a quartile is. A cursor never stands behind it; it stands before it only where a merge has put it back to the start.
struct place {
    uint64_t rank;
    uint64_t below;
    uint32_t bucket;
};

static struct place place_of(const struct robust *robust, unsigned quartile) {
    struct place place = {rank_of(robust, quartile), robust->below[quartile], robust->bucket[quartile]};
    while (place.rank >= place.below + robust->histogram[place.bucket]) {
        place.below += robust->histogram[place.bucket++];
    }
    return place;
}

static double value_at(const struct robust *robust, struct place place) {
    return value_in(place.bucket, ((double)(place.rank - place.below) + 0.5) / (double)robust->histogram[place.bucket]);
}

static void move_cursor(struct robust *robust, unsigned quartile) {
    uint64_t rank = rank_of(robust, quartile);
    while (rank < robust->below[quartile]) {
        robust->bucket[quartile]--;
        robust->below[quartile] -= robust->histogram[robust->bucket[quartile]];
    }
    struct place place = place_of(robust, quartile);
    robust->bucket[quartile] = place.bucket;
    robust->below[quartile] = place.below;
}

static void halve(struct robust *robust) {
    robust->total = 0;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        robust->histogram[bucket] -= robust->histogram[bucket] / 2; // what was there stays there
        robust->total += robust->histogram[bucket];
    }
    memset(robust->bucket, 0, sizeof robust->bucket);
    memset(robust->below, 0, sizeof robust->below);
}

static void learn(struct scaled_field *row, double value) {
    struct robust *robust = (struct robust *)row;
    uint32_t bucket = bucket_of(value);
    robust->histogram[bucket]++;
    robust->total++;
    for (unsigned quartile = 0; quartile < QUARTILES; quartile++) {
        robust->below[quartile] += bucket < robust->bucket[quartile];
    }
    if (robust->total == TOTAL_MAX) {
        halve(robust);
    }
    for (unsigned quartile = 0; quartile < QUARTILES; quartile++) {
        move_cursor(robust, quartile);
    }
}

static void measure(const struct scaled_field *row, bool is_sparse, double *centre_out, double *size_out) {
    const struct robust *robust = (const struct robust *)row;
    struct place places[QUARTILES] = {place_of(robust, 0), place_of(robust, 1), place_of(robust, 2)};
    double first = value_at(robust, places[0]), median = value_at(robust, places[1]), third = value_at(robust, places[2]);
    double distance = third - first;
    if (places[0].bucket == places[2].bucket) {
        median = value_in(places[1].bucket, 0.5);
        distance = median != 0 ? fabs(median) : 1;
    }
    double larger = fmax(fabs(first), fabs(third));
    *centre_out = is_sparse ? 0 : median;
    *size_out = !is_sparse ? distance : larger > 0 ? larger : 1;
}

static enum rf_status check(const struct scaled_field *row, size_t index, struct rf_error *err) {
    const struct robust *robust = (const struct robust *)row;
    uint64_t total = 0, below[QUARTILES] = {0};
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        for (unsigned quartile = 0; quartile < QUARTILES; quartile++) {
            below[quartile] += bucket < robust->bucket[quartile] ? robust->histogram[bucket] : 0;
        }
        total += robust->histogram[bucket];
    }
    if (total != robust->total || total == 0 || total >= TOTAL_MAX) {
        return rf_fail(err, RF_CORRUPT, "row %zu of the scaler counts %llu values and holds %llu, must be as many, and below %u",
                       index, (unsigned long long)robust->total, (unsigned long long)total, TOTAL_MAX);
    }
    for (unsigned quartile = 0; quartile < QUARTILES; quartile++) {
        uint64_t rank = rank_of(robust, quartile);
        uint32_t bucket = robust->bucket[quartile];
        if (bucket >= BUCKETS || below[quartile] != robust->below[quartile] || rank < below[quartile]) {
            return rf_fail(err, RF_CORRUPT, "row %zu of the scaler has quartile %u in bucket %u, which is beyond it", index,
                           quartile + 1, bucket);
        }
    }
    return RF_OK;
}

const struct rf_scale_kind rf_scale_robust = {
        .row_size = sizeof(struct robust),
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
        .learn = learn,
        .measure = measure,
        .x_max = RF_SCALE_ROBUST_MAX,
        .check = check,
};
