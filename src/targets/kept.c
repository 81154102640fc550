#include "targets/kept.h"

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "targets/cpu/isa.h"

#include <stdio.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 16 };

static const char first_line[] = "anymodel auto 1\n";
static const char last_line[] = "sha256 "; /* of everything before this line */

am_status am_kept_context(const am_target_pick *pick, const am_target_options *options, am_buffer *out)
{
    am_target_report report = {0};
    const am_micro *micro = am_micro_of(AM_ISA_ANY);
    pick->target->probe(&report);
    am_buffer_printf(out, "program %s\ntarget %s %s %s\n", AM_PROJECT_VERSION, pick->target->name, report.version,
                     pick->device);
    if (pick->target->version) {
        am_buffer_append_string(out, "compiles ");
        AM_TRY(pick->target->version(out));
        am_buffer_append_char(out, '\n');
    }
    am_buffer_printf(out, "cpu %s\nfeatures %s\nkernels %s\nthreads %d\n", am_cpu_model_name(), am_cpu_features_text(),
                     micro && !options->reference_only ? micro->name : "reference", am_threads_count());
    return am_buffer_status(out);
}

void am_kept_name(const char *what, const am_target_pick *pick, char out[AM_KEPT_NAME])
{
    snprintf(out, AM_KEPT_NAME, "%s-%s%s%s-%dt", what, pick->target->name, *pick->device ? "-" : "", pick->device,
             am_threads_count());
    for (char *c = out; *c; c++)
        if (*c == '/') *c = '_';
}

static char *path_of(am_arena *arena, const char *name)
{
    char *folder = am_cache_place(arena, "auto");
    return folder ? am_path_join(arena, folder, name) : NULL;
}

bool am_kept_exists(const char *name)
{
    am_arena arena = {0};
    const char *path = path_of(&arena, name);
    bool exists = path && am_file_exists(path);
    am_arena_deinit(&arena);
    return exists;
}

/* Leaves the text between the context and the checksum. */
static bool unwrap(char *bytes, size_t length, const char *context)
{
    char hash[AM_SHA256_TEXT];
    size_t head = strlen(first_line) + strlen(context) + 1, tail = strlen(last_line) + AM_SHA256_TEXT;
    if (length < head + tail || memcmp(bytes, first_line, strlen(first_line)) != 0) return false;
    if (memcmp(bytes + strlen(first_line), context, strlen(context)) != 0 || bytes[head - 1] != '\n') return false;
    size_t end = length - tail;
    am_sha256_digits_of(bytes, end, hash);
    if (memcmp(bytes + end, last_line, strlen(last_line)) != 0 || bytes[length - 1] != '\n') return false;
    if (memcmp(bytes + end + strlen(last_line), hash, AM_SHA256_TEXT - 1) != 0) return false;
    memmove(bytes, bytes + head, end - head);
    bytes[end - head] = 0;
    return true;
}

char *am_kept_load(const char *name, const char *context)
{
    am_arena arena = {0};
    char *bytes = NULL;
    size_t length = 0;
    const char *path = path_of(&arena, name);
    if (path && am_file_exists(path)) am_status_free(am_file_read(path, FILE_LIMIT, &bytes, &length));
    am_arena_deinit(&arena);
    if (bytes && unwrap(bytes, length, context)) return bytes;
    am_free(bytes);
    return NULL;
}

static am_status store(am_arena *arena, const char *name, const am_buffer *bytes)
{
    char *folder;
    AM_TRY(am_buffer_status(bytes));
    AM_TRY(am_cache_folder(arena, "auto", &folder));
    const char *path = am_path_join(arena, folder, name);
    return path ? am_file_write(path, bytes->bytes, bytes->length) : am_out_of_memory();
}

void am_kept_store(const char *name, const char *context, const char *text)
{
    am_arena arena = {0};
    am_buffer bytes = {0};
    char hash[AM_SHA256_TEXT];
    am_buffer_printf(&bytes, "%s%s\n%s", first_line, context, text);
    am_sha256_digits_of(am_buffer_text(&bytes), bytes.length, hash);
    am_buffer_printf(&bytes, "%s%s\n", last_line, hash);
    am_status_free(store(&arena, name, &bytes)); /* it is measured again */
    am_buffer_deinit(&bytes);
    am_arena_deinit(&arena);
}
