#ifndef RF_INGEST_HTTP_H
#define RF_INGEST_HTTP_H
// What is asked of HTTP servers: one GET at a time, without blocking longer than asked.
#include "proto/status.h"
#include "proto/text.h"

#include <stdbool.h>

struct rf_http_options {
    const char *user, *password; // basic authentication; NULL: none
    const char *token;           // bearer token; NULL: none
    const char *ca_file;         // who signs the servers' certificates; NULL: whom the machine trusts
    double timeout_seconds;      // of a request
    size_t reply_bytes_max;      // a longer reply is refused
};

struct rf_http_reply {
    long code;           // as 200
    struct rf_text body; // good until the next request
};

struct rf_http;

// What a kind of client must do. All calls come from one thread. Credentials stand in no sentence.
struct rf_http_ops {
    const char *name;

    // Begins a request in place of one that is under way. RF_INVALID, in words: no URL that can be asked.
    enum rf_status (*begin)(struct rf_http *self, const char *url, struct rf_error *err);

    // Goes on with it for at most wait_ms. RF_AGAIN: under way. RF_IO, in words: there will be no reply.
    enum rf_status (*turn)(struct rf_http *self, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err);

    void (*destroy)(struct rf_http *self);
};

struct rf_http { // embedded first in each kind
    const struct rf_http_ops *ops;
};

enum rf_status rf_http_begin(struct rf_http *http, const char *url, struct rf_error *err) RF_MUST_USE;
enum rf_status rf_http_turn(struct rf_http *http, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err) RF_MUST_USE;
void rf_http_destroy(struct rf_http *http); // takes NULL

// Whether a URL can be asked at all: its host and port are such.
bool rf_http_is_url(const char *url);

// libcurl: HTTP and HTTPS. Redirects are replies like any other: they are not followed. Options are copied.
enum rf_status rf_http_curl_create(const struct rf_http_options *options, struct rf_http **http_out,
                                   struct rf_error *err) RF_MUST_USE;

#endif
