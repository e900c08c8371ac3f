// Compares the CSV decoder with Python's csv module on rows of many dialects: those that it wrote are taken, to the byte, and cut
// out of a file as they are; damaged ones that it does not read are rejected, and of others that are taken the fields are the
// same.
#include "tests/ingest/decode_fixture.h"

#include "ingest/framing.h"
#include "proto/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 20000, ROW_SIZE_MAX = 1024, LINE_SIZE_MAX = 8192, FIELDS_MAX = 64, SEED = 5 };

struct row {
    struct rf_csv_dialect dialect;
    bool must, is_bad;
    size_t size, field_count;
    char bytes[ROW_SIZE_MAX];
    char fields[LINE_SIZE_MAX]; // in hexadecimal, each behind a blank
};

static int character(const char *hex) {
    return *hex == '-' ? RF_CSV_NONE : (int)strtol(hex, NULL, 16);
}

static bool read_row(FILE *file, struct row *row) {
    char delimiter[8], quote[8], escape[8], verdict[8], line[LINE_SIZE_MAX];
    int used;
    if (!fgets(line, sizeof line, file)) {
        return false;
    }
    assert_int_equal(sscanf(line, "%7s %7s %7s %7s %zu%n", delimiter, quote, escape, verdict, &row->size, &used), 5);
    row->dialect = (struct rf_csv_dialect){
            .delimiter = (char)character(delimiter),
            .quote = (signed char)character(quote),
            .escape = (char)(*escape == '-' ? 0 : character(escape)),
    };
    row->must = strcmp(verdict, "must") == 0;
    row->is_bad = strcmp(verdict, "bad") == 0;
    line[strcspn(line, "\n")] = '\0';
    snprintf(row->fields, sizeof row->fields, "%s", line + used);
    row->field_count = 0;
    for (const char *at = row->fields; (at = strchr(at, ' ')) && at[1]; at++) {
        row->field_count++;
    }
    assert_true(row->size < sizeof row->bytes);
    assert_int_equal(fread(row->bytes, 1, row->size, file), row->size);
    assert_int_equal(fgetc(file), '\n');
    return true;
}

// All columns are categories, so each field is its text; an empty one outside quotes is null.
static void print_fields(const struct rf_event *event, char *out) {
    *out = '\0';
    for (size_t i = 0; i < event->count; i++) {
        const struct rf_text text = event->fields[i].value.text;
        out += sprintf(out, text.size ? " " : " -");
        for (size_t k = 0; k < text.size; k++) {
            out += sprintf(out, "%02x", (unsigned char)text.data[k]);
        }
    }
}

static void check_row(const struct row *row) {
    static char names[FIELDS_MAX][24];
    static char *list[FIELDS_MAX];
    size_t count = row->field_count ? row->field_count : 3;
    assert_true(count <= FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "c%zu", i);
        list[i] = names[i];
    }
    const struct rf_texts columns = {list, count};
    struct decode_fixture fixture;
    fixture_init(&fixture, "csv", &(struct rf_feature_options){.categories = columns},
                 &(struct rf_decoder_options){.columns = columns, .csv = row->dialect});
    const struct rf_record record = {.value = {row->bytes, row->size}};
    enum rf_status status = rf_decoder_decode(fixture.decoder, &record, &fixture.arena, &fixture.event, &fixture.error);
    char found[LINE_SIZE_MAX] = "";
    if (!status) {
        print_fields(&fixture.event, found);
    }
    bool is_wrong = status ? row->must : row->is_bad || strcmp(found, row->fields) != 0;
    if (is_wrong) {
        fail_msg("%.*s\n  delimiter %c quote %d escape %c: python says %s  riffle says %s", (int)row->size, row->bytes,
                 row->dialect.delimiter, row->dialect.quote, row->dialect.escape, row->fields,
                 status ? fixture.error.detail : found);
    }
    fixture_finish(&fixture);
}

// Rows of one dialect, one after the other, in pieces by chance: each is found again.
static void check_framing(const struct row *row, const struct row *next, struct rf_random *random) {
    static char file[2 * ROW_SIZE_MAX + 8];
    static const char *const ends[] = {"\n", "\r\n"};
    int size = snprintf(file, sizeof file, "%.*s", (int)row->size, row->bytes);
    size += sprintf(file + size, "%s%.*s\n", ends[rf_random_below(random, 2)], (int)next->size, next->bytes);
    struct rf_framer framing = {.kind = RF_FRAMING_CSV, .csv = row->dialect, .size_max = ROW_SIZE_MAX};
    size_t begin = 0, end = 0, found = 0;
    while (begin < (size_t)size) {
        struct rf_text record;
        size_t used = 0;
        enum rf_framing_answer answer =
                rf_framing_next(&framing, (struct rf_text){file + begin, end - begin}, end == (size_t)size, &record, &used);
        if (answer == RF_FRAMING_FOUND) {
            const struct row *wanted = found == 0 ? row : next;
            assert_true(rf_text_equal(record, (struct rf_text){wanted->bytes, wanted->size}));
            found++;
        }
        begin += used;
        end += answer == RF_FRAMING_MORE ? 1 + (size_t)rf_random_below(random, (size_t)size - end) : 0;
    }
    assert_int_equal(found, 2);
}

static bool is_same(const struct rf_csv_dialect *a, const struct rf_csv_dialect *b) {
    return a->delimiter == b->delimiter && a->quote == b->quote && a->escape == b->escape;
}

static void csv_agrees_with_python_in_every_dialect(void **state) {
    (void)state;
    char path[] = "/tmp/riffle-csv-XXXXXX", command[1024];
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    snprintf(command, sizeof command, "/usr/bin/python3 %s %d %d %s", CSV_ORACLE, SEED, ROWS, path);
    assert_int_equal(system(command), 0);
    FILE *file = fdopen(descriptor, "r");
    static struct row row, last;
    struct rf_random random;
    rf_random_init(&random, SEED);
    size_t rows = 0, framed = 0;
    bool has_last = false;
    for (; read_row(file, &row); rows++) {
        check_row(&row);
        if (row.must && has_last && is_same(&row.dialect, &last.dialect)) {
            check_framing(&last, &row, &random);
            framed++;
        }
        if (row.must) {
            last = row;
            has_last = true;
        }
    }
    assert_int_equal(rows, ROWS);
    assert_true(framed > 50);
    fclose(file);
    remove(path);
}

int main(void) {
    if (access("/usr/bin/python3", X_OK) != 0) {
        printf("skipped: there is no /usr/bin/python3 to compare with\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(csv_agrees_with_python_in_every_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
