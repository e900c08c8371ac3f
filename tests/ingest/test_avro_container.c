#include "ingest/avro_container.h"
#include "proto/hash.h"
#include "proto/random.h"
#include "tests/ingest/avro_bytes_fixture.h"
#include "tests/ingest/source_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/riffle_avro_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *write_bytes(const char *name, const void *data, size_t size) {
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    return path;
}

// All data of a file, each with its size in front as fastavro's were written, and why they ended ("" at the end of the file).
static struct rf_text read_data(const char *path, const char **ended_out) {
    static char *data;
    static struct rf_error err;
    struct rf_reader *reader;
    struct rf_avro_container *container;
    size_t size = 0;
    FILE *to;
    free(data);
    data = NULL;
    to = open_memstream(&data, &size);
    assert_int_equal(rf_reader_open(path, &reader, &err), RF_OK);
    assert_int_equal(rf_avro_container_create(path, reader, &container, &err), RF_OK);
    struct rf_text datum;
    enum rf_status status;
    while (!(status = rf_avro_container_next(container, 0, &datum, &err))) {
        uint32_t datum_size = (uint32_t)datum.size;
        fwrite(&datum_size, sizeof datum_size, 1, to);
        fwrite(datum.data, datum.size, 1, to);
    }
    if (status != RF_END) { // a failure stays
        assert_true(status == RF_CORRUPT || status == RF_INVALID);
        assert_int_equal(rf_avro_container_next(container, 0, &datum, &err), status);
    }
    rf_avro_container_destroy(container);
    rf_reader_close(reader);
    fclose(to);
    *ended_out = status == RF_END ? "" : err.text;
    return (struct rf_text){data, size};
}

static char *load(const char *path, size_t *size_out) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *data = malloc(1 << 22);
    *size_out = fread(data, 1, 1 << 22, file);
    fclose(file);
    return data;
}

static const char one_field[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":\"string\"}]}";
static const char marker[] = "0123456789abcdef";

static struct bytes header(const char *schema, const char *codec) {
    struct bytes to = {.size = 0};
    put(&to, "Obj\1", 4);
    put_long(&to, codec ? 2 : 1);
    put_text(&to, "avro.schema");
    put_text(&to, schema);
    if (codec) {
        put_text(&to, "avro.codec");
        put_text(&to, codec);
    }
    put_long(&to, 0);
    put(&to, marker, 16);
    return to;
}

static void put_block(struct bytes *to, int64_t count, const char *data) {
    put_long(to, count);
    put_text(to, data);
    put(to, marker, 16);
}

// What a file of these bytes holds: the texts of its data, then why it ended.
static const char *told(const struct bytes *bytes) {
    static char words[1024];
    const char *ended;
    size_t used = 0;
    struct rf_text data = read_data(write_bytes("file.avro", bytes->data, bytes->size), &ended);
    words[0] = '\0';
    for (size_t at = 0; at < data.size;) {
        uint32_t size;
        memcpy(&size, data.data + at, sizeof size);
        used += (size_t)sprintf(words + used, "%.*s ", (int)size - 1, data.data + at + sizeof size + 1);
        at += sizeof size + size;
    }
    const char *path = path_of("file.avro"), *found = strstr(ended, path); // told as FILE
    snprintf(words + used, sizeof words - used, "%.*s%s%s", (int)(found ? found - ended : (ptrdiff_t)strlen(ended)), ended,
             found ? "FILE" : "", found ? found + strlen(path) : "");
    return words;
}

static void container_gives_its_data_in_order(void **state) {
    (void)state;
    struct bytes bytes = header(one_field, NULL);
    assert_string_equal(told(&bytes), "");
    put_block(&bytes, 2, "\2a\2b");
    put_block(&bytes, 0, "");
    put_block(&bytes, 1, "\4cd");
    assert_string_equal(told(&bytes), "a b cd ");
}

static void container_says_where_it_is_damaged(void **state) {
    (void)state;
    struct bytes bytes = header(one_field, "null");
    size_t begin = bytes.size;
    put_block(&bytes, 2, "\2a\2b");
    struct bytes cut = bytes;
    for (cut.size = begin + 1; cut.size < bytes.size; cut.size++) {
        const char *words = told(&cut);
        bool is_head = cut.size == begin + 1;
        assert_string_equal(words, is_head ? "FILE is damaged in the block at byte 120: it does not begin with its count and size"
                                           : "FILE is cut: the block at byte 120 goes on after its end");
    }
    struct bytes other = bytes;
    other.data[other.size - 1]++;
    assert_string_equal(told(&other), "FILE is damaged in the block at byte 120: the marker behind it is not that of the file");
    other = bytes;
    put_block(&other, 2, "\2c\5d");
    put_block(&other, 1, "\2e");
    assert_string_equal(told(&other),
                        "a b c FILE is damaged in the block at byte 142: record 3 of the file is none of its schema: "
                        "byte 0: a size is -3, must be 0 or more");
    other = bytes;
    put_block(&other, 1, "\2c\2d");
    assert_string_equal(told(&other), "a b c FILE is damaged in the block at byte 142: bytes follow its last record");
    other = bytes;
    put_block(&other, 3, "\2c\2d");
    assert_string_equal(told(&other),
                        "a b c d FILE is damaged in the block at byte 142: record 4 of the file is none of its schema: "
                        "byte 0: a value begins here and goes on after the end");
    other = bytes;
    put_block(&other, -1, "\2c");
    assert_string_equal(told(&other), "a b FILE is damaged in the block at byte 142: it does not begin with its count and size");
    other = bytes;
    put_long(&other, 1);
    put_long(&other, (int64_t)1 << 40);
    assert_string_equal(told(&other),
                        "a b the block at byte 142 of FILE has more than 268435456 bytes, at most so many are taken");
}

static void container_refuses_what_it_cannot_read(void **state) {
    (void)state;
    struct bytes bytes = {.size = 0};
    static const char none[] = "FILE is no Avro container file: it does not begin with Obj and 1";
    assert_string_equal(told(&bytes), none);
    put(&bytes, "Obj\2....", 8);
    assert_string_equal(told(&bytes), none);
    bytes = header(one_field, "bzip2");
    assert_string_equal(told(&bytes), "FILE is of the codec bzip2, must be null, deflate, zstandard or snappy");
    bytes = header("\"int", NULL);
    assert_string_equal(told(&bytes), "the schema of FILE: is no JSON: premature end of input near '\"int' at line 1, column 4");
    bytes = header("\"int\"", NULL);
    assert_string_equal(told(&bytes), "the schema of FILE: is of the type int, must be a record or a union of records");
    bytes = header("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":\"null\"}]}", NULL);
    assert_string_equal(told(&bytes), "the schema of FILE has no field that holds anything");
    bytes = header(one_field, NULL);
    bytes.size -= 20;
    assert_string_equal(told(&bytes), "FILE is cut or damaged in its header of at most 5242880 bytes");
    bytes.size = 0;
    put(&bytes, "Obj\1\0", 5);
    put(&bytes, marker, 16);
    assert_string_equal(told(&bytes), "FILE has no schema in its header");
    bytes = header(one_field, "deflate");
    put_block(&bytes, 1, "\xff");
    assert_string_equal(told(&bytes), "FILE is damaged in the block at byte 123: invalid block type");
    bytes = header(one_field, "snappy");
    put_block(&bytes, 1, "abc");
    assert_string_equal(told(&bytes), "FILE is damaged in the block at byte 122: it is no snappy");
    bytes = header(one_field, "zstandard");
    put_block(&bytes, 1, "abcdefgh");
    assert_string_equal(told(&bytes), "FILE is damaged in the block at byte 125: Unknown frame descriptor");
}

static void source_gives_records_that_name_their_schema(void **state) {
    (void)state;
    struct bytes bytes = header(one_field, NULL);
    put_block(&bytes, 3, "\2a\14longer\2c");
    char text[256];
    struct rf_source *source;
    struct rf_error err;
    const char *path = write_bytes("file.avro", bytes.data, bytes.size);
    struct rf_source_file_options options = {.path = path, .is_container = true, .record_bytes_max = 4};
    assert_int_equal(rf_source_file_create(&options, &source, &err), RF_OK);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    loan_init(&loan);
    struct rf_poll want = want_all();
    assert_int_equal(poll_source(source, &want, &loan), RF_SOURCE_RECORDS);
    assert_int_equal(loan.records.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct rf_record *record = &loan.list[i];
        assert_int_equal(record->offset, i);
        assert_true(rf_text_equal(record->schema->text, rf_text_of(one_field)));
        assert_ptr_equal(record->schema, loan.list[0].schema);
    }
    assert_int_equal(loan.list[1].value.size, 5); // cut, for the decoder to reject
    rf_source_release(source, &loan.records);
    rf_source_unassign(source);
    rf_positions_finish(&positions);

    expect_assigned(source, &positions); // and once more, from where it was
    positions.list[0].next_offset = 2;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
    read_records(source, &want, SIZE_MAX, text, sizeof text);
    assert_string_equal(text, "0@2=\2c ");
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void source_refuses_a_file_that_is_no_container(void **state) {
    (void)state;
    struct rf_source *source;
    struct rf_error err;
    const char *path = write_bytes("file.avro", "x,y\n1,2\n", 8);
    struct rf_source_file_options options = {.path = path, .is_container = true, .record_bytes_max = 1000};
    assert_int_equal(rf_source_file_create(&options, &source, &err), RF_CORRUPT);
    assert_non_null(strstr(err.text, "/file.avro is no Avro container file: it does not begin with Obj and 1"));
}

// Cuts and flipped bits: what comes before the damage is right, and the damage is told.
static void damage(const char *codec, const char *bytes, size_t size, struct rf_text whole, struct rf_random *random) {
    char *copy = malloc(size);
    for (int i = 0; i < 30; i++) {
        const char *ended;
        memcpy(copy, bytes, size);
        bool is_cut = i % 2;
        size_t at = (size_t)rf_random_below(random, size);
        copy[at] ^= (char)(is_cut ? 0 : 1 << rf_random_below(random, 8));
        struct rf_text data = read_data(write_bytes("damaged.avro", copy, is_cut ? at : size), &ended);
        bool is_checked = !strcmp(codec, "snappy"); // the others do not tell each flipped bit from another one
        if (is_cut || (is_checked && ended[0])) {
            assert_true(data.size <= whole.size);
            assert_memory_equal(data.data, whole.data, data.size);
        }
    }
    free(copy);
}

static void container_agrees_with_fastavro(void **state) {
    (void)state;
    static const char *const codecs[] = {"null", "deflate", "zstandard", "snappy"};
    if (access("/usr/bin/python3", X_OK) != 0 || access(PYTHON_FOLDER "/fastavro", R_OK) != 0) {
        printf("skipped: there is no fastavro in %s to compare with: run `sh ops/setup.sh test`\n", PYTHON_FOLDER);
        skip();
    }
    char command[1024], name[64];
    snprintf(command, sizeof command, "PYTHONPATH=%s /usr/bin/python3 -B %s %s", PYTHON_FOLDER, AVRO_FILES, folder);
    assert_int_equal(system(command), 0);
    struct rf_random random;
    rf_random_init(&random, 3);
    for (size_t i = 0; i < 12; i++) {
        static const int counts[] = {0, 1, 2000};
        snprintf(name, sizeof name, "%s%d.data", codecs[i / 3], counts[i % 3]);
        size_t wanted_size, size;
        char *wanted = load(path_of(name), &wanted_size);
        snprintf(name, sizeof name, "%s%d.avro", codecs[i / 3], counts[i % 3]);
        const char *ended;
        struct rf_text data = read_data(path_of(name), &ended);
        assert_string_equal(ended, "");
        assert_int_equal(data.size, wanted_size);
        assert_memory_equal(data.data, wanted, wanted_size);
        char *bytes = load(path_of(name), &size);
        damage(codecs[i / 3], bytes, size, (struct rf_text){wanted, wanted_size}, &random);
        free(bytes);
        free(wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(container_gives_its_data_in_order),
            cmocka_unit_test(container_says_where_it_is_damaged),
            cmocka_unit_test(container_refuses_what_it_cannot_read),
            cmocka_unit_test(source_gives_records_that_name_their_schema),
            cmocka_unit_test(source_refuses_a_file_that_is_no_container),
            cmocka_unit_test(container_agrees_with_fastavro),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
