#include "ingest/time_field.h"

#include "ingest/number.h"
#include "ingest/rfc3339.h"

#include <math.h>

enum { DIGITS_MAX = 19 }; // that rf_number::digits holds
static const int64_t BEYOND = INT64_MAX / 2;

const char *const rf_time_units[] = {"ms", "s", "us", NULL}; // as enum rf_time_unit

static const struct {
    const char *form;
    int power; // of ten, from the unit to milliseconds
} units[] = {
        [RF_TIME_MS] = {"Unix milliseconds or RFC 3339", 0},  [RF_TIME_S] = {"Unix seconds or RFC 3339", 3},
        [RF_TIME_US] = {"Unix microseconds or RFC 3339", -3}, [RF_TIME_NS] = {"Unix nanoseconds or RFC 3339", -6},
        [RF_TIME_DAYS] = {"days since 1970 or RFC 3339", 0},
};

static enum rf_time_unit unit_of(const struct rf_value *value, enum rf_time_unit unit) {
    return value->has_time_unit ? (enum rf_time_unit)value->time_unit : unit;
}

const char *rf_time_field_form(const struct rf_value *value, enum rf_time_unit unit) {
    return units[unit_of(value, unit)].form;
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

// Whole numbers, where only a double is known.
static int64_t ms_of_whole(double number, enum rf_time_unit unit) {
    static const double day_ms = 86400000.0;
    return ms_of_real(unit == RF_TIME_DAYS ? number * day_ms : floor(number / rf_number_power[-units[unit].power]));
}

bool rf_time_field_read(const struct rf_value *value, enum rf_time_unit default_unit, int64_t *time_ms_out) {
    if (value->type == RF_VALUE_TEXT) {
        return rf_rfc3339_parse(value->text, time_ms_out);
    }
    enum rf_time_unit unit = unit_of(value, default_unit);
    if (value->type != RF_VALUE_NUMBER || (unit != RF_TIME_S && value->number != trunc(value->number))) {
        return false;
    }
    struct rf_number number;
    bool is_written = units[unit].power != 0 && value->text.data &&
                      rf_number_scan(value->text, RF_NUMBER_PLAIN, &number) == value->text.size &&
                      number.digit_count <= DIGITS_MAX;
    if (is_written) {
        *time_ms_out = ms_of_digits(&number, number.exponent + units[unit].power);
    } else if (unit == RF_TIME_S) {
        *time_ms_out = ms_of_seconds(value->number);
    } else {
        *time_ms_out = ms_of_whole(value->number, unit);
    }
    return true;
}
