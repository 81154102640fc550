#include "models/config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

am_status am_config_init(am_config_root *root, const char *file, am_json object, am_config *out)
{
    *root = (am_config_root){.file = file, .object = object};
    *out = (am_config){.root = root, .object = object, .path = ""};
    if (am_json_kind_of(object) == AM_JSON_OBJECT) return NULL;
    return am_error(AM_INVALID_FILE, "%s: expected an object, found %s", file,
                    am_json_kind_name(am_json_kind_of(object)));
}

void am_config_deinit(am_config_root *root)
{
    am_status_free(root->error);
    am_arena_deinit(&root->arena);
    *root = (am_config_root){0};
}

static void keep(const am_config *c, am_code code, const char *key, const char *format, va_list arguments)
{
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    if (c->root->error) return;
    c->root->error = am_error(code, "%s: %s%s: %s", c->root->file, c->path, key, text);
    if (c->root->on_error) c->root->on_error(c->root->context);
}

void am_config_fail(const am_config *c, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    keep(c, AM_INVALID_FILE, key, format, arguments);
    va_end(arguments);
}

void am_config_unsupported(const am_config *c, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    keep(c, AM_UNSUPPORTED, key, format, arguments);
    va_end(arguments);
}

am_config am_config_whole(const am_config *c)
{
    return (am_config){.root = c->root, .object = c->root->object, .path = ""};
}

am_config am_config_child(const am_config *c, const char *key)
{
    am_config child = {.root = c->root, .object = am_json_get(c->object, key), .path = ""};
    am_json_kind kind = am_json_kind_of(child.object);
    if (kind == AM_JSON_NULL) child.object = (am_json){0};
    else if (kind != AM_JSON_OBJECT && kind != AM_JSON_MISSING)
        am_config_fail(c, key, "expected an object, found %s", am_json_kind_name(kind));
    char *path = am_arena_printf(&c->root->arena, "%s%s.", c->path, key);
    if (path) child.path = path;
    return child;
}

bool am_config_has(const am_config *c, const char *key)
{
    am_json_kind kind = am_json_kind_of(am_json_get(c->object, key));
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

bool am_config_is_null(const am_config *c, const char *key)
{
    return am_json_kind_of(am_json_get(c->object, key)) == AM_JSON_NULL;
}

const char *am_config_either(const am_config *c, const char *key, const char *alias)
{
    return alias && am_config_has(c, alias) ? alias : key;
}

static int64_t ranged(const am_config *c, const char *key, int64_t fallback, int64_t low, int64_t high)
{
    am_json value = am_json_get(c->object, key);
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_MISSING || kind == AM_JSON_NULL) return fallback;
    int64_t number = am_json_int(value, INT64_MIN);
    if (number == INT64_MIN) {
        am_config_fail(c, key, "expected an integer, found %s", am_json_kind_name(kind));
        return fallback;
    }
    if (number < low || number > high) {
        am_config_fail(c, key, "expected %" PRId64 " to %" PRId64 ", found %" PRId64, low, high, number);
        return fallback;
    }
    return number;
}

int64_t am_config_size(const am_config *c, const char *key, int64_t fallback)
{
    return ranged(c, key, fallback, 1, INT32_MAX);
}

int64_t am_config_count(const am_config *c, const char *key, int64_t fallback)
{
    return ranged(c, key, fallback, 0, 65536);
}

int64_t am_config_int(const am_config *c, const char *key, int64_t fallback)
{
    return ranged(c, key, fallback, INT64_MIN + 1, INT64_MAX);
}

double am_config_real(const am_config *c, const char *key, double fallback)
{
    am_json value = am_json_get(c->object, key);
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_INTEGER || kind == AM_JSON_REAL) return am_json_real(value, fallback);
    if (kind != AM_JSON_MISSING && kind != AM_JSON_NULL)
        am_config_fail(c, key, "expected a number, found %s", am_json_kind_name(kind));
    return fallback;
}

bool am_config_flag(const am_config *c, const char *key, bool fallback)
{
    am_json value = am_json_get(c->object, key);
    am_json_kind kind = am_json_kind_of(value);
    if (kind != AM_JSON_BOOL && kind != AM_JSON_MISSING && kind != AM_JSON_NULL)
        am_config_fail(c, key, "expected true or false, found %s", am_json_kind_name(kind));
    return am_json_bool(value, fallback);
}

const char *am_config_text(const am_config *c, const char *key, const char *fallback)
{
    am_json value = am_json_get(c->object, key);
    am_json_kind kind = am_json_kind_of(value);
    if (kind == AM_JSON_MISSING || kind == AM_JSON_NULL) return fallback;
    if (kind != AM_JSON_STRING) {
        am_config_fail(c, key, "expected a string, found %s", am_json_kind_name(kind));
        return fallback;
    }
    return am_json_text(value).bytes;
}

bool am_config_is(const am_config *c, const char *key, const char *text)
{
    return am_json_equals(am_json_get(c->object, key), text);
}

am_config am_config_part(const am_config *c, const char *whole_type, const char *key)
{
    return am_config_has(c, key) || am_config_is(c, "model_type", whole_type) ? am_config_child(c, key) : *c;
}

am_unary_fn am_config_activation(const am_config *c, const char *key, am_unary_fn fallback)
{
    am_unary_fn fn = fallback;
    const char *name = am_config_text(c, key, NULL);
    if (name && !am_activation_from_name(name, strlen(name), &fn))
        am_config_unsupported(c, key, "activation \"%s\" is not supported", name);
    return fn;
}

/* Those of `list`, which is at field `key`. */
static int sizes_of(const am_config *c, const char *key, am_json list, int64_t *out, int limit, const int64_t *fallback,
                    int fallback_count)
{
    am_json_kind kind = am_json_kind_of(list);
    int count = 0;
    if (kind == AM_JSON_MISSING || kind == AM_JSON_NULL) {
        for (; count < fallback_count && count < limit; count++) out[count] = fallback[count];
        return count;
    }
    if (kind != AM_JSON_ARRAY) am_config_fail(c, key, "expected a list, found %s", am_json_kind_name(kind));
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++) {
        int64_t number = am_json_int(i.value, -1);
        if (count == limit || number < 0 || number > INT32_MAX) {
            am_config_fail(c, key, count == limit ? "more than %d elements" : "element %d is no size", count);
            break;
        }
        out[count] = number;
    }
    return count;
}

int am_config_sizes(const am_config *c, const char *key, int64_t *out, int limit, const int64_t *fallback,
                    int fallback_count)
{
    return sizes_of(c, key, am_json_get(c->object, key), out, limit, fallback, fallback_count);
}

int am_config_inner_sizes(const am_config *c, const char *key, int i, int64_t *out, int limit, const int64_t *fallback,
                          int fallback_count)
{
    am_json list = am_json_get(c->object, key);
    am_json_kind kind = am_json_kind_of(list);
    int at = 0;
    if (kind != AM_JSON_ARRAY) return sizes_of(c, key, list, out, limit, fallback, fallback_count);
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it); at++)
        if (at == i) return sizes_of(c, key, it.value, out, limit, NULL, 0);
    return 0;
}

/* Whether the list is there and has so many elements; another one is an error. */
static bool has_elements(const am_config *c, const char *key, int count)
{
    am_json list = am_json_get(c->object, key);
    if (!am_config_has(c, key)) return false;
    if (am_json_kind_of(list) == AM_JSON_ARRAY && (int64_t)am_json_count(list) == count) return true;
    am_config_fail(c, key, "expected a list of %d elements", count);
    return false;
}

void am_config_reals(const am_config *c, const char *key, int count, double fallback, double *out)
{
    int at = 0;
    for (int i = 0; i < count; i++) out[i] = fallback;
    if (!has_elements(c, key, count)) return;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it); at++) {
        out[at] = am_json_real(it.value, NAN);
        if (isfinite(out[at])) continue;
        am_config_fail(c, key, "element %d is no number", at);
        out[at] = fallback;
    }
}

void am_config_flags(const am_config *c, const char *key, int count, bool fallback, bool *out)
{
    int at = 0;
    for (int i = 0; i < count; i++) out[i] = fallback;
    if (!has_elements(c, key, count)) return;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it); at++) {
        if (am_json_kind_of(it.value) == AM_JSON_BOOL) out[at] = am_json_bool(it.value, fallback);
        else am_config_fail(c, key, "element %d is neither true nor false", at);
    }
}

int64_t am_config_list_int(const am_config *c, const char *key, int i, int64_t fallback)
{
    int at = 0;
    if (!am_config_has(c, key) || am_config_is_null(c, key)) return fallback;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it); at++)
        if (at == i && am_json_kind_of(it.value) == AM_JSON_INTEGER) return am_json_int(it.value, fallback);
    am_config_fail(c, key, "expected a number for %d", i);
    return fallback;
}

const char *am_config_list_text(const am_config *c, const char *key, int i)
{
    int at = 0;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it); at++)
        if (at == i) return am_json_kind_of(it.value) == AM_JSON_STRING ? am_json_text(it.value).bytes : NULL;
    return NULL;
}

int am_config_layer_type(const am_config *c, const char *key, int layer, const char *const names[], int count)
{
    const char *type = am_config_list_text(c, key, layer);
    for (int i = 0; type && i < count; i++)
        if (strcmp(type, names[i]) == 0) return i;
    am_config_fail(c, key, "type \"%s\" of layer %d is not supported", type ? type : "(none)", layer);
    return 0;
}

bool am_config_layer_is(const am_config *c, const char *key, int layer, const char *type, const char *other)
{
    const char *const names[] = {other, type};
    return am_config_layer_type(c, key, layer, names, 2) == 1;
}

int64_t am_config_labels(const am_config *c)
{
    if (am_config_has(c, "num_labels")) return am_config_size(c, "num_labels", 2);
    am_json labels = am_json_get(c->object, "id2label");
    return am_json_kind_of(labels) == AM_JSON_OBJECT && am_json_count(labels) ? (int64_t)am_json_count(labels) : 2;
}

void am_config_check_divides(const am_config *c, const char *part_key, int64_t part, const char *whole_key,
                             int64_t whole)
{
    if (part > 0 && whole % part != 0)
        am_config_fail(c, part_key, "%" PRId64 " does not divide %s %" PRId64, part, whole_key, whole);
}
