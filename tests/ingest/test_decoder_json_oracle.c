// Compares the JSON decoder with Python's on many damaged and nested records: what is taken, and every value of it.
#include "tests/ingest/decode_fixture.h"

#include "proto/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORDS = 20000, RECORD_SIZE_MAX = 4096, LINE_SIZE_MAX = 65536, DEPTH_MAX = 5 };

static const char *const seeds[] = {
        "{\"id\":\"t-1\",\"amount\":12.50,\"city\":\"Z\xc3\xbcrich\",\"ok\":true,\"gone\":null}",
        "{\"a\":[1,2,{\"b\":[]}],\"c\":{\"d\":\"e\"},\"f\":-0.5e-3}",
        "{\"esc\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\",\"n\":1e308}",
        " { \"x\" : 0 , \"y\" : -1.25E+2 ,\t\"z\" : false }\r\n",
        "{\"big\":123456789012345678901234567890,\"tiny\":4.9e-324,\"\":\"\"}",
        "{\"a\":1,\"b\":2,\"\\u0061\":3}",
};

// Changes up to `most` bytes.
static size_t damage(struct rf_random *random, uint64_t most, char *record) {
    static const char bytes[] = "{}[]\",:\\u0123456789abdeE+-. tnrfl\n\x01\x7f\x80\xc3\xe2\xed\xf0\xff";
    size_t size = strlen(record);
    for (uint64_t i = rf_random_below(random, most + 1); i > 0 && size > 1; i--) {
        size_t at = (size_t)rf_random_below(random, size);
        char byte = bytes[rf_random_below(random, sizeof bytes - 1)];
        switch (rf_random_below(random, 3)) {
        case 0:
            record[at] = byte;
            break;
        case 1:
            memmove(record + at, record + at + 1, --size - at);
            break;
        default:
            memmove(record + at + 1, record + at, size++ - at);
            record[at] = byte;
        }
    }
    return size;
}

static size_t make_damaged(struct rf_random *random, char *record) {
    strcpy(record, seeds[rf_random_below(random, sizeof seeds / sizeof *seeds)]);
    return damage(random, 3, record);
}

// Appends one of the texts, at random.
static char *add(struct rf_random *random, char *at, const char *const *texts, size_t count) {
    return stpcpy(at, texts[rf_random_below(random, count)]);
}

#define ADD(random, at, texts) add(random, at, texts, sizeof(texts) / sizeof *(texts))

static char *add_value(struct rf_random *random, char *at, size_t depth);

// An object or array of random members.
static char *add_container(struct rf_random *random, char *at, size_t depth, bool is_object) {
    static const char *const names[] = {"a", "b", "c", "n", "m", "0", "1", "2", "o", "tags", "a.b", "a.n", "\\u0061", "b.c"};
    static const char *const spaces[] = {"", "", "", " ", "\n\t"};
    const size_t name_count = sizeof names / sizeof *names;
    uint64_t count = rf_random_below(random, depth == 0 ? 6 : 4);
    size_t name = (size_t)rf_random_below(random, name_count);
    *at++ = is_object ? '{' : '[';
    for (uint64_t i = 0; i < count; i++) {
        at = stpcpy(at, i ? "," : "");
        at = ADD(random, at, spaces);
        if (is_object) {
            *at++ = '"';
            at = stpcpy(stpcpy(at, names[name]), "\":");
            name = (name + !!rf_random_below(random, 20) + (size_t)rf_random_below(random, 3)) % name_count; // seldom the same
        }
        at = add_value(random, at, depth + 1);
        at = ADD(random, at, spaces);
    }
    *at++ = is_object ? '}' : ']';
    *at = '\0';
    return at;
}

static char *add_value(struct rf_random *random, char *at, size_t depth) {
    static const char *const scalars[] = {"1",       "-0.5e1",    "null",   "true",    "\"x\"",       "\"\"",
                                          "\" 7 \"", "\"1e400\"", "1e-400", "1e400",   "\"\\u00e9\"", "\"2.50\"",
                                          "\"+1\"",  "\"1 2\"",   "false",  "\"\\t9\""};
    uint64_t kind = depth < DEPTH_MAX ? rf_random_below(random, 5) : 4;
    return kind < 3 ? add_container(random, at, depth, kind == 0) : ADD(random, at, scalars);
}

static size_t make_nested(struct rf_random *random, char *record) {
    add_container(random, record, 0, true);
    return damage(random, rf_random_below(random, 4) == 0, record);
}

static size_t print_hex(char *out, struct rf_text text) {
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        size += (size_t)sprintf(out + size, "%02x", (unsigned char)text.data[i]);
    }
    return size;
}

// Compares one field with `name=value` of the oracle; returns where that ends.
static const char *check_field(const char *line, const struct rf_field *field) {
    char name[2 * RECORD_SIZE_MAX + 1] = "", text[2 * RECORD_SIZE_MAX + 1] = "";
    size_t name_size = print_hex(name, field->name);
    assert_int_equal(*line, ' ');
    line++;
    assert_memory_equal(line, name, name_size);
    line += name_size;
    assert_int_equal(*line, '=');
    line++;
    size_t size = strcspn(line, " \n");
    switch (field->value.type) {
    case RF_VALUE_NUMBER:
        assert_true(strtod(line, NULL) == field->value.number);
        break;
    case RF_VALUE_TEXT:
        assert_int_equal(print_hex(text, field->value.text), size);
        assert_memory_equal(line, text, size);
        break;
    case RF_VALUE_BOOL:
        assert_memory_equal(line, field->value.number != 0 ? "true" : "false", size);
        break;
    case RF_VALUE_NULL:
        assert_memory_equal(line, "null", size);
        break;
    case RF_VALUE_LIST:
    case RF_VALUE_FLOATS:
    case RF_VALUE_DOUBLES:
        fail_msg("no field is a vector here");
        break;
    }
    return line + size;
}

// The values of each declared field together; those of undeclared ones stay where they are.
static void sort_by_field(struct rf_event *event) {
    for (size_t i = 1; i < event->count; i++) {
        struct rf_field field = event->fields[i];
        size_t at = i;
        for (; at > 0 && event->fields[at - 1].index > field.index; at--) {
            event->fields[at] = event->fields[at - 1];
        }
        event->fields[at] = field;
    }
}

static bool check_record(struct decode_fixture *fixture, const char *record, size_t size, const char *line) {
    struct rf_record input = {.value = {record, size}};
    rf_arena_reset(&fixture->arena);
    enum rf_status status = rf_decoder_decode(fixture->decoder, &input, &fixture->arena, &fixture->event, &fixture->error);
    if ((status == RF_OK) != (strncmp(line, "ok", 2) == 0)) {
        fail_msg("%.*s\n  python says %s  riffle says %s", (int)size, record, line, status ? fixture->error.detail : "ok");
    }
    if (status) {
        return false;
    }
    line += 2;
    sort_by_field(&fixture->event);
    for (size_t i = 0; i < fixture->event.count; i++) {
        line = check_field(line, &fixture->event.fields[i]);
    }
    assert_int_equal(*line, '\n');
    return fixture->event.count > 0;
}

// Records of a seed, once for Python and once for Riffle; `arguments` are the oracle's.
static void compare(struct decode_fixture *fixture, size_t (*make)(struct rf_random *random, char *record),
                    const char *arguments) {
    struct rf_random random;
    rf_random_init(&random, 3);
    char path[] = "/tmp/riffle-json-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    static char record[RECORD_SIZE_MAX];
    for (int i = 0; i < RECORDS; i++) {
        size_t size = make(&random, record);
        fprintf(file, "%zu\n", size);
        fwrite(record, 1, size, file);
    }
    fclose(file);

    char command[1024];
    snprintf(command, sizeof command, "/usr/bin/python3 %s %s %s", JSON_ORACLE, path, arguments);
    FILE *oracle = popen(command, "r");
    assert_non_null(oracle);
    rf_random_init(&random, 3);
    size_t accepted = 0;
    for (int i = 0; i < RECORDS; i++) {
        static char line[LINE_SIZE_MAX];
        assert_non_null(fgets(line, sizeof line, oracle));
        accepted += check_record(fixture, record, make(&random, record), line);
    }
    assert_int_equal(pclose(oracle), 0);
    assert_true(accepted > RECORDS / 6);
    remove(path);
    fixture_finish(fixture);
}

static void json_agrees_with_python_on_damaged_records(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json", &(struct rf_feature_options){0}, &(struct rf_decoder_options){0});
    compare(&fixture, make_damaged, "");
}

static void json_agrees_with_python_on_paths_lists_and_numeric_texts(void **state) {
    (void)state;
    struct decode_fixture fixture;
    fixture_init(&fixture, "json",
                 &(struct rf_feature_options){
                         .numbers = TEXTS("a.n", "m.0.1", "n", "a.0.b"),
                         .categories = TEXTS("a.b", "tags", "tags.1", "o", "o.a", "b.c.a", "m.a"),
                         .texts = TEXTS("c", "0.a"),
                 },
                 &(struct rf_decoder_options){.numeric_texts = true});
    // A number sign marks those that must be numbers. The order is the schema's.
    compare(&fixture, make_nested, "'#a.n' '#m.0.1' '#n' '#a.0.b' a.b tags tags.1 o o.a b.c.a m.a c 0.a");
}

int main(void) {
    if (access("/usr/bin/python3", X_OK) != 0) {
        printf("skipped: there is no /usr/bin/python3 to compare with\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(json_agrees_with_python_on_damaged_records),
            cmocka_unit_test(json_agrees_with_python_on_paths_lists_and_numeric_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
