#include "sinks/archive.h"

enum rf_status rf_archive_send(struct rf_archive *self, struct rf_text value, struct rf_error *err) {
    return self->ops->send(self, value, err);
}

enum rf_status rf_archive_settle(struct rf_archive *self, int timeout_ms, struct rf_error *err) {
    return self->ops->settle(self, timeout_ms, err);
}

enum rf_status rf_archive_forget(struct rf_archive *self, enum rf_archive_log log, int64_t offset, struct rf_error *err) {
    return self->ops->forget(self, log, offset, err);
}

void rf_archive_destroy(struct rf_archive *self) {
    if (self) {
        self->ops->destroy(self);
    }
}
