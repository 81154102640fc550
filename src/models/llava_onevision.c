/* LLaVA-OneVision: LLaVA-NeXT with SigLIP and Qwen2, no more patches of an image than some tiles have, several images a
   text, and videos, whose frames have a quarter of the patches. transformers:
   models/llava_onevision/modeling_llava_onevision.py */
#include "models/blocks/llava.h"

enum { TILE = 384, MOST = 6 };

#define ROW(n)                                                                                                         \
    {(n)*TILE, TILE}, {(n)*TILE, 2 * TILE}, {(n)*TILE, 3 * TILE}, {(n)*TILE, 4 * TILE}, {(n)*TILE, 5 * TILE},          \
    {                                                                                                                  \
        (n) * TILE, MOST *TILE                                                                                         \
    }

static const int64_t pinpoints[][2] = {ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(MOST)};

static const am_llava_defaults defaults = {.tower_type = "siglip_vision_model",
                                           .feature_layer = -1,
                                           .select_strategy = "full",
                                           .pinpoints = pinpoints,
                                           .pinpoint_count = sizeof pinpoints / sizeof *pinpoints,
                                           .limits_patches = true};

static am_value features(am_builder *b)
{
    return am_anyres_rows(b, &defaults);
}

/* pixel_values_videos: [B, frames, channels, height, width] -> [B * (frames * patches / 4 + 1), C]. */
static am_value video_features(am_builder *b)
{
    am_value frames = am_input(b, "pixel_values_videos", 5);
    int64_t B = am_dim(b, frames, 0), F = am_dim(b, frames, 1);
    am_value x = am_llava_rows(b, am_flatten(b, frames, 0, 1), &defaults);
    int64_t side = am_square_side(b, am_dim(b, x, 1)), half = (side + 1) / 2, C = am_dim(b, x, 2);
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B * F, C, side, side));
    x = am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(half, half), .mode = AM_RESIZE_LINEAR});
    x = am_transpose(b, am_flatten(b, x, 2, 3), 1, 2);
    x = am_reshape(b, x, am_shape_of(B, F * half * half, C));
    am_value newline = am_reshape(b, am_weight(b, "image_newline", am_shape_of(C)), am_shape_of(1, 1, C));
    return am_flatten(b, am_concat2(b, x, am_broadcast(b, newline, am_shape_of(B, 1, C)), 1), 0, 1);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151646,
                                                 .video_token = 151647,
                                                 .shows_videos = true,
                                                 .text_type = "qwen2"};

static const am_architecture architectures[] = {
    {"LlavaOnevisionModel", am_vision_language_model, NULL, 0},
    {"LlavaOnevisionForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_llava_onevision = {.name = "llava_onevision",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family,
                                                .shaping_inputs = am_anyres_shaping_inputs};
