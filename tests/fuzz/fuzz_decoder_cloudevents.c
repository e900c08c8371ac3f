// Arbitrary bytes as a CloudEvent, in both modes: lines `name:value` are the record's headers up to an empty line, the rest is
// its value. The data is JSON, CSV or protobuf, and a key and a header are fields beside it.
#include "tests/fuzz/decoder_harness.h"

enum { HEADERS_MAX = 16 };

// Takes the headers off `text`. Without an empty line there are none.
static size_t take_headers(struct rf_text *text, struct rf_header *headers) {
    const char *end = text->size > 1 ? memmem(text->data, text->size, "\n\n", 2) : NULL;
    size_t count = 0;
    for (const char *line = text->data; end && line < end && count < HEADERS_MAX; count++) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        line_end = line_end ? line_end : end;
        const char *colon = memchr(line, ':', (size_t)(line_end - line));
        const char *name_end = colon ? colon : line_end;
        headers[count] = (struct rf_header){.name = {line, (size_t)(name_end - line)}};
        if (colon) {
            headers[count].value = (struct rf_text){colon + 1, (size_t)(line_end - colon - 1)};
        }
        line = line_end + 1;
    }
    if (end) {
        *text = (struct rf_text){end + 2, text->size - (size_t)(end + 2 - text->data)};
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness json, csv, protobuf;
    if (!json.decoder) {
        struct rf_pair beside[] = {
                {.name = (char *)(uintptr_t) "k", .value = (char *)(uintptr_t) "key"},
                {.name = (char *)(uintptr_t) "h", .value = (char *)(uintptr_t) "header.h"},
        };
        const struct rf_feature_options features = {
                .id = "ce_id", .time = "ce_time", .label = "y", .numbers = TEXTS("a", "ce_risk"), .categories = TEXTS("c", "h")};
        struct rf_decoder_options options = {
                .limits = {.field_bytes = 64, .fields = 64}, .fields = {beside, 2}, .envelope = RF_ENVELOPE_CLOUDEVENTS};
        json = harness_create("json", &features, &options, RF_TASK_BINARY);
        protobuf = harness_create("protobuf", &(struct rf_feature_options){.label = "y", .texts = TEXTS("ce_type")}, &options,
                                  RF_TASK_REGRESSION);
        options.columns = (struct rf_texts)TEXTS("y", "a", "c");
        csv = harness_create("csv", &features, &options, RF_TASK_BINARY);
    }
    struct rf_header headers[HEADERS_MAX];
    struct rf_text value = {size ? (const char *)data : "", size};
    size_t count = take_headers(&value, headers);
    struct rf_record record = {.value = value, .key = rf_text_of("7"), .timestamp_ms = -1, .headers = count ? headers : NULL};
    record.header_count = (uint32_t)count;
    harness_run_record(&json, &record);
    harness_run_record(&csv, &record);
    harness_run_record(&protobuf, &record);
    return 0;
}
