#ifndef RF_PROTO_TEXT_H
#define RF_PROTO_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

// Borrowed bytes: a view that owns nothing and need not end in NUL. `data` NULL means absent, which is not empty.
struct rf_text {
    const char *data;
    size_t size;
};

static inline struct rf_text rf_text_of(const char *string) {
    return (struct rf_text){string, string ? strlen(string) : 0};
}

static inline bool rf_text_equal(struct rf_text a, struct rf_text b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// Shorter ones first, then by their bytes: quicker than by the alphabet, where any order will do.
static inline int rf_text_order(struct rf_text a, struct rf_text b) {
    if (a.size != b.size) {
        return a.size < b.size ? -1 : 1;
    }
    return a.size ? memcmp(a.data, b.data, a.size) : 0;
}

#endif
