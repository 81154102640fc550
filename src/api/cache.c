#include <anymodel/anymodel.h>

#include "api/json_writer.h"
#include "base/cache_folder.h"
#include "base/file.h"

#include <string.h>

/* What is kept, by the names of the folders that it is in (am_cache_folder). */
typedef struct cache_kind {
    const char *name, *what;
} cache_kind;

static const cache_kind kinds[] = {
    {"weights", "weights packed for this processor, or rounded"},
    {"max", "graphs compiled for max"},
    {"mojo", "kernels compiled for mojo"},
    {"auto", "times of graphs on targets, for the policy auto"},
    {"digests", "SHA-256 of weight files"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const cache_kind *find_kind(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

static am_status check_kinds(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!find_kind(names[i]))
            return am_error(AM_INVALID_ARGUMENT,
                            "the cache folder has no \"%s\"; there are weights, max, mojo, auto, digests", names[i]);
    return NULL;
}

static bool is_wanted(const char *kind, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(kind, names[i]) == 0) return true;
    return count == 0;
}

/* Writes what there is of a kind, and deletes it where `deletes` says so; adds its bytes that there are no more, else
   all. */
static am_status put_kind(am_buffer *out, am_arena *arena, const cache_kind *kind, bool deletes, int64_t *bytes)
{
    const char *folder = am_cache_place(arena, kind->name);
    if (!folder) return am_error(AM_IO, "no folder for a cache: neither ANYMODEL_CACHE nor HOME is set");
    am_cache_size size = am_cache_measure(folder), left = size;
    if (deletes) {
        am_cache_delete_tree(folder);
        left = am_cache_measure(folder);
    }
    *bytes += deletes ? size.bytes - left.bytes : size.bytes;
    am_put_open(out, NULL, '{');
    am_put_text(out, "kind", kind->name);
    am_put_integer(out, "files", left.files);
    am_put_integer(out, "bytes", left.bytes);
    if (deletes) am_put_integer(out, "freed_bytes", size.bytes - left.bytes);
    am_put_text(out, "what", kind->what);
    am_put_close(out, '}');
    return NULL;
}

static am_status put_kinds(const char *const *names, size_t count, bool deletes, char **out_json)
{
    am_arena arena = {0};
    am_buffer out = {0};
    int64_t bytes = 0;
    am_status status = check_kinds(names, count);
    *out_json = NULL;
    const char *root = am_cache_place(&arena, NULL);
    am_put_open(&out, NULL, '{');
    am_put_text(&out, "folder", root);
    am_put_open(&out, "kinds", '[');
    for (int i = 0; i < KINDS && !status; i++)
        if (is_wanted(kinds[i].name, names, count)) status = put_kind(&out, &arena, &kinds[i], deletes, &bytes);
    am_put_close(&out, ']');
    am_put_integer(&out, deletes ? "freed_bytes" : "bytes", bytes);
    am_put_close(&out, '}');
    am_arena_deinit(&arena);
    return am_put_finish(&out, status, out_json);
}

am_status am_cache_list(char **out_json)
{
    return put_kinds(NULL, 0, false, out_json);
}

am_status am_cache_clear(const char *const *names, size_t count, char **out_json)
{
    return put_kinds(names, count, true, out_json);
}
