/* Nemotron-H Omni: frames of about their own shape in whole blocks of patches, near a number of patches. */
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

typedef struct patch_settings {
    int64_t patch, target, block; /* block: patches along a side that become one token */
    bool keeps_ratio;
    double mean[3], std[3];
} patch_settings;

static am_status read_settings(const am_image_processor *p, patch_settings *out)
{
    double ratio = 0.5;
    *out = (patch_settings){.patch = 16, .target = 1024, .keeps_ratio = true};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_integer(p, "video_target_num_patches", 1, AM_IMAGE_MAX_PIXELS, &out->target));
    AM_TRY(am_image_flag(p, "video_maintain_aspect_ratio", &out->keeps_ratio));
    AM_TRY(am_image_number(p, "downsample_ratio", &ratio));
    AM_TRY(am_image_channels(p, "norm_mean", out->mean));
    AM_TRY(am_image_channels(p, "norm_std", out->std));
    out->block = (int64_t)fmin(nearbyint(1.0 / ratio), 1e6);
    if (out->block < 1) return am_error(AM_INVALID_FILE, "downsample_ratio: expected less than 2, found %g", ratio);
    for (int c = 0; c < 3; c++)
        if ((float)out->std[c] == 0.0f)
            return am_error(AM_INVALID_FILE, "norm_mean, norm_std: expected 3 numbers each, those of norm_std not 0");
    return NULL;
}

static int64_t align_up(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* _compute_target_patches: rows and columns. */
static am_plane_size fit(const patch_settings *s, am_plane_size in)
{
    double target = (double)s->target, ratio = (double)in.width / (double)in.height;
    int64_t side = (int64_t)sqrt(target) / s->block * s->block;
    if (side < s->block) side = s->block;
    if (!s->keeps_ratio) return (am_plane_size){side, side};
    int64_t rows = (int64_t)fmax(nearbyint(sqrt(target / ratio)), 1.0),
            columns = (int64_t)fmax(nearbyint(sqrt(target * ratio)), 1.0);
    am_plane_size up = {align_up(rows, s->block), align_up(columns, s->block)},
                  down = {rows - rows % s->block, columns - columns % s->block};
    if (s->block == 1) return (am_plane_size){rows, columns};
    if (up.height * up.width <= s->target) return up;
    if (down.height < s->block) down.height = s->block;
    if (down.width < s->block) down.width = s->block;
    return down;
}

static am_status process_frame(const patch_settings *s, am_plane_size to, am_picture *frame)
{
    AM_TRY(am_picture_to_floats(frame));
    AM_TRY(am_picture_resize(frame, AM_IMAGE_TORCHVISION, to, AM_RESAMPLE_BICUBIC, true));
    for (int64_t i = 0; i < frame->channels * to.height * to.width; i++) frame->floats[i] /= 255.0f;
    return am_picture_normalize(frame, s->mean, s->std);
}

static am_status process(am_video_run *run, const patch_settings *s)
{
    const am_picture *first = run->clips->frames;
    for (int64_t i = 0; i < run->count; i++) {
        am_clip *clip = &run->clips[i];
        am_plane_size patches = fit(s, (am_plane_size){clip->frames->height, clip->frames->width}),
                      to = {patches.height * s->patch, patches.width * s->patch};
        for (int64_t k = 0; k < clip->count; k++) AM_TRY(process_frame(s, to, &clip->frames[k]));
        if (first->height != to.height || first->width != to.width)
            return am_error(AM_INVALID_ARGUMENT,
                            "frames of video %" PRId64 " become %" PRId64 "x%" PRId64 ", those of the first %" PRId64
                            "x%" PRId64 " pixels (height, width)",
                            i, to.height, to.width, first->height, first->width);
    }
    return NULL;
}

/* Frames are resized anyway, but do_resize is refused without what it would need. */
static am_status check_do_resize(const am_image_processor *p)
{
    if (!p->do_resize) return NULL;
    if (am_json_kind_of(am_image_setting(p, "size")) != AM_JSON_MISSING &&
        am_json_kind_of(am_image_setting(p, "resample")) != AM_JSON_MISSING)
        return NULL;
    return am_error(AM_INVALID_FILE, "do_resize: expected size and resample with it");
}

static am_status preprocess(am_video_run *run)
{
    patch_settings s;
    int64_t frames = am_video_count_frames(run), *patches, *tokens;
    float *out;
    AM_TRY(check_do_resize(run->processor));
    AM_TRY(read_settings(run->processor, &s));
    AM_TRY(process(run, &s));
    const am_picture *first = run->clips->frames;
    am_shape shape = am_shape_of(frames, 3, first->height, first->width), flat = am_shape_of(frames);
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values_videos", &shape, &out));
    AM_TRY(am_image_give_integers(&run->outputs, "num_patches", &flat, &patches));
    AM_TRY(am_image_give_integers(&run->outputs, "num_tokens", &flat, &tokens));
    for (int64_t i = 0; i < run->count; i++)
        for (int64_t k = 0; k < run->clips[i].count; k++) out = am_image_put(&run->clips[i].frames[k], out);
    for (int64_t k = 0; k < frames; k++) {
        patches[k] = 1;
        tokens[k] = first->height / s.patch * (first->width / s.patch) / (s.block * s.block);
    }
    return NULL;
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "NemotronH_Omni_Reasoning_V3VideoProcessor",
     .defaults = AM_JSON({
         "downsample_ratio": 0.5, "patch_size": 16, "video_maintain_aspect_ratio": true,
         "video_target_num_patches": 1024
     })},
     .preprocess = preprocess, .is_always_float = true},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_nemotron_h_omni = {classes};
