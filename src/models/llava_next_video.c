/* LLaVA-NeXT-Video: LLaVA-NeXT that is shown videos, too, squares of whose frames' patches are pooled to one.
   transformers: models/llava_next_video/modeling_llava_next_video.py */
#include "models/blocks/llava.h"
#include "models/blocks/layers.h"

#include <string.h>

static const int64_t pinpoints[][2] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};

static const am_llava_defaults defaults = {.tower_type = "clip_vision_model",
                                           .feature_layer = -2,
                                           .select_strategy = "default",
                                           .pinpoints = pinpoints,
                                           .pinpoint_count = sizeof pinpoints / sizeof *pinpoints};

static am_value features(am_builder *b)
{
    return am_anyres_rows(b, &defaults);
}

/* x: [B, C, side, side], each square of spatial_pool_stride to one place. */
static am_value pool(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t stride = am_config_size(c, "spatial_pool_stride", 2);
    const char *mode = am_config_text(c, "spatial_pool_mode", "average");
    am_shape square = am_shape_of(stride, stride);
    if (strcmp(mode, "conv") == 0)
        return am_conv(b, "vision_resampler.pool", x, am_config_size(c, "spatial_pool_out_channels", am_dim(b, x, 1)),
                       square, AM_BIAS, &(am_convolution_attributes){.stride = square});
    if (strcmp(mode, "average") != 0 && strcmp(mode, "max") != 0)
        am_config_fail(c, "spatial_pool_mode", "expected \"average\", \"max\" or \"conv\", found \"%s\"", mode);
    int fn = strcmp(mode, "max") == 0 ? AM_POOL_MAX : AM_POOL_AVERAGE;
    return am_pool(b, x, &(am_pool_attributes){.fn = fn, .kernel = square});
}

/* pixel_values_videos: [B, frames, channels, height, width] -> [B * frames * P', C]. */
static am_value video_features(am_builder *b)
{
    am_value frames = am_flatten(b, am_input(b, "pixel_values_videos", 5), 0, 1);
    am_part_outputs tower = am_vision_tower(b, "vision_tower", defaults.tower_type, frames);
    am_value x = am_vision_states(b, &tower, &defaults.feature_layer, 1, am_vision_skips_first(b, "default"));
    int64_t side = am_square_side(b, am_dim(b, x, 1)), N = am_dim(b, x, 0), C = am_dim(b, x, 2);
    if (am_builder_failed(b)) return AM_NONE;
    x = pool(b, am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(N, C, side, side)));
    return am_flatten(b, am_llava_project(b, am_transpose(b, am_flatten(b, x, 2, 3), 1, 2)), 0, 1);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 32001,
                                                 .video_token = 32000,
                                                 .shows_videos = true,
                                                 .flattens_videos = true};

static const am_architecture architectures[] = {
    {"LlavaNextVideoModel", am_vision_language_model, NULL, 0},
    {"LlavaNextVideoForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_llava_next_video = {.name = "llava_next_video",
                                                 .base_prefix = "model",
                                                 .architectures = architectures,
                                                 .family = &family,
                                                 .shaping_inputs = am_anyres_shaping_inputs};
