#ifndef RF_TESTS_ALLOCATIONS_H
#define RF_TESTS_ALLOCATIONS_H
// Counts what the code under test allocates: the linker leads its allocations through allocations.c (--wrap).
#include <stdatomic.h>
#include <stdint.h>

extern _Atomic uint64_t allocations;

#endif
