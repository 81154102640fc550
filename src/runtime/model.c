#include "runtime/model.h"

#include "base/memory.h"
#include "formats/checkpoint.h"
#include "models/known_classes.h"
#include "models/names/names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 1024 };

/* --- weight names --- */

static const am_named_tensor *find_replaced(const am_tensor_table *table, const char *name, const char *ending,
                                            const char *other)
{
    char renamed[NAME_BYTES];
    size_t length = strlen(name), old = strlen(ending);
    if (length < old || strcmp(name + length - old, ending) != 0) return NULL;
    int written = snprintf(renamed, sizeof renamed, "%.*s%s", (int)(length - old), name, other);
    return written > 0 && written < NAME_BYTES ? am_tensor_table_find(table, renamed) : NULL;
}

/* Names of one tensor that changed over the years. */
static const am_named_tensor *find_aliases(const am_tensor_table *table, const char *name)
{
    static const char *const pairs[][2] = {
        {"LayerNorm.weight", "LayerNorm.gamma"},
        {"LayerNorm.bias", "LayerNorm.beta"},
        {".parametrizations.weight.original0", ".weight_g"},
        {".parametrizations.weight.original1", ".weight_v"},
        {".weight_g", ".parametrizations.weight.original0"},
        {".weight_v", ".parametrizations.weight.original1"},
    };
    const am_named_tensor *found = am_tensor_table_find(table, name);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && !found; i++)
        found = find_replaced(table, name, pairs[i][0], pairs[i][1]);
    return found;
}

/* By that name, or with the prefix of the base model before it, or without. */
static const am_named_tensor *find_prefixed(const am_loaded_model *model, const char *name)
{
    char prefixed[NAME_BYTES];
    const char *prefix = model->type->base_prefix;
    const am_named_tensor *found = find_aliases(&model->weights, name);
    size_t length = prefix ? strlen(prefix) : 0;
    if (found || !length) return found;
    if (strncmp(name, prefix, length) == 0 && name[length] == '.')
        return find_aliases(&model->weights, name + length + 1);
    int written = snprintf(prefixed, sizeof prefixed, "%s.%s", prefix, name);
    return written > 0 && written < NAME_BYTES ? find_aliases(&model->weights, prefixed) : NULL;
}

const am_named_tensor *am_loaded_model_find_weight(const am_loaded_model *model, const char *name)
{
    char renamed[NAME_BYTES];
    const am_named_tensor *found = find_prefixed(model, name);
    const char *tried = name;
    for (const am_renaming *const *list = model->type->renamings; list && *list && !found; list++)
        if (am_rename_weight(*list, tried, renamed, sizeof renamed)) {
            found = find_prefixed(model, renamed);
            tried = renamed;
        }
    return found;
}

static bool lookup(void *context, const char *name, am_tensor *out)
{
    am_loaded_model *model = context;
    const am_named_tensor *found = am_loaded_model_find_weight(model, name);
    if (!found) return false;
    model->used[found - model->weights.tensors] = true;
    *out = (am_tensor){found->dtype, found->shape, (void *)(uintptr_t)found->data};
    return true;
}

/* --- opening --- */

static const char *architecture_of(const am_config *config)
{
    const char *name = am_config_list_text(config, "architectures", 0);
    return name ? name : "";
}

static am_status unsupported(am_loaded_model *model, const char *file)
{
    const char *type = am_config_text(&model->config, "model_type", "");
    const char *known = am_known_classes_text(&model->config_root.arena, model->architecture_name, type);
    if (!known) return am_out_of_memory();
    return am_error(AM_UNSUPPORTED,
                    "%s: class %s (model_type \"%s\") is not supported yet; %s; `anymodel models` lists all", file,
                    model->architecture_name, type, known);
}

/* model_type: a string; architectures: a list of strings, which may be absent or empty. */
static am_status check_names(const am_config *config, const char *file)
{
    am_json type = am_json_get(config->object, "model_type"), list = am_json_get(config->object, "architectures");
    am_json_kind kind = am_json_kind_of(list);
    if (!am_config_has(config, "model_type")) return am_error(AM_INVALID_FILE, "%s: model_type: missing", file);
    if (am_json_kind_of(type) != AM_JSON_STRING)
        return am_error(AM_INVALID_FILE, "%s: model_type: expected a string, found %s", file,
                        am_json_kind_name(am_json_kind_of(type)));
    if (kind != AM_JSON_ARRAY && kind != AM_JSON_NULL && kind != AM_JSON_MISSING)
        return am_error(AM_INVALID_FILE, "%s: architectures: expected a list of class names, found %s", file,
                        am_json_kind_name(kind));
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);)
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_FILE, "%s: architectures: expected class names, found %s", file,
                            am_json_kind_name(am_json_kind_of(i.value)));
    return NULL;
}

/* What the auto classes make of a model type: "AutoModel (BertModel), ..". */
static void list_autos(const char *model_type, char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (size_t i = 0; i < am_auto_row_count && length < size; i++)
        if (strcmp(am_auto_rows[i].model_type, model_type) == 0)
            length += (size_t)snprintf(text + length, size - length, "%s%s (%s)", length ? ", " : "",
                                       am_auto_rows[i].auto_class, am_auto_rows[i].name);
}

static am_status choose_by_auto(am_loaded_model *model, const char *file, const char *auto_class)
{
    enum { LIST_BYTES = 2048 };
    char list[LIST_BYTES];
    const char *model_type = am_config_text(&model->config, "model_type", "");
    if (!am_auto_class_exists(auto_class))
        return am_error(AM_INVALID_ARGUMENT, "%s is no auto class of models; one is AutoModelForMaskedLM", auto_class);
    const char *name = am_auto_class_of(auto_class, model_type);
    if (name) {
        model->architecture_name = name;
        return NULL;
    }
    list_autos(model_type, list, sizeof list);
    return am_error(AM_UNSUPPORTED, "%s: %s makes no class of model_type \"%s\"; %s%s", file, auto_class, model_type,
                    list[0] ? "there are " : "no auto class knows it", list);
}

static am_status choose_name(am_loaded_model *model, const char *file, const am_class_choice *choice)
{
    const char *wanted = choice ? choice->architecture : NULL;
    const char *auto_class = choice ? choice->auto_class : NULL;
    model->architecture_name = wanted ? wanted : architecture_of(&model->config);
    if (auto_class) return choose_by_auto(model, file, auto_class);
    if (!model->architecture_name[0]) return choose_by_auto(model, file, "AutoModel");
    return NULL;
}

static am_status choose_architecture(am_loaded_model *model, const char *file, const am_class_choice *choice)
{
    AM_TRY(check_names(&model->config, file));
    AM_TRY(choose_name(model, file, choice));
    model->architecture = am_architecture_find(model->architecture_name, &model->type);
    return model->architecture ? NULL : unsupported(model, file);
}

am_status am_loaded_model_create(am_json_document *config, const char *name, am_tensor_table *weights,
                                 const am_class_choice *choice, am_loaded_model **out)
{
    *out = NULL;
    am_loaded_model *model = am_alloc_zeroed(1, sizeof *model);
    if (!model) {
        am_json_close(config);
        am_tensor_table_deinit(weights);
        return am_out_of_memory();
    }
    model->config_document = config;
    model->weights = *weights;
    *weights = (am_tensor_table){0};
    am_status status = am_config_init(&model->config_root, name, am_json_root(config), &model->config);
    if (!status) {
        char *copy = am_arena_string(&model->config_root.arena, name, strlen(name));
        if (copy) model->config_root.file = copy;
        model->used = am_alloc_zeroed(model->weights.count, sizeof *model->used);
        status = copy && model->used ? choose_architecture(model, copy, choice) : am_out_of_memory();
    }
    if (status) am_loaded_model_close(model);
    else *out = model;
    return status;
}

static am_status open_config(const char *directory, const am_class_choice *choice, am_loaded_model **out)
{
    am_arena arena = {0};
    am_json_document *config = NULL;
    char *name = am_path_join(&arena, directory, "config.json");
    am_status status = name ? NULL : am_out_of_memory();
    if (!status && !am_directory_exists(directory)) status = am_error(AM_NOT_FOUND, "%s is no directory", directory);
    if (!status) status = am_json_open(name, &config);
    if (!status) status = am_loaded_model_create(config, name, &(am_tensor_table){0}, choice, out);
    am_arena_deinit(&arena);
    return status;
}

static am_status open_weights(am_loaded_model *model, const char *directory)
{
    AM_TRY(am_checkpoint_read(directory, &model->weights));
    am_free(model->used);
    model->used = am_alloc_zeroed(model->weights.count, sizeof *model->used);
    model->directory = am_copy_string(directory, strlen(directory));
    return model->used && model->directory ? NULL : am_out_of_memory();
}

/* The class is looked up before any weight is, so that its absence is the first thing said. */
am_status am_loaded_model_open(const char *directory, const am_class_choice *choice, am_loaded_model **out)
{
    *out = NULL;
    AM_TRY(open_config(directory, choice, out));
    am_status status = open_weights(*out, directory);
    if (status) {
        am_loaded_model_close(*out);
        *out = NULL;
    }
    return status;
}

void am_loaded_model_close(am_loaded_model *model)
{
    if (!model) return;
    am_quantized_weights_destroy(model->quantized);
    am_tensor_table_deinit(&model->weights);
    am_config_deinit(&model->config_root);
    am_json_close(model->config_document);
    am_free(model->directory);
    am_free(model->used);
    am_free(model);
}

am_status am_loaded_model_build(am_loaded_model *model, const am_signature *signature, am_graph **out)
{
    am_status status =
        am_architecture_build(model->type, model->architecture, &model->config, signature, lookup, model, out);
    am_code code = am_status_code(status);
    bool is_file = code == AM_NOT_FOUND || code == AM_INVALID_FILE || code == AM_UNSUPPORTED;
    if (!is_file || !model->directory || strstr(am_status_message(status), model->directory)) return status;
    return am_note(status, "%s", model->directory);
}
