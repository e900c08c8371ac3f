#include "ops/clock.h"

#include <time.h>

static int64_t system_unix_ms(struct rf_clock *self) {
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic_ms(struct rf_clock *self) {
    (void)self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void system_sleep_ms(struct rf_clock *self, int ms) {
    (void)self;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&time, 0);
}

struct rf_clock *rf_clock_system(void) {
    static struct rf_clock clock = {
            .unix_ms = system_unix_ms, .monotonic_ms = system_monotonic_ms, .sleep_ms = system_sleep_ms}; // never written to
    return &clock;
}
