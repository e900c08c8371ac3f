#include "learners/table.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_SIZE = 4096, HUGE_PAGE_SIZE = 2 << 20, HUGE_FROM_SIZE = 1 << 20 };

static size_t round_up(size_t size, size_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

static size_t mapped_size(size_t size) {
    return round_up(size, size >= HUGE_FROM_SIZE ? HUGE_PAGE_SIZE : PAGE_SIZE);
}

static void *map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// Huge pages need an aligned start, which mmap does not promise: take one page more and give back what sticks out.
static void *map_huge(size_t size) {
    char *memory = map(size + HUGE_PAGE_SIZE);
    if (!memory) {
        return NULL;
    }
    size_t before = (HUGE_PAGE_SIZE - (uintptr_t)memory % HUGE_PAGE_SIZE) % HUGE_PAGE_SIZE;
    if (before > 0) {
        munmap(memory, before);
    }
    munmap(memory + before + size, HUGE_PAGE_SIZE - before);
    memory += before;
    (void)madvise(memory, size, MADV_HUGEPAGE); // a wish: without it all works, more slowly
    return memory;
}

enum rf_status rf_table_create(size_t size, void **table_out, struct rf_error *err) {
    assert(size > 0);
    if (size > SIZE_MAX / 2) {
        return rf_fail(err, RF_MEMORY, "a table of %zu bytes is more than this machine can address", size);
    }
    size_t mapped = mapped_size(size);
    void *table = mapped < HUGE_PAGE_SIZE ? map(mapped) : map_huge(mapped);
    if (!table) {
        return rf_fail(err, RF_MEMORY, "a table of %zu bytes cannot be reserved: %s", size, strerror(errno));
    }
    *table_out = table;
    return RF_OK;
}

void rf_table_destroy(void *table, size_t size) {
    if (table) {
        munmap(table, mapped_size(size));
    }
}
