// Arbitrary bytes as an Avro container file: data that are within bounds, then its end or a sentence that stays.
#include "ingest/avro_container.h"
#include "tests/fuzz/decoder_harness.h"

#include <sys/mman.h>
#include <unistd.h>

static void read_all(struct rf_avro_container *container) {
    enum { DATA_MAX = 100000 };
    struct rf_error err = {.text = ""}, again;
    struct rf_text datum;
    enum rf_status status = RF_OK;
    uint64_t digest = 0;
    for (int i = 0; i < DATA_MAX && !status; i++) {
        status = rf_avro_container_next(container, 0, &datum, &err);
        digest = status ? digest : fold(digest, datum.data, datum.size);
    }
    if (status && status != RF_END) {
        MUST(status == RF_CORRUPT || status == RF_INVALID);
        MUST(err.text[0] && rf_utf8_is_valid(rf_text_of(err.text)));
        MUST(rf_avro_container_next(container, 0, &datum, &again) == status && !strcmp(again.text, err.text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char path[64];
    static int descriptor = -1;
    if (descriptor < 0) {
        descriptor = memfd_create("avro", MFD_CLOEXEC);
        MUST(descriptor >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    MUST(ftruncate(descriptor, 0) == 0 && pwrite(descriptor, data, size, 0) == (ssize_t)size);
    struct rf_reader *reader;
    struct rf_avro_container *container;
    struct rf_error err;
    MUST(rf_reader_open(path, &reader, &err) == RF_OK);
    MUST(rf_avro_container_create("file.avro", reader, &container, &err) == RF_OK);
    read_all(container);
    rf_avro_container_destroy(container);
    rf_reader_close(reader);
    return 0;
}
