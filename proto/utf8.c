#include "proto/utf8.h"

#include "proto/bytes.h"

#include <assert.h>
#include <stdint.h>

size_t rf_utf8_size(struct rf_text text) {
    const unsigned char *byte = (const unsigned char *)text.data;
    if (text.size == 0) {
        return 0;
    }
    if (byte[0] < 0x80) {
        return 1;
    }
    size_t size = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || text.size < size) { // a tail byte, an overlong pair, too large, or cut
        return 0;
    }
    // The second byte's range shuts out longer forms than needed, surrogates and what lies above U+10FFFF.
    unsigned char low = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;
    if (byte[1] < low || byte[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((byte[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool rf_utf8_is_unprintable(struct rf_text text, size_t size) {
    unsigned char first = size ? (unsigned char)text.data[0] : 0;
    bool is_c1_control = size == 2 && first == 0xc2 && (unsigned char)text.data[1] < 0xa0;
    return first < 0x20 || first == 0x7f || is_c1_control;
}

// Up to eight bytes, by two reads that overlap.
static bool is_short_ascii(struct rf_text text) {
    const uint64_t tops = 0x8080808080808080u;
    if (text.size >= 4) {
        return !((rf_load_u32(text.data) | rf_load_u32(text.data + text.size - 4)) & tops);
    }
    uint64_t bytes = 0;
    for (size_t i = 0; i < text.size; i++) {
        bytes |= (unsigned char)text.data[i];
    }
    return !(bytes & tops);
}

size_t rf_utf8_valid_size(struct rf_text text) {
    if (text.size <= 8 && is_short_ascii(text)) { // as most names and categories are
        return text.size;
    }
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
        size_t size = rf_utf8_size((struct rf_text){text.data + at, text.size - at});
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

unsigned rf_utf8_read(struct rf_text character) {
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    assert(character.size == rf_utf8_size(character));
    unsigned code_point = (unsigned char)character.data[0] & first_mask[character.size];
    for (size_t i = 1; i < character.size; i++) {
        code_point = code_point << 6 | ((unsigned char)character.data[i] & 0x3f);
    }
    return code_point;
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
