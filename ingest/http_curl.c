// The only file that knows libcurl. A request is driven by its multi interface, so that a caller can do other things while a
// server makes it wait.
#include "ingest/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct curl_http {
    struct rf_http base;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    bool is_under_way, is_too_long;
    char *body; // [capacity]
    size_t size, capacity, size_max;
    char why[CURL_ERROR_SIZE];
};

static const struct rf_http_ops curl_ops;

static struct curl_http *curl_from(struct rf_http *self) {
    assert(self->ops == &curl_ops);
    return (struct curl_http *)self;
}

static size_t take_piece(char *piece, size_t unit, size_t count, void *context) {
    struct curl_http *http = context;
    size_t size = unit * count;
    if (size > http->size_max - http->size) {
        http->is_too_long = true;
        return 0; // ends the request
    }
    if (http->size + size > http->capacity) {
        size_t capacity = 2 * (http->size + size);
        char *body = realloc(http->body, capacity);
        if (!body) {
            return 0;
        }
        http->body = body;
        http->capacity = capacity;
    }
    memcpy(http->body + http->size, piece, size);
    http->size += size;
    return size;
}

static void end(struct curl_http *http) {
    if (http->is_under_way) {
        curl_multi_remove_handle(http->multi, http->easy);
        http->is_under_way = false;
    }
}

static enum rf_status curl_begin(struct rf_http *self, const char *url, struct rf_error *err) {
    struct curl_http *http = curl_from(self);
    end(http);
    http->size = 0;
    http->is_too_long = false;
    http->why[0] = '\0';
    if (curl_easy_setopt(http->easy, CURLOPT_URL, url) || curl_multi_add_handle(http->multi, http->easy)) {
        return rf_fail(err, RF_MEMORY, "http: out of memory");
    }
    http->is_under_way = true;
    return RF_OK;
}

static enum rf_status fail(struct curl_http *http, CURLcode code, struct rf_error *err) {
    if (http->is_too_long) {
        return rf_fail(err, RF_IO, "the reply has more than %zu bytes and is not taken unless reply_bytes is raised",
                       http->size_max);
    }
    return rf_fail(err, RF_IO, "%s", http->why[0] ? http->why : curl_easy_strerror(code));
}

static enum rf_status curl_turn(struct rf_http *self, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err) {
    struct curl_http *http = curl_from(self);
    assert(http->is_under_way);
    int running = 0, left;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    if (!code && running && wait_ms > 0) {
        code = curl_multi_poll(http->multi, NULL, 0, wait_ms, NULL);
        code = code ? code : curl_multi_perform(http->multi, &running);
    }
    if (code) {
        end(http);
        return rf_fail(err, RF_IO, "%s", curl_multi_strerror(code));
    }
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);
    if (!message) {
        return RF_AGAIN;
    }
    CURLcode result = message->data.result; // before the handle is removed: the message is gone with it
    long status = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    end(http);
    if (result) {
        return fail(http, result, err);
    }
    *reply_out = (struct rf_http_reply){.code = status, .body = {http->body ? http->body : "", http->size}};
    return RF_OK;
}

static void curl_destroy(struct rf_http *self) {
    struct curl_http *http = curl_from(self);
    end(http);
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->headers);
    free(http->body);
    free(http);
}

static const struct rf_http_ops curl_ops = {
        .name = "curl",
        .begin = curl_begin,
        .turn = curl_turn,
        .destroy = curl_destroy,
};

static CURLcode set_credentials(CURL *easy, const struct rf_http_options *options) {
    CURLcode code = CURLE_OK;
    if (options->user) {
        code = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        code = code ? code : curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
        code = code ? code : curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password ? options->password : "");
    } else if (options->token) {
        code = curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        code = code ? code : curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options->token);
    }
    return code;
}

static CURLcode set_options(struct curl_http *http, const struct rf_http_options *options) {
    CURL *easy = http->easy;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    code = code ? code : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // an end does not wait for a name to be looked up
    code = code ? code : curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(options->timeout_seconds * 1000));
    code = code ? code : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_piece);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_USERAGENT, "riffle/" RF_RELEASE);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
    if (!code && options->ca_file) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    }
    return code ? code : set_credentials(easy, options);
}

bool rf_http_is_url(const char *url) {
    CURLU *parsed = curl_url();
    bool is_url = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parsed);
    return is_url;
}

enum rf_status rf_http_curl_create(const struct rf_http_options *options, struct rf_http **http_out, struct rf_error *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) { // counted: once for each client, which is made in setup
        return rf_fail(err, RF_IO, "libcurl cannot be set up");
    }
    if (options->ca_file && access(options->ca_file, R_OK) != 0) {
        curl_global_cleanup();
        return rf_fail(err, RF_INVALID, "ca_file %s cannot be read: %s", options->ca_file, strerror(errno));
    }
    struct curl_http *http = calloc(1, sizeof *http);
    if (!http) {
        curl_global_cleanup();
        return rf_fail(err, RF_MEMORY, "http: out of memory");
    }
    http->base.ops = &curl_ops;
    http->size_max = options->reply_bytes_max;
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    http->headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    if (!http->multi || !http->easy || !http->headers || set_options(http, options)) {
        curl_destroy(&http->base);
        return rf_fail(err, RF_MEMORY, "http: out of memory");
    }
    *http_out = &http->base;
    return RF_OK;
}
