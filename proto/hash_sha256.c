#include "proto/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

// Memory is the only thing that can fail here.
static void require(int is_done) {
    if (!is_done) {
        fputs("riffle: out of memory for a SHA-256\n", stderr);
        abort();
    }
}

void rf_sha256_init(struct rf_sha256 *sha) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    require(context != NULL);
    require(EVP_DigestInit_ex(context, EVP_sha256(), NULL));
    sha->context = context;
}

void rf_sha256_update(struct rf_sha256 *sha, const void *data, size_t size) {
    require(EVP_DigestUpdate(sha->context, data, size));
}

void rf_sha256_finish(struct rf_sha256 *sha, uint8_t digest_out[RF_SHA256_SIZE]) {
    require(EVP_DigestFinal_ex(sha->context, digest_out, NULL));
    EVP_MD_CTX_free(sha->context);
    sha->context = NULL;
}

void rf_sha256_drop(struct rf_sha256 *sha) {
    EVP_MD_CTX_free(sha->context);
    sha->context = NULL;
}

void rf_sha256_text(const uint8_t digest[RF_SHA256_SIZE], char text_out[RF_SHA256_TEXT_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < RF_SHA256_SIZE; i++) {
        text_out[2 * i] = digits[digest[i] >> 4];
        text_out[2 * i + 1] = digits[digest[i] & 15];
    }
    text_out[2 * RF_SHA256_SIZE] = '\0';
}
