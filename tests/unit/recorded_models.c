#include "recorded_models.h"

#include "test_support.h"

#include "base/prng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

const char *am_test_recorded_model(const char *name)
{
    am_json_document *recorded;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    const char *directory =
        am_test_make_model(am_json_get(am_json_get(am_json_root(recorded), "models"), name), (am_json){0});
    am_json_close(recorded);
    return directory;
}

/* --- processors --- */

static void write_json(const char *directory, const char *name, am_json value)
{
    am_buffer text = {0};
    am_json_write(value, &text);
    am_test_write_text(directory, name, am_buffer_text(&text));
    am_buffer_deinit(&text);
}

/* A token's text, or an object that says what else is not as usual. */
static void write_token(am_json token, int id, am_buffer *out)
{
    bool alone = am_json_kind_of(token) == AM_JSON_STRING;
    am_json content = alone ? token : am_json_get(token, "content");
    static const char *const flags[] = {"single_word", "lstrip", "rstrip", "normalized", "special"};
    am_buffer_printf(out, "%s{\"id\":%d,\"content\":", id > 256 ? "," : "", id);
    am_json_write(content, out);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool flag = am_json_bool(am_json_get(token, flags[i]), strcmp(flags[i], "special") == 0);
        am_buffer_printf(out, ",\"%s\":%s", flags[i], flag ? "true" : "false");
    }
    am_buffer_append_char(out, '}');
}

static void write_tokenizer(const char *directory, am_json row)
{
    static const char place[] = "\"added_tokens\":[", none[] = "\"normalizer\":null";
    char *base = am_test_read_file(am_test_source_path("tests/unit/processors/data/tokenizer.json"), NULL);
    char *at = strstr(base, place), *normalizer = strstr(base, none);
    am_json replaced = am_json_get(row, "normalizer");
    am_buffer text = {0};
    int id = 256;
    assert_true(at && normalizer > at);
    am_buffer_append(&text, base, (size_t)(at - base) + sizeof place - 1);
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "added_tokens")); am_json_next(&i); id++)
        write_token(i.value, id, &text);
    at += sizeof place - 1;
    if (am_json_kind_of(replaced) == AM_JSON_OBJECT) {
        am_buffer_append(&text, at, (size_t)(normalizer - at));
        am_buffer_append_string(&text, "\"normalizer\":");
        am_json_write(replaced, &text);
        at = normalizer + sizeof none - 1;
    }
    am_buffer_append_string(&text, at);
    am_test_write_text(directory, "tokenizer.json", am_buffer_text(&text));
    am_buffer_deinit(&text);
    free(base);
}

const char *am_test_make_processor(am_json row)
{
    const char *directory = am_test_temporary_directory();
    write_json(directory, "processor_config.json", am_json_get(row, "processor_config.json"));
    write_json(directory, "tokenizer_config.json", am_json_get(row, "tokenizer_config.json"));
    write_tokenizer(directory, row);
    const char *second = am_test_format("%s/qformer_tokenizer", directory); /* of those that have two, the same twice */
    assert_int_equal(mkdir(second, 0700), 0);
    write_json(second, "tokenizer_config.json", am_json_get(row, "tokenizer_config.json"));
    write_tokenizer(second, row);
    return directory;
}

void am_test_draw(int64_t height, int64_t width, int64_t seed, am_image *image)
{
    am_test_expect_ok(am_image_create(width, height, image));
    for (int64_t i = 0; i < image->height * image->width * 3; i++) {
        int64_t y = i / 3 / image->width, x = i / 3 % image->width;
        image->pixels[i] = (uint8_t)((x * 7 + y * 13 + i % 3 * 29 + seed * 31) % 256);
    }
}
