#ifndef RF_OPS_SETTINGS_INTERNAL_H
#define RF_OPS_SETTINGS_INTERNAL_H
// Parts of the check of settings that have a file of their own.
#include "ops/settings.h"

// How CSV is written, which goes with csv alone.
enum rf_status rf_settings_derive_dialect(struct rf_settings *settings, struct rf_error *err) RF_MUST_USE;

#endif
