#include "recorded/recorded.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LIMIT = 2048, FOLDERS_LIMIT = 4096 };

static void say(am_recorded *recorded, const char *verdict, const char *format, va_list arguments)
{
    char text[LINE_LIMIT], line[LINE_LIMIT + 32];
    if (!recorded->on_line) return;
    vsnprintf(text, sizeof text, format, arguments);
    snprintf(line, sizeof line, "%s: %s", verdict, text);
    recorded->on_line(recorded->context, line);
}

void am_recorded_failed(am_recorded *recorded, const char *format, ...)
{
    va_list arguments;
    recorded->failed++;
    va_start(arguments, format);
    say(recorded, "failed", format, arguments);
    va_end(arguments);
}

void am_recorded_unsupported(am_recorded *recorded, int64_t cases, const char *format, ...)
{
    va_list arguments;
    recorded->unsupported += cases;
    va_start(arguments, format);
    say(recorded, "unsupported", format, arguments);
    va_end(arguments);
}

void am_recorded_end_part(am_recorded *recorded)
{
    if (!*recorded->part) return;
    if (recorded->on_part)
        recorded->on_part(recorded->context, recorded->part, recorded->passed - recorded->at_start[0],
                          recorded->failed - recorded->at_start[1], recorded->unsupported - recorded->at_start[2],
                          am_clock_seconds() - recorded->started_s);
    *recorded->part = 0;
}

bool am_recorded_part(am_recorded *recorded, const char *format, ...)
{
    char name[sizeof recorded->part];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    am_recorded_end_part(recorded);
    if (recorded->only && !strstr(name, recorded->only)) return false;
    snprintf(recorded->part, sizeof recorded->part, "%s", name);
    recorded->at_start[0] = recorded->passed;
    recorded->at_start[1] = recorded->failed;
    recorded->at_start[2] = recorded->unsupported;
    recorded->started_s = am_clock_seconds();
    return true;
}

/* --- folders --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the folders in `path`, sorted. */
static am_status list_folders(am_arena *arena, const char *path, char ***out, size_t *count)
{
    DIR *directory = opendir(path);
    *count = 0;
    *out = am_arena_array(arena, FOLDERS_LIMIT, sizeof **out);
    am_status status = NULL;
    if (!directory) return am_error_from_errno("list", path);
    if (!*out) status = am_out_of_memory();
    for (const struct dirent *entry; !status && *count < FOLDERS_LIMIT && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        char *folder = am_path_join(arena, path, entry->d_name);
        char *name = am_arena_string(arena, entry->d_name, strlen(entry->d_name));
        if (!folder || !name) status = am_out_of_memory();
        else if (am_directory_exists(folder)) (*out)[(*count)++] = name;
    }
    closedir(directory);
    if (!status) qsort(*out, *count, sizeof **out, by_name);
    return status;
}

static am_status verify_tokenizers_of_kind(am_arena *arena, const char *path, const char *kind, am_recorded *recorded)
{
    char **names;
    size_t count;
    if (strcmp(kind, "sentencepiece") == 0) return am_recorded_sentencepiece(path, recorded);
    AM_TRY(list_folders(arena, path, &names, &count));
    for (size_t i = 0; i < count; i++) {
        const char *folder = am_path_join(arena, path, names[i]);
        if (!folder) return am_out_of_memory();
        if (!am_recorded_part(recorded, "%s/%s", kind, names[i])) continue;
        AM_TRY(am_recorded_tokenizer(folder, recorded));
    }
    am_recorded_end_part(recorded);
    return NULL;
}

static am_status verify_tokenizers(am_arena *arena, const char *path, am_recorded *recorded)
{
    char **kinds;
    size_t count;
    AM_TRY(list_folders(arena, path, &kinds, &count));
    for (size_t i = 0; i < count; i++) {
        const char *folder = am_path_join(arena, path, kinds[i]);
        if (!folder) return am_out_of_memory();
        AM_TRY(verify_tokenizers_of_kind(arena, folder, kinds[i], recorded));
    }
    return NULL;
}

static am_status verify_one_tokenizer(am_arena *arena, const char *path, am_recorded *recorded)
{
    (void)arena;
    if (!am_recorded_part(recorded, "%s", am_path_base(path))) return NULL;
    AM_TRY(am_recorded_tokenizer(path, recorded));
    am_recorded_end_part(recorded);
    return NULL;
}

static am_status verify_kind(am_arena *arena, const char *path, am_recorded *recorded)
{
    return verify_tokenizers_of_kind(arena, path, am_path_base(path), recorded);
}

static am_status verify_templates(am_arena *arena, const char *path, am_recorded *recorded)
{
    (void)arena;
    if (!am_recorded_part(recorded, "chat_templates")) return NULL;
    AM_TRY(am_recorded_chat_templates(path, recorded));
    am_recorded_end_part(recorded);
    return NULL;
}

static am_status verify_images(am_arena *arena, const char *path, am_recorded *recorded)
{
    (void)arena;
    return am_recorded_images(path, recorded);
}

static am_status verify_sounds(am_arena *arena, const char *path, am_recorded *recorded)
{
    (void)arena;
    return am_recorded_sounds(path, recorded);
}

static am_status verify_pipelines(am_arena *arena, const char *path, am_recorded *recorded)
{
    (void)arena;
    return am_recorded_pipelines(path, recorded);
}

static am_status verify_all(am_arena *arena, const char *path, am_recorded *recorded);

/* What a folder is, told by a file or folder in it or above it. */
static const struct {
    const char *sign;
    am_status (*verify)(am_arena *, const char *, am_recorded *);
} kinds[] = {
    {"tokenizers/texts.json", verify_all},
    {"chat_templates/messages.json", verify_all},
    {"image_processors/processors", verify_all},
    {"audio/extractors", verify_all},
    {"pipelines/ctc.jsonl", verify_all},
    {"pipelines/whisper.jsonl", verify_all},
    {"texts.json", verify_tokenizers},
    {"messages.json", verify_templates},
    {"processors", verify_images},
    {"post_processing.json", verify_images},
    {"extractors", verify_sounds},
    {"ctc.jsonl", verify_pipelines},
    {"whisper.jsonl", verify_pipelines},
    {"detection.jsonl", verify_pipelines},
    {"../texts.json", verify_kind},
    {"../../texts.json", verify_one_tokenizer},
    {"../tokenizers", verify_pipelines},
};

static am_status verify_folder(am_arena *arena, const char *path, am_recorded *recorded, bool *known)
{
    *known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *sign = am_path_join(arena, path, kinds[i].sign);
        if (!sign) return am_out_of_memory();
        if (!am_file_exists(sign) && !am_directory_exists(sign)) continue;
        *known = true;
        return kinds[i].verify(arena, path, recorded);
    }
    return NULL;
}

static am_status verify_all(am_arena *arena, const char *path, am_recorded *recorded)
{
    static const char *const parts[] = {"tokenizers", "chat_templates", "image_processors", "audio", "pipelines"};
    bool known;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *folder = am_path_join(arena, path, parts[i]);
        if (!folder) return am_out_of_memory();
        if (am_directory_exists(folder)) AM_TRY(verify_folder(arena, folder, recorded, &known));
    }
    return NULL;
}

am_status am_recorded_verify(const char *path, am_recorded *recorded)
{
    am_arena arena = {0};
    bool known = false;
    am_status status = am_directory_exists(path) ? verify_folder(&arena, path, recorded, &known)
                                                 : am_error(AM_NOT_FOUND, "%s: there is no such folder", path);
    if (!status && !known)
        status = am_error(AM_NOT_FOUND,
                          "%s: a folder of recorded answers holds tokenizers, chat_templates, "
                          "image_processors, audio or pipelines, or is one of them",
                          path);
    am_arena_deinit(&arena);
    return status;
}
