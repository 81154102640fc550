/* As much of Nettle's header as the project uses, for builds without libraries (AM_CORE_ONLY). */
#ifndef NETTLE_SHA2_H
#define NETTLE_SHA2_H

#include <stddef.h>
#include <stdint.h>

struct sha256_ctx {
    uint32_t state[8];
    uint64_t length;
    uint8_t block[64];
};

void sha256_init(struct sha256_ctx *ctx);
void sha256_update(struct sha256_ctx *ctx, size_t length, const uint8_t *data);
void sha256_digest(struct sha256_ctx *ctx, size_t length, uint8_t *digest);

#endif
