#ifndef RF_OPS_CLOCK_H
#define RF_OPS_CLOCK_H
#include <stdint.h>

// The clock as an interface, so that tests and the simulation can turn it. Stages never read it: time is an argument.
struct rf_clock {
    int64_t (*unix_ms)(struct rf_clock *self);
    int64_t (*monotonic_ms)(struct rf_clock *self); // for durations: nobody sets it
    void (*sleep_ms)(struct rf_clock *self, int ms);
};

// The machine's own.
struct rf_clock *rf_clock_system(void);

#endif
