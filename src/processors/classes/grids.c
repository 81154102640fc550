/* Images and videos as grids of patches, some of which are merged: Qwen2-VL and the many that count as it does. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The tokens that `details` names around those of the image. */
static am_status expand_wrapped(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(am_grid_count(p, true, &count));
    am_put_wrapped(p, "image_token", count, p->run->processor->kind->details, out);
    return NULL;
}

static am_status expand_whole(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(am_grid_count(p, false, &count));
    am_put_token(p->run, "image_token", count, out);
    return NULL;
}

/* HunYuan-VL: rows that end with a token, and one before and after all. */
static am_status expand_hunyuan(const am_placeholder *p, am_buffer *out)
{
    int64_t height, width, merge;
    AM_TRY(am_media_number(p->media, "image_grid_thw", p->row, 1, &height));
    AM_TRY(am_media_number(p->media, "image_grid_thw", p->row, 2, &width));
    AM_TRY(am_processor_image_integer(p->run->processor, "merge_size", &merge));
    int64_t patch = am_json_int(am_image_setting(p->run->processor->image_processor, "spatial_patch_size"), 1);
    if (!merge || patch < 1) return am_error(AM_INVALID_FILE, "merge_size, spatial_patch_size: found one below 1");
    int64_t extra = am_processor_flag(p->run->processor, "cat_extra_token", true) ? 2 : 0;
    am_put_token(p->run, "image_token", height / merge / patch * (width / merge / patch + 1) + extra, out);
    return NULL;
}

/* --- videos --- */

/* Qwen3-VL: frames that are one in time stand after the mean of the first and the last one's seconds; where the last
   are too few the last one is taken again. */
static am_status expand_timed(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    int64_t times, each, step;
    AM_TRY(am_video_grid(p, &times, &each));
    AM_TRY(am_processor_video_integer(p->run->processor, "temporal_patch_size", &step));
    for (int64_t i = 0; i < times; i++) {
        int64_t first = i * step, last = first + step - 1;
        if (first >= clip->count) return am_error(AM_INTERNAL, "video_grid_thw has more times than frames");
        if (last >= clip->count) last = clip->count - 1;
        double begin = am_clip_seconds(clip, first), end = am_clip_seconds(clip, last);
        am_buffer_printf(out, "<%.1f seconds>", (begin + end) / 2.0);
        am_put_token(p->run, "vision_start_token", 1, out);
        am_put_token(p->run, "video_token", each, out);
        am_put_token(p->run, "vision_end_token", 1, out);
    }
    return NULL;
}

/* Cosmos 3: what the chat template puts around a video goes, as each of its times has that around itself. */
static am_status put_video_alone(const am_processor_call *run, int64_t index, am_buffer *out)
{
    (void)index;
    am_put_token(run, "video_token", 1, out);
    return NULL;
}

static am_status drop_vision_ends(am_processor_call *run)
{
    const char *whole =
        am_arena_printf(&run->arena, "%s%s%s", am_token_text(run, "vision_start_token").bytes,
                        am_token_text(run, "video_token").bytes, am_token_text(run, "vision_end_token").bytes);
    if (!whole) return am_out_of_memory();
    return am_replace_in_texts(run, (am_text){whole, strlen(whole)}, put_video_alone);
}

/* VideoLLaMA 3: frames after their seconds, each as many tokens as its part of the compression mask leaves. */
static am_status expand_video_llama_3(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    double fps = clip->fps > 0.0 ? clip->fps : 1.0;
    int64_t times, each, first = 0, kept;
    for (int64_t i = 0; i <= p->row; i++) {
        am_placeholder other = *p;
        other.row = i;
        AM_TRY(am_video_grid(&other, &times, &each));
        if (i < p->row) first += times * each;
    }
    int64_t part = times * each / clip->count, end = first + times * each;
    if (!part) return am_error(AM_INVALID_ARGUMENT, "a video of %" PRId64 " frames has fewer tokens", clip->count);
    for (int64_t i = 0; i < clip->count && first < end; i++) {
        am_buffer_printf(out, "%sTime %.1fs:", i ? "," : "", (double)clip->frames[i] / fps);
        for (int64_t last = first + part; first < last && first < end; first++) {
            AM_TRY(am_media_number(p->media, "video_compression_mask", first, 0, &kept));
            if (kept) am_put_token(p->run, "video_token", 1, out);
        }
    }
    return NULL;
}

/* Rows of video_grid_thw of a video that is cut into several: the first, and how many. */
static am_status read_chunks(const am_placeholder *p, int64_t *out_first, int64_t *out_count)
{
    *out_first = 0;
    for (int64_t i = 0; i < p->row; i++) {
        int64_t count;
        AM_TRY(am_media_number(p->media, "num_chunks_per_video", i, 0, &count));
        *out_first += count;
    }
    return am_media_number(p->media, "num_chunks_per_video", p->row, 0, out_count);
}

/* Kimi: chunks after the time of day of their first frame. */
static am_status expand_kimi(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    am_placeholder chunk = *p;
    int64_t first, count, frames, times, each;
    AM_TRY(read_chunks(p, &first, &count));
    AM_TRY(am_processor_video_integer(p->run->processor, "temporal_patch_size", &frames));
    for (int64_t i = 0; i < count; i++) {
        chunk.row = first + i;
        AM_TRY(am_video_grid(&chunk, &times, &each));
        if (i * frames >= clip->count) return am_error(AM_INTERNAL, "more chunks than frames");
        double time = am_clip_seconds(clip, i * frames);
        int64_t seconds = (int64_t)time;
        am_buffer_printf(out, "%02d:%02d:%02d.%03d<|media_begin|>video<|media_content|>", (int)(seconds / 3600 % 24),
                         (int)(seconds / 60 % 60), (int)(seconds % 60), (int)(fmod(time, 1.0) * 1000.0));
        am_put_token(p->run, "video_token", each, out);
        am_buffer_append_string(out, "<|media_end|>");
    }
    return NULL;
}

/* MiniMax: times after their seconds, where the video says how many frames a second it has. */
static am_status expand_minimax(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"vision_start_token", "vision_end_token"};
    const am_processor_clip *clip = &p->run->clips[p->index];
    am_placeholder chunk = *p;
    int64_t first, count, times, each, step, total = 0;
    AM_TRY(read_chunks(p, &first, &count));
    AM_TRY(am_processor_video_integer(p->run->processor, "temporal_patch_size", &step));
    for (int64_t i = 0; i < count; i++) {
        chunk.row = first + i;
        AM_TRY(am_video_grid(&chunk, &times, &each));
        total += times;
    }
    for (int64_t i = 0; i < total; i++) {
        int64_t frame = i * step < clip->count ? i * step : clip->count - 1;
        if (clip->fps > 0.0) am_buffer_printf(out, "]<]%.1f seconds[>[", (double)clip->frames[frame] / clip->fps);
        am_put_wrapped(p, "video_token", each, &wrapping, out);
    }
    return NULL;
}

/* Ernie: the model merges frames, too. */
static am_status expand_ernie(const am_placeholder *p, am_buffer *out)
{
    int64_t times, each, rows, columns, merge, step;
    AM_TRY(am_video_grid(p, &times, &each));
    AM_TRY(am_media_number(p->media, "video_grid_thw", p->row, 1, &rows));
    AM_TRY(am_media_number(p->media, "video_grid_thw", p->row, 2, &columns));
    AM_TRY(am_processor_video_integer(p->run->processor, "merge_size", &merge));
    AM_TRY(am_processor_video_integer(p->run->processor, "temporal_patch_size", &step));
    if (!step) return am_error(AM_INVALID_FILE, "temporal_patch_size: expected a positive integer, found 0");
    am_put_token(p->run, "video_token", times * rows * columns / (merge * merge * step), out);
    return NULL;
}

/* HyperCLOVA X: each <|video_duration|> becomes the seconds of the next video, as JSON has them. */
static am_status put_duration(const am_processor_call *run, int64_t index, am_buffer *out)
{
    if (index >= run->inputs->video_count)
        return am_error(AM_INVALID_ARGUMENT, "more durations than videos, which are %" PRId64,
                        run->inputs->video_count);
    const am_video *video = &run->inputs->videos[index];
    double seconds = (double)video->count / (video->fps > 0.0 ? video->fps : 24.0);
    am_buffer_printf(out, "%.2f", video->duration > 0.0 ? video->duration : seconds);
    if (out->length && out->bytes[out->length - 1] == '0') out->length--;
    return NULL;
}

static am_status put_durations(am_processor_call *run)
{
    static const char token[] = "<|video_duration|>";
    return am_replace_in_texts(run, (am_text){token, sizeof token - 1}, put_duration);
}

/* GLM-4V: the tokens of an image for each frame, of which every other counts, and its seconds. */
static am_status put_glm_frames(const am_placeholder *p, bool whole_seconds, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    int64_t times, each;
    AM_TRY(am_video_grid(p, &times, &each));
    for (int64_t i = 0; i < times; i++) {
        int64_t frame = 2 * i < clip->count ? 2 * i : (clip->count - 1) / 2 * 2;
        am_buffer_append_string(out, "<|begin_of_image|>");
        am_put_token(p->run, "image_token", each, out);
        am_buffer_append_string(out, "<|end_of_image|>");
        double seconds = am_clip_seconds(clip, frame);
        if (whole_seconds) am_buffer_printf(out, "%" PRId64, (int64_t)seconds);
        else am_buffer_printf(out, "%.1f seconds", seconds);
    }
    return NULL;
}

static am_status expand_glm4v(const am_placeholder *p, am_buffer *out)
{
    return put_glm_frames(p, true, out);
}

static am_status expand_glm46v(const am_placeholder *p, am_buffer *out)
{
    return put_glm_frames(p, false, out);
}

static int64_t id_of(const am_processor_call *run, const char *name)
{
    const am_processor_token *token = am_processor_find_token(run->processor, name);
    return token ? token->id : -1;
}

/* Tokens of images between those that begin and end a video are of videos. */
static am_status mark_glm_videos(am_processor_call *run)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    const am_media_output *types = am_media_tensors_find(&run->out->tensors, "mm_token_type_ids");
    int64_t start = id_of(run, "video_start_token"), end = id_of(run, "video_end_token");
    if (!ids || !types) return am_error(AM_INTERNAL, "no input_ids or mm_token_type_ids");
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const am_tensor *x = &ids->tensors[ids->is_list ? i : 0];
        int64_t length = x->shape.dims[x->shape.rank - 1], first = ids->is_list ? 0 : i * length, open = 0;
        const int64_t *row = (const int64_t *)x->data + first;
        int64_t *kinds = (int64_t *)types->tensors[types->is_list ? i : 0].data + first;
        for (int64_t k = 0; k < length; k++) {
            open += (row[k] == start) - (row[k] == end);
            if (kinds[k] == 1 && open > 0) kinds[k] = 2;
        }
    }
    return NULL;
}

/* Qwen2.5-VL: second_per_grid_ts, [videos]. */
static am_status give_seconds(am_processor_call *run)
{
    int64_t step;
    am_tensor *seconds;
    am_shape shape = am_shape_of(run->inputs->video_count);
    if (!run->inputs->video_count) return NULL;
    AM_TRY(am_processor_video_integer(run->processor, "temporal_patch_size", &step));
    AM_TRY(am_media_tensors_add(&run->out->tensors, "second_per_grid_ts", AM_F32, &shape, &seconds));
    for (int64_t i = 0; i < run->inputs->video_count; i++) {
        const am_processor_clip *clip = &run->clips[i];
        double fps = am_clip_fps(clip);
        if (clip->fps > 0.0) fps = (double)clip->count / (double)clip->total * fps;
        ((float *)seconds->data)[i] = (float)((double)step / fps);
    }
    return NULL;
}

/* --- ids of Ernie 4.5 --- */

/* create_moe_mm_token_type_ids: the tokens around an image count as its, those around a video as that's. */
static am_status give_moe_types(am_processor_call *run)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    int64_t count = run->out->text_count, *lengths = am_arena_array(&run->arena, (size_t)count, sizeof *lengths);
    int64_t **rows = am_arena_array(&run->arena, (size_t)count, sizeof *rows);
    static const char *const names[2][3] = {{"image_token", "image_start_token", "image_end_token"},
                                            {"video_token", "video_start_token", "video_end_token"}};
    if (!ids || !lengths || !rows) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        const am_tensor *x = &ids->tensors[ids->is_list ? i : 0];
        lengths[i] = x->shape.dims[x->shape.rank - 1];
        const int64_t *row = (const int64_t *)x->data + (ids->is_list ? 0 : i * lengths[i]);
        rows[i] = am_arena_array(&run->arena, (size_t)lengths[i] + 1, sizeof **rows);
        if (!rows[i]) return am_out_of_memory();
        for (int64_t k = 0; k < 6 * lengths[i]; k++)
            if (row[k / 6] == id_of(run, names[k % 6 / 3][k % 3])) rows[i][k / 6] = k % 6 / 3 + 1;
    }
    return am_give_rows(run, "moe_mm_token_type_ids", count, lengths, rows);
}

/* --- rows of the table --- */

static const am_wrapping image_ends = {"image_start_token", "image_end_token"};
static const am_wrapping vision_ends = {"vision_start_token", "vision_end_token"};

#define GRID                                                                                                           \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = am_expand_grid                                                         \
    }

#define VIDEO_GRID                                                                                                     \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = am_expand_video_grid                                                   \
    }
#define TIMED_VIDEO                                                                                                    \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = expand_timed                                                           \
    }

#define VIDEO(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = rule                                                                   \
    }
#define GLM_NAMES "image_token* video_token*? video_start_token? video_end_token?"

/* clang-format off */
#define QWEN_TOKENS AM_JSON({"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"})
#define QWEN3_TOKENS                                                                                                   \
    AM_JSON({"image_token": "<|image_pad|>", "video_token": "<|video_pad|>",                                           \
             "vision_start_token": "<|vision_start|>", "vision_end_token": "<|vision_end|>",                           \
             "text_kwargs": {"return_token_type_ids": false}})
#define GLM_TOKENS                                                                                                     \
    AM_JSON({"image_token": "<|image|>", "video_token": "<|video|>", "video_start_token": "<|begin_of_video|>",        \
             "video_end_token": "<|end_of_video|>", "text_kwargs": {"return_token_type_ids": false}})

static const am_processor_class classes[] = {
    {.name = "Qwen2VLProcessor", .settings = QWEN_TOKENS, .tokens = "image_token* video_token*?", .image = GRID,
     .video = VIDEO_GRID, .video_processor = "Qwen2VLVideoProcessor", .type_ids = "mm_token_type_ids"},
    {.name = "Qwen2_5_VLProcessor", .settings = QWEN_TOKENS, .tokens = "image_token* video_token*?", .image = GRID,
     .video = VIDEO_GRID, .video_processor = "Qwen2VLVideoProcessor", .type_ids = "mm_token_type_ids",
     .finish = give_seconds},
    {.name = "Qwen3VLProcessor",
     .settings = QWEN3_TOKENS,
     .tokens = "image_token* video_token*? vision_start_token*? vision_end_token*?", .image = GRID,
     .video = TIMED_VIDEO, .video_processor = "Qwen3VLVideoProcessor", .type_ids = "mm_token_type_ids"},
    {.name = "CohereCompassProcessor",
     .settings = AM_JSON({"image_token": "<|IMAGE_PAD|>", "video_token": "<|VIDEO_PAD|>",
                          "vision_start_token": "<|VISION_START|>", "vision_end_token": "<|VISION_END|>",
                          "text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "image_token video_token? vision_start_token? vision_end_token?", .image = GRID,
     .video = TIMED_VIDEO, .video_processor = "CohereCompassVideoProcessor", .type_ids = "mm_token_type_ids"},
    {.name = "Exaone4_5_Processor", .settings = QWEN_TOKENS, .tokens = "image_token* video_token*?", .image = GRID,
     .video = VIDEO_GRID, .video_processor = "Qwen2VLVideoProcessor"},
    {.name = "Cosmos3EdgeProcessor",
     .settings = AM_JSON({"image_token": "<|image_pad|>", "video_token": "<|video_pad|>",
                          "vision_start_token": "<|vision_start|>", "vision_end_token": "<|vision_end|>"}),
     .tokens = "image_token* video_token*? vision_start_token*? vision_end_token*?", .image = GRID,
     .video = TIMED_VIDEO, .video_processor = "Cosmos3EdgeVideoProcessor", .prepare = drop_vision_ends},
    {.name = "VideoLlama3Processor", .settings = QWEN_TOKENS, .tokens = "image_token* video_token*?", .image = GRID,
     .video = VIDEO(expand_video_llama_3), .video_processor = "VideoLlama3VideoProcessor"},
    {.name = "HyperCLOVAXVisionV2Processor", .settings = QWEN_TOKENS, .tokens = "image_token* video_token*?",
     .image = GRID, .video = VIDEO_GRID, .video_processor = "Qwen2VLVideoProcessor", .prepare = put_durations},
    {.name = "Lfm3VlProcessor",
     .settings = QWEN3_TOKENS,
     .tokens = "image_token* video_token*? vision_start_token*? vision_end_token*?", .image = GRID,
     .video = TIMED_VIDEO, .video_processor = "Qwen3VLVideoProcessor"},
    {.name = "Kimi_K25Processor", .settings = AM_JSON({"image_token": "<|media_pad|>",
                          "video_token": "<|kimi_k25_video_placeholder|>"}),
     .tokens = "image_token* video_token*?", .image = GRID, .video = VIDEO(expand_kimi),
     .video_processor = "Kimi_K25VideoProcessor", .unused = "num_chunks_per_video"},
    {.name = "PaddleOCRVLProcessor", .tokens = "image_token*", .image = GRID, .type_ids = "mm_token_type_ids"},
    {.name = "Glm4vProcessor", .settings = GLM_TOKENS, .tokens = GLM_NAMES, .image = GRID, .video = VIDEO(expand_glm4v),
     .video_processor = "Glm4vVideoProcessor", .type_ids = "mm_token_type_ids", .finish = mark_glm_videos},
    {.name = "Glm46VProcessor", .settings = GLM_TOKENS, .tokens = GLM_NAMES, .image = GRID, .video = VIDEO(expand_glm46v),
     .video_processor = "Glm46VVideoProcessor", .type_ids = "mm_token_type_ids", .finish = mark_glm_videos},
    {.name = "Glm5NextProcessor", .settings = GLM_TOKENS, .tokens = GLM_NAMES, .image = GRID, .video = VIDEO(expand_glm46v),
     .video_processor = "Glm5NextVideoProcessor", .type_ids = "mm_token_type_ids", .finish = mark_glm_videos},
    {.name = "Ernie4_5_VLMoeProcessor", .settings = AM_JSON({"text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "image_token* image_start_token* image_end_token* video_token*? video_start_token*? video_end_token*?",
     .image = GRID, .video = VIDEO(expand_ernie), .video_processor = "Ernie4_5_VLMoeVideoProcessor",
     .type_ids = "mm_token_type_ids", .finish = give_moe_types},
    {.name = "MiniMaxM3VLProcessor",
     .settings = AM_JSON({"image_token": "]<]image[>[", "video_token": "]<]video[>[",
                          "vision_start_token": "]<]start of image[>[",
                          "vision_end_token": "]<]end of image[>[", "videos_kwargs": {"do_resize": false}}),
     .tokens = "image_token video_token? vision_start_token vision_end_token", .details = &vision_ends,
     .image = {.placeholder = "image_token", .expand = expand_wrapped}, .video = VIDEO(expand_minimax),
     .video_processor = "MiniMaxM3VLVideoProcessor", .unused = "num_chunks_per_video"},
    {.name = "MuseGlimmerProcessor",
     .settings = AM_JSON({"image_token": "<|patch|>", "video_token": "<|video|>",
                          "image_start_token": "<|image_start|>", "image_end_token": "<|image_end|>",
                          "video_sep_token": "<|vid_frame_separator|>", "video_start_token": "<|vid_start|>",
                          "video_end_token": "<|vid_end|>"}),
     .tokens = "image_token image_start_token image_end_token video_token? video_sep_token? video_start_token? "
               "video_end_token?", .details = &image_ends,
     .image = {.placeholder = "image_token", .expand = expand_wrapped}, .video = VIDEO(am_expand_separated_video),
     .video_processor = "MuseGlimmerVideoProcessor"},
    {.name = "Inkling2Processor", .settings = AM_JSON({"image_token": "<|unused_200054|>"}), .tokens = "image_token*",
     .image = {.placeholder = "image_token", .expand = expand_whole}},
    {.name = "HunYuanVLProcessor",
     .settings = AM_JSON({"cat_extra_token": true, "text_kwargs": {"padding": true, "add_special_tokens": false}}),
     .tokens = "image_token* image_start_token* image_end_token*",
     .image = {.placeholder = "image_token", .expand = expand_hunyuan}, .type_ids = "mm_token_type_ids"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_grids = {classes};
