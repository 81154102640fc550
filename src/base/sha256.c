#include "base/sha256.h"

void am_sha256_begin(am_sha256 *hash)
{
    sha256_init(hash);
}

void am_sha256_add(am_sha256 *hash, const void *bytes, size_t length)
{
    if (length) sha256_update(hash, length, bytes);
}

void am_sha256_end(am_sha256 *hash, uint8_t out[AM_SHA256_BYTES])
{
    sha256_digest(hash, AM_SHA256_BYTES, out);
}

void am_sha256_text(const uint8_t digest[AM_SHA256_BYTES], char out[AM_SHA256_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < AM_SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * AM_SHA256_BYTES] = 0;
}

void am_sha256_of(const void *bytes, size_t length, uint8_t out[AM_SHA256_BYTES])
{
    am_sha256 hash;
    am_sha256_begin(&hash);
    am_sha256_add(&hash, bytes, length);
    am_sha256_end(&hash, out);
}

void am_sha256_digits_of(const void *bytes, size_t length, char out[AM_SHA256_TEXT])
{
    uint8_t digest[AM_SHA256_BYTES];
    am_sha256_of(bytes, length, digest);
    am_sha256_text(digest, out);
}
