#include "api/example_inputs.h"
#include "api/json_writer.h"
#include "formats/checkpoint.h"
#include "models/names/names.h"

#include <anymodel/anymodel.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TOKENS = 8 }; /* of the text that the graph is built for: which weights it wants does not depend on it */

/* What is known of a directory. Where the class is supported `model` holds the configuration and the weights.
 */
typedef struct inspection {
    am_arena arena;
    const char *directory;
    am_json_document *config;
    am_tensor_table weights;
    am_loaded_model *model;
    const char *class_name; /* null: none is named */
    const char *reason;     /* why it is not supported; null: it is */
    const char *problem;    /* why its graph cannot be built; null: it can, or it is not supported */
    const char *missing;    /* "NAME [SHAPE], ..." of weights that the graph wants in vain; null: none */
} inspection;

static const am_tensor_table *weights_of(const inspection *in)
{
    return in->model ? &in->model->weights : &in->weights;
}

static am_json config_of(const inspection *in)
{
    const am_json_document *document = in->model ? in->model->config_document : in->config;
    return document ? am_json_root(document) : (am_json){0};
}

/* --- reading --- */

/* Keeps the message of what is not fatal here; passes on what is: files that are there and malformed, and
 * want of memory. */
static am_status keep_message(inspection *in, am_status status, bool tolerated, const char **out)
{
    if (!status || !tolerated) return status;
    const char *text = am_status_message(status);
    *out = am_arena_string(&in->arena, text, strlen(text));
    am_status_free(status);
    return *out ? NULL : am_out_of_memory();
}

static am_status read_config(inspection *in)
{
    char *path = am_path_join(&in->arena, in->directory, "config.json");
    if (!path) return am_out_of_memory();
    am_status status = am_json_open(path, &in->config);
    return keep_message(in, status, am_status_code(status) == AM_NOT_FOUND, &in->reason);
}

static am_status read_weights(inspection *in)
{
    am_status status = am_checkpoint_read(in->directory, &in->weights);
    return keep_message(in, status, am_status_code(status) == AM_NOT_FOUND, &in->problem);
}

/* What AutoModel makes of the model type, as opening does where no class is named. */
static am_status find_auto_class(inspection *in)
{
    am_json_string type = am_json_text(am_json_get(config_of(in), "model_type"));
    char *copy = am_arena_string(&in->arena, type.bytes, type.length);
    in->class_name = copy ? am_auto_class_of("AutoModel", copy) : NULL;
    return copy ? NULL : am_out_of_memory();
}

static am_status find_class(inspection *in)
{
    am_json_iterator names = am_json_iterate(am_json_get(config_of(in), "architectures"));
    am_json_string name = am_json_next(&names) ? am_json_text(names.value) : (am_json_string){"", 0};
    if (!name.length) return find_auto_class(in);
    in->class_name = am_arena_string(&in->arena, name.bytes, name.length);
    return in->class_name ? NULL : am_out_of_memory();
}

/* Hands configuration and weights over where there is a class for them. */
static am_status load(inspection *in)
{
    char *path = am_path_join(&in->arena, in->directory, "config.json");
    if (!path) return am_out_of_memory();
    if (in->reason) return NULL;
    if (!in->class_name)
        in->reason = "config.json: architectures names no class, and AutoModel knows none for its model_type";
    else if (!am_architecture_find(in->class_name, NULL)) {
        in->reason = am_arena_printf(&in->arena, "class %s is not one that this version implements", in->class_name);
        return in->reason ? NULL : am_out_of_memory();
    }
    if (in->reason) return NULL;
    am_json_document *config = in->config;
    in->config = NULL;
    return am_loaded_model_create(config, path, &in->weights, &(am_class_choice){.architecture = in->class_name},
                                  &in->model);
}

/* --- weights that the class wants --- */

/* The message says "tensor NAME [SHAPE] is missing" or "N tensors are missing: NAME [SHAPE], NAME [SHAPE], ...". */
static am_status find_missing(inspection *in, const am_status status)
{
    static const char one[] = "tensor ", many[] = "tensors are missing: ";
    const char *message = am_status_message(status), *names = strstr(message, many), *single = strstr(message, one);
    if (am_status_code(status) != AM_NOT_FOUND || (!names && !single)) return NULL;
    names = names ? names + strlen(many) : single + strlen(one);
    in->missing = am_arena_string(&in->arena, names, strlen(names));
    return in->missing ? NULL : am_out_of_memory();
}

static am_status build(inspection *in)
{
    am_example_inputs inputs;
    if (!in->model || in->problem) return NULL;
    am_status status = am_example_inputs_choose(in->model, NULL, TOKENS, &inputs);
    am_status failed = find_missing(in, status);
    if (failed) {
        am_status_free(status);
        return failed;
    }
    return keep_message(in, status, am_status_code(status) != AM_OUT_OF_MEMORY, &in->problem);
}

/* --- writing --- */

static bool is_scalar(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind != AM_JSON_ARRAY && kind != AM_JSON_OBJECT && kind != AM_JSON_MISSING;
}

static bool ends_with(am_json_string text, const char *ending)
{
    size_t tail = strlen(ending);
    return text.length >= tail && memcmp(text.bytes + text.length - tail, ending, tail) == 0;
}

/* Numbers, texts and flags of an object, and of the parts of it that are configurations themselves
 * ("text_config"). */
static void put_config(am_buffer *out, const char *name, am_json object, bool with_parts)
{
    am_put_open(out, name, '{');
    for (am_json_iterator i = am_json_iterate(object); am_json_kind_of(object) == AM_JSON_OBJECT && am_json_next(&i);) {
        if (is_scalar(i.value)) {
            am_put_name(out, i.key.bytes);
            am_json_write(i.value, out);
        } else if (with_parts && am_json_kind_of(i.value) == AM_JSON_OBJECT && ends_with(i.key, "_config"))
            put_config(out, i.key.bytes, i.value, false);
    }
    am_put_close(out, '}');
}

static void put_dtypes(am_buffer *out, const am_tensor_table *weights)
{
    am_put_open(out, "dtypes", '{');
    for (int dtype = 0; dtype < AM_DTYPE_COUNT; dtype++) {
        int64_t tensors = 0, elements = 0;
        for (size_t i = 0; i < weights->count; i++)
            if (weights->tensors[i].dtype == (am_dtype)dtype) {
                tensors++;
                elements += am_shape_count(&weights->tensors[i].shape);
            }
        if (!tensors) continue;
        am_put_open(out, am_dtype_name((am_dtype)dtype), '{');
        am_put_integer(out, "tensors", tensors);
        am_put_integer(out, "parameters", elements);
        am_put_integer(out, "bytes", elements * (int64_t)am_dtype_bytes((am_dtype)dtype));
        am_put_close(out, '}');
    }
    am_put_close(out, '}');
}

static void put_sizes(am_buffer *out, const am_tensor_table *weights)
{
    int64_t parameters = 0, bytes = 0;
    for (size_t i = 0; i < weights->count; i++) {
        parameters += am_shape_count(&weights->tensors[i].shape);
        bytes += (int64_t)am_tensor_bytes(weights->tensors[i].dtype, &weights->tensors[i].shape);
    }
    am_put_integer(out, "parameters", parameters);
    am_put_integer(out, "bytes", bytes);
    put_dtypes(out, weights);
}

static void put_tensors(am_buffer *out, const am_tensor_table *weights)
{
    am_put_open(out, "tensors", '[');
    for (size_t i = 0; i < weights->count; i++) {
        const am_named_tensor *tensor = &weights->tensors[i];
        am_put_open(out, NULL, '{');
        am_put_text(out, "name", tensor->name);
        am_put_text(out, "dtype", am_dtype_name(tensor->dtype));
        am_put_shape(out, "shape", &tensor->shape);
        am_put_text(out, "file", tensor->file ? am_path_base(tensor->file) : NULL);
        am_put_close(out, '}');
    }
    am_put_close(out, ']');
}

/* Null where no graph was built, so that nothing is known. */
static void put_unused(am_buffer *out, const inspection *in)
{
    if (!in->model || in->problem) {
        am_put_text(out, "unused", NULL);
        return;
    }
    am_put_open(out, "unused", '[');
    for (size_t i = 0; i < in->model->weights.count; i++)
        if (!in->model->used[i]) am_put_text(out, NULL, in->model->weights.tensors[i].name);
    am_put_close(out, ']');
}

static void put_missing(am_buffer *out, const inspection *in)
{
    if (!in->model || (in->problem && !in->missing)) {
        am_put_text(out, "missing", NULL);
        return;
    }
    am_put_open(out, "missing", '[');
    for (const char *name = in->missing; name;) {
        am_put_text_part(out, NULL, name, strcspn(name, " "));
        name = strchr(name, ']');
        name = name && name[1] == ',' ? name + strlen("], ") : NULL;
    }
    am_put_close(out, ']');
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, sorted, in the arena; as many as there were when they were counted. */
static am_status list_names(inspection *in, DIR *folder, char ***out, size_t *out_count)
{
    size_t count = 0, found = 0;
    while (readdir(folder)) count++;
    char **names = am_arena_array(&in->arena, count + 1, sizeof *names);
    if (!names) return am_out_of_memory();
    rewinddir(folder);
    for (struct dirent *entry; found < count && (entry = readdir(folder)); found++) {
        names[found] = am_arena_string(&in->arena, entry->d_name, strlen(entry->d_name));
        if (!names[found]) return am_out_of_memory();
    }
    qsort(names, found, sizeof *names, by_name);
    *out = names;
    *out_count = found;
    return NULL;
}

static am_status put_file(am_buffer *out, inspection *in, const char *name)
{
    struct stat info;
    char *path = am_path_join(&in->arena, in->directory, name);
    if (!path) return am_out_of_memory();
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
    am_put_open(out, NULL, '{');
    am_put_text(out, "name", name);
    am_put_integer(out, "bytes", (int64_t)info.st_size);
    am_put_close(out, '}');
    return NULL;
}

static am_status put_files(am_buffer *out, inspection *in)
{
    char **names;
    size_t count = 0;
    DIR *folder = opendir(in->directory);
    if (!folder) return am_error_from_errno("read folder", in->directory);
    am_status status = list_names(in, folder, &names, &count);
    closedir(folder);
    am_put_open(out, "files", '[');
    for (size_t i = 0; i < count && !status; i++) status = put_file(out, in, names[i]);
    am_put_close(out, ']');
    return status;
}

static am_status write(inspection *in, am_buffer *out)
{
    am_json config = config_of(in);
    am_json_string type = am_json_text(am_json_get(config, "model_type"));
    const am_architecture *row = in->model ? in->model->architecture : NULL;
    am_put_open(out, NULL, '{');
    am_put_text(out, "directory", in->directory);
    am_put_text(out, "class", in->class_name);
    am_put_text(out, "model_type", type.length ? type.bytes : NULL);
    am_put_text(out, "task", row ? row->task : NULL);
    am_put_bool(out, "supported", !in->reason);
    am_put_text(out, "reason", in->reason);
    am_put_text(out, "problem", in->problem);
    put_config(out, "config", config, true);
    put_sizes(out, weights_of(in));
    put_unused(out, in);
    put_missing(out, in);
    AM_TRY(put_files(out, in));
    put_tensors(out, weights_of(in));
    am_put_close(out, '}');
    return NULL;
}

static am_status inspect(inspection *in, am_buffer *out)
{
    if (!am_directory_exists(in->directory)) return am_error(AM_NOT_FOUND, "%s is no directory", in->directory);
    AM_TRY(read_config(in));
    AM_TRY(read_weights(in));
    AM_TRY(find_class(in));
    AM_TRY(load(in));
    AM_TRY(build(in));
    return write(in, out);
}

am_status am_inspect(const char *directory, char **out_json)
{
    inspection in = {.directory = directory};
    am_buffer out = {0};
    *out_json = NULL;
    if (!directory) return am_error(AM_INVALID_ARGUMENT, "no model directory was given");
    am_status status = inspect(&in, &out);
    am_loaded_model_close(in.model);
    am_tensor_table_deinit(&in.weights);
    am_json_close(in.config);
    am_arena_deinit(&in.arena);
    return am_put_finish(&out, status, out_json);
}
