#include "ingest/event_json.h"

#include "ingest/reject.h"

#include <inttypes.h>

// One event being scanned.
struct scan {
    struct rf_event_json *event;
    struct rf_json_scan json;
    struct rf_decode_limits data_limits; // a text may be as long as a record where it is the data
    struct rf_arena *arena;
};

size_t rf_event_json_find(const struct rf_event_json *self, struct rf_text name) {
    size_t i = 0;
    while (i < self->count && !rf_text_equal(self->attributes[i], name)) {
        i++;
    }
    return i;
}

void rf_event_json_clear(struct rf_event_json *self) {
    memset(self->texts, 0, (self->count + 1) * sizeof *self->texts);
    self->data = (struct rf_text){NULL, 0};
    self->has_text = false;
    self->has_bytes = false;
}

static enum rf_status wrong_attribute(const struct scan *scan, struct rf_text name, const char *is, const char *wanted) {
    return rf_decode_fail(scan->json.error, RF_REASON_TYPE, "attribute %s is %s, must be %s", rf_show(name).text, is, wanted);
}

static enum rf_status scan_attribute(struct scan *scan, struct rf_text name) {
    struct rf_event_json *event = scan->event;
    size_t place = rf_event_json_find(event, name);
    struct rf_text *text = &event->texts[place];
    char first = scan->json.at < scan->json.end ? *scan->json.at : '\0';
    if (first == '"') {
        struct rf_json_string string;
        enum rf_status status = rf_json_scan_string(&scan->json, &string);
        return status || place == event->count ? status : rf_json_resolve(string, scan->arena, text);
    }
    if (first == '{' || first == '[') {
        return wrong_attribute(scan, name, first == '{' ? "an object" : "an array", "a text, a number, true, false or null");
    }
    struct rf_number number = {0};
    bool is_number = first == '-' || (first >= '0' && first <= '9');
    enum rf_status status =
            is_number ? rf_json_scan_number(&scan->json, &number) : rf_json_scan_literal(&scan->json, &number.text);
    if (status || number.text.data[0] == 'n') { // null is no attribute
        return status;
    }
    *text = number.text;
    return place < event->text_count ? wrong_attribute(scan, name, rf_show(*text).text, "a text") : RF_OK;
}

// A text that is data, or the base64 of it. A null is none.
static enum rf_status scan_data_text(struct scan *scan, struct rf_json_string *string_out, bool *has_text_out) {
    scan->json.limits = &scan->data_limits;
    enum rf_status status = rf_json_scan_string(&scan->json, string_out);
    scan->json.limits = scan->event->limits;
    *has_text_out = !status;
    return status;
}

static enum rf_status scan_data(struct scan *scan) {
    const char *begin = scan->json.at;
    enum rf_status status = scan->json.at < scan->json.end && *scan->json.at == '"'
                                    ? scan_data_text(scan, &scan->event->text, &scan->event->has_text)
                                    : rf_json_skip_value(&scan->json);
    scan->event->data = (struct rf_text){begin, (size_t)(scan->json.at - begin)};
    return status;
}

static enum rf_status scan_bytes(struct scan *scan) {
    if (scan->json.at < scan->json.end && *scan->json.at == '"') {
        return scan_data_text(scan, &scan->event->bytes, &scan->event->has_bytes);
    }
    enum rf_status status = rf_json_skip_value(&scan->json);
    return status ? status : rf_decode_fail(scan->json.error, RF_REASON_TYPE, "data_base64 is no text, must be one, of base64");
}

static enum rf_status scan_member(struct scan *scan) {
    if (scan->json.at == scan->json.end || *scan->json.at != '"') {
        return rf_json_unexpected(&scan->json, "a name in quotes");
    }
    struct rf_json_string string;
    struct rf_text name;
    enum rf_status status = rf_json_scan_string(&scan->json, &string);
    status = status ? status : rf_json_resolve(string, scan->arena, &name);
    if (status) {
        return status;
    }
    if (!rf_field_names_add(scan->event->names, name)) {
        return rf_decode_fail(scan->json.error, RF_REASON_DUPLICATE, "attribute %s stands twice, must stand once",
                              rf_show(name).text);
    }
    rf_json_skip_space(&scan->json);
    if (!rf_json_take(&scan->json, ':')) {
        return rf_json_unexpected(&scan->json, "':'");
    }
    rf_json_skip_space(&scan->json);
    if (rf_text_equal(name, rf_text_of("data"))) {
        return scan_data(scan);
    }
    return rf_text_equal(name, rf_text_of("data_base64")) ? scan_bytes(scan) : scan_attribute(scan, name);
}

static enum rf_status scan_members(struct scan *scan) {
    uint64_t members_max = scan->event->limits->fields;
    for (uint64_t count = 0; count < members_max; count++) {
        enum rf_status status = scan_member(scan);
        if (status) {
            return status;
        }
        rf_json_skip_space(&scan->json);
        if (rf_json_take(&scan->json, '}')) {
            return RF_OK;
        }
        if (!rf_json_take(&scan->json, ',')) {
            return rf_json_unexpected(&scan->json, "',' or '}'");
        }
        rf_json_skip_space(&scan->json);
    }
    return rf_decode_fail(scan->json.error, RF_REASON_LIMIT, "has more than %" PRIu64 " attributes", members_max);
}

enum rf_status rf_event_json_scan(struct rf_event_json *self, struct rf_text value, struct rf_arena *arena,
                                  struct rf_decode_error *error_out) {
    struct scan scan = {.event = self,
                        .json = {.begin = value.data,
                                 .at = value.data,
                                 .end = value.data + value.size,
                                 .limits = self->limits,
                                 .error = error_out},
                        .data_limits = *self->limits,
                        .arena = arena};
    scan.data_limits.field_bytes = self->limits->record_bytes;
    rf_field_names_begin(self->names);
    rf_json_skip_space(&scan.json);
    if (!rf_json_take(&scan.json, '{')) {
        return rf_json_unexpected(&scan.json, "'{'");
    }
    rf_json_skip_space(&scan.json);
    enum rf_status status = rf_json_take(&scan.json, '}') ? RF_OK : scan_members(&scan);
    if (status) {
        return status;
    }
    rf_field_names_end(self->names);
    rf_json_skip_space(&scan.json);
    return scan.json.at == scan.json.end ? RF_OK : rf_json_unexpected(&scan.json, "the end");
}
