#include "sinks/message_wire.h"

#include "proto/bytes.h"
#include "proto/utf8.h"

#include <stdbool.h>

char *rf_write_close(char *length_at, char *end) {
    size_t size = (size_t)(end - length_at - 1);
    if (size < 0x80) {
        *length_at = (char)size;
        return end;
    }
    char length[RF_WRITE_MEMBER_SIZE_MAX];
    size_t length_size = (size_t)(rf_write_varint(length, size) - length);
    memmove(length_at + length_size, length_at + 1, size);
    memcpy(length_at, length, length_size);
    return length_at + length_size + size;
}

static char *write_cleaned(char *to, struct rf_text text) {
    for (size_t i = 0; i < text.size;) {
        size_t length = text.data[i] ? rf_utf8_size((struct rf_text){text.data + i, text.size - i}) : 0;
        const char *from = length ? text.data + i : "\xEF\xBF\xBD";
        size_t size = length ? length : 3;
        memcpy(to, from, size);
        to += size;
        i += length ? length : 1;
    }
    return to;
}

// No byte is NUL or beyond ASCII: nearly always.
static bool is_plain(struct rf_text text) {
    const uint64_t low = UINT64_C(0x0101010101010101), high = low << 7;
    uint64_t odd = 0;
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t bytes = rf_load_u64(text.data + i);
        odd |= (bytes | (bytes - low)) & high; // a byte of 0 borrows, and so does what stands above one: looked at closely then
    }
    for (; i < text.size; i++) {
        odd |= (signed char)text.data[i] <= 0;
    }
    return !odd;
}

char *rf_write_text(char *to, unsigned number, struct rf_text text) {
    if (text.size == 0) {
        return to;
    }
    if (is_plain(text)) {
        return rf_write_bytes(to, number, text.data, text.size);
    }
    to = rf_write_tag(to, number, RF_WRITE_DELIMITED);
    return rf_write_close(to, write_cleaned(to + 1, text));
}
