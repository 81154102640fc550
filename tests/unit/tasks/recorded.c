#include "recorded.h"

#include "test_support.h"

#include "base/prng.h"

#include <anymodel/anymodel.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- answers --- */

static bool is_number(am_json_kind kind)
{
    return kind == AM_JSON_INTEGER || kind == AM_JSON_REAL;
}

static bool is_close(am_json found, am_json expected)
{
    am_json_kind kind = am_json_kind_of(expected), other = am_json_kind_of(found);
    if (is_number(kind) && is_number(other)) {
        double a = am_json_real(found, NAN), b = am_json_real(expected, NAN);
        return fabs(a - b) <= 1e-6 + 1e-4 * fabs(b);
    }
    if (kind != other || am_json_count(found) != am_json_count(expected)) return false;
    if (kind == AM_JSON_STRING) return am_json_equals(found, am_json_text(expected).bytes);
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

/* --- models --- */

/* JSON of an object whose members of `changes` are those instead. */
static void write_merged(am_json object, am_json changes, am_buffer *out)
{
    bool first = true;
    am_json sources[2] = {object, changes};
    am_buffer_append_char(out, '{');
    for (int source = 0; source < 2; source++)
        for (am_json_iterator i = am_json_iterate(sources[source]); am_json_next(&i);) {
            if (source == 0 && am_json_kind_of(am_json_get(changes, i.key.bytes)) != AM_JSON_MISSING) continue;
            if (!first) am_buffer_append_string(out, ", ");
            first = false;
            am_buffer_append_json_string(out, i.key.bytes, i.key.length);
            am_buffer_append_string(out, ": ");
            am_json_write(i.value, out);
        }
    am_buffer_append_char(out, '}');
}

static void write_file(const char *directory, const char *name, am_json model, am_json content)
{
    am_buffer text = {0};
    bool merges = name[0] == '+';
    const char *file = name + merges;
    const char *slash = strchr(file, '/');
    if (slash) mkdir(am_test_format("%s/%.*s", directory, (int)(slash - file), file), 0700);
    if (merges) write_merged(am_json_get(am_json_get(model, "files"), file), content, &text);
    else if (am_json_kind_of(content) == AM_JSON_STRING)
        am_buffer_append(&text, am_json_text(content).bytes, am_json_text(content).length);
    else am_json_write(content, &text);
    am_test_write_file(am_test_format("%s/%s", directory, file), text.bytes, text.length);
    am_buffer_deinit(&text);
}

static void append_numbers(const char *name, size_t count, double lo, double hi, am_buffer *out)
{
    uint64_t seed = am_fnv1a(name, strlen(name));
    for (size_t i = 0; i < count; i++) {
        float value = (float)(lo + (hi - lo) * am_uniform(seed, i));
        am_buffer_append(out, (const char *)&value, sizeof value);
    }
}

/* One row of [name, shape, lo, hi] as an entry of a safetensors header and its data. */
static void append_tensor(am_json row, const char *salt, am_buffer *header, am_buffer *data)
{
    am_json fields[4];
    size_t count = 1, begin = data->length;
    am_json_iterator i = am_json_iterate(row);
    for (int k = 0; k < 4; k++) {
        assert_true(am_json_next(&i));
        fields[k] = i.value;
    }
    for (am_json_iterator d = am_json_iterate(fields[1]); am_json_next(&d);) count *= (size_t)am_json_int(d.value, 0);
    const char *name = am_json_text(fields[0]).bytes;
    append_numbers(am_test_format("%s%s", salt, name), count, am_json_real(fields[2], NAN),
                   am_json_real(fields[3], NAN), data);
    am_buffer_printf(header, "%s\"%s\": {\"dtype\": \"F32\", \"shape\": ", header->length > 1 ? ", " : "", name);
    am_json_write(fields[1], header);
    am_buffer_printf(header, ", \"data_offsets\": [%zu, %zu]}", begin, data->length);
}

static void write_tensors(const char *directory, const char *name, am_json tensors, const char *salt)
{
    am_buffer header = {0}, data = {0}, file = {0};
    am_buffer_append_char(&header, '{');
    for (am_json_iterator i = am_json_iterate(tensors); am_json_next(&i);) append_tensor(i.value, salt, &header, &data);
    am_buffer_append_char(&header, '}');
    while (header.length % 8) am_buffer_append_char(&header, ' ');
    uint64_t length = header.length;
    am_buffer_append(&file, (const char *)&length, sizeof length);
    am_buffer_append(&file, header.bytes, header.length);
    am_buffer_append(&file, data.bytes, data.length);
    am_test_write_file(am_test_format("%s/%s", directory, name), file.bytes, file.length);
    am_buffer_deinit(&header);
    am_buffer_deinit(&data);
    am_buffer_deinit(&file);
}

const char *am_test_make_model(am_json model, am_json files)
{
    const char *directory = am_test_temporary_directory();
    assert_int_equal(am_json_kind_of(model), AM_JSON_OBJECT);
    for (am_json_iterator i = am_json_iterate(am_json_get(model, "files")); am_json_next(&i);)
        write_file(directory, i.key.bytes, model, i.value);
    for (am_json_iterator i = am_json_iterate(files); am_json_next(&i);)
        write_file(directory, i.key.bytes, model, i.value);
    write_tensors(directory, "model.safetensors", am_json_get(model, "tensors"), "");
    for (am_json_iterator i = am_json_iterate(am_json_get(model, "modules")); am_json_next(&i);) {
        mkdir(am_test_format("%s/%.*s", directory, (int)strcspn(i.key.bytes, "/"), i.key.bytes), 0700);
        write_tensors(directory, i.key.bytes, i.value, i.key.bytes);
    }
    return directory;
}
