#include "ingest/vector.h"

#include "ingest/number.h"
#include "ingest/reject.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// A vector in the making.
struct filling {
    const struct rf_field *field;
    size_t size, count;
    double divide;
    float *vector;
    struct rf_decode_error *error;
};

static enum rf_status fill(struct filling *to, double number, struct rf_text written) {
    if (to->count == to->size) {
        return rf_decode_fail(to->error, RF_REASON_TYPE, "field %s has more than %zu numbers, must have %zu",
                              rf_show(to->field->name).text, to->size, to->size);
    }
    double value = number / to->divide;
    if (!(fabs(value) <= FLT_MAX)) {
        char shown[32];
        snprintf(shown, sizeof shown, "%g", number);
        return rf_decode_fail(to->error, RF_REASON_NON_FINITE, "field %s: number %zu, %s, is not finite as a float",
                              rf_show(to->field->name).text, to->count, written.data ? rf_show(written).text : shown);
    }
    to->vector[to->count++] = (float)value;
    return RF_OK;
}

static bool is_between(char c) {
    return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\n' || c == '\r';
}

static size_t word_size(struct rf_text text) {
    size_t size = 0;
    while (size < text.size && !is_between(text.data[size])) {
        size++;
    }
    return size;
}

static enum rf_status fill_text(struct filling *to, struct rf_text text) {
    for (size_t at = 0;;) {
        while (at < text.size && is_between(text.data[at])) {
            at++;
        }
        if (at == text.size) {
            return RF_OK;
        }
        struct rf_text rest = {text.data + at, text.size - at};
        struct rf_number number;
        size_t size = rf_number_scan(rest, RF_NUMBER_PLAIN, &number);
        if (size == 0 || (size < rest.size && !is_between(rest.data[size]))) {
            return rf_decode_fail(to->error, RF_REASON_TYPE, "field %s: number %zu is %s, must be a number",
                                  rf_show(to->field->name).text, to->count,
                                  rf_show((struct rf_text){rest.data, word_size(rest)}).text);
        }
        enum rf_status status = fill(to, rf_number_value(&number), number.text);
        if (status) {
            return status;
        }
        at += size;
    }
}

static enum rf_status fill_numbers(struct filling *to, struct rf_text bytes, bool are_floats) {
    size_t size = are_floats ? sizeof(float) : sizeof(double);
    for (size_t at = 0; at < bytes.size; at += size) {
        float single;
        double number;
        memcpy(are_floats ? (void *)&single : &number, bytes.data + at, size);
        enum rf_status status = fill(to, are_floats ? (double)single : number, (struct rf_text){NULL, 0});
        if (status) {
            return status;
        }
    }
    return RF_OK;
}

enum rf_status rf_vector_read(const struct rf_field *field, size_t size, double divide, float *vector_out,
                              struct rf_decode_error *error_out) {
    struct filling to = {.field = field, .size = size, .divide = divide, .vector = vector_out, .error = error_out};
    const struct rf_value *value = &field->value;
    enum rf_status status = RF_OK;
    if (value->type == RF_VALUE_FLOATS || value->type == RF_VALUE_DOUBLES) {
        status = fill_numbers(&to, value->text, value->type == RF_VALUE_FLOATS);
    } else if (value->type == RF_VALUE_LIST) {
        status = fill_text(&to, (struct rf_text){value->text.data + 1, value->text.size - 2}); // without its brackets
    } else if (value->text.data) {
        status = fill_text(&to, value->text);
    }
    if (!status && to.count < size) {
        status = rf_decode_fail(error_out, RF_REASON_TYPE, "field %s has %zu numbers, must have %zu", rf_show(field->name).text,
                                to.count, size);
    }
    return status;
}
