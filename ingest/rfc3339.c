#include "ingest/rfc3339.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Takes `digits` digits at the front of `text`, at most `max`.
static bool take_digits(struct rf_text *text, size_t digits, int max, int *value_out) {
    if (text->size < digits) {
        return false;
    }
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->data[i])) {
            return false;
        }
        value = value * 10 + (text->data[i] - '0');
    }
    text->data += digits;
    text->size -= digits;
    *value_out = value;
    return value <= max;
}

static bool take_one_of(struct rf_text *text, const char *characters, char *taken_out) {
    if (text->size == 0 || text->data[0] == '\0' || !strchr(characters, text->data[0])) {
        return false;
    }
    *taken_out = text->data[0];
    text->data++;
    text->size--;
    return true;
}

static int month_days(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that a leap day is their last.
static int64_t days_of(int year, int month, int day) {
    int64_t y = month > 2 ? year : year - 1;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_1970 = 719468; // 0000-03-01 to 1970-01-01
    int64_t century_leaps = y >= 0 ? y / 4 - y / 100 + y / 400 : -1;
    return y * 365 + century_leaps + day_of_year - day_1970;
}

static bool take_date(struct rf_text *text, int64_t *days_out) {
    int year, month, day;
    char dash;
    if (!take_digits(text, 4, 9999, &year) || !take_one_of(text, "-", &dash) || !take_digits(text, 2, 12, &month) ||
        !take_one_of(text, "-", &dash) || !take_digits(text, 2, 31, &day)) {
        return false;
    }
    if (month < 1 || day < 1 || day > month_days(year, month)) {
        return false;
    }
    *days_out = days_of(year, month, day);
    return true;
}

static bool take_clock(struct rf_text *text, int64_t *ms_out) {
    int hour, minute, second;
    char mark;
    if (!take_digits(text, 2, 23, &hour) || !take_one_of(text, ":", &mark) || !take_digits(text, 2, 59, &minute) ||
        !take_one_of(text, ":", &mark) || !take_digits(text, 2, 60, &second)) {
        return false;
    }
    int64_t ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
    if (take_one_of(text, ".", &mark)) {
        int digit;
        if (!take_digits(text, 1, 9, &digit)) {
            return false;
        }
        int scale = 100;
        do {
            ms += digit * scale;
            scale /= 10;
        } while (take_digits(text, 1, 9, &digit));
    }
    *ms_out = ms;
    return true;
}

bool rf_rfc3339_parse_offset(struct rf_text text, int64_t *offset_ms_out) {
    char sign;
    int hours, minutes;
    if (!take_one_of(&text, "+-", &sign) || !take_digits(&text, 2, 23, &hours) || !take_one_of(&text, ":", &(char){0}) ||
        !take_digits(&text, 2, 59, &minutes) || text.size > 0) {
        return false;
    }
    int64_t ms = (hours * 60 + minutes) * INT64_C(60000);
    *offset_ms_out = sign == '-' ? -ms : ms;
    return true;
}

// What stands behind the clock: nothing, Z or an offset.
static bool read_zone(struct rf_text text, int64_t *offset_ms_out) {
    char z;
    if (text.size == 0 || take_one_of(&text, "Zz", &z)) {
        *offset_ms_out = 0;
        return text.size == 0;
    }
    return rf_rfc3339_parse_offset(text, offset_ms_out);
}

bool rf_rfc3339_parse(struct rf_text text, int64_t *time_ms_out) {
    int64_t days, clock_ms, offset_ms;
    char separator;
    if (!take_date(&text, &days) || !take_one_of(&text, "Tt ", &separator) || !take_clock(&text, &clock_ms) ||
        !read_zone(text, &offset_ms)) {
        return false;
    }
    *time_ms_out = days * INT64_C(86400000) + clock_ms - offset_ms;
    return true;
}
