#include "ingest/time_field.h"

#include "ingest/number.h"
#include "ingest/rfc3339.h"

#include <math.h>

enum { DIGITS_MAX = 19 }; // that rf_number::digits holds
static const int64_t BEYOND = INT64_MAX / 2;

const char *const rf_time_units[] = {"ms", "s", "us", NULL}; // as enum rf_time_unit

const char *rf_time_field_form(enum rf_time_unit unit) {
    return unit == RF_TIME_S    ? "Unix seconds or RFC 3339"
           : unit == RF_TIME_US ? "Unix microseconds or RFC 3339"
                                : "Unix milliseconds or RFC 3339";
}

static int64_t ms_of_real(double ms) {
    return ms >= (double)BEYOND ? BEYOND : ms <= -(double)BEYOND ? -BEYOND : (int64_t)floor(ms);
}

// floor(digits * 10^power), with the sign.
static int64_t ms_of_digits(const struct rf_number *number, int64_t power) {
    uint64_t whole = number->digits;
    bool has_rest = false;
    if (power < -RF_NUMBER_INTEGER_POWER_MAX) {
        has_rest = whole > 0;
        whole = 0;
    } else if (power < 0) {
        uint64_t divisor = rf_number_integer_power[-power];
        has_rest = whole % divisor > 0;
        whole /= divisor;
    } else if (whole > 0) {
        uint64_t factor = power <= RF_NUMBER_INTEGER_POWER_MAX ? rf_number_integer_power[power] : UINT64_MAX;
        whole = whole <= (uint64_t)BEYOND / factor ? whole * factor : (uint64_t)BEYOND;
    }
    int64_t ms = whole < (uint64_t)BEYOND ? (int64_t)whole : BEYOND;
    return number->is_negative ? -ms - has_rest : ms;
}

// Where only a double is known, as in protobuf. A product that is an integer but for its rounding is that integer: what was
// written with up to 15 digits is found again.
static int64_t ms_of_seconds(double seconds) {
    double ms = seconds * 1000.0;
    double nearest = rint(ms);
    return ms_of_real(fabs(ms - nearest) <= fabs(ms) * 0x1p-52 ? nearest : ms);
}

bool rf_time_field_read(const struct rf_value *value, enum rf_time_unit unit, int64_t *time_ms_out) {
    if (value->type == RF_VALUE_TEXT) {
        return rf_rfc3339_parse(value->text, time_ms_out);
    }
    if (value->type != RF_VALUE_NUMBER || (unit != RF_TIME_S && value->number != trunc(value->number))) {
        return false;
    }
    struct rf_number number;
    bool is_written = unit != RF_TIME_MS && value->text.data &&
                      rf_number_scan(value->text, RF_NUMBER_PLAIN, &number) == value->text.size &&
                      number.digit_count <= DIGITS_MAX;
    if (is_written) {
        *time_ms_out = ms_of_digits(&number, number.exponent + (unit == RF_TIME_S ? 3 : -3));
    } else if (unit == RF_TIME_S) {
        *time_ms_out = ms_of_seconds(value->number);
    } else {
        *time_ms_out = ms_of_real(unit == RF_TIME_US ? floor(value->number / 1000.0) : value->number);
    }
    return true;
}
