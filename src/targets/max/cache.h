/* Compiled graphs kept from run to run, with what was found when they were first run. */
#ifndef AM_TARGETS_MAX_CACHE_H
#define AM_TARGETS_MAX_CACHE_H

#include "base/arena.h"
#include "base/sha256.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef enum am_mx_verdict { AM_MX_UNKNOWN, AM_MX_RIGHT, AM_MX_WRONG } am_mx_verdict;

enum { AM_MX_REASON = 1024 };

typedef struct am_mx_entry {
    am_mx_verdict verdict;
    char reason[AM_MX_REASON]; /* of a wrong one */
    char *mef;                 /* freed with am_free; null of a wrong one */
    size_t length;
} am_mx_entry;

/* One entry, locked against other processes. */
typedef struct am_mx_cache {
    am_arena arena;
    uint8_t key[AM_SHA256_BYTES];
    char *path; /* null where there is no cache */
    int lock;
} am_mx_cache;

/* The name of an entry: of the graph's text, MAX's version, our lowering's and the cpu's name. */
void am_mx_cache_key(const char *text, size_t length, const char *max_version, uint8_t out[AM_SHA256_BYTES]);

/* Locks the entry, waiting for another process that makes it. Where the cache folder cannot be used there is a warning
   and no cache. Fails only when cancelled (may be null) or without memory. */
am_status am_mx_cache_open(const uint8_t key[AM_SHA256_BYTES], const atomic_bool *cancelled,
                           am_mx_cache *out) AM_NODISCARD;
void am_mx_cache_close(am_mx_cache *cache);

/* Whether the entry is there, whole and made for this key; one that is damaged is a warning. */
bool am_mx_cache_load(const am_mx_cache *cache, am_mx_entry *out);

/* Keeps the entry; where that fails there is a warning. */
void am_mx_cache_store(const am_mx_cache *cache, const am_mx_entry *entry);

#endif
