#include "cli/outline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_LIMIT = 16, CELL_LIMIT = 64, INDENT = 2 };

/* --- reading --- */

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) at++;
    }
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        at = skip_space(at);
        if (*at == '"') at = skip_string(at);
        else if (*at == '[' || *at == '{') depth++, at++;
        else if (*at == ']' || *at == '}') depth--, at++;
        else if (*at == ',' || *at == ':') at++;
        else at += strcspn(at, ",:[]{} \t\r\n\"");
    } while (depth > 0 && *at);
    return at;
}

am_cli_cursor am_cli_items(const char *json)
{
    json = skip_space(json);
    return (am_cli_cursor){.at = *json == '[' || *json == '{' ? json + 1 : "", .is_object = *json == '{'};
}

bool am_cli_next(am_cli_cursor *cursor)
{
    const char *at = skip_space(cursor->at);
    if (*at == ',') at = skip_space(at + 1);
    if (!*at || *at == ']' || *at == '}') return false;
    if (cursor->is_object) {
        cursor->name = at;
        at = skip_space(skip_string(at));
        at = skip_space(*at == ':' ? at + 1 : at);
    }
    cursor->value = at;
    cursor->at = skip_value(at);
    return true;
}

bool am_cli_is_text(const char *json, const char *text)
{
    size_t length = strlen(text);
    return json && *json == '"' && strncmp(json + 1, text, length) == 0 && json[1 + length] == '"';
}

const char *am_cli_member(const char *json, const char *name)
{
    for (am_cli_cursor i = am_cli_items(json); i.is_object && am_cli_next(&i);) {
        if (am_cli_is_text(i.name, name)) return i.value;
    }
    return NULL;
}

static bool is_nested(const char *json)
{
    return *json == '[' || *json == '{';
}

static bool is_empty(const char *json)
{
    am_cli_cursor i = am_cli_items(json);
    return !am_cli_next(&i);
}

static bool holds_nested(const char *json)
{
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) {
        if (is_nested(i.value)) return true;
    }
    return false;
}

/* --- scalars --- */

static void put_code_point(FILE *file, uint32_t c)
{
    if (c < 0x20) fputc(' ', file);
    else if (c < 0x80) fputc((int)c, file);
    else if (c < 0x800) fprintf(file, "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
    else if (c < 0x10000)
        fprintf(file, "%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3F)), (int)(0x80 | (c & 0x3F)));
    else
        fprintf(file, "%c%c%c%c", (int)(0xF0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3F)), (int)(0x80 | (c >> 6 & 0x3F)),
                (int)(0x80 | (c & 0x3F)));
}

/* After "\u": four digits, and a second escape when they are half of a pair. Gives the last character read.
 */
static const char *put_unicode_escape(FILE *file, const char *at)
{
    char digits[5] = {0}, low[5] = {0};
    strncpy(digits, at + 1, 4);
    uint32_t c = (uint32_t)strtoul(digits, NULL, 16);
    at += strlen(digits);
    if (c >= 0xD800 && c < 0xDC00 && at[1] == '\\' && at[2] == 'u') {
        strncpy(low, at + 3, 4);
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)strtoul(low, NULL, 16) - 0xDC00);
        at += 2 + strlen(low);
    }
    put_code_point(file, c);
    return at;
}

void am_cli_put_text(FILE *file, const char *json)
{
    for (const char *at = json + 1; *at && *at != '"'; at++) {
        if (*at != '\\') fputc(*at, file);
        else if (at[1] == 'u') at = put_unicode_escape(file, at + 1);
        else if (strchr("nrtbf", *++at)) fputc(' ', file);
        else fputc(*at, file);
    }
}

static void put_bytes(FILE *file, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
    fprintf(file, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = (size_t)(skip_string(name) - name), wanted = strlen(end);
    return length >= wanted + 2 && strncmp(name + length - 1 - wanted, end, wanted) == 0;
}

static void put_scalar(FILE *file, const char *name, const char *json)
{
    size_t length = (size_t)(skip_value(json) - json);
    bool is_number = *json == '-' || (*json >= '0' && *json <= '9');
    bool is_real = is_number && memchr(json, '.', length);
    if (*json == '"') am_cli_put_text(file, json);
    else if (is_number && name && ends_with(name, "bytes")) put_bytes(file, strtod(json, NULL));
    else if (is_real) fprintf(file, "%.6g", strtod(json, NULL));
    else if (strncmp(json, "null", 4) == 0) fputc('-', file);
    else if (strncmp(json, "true", 4) == 0) fputs("yes", file);
    else if (strncmp(json, "false", 5) == 0) fputs("no", file);
    else fprintf(file, "%.*s", (int)length, json);
}

/* A scalar, or a list without lists in one line: "[1, 128, 768]". */
static void put_inline(FILE *file, const char *name, const char *json)
{
    if (!is_nested(json)) {
        put_scalar(file, name, json);
        return;
    }
    bool first = true;
    fputc(*json, file);
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i); first = false) {
        if (!first) fputs(", ", file);
        if (i.is_object) am_cli_put_text(file, i.name);
        if (i.is_object) fputs(": ", file);
        put_inline(file, i.is_object ? i.name : NULL, i.value);
    }
    fputc(*json == '[' ? ']' : '}', file);
}

/* --- tables --- */

typedef struct table {
    const char *names[COLUMN_LIMIT]; /* of the columns, with their quotes */
    int widths[COLUMN_LIMIT];
    int count;
} table;

static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* A value as text; null when there is no memory. */
static char *cell_text(const char *name, const char *json)
{
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    if (!file) return NULL;
    if (json) put_inline(file, name, json);
    if (!fclose(file)) return text;
    free(text);
    return NULL;
}

static int find_column(table *t, const char *name)
{
    size_t length = (size_t)(skip_string(name) - name);
    for (int i = 0; i < t->count; i++) {
        if (strncmp(t->names[i], name, length) == 0) return i;
    }
    if (t->count == COLUMN_LIMIT) return -1;
    t->names[t->count] = name;
    t->widths[t->count] = (int)length - 2;
    return t->count++;
}

/* A cell holds a scalar, or a list in one line. */
static bool measure_row(table *t, const char *json)
{
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) {
        int column = find_column(t, i.name);
        if (column < 0 || *i.value == '{') return false;
        char *text = cell_text(i.name, i.value);
        int width = text ? width_of(text) : 0;
        free(text);
        if (width > t->widths[column]) t->widths[column] = width;
    }
    return true;
}

/* Whether an array is best shown as a table; measures it. The last column may be of any width. */
static bool measure_table(const char *json, table *t)
{
    *t = (table){0};
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) {
        if (*i.value != '{' || !measure_row(t, i.value)) return false;
    }
    for (int i = 0; i + 1 < t->count; i++) {
        if (t->widths[i] > CELL_LIMIT) return false;
    }
    return t->count > 1;
}

static void put_cell(FILE *file, const table *t, int column, const char *text)
{
    int padding = column + 1 < t->count ? t->widths[column] - width_of(text) + 2 : 0;
    fprintf(file, "%s%*s", text, padding, "");
}

static void put_table(FILE *file, const table *t, const char *json, int indent)
{
    fprintf(file, "%*s", indent, "");
    for (int column = 0; column < t->count; column++) {
        char *name = cell_text(NULL, t->names[column]);
        put_cell(file, t, column, name ? name : "");
        free(name);
    }
    fputc('\n', file);
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) {
        fprintf(file, "%*s", indent, "");
        for (int column = 0; column < t->count; column++) {
            const char *value = NULL;
            for (am_cli_cursor j = am_cli_items(i.value); !value && am_cli_next(&j);) {
                if (strncmp(j.name, t->names[column], (size_t)(skip_string(j.name) - j.name)) == 0) value = j.value;
            }
            char *text = cell_text(t->names[column], value);
            put_cell(file, t, column, text ? text : "");
            free(text);
        }
        fputc('\n', file);
    }
}

/* --- outlines --- */

static void put_value(FILE *file, const char *json, int indent);

static void put_member(FILE *file, const am_cli_cursor *i, int indent, int width)
{
    char *name = cell_text(NULL, i->name);
    bool is_block = is_nested(i->value) && !is_empty(i->value) && (*i->value == '{' || holds_nested(i->value));
    if (is_block) {
        fprintf(file, "%*s%s:\n", indent, "", name ? name : "");
        put_value(file, i->value, indent + INDENT);
    } else {
        int padding = width - width_of(name ? name : "");
        fprintf(file, "%*s%s:%*s", indent, "", name ? name : "", padding > 0 ? padding + 1 : 1, "");
        if (is_nested(i->value) && is_empty(i->value)) fputs("none", file);
        else put_inline(file, i->name, i->value);
        fputc('\n', file);
    }
    free(name);
}

static void put_object(FILE *file, const char *json, int indent)
{
    int width = 0;
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) {
        int length = (int)(skip_string(i.name) - i.name) - 2;
        if (length > width && length <= 32) width = length;
    }
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i);) put_member(file, &i, indent, width);
}

static void put_array(FILE *file, const char *json, int indent)
{
    table t;
    if (measure_table(json, &t)) {
        put_table(file, &t, json, indent);
        return;
    }
    bool first = true;
    for (am_cli_cursor i = am_cli_items(json); am_cli_next(&i); first = false) {
        if (!first && is_nested(i.value) && *i.value == '{') fputc('\n', file);
        put_value(file, i.value, indent);
    }
}

static void put_value(FILE *file, const char *json, int indent)
{
    json = skip_space(json);
    if (*json == '{') put_object(file, json, indent);
    else if (*json == '[' && holds_nested(json)) put_array(file, json, indent);
    else {
        fprintf(file, "%*s", indent, "");
        put_inline(file, NULL, json);
        fputc('\n', file);
    }
}

void am_cli_put_outline(FILE *file, const char *json)
{
    put_value(file, json, 0);
}
