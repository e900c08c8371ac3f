#include "sinks/transaction.h"

#include <assert.h>

enum rf_status rf_transaction_open(struct rf_transaction *self, int timeout_ms, struct rf_error *err) {
    return self->ops->open(self, timeout_ms, err);
}

enum rf_status rf_transaction_send(struct rf_transaction *self, const struct rf_transaction_contents *contents, int timeout_ms,
                                   enum rf_outcome *outcome_out, struct rf_error *err) {
    enum rf_status status = self->ops->send(self, contents, timeout_ms, outcome_out, err);
    assert((status == RF_OK) == (*outcome_out == RF_OUTCOME_OPEN));
    return status;
}

enum rf_status rf_transaction_commit(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                     struct rf_error *err) {
    enum rf_status status = self->ops->commit(self, timeout_ms, outcome_out, err);
    assert((status == RF_OK) == (*outcome_out == RF_OUTCOME_COMMITTED));
    return status;
}

enum rf_status rf_transaction_abort(struct rf_transaction *self, int timeout_ms, enum rf_outcome *outcome_out,
                                    struct rf_error *err) {
    return self->ops->abort(self, timeout_ms, outcome_out, err);
}

void rf_transaction_destroy(struct rf_transaction *self) {
    if (self) {
        self->ops->destroy(self);
    }
}
