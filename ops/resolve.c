#include "ops/resolve.h"

#include "ops/clock.h"

enum { WAIT_MS = 50, PATIENCE_MS = 60000 };

enum rf_status rf_resolve(struct rf_decoder *decoder, const struct rf_record *records, size_t count, struct rf_error *err) {
    struct rf_clock *clock = rf_clock_system();
    int64_t begun = 0;
    for (size_t i = 0; i < count;) {
        int64_t now = clock->monotonic_ms(clock);
        err->text[0] = '\0';
        enum rf_status status = rf_decoder_resolve(decoder, &records[i], now, WAIT_MS, err);
        if (!status) {
            i++;
            continue;
        }
        begun = begun ? begun : now;
        if (status != RF_AGAIN) {
            return status;
        }
        if (err->text[0] && now - begun > PATIENCE_MS) {
            return err->status = RF_IO;
        }
        clock->sleep_ms(clock, 1);
    }
    return RF_OK;
}
