#ifndef RF_TESTS_BENCH_LATENCIES_H
#define RF_TESTS_BENCH_LATENCIES_H
// Latencies against the time that an id says, in nanoseconds of CLOCK_MONOTONIC (see bench_produce_kafka.c).
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct latencies {
    uint32_t *microseconds; // [capacity]
    size_t count, capacity;
};

uint64_t latencies_now_ns(void);
void latencies_init(struct latencies *latencies, size_t capacity); // ends the program where memory is out
void latencies_add(struct latencies *latencies, uint64_t due_ns, uint64_t now_ns);

// Prints `"p50":...,"p99":...,"p999":...,"max":...` in microseconds, without the first `skip` of them; sorts them.
void latencies_print(struct latencies *latencies, size_t skip, FILE *file);
void latencies_finish(struct latencies *latencies);

#endif
