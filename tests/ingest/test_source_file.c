#include "ingest/source.h"
#include "tests/ingest/source_fixture.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { TEXT_SIZE = 4096 };

// A folder for the files of one test.
struct folder {
    char path[64];
    char file[96]; // the one last written
};

static int setup(void **state) {
    struct folder *folder = calloc(1, sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/riffle_source_XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    *state = folder;
    return 0;
}

static int teardown(void **state) {
    struct folder *folder = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", folder->path);
    int code = system(command);
    free(folder);
    return code;
}

static const char *write_file(struct folder *folder, const char *name, const void *data, size_t size) {
    snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);
    FILE *file = fopen(folder->file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
    return folder->file;
}

static size_t compress_gzip(const void *data, size_t size, void *out, size_t capacity) {
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t used = capacity - stream.avail_out;
    deflateEnd(&stream);
    return used;
}

static size_t compress_zstd(const void *data, size_t size, void *out, size_t capacity) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))); // as the zstd program does
    size_t used = ZSTD_compress2(context, out, capacity, data, size);
    assert_false(ZSTD_isError(used));
    ZSTD_freeCCtx(context);
    return used;
}

static struct rf_source *open_source(struct rf_source_file_options options) {
    struct rf_source *source = NULL;
    struct rf_error err = {0};
    options.record_bytes_max = options.record_bytes_max ? options.record_bytes_max : 1 << 20;
    if (rf_source_file_create(&options, &source, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return source;
}

static enum rf_status refusal(struct rf_source_file_options options, struct rf_error *err) {
    struct rf_source *source = NULL;
    options.record_bytes_max = options.record_bytes_max ? options.record_bytes_max : 1 << 20;
    enum rf_status status = rf_source_file_create(&options, &source, err);
    assert_null(source);
    return status;
}

// What a whole file holds, as read_records() writes it.
static const char *read_all(struct rf_source_file_options options) {
    static char text[TEXT_SIZE];
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    assign_all(source, &positions);
    assert_int_equal(positions.count, 1);
    assert_string_equal(positions.list[0].topic, options.path);
    assert_int_equal(positions.list[0].partition, 0);
    struct rf_poll want = want_all();
    read_records(source, &want, SIZE_MAX, text, sizeof text);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    return text;
}

static const char *read_text(struct folder *folder, const char *text, struct rf_source_file_options options) {
    options.path = write_file(folder, "file", text, strlen(text));
    return read_all(options);
}

static void reads_lines(void **state) {
    struct rf_source_file_options plain = {0};
    assert_string_equal(read_text(*state, "a\nb\nc\n", plain), "0@0=a 0@1=b 0@2=c ");
    assert_string_equal(read_text(*state, "a\nb\nc", plain), "0@0=a 0@1=b 0@2=c "); // no line end at the very end
    assert_string_equal(read_text(*state, "a\r\nb\r\n", plain), "0@0=a 0@1=b ");
    assert_string_equal(read_text(*state, "a\r\nb\r", plain), "0@0=a 0@1=b ");
    assert_string_equal(read_text(*state, "\n\na\n\r\n\nb\n\n", plain), "0@0=a 0@1=b "); // blank lines are not counted
    assert_string_equal(read_text(*state, "", plain), "");
    assert_string_equal(read_text(*state, "\n", plain), "");
    assert_string_equal(read_text(*state,
                                  "\xef\xbb\xbf"
                                  "a\nb\n",
                                  plain),
                        "0@0=a 0@1=b "); // a byte order mark is no text
    assert_string_equal(read_text(*state, "a", plain), "0@0=a ");
    assert_string_equal(read_text(*state, "\"a\nb\"\n", plain), "0@0=\"a 0@1=b\" "); // quotes mean nothing in lines
}

static void reads_csv_records_with_line_ends_in_quotes(void **state) {
    struct rf_source_file_options csv = {.is_csv = true};
    assert_string_equal(read_text(*state, "1,\"a\nb\",2\n3,c,4\n", csv), "0@0=1,\"a\nb\",2 0@1=3,c,4 ");
    assert_string_equal(read_text(*state, "\"a\r\nb\"\r\nc\r\n", csv), "0@0=\"a\r\nb\" 0@1=c ");
    assert_string_equal(read_text(*state, "\"say \"\"\n\"\"\",x\ny\n", csv), "0@0=\"say \"\"\n\"\"\",x 0@1=y ");
    assert_string_equal(read_text(*state, "5\" pipe,x\ny,z\n", csv), "0@0=5\" pipe,x 0@1=y,z "); // opens no field
    assert_string_equal(read_text(*state, "a,\"b\nc", csv), "0@0=a,\"b\nc ");                    // never closed
    csv.csv.delimiter = ';';
    assert_string_equal(read_text(*state, "a;\"b\nc\";d\ne,\"f\n", csv), "0@0=a;\"b\nc\";d 0@1=e,\"f ");
}

static void tells_the_header_line_and_does_not_count_it(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options csv = {.is_csv = true, .has_header_line = true};
    assert_string_equal(read_text(folder, "\xef\xbb\xbfid,\"the\nname\"\r\n1,a\r\n2,b\r\n", csv), "0@0=1,a 0@1=2,b ");
    csv.path = folder->file;
    struct rf_source *source = open_source(csv);
    assert_true(rf_text_equal(rf_source_file_header(source), rf_text_of("id,\"the\nname\"")));
    rf_source_destroy(source);

    csv.path = write_file(folder, "empty", "", 0);
    source = open_source(csv);
    assert_null(rf_source_file_header(source).data);
    rf_source_destroy(source);

    csv.record_bytes_max = 3;
    csv.path = write_file(folder, "long", "a,b,c\n", 6);
    struct rf_error err;
    char sentence[256];
    assert_int_equal(refusal(csv, &err), RF_INVALID);
    snprintf(sentence, sizeof sentence, "the header line of %s is longer than 3 bytes", csv.path);
    assert_string_equal(err.text, sentence);
}

static void reads_delimited_records(void **state) {
    struct folder *folder = *state;
    static const char records[] = "\x01"
                                  "a"
                                  "\x00"
                                  "\x03"
                                  "b\nc";
    struct rf_source_file_options delimited = {.is_delimited = true};
    delimited.path = write_file(folder, "records", records, sizeof records - 1);
    assert_string_equal(read_all(delimited), "0@0=a 0@1= 0@2=b\nc ");

    enum { LONG_SIZE = 300 }; // two bytes of size
    char longer[2 + LONG_SIZE] = {(char)(0x80 | (LONG_SIZE & 0x7f)), LONG_SIZE >> 7};
    memset(longer + 2, 'x', LONG_SIZE);
    delimited.path = write_file(folder, "longer", longer, sizeof longer);
    assert_int_equal(strlen(read_all(delimited)), strlen("0@0= ") + LONG_SIZE);
}

// Reads to the end or the failure, which is told again by the poll after it.
static enum rf_status read_until_failure(struct rf_source_file_options options, size_t *count_out, struct rf_error *err) {
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    loan_init(&loan);
    struct rf_poll want = want_all();
    enum rf_source_event event = RF_SOURCE_IDLE;
    const struct rf_positions *partitions;
    *count_out = 0;
    enum rf_status status = RF_OK;
    while (status == RF_OK && event != RF_SOURCE_END) {
        status = rf_source_poll(source, &want, &loan.records, &event, &partitions, err);
        *count_out += loan.records.count;
        rf_source_release(source, &loan.records);
    }
    if (status) {
        struct rf_error again;
        assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &again), status);
        assert_string_equal(again.text, err->text);
    }
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    return status;
}

static void names_what_is_wrong_with_a_delimited_file(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options delimited = {.is_delimited = true};
    struct rf_error err;
    char sentence[256];
    size_t count;
    delimited.path = write_file(folder, "cut",
                                "\x01"
                                "a"
                                "\x05"
                                "b",
                                4);
    assert_int_equal(read_until_failure(delimited, &count, &err), RF_CORRUPT);
    assert_int_equal(count, 1);
    snprintf(sentence, sizeof sentence, "%s: record 1 goes on after its end: is it cut, or has it no sizes in front of records?",
             delimited.path);
    assert_string_equal(err.text, sentence);

    delimited.path = write_file(folder, "broken", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
    assert_int_equal(read_until_failure(delimited, &count, &err), RF_CORRUPT);
    snprintf(sentence, sizeof sentence, "%s has no size in front of record 0: is it delimited?", delimited.path);
    assert_string_equal(err.text, sentence);
}

static void tells_a_container_from_a_text(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options text = {.path = write_file(folder, "container", "Obj\1\4\n", 6)};
    struct rf_error err;
    char sentence[256];
    size_t count;
    assert_int_equal(read_until_failure(text, &count, &err), RF_INVALID);
    snprintf(sentence, sizeof sentence, "%s is an Avro container file: is its format avro?", text.path);
    assert_string_equal(err.text, sentence);
    assert_int_equal(count, 0);

    text.path = write_file(folder, "near", "Obj", 3);
    assert_int_equal(read_until_failure(text, &count, &err), RF_OK);
    assert_int_equal(count, 1);
}

// Numbered lines that fill more than one buffer of any kind.
enum { MANY_COUNT = 80000 };

static char *many_lines(size_t *size_out) {
    char *text = malloc(MANY_COUNT * 24), *end = text;
    for (unsigned i = 0; i < MANY_COUNT; i++) {
        end += sprintf(end, "line %u,%u\n", i, i * 2654435761u);
    }
    *size_out = (size_t)(end - text);
    return text;
}

static void expect_many(struct rf_source_file_options options, size_t slice) {
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    struct rf_poll want = want_all();
    want.bytes_max = slice;
    unsigned seen = 0;
    for (;;) {
        loan_init(&loan);
        if (poll_source(source, &want, &loan) == RF_SOURCE_END) {
            break;
        }
        for (size_t i = 0; i < loan.records.count; i++, seen++) {
            char expected[48];
            int size = sprintf(expected, "line %u,%u", seen, seen * 2654435761u);
            assert_int_equal(loan.list[i].value.size, size);
            assert_memory_equal(loan.list[i].value.data, expected, (size_t)size);
            assert_int_equal(loan.list[i].offset, seen);
            assert_int_equal(loan.list[i].timestamp_ms, -1);
            assert_null(loan.list[i].key.data);
        }
        rf_source_release(source, &loan.records);
    }
    assert_int_equal(seen, MANY_COUNT);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void reads_large_files_plain_gzip_and_zstd(void **state) {
    struct folder *folder = *state;
    size_t size, half, used;
    char *text = many_lines(&size), *out = malloc(size + 4096);
    struct rf_source_file_options options = {0};
    options.path = write_file(folder, "plain", text, size);
    expect_many(options, 1 << 30);
    expect_many(options, 1000);
    options.is_csv = true;
    expect_many(options, 1 << 30);

    used = compress_gzip(text, size, out, size + 4096);
    options.path = write_file(folder, "not_named_gz", out, used);
    expect_many(options, 1 << 30);
    used = compress_zstd(text, size, out, size + 4096);
    options.path = write_file(folder, "not_named_zst", out, used);
    expect_many(options, 1 << 30);

    // Members and frames one after the other, cut in the middle of a line.
    half = size / 2 + 3;
    used = compress_gzip(text, half, out, size + 4096);
    used += compress_gzip(text + half, size - half, out + used, size + 4096 - used);
    memset(out + used, 0, 512); // gzip allows padding
    options.path = write_file(folder, "members", out, used + 512);
    expect_many(options, 1 << 30);
    used = compress_zstd(text, half, out, size + 4096);
    used += compress_zstd(text + half, size - half, out + used, size + 4096 - used);
    options.path = write_file(folder, "frames", out, used);
    expect_many(options, 1 << 30);
    free(text);
    free(out);
}

static void delivers_what_lies_before_the_damage_of_a_compressed_file(void **state) {
    struct folder *folder = *state;
    size_t size, count;
    char *text = many_lines(&size), *out = malloc(size + 4096);
    struct rf_source_file_options options = {0};
    struct rf_error err;
    char sentence[256];
    for (int kind = 0; kind < 2; kind++) {
        const char *format = kind == 0 ? "gzip" : "zstd";
        size_t used = kind == 0 ? compress_gzip(text, size, out, size + 4096) : compress_zstd(text, size, out, size + 4096);
        options.path = write_file(folder, "cut", out, used / 2);
        assert_int_equal(read_until_failure(options, &count, &err), RF_CORRUPT);
        snprintf(sentence, sizeof sentence, "%s is cut at byte %zu: its %s goes on", options.path, used / 2, format);
        assert_string_equal(err.text, sentence);
        assert_in_range(count, MANY_COUNT / 8, MANY_COUNT - 1);

        options.path = write_file(folder, "cut", out, used - 1); // only a byte of the checksum or the last block
        assert_int_equal(read_until_failure(options, &count, &err), RF_CORRUPT);

        memset(out + used / 2, 0xff, 64);
        options.path = write_file(folder, "damaged", out, used);
        assert_int_equal(read_until_failure(options, &count, &err), RF_CORRUPT);
        assert_non_null(strstr(err.text, "damaged is damaged at byte "));
        assert_non_null(strstr(err.text, format));

        used = kind == 0 ? compress_gzip("a\n", 2, out, size) : compress_zstd("a\n", 2, out, size);
        memcpy(out + used, "rubbish", 7);
        options.path = write_file(folder, "tail", out, used + 7);
        assert_int_equal(read_until_failure(options, &count, &err), RF_CORRUPT);
        assert_int_equal(count, 1);
    }
    free(text);
    free(out);
}

static void cuts_oversized_records_and_goes_on_after_them(void **state) {
    struct rf_source_file_options options = {.record_bytes_max = 4};
    assert_string_equal(read_text(*state, "abcd\nabcde\nabcdefgh\r\nx\n", options), "0@0=abcd 0@1=abcde 0@2=abcde 0@3=x ");
    assert_string_equal(read_text(*state, "abcd\r\nabcdef", options), "0@0=abcd 0@1=abcde ");
    assert_string_equal(read_text(*state, "abcde\r\nabcde\nabcde", options), "0@0=abcde 0@1=abcde 0@2=abcde ");
    options.is_csv = true; // a quote never closed costs one record
    assert_string_equal(read_text(*state, "\"a\nb\"\n\"abcd\nx\ny\n", options), "0@0=\"a\nb\" 0@1=\"abcd 0@2=x 0@3=y ");

    enum { LARGE_SIZE = 5 << 20 }; // several buffers
    struct folder *folder = *state;
    char *large = malloc(LARGE_SIZE + 8);
    memset(large, 'x', LARGE_SIZE);
    memcpy(large + LARGE_SIZE, "\nok\n", 4);
    options = (struct rf_source_file_options){.record_bytes_max = 100};
    options.path = write_file(folder, "large", large, LARGE_SIZE + 4);
    const char *text = read_all(options);
    assert_int_equal(strlen(text), strlen("0@0= ") + 101 + strlen("0@1=ok "));
    assert_non_null(strstr(text, "x 0@1=ok "));
    options.record_bytes_max = LARGE_SIZE; // within bounds: whole
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    loan_init(&loan);
    struct rf_poll want = want_all();
    want.records_max = 1;
    assert_int_equal(poll_source(source, &want, &loan), RF_SOURCE_RECORDS);
    assert_int_equal(loan.list[0].value.size, LARGE_SIZE);
    rf_source_release(source, &loan.records);
    rf_positions_finish(&positions);
    rf_source_destroy(source);

    large[0] = (char)0x84; // a delimited record of 516 bytes, then one of 2
    large[1] = 4;
    memcpy(large + 2 + 516, "\x02ok", 3);
    options = (struct rf_source_file_options){.record_bytes_max = 4, .is_delimited = true};
    options.path = write_file(folder, "delimited", large, 2 + 516 + 3);
    assert_string_equal(read_all(options), "0@0=xxxxx 0@1=ok ");
    free(large);
}

static void resumes_at_a_record(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options options = {.is_csv = true, .has_header_line = true};
    options.path = write_file(folder, "file", "h\na\nb\nc\nd\n", 10);
    char text[TEXT_SIZE];
    struct rf_poll want = want_all();
    static const struct {
        int64_t next_offset;
        uint64_t fingerprint;
        const char *text;
    } cases[] = {
            {2, 0, "0@2=c 0@3=d "},
            {2, 42, "0@1=b 0@2=c 0@3=d "}, // one earlier, for the fold to compare
            {0, 42, "0@0=a 0@1=b 0@2=c 0@3=d "},
            {4, 0, ""}, // exactly the end
            {4, 42, "0@3=d "},
            {RF_OFFSET_NONE, 0, "0@0=a 0@1=b 0@2=c 0@3=d "},
    };
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    struct rf_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_assigned(source, &positions);
        positions.list[0].next_offset = cases[i].next_offset;
        positions.list[0].fingerprint = cases[i].fingerprint;
        assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
        assert_int_equal(positions.list[0].next_offset, cases[i].next_offset == RF_OFFSET_NONE ? 0 : cases[i].next_offset);
        read_records(source, &want, SIZE_MAX, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        rf_source_unassign(source); // and all over again: the file is opened anew
        rf_positions_finish(&positions);
    }
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 9;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_CONFLICT);
    char sentence[256];
    snprintf(sentence, sizeof sentence, "record 9 of %s is beyond the end: it holds 4 records: was it made anew?", options.path);
    assert_string_equal(err.text, sentence);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

// Whoever is assigned after a look reads on from it, or from the beginning.
static void looks_at_the_last_record(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options options = {.path = write_file(folder, "file", "a\nb\nc\n", 6)};
    struct rf_source *source = open_source(options);
    struct rf_record second = {.value = {"b", 1}, .timestamp_ms = -1, .offset = 1};
    struct rf_positions positions;
    struct rf_holding holding;
    struct rf_error err;
    struct rf_poll want = want_all();
    char text[256];
    static const char *const texts[] = {"0@1=b 0@2=c ", "0@2=c ", "0@0=a 0@1=b 0@2=c "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_assigned(source, &positions);
        positions.list[0].next_offset = 2;
        positions.list[0].fingerprint = i == 1 ? 0 : 1; // nothing is known of the last one: nothing is to be compared
        assert_int_equal(rf_source_look(source, &positions, &holding, &err), RF_OK);
        assert_int_equal(holding.first, 0);
        assert_int_equal(holding.end, -1);
        assert_int_equal(holding.has_last, i != 1);
        assert_true(i == 1 || holding.fingerprint == rf_record_fingerprint(&second));
        positions.list[0].next_offset = i == 2 ? 0 : 2;
        assert_int_equal(rf_source_assign(source, &positions, &err), RF_OK);
        read_records(source, &want, SIZE_MAX, text, sizeof text);
        assert_string_equal(text, texts[i]);
        rf_source_unassign(source);
        rf_positions_finish(&positions);
    }
    expect_assigned(source, &positions);
    positions.list[0].next_offset = 4;
    positions.list[0].fingerprint = 1;
    assert_int_equal(rf_source_look(source, &positions, &holding, &err), RF_OK);
    assert_int_equal(holding.end, 3);
    assert_false(holding.has_last);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void records_carry_the_index_of_the_positions_given(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options options = {.path = write_file(folder, "file", "a\n", 2)};
    struct rf_source *source = open_source(options);
    struct rf_positions positions, more;
    struct rf_error err;
    char text[TEXT_SIZE];
    struct rf_poll want = want_all();
    expect_assigned(source, &positions);
    rf_positions_init(&more);
    size_t index;
    assert_int_equal(rf_positions_add(&more, "another", 0, &index), RF_OK);
    assert_int_equal(rf_source_assign(source, &more, &err), RF_CONFLICT);
    assert_int_equal(rf_positions_add(&more, options.path, 0, &index), RF_OK);
    assert_int_equal(rf_source_assign(source, &more, &err), RF_OK);
    assert_int_equal(more.list[0].next_offset, RF_OFFSET_NONE);
    static struct loan loan;
    loan_init(&loan);
    enum rf_source_event event;
    const struct rf_positions *partitions;
    want.has_partition = true;
    want.partition = 0; // another's turn
    assert_int_equal(rf_source_poll(source, &want, &loan.records, &event, &partitions, &err), RF_CONFLICT);
    char sentence[256];
    snprintf(sentence, sizeof sentence,
             "the recorded order goes on with records that are not of the file %s: read them from where they came, until a "
             "snapshot covers them",
             options.path);
    assert_string_equal(err.text, sentence);
    want.partition = 1;
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    assert_string_equal(text, "1@0=a ");
    rf_positions_finish(&more);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void loans_outlive_later_polls_and_any_thread_gives_them_back(void **state) {
    struct folder *folder = *state;
    size_t size;
    char *text = many_lines(&size);
    struct rf_source_file_options options = {.path = write_file(folder, "file", text, size)};
    free(text);
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    assign_all(source, &positions);
    enum { LOANS = MANY_COUNT / LOAN_CAPACITY };
    struct loan *loans = calloc(LOANS, sizeof *loans);
    struct rf_poll want = want_all();
    for (size_t i = 0; i < LOANS; i++) {
        loan_init(&loans[i]);
        assert_int_equal(poll_source(source, &want, &loans[i]), RF_SOURCE_RECORDS);
        assert_int_equal(loans[i].records.count, LOAN_CAPACITY);
    }
    for (size_t i = 0; i < LOANS; i++) {
        for (size_t k = 0; k < LOAN_CAPACITY; k++) {
            char expected[48];
            unsigned number = (unsigned)(i * LOAN_CAPACITY + k);
            int expected_size = sprintf(expected, "line %u,%u", number, number * 2654435761u);
            assert_memory_equal(loans[i].list[k].value.data, expected, (size_t)expected_size);
        }
    }
    for (size_t i = 0; i < LOANS; i++) {
        size_t odd = i % 2 ? i : LOANS - 2 - i; // not in the order they were lent
        release_elsewhere(source, &loans[odd]);
    }
    free(loans);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

static void waits_for_a_pipe_no_longer_than_asked(void **state) {
    struct folder *folder = *state;
    char path[128], text[TEXT_SIZE];
    snprintf(path, sizeof path, "%s/pipe", folder->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int writer_and_reader = -1; // opened for both, so that opening waits for nobody
    FILE *writer = fopen(path, "r+");
    assert_non_null(writer);
    writer_and_reader = fileno(writer);
    struct rf_source *source = open_source((struct rf_source_file_options){.path = path});
    struct rf_positions positions;
    assign_all(source, &positions);
    static struct loan loan;
    loan_init(&loan);
    struct rf_poll want = want_all();
    want.timeout_ms = 1;
    assert_int_equal(poll_source(source, &want, &loan), RF_SOURCE_IDLE);
    assert_int_equal(write(writer_and_reader, "first\nsec", 9), 9);
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    assert_string_equal(text, "0@0=first ");
    assert_int_equal(poll_source(source, &want, &loan), RF_SOURCE_IDLE);
    assert_int_equal(write(writer_and_reader, "ond\n", 4), 4);
    assert_int_equal(read_records(source, &want, 1, text, sizeof text), 1);
    assert_string_equal(text, "0@1=second ");

    rf_source_unassign(source);
    rf_positions_finish(&positions);
    expect_assigned(source, &positions);
    struct rf_error err;
    assert_int_equal(rf_source_assign(source, &positions, &err), RF_UNSUPPORTED);
    snprintf(text, sizeof text, "%s cannot be read a second time", path);
    assert_string_equal(err.text, text);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
    fclose(writer);
}

static void refuses_what_is_no_file(void **state) {
    struct folder *folder = *state;
    struct rf_error err;
    char sentence[256], path[128];
    snprintf(path, sizeof path, "%s/nowhere", folder->path);
    assert_int_equal(refusal((struct rf_source_file_options){.path = path}, &err), RF_NOT_FOUND);
    snprintf(sentence, sizeof sentence, "%s cannot be opened: No such file or directory", path);
    assert_string_equal(err.text, sentence);
    assert_int_equal(refusal((struct rf_source_file_options){.path = folder->path}, &err), RF_INVALID);
    snprintf(sentence, sizeof sentence, "%s is a folder, must be a file", folder->path);
    assert_string_equal(err.text, sentence);
}

static void has_nobody_to_commit_to(void **state) {
    struct folder *folder = *state;
    struct rf_source_file_options options = {.path = write_file(folder, "file", "a\n", 2)};
    struct rf_source *source = open_source(options);
    struct rf_positions positions;
    struct rf_error err;
    char note[8] = "x";
    assign_all(source, &positions);
    positions.list[0].next_offset = 7;
    assert_int_equal(rf_source_commit(source, &positions, "note", &err), RF_OK);
    assert_int_equal(rf_source_committed(source, &positions, note, sizeof note, &err), RF_OK);
    assert_int_equal(positions.list[0].next_offset, RF_OFFSET_NONE);
    assert_string_equal(note, "");
    int64_t end = 0;
    rf_source_ends(source, &end);
    assert_int_equal(end, -1);
    rf_positions_finish(&positions);
    rf_source_destroy(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(reads_lines, setup, teardown),
            cmocka_unit_test_setup_teardown(reads_csv_records_with_line_ends_in_quotes, setup, teardown),
            cmocka_unit_test_setup_teardown(tells_the_header_line_and_does_not_count_it, setup, teardown),
            cmocka_unit_test_setup_teardown(reads_delimited_records, setup, teardown),
            cmocka_unit_test_setup_teardown(names_what_is_wrong_with_a_delimited_file, setup, teardown),
            cmocka_unit_test_setup_teardown(tells_a_container_from_a_text, setup, teardown),
            cmocka_unit_test_setup_teardown(reads_large_files_plain_gzip_and_zstd, setup, teardown),
            cmocka_unit_test_setup_teardown(delivers_what_lies_before_the_damage_of_a_compressed_file, setup, teardown),
            cmocka_unit_test_setup_teardown(cuts_oversized_records_and_goes_on_after_them, setup, teardown),
            cmocka_unit_test_setup_teardown(resumes_at_a_record, setup, teardown),
            cmocka_unit_test_setup_teardown(looks_at_the_last_record, setup, teardown),
            cmocka_unit_test_setup_teardown(records_carry_the_index_of_the_positions_given, setup, teardown),
            cmocka_unit_test_setup_teardown(loans_outlive_later_polls_and_any_thread_gives_them_back, setup, teardown),
            cmocka_unit_test_setup_teardown(waits_for_a_pipe_no_longer_than_asked, setup, teardown),
            cmocka_unit_test_setup_teardown(refuses_what_is_no_file, setup, teardown),
            cmocka_unit_test_setup_teardown(has_nobody_to_commit_to, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
