#ifndef RF_OPS_SIGNALS_H
#define RF_OPS_SIGNALS_H
#include <signal.h>
#include <stdbool.h>

// SIGTERM and SIGINT as something to wait for. Block them before any thread is started.
struct rf_signals {
    sigset_t set;
};

void rf_signals_block(struct rf_signals *signals);

// Waits up to timeout_ms; true when one came.
bool rf_signals_wait(const struct rf_signals *signals, int timeout_ms);

#endif
