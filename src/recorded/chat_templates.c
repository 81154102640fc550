#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "recorded/recorded.h"
#include "text/chat_template.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct check {
    am_arena arena;
    am_recorded *recorded;
    const char *folder;
    am_json shared; /* messages.json */
    struct tm now;
    const char *name; /* of the template under way */
    size_t index;     /* of the case */
} check;

/* ---- JSON again as text: parts of the arguments become documents of their own ---- */

static void write_json(am_buffer *out, am_json value);

static void write_members(am_buffer *out, am_json object)
{
    size_t count = 0;
    am_buffer_append_char(out, '{');
    for (am_json_iterator i = am_json_iterate(object); am_json_next(&i); count++) {
        if (count) am_buffer_append_char(out, ',');
        am_buffer_append_json_string(out, i.key.bytes, i.key.length);
        am_buffer_append_char(out, ':');
        write_json(out, i.value);
    }
    am_buffer_append_char(out, '}');
}

static void write_items(am_buffer *out, am_json array, size_t limit)
{
    size_t count = 0;
    am_buffer_append_char(out, '[');
    for (am_json_iterator i = am_json_iterate(array); count < limit && am_json_next(&i); count++) {
        if (count) am_buffer_append_char(out, ',');
        write_json(out, i.value);
    }
    am_buffer_append_char(out, ']');
}

static void write_json(am_buffer *out, am_json value)
{
    am_json_string text = am_json_text(value);
    switch (am_json_kind_of(value)) {
    case AM_JSON_BOOL:
        am_buffer_append_string(out, am_json_bool(value, false) ? "true" : "false");
        break;
    case AM_JSON_INTEGER:
        am_buffer_printf(out, "%" PRId64, am_json_int(value, 0));
        break;
    case AM_JSON_REAL:
        am_buffer_printf(out, "%.17g", am_json_real(value, 0));
        break;
    case AM_JSON_STRING:
        am_buffer_append_json_string(out, text.bytes, text.length);
        break;
    case AM_JSON_ARRAY:
        write_items(out, value, SIZE_MAX);
        break;
    case AM_JSON_OBJECT:
        write_members(out, value);
        break;
    default:
        am_buffer_append_string(out, "null");
        break;
    }
}

/* "TOOLS[:2]" stands for the first two tools of messages.json. */
static void write_tools(const check *c, am_buffer *out, am_json tools)
{
    size_t limit = SIZE_MAX;
    const char *text = am_json_text(tools).bytes;
    if (am_json_kind_of(tools) != AM_JSON_STRING) {
        write_json(out, tools);
        return;
    }
    if (strncmp(text, "TOOLS[:", 7) == 0) limit = (size_t)strtoul(text + 7, NULL, 10);
    write_items(out, am_json_get(c->shared, "tools"), limit);
}

static bool is_option(const char *key)
{
    static const char *const names[] = {"tools", "documents", "add_generation_prompt", "continue_final_message"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0) return true;
    return false;
}

/* {"tools": ..., "arguments": {what is no option}} */
static void write_arguments(const check *c, am_buffer *out, am_json arguments)
{
    size_t count = 0;
    am_buffer_append_string(out, "{\"tools\":");
    write_tools(c, out, am_json_get(arguments, "tools"));
    am_buffer_append_string(out, ",\"arguments\":{");
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);) {
        if (is_option(i.key.bytes)) continue;
        if (count++) am_buffer_append_char(out, ',');
        am_buffer_append_json_string(out, i.key.bytes, i.key.length);
        am_buffer_append_char(out, ':');
        write_json(out, i.value);
    }
    am_buffer_append_string(out, "}}");
}

/* ---- judging ---- */

static void note(check *c, const char *what, const char *expected, const char *found)
{
    am_buffer text = {0};
    am_buffer_append_json_string(&text, expected, strlen(expected));
    am_buffer_append_string(&text, ", found ");
    am_buffer_append_json_string(&text, found, strlen(found));
    am_recorded_failed(c->recorded, "%s/cases/%s.json[%zu]: %s: expected %s", c->folder, c->name, c->index, what,
                       am_buffer_text(&text));
    am_buffer_deinit(&text);
}

/* Some of a text from where it differs, or less. */
static void excerpt(const char *text, size_t length, size_t from, char out[64])
{
    size_t left = length > from ? length - from : 0;
    if (left > 63) left = 63;
    if (left) memcpy(out, text + from, left);
    out[left] = 0;
}

static bool same_text(check *c, am_json_string expected, const am_chat_text *found)
{
    char what[64], wanted[64], got[64];
    size_t same = 0;
    while (same < expected.length && same < found->length && expected.bytes[same] == found->text[same]) same++;
    if (same == expected.length && same == found->length) return true;
    snprintf(what, sizeof what, "text differs at byte %zu", same);
    excerpt(expected.bytes, expected.length, same, wanted);
    excerpt(found->text, found->length, same, got);
    note(c, what, wanted, got);
    return false;
}

static bool same_spans(check *c, am_json expected, const am_chat_text *found)
{
    am_buffer wanted = {0}, got = {0};
    if (am_json_kind_of(expected) != AM_JSON_ARRAY) return true;
    write_json(&wanted, expected);
    am_buffer_append_char(&got, '[');
    for (size_t i = 0; i < found->span_count; i++)
        am_buffer_printf(&got, "%s[%zu,%zu]", i ? "," : "", found->spans[i].start, found->spans[i].end);
    am_buffer_append_char(&got, ']');
    bool same = strcmp(am_buffer_text(&wanted), am_buffer_text(&got)) == 0;
    if (!same) note(c, "generation spans", am_buffer_text(&wanted), am_buffer_text(&got));
    am_buffer_deinit(&wanted);
    am_buffer_deinit(&got);
    return same;
}

/* The message of a status is "CLASS: MESSAGE (where)". */
static bool same_error(check *c, am_json expected, am_status found)
{
    am_buffer wanted = {0};
    const char *message = am_status_message(found);
    am_buffer_printf(&wanted, "%s: %s (%s", am_json_text(am_json_get(expected, "error")).bytes,
                     am_json_text(am_json_get(expected, "message")).bytes, c->name);
    bool same = strncmp(message, am_buffer_text(&wanted), wanted.length) == 0;
    if (!same) note(c, "error", am_buffer_text(&wanted), message);
    am_buffer_deinit(&wanted);
    return same;
}

static void judge(check *c, am_json expected, am_status status, const am_chat_text *text)
{
    bool fails = am_json_kind_of(am_json_get(expected, "error")) != AM_JSON_MISSING, same;
    if (!fails && am_json_kind_of(am_json_get(expected, "text")) != AM_JSON_STRING) {
        am_recorded_unsupported(c->recorded, 1, "%s: nothing to compare", c->name);
        return;
    }
    if (fails) same = same_error(c, expected, status);
    else if (status) {
        note(c, "error", "none", am_status_message(status));
        return;
    } else
        same = same_text(c, am_json_text(am_json_get(expected, "text")), text) &&
               same_spans(c, am_json_get(expected, "generation_spans"), text);
    c->recorded->passed += same;
}

/* ---- running ---- */

static am_status render(check *c, const char *source, size_t length, const am_chat_options *options, am_json expected)
{
    am_chat_template *chat_template;
    am_chat_text text = {0};
    am_status status = am_chat_template_parse(source, length, c->name, &chat_template);
    if (!status) status = am_chat_template_render(chat_template, options, &text);
    judge(c, expected, status, &text);
    am_status_free(status);
    am_chat_text_deinit(&text);
    am_chat_template_close(chat_template);
    return NULL;
}

static am_status run_case(check *c, const char *source, size_t length, am_json expected)
{
    am_json_document *document;
    am_buffer buffer = {0};
    am_json arguments = am_json_get(expected, "args"), sets = am_json_get(c->shared, "sets");
    am_json continued = am_json_get(arguments, "continue_final_message");
    write_arguments(c, &buffer, arguments);
    am_status status = am_buffer_status(&buffer);
    if (!status) status = am_json_parse(am_buffer_text(&buffer), buffer.length, c->name, &document);
    am_buffer_deinit(&buffer);
    AM_TRY(status);
    am_json root = am_json_root(document);
    am_chat_options options = {
        .messages = am_json_get(sets, am_json_text(am_json_get(expected, "messages")).bytes),
        .tools = am_json_get(root, "tools"),
        .documents = am_json_get(arguments, "documents"),
        .special_tokens = am_json_get(c->shared, "special_tokens"),
        .arguments = am_json_get(root, "arguments"),
        .add_generation_prompt = am_json_bool(am_json_get(arguments, "add_generation_prompt"), false),
        .now = &c->now,
    };
    if (am_json_bool(continued, false)) options.continue_field = "content";
    if (am_json_text(continued).length) options.continue_field = am_json_text(continued).bytes;
    status = render(c, source, length, &options, expected);
    am_json_close(document);
    return status;
}

static am_status run_cases(check *c, const char *source, size_t length, am_json cases, const char *path)
{
    if (am_json_kind_of(cases) != AM_JSON_ARRAY) return am_error(AM_INVALID_FILE, "%s: expected an array", path);
    c->index = 0;
    for (am_json_iterator i = am_json_iterate(cases); am_json_next(&i); c->index++)
        AM_TRY(run_case(c, source, length, i.value));
    return NULL;
}

static am_status run_file(check *c)
{
    am_json_document *document;
    char *source;
    size_t length;
    char *path = am_arena_printf(&c->arena, "%s/templates/%s.jinja", c->folder, c->name);
    char *cases = am_arena_printf(&c->arena, "%s/cases/%s.json", c->folder, c->name);
    if (!path || !cases) return am_out_of_memory();
    AM_TRY(am_file_read(path, (size_t)16 << 20, &source, &length));
    am_status status = am_json_open(cases, &document);
    if (!status) {
        status = run_cases(c, source, length, am_json_root(document), cases);
        am_json_close(document);
    }
    am_free(source);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the files NAME.json of a folder, sorted, in the arena. */
static am_status list_names(am_arena *arena, const char *folder, const char ***out, size_t *count)
{
    enum { MOST_FILES = 4096 };
    DIR *stream = opendir(folder);
    am_status status = NULL;
    *count = 0;
    *out = am_arena_array(arena, MOST_FILES, sizeof **out);
    if (!stream) return am_error_from_errno("open", folder);
    if (!*out) status = am_out_of_memory();
    for (const struct dirent *entry; !status && *count < MOST_FILES && (entry = readdir(stream));) {
        const char *extension = am_path_extension(entry->d_name);
        if (strcmp(extension, ".json") != 0) continue;
        const char *name = am_arena_string(arena, entry->d_name, (size_t)(extension - entry->d_name));
        if (!name) status = am_out_of_memory();
        else (*out)[(*count)++] = name;
    }
    closedir(stream);
    if (!status) qsort(*out, *count, sizeof **out, by_name);
    return status;
}

/* "2026-03-07T14:05:09" */
static am_status read_time(const char *text, const char *path, struct tm *out)
{
    int year, month, day, hour, minute, second;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
        return am_error(AM_INVALID_FILE, "%s: now: expected a time like 2026-03-07T14:05:09, found \"%s\"", path, text);
    *out = (struct tm){.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_sec = second,
                       .tm_isdst = -1};
    struct tm filled = *out;
    (void)mktime(&filled); /* for the day of the week and of the year */
    out->tm_wday = filled.tm_wday;
    out->tm_yday = filled.tm_yday;
    return NULL;
}

static am_status run_folder(check *c)
{
    const char **names;
    size_t count;
    char *path = am_path_join(&c->arena, c->folder, "messages.json");
    char *cases = am_path_join(&c->arena, c->folder, "cases");
    if (!path || !cases) return am_out_of_memory();
    AM_TRY(list_names(&c->arena, cases, &names, &count));
    if (!count) return am_error(AM_NOT_FOUND, "%s: no cases", cases);
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    c->shared = am_json_root(document);
    am_status status = read_time(am_json_text(am_json_get(c->shared, "now")).bytes, path, &c->now);
    for (size_t i = 0; !status && i < count; i++) {
        c->name = names[i];
        status = run_file(c);
    }
    am_json_close(document);
    return status;
}

am_status am_recorded_chat_templates(const char *folder, am_recorded *recorded)
{
    check c = {.recorded = recorded, .folder = folder};
    am_status status = run_folder(&c);
    am_arena_deinit(&c.arena);
    return status;
}
