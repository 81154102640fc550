/* AutoVideoProcessor: which video processor a model directory has. */
#include "media/video_processor.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "media/videos/models.h"
#include "media/videos/processor.h"

#include <string.h>

/* The object of DIRECTORY/NAME, or null where there is no such file. */
static am_status open_json(am_arena *arena, const char *directory, const char *name, am_json_document **out)
{
    const char *path = am_path_join(arena, directory, name);
    *out = NULL;
    if (!path) return am_out_of_memory();
    return am_file_exists(path) ? am_json_open(path, out) : NULL;
}

/* The class that stands for an image processor's: its name with "Video" for "Image", where there is one. */
static const char *class_of_images(am_arena *arena, am_json config)
{
    static const char image[] = "ImageProcessor";
    am_json_string name = am_json_text(am_json_get(config, "image_processor_type"));
    const char *at = strstr(name.bytes, image);
    if (!at) return NULL;
    const char *made =
        am_arena_printf(arena, "%.*sVideoProcessor%s", (int)(at - name.bytes), name.bytes, at + sizeof image - 1);
    return made && am_video_class_is_known(made) ? made : NULL;
}

static const char *class_of_model(am_json model_type)
{
    for (const am_model_class *row = am_video_models; row->model_type; row++)
        if (am_json_equals(model_type, row->model_type)) return row->class_name;
    return NULL;
}

static am_status read_config(am_arena *arena, am_json config, am_json model_type, am_json arguments,
                             am_video_processor **out)
{
    if (am_json_text(am_json_get(config, "video_processor_type")).length)
        return am_video_processor_create_with(config, NULL, arguments, out);
    const char *name = class_of_images(arena, config);
    if (!name) name = class_of_model(model_type);
    if (!name)
        return am_error(AM_UNSUPPORTED, "there is no video processor for model_type \"%.100s\"",
                        am_json_text(model_type).bytes);
    return am_video_processor_create_with(config, name, arguments, out);
}

/* The configuration among the directory's files: *out, of a document that is closed by the caller. */
static am_status find_config(am_arena *arena, const char *directory, am_json_document **document, am_json *out)
{
    static const char *const files[] = {"video_preprocessor_config.json", "processor_config.json",
                                        "preprocessor_config.json"};
    for (int i = 0; i < 3; i++) {
        AM_TRY(open_json(arena, directory, files[i], document));
        if (!*document) continue;
        *out = am_json_root(*document);
        if (i == 1) *out = am_json_get(*out, "video_processor");
        if (am_json_kind_of(*out) == AM_JSON_OBJECT) return NULL;
        am_json_close(*document);
        *document = NULL;
    }
    return am_error(AM_NOT_FOUND, "%s: there is no video_preprocessor_config.json and no preprocessor_config.json",
                    directory);
}

am_status am_video_processor_open(const char *directory, am_json arguments, am_video_processor **out)
{
    am_arena arena = {0};
    am_json_document *document = NULL, *model = NULL;
    am_json config;
    *out = NULL;
    am_status status = find_config(&arena, directory, &document, &config);
    if (!status) status = open_json(&arena, directory, "config.json", &model);
    am_json type = model ? am_json_get(am_json_root(model), "model_type") : (am_json){0};
    if (!status) status = am_note(read_config(&arena, config, type, arguments, out), "%s", directory);
    am_json_close(model);
    am_json_close(document);
    am_arena_deinit(&arena);
    return status;
}
