/* Gemma 3 to 4: images and sounds between tokens that begin and end them. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>

/* --- Gemma 3 --- */

static void put_sequence(const am_placeholder *p, const char *token, const am_wrapping *wrapping, int64_t length,
                         am_buffer *out)
{
    am_buffer_append_string(out, "\n\n");
    am_put_wrapped(p, token, length, wrapping, out);
    am_buffer_append_string(out, "\n\n");
}

static const am_wrapping image_ends = {"boi_token", "eoi_token"}, sound_ends = {"boa_token", "eoa_token"};

static am_status expand_gemma3(const am_placeholder *p, am_buffer *out)
{
    int64_t length, crops;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    AM_TRY(am_media_number(p->media, "num_crops", p->row, 0, &crops));
    if (crops) am_buffer_append_string(out, "Here is the original image ");
    put_sequence(p, "image_token", &image_ends, length, out);
    if (crops) am_buffer_append_string(out, " and here are some crops to help you see better");
    for (int64_t i = 0; i < crops; i++) {
        am_buffer_append_char(out, ' ');
        put_sequence(p, "image_token", &image_ends, length, out);
    }
    return NULL;
}

/* --- Gemma 3n --- */

static am_status expand_fixed_image(const am_placeholder *p, am_buffer *out)
{
    int64_t length;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    put_sequence(p, "image_token", &image_ends, length, out);
    return NULL;
}

static am_status expand_fixed_sound(const am_placeholder *p, am_buffer *out)
{
    int64_t length;
    AM_TRY(am_processor_integer(p->run->processor, "audio_seq_length", &length));
    put_sequence(p, "audio_token", &sound_ends, length, out);
    return NULL;
}

/* --- Gemma 4 --- */

static am_status expand_soft(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "num_soft_tokens_per_image", "image_token", &image_ends, out);
}

/* Each frame after its minutes and seconds. */
static am_status expand_gemma4_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    for (int64_t i = 0; i < clip->count; i++) {
        double seconds = (double)clip->frames[i] / am_clip_fps(clip);
        am_buffer_printf(out, "%s%02" PRId64 ":%02" PRId64 " ", i ? " " : "", (int64_t)seconds / 60,
                         (int64_t)seconds % 60);
        AM_TRY(am_put_counted(p, "num_soft_tokens_per_video", "video_token", &image_ends, out));
    }
    return NULL;
}

/* What two convolutions of stride 2 leave of the mask: each fourth place. */
static am_status expand_subsampled(const am_placeholder *p, am_buffer *out)
{
    am_shape shape;
    int64_t count = 0;
    AM_TRY(am_media_shape(p->media, "input_features_mask", p->row, &shape));
    for (int64_t i = 0; i < shape.dims[shape.rank - 1]; i += 4) {
        int64_t there;
        AM_TRY(am_media_number(p->media, "input_features_mask", p->row, i, &there));
        count += there;
    }
    am_put_wrapped(p, "audio_token", count, &sound_ends, out);
    return NULL;
}

static am_status expand_mask(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(am_media_row_sum(p->media, "input_features_mask", p->row, &count));
    am_put_wrapped(p, "audio_token", count, &sound_ends, out);
    return NULL;
}

/* --- texts that media alone mean --- */

/* A placeholder for each image, of all in one text, or else one text for each sound. */
static am_status make_texts(am_processor_call *run)
{
    int64_t images = run->inputs->image_count, sounds = run->inputs->sound_count;
    if (run->out->text_count) return NULL;
    AM_TRY(am_make_texts(run, images ? 1 : sounds));
    for (int64_t i = 0; i < images; i++) {
        if (i) am_buffer_append_char(&run->out->texts[0], ' ');
        am_put_token(run, run->processor->kind->image.placeholder, 1, &run->out->texts[0]);
    }
    for (int64_t i = 0; i < sounds && !images; i++) am_put_token(run, "audio_token", 1, &run->out->texts[i]);
    return NULL;
}

/* --- rows of the table --- */

#define SOFT                                                                                                           \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = expand_soft                                                            \
    }
#define GEMMA4_TOKENS "video_token? image_token* boi_token* eoi_token* audio_token* boa_token* eoa_token*"

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "Gemma3Processor",
     .settings = AM_JSON({"image_seq_length": 256,
                          "images_kwargs": {"do_convert_rgb": true, "do_pan_and_scan": false,
                                            "pan_and_scan_min_crop_size": 256, "pan_and_scan_max_num_crops": 4,
                                            "pan_and_scan_min_ratio_to_activate": 1.2}}),
     .tokens = "boi_token* image_token* eoi_token*",
     .image = {.placeholder = "boi_token", .counted = "image_token", .marked = "image_token",
               .expand = expand_gemma3},
     .type_ids = "token_type_ids", .prepare = make_texts, .unused = "num_crops"},
    {.name = "Gemma3nProcessor", .settings = AM_JSON({"audio_seq_length": 188, "image_seq_length": 256}),
     .tokens = "image_token* boi_token* eoi_token* audio_token* boa_token* eoa_token*",
     .image = {.placeholder = "image_token", .expand = expand_fixed_image},
     .sound = {.placeholder = "audio_token", .expand = expand_fixed_sound}, .type_ids = "token_type_ids",
     .prepare = make_texts},
    {.name = "Gemma4Processor", .settings = AM_JSON({"video_token": "<|video|>", "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS,
     .image = SOFT, .video = {.placeholder = "video_token", .expand = expand_gemma4_video},
     .video_processor = "Gemma4VideoProcessor", .sound = {.placeholder = "audio_token", .expand = expand_subsampled},
     .type_ids = "mm_token_type_ids", .prepare = make_texts,
     .unused = "num_soft_tokens_per_image num_soft_tokens_per_video"},
    {.name = "Gemma4UnifiedProcessor", .settings = AM_JSON({"video_token": "<|video|>",
                          "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS, .image = SOFT, .video = {.placeholder = "video_token", .expand = expand_gemma4_video},
     .video_processor = "Gemma4UnifiedVideoProcessor", .sound = {.placeholder = "audio_token", .expand = expand_mask},
     .type_ids = "mm_token_type_ids", .prepare = make_texts,
     .unused = "num_soft_tokens_per_image num_soft_tokens_per_video"},
    {.name = "EmbeddingGemma2Processor", .settings = AM_JSON({"video_token": "<|video|>",
                          "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS, .image = SOFT, .sound = {.placeholder = "audio_token", .expand = expand_subsampled},
     .prepare = make_texts, .unused = "num_soft_tokens_per_image"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_gemma = {classes};
