// The loops of kernels_dense.c for one type of REAL; included once for each, so it has no guard. REAL_BITS is the integer of
// its size, REAL_MIN its least normal number, NAME() makes a name its own.

typedef REAL NAME(lanes) __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));
typedef REAL_BITS NAME(mask) __attribute__((vector_size(32), aligned(sizeof(REAL)), may_alias));
typedef REAL NAME(four) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

enum { NAME(LANES) = 32 / sizeof(REAL) };

static void NAME(take)(size_t count, const float *raw, void *x_out) {
    const float limit = (float)RF_DENSE_VALUE_MAX;
    REAL *x = x_out;
    for (size_t i = 0; i < count; i++) {
        x[i] = raw[i] > -limit ? (raw[i] < limit ? raw[i] : limit) : -limit;
    }
}

static void NAME(take_doubles)(size_t count, const double *raw, void *x_out) {
    const double limit = (double)(float)RF_DENSE_VALUE_MAX;
    REAL *x = x_out;
    for (size_t i = 0; i < count; i++) {
        x[i] = (REAL)(raw[i] > -limit ? (raw[i] < limit ? raw[i] : limit) : -limit);
    }
}

static void NAME(give_doubles)(size_t count, const void *a, double *out) {
    const REAL *real = a;
    for (size_t i = 0; i < count; i++) {
        out[i] = real[i];
    }
}

INLINE double NAME(sum)(const quad *low, const quad *high, size_t rest, const REAL *a, const REAL *b) {
    double lane[8];
    memcpy(lane, low, sizeof *low);
    memcpy(lane + 4, high, sizeof *high);
    for (size_t l = 0; l < rest; l++) {
        lane[l] += (double)a[l] * (double)b[l];
    }
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// Two outputs at a time, so that the sum of one need not wait for itself.
static void NAME(scores)(size_t outputs, size_t count, const void *x_in, const void *weight_in, double *score_out) {
    const REAL *x = x_in, *weight = weight_in;
    size_t whole = count - count % 8;
    for (size_t k = 0; k < outputs; k += 2) {
        const REAL *first = weight + k * count;
        const REAL *second = k + 1 < outputs ? first + count : first;
        quad low[2] = {{0}}, high[2] = {{0}};
        for (size_t i = 0; i < whole; i += 8) {
            quad x_low = __builtin_convertvector(*(const NAME(four) *)(x + i), quad);
            quad x_high = __builtin_convertvector(*(const NAME(four) *)(x + i + 4), quad);
            low[0] += x_low * __builtin_convertvector(*(const NAME(four) *)(first + i), quad);
            high[0] += x_high * __builtin_convertvector(*(const NAME(four) *)(first + i + 4), quad);
            low[1] += x_low * __builtin_convertvector(*(const NAME(four) *)(second + i), quad);
            high[1] += x_high * __builtin_convertvector(*(const NAME(four) *)(second + i + 4), quad);
        }
        score_out[k] = NAME(sum)(&low[0], &high[0], count - whole, x + whole, first + whole);
        if (k + 1 < outputs) {
            score_out[k + 1] = NAME(sum)(&low[1], &high[1], count - whole, x + whole, second + whole);
        }
    }
}

// Cut to the largest size there may be, and to 0 where denormal. (By pointer: vectors of 32 bytes are passed in registers
// or not, by instruction set.)
INLINE void NAME(settle)(NAME(lanes) * a) {
    const REAL limit = (REAL)(float)RF_DENSE_VALUE_MAX;
    const NAME(lanes) most = limit - (NAME(lanes)){0};
    NAME(mask) above = *a > most;
    NAME(mask) below = *a < -most;
    NAME(mask) normal = (*a >= (REAL)REAL_MIN) | (*a <= -(REAL)REAL_MIN);
    NAME(mask) kept = (NAME(mask)) * a & normal & ~above & ~below;
    *a = (NAME(lanes))(kept | ((NAME(mask))most & above) | ((NAME(mask))(-most) & below));
}

INLINE void NAME(descend_lanes)(REAL move, const NAME(lanes) * x, REAL decay, NAME(lanes) * weight) {
    *weight -= move * *x + decay * *weight;
    NAME(settle)(weight);
}

INLINE void NAME(descend_on_lanes)(REAL move, const NAME(lanes) * x, REAL decay, REAL momentum, NAME(lanes) * weight,
                                   NAME(lanes) * velocity) {
    *velocity = momentum * *velocity - (move * *x + decay * *weight);
    NAME(settle)(velocity);
    *weight += *velocity;
    NAME(settle)(weight);
}

static void NAME(descend)(size_t count, double move_in, const void *x_in, double decay_in, void *weight_in) {
    REAL move = (REAL)move_in, decay = (REAL)decay_in;
    const REAL *x = x_in;
    REAL *weight = weight_in;
    size_t whole = count - count % NAME(LANES), rest = (count - whole) * sizeof(REAL);
    for (size_t i = 0; i < whole; i += NAME(LANES)) {
        NAME(descend_lanes)(move, (const NAME(lanes) *)(x + i), decay, (NAME(lanes) *)(weight + i));
    }
    NAME(lanes) last_x = {0}, last_weight = {0};
    memcpy(&last_x, x + whole, rest);
    memcpy(&last_weight, weight + whole, rest);
    NAME(descend_lanes)(move, &last_x, decay, &last_weight);
    memcpy(weight + whole, &last_weight, rest);
}

static void NAME(descend_on)(size_t count, double move_in, const void *x_in, double decay_in, double momentum_in, void *weight_in,
                             void *velocity_in) {
    REAL move = (REAL)move_in, decay = (REAL)decay_in, momentum = (REAL)momentum_in;
    const REAL *x = x_in;
    REAL *weight = weight_in, *velocity = velocity_in;
    size_t whole = count - count % NAME(LANES), rest = (count - whole) * sizeof(REAL);
    for (size_t i = 0; i < whole; i += NAME(LANES)) {
        NAME(descend_on_lanes)
        (move, (const NAME(lanes) *)(x + i), decay, momentum, (NAME(lanes) *)(weight + i), (NAME(lanes) *)(velocity + i));
    }
    NAME(lanes) last_x = {0}, last_weight = {0}, last_velocity = {0};
    memcpy(&last_x, x + whole, rest);
    memcpy(&last_weight, weight + whole, rest);
    memcpy(&last_velocity, velocity + whole, rest);
    NAME(descend_on_lanes)(move, &last_x, decay, momentum, &last_weight, &last_velocity);
    memcpy(weight + whole, &last_weight, rest);
    memcpy(velocity + whole, &last_velocity, rest);
}

#undef REAL
#undef REAL_BITS
#undef REAL_MIN
#undef NAME
