/* Classes whose videos become [videos, frames, channels, height, width]: frames are resized, cropped, rescaled and
   normalized; more is said at each. */
#include "media/images/tiles.h"
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>

static am_status preprocess(am_video_run *run)
{
    AM_TRY(am_video_each_frame(run, am_video_common_steps));
    return am_video_give(run, "pixel_values_videos");
}

/* Of models that came before video processors. */
static am_status preprocess_as_pixel_values(am_video_run *run)
{
    AM_TRY(am_video_each_frame(run, am_video_common_steps));
    return am_video_give(run, "pixel_values");
}

/* --- InternVL --- */

/* Frames from the middle of equal parts, or from initial_shift on. */
static am_status sample_internvl(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    am_json shift = am_image_setting(p, "initial_shift");
    double count = (double)in->num_frames, start = am_json_real(shift, 0.0);
    if (!in->num_frames) {
        if (in->target_fps == 0.0)
            return am_error(AM_INVALID_ARGUMENT, "neither num_frames nor fps says how many frames are sampled");
        AM_TRY(am_sampling_check_fps(in));
        count = (double)(int64_t)((double)in->total / in->fps * in->target_fps);
    }
    if (count >= 1.0 && am_json_bool(shift, false)) start = (double)in->total / count / 2.0;
    return am_frames_arange(out, start, in->total, count);
}

/* --- PE Video --- */

/* num_frames from the first to the last; more than there are repeat. */
static am_status sample_pe_video(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    (void)p;
    if (!in->num_frames) return am_sample_uniformly(in, out);
    if (in->num_frames == 1)
        return am_error(AM_INVALID_ARGUMENT, "num_frames 1: expected at least 2, the first and the last frame");
    for (int64_t i = 0; i < in->num_frames; i++)
        AM_TRY(am_frame_list_add(out, (int64_t)((double)(i * (in->total - 1)) / (double)(in->num_frames - 1))));
    return NULL;
}

/* Videos shorter than the longest end in frames of 0. */
static am_status pad_clips(am_video_run *run, const am_shape *shape)
{
    int64_t frame = shape->dims[2] * shape->dims[3] * shape->dims[4];
    float *out;
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values_videos", shape, &out));
    for (int64_t i = 0; i < run->count; i++) {
        const am_clip *clip = &run->clips[i];
        for (int64_t k = 0; k < clip->count; k++)
            am_image_put(&clip->frames[k], out + (i * shape->dims[1] + k) * frame);
    }
    return NULL;
}

static am_status give_padding(am_video_run *run, int64_t most)
{
    am_tensor *mask;
    am_shape shape = am_shape_of(run->count, most);
    if (am_video_count_frames(run) == run->count * most) return NULL;
    AM_TRY(am_media_tensors_add(run->outputs.out, "padding_mask_videos", AM_BOOL, &shape, &mask));
    for (int64_t i = 0; i < run->count; i++)
        for (int64_t k = 0; k < run->clips[i].count; k++) ((uint8_t *)mask->data)[i * most + k] = 1;
    return NULL;
}

static am_status steps_pe_video(const am_image_processor *p, am_picture *frame)
{
    AM_TRY(am_video_common_steps(p, frame));
    return am_picture_to_floats(frame);
}

static am_status preprocess_pe_video(am_video_run *run)
{
    const am_picture *first = run->clips->frames;
    int64_t most = am_video_most_frames(run);
    AM_TRY(am_video_each_frame(run, steps_pe_video));
    for (int64_t i = 1; i < run->count; i++) {
        const am_picture *other = run->clips[i].frames;
        if (other->height != first->height || other->width != first->width)
            return am_error(AM_INVALID_ARGUMENT,
                            "video %" PRId64 " is of %" PRId64 "x%" PRId64 ", the first of %" PRId64 "x%" PRId64
                            " pixels (height, width)",
                            i, other->height, other->width, first->height, first->width);
    }
    am_shape shape = am_shape_of(run->count, most, first->channels, first->height, first->width);
    AM_TRY(pad_clips(run, &shape));
    return give_padding(run, most);
}

/* --- SAM 2 --- */

static am_status preprocess_sam2(am_video_run *run)
{
    const am_image_size *size = &run->processor->size;
    am_shape pairs = am_shape_of(run->count, 2);
    int64_t *original, *reshaped;
    if (!size->height || !size->width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    AM_TRY(am_image_give_integers(&run->outputs, "original_sizes", &pairs, &original));
    AM_TRY(am_image_give_integers(&run->outputs, "reshaped_input_sizes", &pairs, &reshaped));
    for (int64_t i = 0; i < run->count; i++) {
        original[2 * i] = run->clips[i].frames->height;
        original[2 * i + 1] = run->clips[i].frames->width;
        reshaped[2 * i] = size->height;
        reshaped[2 * i + 1] = size->width;
    }
    return preprocess(run);
}

/* --- V-JEPA 2 --- */

/* Whatever size says, it is that of the crop with a margin. */
static am_status standardize_vjepa2(am_image_processor *p)
{
    if (!p->crop_size.height)
        return am_error(AM_INVALID_FILE, "crop_size: expected a number, or an object with height");
    p->size = (am_image_size){.shortest_edge = (int64_t)((double)(p->crop_size.height * 256) / 224.0)};
    return NULL;
}

/* --- ViViT --- */

/* Rescaled to -1..1. */
static am_status steps_vivit(const am_image_processor *p, am_picture *frame)
{
    AM_TRY(am_image_do_resize(p, frame));
    AM_TRY(am_image_do_center_crop(p, frame));
    if (p->do_rescale) AM_TRY(am_picture_rescale(frame, p->backend, p->rescale_factor));
    for (int64_t k = 0; p->do_rescale && k < frame->channels * frame->height * frame->width; k++)
        frame->floats[k] -= 1.0f;
    return p->do_normalize ? am_picture_normalize(frame, p->image_mean, p->image_std) : NULL;
}

static am_status preprocess_vivit(am_video_run *run)
{
    AM_TRY(am_video_each_frame(run, steps_vivit));
    return am_video_give(run, "pixel_values");
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "InstructBlipVideoVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": false
     })},
     .preprocess = preprocess_as_pixel_values},
    {.settings = {.name = "InternVLVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": false, "initial_shift": true
     })},
     .sample = sample_internvl, .preprocess = preprocess},
    {.settings = {.name = "LlavaNextVideoVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": false
     })},
     .preprocess = preprocess},
    {.settings = {.name = "LlavaOnevisionVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "do_sample_frames": false
     })},
     .preprocess = preprocess},
    {.settings = {.name = "PeVideoVideoProcessor",
     .defaults = AM_JSON({
         "resample": 2
     })},
     .sample = sample_pe_video, .preprocess = preprocess_pe_video},
    {.settings = {.name = "PerceptionLMVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 448, "width": 448}, "resample": 3,
         "do_center_crop": false, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5]
     })},
     .preprocess = preprocess},
    {.settings = {.name = "Sam2VideoVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 1024, "width": 1024}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225]
     })},
     .preprocess = preprocess_sam2},
    {.settings = {.name = "TimesformerVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 2, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
         "do_sample_frames": false
     })},
     .preprocess = preprocess_as_pixel_values},
    {.settings = {.name = "VJEPA2VideoProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 292}, "resample": 2, "do_center_crop": true, "crop_size": 256,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225]
     }), .standardize = standardize_vjepa2},
     .preprocess = preprocess},
    {.settings = {.name = "VideoLlavaVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": false
     })},
     .preprocess = preprocess},
    {.settings = {.name = "VideoMAEVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 2, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_sample_frames": false
     })},
     .preprocess = preprocess_as_pixel_values},
    {.settings = {.name = "VideomtVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 640, "width": 640}, "resample": 2,
         "do_center_crop": false, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_sample_frames": false
     })},
     .preprocess = preprocess},
    {.settings = {.name = "VivitVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 256}, "default_to_square": false,
         "resample": 2, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "rescale_factor": 0.00784313725490196, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": false
     })},
     .preprocess = preprocess_vivit},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_plain = {classes};
