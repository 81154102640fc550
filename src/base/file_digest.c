#include "base/file_digest.h"

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/warning.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STAMP_BYTES = 256, CHUNK = 1 << 26 };

static void describe(const am_file_identity *identity, char out[STAMP_BYTES])
{
    snprintf(out, STAMP_BYTES, "%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " ", identity->device,
             identity->inode, identity->size_bytes, identity->modified_ns, identity->changed_ns);
}

/* The entry's path, in the arena; null where nothing can be kept. */
static char *entry_of(am_arena *arena, const char *path)
{
    char whole[PATH_MAX], name[AM_SHA256_TEXT], *folder = NULL;
    if (!am_path_real(path, whole)) return NULL;
    am_sha256_digits_of(whole, strlen(whole), name);
    am_status status = am_cache_folder(arena, "digests", &folder);
    am_status_free(status);
    return status ? NULL : am_path_join(arena, folder, name);
}

static bool parse(const char *text, uint8_t out[AM_SHA256_BYTES])
{
    for (int i = 0; i < AM_SHA256_BYTES; i++) {
        unsigned byte;
        if (strspn(text + 2 * i, "0123456789abcdef") < 2 || sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        out[i] = (uint8_t)byte;
    }
    return true;
}

static bool recall(const char *entry, const char *stamp, uint8_t out[AM_SHA256_BYTES])
{
    char *text;
    size_t length;
    if (!entry || !am_file_exists(entry)) return false;
    am_status status = am_file_read(entry, 2 * STAMP_BYTES, &text, &length);
    bool found = !status && strncmp(text, stamp, strlen(stamp)) == 0 && parse(text + strlen(stamp), out);
    am_status_free(status);
    am_free(text);
    return found;
}

static void keep(const char *entry, const am_file_identity *identity, const char *stamp,
                 const uint8_t digest[AM_SHA256_BYTES])
{
    char text[STAMP_BYTES + AM_SHA256_TEXT + 1], digits[AM_SHA256_TEXT];
    if (!entry || am_file_is_fresh(identity)) return;
    am_sha256_text(digest, digits);
    int length = snprintf(text, sizeof text, "%s%s\n", stamp, digits);
    am_status_free(am_file_write(entry, text, (size_t)length)); /* it is read again the next time */
}

static am_status compute(const char *path, uint8_t out[AM_SHA256_BYTES])
{
    am_mapped_file file;
    am_sha256 hash;
    AM_TRY(am_file_map(path, &file));
    am_sha256_begin(&hash);
    for (size_t at = 0; at < file.size_bytes; at += CHUNK) {
        size_t rest = file.size_bytes - at;
        if (at) am_progress("checking %s: %d %%", path, (int)((double)at * 100 / (double)file.size_bytes));
        am_sha256_add(&hash, file.bytes + at, rest < CHUNK ? rest : CHUNK);
    }
    am_sha256_end(&hash, out);
    am_file_unmap(&file);
    return NULL;
}

am_status am_file_digest(const char *path, uint8_t out[AM_SHA256_BYTES])
{
    am_file_identity before, after;
    char stamp[STAMP_BYTES];
    am_arena arena = {0};
    if (!am_file_identify(path, &before)) return am_error_from_errno("open", path);
    describe(&before, stamp);
    char *entry = entry_of(&arena, path);
    am_status status = NULL;
    if (!recall(entry, stamp, out)) {
        status = compute(path, out);
        if (!status && am_file_identify(path, &after)) {
            if (am_file_identity_equal(&before, &after)) keep(entry, &before, stamp, out);
            else status = am_error(AM_IO, "%s was changed while it was read", path);
        }
    }
    am_arena_deinit(&arena);
    return status;
}
