#include "ingest/registry.h"

#include "ingest/base64.h"
#include "ingest/registry_fetch.h"
#include "ingest/registry_reply.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000, DOUBT_MS = 300, PROBE_MS = 5000 };

const struct rf_setting rf_registry_settings[] = {
        RF_TEXT(struct rf_registry_options, url, NULL, RF_SETTING_NOT_MODEL,
                "of the registry, http or https; several with commas in between are tried in turn"),
        RF_TEXT(struct rf_registry_options, user, NULL, RF_SETTING_NOT_MODEL, "of basic authentication; or an API key"),
        RF_TEXT(struct rf_registry_options, password, NULL, RF_SETTING_NOT_MODEL | RF_SETTING_SECRET,
                "of basic authentication; or an API secret"),
        RF_TEXT(struct rf_registry_options, token, NULL, RF_SETTING_NOT_MODEL | RF_SETTING_SECRET,
                "bearer token, in place of user and password"),
        RF_TEXT(struct rf_registry_options, ca_file, NULL, RF_SETTING_NOT_MODEL,
                "PEM file of who signs the registry's certificate; absent: whom the machine trusts"),
        RF_REAL(struct rf_registry_options, timeout_seconds, "10", 0.1, 600, RF_SETTING_NOT_MODEL, "of one request"),
        RF_UINT(struct rf_registry_options, reply_bytes, "1048576", 1024, 67108864, RF_SETTING_NOT_MODEL,
                "longest reply that is taken"),
        RF_UINT(struct rf_registry_options, ids, "65536", 1, 1048576, RF_SETTING_NOT_MODEL,
                "most schema ids that are kept in memory, unknown ones included; records with others wait"),
        {0},
};

static enum rf_status check_url(const char *url, size_t size, struct rf_error *err) {
    size_t scheme = size > 7 && !strncmp(url, "http://", 7) ? 7 : size > 8 && !strncmp(url, "https://", 8) ? 8 : 0;
    const char *host = url + scheme, *end = url + size;
    if (memchr(url, '@', size)) { // it may be behind the host, but then nothing is lost by asking for %40
        return rf_fail(err, RF_INVALID, "url holds user info, which must stand in user and password");
    }
    if (!scheme || host == end || *host == '/' || *host == ':') {
        return rf_fail(err, RF_INVALID, "url is \"%.*s\", must begin with http:// or https:// and a host", (int)size, url);
    }
    for (const char *at = url; at < end; at++) {
        if (*at <= ' ' || *at == 0x7f || *at == '?' || *at == '#') {
            return rf_fail(err, RF_INVALID, "url is \"%.*s\", must hold no blank, no ? and no #", (int)size, url);
        }
    }
    char *copy = strndup(url, size);
    bool is_url = copy && rf_http_is_url(copy);
    free(copy);
    return is_url ? RF_OK
                  : rf_fail(err, RF_INVALID, "url is \"%.*s\", must have a host and a port that there can be", (int)size, url);
}

// What would break out of the line of an HTTP header. The value is not shown: it may be a secret.
static enum rf_status check_credential(const char *name, const char *value, struct rf_error *err) {
    for (const char *at = value; at && *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            return rf_fail(err, RF_INVALID, "%s holds a control character, must hold none", name);
        }
    }
    return value && !*value ? rf_fail(err, RF_INVALID, "%s is empty, must be given or left out", name) : RF_OK;
}

static enum rf_status check_credentials(const struct rf_registry_options *options, struct rf_error *err) {
    if (options->token && (options->user || options->password)) {
        return rf_fail(err, RF_INVALID, "token and user are given, must be one of the two");
    }
    if (options->password && !options->user) {
        return rf_fail(err, RF_INVALID, "user is missing, must stand beside password");
    }
    if (options->user && strchr(options->user, ':')) {
        return rf_fail(err, RF_INVALID, "user holds a colon, which basic authentication cannot carry");
    }
    enum rf_status status = check_credential("token", options->token, err);
    status = status ? status : check_credential("user", options->user, err);
    return status || !options->password || !*options->password ? status : check_credential("password", options->password, err);
}

enum rf_status rf_registry_check(const struct rf_registry_options *options, struct rf_error *err) {
    if (!options->url) {
        bool has_more = options->user || options->password || options->token || options->ca_file;
        return has_more ? rf_fail(err, RF_INVALID, "url is missing, must name the schema registry") : RF_OK;
    }
    enum rf_status status = RF_OK;
    for (const char *at = options->url; at && !status;) {
        size_t size = strcspn(at, ",");
        status = check_url(at, size, err);
        at = at[size] ? at + size + 1 : NULL;
    }
    if (status) {
        return status;
    }
    status = check_credentials(options, err);
    if (status) {
        return status;
    }
    if (options->ca_file && !strstr(options->url, "https://")) {
        return rf_fail(err, RF_INVALID, "ca_file is given, but url is not https");
    }
    return RF_OK;
}

struct rf_registry {
    const struct rf_registry_options *options;
    bool is_serialized;
    struct rf_registry_store store;
    struct rf_http *http;
    struct rf_registry_fetch *fetch;
    char **urls; // [url_count]
    size_t url_count, url;

    // What is under way.
    bool is_asking, is_doubted; // the id was not known, and is asked for once more
    uint32_t asked;
    size_t failures;  // URLs that failed since something was answered
    int64_t retry_ms; // not before this time, where there were failures
    struct rf_error trouble;
    bool is_probing;
    int64_t probed_ms; // since when

    pthread_mutex_t lock;       // of all below
    struct rf_registered **ids; // [capacity] by id, open addressing
    size_t count, capacity;     // a power of two
};

static size_t place_of(const struct rf_registry *registry, uint32_t id) {
    size_t at = (id * UINT32_C(2654435761)) & (registry->capacity - 1);
    while (registry->ids[at] && registry->ids[at]->id != id) {
        at = (at + 1) & (registry->capacity - 1);
    }
    return at;
}

static enum rf_status grow(struct rf_registry *registry) {
    struct rf_registered **old = registry->ids;
    size_t count = registry->capacity;
    struct rf_registered **ids = calloc(count ? 2 * count : 64, sizeof *ids);
    if (!ids) {
        return RF_MEMORY;
    }
    registry->ids = ids;
    registry->capacity = count ? 2 * count : 64;
    for (size_t i = 0; i < count; i++) {
        if (old[i]) {
            registry->ids[place_of(registry, old[i]->id)] = old[i];
        }
    }
    free(old);
    return RF_OK;
}

const struct rf_registered *rf_registry_find(struct rf_registry *registry, uint32_t id) {
    pthread_mutex_lock(&registry->lock);
    const struct rf_registered *registered = registry->ids[place_of(registry, id)];
    pthread_mutex_unlock(&registry->lock);
    return registered;
}

// Takes ownership.
static enum rf_status add(struct rf_registry *registry, struct rf_registered *registered, struct rf_error *err) {
    pthread_mutex_lock(&registry->lock);
    enum rf_status status = 2 * (registry->count + 1) > registry->capacity ? grow(registry) : RF_OK;
    if (!status) {
        registry->ids[place_of(registry, registered->id)] = registered;
        registry->count++;
    }
    pthread_mutex_unlock(&registry->lock);
    if (status) {
        rf_registered_destroy(registered);
        return rf_fail(err, RF_MEMORY, "schema registry: out of memory");
    }
    return RF_OK;
}

static bool is_full(struct rf_registry *registry) {
    pthread_mutex_lock(&registry->lock);
    bool is_full = registry->count >= registry->options->ids;
    pthread_mutex_unlock(&registry->lock);
    return is_full;
}

const char *rf_registry_url(const struct rf_registry *registry) {
    return registry->urls[registry->url];
}

// The next URL is tried at once; after the last one, a second later.
static enum rf_status turn_away(struct rf_registry *registry, int64_t now_ms, struct rf_error *err) {
    struct rf_error why = *err;
    registry->is_asking = false;
    rf_fail(&registry->trouble, why.status, "schema registry %s: %s", rf_registry_url(registry), why.text);
    registry->url = (registry->url + 1) % registry->url_count;
    registry->failures++;
    if (registry->failures % registry->url_count == 0) {
        registry->retry_ms = now_ms + RETRY_MS;
    }
    *err = registry->trouble;
    return RF_AGAIN;
}

static enum rf_status learn(struct rf_registry *registry, struct rf_registered *registered,
                            const struct rf_registered **registered_out, struct rf_error *err) {
    registry->is_asking = registry->is_doubted = false;
    registry->failures = 0;
    registry->retry_ms = 0;
    if (registry->store.save) {
        registry->store.save(registry->store.context, registered);
    }
    *registered_out = registered;
    return add(registry, registered, err);
}

static enum rf_status learn_unknown(struct rf_registry *registry, uint32_t id, int64_t now_ms,
                                    const struct rf_registered **registered_out, struct rf_error *err) {
    registry->is_asking = false;
    registry->failures = 0;
    if (!registry->is_doubted) {
        registry->is_doubted = true;
        registry->retry_ms = now_ms + DOUBT_MS;
        registry->url = (registry->url + 1) % registry->url_count;
        return RF_AGAIN;
    }
    struct rf_registered *registered = calloc(1, sizeof *registered);
    if (registered) {
        registered->id = id;
        registered->refusal = strdup("is not known to the schema registry");
    }
    if (!registered || !registered->refusal) {
        free(registered);
        return rf_fail(err, RF_MEMORY, "schema registry: out of memory");
    }
    return learn(registry, registered, registered_out, err);
}

// Goes on asking for an id, or begins to.
static enum rf_status ask(struct rf_registry *registry, uint32_t id, int64_t now_ms, int wait_ms,
                          const struct rf_registered **registered_out, struct rf_error *err) {
    struct rf_registered *registered;
    struct rf_error why;
    enum rf_status status = RF_OK;
    if (!registry->is_asking) {
        registry->asked = id;
        registry->is_asking = true;
        status = rf_registry_fetch_begin(registry->fetch, rf_registry_url(registry), id, &why);
    }
    if (!status) {
        status = rf_registry_fetch_turn(registry->fetch, wait_ms, &registered, &why);
    }
    switch (status) {
    case RF_OK:
        return learn(registry, registered, registered_out, err);
    case RF_AGAIN:
        break;
    case RF_NOT_FOUND:
        return learn_unknown(registry, id, now_ms, registered_out, err);
    case RF_MEMORY:
        *err = why;
        return status;
    default:
        turn_away(registry, now_ms, &why);
    }
    if (registry->failures) { // while it is tried again, too
        *err = registry->trouble;
    }
    return RF_AGAIN;
}

// What was kept while descriptors were not wanted is of no use when they are: one of Protobuf is a text.
static bool is_usable(const struct rf_registry *registry, const struct rf_registered *kept) {
    bool is_usable = true;
    for (size_t i = 0; registry->is_serialized && !kept->refusal && !strcmp(kept->type, "PROTOBUF") && i < kept->count; i++) {
        is_usable = is_usable && rf_base64_is_valid(rf_text_of(kept->schemas[i].text));
    }
    return is_usable;
}

static struct rf_registered *load(const struct rf_registry *registry, uint32_t id) {
    struct rf_registered *kept = registry->store.load ? registry->store.load(registry->store.context, id) : NULL;
    if (kept && !is_usable(registry, kept)) {
        rf_registered_destroy(kept);
        return NULL;
    }
    return kept;
}

enum rf_status rf_registry_resolve(struct rf_registry *registry, uint32_t id, int64_t now_ms, int wait_ms,
                                   const struct rf_registered **registered_out, struct rf_error *err) {
    *registered_out = rf_registry_find(registry, id);
    if (*registered_out) {
        return RF_OK;
    }
    if (is_full(registry)) {
        return rf_fail(err, RF_AGAIN, "schema id %" PRIu32 " is one more than the %" PRIu64 " that are kept, ids must be larger",
                       id, registry->options->ids);
    }
    if (registry->asked != id) { // another one was given up
        registry->is_asking = registry->is_doubted = false;
    }
    bool is_new = !registry->is_asking && !registry->is_doubted && !registry->failures;
    struct rf_registered *kept = is_new ? load(registry, id) : NULL;
    if (kept) {
        *registered_out = kept;
        return add(registry, kept, err);
    }
    bool must_wait = !registry->is_asking && now_ms < registry->retry_ms && now_ms >= registry->retry_ms - RETRY_MS;
    if (!must_wait) {
        return ask(registry, id, now_ms, wait_ms, registered_out, err);
    }
    if (registry->failures) {
        *err = registry->trouble;
    }
    return RF_AGAIN;
}

static enum rf_status probe(struct rf_registry *registry, int wait_ms, struct rf_error *err) {
    char url[4096];
    struct rf_http_reply reply;
    enum rf_status status = RF_OK;
    if (!registry->is_asking) {
        snprintf(url, sizeof url, "%s/schemas/types", rf_registry_url(registry));
        registry->is_asking = true;
        status = rf_http_begin(registry->http, url, err);
    }
    if (!status) {
        status = rf_http_turn(registry->http, wait_ms, &reply, err);
    }
    if (status == RF_AGAIN) {
        return status;
    }
    if (!status) {
        status = rf_registry_judge(&reply, err);
    }
    registry->is_asking = false;
    if (!status) {
        return RF_OK;
    }
    rf_fail_in(err, "schema registry %s", rf_registry_url(registry));
    registry->url = (registry->url + 1) % registry->url_count;
    if (status == RF_INVALID || registry->url == 0) {
        return err->status = status == RF_INVALID ? RF_INVALID : RF_IO;
    }
    return RF_AGAIN; // the next one
}

enum rf_status rf_registry_probe(struct rf_registry *registry, int64_t now_ms, int wait_ms, struct rf_error *err) {
    registry->probed_ms = registry->is_probing ? registry->probed_ms : now_ms;
    enum rf_status status = probe(registry, wait_ms, err);
    registry->is_probing = status == RF_AGAIN;
    if (registry->is_probing && now_ms - registry->probed_ms >= PROBE_MS) {
        registry->is_probing = registry->is_asking = false;
        return rf_fail(err, RF_IO, "schema registry %s: has not answered within %d seconds", rf_registry_url(registry),
                       PROBE_MS / 1000);
    }
    return status;
}

static enum rf_status take_urls(struct rf_registry *registry, const char *text) {
    for (const char *at = text; at;) {
        size_t size = strcspn(at, ",");
        size_t kept = size;
        while (kept > 0 && at[kept - 1] == '/') {
            kept--;
        }
        char **urls = realloc(registry->urls, (registry->url_count + 1) * sizeof *urls);
        if (!urls) {
            return RF_MEMORY;
        }
        registry->urls = urls;
        urls[registry->url_count] = strndup(at, kept);
        if (!urls[registry->url_count++]) {
            return RF_MEMORY;
        }
        at = at[size] ? at + size + 1 : NULL;
    }
    return RF_OK;
}

enum rf_status rf_registry_create(const struct rf_registry_options *options, bool is_serialized, struct rf_http *http,
                                  const struct rf_registry_store *store, struct rf_registry **registry_out,
                                  struct rf_error *err) {
    struct rf_registry *registry = calloc(1, sizeof *registry);
    if (!registry) {
        rf_http_destroy(http);
        return rf_fail(err, RF_MEMORY, "schema registry: out of memory");
    }
    registry->options = options;
    registry->is_serialized = is_serialized;
    registry->http = http;
    pthread_mutex_init(&registry->lock, NULL);
    if (store) {
        registry->store = *store;
    }
    if (take_urls(registry, options->url) || grow(registry) ||
        rf_registry_fetch_create(http, is_serialized, &registry->fetch, err)) {
        rf_registry_destroy(registry);
        return rf_fail(err, RF_MEMORY, "schema registry: out of memory");
    }
    *registry_out = registry;
    return RF_OK;
}

void rf_registry_destroy(struct rf_registry *registry) {
    if (!registry) {
        return;
    }
    for (size_t i = 0; i < registry->capacity; i++) {
        rf_registered_destroy(registry->ids[i]);
    }
    for (size_t i = 0; i < registry->url_count; i++) {
        free(registry->urls[i]);
    }
    rf_registry_fetch_destroy(registry->fetch);
    rf_http_destroy(registry->http);
    pthread_mutex_destroy(&registry->lock);
    free(registry->ids);
    free(registry->urls);
    free(registry);
}
