#include "proto/hash.h"
#include "proto/siphash.h"
#include "tests/test.h"

#include <string.h>

// The key and messages of the appendix of the paper: 00 01 02 ...
static const struct rf_hash_key published_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static void fill_counting(uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)i;
    }
}

static void reference_gives_the_published_vectors(void **state) {
    (void)state;
    static const uint64_t published[] = {
            0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
            0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
    };
    uint8_t message[64];
    fill_counting(message, sizeof message);
    for (size_t size = 0; size < sizeof published / sizeof *published; size++) {
        assert_int_equal(rf_hash_reference(published_key, message, size), published[size]);
    }
    assert_int_equal(rf_hash_reference(published_key, message, 15), 0xa129ca6149be45e5);
    assert_int_equal(rf_hash_reference(published_key, message, 63), 0x958a324ceb064572);
}

// CPython hashes bytes by SipHash-1-3; with PYTHONHASHSEED=0 its key is 0, 0.
static void hash_agrees_with_another_implementation(void **state) {
    (void)state;
    const struct rf_hash_key zero = {0, 0};
    assert_int_equal(rf_hash(zero, "a", 1), 0x407448d2b89b1813);
    assert_int_equal(rf_hash(zero, "abc", 3), 0xc03bc3a0042630f2);
    assert_int_equal(rf_hash(zero, "abcdefg", 7), 0x6db12aae9070f506);
    assert_int_equal(rf_hash(zero, "abcdefgh", 8), 0x3f7b849c0b8e35ea);
    assert_int_equal(rf_hash(zero, "the quick brown fox jumps", 25), 0x00c98b97e4f70042);
    assert_int_equal(rf_hash(published_key, "", 0), 0xabac0158050fc4dc);
}

static void hash_depends_on_every_byte_and_on_the_size(void **state) {
    (void)state;
    uint8_t message[33];
    for (size_t size = 1; size <= sizeof message; size++) {
        memset(message, 0, sizeof message);
        uint64_t plain = rf_hash(published_key, message, size);
        assert_int_not_equal(plain, rf_hash(published_key, message, size - 1));
        for (size_t i = 0; i < size; i++) {
            message[i] = 1;
            assert_int_not_equal(plain, rf_hash(published_key, message, size));
            message[i] = 0;
        }
    }
}

static void hash_does_not_depend_on_alignment(void **state) {
    (void)state;
    uint8_t message[64];
    fill_counting(message, 29);
    uint64_t aligned = rf_hash(published_key, message, 29);
    for (size_t shift = 1; shift < 8; shift++) {
        fill_counting(message + shift, 29);
        assert_int_equal(rf_hash(published_key, message + shift, 29), aligned);
    }
}

static void the_key_of_a_seed_never_changes(void **state) {
    (void)state;
    struct rf_hash_key key = rf_hash_key_of_seed(42);
    assert_int_equal(key.k0, 0xbdd732262feb6e95);
    assert_int_equal(key.k1, 0x28efe333b266f103);
    assert_int_equal(rf_hash(key, "amount", 6), 0xd6c52a5432be4064);
}

static void hash_within_a_text_is_the_same(void **state) {
    (void)state;
    uint8_t message[40];
    fill_counting(message, sizeof message);
    for (size_t size = 0; size <= 24; size++) {
        for (size_t room = size; room <= size + 9; room++) {
            assert_int_equal(rf_hash_within(published_key, message, size, room), rf_hash(published_key, message, size));
        }
    }
}

static void murmur3_gives_the_published_vectors(void **state) {
    (void)state;
    static const struct {
        uint32_t seed;
        const char *message;
        uint32_t hash;
    } published[] = {
            {0, "", 0},
            {1, "", 0x514e28b7},
            {0xffffffff, "", 0x81f16f39},
            {0, "test", 0xba6bd213},
            {0x9747b28c, "test", 0x704b81dc},
            {0, "Hello, world!", 0xc0363e43},
            {0x9747b28c, "Hello, world!", 0x24884cba},
            {0x9747b28c, "a", 0x7fa09ea6},
            {0x9747b28c, "aa", 0x5d211726},
            {0x9747b28c, "aaa", 0x283e0130},
            {0x9747b28c, "aaaa", 0x5a97808a},
            {0, "The quick brown fox jumps over the lazy dog", 0x2e4ff723},
            {0x9747b28c, "The quick brown fox jumps over the lazy dog", 0x2fa826cd},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        assert_int_equal(rf_hash_murmur3(published[i].seed, published[i].message, strlen(published[i].message)),
                         published[i].hash);
    }
}

// SMHasher's check of an implementation: the hash of the hashes of {}, {0}, {0, 1} ... with the seeds 256, 255 ...
static void murmur3_passes_the_authors_verification(void **state) {
    (void)state;
    uint8_t message[256], hashes[1024];
    fill_counting(message, sizeof message);
    for (size_t size = 0; size < sizeof message; size++) {
        uint32_t hash = rf_hash_murmur3((uint32_t)(256 - size), message, size);
        memcpy(hashes + 4 * size, &hash, sizeof hash);
    }
    assert_int_equal(rf_hash_murmur3(0, hashes, sizeof hashes), 0xb0f57ee3);
}

static void sha256_gives_the_published_digests(void **state) {
    (void)state;
    static const struct {
        const char *message, *digest;
    } published[] = {
            {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
            {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct rf_sha256 sha;
        uint8_t digest[RF_SHA256_SIZE];
        char text[RF_SHA256_TEXT_SIZE];
        rf_sha256_init(&sha);
        size_t half = strlen(published[i].message) / 2;
        rf_sha256_update(&sha, published[i].message, half);
        rf_sha256_update(&sha, published[i].message + half, strlen(published[i].message) - half);
        rf_sha256_finish(&sha, digest);
        rf_sha256_text(digest, text);
        assert_string_equal(text, published[i].digest);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(reference_gives_the_published_vectors),
            cmocka_unit_test(hash_agrees_with_another_implementation),
            cmocka_unit_test(hash_depends_on_every_byte_and_on_the_size),
            cmocka_unit_test(hash_does_not_depend_on_alignment),
            cmocka_unit_test(the_key_of_a_seed_never_changes),
            cmocka_unit_test(hash_within_a_text_is_the_same),
            cmocka_unit_test(murmur3_gives_the_published_vectors),
            cmocka_unit_test(murmur3_passes_the_authors_verification),
            cmocka_unit_test(sha256_gives_the_published_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
