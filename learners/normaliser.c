#include "learners/normaliser.h"

enum { RUN_CONFIRMED = 64, RUN_UNCONFIRMED = 16 };

// The size is the value now, and no longer in doubt.
static double confirmed(double value, uint32_t *note) {
    *note = (*note & RF_NORMALISER_HELD) | RF_NORMALISER_CONFIRMED;
    return value;
}

static double learn_large(double size, uint32_t *note, double value) {
    if (value <= RF_NORMALISER_CUT * size) {
        return confirmed(value, note);
    }
    double held = rf_normaliser_value((*note & RF_NORMALISER_HELD) >> 16);
    if (value > held) {
        *note = (*note & ~(uint32_t)RF_NORMALISER_HELD) | rf_normaliser_power(value) << 16;
    }
    if (held <= RF_NORMALISER_CUT * size) { // none, or the size has outgrown it
        return 0;
    }
    return confirmed(value < held ? value : held, note);
}

static double learn_small(uint32_t *note, double value) {
    uint32_t run = (*note & RF_NORMALISER_RUN) + 1;
    uint32_t largest = (*note & RF_NORMALISER_LARGEST) >> 8;
    uint32_t power = rf_normaliser_power(value);
    largest = power > largest ? power : largest;
    if (run >= (*note & RF_NORMALISER_CONFIRMED ? RUN_CONFIRMED : RUN_UNCONFIRMED)) {
        return confirmed(rf_normaliser_value(largest), note);
    }
    *note = (*note & (RF_NORMALISER_CONFIRMED | RF_NORMALISER_HELD)) | largest << 8 | run;
    return 0;
}

double rf_normaliser_learn(double size, uint32_t *note, double value) {
    if (size == 0) {
        *note = 0;
        return value;
    }
    if (value > size) {
        return learn_large(size, note, value);
    }
    bool is_confirmed = *note & RF_NORMALISER_CONFIRMED;
    if (value * (is_confirmed ? RF_NORMALISER_SMALL : RF_NORMALISER_CUT) < size) {
        return learn_small(note, value);
    }
    *note = (*note & RF_NORMALISER_HELD) | RF_NORMALISER_CONFIRMED;
    return 0;
}
