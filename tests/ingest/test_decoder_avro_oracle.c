// Compares with fastavro: random schemas, random data of them, and random names of fields. What is cut, lengthened or damaged
// must be answered too, and a plan that wants nothing must find the same end.
#include "ingest/avro_plan.h"
#include "ingest/number.h"
#include "proto/random.h"
#include "tests/ingest/decode_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SCHEMAS = 1500, WORDS_MAX = 4096 };

static const struct rf_decode_limits limits = {.fields = 4096, .depth = 64};

struct oracle {
    FILE *from;
    char *line;
    size_t room;
    char *words[WORDS_MAX]; // of the present line
    size_t count;
};

static bool read_line(struct oracle *oracle) {
    ssize_t size = getline(&oracle->line, &oracle->room, oracle->from);
    if (size <= 0) {
        return false;
    }
    oracle->count = 0;
    for (char *word = strtok(oracle->line, " \n"); word; word = strtok(NULL, " \n")) {
        assert_true(oracle->count < WORDS_MAX);
        oracle->words[oracle->count++] = word;
    }
    return true;
}

// Turns hex into bytes where it stands, with a NUL behind them.
static struct rf_text bytes_of(char *hex) {
    size_t size = 0;
    for (const char *at = hex; at[0] && at[0] != '-'; at += 2, size++) {
        char byte[3] = {at[0], at[1], '\0'};
        hex[size] = (char)strtol(byte, NULL, 16);
    }
    hex[size] = '\0';
    return (struct rf_text){hex, size};
}

static size_t print_hex(char *out, struct rf_text text) {
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        size += (size_t)sprintf(out + size, "%02x", (unsigned char)text.data[i]);
    }
    out[size] = '\0';
    return size;
}

static void check_number(const struct rf_value *value, const char *shown) {
    char unit[2] = {value->has_time_unit ? (char)('0' + value->time_unit) : '\0', '\0'};
    char *unit_wanted = strchr(shown, '/') + 1, *text_wanted = strchr(unit_wanted, '/') + 1;
    assert_true(strtod(shown + 1, NULL) == value->number);
    assert_memory_equal(unit, unit_wanted, strlen(unit));
    assert_int_equal(text_wanted - unit_wanted - 1, strlen(unit));
    if (!value->text.data) {
        return;
    }
    struct rf_number number;
    assert_int_equal(rf_number_scan(value->text, RF_NUMBER_JSON, &number), value->text.size);
    assert_true(rf_number_value(&number) == value->number || rf_number_value(&number) == (double)(float)value->number ||
                (double)(float)rf_number_value(&number) == value->number);
    if (strcmp(text_wanted, "?") != 0) {
        assert_true(rf_text_equal(value->text, rf_text_of(text_wanted)));
    }
}

// Whether the field is what a word of the oracle says; fails where only the name is right.
static bool is_as_said(const struct rf_field *field, const char *word) {
    static char hex[1 << 16];
    size_t size = print_hex(hex, field->name);
    if (strncmp(word, hex, size) != 0 || word[size] != '=') {
        return false;
    }
    const char *shown = word + size + 1;
    const struct rf_value *value = &field->value;
    switch (*shown) {
    case '0':
        return value->type == RF_VALUE_NULL;
    case 'b':
        return value->type == RF_VALUE_BOOL && value->number == shown[1] - '0';
    case 't':
        print_hex(hex, value->text);
        return value->type == RF_VALUE_TEXT && !strcmp(hex, shown + 1);
    default:
        if (value->type != RF_VALUE_NUMBER || strtod(shown + 1, NULL) != value->number) {
            return false;
        }
        check_number(value, shown);
        return true;
    }
}

static void check_fields(struct oracle *oracle, const struct rf_event *event, const char *schema) {
    bool was_met[WORDS_MAX] = {false};
    if (event->count != oracle->count - 1) {
        fail_msg("%s\n  has %zu fields, must have %zu", schema, event->count, oracle->count - 1);
    }
    for (size_t i = 0; i < event->count; i++) {
        size_t at = 1;
        while (at < oracle->count && (was_met[at] || !is_as_said(&event->fields[i], oracle->words[at]))) {
            at++;
        }
        if (at == oracle->count) {
            fail_msg("%s\n  field %.*s is not expected", schema, (int)event->fields[i].name.size, event->fields[i].name.data);
        }
        was_met[at] = true;
    }
}

// Every piece of it, and what is more than it, is rejected; anything else of its size is answered.
static void damage(struct decode_fixture *fixture, struct rf_text datum, struct rf_random *random) {
    char *bytes = malloc(datum.size + 1);
    memcpy(bytes, datum.data, datum.size);
    bytes[datum.size] = '\0';
    if (datum.size > 0) {
        fixture_decode(fixture, bytes, datum.size + 1);
        assert_non_null(strstr(fixture->words, ": "));
    }
    for (size_t size = 1; size < datum.size; size += 1 + datum.size / 16) {
        fixture_decode(fixture, bytes, size);
        assert_non_null(strstr(fixture->words, ": "));
    }
    for (int i = 0; i < 8 && datum.size > 0; i++) {
        bytes[rf_random_below(random, datum.size)] ^= (char)(1 << rf_random_below(random, 8));
        fixture_decode(fixture, bytes, datum.size);
    }
    free(bytes);
}

struct measuring {
    struct rf_avro_plan *plan;
    struct rf_avro_walker *walker;
};

static void check_datum(struct oracle *oracle, struct decode_fixture *fixture, const struct measuring *measuring,
                        const char *schema, struct rf_random *random) {
    assert_true(read_line(oracle));
    assert_string_equal(oracle->words[0], "datum");
    struct rf_text hex = bytes_of(oracle->words[1]);
    char *copy = malloc(hex.size + 1);
    memcpy(copy, hex.data, hex.size + 1);
    struct rf_text datum = {copy, hex.size};
    assert_true(read_line(oracle));
    size_t size = SIZE_MAX;
    struct rf_decode_error error;
    assert_int_equal(rf_avro_measure(measuring->walker, measuring->plan, datum, &size, &error), RF_OK);
    assert_int_equal(size, datum.size);
    fixture_decode(fixture, datum.data, datum.size);
    if (datum.size == 0) {
        assert_string_equal(fixture->words, "empty: has a value of 0 bytes");
    } else if (!strcmp(oracle->words[0], "bad")) {
        if (!strstr(fixture->words, "must be a number, a text, true, false or null")) {
            fail_msg("%s\n  gives %s, must be rejected", schema, fixture->words);
        }
    } else {
        struct rf_record record = {.value = datum, .timestamp_ms = -1, .schema = &fixture->written_with};
        rf_arena_reset(&fixture->arena);
        if (rf_decoder_decode(fixture->decoder, &record, &fixture->arena, &fixture->event, &fixture->error)) {
            fail_msg("%s\n  is rejected: %s", schema, fixture->error.detail);
        }
        check_fields(oracle, &fixture->event, schema);
    }
    damage(fixture, datum, random);
    free(copy);
}

static void check_schema(struct oracle *oracle, struct rf_random *random) {
    enum { DATA = 6 };
    assert_string_equal(oracle->words[0], "schema");
    char *schema = strdup(bytes_of(oracle->words[1]).data);
    assert_true(read_line(oracle));
    bool takes_rest = !strcmp(oracle->words[0], "rest");
    char **names = oracle->words + 1;
    size_t count = oracle->count - 1;
    for (size_t i = 0; i < count; i++) {
        bytes_of(names[i]);
    }
    struct rf_feature_options features = {.numbers = {names, count / 2}, .categories = {names + count / 2, count - count / 2}};
    if (takes_rest) {
        features = (struct rf_feature_options){.label = count > 0 ? names[0] : NULL};
    }
    struct decode_fixture fixture;
    fixture_init(&fixture, "avro", &features, &(struct rf_decoder_options){.limits = limits});
    fixture.written_with.text = rf_text_of(schema);
    struct measuring measuring;
    struct rf_error err;
    assert_int_equal(rf_avro_plan_create(&(struct rf_text){schema, strlen(schema)}, 1, NULL, &measuring.plan, &err), RF_OK);
    assert_int_equal(rf_avro_walker_create(NULL, &measuring.walker, &err), RF_OK);
    for (int i = 0; i < DATA; i++) {
        check_datum(oracle, &fixture, &measuring, schema, random);
    }
    rf_avro_plan_destroy(measuring.plan);
    rf_avro_walker_destroy(measuring.walker);
    fixture_finish(&fixture);
    free(schema);
}

static void avro_agrees_with_fastavro(void **state) {
    (void)state;
    char command[1024];
    snprintf(command, sizeof command, "PYTHONPATH=%s /usr/bin/python3 -B %s 7 %d", PYTHON_FOLDER, AVRO_ORACLE, SCHEMAS);
    struct oracle oracle = {.from = popen(command, "r")};
    assert_non_null(oracle.from);
    struct rf_random random;
    rf_random_init(&random, 11);
    int count = 0;
    for (; read_line(&oracle); count++) {
        check_schema(&oracle, &random);
    }
    assert_int_equal(count, SCHEMAS);
    assert_int_equal(pclose(oracle.from), 0);
    free(oracle.line);
}

int main(void) {
    if (access("/usr/bin/python3", X_OK) != 0 || access(PYTHON_FOLDER "/fastavro", R_OK) != 0) {
        printf("skipped: there is no fastavro in %s to compare with: run `sh ops/setup.sh test`\n", PYTHON_FOLDER);
        return 77;
    }
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(avro_agrees_with_fastavro),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
