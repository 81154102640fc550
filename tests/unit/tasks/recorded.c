#include "recorded.h"

#include "test_support.h"

#include <anymodel/anymodel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- answers --- */

static bool is_number(am_json_kind kind)
{
    return kind == AM_JSON_INTEGER || kind == AM_JSON_REAL;
}

/* Texts may hold the byte 0. */
static bool is_same_text(am_json_string a, am_json_string b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static bool is_close(am_json found, am_json expected)
{
    am_json_kind kind = am_json_kind_of(expected), other = am_json_kind_of(found);
    if (is_number(kind) && is_number(other)) {
        double a = am_json_real(found, NAN), b = am_json_real(expected, NAN);
        return fabs(a - b) <= 1e-6 + 1e-4 * fabs(b);
    }
    if (kind != other || am_json_count(found) != am_json_count(expected)) return false;
    if (kind == AM_JSON_STRING) return is_same_text(am_json_text(found), am_json_text(expected));
    if (kind == AM_JSON_BOOL) return am_json_bool(found, false) == am_json_bool(expected, false);
    am_json_iterator f = am_json_iterate(found);
    for (am_json_iterator e = am_json_iterate(expected); am_json_next(&e);) {
        am_json value =
            kind == AM_JSON_OBJECT ? am_json_get(found, e.key.bytes) : (am_json_next(&f) ? f.value : (am_json){0});
        if (!is_close(value, e.value)) return false;
    }
    return true;
}

void am_test_compare_answer(const char *answer, am_json expected, am_buffer *failures)
{
    am_json_document *found;
    am_test_expect_ok(am_json_parse(answer, strlen(answer), "answer", &found));
    if (!is_close(am_json_root(found), expected)) {
        am_buffer_append_string(failures, "\n  expected ");
        am_json_write(expected, failures);
        am_buffer_printf(failures, "\n  found    %s", answer);
    }
    am_json_close(found);
}

/* --- cases --- */

static const char *member(am_json object, const char *name)
{
    am_json value = am_json_get(object, name);
    return am_json_kind_of(value) == AM_JSON_STRING ? am_json_text(value).bytes : NULL;
}

static am_status embed(am_model *model, const char *text, char **answer)
{
    am_buffer out = {0};
    float *values;
    size_t dims;
    am_status status = am_model_embed(model, &text, 1, &values, &dims);
    if (status) return status;
    for (size_t i = 0; i < dims; i++) am_buffer_printf(&out, "%s%.9g", i ? ", " : "[", (double)values[i]);
    am_buffer_append_char(&out, ']');
    am_floats_free(values);
    *answer = am_buffer_take(&out);
    return NULL;
}

static am_status run(const char *directory, am_json recorded, char **answer)
{
    am_model *model;
    am_buffer options = {0};
    const char *task = member(recorded, "task"), *path = member(recorded, "path");
    am_task_input input = {.text = member(recorded, "text"),
                           .text_pair = member(recorded, "pair"),
                           .path = path ? am_test_source_path(path) : NULL};
    if (am_json_kind_of(am_json_get(recorded, "options")) == AM_JSON_OBJECT)
        am_json_write(am_json_get(recorded, "options"), &options);
    am_status status = am_model_open(directory, NULL, &model);
    if (status) return status;
    status = strcmp(task, "sentence-embedding") == 0
                 ? embed(model, input.text, answer)
                 : am_model_run(model, task, &input, options.length ? options.bytes : NULL, answer);
    am_model_close(model);
    am_buffer_deinit(&options);
    return status;
}

void am_test_check_case(const char *directory, am_json recorded, am_buffer *failures)
{
    char *answer = NULL;
    size_t before = failures->length;
    am_status status = run(directory, recorded, &answer);
    if (status) am_buffer_printf(failures, "\n  %s", am_status_message(status));
    else am_test_compare_answer(answer, am_json_get(recorded, "answer"), failures);
    if (failures->length > before) {
        am_buffer_printf(failures, "\n  of %s %s, options ", member(recorded, "model"), member(recorded, "task"));
        am_json_write(am_json_get(recorded, "options"), failures);
    }
    am_status_free(status);
    am_string_free(answer);
}
