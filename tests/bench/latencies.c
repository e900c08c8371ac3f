#include "tests/bench/latencies.h"

#include <stdlib.h>
#include <time.h>

uint64_t latencies_now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void latencies_init(struct latencies *latencies, size_t capacity) {
    *latencies = (struct latencies){.microseconds = malloc((capacity + 1) * sizeof(uint32_t)), .capacity = capacity};
    if (!latencies->microseconds) {
        fprintf(stderr, "out of memory for %zu latencies\n", capacity);
        exit(1);
    }
}

void latencies_add(struct latencies *latencies, uint64_t due_ns, uint64_t now_ns) {
    if (latencies->count < latencies->capacity) {
        uint64_t late_ns = now_ns > due_ns ? now_ns - due_ns : 0;
        latencies->microseconds[latencies->count++] = late_ns / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(late_ns / 1000);
    }
}

static int compare(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

void latencies_print(struct latencies *latencies, size_t skip, FILE *file) {
    if (skip >= latencies->count) {
        skip = 0;
    }
    uint32_t *list = latencies->microseconds + skip;
    size_t count = latencies->count - skip;
    qsort(list, count, sizeof *list, compare);
    const struct {
        const char *name;
        double share;
    } shown[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0] && count > 0; i++) {
        size_t at = (size_t)(shown[i].share * (double)count);
        fprintf(file, "%s\"%s\":%u", i ? "," : "", shown[i].name, list[at < count ? at : count - 1]);
    }
}

void latencies_finish(struct latencies *latencies) {
    free(latencies->microseconds);
}
