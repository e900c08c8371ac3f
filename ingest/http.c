#include "ingest/http.h"

enum rf_status rf_http_begin(struct rf_http *http, const char *url, struct rf_error *err) {
    return http->ops->begin(http, url, err);
}

enum rf_status rf_http_turn(struct rf_http *http, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err) {
    return http->ops->turn(http, wait_ms, reply_out, err);
}

void rf_http_destroy(struct rf_http *http) {
    if (http) {
        http->ops->destroy(http);
    }
}
