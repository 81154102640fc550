/* SHA-256 (FIPS 180-4), which names and checks what is kept in the cache folder, by Nettle. */
#ifndef AM_BASE_SHA256_H
#define AM_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

enum { AM_SHA256_BYTES = 32, AM_SHA256_TEXT = 65 };

/* Lives in the caller's storage. */
typedef struct sha256_ctx am_sha256;

/* The digest of all bytes that are added one after the other. */
void am_sha256_begin(am_sha256 *hash);

/* `bytes` may be null where length is 0. */
void am_sha256_add(am_sha256 *hash, const void *bytes, size_t length);

/* Leaves `hash` as am_sha256_begin does. */
void am_sha256_end(am_sha256 *hash, uint8_t out[AM_SHA256_BYTES]);

/* Of bytes that are there at once: as a digest, and as digits. */
void am_sha256_of(const void *bytes, size_t length, uint8_t out[AM_SHA256_BYTES]);
void am_sha256_digits_of(const void *bytes, size_t length, char out[AM_SHA256_TEXT]);

/* Lower-case hexadecimal digits and a zero byte. */
void am_sha256_text(const uint8_t digest[AM_SHA256_BYTES], char out[AM_SHA256_TEXT]);

#endif
