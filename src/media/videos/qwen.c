/* Qwen2-VL, Qwen3-VL and those that pack patches of frames as they do. */
#include "media/preprocessor_config.h"
#include "media/videos/packing.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static bool is_argument(const am_image_processor *p, const char *key)
{
    am_json value = p->arguments ? am_json_get(am_json_root(p->arguments), key) : (am_json){0};
    return am_preprocessor_config_given(value);
}

/* min_pixels and max_pixels of old stand for the edges of size, those of the configuration where a call has no size. */
static am_status standardize(am_image_processor *p)
{
    bool sized = is_argument(p, "size");
    if (!sized || is_argument(p, "min_pixels"))
        AM_TRY(am_image_integer(p, "min_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.shortest_edge));
    if (!sized || is_argument(p, "max_pixels"))
        AM_TRY(am_image_integer(p, "max_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.longest_edge));
    return NULL;
}

/* --- sampling --- */

static am_status read_bounds(const am_image_processor *p, int64_t least, int64_t most, double out[2])
{
    AM_TRY(am_image_integer(p, "min_frames", 1, INT32_MAX, &least));
    AM_TRY(am_image_integer(p, "max_frames", 1, INT32_MAX, &most));
    out[0] = (double)least;
    out[1] = (double)most;
    return NULL;
}

/* Qwen2-VL: as many frames as patches in time need. */
static am_status sample_qwen2_vl(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    am_packing_settings s;
    double bounds[2], total = (double)in->total, count;
    AM_TRY(am_sampling_check_exclusive(in));
    AM_TRY(am_packing_read(p, &s));
    AM_TRY(read_bounds(p, 4, 768, bounds));
    double times = (double)s.times;
    if (in->num_frames) {
        count = nearbyint((double)in->num_frames / times) * times;
    } else if (in->target_fps > 0.0) {
        AM_TRY(am_sampling_check_fps(in));
        double most = floor(fmin(bounds[1], total) / times) * times;
        count = fmin(fmin(fmax(total / in->fps * in->target_fps, bounds[0]), most), total);
        count = floor(count / times) * times;
    } else {
        return am_error(AM_INVALID_ARGUMENT, "neither num_frames nor fps says how many frames are sampled");
    }
    return am_frames_arange(out, 0.0, in->total, count);
}

/* Qwen3-VL: evenly from the first to the last; a video says 24 frames a second where it says nothing. */
static am_status sample_qwen3_vl(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    double bounds[2], total = (double)in->total, count = (double)in->num_frames;
    AM_TRY(am_sampling_check_exclusive(in));
    AM_TRY(read_bounds(p, 4, 768, bounds));
    if (!in->num_frames) {
        double wanted = trunc(total / (in->fps > 0.0 ? in->fps : 24.0) * in->target_fps);
        count = fmin(fmin(fmax(wanted, bounds[0]), bounds[1]), total);
    }
    return am_frames_linspace(out, 0.0, total - 1.0, (int64_t)count, AM_WHOLE_NEAREST);
}

/* Ernie: all frames, or as many as fps says, within bounds. */
static am_status sample_ernie(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    double bounds[2], total = (double)in->total, count = (double)in->num_frames;
    AM_TRY(am_sampling_check_exclusive(in));
    AM_TRY(read_bounds(p, 16, 180, bounds));
    if (in->num_frames && (count < bounds[0] || count > bounds[1]))
        return am_error(AM_INVALID_ARGUMENT, "num_frames %" PRId64 ": expected %g to %g", in->num_frames, bounds[0],
                        bounds[1]);
    if (in->target_fps > 0.0) AM_TRY(am_sampling_check_fps(in));
    if (!in->num_frames) {
        double wanted = in->target_fps > 0.0 ? total / in->fps * in->target_fps : total;
        count = fmin(fmin(fmax(wanted, bounds[0]), bounds[1]), total);
    }
    return am_frames_arange(out, 0.0, in->total, count);
}

/* torch.linspace in single precision, its second half counted from the end. */
static am_status add_linspace(am_frame_list *out, int64_t total, int64_t count)
{
    float stop = (float)(total - 1), step = count > 1 ? stop / (float)(count - 1) : 0.0f;
    for (int64_t i = 0; i < count; i++) {
        float value = i < count / 2 ? step * (float)i : stop - step * (float)(count - i - 1);
        AM_TRY(am_frame_list_add(out, count > 1 ? (int64_t)value : 0));
    }
    return NULL;
}

static am_status sample_muse_glimmer(const am_image_processor *p, const am_video_sampling *in, am_frame_list *out)
{
    am_packing_settings s;
    AM_TRY(am_packing_read(p, &s));
    double fps = in->fps > 0.0 ? in->fps : 24.0, wanted = trunc((double)in->total * in->target_fps / fps);
    int64_t count = (int64_t)fmin(fmin(wanted, (double)in->num_frames), (double)in->total) / s.times * s.times;
    if (count < s.times) count = s.times;
    return add_linspace(out, in->total, count < in->total ? count : in->total);
}

/* --- sizes --- */

/* cap_pixels_per_frame of Qwen2-VL: a frame has at most its share of max_video_tokens. */
static am_status fit_qwen2_vl(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                              am_plane_size in, am_packing_sizes *out)
{
    bool caps = false;
    int64_t tokens = 128000, unit = s->patch * s->merge, most = p->size.longest_edge;
    AM_TRY(am_image_flag(p, "cap_pixels_per_frame", &caps));
    AM_TRY(am_image_integer(p, "max_video_tokens", 1, INT32_MAX, &tokens));
    AM_TRY(am_packing_check_edges(p));
    if (caps) {
        double budget = trunc((double)tokens * (double)unit * (double)unit * 0.9),
               share = floor(budget * (double)s->times / (double)frames),
               least = trunc((double)p->size.shortest_edge * 1.05);
        most = (int64_t)fmax(fmin((double)most, share), least);
    }
    AM_TRY(am_image_smart_resize(in, unit, p->size.shortest_edge, most, &out->content));
    out->padded = out->content;
    return NULL;
}

/* VideoLLaMA 3: the longest edge is of all frames together. */
static am_status fit_video_llama_3(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                                   am_plane_size in, am_packing_sizes *out)
{
    int64_t most = p->size.longest_edge / frames;
    AM_TRY(am_packing_check_edges(p));
    if (most < 1) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " frames are more than size has pixels", frames);
    AM_TRY(am_image_smart_resize(in, s->patch * s->merge, p->size.shortest_edge, most, &out->content));
    out->padded = out->content;
    return NULL;
}

/* MiniMax: `size` means nothing. */
static am_status fit_minimax(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                             am_plane_size in, am_packing_sizes *out)
{
    int64_t least = 4 * 28 * 28, most = 768 * 28 * 28;
    (void)frames;
    AM_TRY(am_image_integer(p, "min_pixels", 1, AM_IMAGE_MAX_PIXELS, &least));
    AM_TRY(am_image_integer(p, "max_pixels", 1, AM_IMAGE_MAX_PIXELS, &most));
    AM_TRY(am_image_smart_resize(in, s->patch * s->merge, least, most, &out->content));
    out->padded = out->content;
    return NULL;
}

static am_status fit_kimi_k25(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                              am_plane_size in, am_packing_sizes *out)
{
    (void)frames;
    return am_fit_navit(p, s->patch, s->patch * s->merge, in, &out->content, &out->padded);
}

static am_status fit_muse_glimmer(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                                  am_plane_size in, am_packing_sizes *out)
{
    int64_t max_tokens = 144;
    (void)frames;
    AM_TRY(am_image_integer(p, "max_video_frame_tokens", 1, AM_IMAGE_MAX_PIXELS, &max_tokens));
    out->content = out->padded = am_fit_blocks(in, s->patch * s->merge, max_tokens);
    return NULL;
}

/* --- VideoLLaMA 3 --- */

/* Whether two tokens, blocks of patches at the same place of two frames, differ by more than 0.1 of 255 on average. */
static bool differs(const float *token, const float *before, int64_t values)
{
    double sum = 0.0;
    for (int64_t i = 0; i < values; i++) sum += fabs((double)token[i] - (double)before[i]);
    return sum / (double)values * 255.0 > 0.1;
}

/* The tokens of one video, [times, tokens], that are kept: all of the first frame, and at least one of each. */
static void mark_tokens(const float *values, int64_t times, int64_t tokens, int64_t per_token, uint8_t *out)
{
    for (int64_t t = 0; t < times; t++) {
        int64_t kept = 0;
        for (int64_t k = 0; k < tokens; k++) {
            const float *token = values + (t * tokens + k) * per_token;
            out[t * tokens + k] = t == 0 || differs(token, token - tokens * per_token, per_token);
            kept += out[t * tokens + k];
        }
        if (!kept) out[t * tokens] = 1;
    }
}

static am_status give_compression(am_video_run *run, const am_packing_settings *s, bool compresses)
{
    const am_tensor *patches, *grid;
    am_tensor *mask;
    AM_TRY(am_media_tensors_get(run->outputs.out, "pixel_values_videos", &patches));
    AM_TRY(am_media_tensors_get(run->outputs.out, "video_grid_thw", &grid));
    int64_t block = s->merge * s->merge, per_token = patches->shape.dims[1] * block;
    const int64_t *thw = grid->data;
    const float *values = patches->data;
    am_shape shape = am_shape_of(patches->shape.dims[0] / block);
    AM_TRY(am_media_tensors_add(run->outputs.out, "video_compression_mask", AM_BOOL, &shape, &mask));
    uint8_t *out = mask->data;
    for (int64_t i = 0; i < run->count; i++, thw += 3) {
        int64_t tokens = thw[1] * thw[2] / block;
        if (compresses) mark_tokens(values, thw[0], tokens, per_token, out);
        for (int64_t k = 0; k < thw[0] * tokens && !compresses; k++) out[k] = 1;
        values += thw[0] * tokens * per_token;
        out += thw[0] * tokens;
    }
    return NULL;
}

static am_status preprocess_video_llama_3(am_video_run *run)
{
    am_packing_settings s;
    bool compresses = false;
    am_shape flat = am_shape_of(run->count);
    int64_t *sizes;
    AM_TRY(am_packing_read(run->processor, &s));
    AM_TRY(am_image_flag(run->processor, "use_token_compression", &compresses));
    if (compresses && !run->processor->do_rescale && !run->processor->do_normalize &&
        am_video_most_frames(run) > s.times)
        return am_error(AM_INVALID_ARGUMENT, "use_token_compression: expected do_rescale or do_normalize with it");
    AM_TRY(am_packing_preprocess(run));
    AM_TRY(am_image_give_integers(&run->outputs, "video_merge_sizes", &flat, &sizes));
    for (int64_t i = 0; i < run->count; i++) sizes[i] = s.merge;
    return give_compression(run, &s, compresses);
}

/* --- others --- */

static am_status preprocess_ernie(am_video_run *run)
{
    bool draws = true;
    AM_TRY(am_image_flag(run->processor, "draw_on_frames", &draws));
    if (draws) return am_error(AM_UNSUPPORTED, "draw_on_frames: times are not written on frames here");
    return am_packing_preprocess(run);
}

static am_status check_times(am_image_processor *p, int64_t expected)
{
    int64_t times = expected;
    AM_TRY(am_image_integer(p, "temporal_patch_size", 1, INT32_MAX, &times));
    if (times == expected) return NULL;
    return am_error(AM_INVALID_FILE, "temporal_patch_size: expected %" PRId64 ", found %" PRId64, expected, times);
}

static am_status standardize_cosmos3_edge(am_image_processor *p)
{
    return check_times(p, 1);
}

static am_status standardize_ernie(am_image_processor *p)
{
    AM_TRY(am_packing_check_edges(p));
    return check_times(p, 2);
}

static const am_packing cosmos3_edge = {.fit = am_packing_fit_frames, .layout = AM_PATCH_PIXELS};
static const am_packing ernie = {.fit = am_packing_fit_plain, .single_frames = true};
static const am_packing kimi_k25 = {.fit = fit_kimi_k25, .by_rows = true, .chunks = true};
static const am_packing minimax_m3_vl = {.fit = fit_minimax, .segment = "vision_segment_max_frames"};
static const am_packing muse_glimmer = {.fit = fit_muse_glimmer, .layout = AM_PATCH_TIME_CHANNEL, .by_rows = true};
static const am_packing qwen2_vl = {.fit = fit_qwen2_vl};
static const am_packing qwen3_vl = {.fit = am_packing_fit_frames};
static const am_packing video_llama_3 = {.fit = fit_video_llama_3};

/* clang-format off */
static const am_video_class classes[] = {
    {.settings = {.name = "CohereCompassVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 131072, "longest_edge": 786432},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true, "fps": 2, "max_frames": 768,
         "max_video_tokens": 768, "merge_size": 2, "min_frames": 4, "patch_size": 16, "temporal_patch_size": 2
     }), .details = &qwen3_vl},
     .sample = sample_qwen3_vl, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Cosmos3EdgeVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 4096, "longest_edge": 25165824},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true, "fps": 2, "max_frames": 768, "merge_size": 2,
         "min_frames": 4, "patch_size": 16, "temporal_patch_size": 1
     }), .standardize = standardize_cosmos3_edge, .details = &cosmos3_edge},
     .sample = sample_qwen3_vl, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Ernie4_5_VLMoeVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 234416, "longest_edge": 937664},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": true, "draw_on_frames": true,
         "max_frames": 180, "merge_size": 2, "min_frames": 16, "patch_size": 14, "temporal_patch_size": 2
     }), .standardize = standardize_ernie, .details = &ernie},
     .sample = sample_ernie, .preprocess = preprocess_ernie},
    {.settings = {.name = "Kimi_K25VideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"max_height": 512, "max_width": 512}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_sample_frames": true, "fps": 2, "max_patches": 4096, "merge_size": 2, "patch_size": 14,
         "temporal_patch_size": 4
     }), .details = &kimi_k25},
     .preprocess = am_packing_preprocess},
    {.settings = {.name = "MiniMaxM3VLVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 672, "width": 672},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "do_sample_frames": false, "fps": 1.0, "max_frames": 768, "max_pixels": 602112, "merge_size": 2,
         "min_frames": 4, "min_pixels": 3136, "patch_size": 14, "temporal_patch_size": 2,
         "vision_segment_max_frames": 4
     }), .details = &minimax_m3_vl},
     .preprocess = am_packing_preprocess},
    {.settings = {.name = "MuseGlimmerVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "resample": 1, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true, "num_frames": 96,
         "fps": 2.0, "frame_timestamp_format": "Time: {timestamp:.1f}s", "max_video_frame_tokens": 144, "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .details = &muse_glimmer},
     .sample = sample_muse_glimmer, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Qwen2VLVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 100352, "longest_edge": 602112},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_sample_frames": false, "max_frames": 768,
         "max_video_tokens": 128000, "merge_size": 2, "min_frames": 4, "patch_size": 14, "temporal_patch_size": 2
     }), .standardize = standardize, .details = &qwen2_vl},
     .sample = sample_qwen2_vl, .preprocess = am_packing_preprocess},
    {.settings = {.name = "Qwen3VLVideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 131072, "longest_edge": 786432},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": true, "fps": 2, "max_frames": 768,
         "max_video_tokens": 768, "merge_size": 2, "min_frames": 4, "patch_size": 16, "temporal_patch_size": 2
     }), .details = &qwen3_vl},
     .sample = sample_qwen3_vl, .preprocess = am_packing_preprocess},
    {.settings = {.name = "VideoLlama3VideoProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 100352, "longest_edge": 602112},
         "resample": 3, "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "do_sample_frames": false, "max_frames": 180, "merge_size": 2,
         "min_frames": 4, "patch_size": 14, "temporal_patch_size": 1, "use_token_compression": true
     }), .standardize = standardize, .details = &video_llama_3},
     .sample = sample_qwen2_vl, .preprocess = preprocess_video_llama_3},
    {.settings = {0}},
};
/* clang-format on */

const am_video_family am_video_family_qwen = {classes};
