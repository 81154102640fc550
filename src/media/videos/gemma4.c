/* Gemma 4 and EmbeddingGemma 2: the frames of all videos one after another, each as patches with their positions. */
#include "media/images/budgets.h"
#include "media/images/patches.h"
#include "media/videos/processor.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* EmbeddingGemma: by the second, where the video says how long that is, and then at most max_frames. */
static am_status sample_seconds(const am_video_sampling *in, am_frame_list *out)
{
    bool by_time = in->target_fps > 0.0 && in->fps > 0.0 && in->duration > 0.0;
    double count = by_time ? fmax(1.0, trunc(in->duration * in->target_fps)) : (double)in->total,
           step = by_time ? in->fps / in->target_fps : 1.0;
    for (double i = 0.0; i < count; i++)
        AM_TRY(am_frame_list_add(out, (int64_t)fmin((double)(in->total - 1), trunc(i * step))));
    return NULL;
}

static am_status sample_embedding_gemma2(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    am_json strategy = am_image_setting(p, "overflow_strategy");
    int64_t most = 32;
    if (in->num_frames)
        return am_error(AM_INVALID_ARGUMENT, "num_frames is not taken; use fps and the setting max_frames");
    AM_TRY(am_image_integer(p, "max_frames", 1, INT32_MAX, &most));
    AM_TRY(sample_seconds(in, out));
    if (out->count <= most) return NULL;
    if (am_json_equals(strategy, "uniform")) return am_frames_thin(out, most);
    if (!am_json_equals(strategy, "truncate"))
        return am_error(AM_INVALID_FILE, "overflow_strategy: expected \"uniform\" or \"truncate\"");
    out->count = most;
    return NULL;
}

static am_status process_frame(const am_image_processor *p, am_picture *frame)
{
    am_soft_tokens soft;
    am_plane_size to;
    AM_TRY(am_soft_tokens_read(p, &soft));
    if (p->do_resize) {
        AM_TRY(am_fit_soft_tokens((am_plane_size){frame->height, frame->width}, &soft, &to));
        AM_TRY(am_image_resize(p, frame, to));
    }
    AM_TRY(am_image_rescale_and_normalize(p, frame));
    return am_picture_to_floats(frame);
}

/* How many patches of `unit` pixels frames have; at least `most`, of which all videos must be where they are not
   resized. */
static am_status measure(const am_video_run *run, int64_t unit, int64_t most, int64_t *out_length)
{
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *frame = run->clips[i].frames;
        AM_TRY(am_patches_check(frame, (am_plane_size){unit, unit}, 1));
        int64_t patches = frame->height / unit * (frame->width / unit), length = patches > most ? patches : most;
        if (i && length != *out_length)
            return am_error(AM_INVALID_ARGUMENT,
                            "frames of video %" PRId64 " have %" PRId64 " patches, those before %" PRId64, i, length,
                            *out_length);
        *out_length = length;
    }
    return NULL;
}

static am_status give_patches(am_video_run *run, int64_t unit, int64_t length)
{
    am_patching patching = {.patch = {unit, unit}, .merge = 1, .times = 1, .layout = AM_PATCH_PIXELS};
    int64_t values = am_patch_values(&patching, 3), frames = am_video_count_frames(run), *positions;
    am_shape shape = am_shape_of(frames, length, values), pairs = am_shape_of(frames, length, 2);
    float *out;
    AM_TRY(am_image_give_floats(&run->outputs, "pixel_values_videos", &shape, &out));
    AM_TRY(am_image_give_integers(&run->outputs, "video_position_ids", &pairs, &positions));
    for (int64_t i = 0; i < run->count; i++) {
        for (int64_t k = 0; k < run->clips[i].count; k++, out += length * values, positions += length * 2) {
            am_patches_put(&run->clips[i].frames[k], &patching, out);
            am_soft_token_positions(&run->clips[i].frames[k], unit, length, positions);
        }
    }
    return NULL;
}

static am_status give_counts(am_video_run *run, const am_soft_tokens *soft)
{
    am_shape flat = am_shape_of(run->count);
    int64_t *frames, *tokens;
    AM_TRY(am_image_give_integers(&run->outputs, "num_frames_per_video", &flat, &frames));
    AM_TRY(am_image_give_integers(&run->outputs, "num_soft_tokens_per_video", &flat, &tokens));
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *frame = run->clips[i].frames;
        frames[i] = run->clips[i].count;
        tokens[i] = frame->height / soft->patch * (frame->width / soft->patch) / (soft->pool * soft->pool);
    }
    return NULL;
}

static am_status process(am_video_run *run, bool merges)
{
    am_soft_tokens soft;
    int64_t length = 0;
    if (run->processor->resample == AM_RESAMPLE_NEAREST && run->processor->do_resize)
        return am_error(AM_UNSUPPORTED, "resample: the older nearest, which this class takes, is not implemented");
    AM_TRY(am_soft_tokens_read(run->processor, &soft));
    AM_TRY(am_video_each_frame(run, process_frame));
    int64_t unit = merges ? soft.patch * soft.pool : soft.patch;
    AM_TRY(measure(run, unit, merges ? soft.tokens : soft.tokens * soft.pool * soft.pool, &length));
    AM_TRY(give_patches(run, unit, length));
    return give_counts(run, &soft);
}

static am_status preprocess(am_video_run *run)
{
    return process(run, false);
}

/* What is pooled later comes as one patch. */
static am_status preprocess_unified(am_video_run *run)
{
    return process(run, true);
}

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "EmbeddingGemma2VideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "do_sample_frames": true, "fps": 1,
         "max_frames": 32, "max_soft_tokens": 70, "overflow_strategy": "uniform", "patch_size": 16,
         "pooling_kernel_size": 3
     })},
     .sample = sample_embedding_gemma2, .preprocess = preprocess},
    {.settings = {.name = "Gemma4UnifiedVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "do_sample_frames": true, "num_frames": 32,
         "max_soft_tokens": 70, "patch_size": 16, "pooling_kernel_size": 3
     })},
     .preprocess = preprocess_unified},
    {.settings = {.name = "Gemma4VideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "do_sample_frames": true, "num_frames": 32,
         "max_soft_tokens": 70, "patch_size": 16, "pooling_kernel_size": 3
     })},
     .preprocess = preprocess},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_gemma4 = {classes};
