/* Patterns of Python's re, run by PCRE2. Classes whose members depend on the Unicode version are spelled out. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/tokenizer/python_text.h"

#include "base/memory.h"

#include <pcre2.h>
#include <pthread.h>

struct am_py_regex {
    pcre2_code *code;
    pcre2_match_context *context;
    const char *pattern;
};

/* Steps of one search. */
enum { MATCH_LIMIT = 10 * 1000 * 1000, HEAP_LIMIT_KIB = 64 * 1024, GROUPS = 10 };

static void *pcre2_alloc(size_t bytes, void *unused)
{
    (void)unused;
    return am_alloc(bytes);
}

static void pcre2_release(void *memory, void *unused)
{
    (void)unused;
    am_free(memory);
}

/* ---- compiling ---- */

static void append_range(am_buffer *out, uint32_t first, uint32_t last)
{
    am_buffer_printf(out, first == last ? "\\x{%x}" : "\\x{%x}-\\x{%x}", (unsigned)first, (unsigned)last);
}

/* Every code point below `limit` for which `is` holds, as ranges of a class. */
static void append_property(am_buffer *out, bool (*is)(uint32_t), uint32_t limit)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t c = 0; c <= limit; c++) {
        bool inside = c < limit && (c < 0xD800 || c > 0xDFFF) && is(c);
        if (inside && first == UINT32_MAX) first = c;
        if (inside || first == UINT32_MAX) continue;
        append_range(out, first, c - 1);
        first = UINT32_MAX;
    }
}

static const struct {
    const char *name;
    bool (*is)(uint32_t);
    uint32_t limit; /* none from here on */
} properties[] = {
    {"space", am_py_is_space, 0x3001}, {"digit", am_py_is_decimal, 0x20000}, {"word", am_py_is_word, 0x110000}};

enum { PROPERTIES = sizeof properties / sizeof properties[0] };

/* The members of properties, once a process: there are a million code points to be asked. */
static struct {
    pthread_mutex_t mutex;
    am_buffer texts[PROPERTIES];
} members = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void append_members(am_buffer *out, size_t i)
{
    pthread_mutex_lock(&members.mutex);
    am_buffer *text = &members.texts[i];
    if (!text->length) append_property(text, properties[i].is, properties[i].limit);
    if (text->failed) out->failed = true;
    else am_buffer_append(out, text->bytes, text->length);
    if (text->failed) am_buffer_deinit(text);
    pthread_mutex_unlock(&members.mutex);
}

static bool append_named(am_buffer *out, am_text name, const am_py_set *sets)
{
    for (size_t i = 0; i < PROPERTIES; i++) {
        if (!am_text_is(name, properties[i].name)) continue;
        append_members(out, i);
        return true;
    }
    for (; sets && sets->name; sets++) {
        if (!am_text_is(name, sets->name)) continue;
        for (size_t i = 0; i < sets->count; i++) append_range(out, sets->ranges[i][0], sets->ranges[i][1]);
        return true;
    }
    return false;
}

/* Writes the pattern with the members of the named sets in their place. */
static void expand(const char *pattern, const am_py_set *sets, am_buffer *out)
{
    for (const char *at = pattern, *end; *at; at++) {
        end = *at == '{' ? strchr(at, '}') : NULL;
        if (end && append_named(out, (am_text){at + 1, (size_t)(end - at - 1)}, sets)) at = end;
        else am_buffer_append_char(out, *at);
    }
}

static am_status compile_error(const char *pattern, int code)
{
    PCRE2_UCHAR message[160] = "";
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) return am_out_of_memory();
    pcre2_get_error_message(code, message, sizeof message);
    return am_error(AM_INTERNAL, "regular expression \"%.200s\": %s", pattern, (const char *)message);
}

am_status am_py_regex_create(const char *pattern, bool ignore_case, const am_py_set *sets, am_py_regex **out)
{
    am_buffer text = {0};
    am_py_regex *regex = am_alloc_zeroed(1, sizeof *regex);
    *out = NULL;
    if (!regex) return am_out_of_memory();
    regex->pattern = pattern;
    expand(pattern, sets, &text);
    am_status status = am_buffer_status(&text);
    pcre2_general_context *memory = pcre2_general_context_create(pcre2_alloc, pcre2_release, NULL);
    pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
    regex->context = memory ? pcre2_match_context_create(memory) : NULL;
    if (!status && (!context || !regex->context)) status = am_out_of_memory();
    if (!status) {
        int code;
        PCRE2_SIZE offset;
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        regex->code = pcre2_compile((PCRE2_SPTR)am_buffer_text(&text), text.length,
                                    PCRE2_UTF | (ignore_case ? PCRE2_CASELESS : 0), &code, &offset, context);
        if (!regex->code) status = compile_error(pattern, code);
    }
    if (!status) {
        pcre2_set_match_limit(regex->context, MATCH_LIMIT);
        pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
        /* Without just-in-time compilation (no memory, no permission) the pattern is interpreted. */
        (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
        *out = regex;
    }
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    am_buffer_deinit(&text);
    if (status) am_py_regex_destroy(regex);
    return status;
}

void am_py_regex_destroy(am_py_regex *regex)
{
    if (!regex) return;
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->context);
    am_free(regex);
}

/* ---- matching ---- */

static am_status search(const am_py_regex *regex, am_text text, size_t from, pcre2_match_data *data, bool *found)
{
    *found = false;
    int count = pcre2_match(regex->code, (PCRE2_SPTR)(text.bytes ? text.bytes : ""), text.length, from,
                            PCRE2_NO_UTF_CHECK, data, regex->context);
    if (count == PCRE2_ERROR_NOMATCH) return NULL;
    if (count == PCRE2_ERROR_NOMEMORY) return am_out_of_memory();
    *found = count >= 0;
    if (count >= 0) return NULL;
    return am_error(AM_OUT_OF_RANGE, "the regular expression \"%.80s\" gave up at byte %zu of the text", regex->pattern,
                    from);
}

static pcre2_match_data *create_data(void)
{
    pcre2_general_context *memory = pcre2_general_context_create(pcre2_alloc, pcre2_release, NULL);
    pcre2_match_data *data = memory ? pcre2_match_data_create(GROUPS, memory) : NULL;
    pcre2_general_context_free(memory);
    return data;
}

am_status am_py_regex_search(const am_py_regex *regex, am_text text, size_t from, size_t *groups, size_t group_count,
                             bool *found)
{
    pcre2_match_data *data = create_data();
    if (!data) return am_out_of_memory();
    am_status status = search(regex, text, from, data, found);
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(data);
    for (size_t i = 0; !status && *found && i < 2 * group_count; i++)
        groups[i] = ovector[i] == PCRE2_UNSET ? SIZE_MAX : ovector[i];
    pcre2_match_data_free(data);
    return status;
}

static void append_replacement(am_buffer *out, const char *bytes, const PCRE2_SIZE *groups, const char *replacement)
{
    for (const char *at = replacement; *at; at++) {
        if (*at != '\\') {
            am_buffer_append_char(out, *at);
            continue;
        }
        int group = *++at - '0';
        if (groups[2 * group] != PCRE2_UNSET)
            am_buffer_append(out, bytes + groups[2 * group], groups[2 * group + 1] - groups[2 * group]);
    }
}

am_status am_py_regex_replace(const am_py_regex *regex, am_buffer *text, const char *replacement)
{
    am_buffer out = {0};
    size_t done = 0;
    bool found = true;
    pcre2_match_data *data = create_data();
    if (!data) return am_out_of_memory();
    const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(data);
    am_status status = search(regex, am_buffer_view(text), 0, data, &found);
    while (!status && found && groups[1] > groups[0]) {
        am_buffer_append(&out, text->bytes + done, groups[0] - done);
        append_replacement(&out, text->bytes, groups, replacement);
        done = groups[1];
        status = search(regex, am_buffer_view(text), done, data, &found);
    }
    pcre2_match_data_free(data);
    if (!status && done > 0) {
        am_buffer_append(&out, text->bytes + done, text->length - done);
        status = am_buffer_status(&out);
        am_buffer old = *text;
        *text = out;
        out = old;
    }
    am_buffer_deinit(&out);
    return status;
}
