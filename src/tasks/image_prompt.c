#include "tasks/image_prompt.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <string.h>

void am_image_prompt_deinit(am_image_prompt *prompt)
{
    for (int64_t i = 0; i < prompt->count; i++) am_image_deinit(&prompt->images[i]);
    for (int64_t i = 0; i < prompt->video_count; i++) am_video_deinit(&prompt->videos[i]);
    am_processed_deinit(&prompt->made);
    am_arena_deinit(&prompt->arena);
    *prompt = (am_image_prompt){0};
}

static am_status check_takes(am_pipeline *p, const char *what, am_text (*placeholder)(const am_processor *processor))
{
    am_processor *processor;
    const am_architecture *architecture = p->model->architecture;
    am_json_string type = am_json_text(am_json_get(am_pipeline_config(p)->object, "model_type"));
    if (!architecture->task || strcmp(architecture->task, "image-text-to-text") != 0)
        return am_error(AM_UNSUPPORTED, "model type %.*s (class %s) takes no %s in a conversation", (int)type.length,
                        type.bytes, architecture->name, what);
    AM_TRY(am_pipeline_processor(p, &processor));
    if (placeholder(processor).length) return NULL;
    return am_error(AM_UNSUPPORTED, "model type %.*s: its processor, %s, takes no %s", (int)type.length, type.bytes,
                    am_processor_class_name(processor), what);
}

am_status am_check_takes_images(am_pipeline *p)
{
    return check_takes(p, "images", am_processor_image_placeholder);
}

am_status am_check_takes_videos(am_pipeline *p)
{
    return check_takes(p, "videos", am_processor_video_placeholder);
}

/* --- images and videos of a conversation --- */

static bool is_a(const char *type, am_json part)
{
    return am_json_equals(am_json_get(part, "type"), type);
}

static int64_t count_parts(am_json messages, const char *type)
{
    int64_t count = 0;
    for (am_json_iterator m = am_json_iterate(messages); am_json_next(&m);) {
        am_json content = am_json_get(m.value, "content");
        if (am_json_kind_of(content) != AM_JSON_ARRAY) continue;
        for (am_json_iterator part = am_json_iterate(content); am_json_next(&part);) count += is_a(type, part.value);
    }
    return count;
}

bool am_chat_has_media(am_json messages)
{
    return count_parts(messages, "image") > 0 || count_parts(messages, "video") > 0;
}

/* *out: the file that a part names; null where it names none. */
static am_status file_of(am_json part, const char *type, const char **out)
{
    const char *const keys[] = {type, "url", "path"};
    *out = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !*out; i++) {
        am_json value = am_json_get(part, keys[i]);
        if (am_json_kind_of(value) == AM_JSON_STRING) *out = am_json_text(value).bytes;
    }
    if (*out && (strncmp(*out, "http://", 7) == 0 || strncmp(*out, "https://", 8) == 0))
        return am_error(AM_UNSUPPORTED, "messages: %s: %ss are read from files only", *out, type);
    return NULL;
}

static am_status open_image(am_json part, const am_task_input **given, am_image *out)
{
    const char *file;
    AM_TRY(file_of(part, "image", &file));
    if (file) return am_image_open(file, 0, out);
    const am_task_input *input = *given;
    *given = NULL;
    return input ? am_open_image(input, out)
                 : am_error(AM_INVALID_ARGUMENT, "messages: an image without its file (\"path\")");
}

static am_status open_video(am_pipeline *p, am_json part, am_arena *arena, am_video *out)
{
    am_video_source source = {0};
    am_processor *processor;
    AM_TRY(file_of(part, "video", &source.file));
    if (!source.file) return am_error(AM_INVALID_ARGUMENT, "messages: a video without its file (\"path\")");
    AM_TRY(am_check_takes_videos(p));
    AM_TRY(am_pipeline_processor(p, &processor));
    return am_processor_open_video(processor, &source, arena, out);
}

static am_status open_part(am_pipeline *p, am_json part, const am_task_input **given, am_image_prompt *out)
{
    if (is_a("image", part)) return open_image(part, given, &out->images[out->count++]);
    if (is_a("video", part)) return open_video(p, part, &out->arena, &out->videos[out->video_count++]);
    return NULL;
}

am_status am_image_prompt_open(am_pipeline *p, am_json messages, const am_task_input *given, am_image_prompt *out)
{
    out->images = am_arena_array(&out->arena, (size_t)count_parts(messages, "image") + 1, sizeof *out->images);
    out->videos = am_arena_array(&out->arena, (size_t)count_parts(messages, "video") + 1, sizeof *out->videos);
    if (!out->images || !out->videos) return am_out_of_memory();
    for (am_json_iterator m = am_json_iterate(messages); am_json_next(&m);) {
        am_json content = am_json_get(m.value, "content");
        if (am_json_kind_of(content) != AM_JSON_ARRAY) continue;
        for (am_json_iterator part = am_json_iterate(content); am_json_next(&part);)
            AM_TRY(open_part(p, part.value, &given, out));
    }
    return given ? am_error(AM_INVALID_ARGUMENT, "messages: no part {\"type\": \"image\"} is left for the image that "
                                                 "is given beside them")
                 : NULL;
}

am_status am_image_prompt_open_input(const am_task_input *given, am_image_prompt *out)
{
    out->images = am_arena_array(&out->arena, 1, sizeof *out->images);
    if (!out->images) return am_out_of_memory();
    out->count = 1;
    return am_open_image(given, &out->images[0]);
}

/* --- ids and inputs --- */

/* A chat template that writes the token that begins a text leaves none to add. */
static bool begins_itself(const am_processor *processor, const char *text)
{
    am_text bos = am_tokenizer_special_token(am_processor_tokenizer(processor), "bos_token");
    return bos.length && strncmp(text, bos.bytes, bos.length) == 0;
}

static am_status take_ids(am_image_prompt *prompt, const am_tensor *x, am_text_job *job)
{
    int64_t count = am_shape_count(&x->shape);
    int32_t *ids = am_arena_array(&prompt->arena, (size_t)count + 1, sizeof *ids);
    if (!ids) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) ids[i] = (int32_t)am_load_int(x->dtype, x->data, i);
    job->ids = ids;
    job->length = count;
    return NULL;
}

/* input_ids are the prompt; all else goes to the model beside them. */
static am_status take_inputs(am_image_prompt *prompt, am_text_job *job)
{
    const am_media_tensors *made = &prompt->made.tensors;
    am_session_input *inputs = am_arena_array(&prompt->arena, (size_t)made->count + 1, sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    for (int i = 0; i < made->count; i++) {
        const am_tensor *x;
        const char *name = made->items[i].name;
        AM_TRY(am_media_tensors_get(made, name, &x));
        if (strcmp(name, "input_ids") == 0) AM_TRY(take_ids(prompt, x, job));
        else inputs[job->input_count++] = (am_session_input){name, *x};
    }
    job->inputs = inputs;
    return job->ids ? NULL : am_error(AM_UNSUPPORTED, "a processor without input_ids");
}

am_status am_image_prompt_read(am_pipeline *p, const char *text, bool is_chat, am_image_prompt *prompt,
                               am_text_job *job)
{
    am_processor *processor;
    am_text texts[] = {{text, strlen(text)}};
    AM_TRY(am_pipeline_processor(p, &processor));
    am_processor_inputs inputs = {.texts = texts,
                                  .text_count = 1,
                                  .images = prompt->images,
                                  .image_count = prompt->count,
                                  .videos = prompt->videos,
                                  .video_count = prompt->video_count,
                                  .no_special_tokens = is_chat && begins_itself(processor, text)};
    AM_TRY(am_processor_run(processor, &inputs, &prompt->made));
    return take_inputs(prompt, job);
}
