#include "ingest/utf8.h"

#include <stdint.h>

static bool is_tail(unsigned char byte) {
    return (byte & 0xc0) == 0x80;
}

size_t rf_utf8_sequence_size(struct rf_text text) {
    const unsigned char *byte = (const unsigned char *)text.data;
    if (text.size == 0) {
        return 0;
    }
    if (byte[0] < 0x80) {
        return 1;
    }
    if (byte[0] < 0xc2) { // a tail byte, or an overlong pair
        return 0;
    }
    if (byte[0] < 0xe0) {
        return text.size >= 2 && is_tail(byte[1]) ? 2 : 0;
    }
    if (byte[0] < 0xf0) {
        if (text.size < 3 || !is_tail(byte[1]) || !is_tail(byte[2])) {
            return 0;
        }
        bool is_overlong = byte[0] == 0xe0 && byte[1] < 0xa0;
        bool is_surrogate = byte[0] == 0xed && byte[1] >= 0xa0;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (byte[0] > 0xf4 || text.size < 4 || !is_tail(byte[1]) || !is_tail(byte[2]) || !is_tail(byte[3])) {
        return 0;
    }
    bool is_overlong = byte[0] == 0xf0 && byte[1] < 0x90;
    bool is_too_large = byte[0] == 0xf4 && byte[1] >= 0x90;
    return is_overlong || is_too_large ? 0 : 4;
}

size_t rf_utf8_valid_size(struct rf_text text) {
    size_t at = 0;
    while (at < text.size) {
        uint64_t word;
        if (text.size - at >= sizeof word) { // eight ASCII bytes at a time
            memcpy(&word, text.data + at, sizeof word);
            if (!(word & 0x8080808080808080u)) {
                at += sizeof word;
                continue;
            }
        }
        size_t size = rf_utf8_sequence_size((struct rf_text){text.data + at, text.size - at});
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

size_t rf_utf8_write(unsigned code_point, char out[4]) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}
