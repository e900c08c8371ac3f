#ifndef RF_TESTS_SINKS_PEERS_ZEROMQ_H
#define RF_TESTS_SINKS_PEERS_ZEROMQ_H
// The other ends of ZeroMQ sockets: all that a test connects is closed at its end, so that one that fails does not hang.
#include <stdbool.h>

enum { PATIENCE_MS = 10000, GLANCE_MS = 5 };

int peers_open(void);  // 0, as cmocka wants it
int peers_close(void); // those still connected too

// A socket of that type with little room between: a few MiB, and `high_water_mark` messages, fill it. One that subscribes
// does so to `topic`; for others it is NULL.
void *connect_peer(int type, const char *endpoint, int high_water_mark, const char *topic);
void leave(void *peer);

bool is_ready(void *peer, int timeout_ms); // it has a message, or gets one in time

#endif
