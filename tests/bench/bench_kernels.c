// Each kernel beside its naive twin, the oracle of its tests: nanoseconds of a processor for an element, over arrays that fit the
// nearest cache.
//
//     bench_kernels [COUNT]    elements of a call, 64 unless told
#include "learners/kernels.h"
#include "proto/random.h"
#include "tests/learners/kernels_naive.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COUNT_MAX = 1024, OUTPUTS = 4, CALLS = 20000, ROUNDS = 7 };

static struct {
    double a[COUNT_MAX], b[COUNT_MAX], weight[COUNT_MAX * OUTPUTS], out[COUNT_MAX];
    uint64_t hash[COUNT_MAX];
    uint32_t row[COUNT_MAX];
    volatile double kept; // what is computed is used
} data;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

typedef void call(const struct rf_kernels *kernels, size_t count); // kernels NULL: the naive twin

static void call_dot(const struct rf_kernels *kernels, size_t count) {
    data.kept = kernels ? kernels->dot(count, data.a, data.b) : naive_dot(count, data.a, data.b);
}

static void call_scores(const struct rf_kernels *kernels, size_t count) {
    (kernels ? kernels->scores : naive_scores)(count, OUTPUTS, data.a, data.weight, data.out);
}

static void call_largest(const struct rf_kernels *kernels, size_t count) {
    data.kept = kernels ? kernels->largest(count, data.a) : naive_largest(count, data.a);
}

static void call_cut(const struct rf_kernels *kernels, size_t count) {
    (kernels ? kernels->cut : naive_cut)(count, data.a, 1e15, data.out);
}

static void call_rows(const struct rf_kernels *kernels, size_t count) {
    (kernels ? kernels->rows : naive_rows)(count, data.hash, (1 << 22) - 1, data.row);
}

static void call_has_zero(const struct rf_kernels *kernels, size_t count) {
    data.kept = (kernels ? kernels->has_zero : naive_has_zero)(count, data.hash, (1 << 22) - 1);
}

// The least over some rounds: what others do on the machine only adds to it.
static double nanoseconds(call *run, const struct rf_kernels *kernels, size_t count) {
    double least = 1e300;
    for (int round = 0; round < ROUNDS; round++) {
        double begun = now();
        for (int i = 0; i < CALLS; i++) {
            run(kernels, count);
        }
        double passed = (now() - begun) / ((double)CALLS * (double)count);
        least = passed < least ? passed : least;
    }
    return least;
}

int main(int argc, char **argv) {
    const struct {
        const char *name;
        call *run;
    } list[] = {
            {"dot", call_dot},   {"scores, 4 outputs", call_scores}, {"largest", call_largest}, {"cut", call_cut},
            {"rows", call_rows}, {"has_zero", call_has_zero},
    };
    const size_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 64;
    const struct rf_kernels *best = rf_kernels_choose(false);
    struct rf_random random;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "bench_kernels: takes 1 to %d elements\n", COUNT_MAX);
        return 2;
    }
    rf_random_init(&random, 1);
    for (size_t i = 0; i < COUNT_MAX * OUTPUTS; i++) {
        data.weight[i] = rf_random_normal(&random);
        data.a[i / OUTPUTS] = rf_random_normal(&random);
        data.b[i / OUTPUTS] = rf_random_normal(&random);
        data.hash[i / OUTPUTS] = rf_random_next(&random) | 1;
    }
    printf("| kernel, %zu elements | naive, ns | baseline, ns | %s, ns | naive : %s |\n|---|---|---|---|---|\n", count,
           best->name, best->name);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        double naive = nanoseconds(list[i].run, NULL, count);
        double baseline = nanoseconds(list[i].run, &rf_kernels_baseline, count);
        double fast = nanoseconds(list[i].run, best, count);
        printf("| %s | %.3f | %.3f | %.3f | %.1f |\n", list[i].name, naive, baseline, fast, naive / fast);
    }
    return 0;
}
