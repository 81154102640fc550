/* Perception LM: the patches of images and of videos' frames, as the Perception Encoder gives them, through two linear
   layers, averaged over squares of places, among the words of a text model. transformers:
   models/perception_lm/modeling_perception_lm.py */
#include "models/blocks/perception_encoder.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

/* Means of squares of places: x: [B, N, C] of a square of N. */
static am_value pool(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t ratio = am_config_int(c, "projector_pooling_ratio", 1);
    if (ratio <= 1 || !x.id) return x;
    int64_t side = am_square_side(b, am_dim(b, x, 1));
    if (ratio > side) am_config_fail(c, "projector_pooling_ratio", "images have %lld places a side", (long long)side);
    if (am_builder_failed(b)) return AM_NONE;
    am_pool_attributes options = {.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(side / ratio, side / ratio)};
    return am_image_tokens(b, am_pool(b, am_tokens_image(b, x, side, side), &options));
}

/* Of the input of that name: [B, tiles, channels, height, width] -> [B * tiles, N, C]. */
static am_value rows(am_builder *b, const char *input)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    int64_t C = am_text_width(b);
    am_value x = am_input(b, input, 5);
    if (am_config_has(&vision, "model_type") && !am_config_is(&vision, "model_type", "timm_wrapper"))
        am_config_unsupported(&vision, "model_type", "expected \"timm_wrapper\"");
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "vision_tower.timm_model");
    x = am_perception_encoder(b, &vision, am_flatten(b, x, 0, 1));
    am_end_scope(b);
    if (!x.id) return AM_NONE;
    if (am_config_flag(c, "vision_use_cls_token", true)) x = am_slice(b, x, 1, 1, AM_SLICE_END);
    am_scope(b, "multi_modal_projector");
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, AM_BIAS, AM_GELU), C, AM_BIAS);
    am_end_scope(b);
    return pool(b, x);
}

static am_value image_rows(am_builder *b)
{
    return rows(b, "pixel_values");
}

static am_value video_rows(am_builder *b)
{
    return rows(b, "pixel_values_videos");
}

static const am_vision_language_family family = {.features = image_rows,
                                                 .video_features = video_rows,
                                                 .image_token = 128002,
                                                 .video_token = 128003,
                                                 .shows_videos = true};

static const am_architecture architectures[] = {
    {"PerceptionLMModel", am_vision_language_model, NULL, 0},
    {"PerceptionLMForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_perception_lm = {
    .name = "perception_lm", .base_prefix = "model", .architectures = architectures, .family = &family};
