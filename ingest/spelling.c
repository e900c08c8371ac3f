#include "ingest/spelling.h"

#include "ingest/number.h"
#include "ingest/reject.h"

#include <math.h>
#include <strings.h>

struct rf_spelling rf_spelling_of(const struct rf_schema *schema, uint32_t index) {
    unsigned roles = index == RF_FIELD_UNKNOWN ? 0 : rf_schema_field(schema, index)->roles;
    return (struct rf_spelling){
            .is_number = index != RF_FIELD_UNKNOWN && rf_schema_takes_number(schema, index),
            .is_text = roles != 0 && (roles & ~(unsigned)(RF_ROLE_ID | RF_ROLE_CATEGORY | RF_ROLE_TEXT | RF_ROLE_VECTOR)) == 0,
    };
}

static bool is_word(struct rf_text text, const char *word) {
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

static bool is_non_finite_word(struct rf_text text) {
    bool is_signed = text.size > 0 && (*text.data == '-' || *text.data == '+');
    struct rf_text word = {text.data + is_signed, text.size - is_signed};
    return is_word(word, "nan") || is_word(word, "inf") || is_word(word, "infinity");
}

static enum rf_status not_finite(struct rf_text name, struct rf_text text, struct rf_decode_error *error_out) {
    return rf_decode_fail(error_out, RF_REASON_NON_FINITE, "field %s: %s is not finite", rf_show(name).text, rf_show(text).text);
}

enum rf_status rf_spelling_read(struct rf_spelling spelling, struct rf_text name, struct rf_text text, struct rf_value *value_out,
                                struct rf_decode_error *error_out) {
    struct rf_number number;
    double value;
    if (text.size == 0 || (spelling.is_number && rf_text_equal(text, rf_text_of("NA")))) {
        *value_out = (struct rf_value){.type = RF_VALUE_NULL};
    } else if (spelling.is_text) {
        *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = text};
    } else if (rf_number_short(text, RF_NUMBER_PLAIN, &value) == text.size) {
        *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value, .text = text};
    } else if (rf_number_scan(text, RF_NUMBER_PLAIN, &number) == text.size) {
        value = rf_number_value(&number);
        if (!isfinite(value)) {
            return not_finite(name, text, error_out);
        }
        *value_out = (struct rf_value){.type = RF_VALUE_NUMBER, .number = value, .text = text};
    } else if (rf_text_equal(text, rf_text_of("true")) || rf_text_equal(text, rf_text_of("false"))) {
        *value_out = (struct rf_value){.type = RF_VALUE_BOOL, .number = text.data[0] == 't', .text = text};
    } else if (spelling.is_number && is_non_finite_word(text)) {
        return not_finite(name, text, error_out);
    } else {
        *value_out = (struct rf_value){.type = RF_VALUE_TEXT, .text = text};
    }
    return RF_OK;
}
