// What a reader refuses, and in which words.
#include "proto/bytes.h"
#include "proto/snapshot.h"
#include "tests/proto/snapshot_content.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rf_error err;

static struct bytes sound_snapshot(void) {
    struct content content;
    content_init(&content);
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    content_finish(&content);
    return bytes;
}

// From a buffer of exactly that size, so that a sanitizer sees the first byte read behind it.
static enum rf_status read_header(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, data, size);
    struct rf_snapshot_header header;
    enum rf_status status = rf_snapshot_read_header(exact, size, &header, NULL, &err);
    if (status == RF_OK) {
        rf_snapshot_header_finish(&header);
    }
    free(exact);
    return status;
}

static void assert_refused(const struct bytes *bytes, enum rf_status status, const char *sentence) {
    assert_int_equal(read_header(bytes->data, bytes->size), status);
    assert_string_equal(err.text, sentence);
}

// Seals, expects that sentence, and gives the bytes back. The same must hold for who restores without looking first.
static void assert_sealed_refused(struct bytes *bytes, enum rf_status status, const char *sentence) {
    seal(bytes);
    assert_refused(bytes, status, sentence);
    bytes_finish(bytes);
}

static void every_cut_is_refused(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_equal(read_header(bytes.data, size), RF_CORRUPT);
        assert_non_null(strstr(err.text, "is cut after"));
    }
    read_header(bytes.data, 0);
    assert_string_equal(err.text, "is cut after 0 of at least 56 bytes");
    read_header(bytes.data, 7);
    assert_string_equal(err.text, "is cut after 7 of at least 56 bytes");
    read_header(bytes.data, 8);
    assert_string_equal(err.text, "is cut after 8 of at least 56 bytes");
    read_header(bytes.data, bytes.size - 1);
    char sentence[64];
    snprintf(sentence, sizeof sentence, "is cut after %zu of at least %zu bytes", bytes.size - 1, bytes.size);
    assert_string_equal(err.text, sentence);
    bytes_finish(&bytes);
}

static void every_flipped_byte_is_refused(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    assert_int_equal(read_header(bytes.data, bytes.size), RF_OK);
    for (size_t i = 0; i < bytes.size; i++) {
        for (unsigned bit = 1; bit < 256; bit *= 16) {
            bytes.data[i] ^= (uint8_t)bit;
            enum rf_status status = read_header(bytes.data, bytes.size);
            assert_int_equal(status, i == 7 ? RF_UNSUPPORTED : RF_CORRUPT);
            bytes.data[i] ^= (uint8_t)bit;
        }
    }
    bytes.data[200] ^= 1;
    assert_refused(&bytes, RF_CORRUPT, "has a checksum that does not hold: the file is damaged");
    bytes_finish(&bytes);
}

static void every_flipped_byte_that_is_sealed_is_survived(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    for (size_t i = 0; i < bytes.size - 48; i++) {
        struct content content;
        content_init_empty(&content);
        bytes.data[i] ^= 0x81;
        seal(&bytes);
        read_header(bytes.data, bytes.size);
        (void)!rf_snapshot_read_state(bytes.data, bytes.size, &content.state, &err);
        bytes.data[i] ^= 0x81;
        content_finish(&content);
    }
    bytes_finish(&bytes);
}

static void a_newer_format_is_named(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    bytes.data[7] = 2;
    assert_refused(&bytes, RF_UNSUPPORTED, "is of format 2, this program reads 1");
    bytes_finish(&bytes);
}

static void a_foreign_file_is_named(void **state) {
    (void)state;
    static const char *const foreign[] = {"x", "RIFX", "id,amount\n1,2\n", "RIFFLE\1\1........................................"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        assert_int_equal(read_header((const uint8_t *)foreign[i], strlen(foreign[i])), RF_CORRUPT);
        assert_string_equal(err.text, "is not a snapshot: its first bytes are not those of one");
    }
}

static void bytes_after_the_end_are_refused(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    insert_bytes(&bytes, bytes.size, "more", 4);
    assert_refused(&bytes, RF_CORRUPT, "has 4 bytes after its end");
    bytes_finish(&bytes);
}

static void unknown_sections_are_skipped_unless_required(void **state) {
    (void)state;
    uint8_t section[24] = "NEWS";
    rf_store_u64(section + 8, 5);
    memcpy(section + 16, "hello", 5);
    struct bytes sound = sound_snapshot();
    const size_t places[] = {8, section_at(&sound, "PIEC", 0), section_at(&sound, "BLOK", 2), section_at(&sound, "END ", 0)};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct bytes bytes = sound_snapshot();
        struct content content, restored;
        content_init(&content);
        content_init_empty(&restored);
        rf_store_u32(section + 4, 0xfffffffe); // any flag but the first
        insert_bytes(&bytes, places[i], section, sizeof section);
        seal(&bytes);
        assert_int_equal(read_header(bytes.data, bytes.size), RF_OK);
        assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &restored.state, &err), RF_OK);
        assert_int_equal(rf_state_compare(&restored.state, &content.state, &err), RF_OK);
        content_finish(&content);
        content_finish(&restored);
        bytes.data[places[i] + 4] = 1;
        seal(&bytes);
        assert_int_equal(read_header(bytes.data, bytes.size), RF_UNSUPPORTED);
        char sentence[128];
        snprintf(sentence, sizeof sentence, "needs a section of kind 0x5357454e at byte %zu, which this program does not know",
                 places[i]);
        assert_string_equal(err.text, sentence);
        bytes_finish(&bytes);
    }
    bytes_finish(&sound);
}

static void lengths_that_lie_are_refused(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    size_t block = section_at(&bytes, "BLOK", 0);
    rf_store_u64(bytes.data + block + 8, 1000000);
    char sentence[128];
    snprintf(sentence, sizeof sentence, "is cut after %zu of at least %zu bytes", bytes.size, block + 16 + 1000000 + 48);
    assert_refused(&bytes, RF_CORRUPT, sentence);
    rf_store_u64(bytes.data + block + 8, UINT64_MAX);
    snprintf(sentence, sizeof sentence, "has a section of 18446744073709551615 bytes at byte %zu: the file is damaged", block);
    assert_refused(&bytes, RF_CORRUPT, sentence);
    bytes_finish(&bytes);

    bytes = sound_snapshot();
    rf_store_u64(bytes.data + bytes.size - 40, 31);
    assert_refused(&bytes, RF_CORRUPT, "ends with a checksum of 31 bytes, must be 32");
    rf_store_u64(bytes.data + bytes.size - 40, 32);
    bytes.data[bytes.size - 44] = 3;
    assert_refused(&bytes, RF_CORRUPT, "ends with the flags 3, must be 1");
    bytes_finish(&bytes);
}

static void there_is_one_header(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    size_t at = section_at(&bytes, "HEAD", 0), size = section_size(&bytes, at);
    insert_bytes(&bytes, at, bytes.data + at, size);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has 2 headers, must be 1");
    bytes = sound_snapshot();
    remove_bytes(&bytes, at, size);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has 0 headers, must be 1");
}

static void a_header_that_is_no_message_is_refused(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    size_t at = section_at(&bytes, "HEAD", 0);
    uint64_t size = rf_load_u64(bytes.data + at + 8);
    bytes.data[at + 16] = 0x0f;
    char sentence[128];
    snprintf(sentence, sizeof sentence, "has a header of %d bytes that is no message, or too large a one", (int)size);
    assert_sealed_refused(&bytes, RF_CORRUPT, sentence);

    bytes = sound_snapshot(); // the message of nothing
    remove_bytes(&bytes, at + 16, section_size(&bytes, at) - 16);
    rf_store_u64(bytes.data + at + 8, 0);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has a header with no version");
}

static void positions_of_a_header_are_checked(void **state) {
    (void)state;
    struct content content;
    content_init(&content);
    content.header.positions.list[2].next_offset = -2;
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    assert_refused(&bytes, RF_CORRUPT, "has a header with a position that is none");
    bytes_finish(&bytes);
    content.header.positions.list[2].next_offset = 5;
    content.header.positions.list[1].partition = 0; // transactions 0, twice
    bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    assert_refused(&bytes, RF_CORRUPT, "has a header with two positions of one partition");
    bytes_finish(&bytes);
    content_finish(&content);
}

static void blocks_are_checked(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    size_t at = section_at(&bytes, "BLOK", 0), size = section_size(&bytes, at);
    insert_bytes(&bytes, section_at(&bytes, "END ", 0), bytes.data + at, size);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has block linear.weights twice");

    bytes = sound_snapshot();
    at = section_at(&bytes, "BLOK", 1);
    bytes.data[at + 16] = 0x0f;
    char sentence[128];
    snprintf(sentence, sizeof sentence, "has a block at byte %zu whose description does not hold", at);
    assert_sealed_refused(&bytes, RF_CORRUPT, sentence);
}

static void pieces_are_checked(void **state) {
    (void)state;
    struct bytes bytes = sound_snapshot();
    size_t at = section_at(&bytes, "PIEC", 0); // piece 1 of linear.weights, 704 bytes
    char sentence[128];
    snprintf(sentence, sizeof sentence, "has a piece of block linear.weights at byte %zu that is out of order or outside of it",
             at + 16);
    rf_store_u32(bytes.data + at + 16, 2);
    assert_sealed_refused(&bytes, RF_CORRUPT, sentence);

    bytes = sound_snapshot();
    rf_store_u32(bytes.data + at + 16, UINT32_MAX);
    assert_sealed_refused(&bytes, RF_CORRUPT, sentence);

    bytes = sound_snapshot();
    rf_store_u32(bytes.data + at + 16, 0); // a whole piece: larger than what is there
    assert_sealed_refused(&bytes, RF_CORRUPT, "has piece 0 of block linear.weights in another size than 4096 bytes");

    bytes = sound_snapshot();
    rf_store_u32(bytes.data + at + 20, 700);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has piece 1 of block linear.weights in another size than 704 bytes");

    bytes = sound_snapshot(); // the same piece once more
    insert_bytes(&bytes, at, bytes.data + at, section_size(&bytes, at));
    snprintf(sentence, sizeof sentence, "has a piece of block linear.weights at byte %zu that is out of order or outside of it",
             at + section_size(&bytes, at) + 16);
    assert_sealed_refused(&bytes, RF_CORRUPT, sentence);

    bytes = sound_snapshot(); // pieces before any block
    size_t size = section_size(&bytes, at);
    insert_bytes(&bytes, 8, bytes.data + at, size);
    assert_sealed_refused(&bytes, RF_CORRUPT, "has pieces at byte 8 that belong to no block");
}

static void damage_changes_no_state(void **state) {
    (void)state;
    struct content content, restored;
    content_init(&content);
    content_init(&restored);
    content.weights[599].weight = 99;
    struct bytes bytes = snapshot_of(&content.header, &content.state, SIZE_MAX);
    size_t last = section_at(&bytes, "PIEC", 2);
    rf_store_u32(bytes.data + last + 16, 9); // found only after other blocks were read
    struct content before;
    content_init(&before);
    assert_int_equal(rf_snapshot_read_state(bytes.data, bytes.size, &restored.state, &err), RF_CORRUPT);
    assert_int_equal(rf_state_compare(&restored.state, &before.state, &err), RF_OK);
    bytes_finish(&bytes);
    content_finish(&before);
    content_finish(&content);
    content_finish(&restored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_cut_is_refused),
            cmocka_unit_test(every_flipped_byte_is_refused),
            cmocka_unit_test(every_flipped_byte_that_is_sealed_is_survived),
            cmocka_unit_test(a_newer_format_is_named),
            cmocka_unit_test(a_foreign_file_is_named),
            cmocka_unit_test(bytes_after_the_end_are_refused),
            cmocka_unit_test(unknown_sections_are_skipped_unless_required),
            cmocka_unit_test(lengths_that_lie_are_refused),
            cmocka_unit_test(there_is_one_header),
            cmocka_unit_test(a_header_that_is_no_message_is_refused),
            cmocka_unit_test(positions_of_a_header_are_checked),
            cmocka_unit_test(blocks_are_checked),
            cmocka_unit_test(pieces_are_checked),
            cmocka_unit_test(damage_changes_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
