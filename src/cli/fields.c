#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

static bool is_json_number(const char *text)
{
    char *end;
    if (*text != '-' && (*text < '0' || *text > '9')) return false;
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9' || (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')) return false;
    if (strspn(text, "-+.0123456789eE") != strlen(text) || text[strlen(text) - 1] == '.') return false;
    strtod(text, &end);
    return !*end;
}

/* A value of --option: JSON when it looks like it, else a text. */
static void put_value(FILE *file, const char *text)
{
    bool is_word = strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "null") == 0;
    if (is_word || is_json_number(text) || (*text && strchr("[{\"", *text))) fputs(text, file);
    else am_cli_put_json_string(file, text);
}

/* --num-beams is "num_beams". */
static void put_name(FILE *file, const char *name)
{
    fputc('"', file);
    for (; *name; name++) fputc(*name == '-' ? '_' : *name, file);
    fputs("\": ", file);
}

static int put_pair(FILE *file, const am_globals *globals, const char *text)
{
    const char *sign = strchr(text, '=');
    char *key = sign && sign > text ? strndup(text, (size_t)(sign - text)) : NULL;
    if (!key) return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--option: expected KEY=VALUE, found \"%s\"", text);
    am_cli_put_json_string(file, key);
    fputs(": ", file);
    put_value(file, sign + 1);
    free(key);
    return AM_OK;
}

static int put_object(FILE *file, const am_globals *globals, const am_cli_fields *fields, const am_cli_list *pairs)
{
    int code = AM_OK;
    fputc('{', file);
    for (int i = 0; i < fields->count; i++) {
        if (i) fputs(", ", file);
        put_name(file, fields->options[i]->name);
        put_value(file, fields->values[i]);
    }
    for (int i = 0; i < pairs->count && !code; i++) {
        if (i || fields->count) fputs(", ", file);
        code = put_pair(file, globals, pairs->items[i]);
    }
    fputc('}', file);
    return code;
}

int am_cli_make_object(const am_globals *globals, const am_cli_fields *fields, const am_cli_list *pairs, char **out)
{
    size_t length;
    *out = NULL;
    FILE *file = open_memstream(out, &length);
    if (!file) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the options");
    int code = put_object(file, globals, fields, pairs);
    if (fclose(file) && !code) code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the options");
    return code;
}
