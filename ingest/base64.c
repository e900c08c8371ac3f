#include "ingest/base64.h"

// 0 to 63; -1: no digit.
static int digit(char letter) {
    if (letter >= 'A' && letter <= 'Z') {
        return letter - 'A';
    }
    if (letter >= 'a' && letter <= 'z') {
        return letter - 'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
        return letter - '0' + 52;
    }
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

static size_t padding(struct rf_text text) {
    return (size_t)(text.data[text.size - 1] == '=') + (text.data[text.size - 1] == '=' && text.data[text.size - 2] == '=');
}

bool rf_base64_is_valid(struct rf_text text) {
    if (text.size == 0 || text.size % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.size - padding(text); i++) {
        if (digit(text.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

size_t rf_base64_decode(struct rf_text text, uint8_t *bytes_out) {
    size_t size = 0;
    for (size_t i = 0; i < text.size; i += 4) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = digit(text.data[i + k]);
            bits = bits << 6 | (uint32_t)(value < 0 ? 0 : value);
        }
        bytes_out[size++] = (uint8_t)(bits >> 16);
        bytes_out[size++] = (uint8_t)(bits >> 8);
        bytes_out[size++] = (uint8_t)bits;
    }
    return size - padding(text);
}
