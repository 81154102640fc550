#include "api/json_writer.h"

#include <math.h>
#include <string.h>

void am_put_name(am_buffer *out, const char *name)
{
    char last = out->length ? out->bytes[out->length - 1] : '[';
    if (last != '[' && last != '{') am_buffer_append_string(out, ", ");
    if (!name) return;
    am_buffer_append_json_string(out, name, strlen(name));
    am_buffer_append_string(out, ": ");
}

void am_put_open(am_buffer *out, const char *name, char bracket)
{
    am_put_name(out, name);
    am_buffer_append_char(out, bracket);
}

void am_put_close(am_buffer *out, char bracket)
{
    am_buffer_append_char(out, bracket);
}

void am_put_text_part(am_buffer *out, const char *name, const char *text, size_t length)
{
    am_put_name(out, name);
    am_buffer_append_json_string(out, text, length);
}

void am_put_text(am_buffer *out, const char *name, const char *text)
{
    if (text) {
        am_put_text_part(out, name, text, strlen(text));
        return;
    }
    am_put_name(out, name);
    am_buffer_append_string(out, "null");
}

void am_put_integer(am_buffer *out, const char *name, int64_t value)
{
    am_put_name(out, name);
    am_buffer_printf(out, "%lld", (long long)value);
}

void am_put_real(am_buffer *out, const char *name, double value)
{
    am_put_name(out, name);
    if (isfinite(value)) am_buffer_printf(out, "%.6g", value);
    else am_buffer_append_string(out, "null");
}

void am_put_bool(am_buffer *out, const char *name, bool value)
{
    am_put_name(out, name);
    am_buffer_append_string(out, value ? "true" : "false");
}

void am_put_shape(am_buffer *out, const char *name, const am_shape *shape)
{
    am_put_open(out, name, '[');
    for (int i = 0; i < shape->rank; i++) am_put_integer(out, NULL, shape->dims[i]);
    am_put_close(out, ']');
}

am_status am_put_finish(am_buffer *out, am_status status, char **out_json)
{
    *out_json = NULL;
    if (!status) status = am_buffer_status(out);
    if (!status) *out_json = am_buffer_take(out);
    am_buffer_deinit(out);
    return status;
}
