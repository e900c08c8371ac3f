#ifndef RF_OPS_SETTINGS_INTERNAL_H
#define RF_OPS_SETTINGS_INTERNAL_H
// Parts of the check of settings that have a file of their own.
#include "ops/settings.h"

// How CSV is written, which goes with csv alone.
enum rf_status rf_settings_derive_dialect(struct rf_settings *settings, struct rf_error *err) RF_MUST_USE;

// The settings of a fleet, and what must hold between them and others.
extern const struct rf_setting rf_settings_fleet_table[];
enum rf_status rf_settings_check_fleet(const struct rf_settings *settings, struct rf_error *err) RF_MUST_USE;

#endif
