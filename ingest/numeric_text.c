#include "ingest/numeric_text.h"

#include "ingest/number.h"
#include "ingest/reject.h"

#include <math.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

enum rf_status rf_numeric_text_read(struct rf_text name, struct rf_value *value, struct rf_decode_error *error_out) {
    struct rf_text text = value->text;
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    if (text.size == 0) {
        *value = (struct rf_value){.type = RF_VALUE_NULL};
        return RF_OK;
    }
    struct rf_number number;
    if (rf_number_scan(text, RF_NUMBER_JSON, &number) != text.size) {
        return RF_OK;
    }
    double is = rf_number_value(&number);
    if (!isfinite(is)) {
        return rf_decode_fail(error_out, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(name).text,
                              rf_show(text).text);
    }
    *value = (struct rf_value){.type = RF_VALUE_NUMBER, .number = is, .text = text};
    return RF_OK;
}

enum rf_status rf_numeric_texts_read(const struct rf_schema *schema, struct rf_event *event, struct rf_decode_error *error_out) {
    enum rf_status status = RF_OK;
    for (size_t i = 0; i < event->count && !status; i++) {
        struct rf_field *field = &event->fields[i];
        if (field->value.type == RF_VALUE_TEXT && field->index != RF_FIELD_UNKNOWN &&
            rf_schema_takes_number(schema, field->index)) {
            status = rf_numeric_text_read(field->name, &field->value, error_out);
        }
    }
    return status;
}
