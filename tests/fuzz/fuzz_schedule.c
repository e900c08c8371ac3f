// Whatever stands in a segment of a schedule, reading it ends, and what it yields can be followed and extended.
#include "ops/schedule.h"
#include "tests/simulation/disk_simulated.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_positions positions;
    struct rf_schedule *schedule;
    struct rf_error err;
    int handle;
    rf_positions_init(&positions);
    if (rf_disk_create(disk, "state/schedule-0000000001-00000000000000000000.log", &handle, &err) ||
        rf_disk_write(disk, "state", handle, data, size, &err)) {
        abort();
    }
    if (rf_schedule_open(disk, "state", 1, 3, &positions, &schedule, &err) == RF_OK) {
        size_t count;
        const struct rf_run *runs = rf_schedule_ahead(schedule, &count);
        for (size_t i = 0; i < count; i++) {
            if (!runs[i].count || runs[i].partition >= positions.count) {
                abort();
            }
        }
        const struct rf_run again = {positions.count ? (uint32_t)positions.count - 1 : 0, 5};
        if ((count && rf_schedule_append(schedule, &positions, runs, count, &err)) ||
            (positions.count && rf_schedule_append(schedule, &positions, &again, 1, &err))) {
            abort();
        }
        rf_schedule_close(schedule);
    }
    rf_positions_finish(&positions);
    rf_disk_destroy(disk);
    return 0;
}
