#include "api/json_writer.h"
#include "base/arena.h"
#include "models/model.h"
#include "models/names/names.h"

#include <anymodel/anymodel.h>

#include <string.h>

/* --- the classes of this build --- */

/* The auto classes that lead to a class: ["AutoModelForMaskedLM", ...]. */
static void put_autos(am_buffer *out, const char *name)
{
    am_put_open(out, "auto_classes", '[');
    for (size_t i = 0; i < am_auto_row_count; i++)
        if (strcmp(am_auto_rows[i].name, name) == 0) am_put_text(out, NULL, am_auto_rows[i].auto_class);
    am_put_close(out, ']');
}

/* "clip clip_text_model" is listed under its first name. */
static void put_class(am_buffer *out, const am_model_type *type, const am_architecture *row)
{
    am_put_open(out, NULL, '{');
    am_put_text(out, "class", row->name);
    am_put_text_part(out, "model_type", type->name, strcspn(type->name, " "));
    am_put_text(out, "task", row->task);
    am_put_text(out, "state", "verified");
    put_autos(out, row->name);
    am_put_close(out, '}');
}

am_status am_models(char **out_json)
{
    am_buffer out = {0};
    am_put_open(&out, NULL, '[');
    for (const am_model_type *const *type = am_model_registry; *type; type++)
        for (const am_architecture *row = (*type)->architectures; row->name; row++) put_class(&out, *type, row);
    am_put_close(&out, ']');
    return am_put_finish(&out, NULL, out_json);
}

/* --- what a name is --- */

typedef struct answer {
    const char *state;      /* one word or two for tables */
    const char *model_type; /* "" where there is none */
    char *text;             /* one sentence */
} answer;

/* The model class that reads the same files as a TensorFlow class: its name without TF. */
static const char *pytorch_name(const char *name)
{
    const char *bare = name + strlen("TF");
    const am_class_name *row = am_class_name_find(bare);
    return row && row->kind == AM_NAME_MODEL ? row->name : NULL;
}

static answer describe_model(am_arena *arena, const char *name, const char *model_type)
{
    if (am_architecture_find(name, NULL))
        return (answer){"verified", model_type, am_arena_printf(arena, "a model of %s, verified", model_type)};
    return (answer){"not yet", model_type, am_arena_printf(arena, "a model of %s, not supported yet", model_type)};
}

static answer describe_tensorflow(am_arena *arena, const am_class_name *row)
{
    const char *same = pytorch_name(row->name);
    if (!same)
        return (answer){"removed", row->model_type,
                        am_arena_printf(arena, "a TensorFlow model of %s, of which transformers 5 has no PyTorch class",
                                        row->model_type)};
    bool is_here = am_architecture_find(same, NULL);
    return (answer){is_here ? "verified as PyTorch" : "not yet", row->model_type,
                    am_arena_printf(arena, "a TensorFlow model of %s; the same model is %s, %s", row->model_type, same,
                                    is_here ? "verified" : "not supported yet")};
}

static answer describe_other(am_arena *arena, const am_class_name *row)
{
    static const char *const states[] = {
        [AM_NAME_ABSTRACT] = "abstract class",    [AM_NAME_OUTPUT] = "output type",
        [AM_NAME_MODULE] = "internal module",     [AM_NAME_AUTO] = "auto class",
        [AM_NAME_TENSORFLOW_AUTO] = "auto class", [AM_NAME_REMOVED] = "removed",
        [AM_NAME_OTHER] = "not a model",
    };
    const char *state = row->kind < AM_NAME_CONFIG || row->kind == AM_NAME_OTHER ? states[row->kind] : "not a model";
    return (answer){state, row->model_type,
                    am_arena_printf(arena, "%s%s%s, not a model", am_name_kind_text(row->kind),
                                    row->model_type[0] ? " of " : "", row->model_type)};
}

static answer describe(am_arena *arena, const char *name)
{
    const am_model_type *type;
    const am_class_name *row = am_class_name_find(name);
    if (row && row->kind == AM_NAME_TENSORFLOW_MODEL) return describe_tensorflow(arena, row);
    if (row && row->kind == AM_NAME_MODEL) return describe_model(arena, name, row->model_type);
    if (am_architecture_find(name, &type)) {
        char *first = am_arena_string(arena, type->name, strcspn(type->name, " "));
        return first ? describe_model(arena, name, first) : (answer){0};
    }
    if (row) return describe_other(arena, row);
    return (answer){"unknown", "",
                    am_arena_printf(arena, "neither transformers 5.23 nor 4.52 has a class of this name")};
}

am_status am_model_names(const char *const *names, size_t count, char **out_json)
{
    am_arena arena = {0};
    am_buffer out = {0};
    am_status status = NULL;
    *out_json = NULL;
    am_put_open(&out, NULL, '[');
    for (size_t i = 0; i < count && !status; i++) {
        answer a = describe(&arena, names[i]);
        if (!a.text) status = am_out_of_memory();
        if (status) break;
        am_put_open(&out, NULL, '{');
        am_put_text(&out, "name", names[i]);
        am_put_text(&out, "state", a.state);
        am_put_text(&out, "model_type", a.model_type);
        am_put_text(&out, "what", a.text);
        am_put_close(&out, '}');
    }
    am_put_close(&out, ']');
    am_arena_deinit(&arena);
    return am_put_finish(&out, status, out_json);
}
