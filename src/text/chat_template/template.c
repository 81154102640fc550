/* Parsing and rendering: the public face of the interpreter. */
#include "text/chat_template.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "text/chat_template/conversation.h"
#include "text/chat_template/evaluate.h"
#include "text/chat_template/parser.h"
#include "text/chat_template/scope.h"

#include <locale.h>
#include <string.h>

enum { LONGEST_TEMPLATE_BYTES = 16 << 20, PARSE_MEMORY_BYTES = 1 << 30 };

#define PARSE_STEPS        ((int64_t)1000000000)
#define OUTPUT_LIMIT_BYTES ((size_t)64 << 20)
#define MEMORY_LIMIT_BYTES ((size_t)512 << 20)
#define STEP_LIMIT         ((int64_t)100000000)

struct am_chat_template {
    am_jinja j; /* the tree, and all that it refers to */
    const char *name, *text;
    size_t length;
    const char *source; /* text with the line ends of the lexer: what offsets count in */
    size_t source_length;
    am_jprogram program;
};

/* Numbers are read and written with a point, whatever the process has set. */
typedef struct c_locale {
    locale_t mine, before;
} c_locale;

static bool enter_c_locale(c_locale *l)
{
    l->mine = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (l->mine) l->before = uselocale(l->mine);
    return l->mine != (locale_t)0;
}

static void leave_c_locale(c_locale *l)
{
    uselocale(l->before);
    freelocale(l->mine);
}

/* ---- errors ---- */

static void place_of(const am_chat_template *t, size_t offset, size_t *line, size_t *column)
{
    size_t begin = 0;
    *line = 1;
    if (offset > t->source_length) offset = t->source_length;
    for (size_t i = 0; i < offset; i++) {
        if (t->source[i] != '\n') continue;
        begin = i + 1;
        ++*line;
    }
    *column = am_utf8_count(t->source + begin, offset - begin) + 1;
}

static am_status status_of(const am_chat_template *t, const am_jinja *j)
{
    const am_jerror *e = &j->error;
    size_t line, column;
    if (!j->failed) return NULL;
    if (!e->class_name) return am_out_of_memory();
    if (!e->has_offset) return am_error(e->code, "%s: %s (%s)", e->class_name, e->message, t->name);
    place_of(t, e->offset, &line, &column);
    return am_error(e->code, "%s: %s (%s, line %zu, column %zu)", e->class_name, e->message, t->name, line, column);
}

/* ---- parsing ---- */

static bool copy_text(am_chat_template *t, const char *text, size_t length, const char *name)
{
    am_jinja *j = &t->j;
    char *copy = am_jalloc(j, length + 1), *name_copy = am_jalloc(j, strlen(name) + 1);
    if (!copy || !name_copy) return false;
    if (length) memcpy(copy, text, length);
    memcpy(name_copy, name, strlen(name) + 1);
    t->text = copy;
    t->length = length;
    t->name = name_copy;
    return am_jlexer_normalize(j, copy, length, &t->source, &t->source_length);
}

static am_status parse(am_chat_template *t, const char *text, size_t length, const char *name)
{
    size_t bad;
    c_locale locale;
    am_jinja *j = &t->j;
    *j = (am_jinja){.memory_limit_bytes = PARSE_MEMORY_BYTES, .steps_left = PARSE_STEPS};
    if (!am_utf8_valid(text, length, &bad))
        return am_error(AM_INVALID_FILE, "%s: not UTF-8: ill-formed byte at offset %zu", name, bad);
    if (length > LONGEST_TEMPLATE_BYTES)
        return am_error(AM_INVALID_FILE, "%s: a chat template of %zu bytes, more than the limit of %d", name, length,
                        LONGEST_TEMPLATE_BYTES);
    if (!copy_text(t, text, length, name) || !enter_c_locale(&locale)) return am_out_of_memory();
    if (am_jparse(j, t->source, t->source_length, &t->program.body)) (void)am_jresolve(j, &t->program);
    leave_c_locale(&locale);
    return status_of(t, j);
}

am_status am_chat_template_parse(const char *text, size_t length, const char *name, am_chat_template **out)
{
    *out = NULL;
    am_chat_template *t = am_alloc_zeroed(1, sizeof *t);
    if (!t) return am_out_of_memory();
    am_status status = parse(t, text, length, name);
    if (status) am_chat_template_close(t);
    else *out = t;
    return status;
}

void am_chat_template_close(am_chat_template *t)
{
    if (!t) return;
    am_arena_deinit(&t->j.arena);
    am_free(t);
}

const char *am_chat_template_text(const am_chat_template *t, size_t *length)
{
    *length = t->length;
    return t->text;
}

const char *am_chat_template_name(const am_chat_template *t)
{
    return t->name;
}

/* ---- rendering ---- */

static bool set_clock(am_jinja *j, const struct tm *given)
{
    struct timespec now;
    if (given) {
        j->run->now = *given;
        return true;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || !localtime_r(&now.tv_sec, &j->run->now))
        return am_jfail_code(j, AM_IO, "OSError", "the time of day is not known");
    j->run->microsecond = (int)(now.tv_nsec / 1000);
    return true;
}

static bool run(am_jinja *j, const am_chat_template *t, const am_chat_options *options, am_jcontinuation *continuation)
{
    am_jvalue context;
    if (!set_clock(j, options->now) || !am_jdict_make(j, &context)) return false;
    j->run->context = context.dict;
    if (!am_jconversation(j, options, t->text, t->length, context.dict, continuation)) return false;
    am_jenv *env = am_jenv_make(j, NULL, t->program.slots);
    return env && am_jscope_enter(j, &t->program.scope, env) && am_jexecute(j, &t->program.body, env) == AM_J_GO_ON;
}

static bool take_result(am_jinja *j, size_t length, am_chat_text *out)
{
    const am_jrun *r = j->run;
    out->text = am_copy_string(length ? r->root.bytes : "", length);
    out->spans = am_alloc(r->span_count * sizeof *out->spans);
    if (!out->text || !out->spans) {
        am_chat_text_deinit(out);
        return am_jfail_memory(j);
    }
    out->length = length;
    out->span_count = r->span_count;
    for (size_t i = 0; i < r->span_count; i++) out->spans[i] = (am_chat_span){r->spans[i].start, r->spans[i].end};
    return true;
}

static bool render(am_jinja *j, const am_chat_template *t, const am_chat_options *options, am_chat_text *out)
{
    am_jcontinuation continuation;
    size_t length;
    am_jrun *r = j->run;
    r->source = t->source;
    r->root = (am_jtext){.j = j,
                         .limit_bytes = options->output_limit_bytes ? options->output_limit_bytes : OUTPUT_LIMIT_BYTES};
    r->out = &r->root;
    return run(j, t, options, &continuation) && am_jcontinuation_cut(j, &continuation, &r->root, &length) &&
           take_result(j, length, out);
}

am_status am_chat_template_render(const am_chat_template *t, const am_chat_options *options, am_chat_text *out)
{
    c_locale locale;
    am_jrun r = {0};
    am_jinja j = {.run = &r};
    *out = (am_chat_text){0};
    j.memory_limit_bytes = options->memory_limit_bytes ? options->memory_limit_bytes : MEMORY_LIMIT_BYTES;
    j.steps_left = options->step_limit ? options->step_limit : STEP_LIMIT;
    if (!enter_c_locale(&locale)) return am_out_of_memory();
    (void)render(&j, t, options, out);
    leave_c_locale(&locale);
    am_status status = status_of(t, &j);
    am_arena_deinit(&j.arena);
    return status;
}

void am_chat_text_deinit(am_chat_text *text)
{
    am_free(text->text);
    am_free(text->spans);
    *text = (am_chat_text){0};
}
