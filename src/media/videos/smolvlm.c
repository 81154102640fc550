/* SmolVLM: frames are resized to `size`, and then to squares of max_image_size; videos are padded to the same number
   of frames. */
#include "media/images/tiles.h"
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <math.h>
#include <stddef.h>

/* The older member video_sampling has num_frames and fps, and the size, which `size` stands for where it is given. */
static am_status standardize(am_image_processor *p)
{
    am_json sampling = am_image_setting(p, "video_sampling"), size = am_json_get(sampling, "video_size");
    if (am_json_kind_of(sampling) == AM_JSON_MISSING) return NULL;
    if (am_json_kind_of(am_json_get(am_json_root(p->config), "size")) != AM_JSON_MISSING) return NULL;
    p->size = (am_image_size){.longest_edge = am_json_int(am_json_get(size, "longest_edge"), 0),
                              .height = am_json_int(am_json_get(size, "height"), 0),
                              .width = am_json_int(am_json_get(size, "width"), 0)};
    return NULL;
}

/* --- sampling --- */

static am_status read_wanted(const am_image_processor *p, const am_video_sampling *in, double *frames, double *fps)
{
    am_json sampling = am_image_setting(p, "video_sampling");
    *frames = in->num_frames ? (double)in->num_frames : am_json_real(am_json_get(sampling, "max_frames"), 0.0);
    *fps = in->target_fps > 0.0 ? in->target_fps : am_json_real(am_json_get(sampling, "fps"), 0.0);
    AM_TRY(am_sampling_check_fps(in));
    if (*frames >= 1.0 && *frames < 1e9 && *fps > 0.0 && in->duration > 0.0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "num_frames %g, fps %g and a video of %g seconds: all three must be known to sample", *frames, *fps,
                    in->duration);
}

/* Evenly, without the first and last second of a video that is long enough. */
static am_status sample(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    double frames, fps, first = 0.0, last = (double)(in->total - 1);
    AM_TRY(read_wanted(p, in, &frames, &fps));
    double count = fmax(1.0, fmin(nearbyint(fps * in->duration), frames));
    if (in->duration - 2.0 > frames * fps) {
        first = trunc(in->fps);
        last = fmin(trunc((double)in->total - in->fps), last);
    }
    if (first >= last) {
        first = 0.0;
        last = (double)(in->total - 1);
    }
    AM_TRY(am_frames_linspace(out, first, last, (int64_t)count, AM_WHOLE_FLOOR));
    am_frames_unique(out);
    return NULL;
}

/* --- frames --- */

enum { MAX_SIDE = 4096 };

/* The longer side becomes `edge`, the other one even. */
static am_plane_size fit_longest(am_plane_size in, int64_t edge)
{
    double ratio = (double)in.width / (double)in.height;
    if (edge > MAX_SIDE) edge = MAX_SIDE;
    bool wide = in.width >= in.height;
    int64_t other = (int64_t)(wide ? (double)edge / ratio : (double)edge * ratio);
    other += other % 2;
    if (other < 1) other = 1;
    return wide ? (am_plane_size){other, edge} : (am_plane_size){edge, other};
}

static am_status resize(const am_image_processor *p, am_picture *frame)
{
    int64_t side = am_json_int(am_json_get(am_image_setting(p, "max_image_size"), "longest_edge"), 0);
    am_plane_size to = {p->size.height, p->size.width};
    if (p->size.longest_edge) to = fit_longest((am_plane_size){frame->height, frame->width}, p->size.longest_edge);
    if (!to.height || !to.width) return am_error(AM_INVALID_FILE, "size: expected height and width, or longest_edge");
    AM_TRY(am_image_resize(p, frame, to));
    return am_image_resize(p, frame, (am_plane_size){side, side});
}

static am_status steps(const am_image_processor *p, am_picture *frame)
{
    if (p->do_resize) AM_TRY(resize(p, frame));
    AM_TRY(am_image_rescale_and_normalize(p, frame));
    return am_picture_to_floats(frame);
}

/* --- padding --- */

static am_plane_size largest(const am_video_run *run)
{
    am_plane_size out = {0};
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *frame = run->clips[i].frames;
        if (frame->height > out.height) out.height = frame->height;
        if (frame->width > out.width) out.width = frame->width;
    }
    return out;
}

/* Where frames are; of those that pad a video, too. */
static void mark(const am_picture *frame, am_plane_size to, int64_t frames, int64_t *out)
{
    for (int64_t k = 0; k < frames; k++, out += to.height * to.width)
        for (int64_t y = 0; y < frame->height; y++)
            for (int64_t x = 0; x < frame->width; x++) out[y * to.width + x] = 1;
}

static am_status give_padded(am_video_run *run)
{
    am_plane_size to = largest(run);
    int64_t frames = am_video_most_frames(run), channels = run->clips->frames->channels, *mask,
            plane = to.height * to.width;
    am_shape shape = am_shape_of(run->count, frames, channels, to.height, to.width),
             planes = am_shape_of(run->count, frames, to.height, to.width);
    float *out;
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values", &shape, &out));
    AM_TRY(am_image_give_integers(&run->outputs, "pixel_attention_mask", &planes, &mask));
    for (int64_t i = 0; i < run->count; i++) {
        const am_clip *clip = &run->clips[i];
        am_margins margins = {.right = to.width - clip->frames->width, .bottom = to.height - clip->frames->height};
        mark(clip->frames, to, frames, mask + i * frames * plane);
        for (int64_t k = 0; k < clip->count; k++) {
            AM_TRY(am_picture_pad(&clip->frames[k], margins, 0.0));
            am_image_put(&clip->frames[k], out + (i * frames + k) * channels * plane);
        }
    }
    return NULL;
}

static am_status preprocess(am_video_run *run)
{
    AM_TRY(am_video_each_frame(run, steps));
    return run->processor->do_pad ? give_padded(run) : am_video_give(run, "pixel_values");
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "SmolVLMVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1456}, "resample": 1,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true, "do_sample_frames": false, "max_image_size": {"longest_edge": 364}
     }), .standardize = standardize},
     .sample = sample, .preprocess = preprocess},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_smolvlm = {classes};
