#ifndef RF_OPS_FILE_H
#define RF_OPS_FILE_H
#include "proto/status.h"
#include "proto/text.h"

// All bytes of a file that settings name, with a NUL behind them that does not count; free its data. RF_INVALID, in words, when
// it cannot be read or has more than `size_max` bytes: that is wrong usage.
enum rf_status rf_file_read(const char *path, size_t size_max, struct rf_text *bytes_out, struct rf_error *err) RF_MUST_USE;

#endif
