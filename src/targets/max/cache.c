#include "targets/max/cache.h"

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/warning.h"
#include "targets/cpu/isa.h"
#include "targets/max/lower.h"

#include <string.h>

enum { ENTRY_LIMIT = 1 << 30, FORMAT = 1 };

/* Stands before the MEF, in this machine's byte order: an entry is of use here only. */
typedef struct header {
    char magic[8];
    uint32_t format, verdict;
    uint64_t length;
    uint8_t key[AM_SHA256_BYTES];
    char reason[AM_MX_REASON];
    uint8_t checksum[AM_SHA256_BYTES]; /* of all before it and of the MEF */
} header;

static const char magic[8] = "AMMAXMEF"; /* all 8, no zero behind */

void am_mx_cache_key(const char *text, size_t length, const char *max_version, uint8_t out[AM_SHA256_BYTES])
{
    uint32_t version = AM_MX_VERSION;
    const char *cpu = am_cpu_model_name();
    am_sha256 hash;
    am_sha256_begin(&hash);
    am_sha256_add(&hash, &version, sizeof version);
    am_sha256_add(&hash, max_version, strlen(max_version) + 1);
    am_sha256_add(&hash, cpu, strlen(cpu) + 1);
    am_sha256_add(&hash, text, length);
    am_sha256_end(&hash, out);
}

am_status am_mx_cache_open(const uint8_t key[AM_SHA256_BYTES], const atomic_bool *cancelled, am_mx_cache *out)
{
    char name[AM_SHA256_TEXT], *folder = NULL;
    *out = (am_mx_cache){.lock = -1};
    memcpy(out->key, key, AM_SHA256_BYTES);
    am_sha256_text(key, name);
    am_status status = am_cache_folder(&out->arena, "max", &folder);
    char *path = status ? NULL : am_arena_printf(&out->arena, "%s/%s", folder, name);
    char *lock = path ? am_arena_printf(&out->arena, "%s.lock", path) : NULL;
    if (!status) status = lock ? am_cache_lock(lock, "compiling for max", cancelled, &out->lock) : am_out_of_memory();
    if (!status) out->path = path;
    if (!status || am_status_code(status) == AM_INTERNAL || am_status_code(status) == AM_OUT_OF_MEMORY) return status;
    am_warn("compiled graphs of max are not kept: %s", am_status_message(status));
    am_status_free(status);
    return NULL;
}

void am_mx_cache_close(am_mx_cache *cache)
{
    am_cache_unlock(cache->lock);
    am_arena_deinit(&cache->arena);
}

static void check_sum(const header *h, const char *mef, uint8_t out[AM_SHA256_BYTES])
{
    am_sha256 hash;
    am_sha256_begin(&hash);
    am_sha256_add(&hash, h, offsetof(header, checksum));
    am_sha256_add(&hash, mef, (size_t)h->length);
    am_sha256_end(&hash, out);
}

static bool is_whole(const am_mx_cache *cache, const char *bytes, size_t length)
{
    header h;
    uint8_t sum[AM_SHA256_BYTES];
    if (length < sizeof h) return false;
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, magic, sizeof magic) != 0 || h.format != FORMAT || h.length != length - sizeof h) return false;
    if (memcmp(h.key, cache->key, sizeof h.key) != 0 || (h.verdict != AM_MX_RIGHT && h.verdict != AM_MX_WRONG))
        return false;
    check_sum(&h, bytes + sizeof h, sum);
    return memcmp(sum, h.checksum, sizeof sum) == 0;
}

bool am_mx_cache_load(const am_mx_cache *cache, am_mx_entry *out)
{
    size_t length;
    *out = (am_mx_entry){0};
    if (!cache->path || !am_file_exists(cache->path)) return false;
    am_status status = am_file_read(cache->path, ENTRY_LIMIT, &out->mef, &length);
    if (!status && !is_whole(cache, out->mef, length)) status = am_error(AM_IO, "it is damaged or of another version");
    if (status) {
        am_warn("%s is compiled again: %s", cache->path, am_status_message(status));
        am_status_free(status);
        am_free(out->mef);
        *out = (am_mx_entry){0};
        return false;
    }
    header h;
    memcpy(&h, out->mef, sizeof h);
    out->verdict = (am_mx_verdict)h.verdict;
    memcpy(out->reason, h.reason, sizeof out->reason);
    out->reason[AM_MX_REASON - 1] = 0;
    out->length = (size_t)h.length;
    memmove(out->mef, out->mef + sizeof h, out->length);
    return true;
}

void am_mx_cache_store(const am_mx_cache *cache, const am_mx_entry *entry)
{
    header h = {.format = FORMAT, .verdict = (uint32_t)entry->verdict, .length = entry->mef ? entry->length : 0};
    am_buffer bytes = {0};
    if (!cache->path) return;
    memcpy(h.magic, magic, sizeof magic);
    memcpy(h.key, cache->key, sizeof h.key);
    memcpy(h.reason, entry->reason, sizeof h.reason);
    check_sum(&h, entry->mef, h.checksum);
    am_buffer_append(&bytes, &h, sizeof h);
    am_buffer_append(&bytes, entry->mef, (size_t)h.length);
    am_status status = am_buffer_status(&bytes);
    if (!status) status = am_file_write(cache->path, bytes.bytes, bytes.length);
    if (status) am_warn("a compiled graph of max is not kept: %s", am_status_message(status));
    am_status_free(status);
    am_buffer_deinit(&bytes);
}
