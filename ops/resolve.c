#include "ops/resolve.h"

enum { WAIT_MS = 50, PATIENCE_MS = 60000 };

enum rf_status rf_resolve(struct rf_decoder *decoder, const struct rf_record *records, size_t count, struct rf_clock *clock,
                          struct rf_error *err) {
    bool is_in_trouble = false;
    int64_t begun = 0;
    for (size_t i = 0; i < count;) {
        int64_t now = clock->monotonic_ms(clock);
        err->text[0] = '\0';
        enum rf_status status = rf_decoder_resolve(decoder, &records[i], now, WAIT_MS, err);
        if (status && status != RF_AGAIN) {
            return status;
        }
        begun = is_in_trouble ? begun : now;
        is_in_trouble = status && err->text[0];
        if (is_in_trouble && now - begun > PATIENCE_MS) {
            return err->status = RF_IO;
        }
        if (status) {
            clock->sleep_ms(clock, 1);
        } else {
            i++;
        }
    }
    return RF_OK;
}
