/* GLM: frames by the second, an even number of them; patches as Qwen2-VL has them. */
#include "media/videos/packing.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* --- sampling --- */

/* Seconds; of a video that does not say, so many that the last frame is within. */
static double duration_of(const am_video_sampling *in)
{
    return in->duration > 0.0 ? in->duration : nearbyint((double)(in->total - 1) / in->fps) + 1.0;
}

/* Each frame once, the last one twice where they are odd. */
static am_status make_even(am_frame_list *list)
{
    am_frames_unique(list);
    return list->count & 1 ? am_frame_list_add(list, list->items[list->count - 1]) : NULL;
}

static am_status add_up_to(am_frame_list *out, double frame, int64_t last)
{
    return am_frame_list_add(out, frame < (double)last ? (int64_t)frame : last);
}

/* Of a video longer than max_duration: as many frames as that many seconds would give, over all of it. */
static am_status sample_long(const am_video_sampling *in, double max_duration, double duration, am_frame_list *out)
{
    double count = trunc(max_duration * in->target_fps), step = duration / (count - 1.0);
    if (count >= (double)in->total)
        return am_frames_linspace(out, 0.0, (double)in->total - 1.0, in->total, AM_WHOLE_NEAREST);
    for (double i = 0.0; i < count; i++) {
        double second = count == 1.0 ? 0.0 : i == count - 1.0 ? duration : i * step;
        AM_TRY(add_up_to(out, ceil(second * in->fps), in->total - 1));
    }
    return NULL;
}

static am_status sample_glm4v(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    double max_duration = 300.0;
    AM_TRY(am_sampling_check_fps(in));
    AM_TRY(am_image_number(p, "max_duration", &max_duration));
    double duration = duration_of(in), count = fmax(floor(duration * in->target_fps), 1.0);
    if (duration > max_duration) AM_TRY(sample_long(in, max_duration, duration, out));
    for (double i = 0.0; i < count && duration <= max_duration; i++)
        AM_TRY(add_up_to(out, ceil(i * in->fps / in->target_fps), in->total - 1));
    return make_even(out);
}

/* The first frame of each period, until the time is up. */
static am_status add_periods(const am_video_sampling *in, double period, double until, am_frame_list *out)
{
    double frame_seconds = 1.0 / in->fps, next = 0.0;
    for (int64_t i = 0; i < in->total; i++) {
        if ((double)i * frame_seconds < next) continue;
        next += period;
        AM_TRY(am_frame_list_add(out, i));
        if (next >= until) break;
    }
    return NULL;
}

/* Makes the list as long as it should be: evenly between what it has, or of all the video where it has too many. */
static am_status stretch(const am_video_sampling *in, double count, am_frame_list *list)
{
    bool fewer = (double)list->count < count;
    if ((double)list->count == count) return make_even(list);
    double first = fewer && list->count ? (double)list->items[0] : 0.0,
           last = fewer && list->count ? (double)list->items[list->count - 1] : (double)(in->total - 1);
    list->count = 0;
    AM_TRY(am_frames_linspace(list, first, last, (int64_t)count, AM_WHOLE_FLOOR));
    return make_even(list);
}

/* GLM-4.6V: 3 frames a second and fewer of longer videos, times temporal_patch_size. */
static am_status sample_glm46v(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    am_packing_settings s;
    AM_TRY(am_sampling_check_fps(in));
    AM_TRY(am_packing_read(p, &s));
    double duration = duration_of(in), short_enough = fmin(duration, 2400.0), times = (double)s.times,
           fps = short_enough <= 30.0    ? 3.0
                 : short_enough <= 300.0 ? 1.0
                                         : 0.5,
           count = fmin(trunc(short_enough * fps * times), 640.0);
    if ((double)in->total < count)
        AM_TRY(am_frames_linspace(out, 0.0, (double)(in->total - 1), (int64_t)count, AM_WHOLE_FLOOR));
    else AM_TRY(add_periods(in, 1.0 / (times * fps), trunc(duration), out));
    return stretch(in, count, out);
}

static am_status sample_glm5_next(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    int64_t max_duration = 0, max_frames = 2048;
    AM_TRY(am_sampling_check_fps(in));
    AM_TRY(am_image_integer(p, "max_duration", INT32_MIN, INT32_MAX, &max_duration));
    AM_TRY(am_image_integer(p, "max_frames", 1, INT32_MAX, &max_frames));
    double duration = duration_of(in), until = trunc(duration);
    if (max_duration > 0) duration = fmin(duration, (double)max_duration);
    double count = fmin(trunc(duration * in->target_fps), (double)max_frames);
    if ((double)in->total < count)
        AM_TRY(am_frames_linspace(out, 0.0, (double)(in->total - 1), (int64_t)count, AM_WHOLE_FLOOR));
    else AM_TRY(add_periods(in, 1.0 / in->target_fps, until, out));
    return stretch(in, count, out);
}

static am_status sample_glmga(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    int64_t max_frames = 640;
    AM_TRY(am_sampling_check_fps(in));
    AM_TRY(am_image_integer(p, "max_frames", 1, INT32_MAX, &max_frames));
    double duration = duration_of(in), period = 1.0 / in->target_fps,
           count = fmin(trunc(duration * in->target_fps), (double)max_frames);
    for (double i = 0.0; i < count && (double)in->total < count; i++)
        AM_TRY(am_frame_list_add(out, (int64_t)floor(i * (double)in->total / count)));
    if ((double)in->total >= count) AM_TRY(add_periods(in, period, duration - period, out));
    return stretch(in, count, out);
}

/* --- sizes --- */

/* GLM-5: budgets are numbers of tokens; frames are not stretched but padded. */
static am_status fit_glm5_next(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                               am_plane_size in, am_packing_sizes *out)
{
    int64_t tokens[2] = {16, 240000}, expand = 1, whole = am_packing_whole_frames(frames, s->times);
    AM_TRY(am_image_integer(p, "patch_expand_factor", 1, 64, &expand));
    AM_TRY(am_image_integer(p, "min_image_tokens", 1, AM_IMAGE_MAX_PIXELS, &tokens[0]));
    AM_TRY(am_image_integer(p, "max_image_tokens", 1, AM_IMAGE_MAX_PIXELS, &tokens[1]));
    double unit = (double)(s->patch * s->merge * expand), per_token = (double)s->times * unit * unit;
    am_pixel_budget budget = {.unit = s->patch * s->merge * expand,
                              .frames = frames,
                              .whole_frames = whole > s->times ? whole : s->times,
                              .least = (double)tokens[0] * per_token,
                              .most = (double)tokens[1] * per_token};
    return am_fit_padded(in, &budget, &out->content, &out->padded);
}

static const am_packing glm4v = {.fit = am_packing_fit_frames};
static const am_packing glm5_next = {.fit = fit_glm5_next};

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "Glm46VVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 47040000},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": true, "num_frames": 16, "fps": 2,
         "max_duration": 300, "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .details = &glm4v},
     .sample = sample_glm46v, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Glm4vVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 47040000},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": true, "num_frames": 16, "fps": 2,
         "max_duration": 300, "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .details = &glm4v},
     .sample = sample_glm4v, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Glm5NextVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1}, "resample": 3, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": true, "num_frames": 16, "fps": 2,
         "max_frames": 2048, "max_image_tokens": 240000, "merge_size": 2, "min_image_tokens": 16,
         "patch_expand_factor": 1, "patch_size": 14, "temporal_patch_size": 2
     }), .details = &glm5_next},
     .sample = sample_glm5_next, .preprocess = am_packing_preprocess},
    {.settings = {.name = "GlmgaVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 12544, "longest_edge": 87478720},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": true, "num_frames": 16, "fps": 2,
         "max_frames": 640, "merge_size": 2, "patch_expand_factor": 1, "patch_size": 14, "temporal_patch_size": 2
     }), .details = &glm4v},
     .sample = sample_glmga, .preprocess = am_packing_preprocess},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_glm = {classes};
