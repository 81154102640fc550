/* Models that read images and sounds. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>

/* --- Qwen Omni --- */

static int64_t qwen2_count(const am_processor *p, int64_t frames)
{
    (void)p;
    return am_floor_div(am_floor_div(frames - 1, 2) + 1 - 2, 2) + 1;
}

static am_status extract_qwen2(am_processor_call *run)
{
    return am_extract_counted(run, "attention_mask", "feature_attention_mask", qwen2_count);
}

static int64_t qwen3_count(const am_processor *p, int64_t frames)
{
    int64_t chunk = 2 * am_json_int(am_processor_setting(p, "n_window"), 50), rest = frames % chunk;
    for (int i = 0; i < 3; i++) rest = am_floor_div(rest - 1, 2) + 1;
    return rest + frames / chunk * 13;
}

static am_status extract_qwen3(am_processor_call *run)
{
    int64_t window;
    AM_TRY(am_processor_integer(run->processor, "n_window", &window));
    if (!window) return am_error(AM_INVALID_ARGUMENT, "n_window: expected a positive integer, found 0");
    return am_extract_counted(run, "attention_mask", "feature_attention_mask", qwen3_count);
}

/* Seconds between times of a video: of as many frames a second as the call, not the video, says. */
static am_status seconds_per_grid(const am_processor *p, double usual, double *out)
{
    int64_t step;
    double fps = am_json_real(am_processor_kwarg(p, "videos_kwargs", "fps"), usual);
    AM_TRY(am_processor_video_integer(p, "temporal_patch_size", &step));
    if (!(fps > 0.0)) return am_error(AM_INVALID_ARGUMENT, "fps: expected a positive number, found %g", fps);
    *out = (double)step / fps;
    return NULL;
}

static am_status give_seconds(am_processor_call *run, double usual)
{
    double seconds;
    am_tensor *made;
    am_shape shape = am_shape_of(run->inputs->video_count);
    if (!run->inputs->video_count) return NULL;
    AM_TRY(seconds_per_grid(run->processor, usual, &seconds));
    AM_TRY(am_media_tensors_add(&run->out->tensors, "video_second_per_grid", AM_F32, &shape, &made));
    for (int64_t i = 0; i < run->inputs->video_count; i++) ((float *)made->data)[i] = (float)seconds;
    return NULL;
}

enum { QWEN2_FPS = 2, QWEN3_FPS = 1 };

static am_status give_qwen2_seconds(am_processor_call *run)
{
    return give_seconds(run, QWEN2_FPS);
}

static am_status give_qwen3_seconds(am_processor_call *run)
{
    return give_seconds(run, QWEN3_FPS);
}

/* Tokens in the order of their positions, counted from 0: the k-th at k / each * seconds * rate. */
typedef struct positions {
    int64_t count, each;
    double seconds, rate;
    int64_t at, chunk; /* of chunks: where the next begins, and its number; -1: there is none */
} positions;

static double position(const positions *p, int64_t k)
{
    return (double)(k / p->each) * p->seconds * p->rate;
}

/* get_chunked_index: the tokens of the next chunk. */
static int64_t next_chunk(positions *p, int64_t per_chunk, int64_t *from)
{
    int64_t begin = p->at;
    if (p->chunk < 0) return 0;
    for (int64_t i = *from; i < p->count; i++) {
        if (position(p, i) < (double)((p->chunk + 1) * per_chunk)) continue;
        p->chunk++;
        p->at = i;
        *from = i + 1;
        return i - begin;
    }
    p->chunk = -1;
    return p->count - begin;
}

/* Positions of the tokens of a video and of its sound. */
static am_status read_positions(const am_placeholder *p, double usual, positions *video, positions *sound)
{
    const am_processor_call *run = p->run;
    int64_t times;
    *sound = (positions){.each = 1, .seconds = 1.0, .rate = 1.0};
    *video = (positions){.rate = am_json_real(am_processor_setting(run->processor, "position_id_per_seconds"), 0.0)};
    AM_TRY(am_video_grid(p, &times, &video->each));
    AM_TRY(seconds_per_grid(run->processor, usual, &video->seconds));
    AM_TRY(am_media_number(&run->sounds, "num_audio_tokens", run->sound_of_video[p->index], 0, &sound->count));
    video->count = times * video->each;
    if (!video->each) video->each = 1;
    return NULL;
}

static bool has_sound(const am_placeholder *p)
{
    return p->run->sound_of_video && p->run->sound_of_video[p->index] >= 0;
}

/* Chunks of seconds_per_chunk of both in turn. */
static am_status expand_qwen2_video(const am_placeholder *p, am_buffer *out)
{
    positions video, sound;
    if (!has_sound(p)) return am_expand_video_grid(p, out);
    AM_TRY(read_positions(p, QWEN2_FPS, &video, &sound));
    double seconds = am_json_real(am_processor_setting(p->run->processor, "seconds_per_chunk"), 0.0);
    if (!(video.rate * seconds >= 1.0 && video.rate * seconds < 1e9))
        return am_error(AM_INVALID_ARGUMENT, "position_id_per_seconds %g and seconds_per_chunk %g make no chunks",
                        video.rate, seconds);
    int64_t per_chunk = (int64_t)(video.rate * seconds), video_from = 0, sound_from = 0;
    am_put_token(p->run, "audio_bos_token", 1, out);
    while (video.chunk >= 0 || sound.chunk >= 0) {
        am_put_token(p->run, "video_token", next_chunk(&video, per_chunk, &video_from), out);
        am_put_token(p->run, "audio_token", next_chunk(&sound, per_chunk, &sound_from), out);
    }
    am_put_token(p->run, "audio_eos_token", 1, out);
    return NULL;
}

/* Each time of the video, then the sound up to the next. */
static am_status expand_qwen3_video(const am_placeholder *p, am_buffer *out)
{
    positions video, sound;
    if (!has_sound(p)) return am_expand_video_grid(p, out);
    AM_TRY(read_positions(p, QWEN3_FPS, &video, &sound));
    am_put_token(p->run, "audio_bos_token", 1, out);
    while (video.at < video.count || sound.at < sound.count) {
        bool sees = video.at < video.count &&
                    (sound.at == sound.count || position(&video, video.at) <= position(&sound, sound.at));
        am_put_token(p->run, sees ? "video_token" : "audio_token", 1, out);
        if (sees) video.at++;
        else sound.at++;
    }
    am_put_token(p->run, "audio_eos_token", 1, out);
    return NULL;
}

/* --- Muse Spark, Nemotron-H Omni --- */

static am_status expand_muse_image(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"image_start_token", "image_end_token"};
    int64_t count;
    AM_TRY(am_grid_count(p, true, &count));
    am_put_wrapped(p, "image_token", count, &wrapping, out);
    return NULL;
}

static am_status expand_wrapped_sound(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"audio_start_token", "audio_end_token"};
    return am_put_counted(p, "num_audio_tokens", "audio_token", &wrapping, out);
}

static int64_t muse_count(const am_processor *p, int64_t samples)
{
    int64_t per_token = am_feature_setting_int(&p->feature_extractor, "samples_per_token");
    return per_token > 0 ? (samples + per_token - 1) / per_token : 0;
}

static am_status extract_muse(am_processor_call *run)
{
    if (am_processor_find_token(run->processor, "audio_token")->id < 0)
        return am_error(AM_INVALID_FILE, "the tokenizer has no token for sounds");
    return am_extract_counted(run, NULL, "input_values_mask", muse_count);
}

static am_status expand_nemotron_image(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"image_start_token", "image_end_token"};
    int64_t rows, columns;
    double ratio = am_json_real(am_image_setting(p->run->processor->image_processor, "downsample_ratio"), 0.0);
    AM_TRY(am_media_number(p->media, "image_grid_hw", p->row, 0, &rows));
    AM_TRY(am_media_number(p->media, "image_grid_hw", p->row, 1, &columns));
    if (!(ratio > 0.0 && ratio <= 1.0))
        return am_error(AM_INVALID_FILE, "downsample_ratio: expected a number up to 1, found %g", ratio);
    int64_t merge = (int64_t)nearbyint(1.0 / ratio);
    am_put_wrapped(p, "image_token", rows * columns / (merge * merge), &wrapping, out);
    return NULL;
}

/* One video, in one text: the tokens of an image for every few frames, after what is said of each of these. */
static am_status check_nemotron_videos(am_processor_call *run)
{
    int64_t videos = run->inputs->video_count, texts = run->out->text_count;
    if (!videos || (videos == 1 && texts == 1)) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " videos in %" PRId64 " texts; expected one in one", videos, texts);
}

static void put_nemotron_label(const am_processor_clip *clip, int64_t first, int64_t count, am_buffer *out)
{
    int64_t frame_ms = clip->fps > 0.0 ? (int64_t)fmin(1000.0 / clip->fps, 1e9) : 0;
    for (int64_t i = first; i < first + count && i < clip->count; i++) {
        am_buffer_printf(out, "%s %" PRId64, i == first ? "Frame" : " and frame", i + 1);
        if (clip->fps > 0.0)
            am_buffer_printf(out, " sampled at %.2f seconds", (double)(clip->frames[i] * frame_ms) / 1000.0);
    }
    am_buffer_append_string(out, ": ");
}

static am_status expand_nemotron_video(const am_placeholder *p, am_buffer *out)
{
    static const am_wrapping wrapping = {"image_start_token", "image_end_token"};
    const am_processor_clip *clip = &p->run->clips[p->index];
    int64_t step;
    AM_TRY(am_processor_integer(p->run->processor, "video_temporal_patch_dim", &step));
    if (!step) return am_error(AM_INVALID_FILE, "video_temporal_patch_dim: expected a positive integer, found 0");
    for (int64_t first = 0; first < clip->count; first += step) {
        if (first) am_buffer_append_char(out, '\n');
        put_nemotron_label(clip, first, step, out);
        AM_TRY(am_put_counted(p, "num_tokens", "image_token", &wrapping, out));
    }
    return NULL;
}

/* _estimate_audio_num_embeddings: frames after log2(factor) convolutions of 3 with stride 2. */
static am_status extract_nemotron(am_processor_call *run)
{
    int64_t hop, factor, *counts = am_arena_array(&run->arena, (size_t)run->inputs->sound_count, sizeof *counts);
    if (!counts) return am_out_of_memory();
    AM_TRY(am_processor_integer(run->processor, "audio_hop_length", &hop));
    AM_TRY(am_processor_integer(run->processor, "audio_subsampling_factor", &factor));
    if (!hop || !factor) return am_error(AM_INVALID_FILE, "audio_hop_length, audio_subsampling_factor: found 0");
    for (int64_t i = 0; i < run->inputs->sound_count; i++) {
        counts[i] = 1 + run->inputs->sounds[i].frames / hop;
        for (int64_t rest = factor; rest > 1; rest /= 2) counts[i] = am_floor_div(counts[i] - 1, 2) + 1;
        if (counts[i] < 1) counts[i] = 1;
    }
    AM_TRY(am_processor_extract(run));
    am_media_rename(&run->sounds, "attention_mask", "input_features_mask");
    return am_give_sound_counts(run, counts);
}

/* --- Phi-4 multimodal --- */

static am_status expand_phi4_image(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "num_img_tokens", "image_token", NULL, out);
}

static am_status expand_phi4_sound(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "audio_embed_sizes", "audio_token", NULL, out);
}

/* --- Inkling --- */

static am_status expand_inkling_image(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "num_patches", "image_token", NULL, out);
}

/* Each mel becomes the number of the nearest of num_dmel_bins values between two bounds: i32. */
static am_status give_bins(am_processor_call *run)
{
    const am_processor *p = run->processor;
    double least = am_json_real(am_processor_setting(p, "dmel_min_value"), 0),
           most = am_json_real(am_processor_setting(p, "dmel_max_value"), 0);
    int64_t bins;
    const am_tensor *mels;
    am_tensor *made;
    AM_TRY(am_processor_integer(p, "num_dmel_bins", &bins));
    if (bins < 2 || bins > 1 << 16) return am_error(AM_INVALID_FILE, "num_dmel_bins: found %" PRId64, bins);
    AM_TRY(am_media_tensors_get(&run->sounds, "input_features", &mels));
    am_shape shape = mels->shape;
    AM_TRY(am_media_tensors_add(&run->sounds, "audio_input_ids", AM_I32, &shape, &made));
    const float *from = am_media_tensors_find(&run->sounds, "input_features")->tensors[0].data;
    for (int64_t i = 0; i < am_shape_count(&shape); i++) {
        float mel = fminf(fmaxf(from[i], (float)least), (float)most), best = INFINITY;
        for (int64_t k = 0; k < bins; k++) {
            float distance = fabsf(mel - (float)(least + (most - least) * (double)k / (double)(bins - 1)));
            if (distance >= best) continue;
            best = distance;
            ((int32_t *)made->data)[i] = (int32_t)k;
        }
    }
    am_media_drop(&run->sounds, "input_features");
    return NULL;
}

static int64_t same_count(const am_processor *p, int64_t frames)
{
    (void)p;
    return frames;
}

static am_status extract_inkling(am_processor_call *run)
{
    AM_TRY(am_extract_counted(run, "input_features_mask", "audio_input_ids_mask", same_count));
    return give_bins(run);
}

/* --- rows of the table --- */

#define GRID                                                                                                           \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = am_expand_grid                                                         \
    }
#define VIDEO(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "video_token", .expand = rule                                                                   \
    }
#define SOUND                                                                                                          \
    {                                                                                                                  \
        .placeholder = "audio_token", .expand = am_expand_sound                                                        \
    }

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "Qwen2_5OmniProcessor",
     .settings = AM_JSON({"load_audio_from_video": false, "audio_from_video_indices": null, "seconds_per_chunk": 2.0,
                          "position_id_per_seconds": 25, "text_kwargs": {"padding_side": "left"},
                          "videos_kwargs": {"size": {"shortest_edge": 100352, "longest_edge": 602112}},
                          "audio_kwargs": {"return_attention_mask": true, "padding": "max_length"}}),
     .tokens = "image_token* audio_token* video_token*? audio_bos_token*? audio_eos_token*?", .image = GRID,
     .video = VIDEO(expand_qwen2_video), .video_processor = "Qwen2VLVideoProcessor", .sound = SOUND,
     .prepare = am_take_video_sounds, .extract = extract_qwen2, .finish = give_qwen2_seconds,
     .unused = "num_audio_tokens"},
    {.name = "Qwen3OmniMoeProcessor",
     .settings = AM_JSON({"n_window": 50, "load_audio_from_video": false, "audio_from_video_indices": null,
                          "position_id_per_seconds": 13.0, "seconds_per_chunk": 2.0,
                          "text_kwargs": {"padding_side": "left"},
                          "videos_kwargs": {"size": {"shortest_edge": 131072, "longest_edge": 786432}},
                          "audio_kwargs": {"padding": true, "truncation": false, "return_attention_mask": true}}),
     .tokens = "image_token* audio_token* video_token*? audio_bos_token*? audio_eos_token*?", .image = GRID,
     .video = VIDEO(expand_qwen3_video), .video_processor = "Qwen2VLVideoProcessor", .sound = SOUND,
     .prepare = am_take_video_sounds, .extract = extract_qwen3, .finish = give_qwen3_seconds,
     .unused = "num_audio_tokens"},
    {.name = "Dots3NoteProcessor",
     .settings = AM_JSON({"image_token": "<|imgpad|>", "video_token": "<|video_pad|>",
                          "audio_token": "<|audio_comp_pad|>"}),
     .tokens = "image_token audio_token video_token?", .image = GRID, .video = VIDEO(am_expand_video_grid),
     .video_processor = "Qwen3VLVideoProcessor", .sound = SOUND, .unused = "num_audio_tokens"},
    {.name = "MuseSparkProcessor",
     .settings = AM_JSON({"image_token": "<|patch|>", "video_token": "<|video|>",
                          "image_start_token": "<|image_start|>",
                          "image_end_token": "<|image_end|>", "audio_token": "<|audio|>",
                          "audio_start_token": "<|soft_audio_start|>", "audio_end_token": "<|soft_audio_end|>",
                          "video_sep_token": "<|vid_frame_separator|>", "video_start_token": "<|vid_start|>",
                          "video_end_token": "<|vid_end|>"}),
     .tokens = "image_token* image_start_token* image_end_token* audio_token*? audio_start_token*? audio_end_token*? "
               "video_token*? video_sep_token*? video_start_token*? video_end_token*?",
     .image = {.placeholder = "image_token", .expand = expand_muse_image},
     .video = VIDEO(am_expand_separated_video), .video_processor = "MuseGlimmerVideoProcessor",
     .sound = {.placeholder = "audio_token", .expand = expand_wrapped_sound}, .extract = extract_muse,
     .unused = "num_audio_tokens"},
    {.name = "NemotronH_Omni_Reasoning_V3Processor",
     .settings = AM_JSON({"image_token": "<image>", "video_token": "<video>", "image_start_token": "<img>",
                          "image_end_token": "</img>",
                          "audio_token": "<so_embedding>", "audio_start_token": "<so_start>",
                          "audio_end_token": "<so_end>", "audio_subsampling_factor": 8, "audio_hop_length": 160,
                          "video_temporal_patch_dim": 2}),
     .tokens = "image_token* image_start_token*? image_end_token*? audio_token*? audio_start_token? audio_end_token? "
               "video_token*?",
     .image = {.placeholder = "image_token", .expand = expand_nemotron_image},
     .video = VIDEO(expand_nemotron_video), .video_processor = "NemotronH_Omni_Reasoning_V3VideoProcessor",
     .prepare = check_nemotron_videos,
     .sound = {.placeholder = "audio_token", .expand = expand_wrapped_sound}, .extract = extract_nemotron,
     .unused = "num_audio_tokens num_patches num_tokens"},
    {.name = "Phi4MultimodalProcessor", .tokens = "image_token* audio_token*",
     .image = {.placeholder = "image_token", .expand = expand_phi4_image},
     .sound = {.placeholder = "audio_token", .expand = expand_phi4_sound}, .unused = "num_img_tokens"},
    {.name = "InklingProcessor",
     .settings = AM_JSON({"image_token": "<|unused_200054|>", "audio_token": "<|unused_200053|>",
                          "num_dmel_bins": 16, "dmel_min_value": -7.0, "dmel_max_value": 2.0}),
     .tokens = "image_token* audio_token*",
     .image = {.placeholder = "image_token", .expand = expand_inkling_image}, .sound = SOUND,
     .extract = extract_inkling, .unused = "num_patches num_audio_tokens"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_omni = {classes};
