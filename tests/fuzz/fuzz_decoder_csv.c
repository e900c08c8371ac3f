// Arbitrary bytes as a line of CSV, for columns of every role, of none, of texts, buckets and a vector, and as a header line; in
// dialects too, of which files are cut into the same records whatever pieces they come in.
#include "tests/fuzz/decoder_harness.h"
#include "tests/fuzz/rich_features.h"

#include "ingest/framing.h"

// The first byte chooses the dialect of the rest.
static struct rf_csv_dialect dialect_of(uint8_t choice) {
    static const char delimiters[] = ",;\t|";
    static const signed char quotes[] = {0, '\'', RF_CSV_NONE, 0};
    static char *nulls[] = {"NULL", "\\N"};
    bool has_escape = choice & 16;
    return (struct rf_csv_dialect){
            .delimiter = delimiters[choice & 3],
            .quote = quotes[choice >> 2 & 3],
            .escape = has_escape ? '\\' : '\0',
            .comment = choice & 32 ? '#' : '\0',
            .has_decimal_comma = (choice & 3) && (choice & 64),
            .is_trimmed = choice & 128,
            .has_control_escapes = has_escape && (choice & 128),
            .has_nulls = choice & 64,
            .nulls = {nulls, 2},
    };
}

static struct harness dialect_harness(const struct rf_csv_dialect *dialect) {
    const struct rf_feature_options features = {
            .id = "id", .time = "at", .label = "y", .numbers = TEXTS("a"), .categories = TEXTS("c")};
    return harness_create("csv", &features,
                          &(struct rf_decoder_options){.columns = TEXTS("id", "at", "y", "a", "c"), .csv = *dialect},
                          RF_TASK_BINARY);
}

// One number for the records that a file holds, which comes in pieces.
static uint64_t frame(const struct rf_csv_dialect *dialect, struct rf_text bytes, size_t piece) {
    struct rf_framer framing = {.kind = RF_FRAMING_CSV, .csv = *dialect, .size_max = 64};
    uint64_t digest = 0;
    size_t begin = 0, end = 0;
    while (begin < bytes.size) {
        struct rf_text record;
        size_t used = 0;
        enum rf_framing_answer answer =
                rf_framing_next(&framing, (struct rf_text){bytes.data + begin, end - begin}, end == bytes.size, &record, &used);
        MUST(answer != RF_FRAMING_BROKEN && used <= end - begin);
        if (answer == RF_FRAMING_MORE) {
            MUST(end < bytes.size && end - begin <= 64 + RF_FRAMING_ROOM);
            end = bytes.size - end > piece ? end + piece : bytes.size;
        }
        if (answer == RF_FRAMING_FOUND) {
            MUST(record.size > 0 && record.size <= 65);
            digest = fold(digest, record.data, record.size);
        }
        begin += used;
    }
    return digest;
}

static void run_header(const struct rf_csv_dialect *dialect, const uint8_t *data, size_t size) {
    struct rf_texts columns = {NULL, 0};
    struct rf_error err;
    if (rf_decoder_csv_columns((struct rf_text){(const char *)data, size}, dialect, &columns, &err)) {
        MUST(err.text[0] && !columns.list);
        return;
    }
    MUST(columns.count > 0);
    for (size_t i = 0; i < columns.count; i++) {
        MUST(rf_utf8_is_valid(rf_text_of(columns.list[i])));
        free(columns.list[i]);
    }
    free(columns.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct harness named, rest, rich;
    if (!named.decoder) {
        named = harness_create(
                "csv",
                &(struct rf_feature_options){
                        .id = "id",
                        .time = "at",
                        .label = "y",
                        .numbers = TEXTS("a"),
                        .categories = TEXTS("c"),
                },
                &(struct rf_decoder_options){.limits = {.field_bytes = 64}, .columns = TEXTS("id", "at", "y", "a", "c")},
                RF_TASK_BINARY);
        rest = harness_create("csv", &(struct rf_feature_options){.label = "y"},
                              &(struct rf_decoder_options){.columns = TEXTS("", "p", "y"), .csv = {.delimiter = ';'}},
                              RF_TASK_REGRESSION);
        const struct rf_feature_options features = rich_features();
        rich = harness_create("csv", &features,
                              &(struct rf_decoder_options){.columns = TEXTS("a", "b", "c", "d", "e", "f", "g", "y")},
                              RF_TASK_REGRESSION);
    }
    harness_run(&named, data, size);
    harness_run(&rest, data, size);
    harness_run(&rich, data, size);
    run_header(&(struct rf_csv_dialect){0}, data, size);
    if (size == 0) {
        return 0;
    }
    static struct harness of_dialect[256];
    const struct rf_csv_dialect dialect = dialect_of(data[0]);
    if (!of_dialect[data[0]].decoder) {
        of_dialect[data[0]] = dialect_harness(&dialect);
    }
    const struct rf_text rest_of_it = {(const char *)data + 1, size - 1};
    harness_run(&of_dialect[data[0]], data + 1, size - 1);
    run_header(&dialect, data + 1, size - 1);
    MUST(frame(&dialect, rest_of_it, 1) == frame(&dialect, rest_of_it, 7));
    return 0;
}
