#include "media/preprocessor_config.h"

#include "base/arena.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>

/* The class of config.json's model_type; null when it is unknown. */
static am_status class_of_model(const char *path, const am_preprocessor_kind *kind, const char **out)
{
    am_json_document *document = NULL;
    *out = NULL;
    if (!am_file_exists(path)) return NULL;
    AM_TRY(am_json_open(path, &document));
    am_json model_type = am_json_get(am_json_root(document), "model_type");
    for (const am_model_class *model = kind->models; model && model->model_type && !*out; model++) {
        if (am_json_equals(model_type, model->model_type)) *out = model->class_name;
    }
    if (kind->class_of_model) *out = kind->class_of_model(model_type);
    am_json_close(document);
    return NULL;
}

static bool names_its_class(am_json config, const am_preprocessor_kind *kind)
{
    for (int i = 0; i < 2 && kind->types[i]; i++) {
        if (am_json_text(am_json_get(config, kind->types[i])).length) return true;
    }
    return false;
}

static am_json nested_config(am_json processor, const am_preprocessor_kind *kind)
{
    am_json config = am_json_get(processor, kind->members[0]);
    if (am_json_kind_of(config) == AM_JSON_OBJECT || !kind->members[1]) return config;
    return am_json_get(processor, kind->members[1]);
}

typedef struct config_paths {
    char *nested, *plain, *model;
} config_paths;

static am_status read_file(const config_paths *paths, bool nested, const am_preprocessor_kind *kind, void *out,
                           bool *found)
{
    am_json_document *document = NULL;
    const char *path = nested ? paths->nested : paths->plain, *class_name = NULL;
    AM_TRY(am_json_open(path, &document));
    am_json config = am_json_root(document);
    if (nested) config = nested_config(config, kind);
    *found = !nested || am_json_kind_of(config) == AM_JSON_OBJECT;
    am_status status = NULL;
    if (*found && !names_its_class(config, kind)) status = class_of_model(paths->model, kind, &class_name);
    if (*found && !status) status = am_note(kind->read(config, class_name, out), "%s", path);
    am_json_close(document);
    return status;
}

am_status am_preprocessor_config_open(const char *directory, const am_preprocessor_kind *kind, void *out)
{
    am_arena arena = {0};
    config_paths paths = {am_path_join(&arena, directory, "processor_config.json"),
                          am_path_join(&arena, directory, "preprocessor_config.json"),
                          am_path_join(&arena, directory, "config.json")};
    bool found = false;
    am_status status = paths.nested && paths.plain && paths.model ? NULL : am_out_of_memory();
    if (!status && am_file_exists(paths.nested)) status = read_file(&paths, true, kind, out, &found);
    if (!status && !found) status = read_file(&paths, false, kind, out, &found);
    am_arena_deinit(&arena);
    return status;
}

bool am_preprocessor_config_given(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

am_status am_preprocessor_config_integer(am_json value, const char *name, int64_t least, int64_t most, int64_t *out)
{
    if (!am_preprocessor_config_given(value)) return NULL;
    int64_t number = am_json_int(value, INT64_MIN); /* which stands for what is no integer */
    if (number >= least && number <= most) {
        *out = number;
        return NULL;
    }
    char found[32];
    snprintf(found, sizeof found, "%" PRId64, number);
    return am_error(AM_INVALID_FILE, "%s: expected an integer from %" PRId64 " to %" PRId64 ", found %s", name, least,
                    most, number == INT64_MIN ? am_json_kind_name(am_json_kind_of(value)) : found);
}

am_status am_preprocessor_config_bool(am_json config, const char *key, bool *out)
{
    am_json value = am_json_get(config, key);
    if (!am_preprocessor_config_given(value)) return NULL;
    am_json_kind kind = am_json_kind_of(value);
    if (kind != AM_JSON_BOOL)
        return am_error(AM_INVALID_FILE, "%s: expected true or false, found %s", key, am_json_kind_name(kind));
    *out = am_json_bool(value, *out);
    return NULL;
}
