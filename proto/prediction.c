#include "proto/prediction.h"

#include <assert.h>
#include <math.h>

int32_t rf_prediction_class(const struct rf_predictions *predictions, size_t index) {
    const double *score = predictions->score + index * predictions->outputs;
    if (predictions->task == RF_TASK_REGRESSION || isnan(score[0])) {
        return -1;
    }
    if (predictions->task == RF_TASK_BINARY) {
        return score[0] > (predictions->is_margin ? 0.0 : 0.5);
    }
    uint32_t best = 0;
    for (uint32_t class = 1; class < predictions->outputs; class ++) {
        if (score[class] > score[best]) {
            best = class;
        }
    }
    return (int32_t)best;
}

const char *rf_reason_word(enum rf_reason reason) {
    static const char *const words[] = {
#define RF_REASON_ENTRY(name, word, text) word,
            RF_REASON_LIST(RF_REASON_ENTRY)
#undef RF_REASON_ENTRY
    };
    assert(reason < RF_REASON_COUNT);
    return words[reason];
}
