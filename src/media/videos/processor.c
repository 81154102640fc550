#include "media/videos/processor.h"

#include "base/memory.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct am_video_processor {
    const am_video_class *kind; /* static */
    am_image_processor *settings;
    bool do_sample_frames;
    int64_t num_frames; /* 0: not given */
    double fps;
};

/* --- opening --- */

static am_status find_class(const char *name, const am_video_class **out)
{
    for (const am_video_family *const *family = am_video_family_registry; *family; family++) {
        for (const am_video_class *row = (*family)->classes; row->settings.name; row++) {
            *out = row;
            if (strcmp(row->settings.name, name) == 0) return NULL;
        }
    }
    return am_error(AM_UNSUPPORTED, "video processor \"%.100s\" is not one of those that are implemented", name);
}

bool am_video_class_is_known(const char *name)
{
    const am_video_class *found;
    am_status status = find_class(name, &found);
    am_status_free(status);
    return !status;
}

static am_status read_settings(am_video_processor *p, am_json config, am_json arguments)
{
    AM_TRY(am_image_processor_create_of(&p->kind->settings, AM_IMAGE_TORCHVISION, config, arguments, &p->settings));
    AM_TRY(am_image_flag(p->settings, "do_sample_frames", &p->do_sample_frames));
    AM_TRY(am_image_integer(p->settings, "num_frames", 1, INT32_MAX, &p->num_frames));
    return am_image_number(p->settings, "fps", &p->fps);
}

am_status am_video_processor_create(am_json config, const char *class_name, am_video_processor **out)
{
    return am_video_processor_create_with(config, class_name, (am_json){0}, out);
}

am_status am_video_processor_create_with(am_json config, const char *class_name, am_json arguments,
                                         am_video_processor **out)
{
    *out = NULL;
    if (am_json_kind_of(config) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "a video processor's configuration: expected an object, found %s",
                        am_json_kind_name(am_json_kind_of(config)));
    if (!class_name) class_name = am_json_text(am_json_get(config, "video_processor_type")).bytes;
    am_video_processor *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    am_status status = find_class(class_name, &p->kind);
    if (!status) status = read_settings(p, config, arguments);
    if (status) am_video_processor_close(p);
    else *out = p;
    return status;
}

void am_video_processor_close(am_video_processor *processor)
{
    if (!processor) return;
    am_image_processor_close(processor->settings);
    am_free(processor);
}

am_json am_video_processor_setting(const am_video_processor *processor, const char *key)
{
    return am_image_setting(processor->settings, key);
}

/* --- sampling --- */

static am_status sample(const am_video_processor *p, const am_video *video, const am_video_options *options,
                        am_frame_list *out)
{
    am_video_sampling in = {.total = video->count,
                            .fps = video->fps,
                            .duration = video->duration,
                            .num_frames = options->num_frames ? options->num_frames : p->num_frames,
                            .target_fps = options->fps > 0.0 ? options->fps : p->fps};
    AM_TRY(p->kind->sample ? p->kind->sample(p->settings, &in, out) : am_sample_uniformly(&in, out));
    for (int64_t i = 0; i < out->count; i++)
        if (out->items[i] < 0 || out->items[i] >= video->count)
            return am_error(AM_INVALID_ARGUMENT,
                            "frame %" PRId64 " is sampled, but the video has %" PRId64
                            "; its fps or duration are wrong",
                            out->items[i], video->count);
    if (out->count) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "no frame of a video of %" PRId64 " is sampled", video->count);
}

static am_status check_video(const am_video *video)
{
    if (video->count < 1 || video->count > INT32_MAX || !(video->fps >= 0.0) || !(video->duration >= 0.0) ||
        !isfinite(video->fps) || !(video->duration < 1e9))
        return am_error(AM_INVALID_ARGUMENT, "a video of %" PRId64 " frames, %g a second, %g seconds", video->count,
                        video->fps, video->duration);
    for (int64_t i = 1; i < video->count && video->frames; i++)
        if (video->frames[i].height != video->frames->height || video->frames[i].width != video->frames->width)
            return am_error(AM_INVALID_ARGUMENT,
                            "frame %" PRId64 " is of %" PRId64 "x%" PRId64 ", the first of %" PRId64 "x%" PRId64
                            " pixels (height, width)",
                            i, video->frames[i].height, video->frames[i].width, video->frames->height,
                            video->frames->width);
    return NULL;
}

static am_status select_all(const am_video *video, am_frame_list *out)
{
    for (int64_t i = 0; i < video->count; i++) AM_TRY(am_frame_list_add(out, i));
    return NULL;
}

static am_status give_frames(const am_video_processor *processor, const am_video *video,
                             const am_video_options *options, bool samples, int64_t **out_indices, int64_t *out_count)
{
    am_frame_list list = {0};
    *out_indices = NULL;
    *out_count = 0;
    AM_TRY(check_video(video));
    am_status status = samples ? sample(processor, video, options, &list) : select_all(video, &list);
    if (status) {
        am_frame_list_deinit(&list);
        return am_note(status, "%s", processor->kind->settings.name);
    }
    *out_indices = list.items;
    *out_count = list.count;
    return NULL;
}

am_status am_video_processor_sample(const am_video_processor *processor, const am_video *video,
                                    const am_video_options *options, int64_t **out_indices, int64_t *out_count)
{
    return give_frames(processor, video, options, true, out_indices, out_count);
}

static bool samples_frames(const am_video_processor *p, const am_video_options *options)
{
    return options->do_sample_frames ? *options->do_sample_frames : p->do_sample_frames;
}

am_status am_video_processor_select(const am_video_processor *processor, const am_video *video,
                                    const am_video_options *options, int64_t **out_indices, int64_t *out_count)
{
    return give_frames(processor, video, options, samples_frames(processor, options), out_indices, out_count);
}

/* --- steps --- */

const void *am_video_details(const am_video_run *run)
{
    return run->processor->kind->details;
}

am_status am_video_each_frame(am_video_run *run, am_status (*step)(const am_image_processor *p, am_picture *frame))
{
    for (int64_t i = 0; i < run->count; i++)
        for (int64_t k = 0; k < run->clips[i].count; k++) AM_TRY(step(run->processor, &run->clips[i].frames[k]));
    return NULL;
}

am_status am_video_common_steps(const am_image_processor *p, am_picture *frame)
{
    AM_TRY(am_image_do_resize(p, frame));
    AM_TRY(am_image_do_center_crop(p, frame));
    return am_image_rescale_and_normalize(p, frame);
}

int64_t am_video_most_frames(const am_video_run *run)
{
    int64_t most = 0;
    for (int64_t i = 0; i < run->count; i++)
        if (run->clips[i].count > most) most = run->clips[i].count;
    return most;
}

int64_t am_video_count_frames(const am_video_run *run)
{
    int64_t count = 0;
    for (int64_t i = 0; i < run->count; i++) count += run->clips[i].count;
    return count;
}

/* --- outputs --- */

static am_shape shape_of(const am_clip *clip)
{
    return am_shape_of(clip->count, clip->frames->channels, clip->frames->height, clip->frames->width);
}

static float *put_clip(const am_clip *clip, float *out)
{
    for (int64_t k = 0; k < clip->count; k++) out = am_image_put(&clip->frames[k], out);
    return out;
}

static am_status give_list(am_video_run *run, const char *name)
{
    am_tensor *out;
    AM_TRY(am_media_tensors_add_list(run->outputs.out, name, run->count, &out));
    for (int64_t i = 0; i < run->count; i++) {
        am_shape shape = shape_of(&run->clips[i]);
        AM_TRY(am_media_tensor_alloc(&out[i], AM_F32, &shape));
        put_clip(&run->clips[i], out[i].data);
    }
    return NULL;
}

static am_status make_floats(const am_image_processor *p, am_picture *frame)
{
    (void)p;
    return am_picture_to_floats(frame);
}

am_status am_video_give(am_video_run *run, const char *name)
{
    float *out;
    am_shape one = shape_of(run->clips);
    bool same = true;
    AM_TRY(am_video_each_frame(run, make_floats));
    for (int64_t i = 1; i < run->count; i++) {
        am_shape other = shape_of(&run->clips[i]);
        same = same && am_shape_equal(&one, &other);
    }
    if (!same) return give_list(run, name);
    am_shape shape = am_shape_of(run->count, one.dims[0], one.dims[1], one.dims[2], one.dims[3]);
    AM_TRY(am_image_give_floats(&run->outputs, name, &shape, &out));
    for (int64_t i = 0; i < run->count; i++) out = put_clip(&run->clips[i], out);
    return NULL;
}

/* What holds whole numbers from 0 to 255 as floats, as bytes. */
static am_status make_bytes(am_tensor *tensor)
{
    am_tensor bytes = {0};
    int64_t count = am_shape_count(&tensor->shape);
    const float *values = tensor->data;
    AM_TRY(am_media_tensor_alloc(&bytes, AM_U8, &tensor->shape));
    for (int64_t i = 0; i < count; i++) ((uint8_t *)bytes.data)[i] = (uint8_t)values[i];
    am_free_aligned(tensor->data);
    *tensor = bytes;
    return NULL;
}

static am_status make_outputs_bytes(am_media_tensors *outputs)
{
    for (int i = 0; i < outputs->count; i++)
        for (int64_t k = 0; k < outputs->items[i].count; k++)
            if (outputs->items[i].tensors[k].dtype == AM_F32) AM_TRY(make_bytes(&outputs->items[i].tensors[k]));
    return NULL;
}

/* --- running --- */

static am_status take_frames(const am_video *video, const am_frame_list *list, am_clip *out)
{
    int64_t count = list ? list->count : video->count;
    out->fps = video->fps;
    out->duration = video->duration;
    out->frames = am_alloc_zeroed((size_t)count, sizeof *out->frames);
    if (!out->frames) return am_out_of_memory();
    for (; out->count < count; out->count++)
        AM_TRY(am_picture_of_image(&video->frames[list ? list->items[out->count] : out->count], false,
                                   &out->frames[out->count]));
    return NULL;
}

static am_status take_video(const am_video_processor *p, const am_video *video, const am_video_options *options,
                            am_clip *out)
{
    am_frame_list list = {0};
    bool samples = samples_frames(p, options);
    AM_TRY(check_video(video));
    am_status status = samples ? sample(p, video, options, &list) : NULL;
    if (!status) status = take_frames(video, samples ? &list : NULL, out);
    am_frame_list_deinit(&list);
    return status;
}

static am_status run_clips(const am_video_processor *p, const am_video *videos, const am_video_options *options,
                           am_video_run *run)
{
    const am_image_processor *settings = p->settings;
    for (int64_t i = 0; i < run->count; i++)
        AM_TRY(am_note(take_video(p, &videos[i], options, &run->clips[i]), "video %" PRId64, i));
    AM_TRY(p->kind->preprocess(run));
    if (settings->do_rescale || settings->do_normalize || p->kind->is_always_float) return NULL;
    return make_outputs_bytes(run->outputs.out);
}

static void deinit_clips(am_video_run *run)
{
    for (int64_t i = 0; i < run->count && run->clips; i++) {
        for (int64_t k = 0; k < run->clips[i].count; k++) am_picture_deinit(&run->clips[i].frames[k]);
        am_free(run->clips[i].frames);
    }
    am_free(run->clips);
}

am_status am_video_processor_run(const am_video_processor *processor, const am_video *videos, int64_t count,
                                 const am_video_options *options, am_media_tensors *out)
{
    *out = (am_media_tensors){0};
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " videos; expected at least 1", count);
    am_video_run run = {.processor = processor->settings, .count = count};
    run.outputs = (am_image_run){.processor = processor->settings, .out = out};
    run.clips = am_alloc_zeroed((size_t)count, sizeof *run.clips);
    am_status status = run.clips ? run_clips(processor, videos, options, &run) : am_out_of_memory();
    deinit_clips(&run);
    return am_note(status, "%s", processor->kind->settings.name);
}
