/* Reading fields of components out of JSON, with errors that say what and where. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

am_status am_loader_expected(const am_loader *loader, const char *where, const char *what, am_json found)
{
    return am_error(AM_INVALID_FILE, "%s: %s: expected %s, found %s", loader->name, where, what,
                    am_json_kind_name(am_json_kind_of(found)));
}

static am_status field_error(const am_loader *loader, const char *where, const char *key, const char *what,
                             am_json found)
{
    return am_error(AM_INVALID_FILE, "%s: %s.%s: expected %s, found %s", loader->name, where, key, what,
                    am_json_kind_name(am_json_kind_of(found)));
}

am_status am_loader_text(const am_loader *loader, am_json object, const char *where, const char *key, am_text *out)
{
    am_json value = am_json_get(object, key);
    if (am_json_kind_of(value) != AM_JSON_STRING) return field_error(loader, where, key, "a string", value);
    *out = am_text_copy(loader->arena, am_text_of(value));
    return out->bytes ? NULL : am_out_of_memory();
}

am_status am_loader_bool(const am_loader *loader, am_json object, const char *where, const char *key, bool *out)
{
    am_json value = am_json_get(object, key);
    if (am_json_kind_of(value) != AM_JSON_BOOL) return field_error(loader, where, key, "a boolean", value);
    *out = am_json_bool(value, false);
    return NULL;
}

am_status am_loader_char(const am_loader *loader, am_json object, const char *where, const char *key, uint32_t *out)
{
    uint32_t length = 0;
    am_json value = am_json_get(object, key);
    am_text text = am_text_of(value);
    if (text.length) *out = am_char_at(text.bytes, &length);
    if (!text.length || length != text.length)
        return field_error(loader, where, key, "a string of one character", value);
    return NULL;
}

am_status am_loader_count(const am_loader *loader, am_json object, const char *where, const char *key, uint64_t *out)
{
    am_json value = am_json_get(object, key);
    int64_t number = am_json_int(value, -1);
    if (number < 0) return field_error(loader, where, key, "a whole number of at least 0", value);
    *out = (uint64_t)number;
    return NULL;
}

am_status am_loader_choice(const am_loader *loader, am_json object, const char *where, const char *key,
                           const char *const *names, int *out)
{
    am_json value = am_json_get(object, key);
    am_text text = am_text_of(value);
    *out = am_name_index(text, names);
    if (*out >= 0) return NULL;
    if (am_json_kind_of(value) != AM_JSON_STRING) return field_error(loader, where, key, "a string", value);
    return am_error(AM_INVALID_FILE, "%s: %s.%s: \"%.*s\" is none of the values there are", loader->name, where, key,
                    (int)(text.length < 60 ? text.length : 60), text.bytes);
}

int am_name_index(am_text name, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (am_text_is(name, names[i])) return i;
    return -1;
}

static am_status keep_regex(const am_loader *loader, am_regex *regex)
{
    am_regex_list *item = am_arena_alloc(loader->arena, sizeof *item);
    if (!item) {
        am_regex_destroy(regex);
        return am_out_of_memory();
    }
    *item = (am_regex_list){.next = *loader->regexes, .regex = regex};
    *loader->regexes = item;
    return NULL;
}

am_status am_loader_regex(const am_loader *loader, am_text pattern, bool literal, am_regex **out)
{
    am_status status = am_regex_create(pattern, literal, out);
    if (status) return am_note(status, "%s", loader->name);
    return keep_regex(loader, *out);
}

am_status am_loader_pattern(const am_loader *loader, am_json object, const char *where, am_regex **out)
{
    am_json pattern = am_json_get(object, "pattern");
    am_json literal = am_json_get(pattern, "String"), regex = am_json_get(pattern, "Regex");
    bool is_literal = am_json_kind_of(literal) == AM_JSON_STRING;
    if (!is_literal && am_json_kind_of(regex) != AM_JSON_STRING)
        return field_error(loader, where, "pattern", "{\"String\": text} or {\"Regex\": text}", pattern);
    am_text text = am_text_of(is_literal ? literal : regex);
    return am_loader_regex(loader, text, is_literal && text.length > 0, out);
}
