#include "ops/signals.h"

#include <pthread.h>
#include <time.h>

void rf_signals_block(struct rf_signals *signals) {
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
}

bool rf_signals_wait(const struct rf_signals *signals, int timeout_ms) {
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    return sigtimedwait(&signals->set, NULL, &timeout) > 0;
}
