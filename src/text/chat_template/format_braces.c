/* str.format as the sandbox runs it: string.Formatter with attribute lookups of the environment. */
#include "text/chat_template/format.h"

#include "text/chat_template/represent.h"
#include "text/chat_template/text.h"

#include <string.h>

typedef enum numbering { NUMBERING_OPEN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL } numbering;

typedef struct state {
    am_jinja *j;
    const am_jarguments *arguments;
    numbering numbering;
    size_t next; /* position of the next field without a name */
    bool markup;
} state;

/* A replacement field, cut into its parts. */
typedef struct field {
    size_t name_begin, name_end;
    char conversion; /* 0: none */
    size_t spec_begin, spec_end;
} field;

static bool expand(state *s, const am_jstring *format, int levels, am_jtext *text);

static bool fail(state *s, const char *message)
{
    return am_jfail(s->j, "ValueError", "%s", message);
}

/* ---- reading a field; *at is behind its opening brace ---- */

static bool read_name(state *s, const am_jstring *format, size_t *at, char *end)
{
    while (*at < format->length) {
        char c = format->bytes[(*at)++];
        *end = c;
        if (c == '{') return fail(s, "unexpected '{' in field name");
        if (c == '}' || c == ':' || c == '!') return true;
        if (c != '[') continue;
        while (*at < format->length && format->bytes[*at] != ']') ++*at;
    }
    return fail(s, "expected '}' before end of string");
}

static bool read_spec(state *s, const am_jstring *format, size_t *at, field *f)
{
    size_t depth = 1;
    f->spec_begin = *at;
    while (*at < format->length) {
        char c = format->bytes[(*at)++];
        depth += c == '{';
        depth -= c == '}';
        f->spec_end = *at - 1;
        if (!depth) return true;
    }
    return fail(s, "unmatched '{' in format spec");
}

static bool read_field(state *s, const am_jstring *format, size_t *at, field *f)
{
    char end = 0;
    *f = (field){.name_begin = *at};
    if (!read_name(s, format, at, &end)) return false;
    f->name_end = *at - 1;
    if (end == '}') return true;
    if (end == ':') return read_spec(s, format, at, f);
    if (*at >= format->length) return fail(s, "end of string while looking for conversion specifier");
    f->conversion = format->bytes[(*at)++];
    if (*at >= format->length) return fail(s, "unmatched '{' in format spec");
    char after = format->bytes[(*at)++];
    if (after == '}') return true;
    return after == ':' ? read_spec(s, format, at, f) : fail(s, "expected ':' after conversion specifier");
}

/* ---- the value of a field ---- */

static bool is_number(const am_jstring *format, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (format->bytes[i] < '0' || format->bytes[i] > '9') return false;
    return end > begin;
}

static bool number_at(const am_jstring *format, size_t begin, size_t end, size_t *out)
{
    *out = 0;
    for (size_t i = begin; i < end; i++) {
        if (*out > 100000) return false;
        *out = *out * 10 + (size_t)(format->bytes[i] - '0');
    }
    return true;
}

static bool first_value(state *s, const am_jstring *format, size_t begin, size_t end, am_jvalue *out)
{
    size_t position;
    if (is_number(format, begin, end)) {
        bool small = number_at(format, begin, end, &position);
        *out = am_jarguments_at(s->arguments, small ? position : SIZE_MAX);
        return out->kind != AM_J_MISSING || am_jfail(s->j, "IndexError", "tuple index out of range");
    }
    am_jvalue name;
    if (!am_jstring_part(s->j, format, begin, end, &name)) return false;
    for (size_t i = 0; i < s->arguments->named_count; i++) {
        if (!am_jstring_equals(s->arguments->names[i], name.string)) continue;
        *out = s->arguments->named[i];
        return true;
    }
    return am_jfail(s->j, "KeyError", "%s", am_jrepr_text(s->j, name));
}

/* ".attribute" and "[index]" behind the name. */
static bool look_into(state *s, const am_jstring *format, size_t at, size_t end, am_jvalue *value)
{
    while (at < end) {
        bool item = format->bytes[at] == '[';
        size_t begin = ++at, position;
        while (at < end && (item ? format->bytes[at] != ']' : !strchr(".[", format->bytes[at]))) at++;
        if (begin == at) return fail(s, "Empty attribute in format string");
        if (item && at == end) return fail(s, "Missing ']' in format string");
        am_jvalue key;
        if (!am_jstring_part(s->j, format, begin, at, &key)) return false;
        if (item && is_number(format, begin, at) && number_at(format, begin, at, &position))
            key = am_jint((int64_t)position);
        if (!(item ? am_jgetitem(s->j, *value, key, value) : am_jgetattr(s->j, *value, key, value))) return false;
        at += item;
        if (item && at < end && !strchr(".[", format->bytes[at]))
            return fail(s, "Only '.' or '[' may follow ']' in format field specifier");
    }
    return true;
}

static bool automatic(state *s, am_jvalue *out)
{
    if (s->numbering == NUMBERING_MANUAL)
        return fail(s, "cannot switch from manual field specification to automatic field numbering");
    s->numbering = NUMBERING_AUTOMATIC;
    *out = am_jarguments_at(s->arguments, s->next);
    if (out->kind == AM_J_MISSING) return am_jfail(s->j, "IndexError", "tuple index out of range");
    s->next++;
    return true;
}

static bool field_value(state *s, const am_jstring *format, const field *f, am_jvalue *out)
{
    if (f->name_begin == f->name_end) return automatic(s, out);
    if (is_number(format, f->name_begin, f->name_end)) {
        if (s->numbering == NUMBERING_AUTOMATIC)
            return fail(s, "cannot switch from manual field specification to automatic field numbering");
        s->numbering = NUMBERING_MANUAL;
    }
    size_t end = f->name_begin;
    while (end < f->name_end && !strchr(".[", format->bytes[end])) end++;
    return first_value(s, format, f->name_begin, end, out) && look_into(s, format, end, f->name_end, out);
}

static bool convert(state *s, char conversion, am_jvalue *value)
{
    am_jtext text = {.j = s->j};
    bool ok = true;
    if (!conversion) return true;
    if (conversion == 's') ok = am_jstr(&text, *value);
    else if (conversion == 'r') ok = am_jrepr(&text, *value);
    else if (conversion == 'a') ok = am_jascii(&text, *value);
    else return am_jfail(s->j, "ValueError", "Unknown conversion specifier %c", conversion);
    return ok && am_jstring_of_text(&text, value);
}

static bool write_field(state *s, const am_jstring *format, const field *f, int levels, am_jtext *text)
{
    am_jvalue value, spec, escaped;
    am_jtext spec_text = {.j = s->j}, value_text = {.j = s->j};
    if (!field_value(s, format, f, &value) || !convert(s, f->conversion, &value)) return false;
    if (!am_jstring_part(s->j, format, f->spec_begin, f->spec_end, &spec)) return false;
    if (!expand(s, spec.string, levels - 1, &spec_text) || !am_jstring_of_text(&spec_text, &spec)) return false;
    if (!s->markup) return am_jformat_value(text, value, spec.string);
    bool safe = value.kind == AM_J_STRING && value.string->markup;
    if (!am_jformat_value(&value_text, value, spec.string) || !am_jstring_of_text(&value_text, &escaped)) return false;
    if (!safe && !am_jstring_escape(s->j, escaped.string, &escaped)) return false;
    return am_jstr(text, escaped);
}

/* Text up to the next field, "{{" and "}}" as one brace; *is_field says whether a field follows. */
static bool read_literal(state *s, const am_jstring *format, size_t *at, am_jtext *text, bool *is_field)
{
    *is_field = false;
    while (*at < format->length) {
        char c = format->bytes[(*at)++];
        bool twice = *at < format->length && format->bytes[*at] == c;
        if (c != '{' && c != '}') am_jtext_append_char(text, c);
        else if (twice) {
            am_jtext_append_char(text, c);
            ++*at;
        } else if (c == '}') return fail(s, "Single '}' encountered in format string");
        else if (*at == format->length) return fail(s, "Single '{' encountered in format string");
        else {
            *is_field = true;
            return true;
        }
    }
    return true;
}

static bool expand(state *s, const am_jstring *format, int levels, am_jtext *text)
{
    field f;
    bool is_field;
    if (levels < 0) return fail(s, "Max string recursion exceeded");
    for (size_t at = 0; at < format->length;) {
        if (!am_jcharge(s->j, 1) || !read_literal(s, format, &at, text, &is_field)) return false;
        if (!is_field) break;
        if (!read_field(s, format, &at, &f) || !write_field(s, format, &f, levels, text)) return false;
    }
    return !s->j->failed;
}

bool am_jformat_braces(am_jinja *j, const am_jstring *format, const am_jarguments *arguments, am_jvalue *out)
{
    am_jtext text = {.j = j};
    state s = {.j = j, .arguments = arguments, .markup = format->markup};
    return expand(&s, format, 2, &text) && am_jstring_of_text(&text, out) &&
           am_jstring_mark(j, *out, format->markup, out);
}
