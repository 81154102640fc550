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

static bool is_among(const char *kind, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(kind, names[i]) == 0) return true;
    return false;
}

static am_status check_kinds(const char *const *names, size_t count)
{
    const char *all[KINDS];
    for (int i = 0; i < KINDS; i++) all[i] = kinds[i].name;
    for (size_t i = 0; i < count; i++)
        if (!is_among(names[i], all, KINDS))
            return am_error(AM_INVALID_ARGUMENT,
                            "the cache folder has no \"%s\"; there are weights, max, mojo, auto, digests", names[i]);
    return NULL;
}

/* Writes what there is of a kind, or is left of it where `deletes` says that it goes. Gives the bytes that went, else
   all. */
static int64_t put_kind(am_buffer *out, const cache_kind *kind, const char *folder, bool deletes)
{
    am_cache_size size = am_cache_measure(folder), left = size;
    if (deletes) {
        am_cache_delete_tree(folder);
        left = am_cache_measure(folder);
    }
    am_put_open(out, NULL, '{');
    am_put_text(out, "kind", kind->name);
    am_put_integer(out, "files", left.files);
    am_put_integer(out, "bytes", left.bytes);
    if (deletes) am_put_integer(out, "freed_bytes", size.bytes - left.bytes);
    am_put_text(out, "what", kind->what);
    am_put_close(out, '}');
    return deletes ? size.bytes - left.bytes : size.bytes;
}

static am_status put_kinds(am_arena *arena, am_buffer *out, const char *const *names, size_t count, bool deletes)
{
    char *root;
    int64_t bytes = 0;
    AM_TRY(check_kinds(names, count));
    AM_TRY(am_cache_root(arena, &root));
    am_put_open(out, NULL, '{');
    am_put_text(out, "folder", root);
    am_put_open(out, "kinds", '[');
    for (int i = 0; i < KINDS; i++) {
        const char *folder = am_path_join(arena, root, kinds[i].name);
        if (!folder) return am_out_of_memory();
        if (!count || is_among(kinds[i].name, names, count)) bytes += put_kind(out, &kinds[i], folder, deletes);
    }
    am_put_close(out, ']');
    am_put_integer(out, deletes ? "freed_bytes" : "bytes", bytes);
    am_put_close(out, '}');
    return NULL;
}

static am_status answer(const char *const *names, size_t count, bool deletes, char **out_json)
{
    am_arena arena = {0};
    am_buffer out = {0};
    *out_json = NULL;
    am_status status = put_kinds(&arena, &out, names, count, deletes);
    am_arena_deinit(&arena);
    return am_put_finish(&out, status, out_json);
}

am_status am_cache_list(char **out_json)
{
    return answer(NULL, 0, false, out_json);
}

am_status am_cache_clear(const char *const *names, size_t count, char **out_json)
{
    return answer(names, count, true, out_json);
}
