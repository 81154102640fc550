#include "cli/inputs.h"

#include "cli/outline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A device without an end, as /dev/zero, is told from a long text. */
static const size_t INPUT_LIMIT_BYTES = (size_t)1 << 30;

static am_code read_stream(FILE *file, am_cli_bytes *out)
{
    size_t room = 0;
    *out = (am_cli_bytes){0};
    do {
        if (out->length > INPUT_LIMIT_BYTES) {
            errno = EFBIG;
            return AM_OUT_OF_MEMORY;
        }
        if (out->length + 1 >= room) {
            room = room ? room * 2 : 4096;
            char *grown = realloc(out->bytes, room);
            if (!grown) return AM_OUT_OF_MEMORY;
            out->bytes = grown;
        }
        out->length += fread(out->bytes + out->length, 1, room - out->length - 1, file);
    } while (!feof(file) && !ferror(file));
    out->bytes[out->length] = 0;
    return ferror(file) ? AM_IO : AM_OK;
}

am_code am_cli_read(const char *path, am_cli_bytes *out)
{
    bool is_stdin = strcmp(path, "-") == 0;
    *out = (am_cli_bytes){0};
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file) return errno == ENOENT ? AM_NOT_FOUND : AM_IO;
    am_code code = read_stream(file, out);
    int reason = errno;
    if (!is_stdin) fclose(file);
    if (code) free(out->bytes);
    if (code) *out = (am_cli_bytes){0};
    errno = reason;
    return code;
}

void am_cli_cut_line_end(am_cli_bytes *text)
{
    if (text->length && text->bytes[text->length - 1] == '\n') text->bytes[--text->length] = 0;
    if (text->length && text->bytes[text->length - 1] == '\r') text->bytes[--text->length] = 0;
}

bool am_cli_is_media(const char *bytes, size_t length)
{
    static const char *const begins[] = {"\x89PNG", "\xFF\xD8\xFF", "GIF8", "P4\n", "P5\n", "P6\n",
                                         "RIFF",    "fLaC",         "OggS", "ID3",  NULL};
    for (int i = 0; begins[i]; i++) {
        size_t size = strlen(begins[i]);
        if (length >= size && memcmp(bytes, begins[i], size) == 0) return true;
    }
    bool is_mpeg = length > 1 && (unsigned char)bytes[0] == 0xFF && ((unsigned char)bytes[1] & 0xE0) == 0xE0;
    return is_mpeg || (length && memchr(bytes, 0, length));
}

bool am_cli_is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

bool am_cli_is_stream(const char *path)
{
    struct stat info;
    return strcmp(path, "-") == 0 || (stat(path, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)));
}

/* Whether `has` is true of a task's description; false where there is no such task. */
static bool check_task(const char *task, bool (*has)(const char *description, const char *name), const char *name)
{
    char *tasks;
    am_status status = task ? am_tasks(&tasks) : NULL;
    bool found = false;
    if (status || !task) {
        am_status_free(status);
        return false;
    }
    for (am_cli_cursor i = am_cli_items(tasks); !found && am_cli_next(&i);)
        found = am_cli_is_text(am_cli_member(i.value, "task"), task) && has(i.value, name);
    am_string_free(tasks);
    return found;
}

static bool takes_media(const char *description, const char *name)
{
    const char *input = am_cli_member(description, "input");
    (void)name;
    return am_cli_is_text(input, "image") || am_cli_is_text(input, "sound") || am_cli_is_text(input, "video");
}

bool am_cli_task_takes_media(const char *task)
{
    return check_task(task, takes_media, NULL);
}

/* "parameters" is a text of names with commas between them. */
static bool has_parameter(const char *description, const char *name)
{
    const char *at = am_cli_member(description, "parameters");
    size_t length = strlen(name);
    for (at = at ? at + 1 : "\""; *at != '"'; at++) {
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '"')) return true;
        while (*at != ' ' && at[1] != '"') at++;
    }
    return false;
}

bool am_cli_task_has_parameter(const char *task, const char *name)
{
    return check_task(task, has_parameter, name);
}

/* A first look at a file decides whether it is text. */
static bool begins_as_media(const char *path)
{
    char bytes[512];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) fclose(file);
    return am_cli_is_media(bytes, length);
}

int am_cli_make_input(const am_globals *globals, const char *text, bool takes_media, am_task_input *out,
                      am_cli_bytes *owned)
{
    bool is_stdin = strcmp(text, "-") == 0, is_file = am_cli_is_file(text), is_stream = am_cli_is_stream(text);
    *owned = (am_cli_bytes){0};
    *out = (am_task_input){0};
    if (!is_stream && (takes_media || (is_file && begins_as_media(text)))) out->path = text;
    else if (!is_stdin && !is_file) out->text = text;
    if (out->path || out->text) return AM_OK;
    am_code problem = am_cli_read(text, owned);
    if (problem) return am_cli_fail(globals, problem, "cannot read %s: %s", is_stdin ? "stdin" : text, strerror(errno));
    if (takes_media || am_cli_is_media(owned->bytes, owned->length)) {
        out->bytes = owned->bytes;
        out->size_bytes = owned->length;
        return AM_OK;
    }
    am_cli_cut_line_end(owned);
    out->text = owned->bytes;
    return AM_OK;
}
