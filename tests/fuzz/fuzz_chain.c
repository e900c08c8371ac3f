// Whatever stands in a segment of the chain of snapshots, reading it ends, and the chain can be extended.
#include "ops/chain.h"
#include "tests/simulation/disk_simulated.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rf_disk *disk = rf_disk_simulated_create();
    struct rf_chain *chain;
    struct rf_chain_report report;
    struct rf_error err;
    int handle;
    if (rf_disk_create(disk, "state/chain-00000000000000000001.log", &handle, &err) ||
        rf_disk_write(disk, "state", handle, data, size, &err)) {
        abort();
    }
    enum rf_status status = rf_chain_verify(disk, "state", &report, &err);
    if (status != RF_OK && status != RF_CORRUPT) {
        abort();
    }
    if (rf_chain_open(disk, "state", NULL, NULL, &chain, &err)) {
        abort();
    }
    uint64_t number = rf_chain_number(chain);
    char text[] = "text";
    struct rf_snapshot_header header = {.model = text, .specification = text, .worker = text, .program = text};
    header.version.base = number + 1;
    static const uint8_t sha256[RF_SHA256_SIZE];
    if (number < UINT64_MAX && (rf_chain_append(chain, &header, sha256, &err) || rf_chain_number(chain) != number + 1)) {
        abort();
    }
    rf_chain_close(chain);
    rf_disk_destroy(disk);
    return 0;
}
