/* DeepSeek-VL of two towers: SigLIP's patches of a small picture and SAM's of a large one, made as many, beside each
   other through one matrix among the words of a LLaMA. transformers:
   models/deepseek_vl_hybrid/modeling_deepseek_vl_hybrid.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <stdio.h>

static const double NORM_EPS = 1e-6; /* not configurable */

/* The convolution NAME of 3 x 3, a place or two apart, without a bias. */
static am_value convolve(am_builder *b, const char *name, am_value x, int64_t out, int64_t stride)
{
    const am_convolution_attributes options = {
        .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1), .stride = am_shape_of(stride, stride)};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_NO_BIAS, &options);
}

/* x: [B, side, side, C'], states of a layer of the tower -> [B, C, side, side]. */
static am_value neck(am_builder *b, am_value x, int64_t C)
{
    am_scope(b, "high_res_vision_neck");
    x = am_permute(b, x, am_shape_of(0, 3, 1, 2));
    x = am_conv(b, "conv1", x, C, am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = convolve(b, "conv2", am_layer_norm_channels_first(b, "layer_norm1", x, NORM_EPS), C, 1);
    x = am_layer_norm_channels_first(b, "layer_norm2", x, NORM_EPS);
    am_end_scope(b);
    return x;
}

/* x: [B, C, h, w] -> [B, 4 C, side, side]. */
static am_value project(am_builder *b, am_value x, int64_t C, int64_t side)
{
    am_scope(b, "high_res_vision_proj");
    x = am_image_resized(b, x, 4 * side, 4 * side);
    x = convolve(b, "conv2", convolve(b, "conv1", x, 2 * C, 2), 4 * C, 2);
    am_end_scope(b);
    return x;
}

/* The first of the layers that see whole pictures. */
static int64_t first_global(const am_config *c)
{
    static const int64_t fallback[] = {2, 5, 8, 11};
    int64_t layers[512];
    int count = am_config_sizes(c, "global_attn_indexes", layers, 512, fallback, 4);
    if (count > 0 && count <= 512) return layers[0];
    am_config_fail(c, "global_attn_indexes", "expected 1 to 512 layers");
    return 0;
}

static am_part_outputs high_tower(am_builder *b, const am_config *c)
{
    am_part_input inputs[] = {{.name = "pixel_values", .whole = "high_res_pixel_values"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "sam_vision_model",
                    .config = c,
                    .inputs = inputs,
                    .input_count = 1,
                    .prefix = "high_res_vision_",
                    .hidden_states = true};
    am_scope(b, "high_res_vision_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* Places of the large picture: [B, side * side, 4 C]. */
static am_value high_features(am_builder *b, int64_t side)
{
    am_config c = am_config_child(am_model_config(b), "high_res_vision_config");
    int64_t C = am_config_size(&c, "output_channels", 256), layer = first_global(&c);
    char name[48];
    am_part_outputs tower = high_tower(b, &c);
    snprintf(name, sizeof name, "hidden_states.%d", (int)layer + 1);
    am_value x = am_part_output(&tower, "last_hidden_state"), state = am_part_output(&tower, name);
    if (!state.id) am_config_fail(&c, "global_attn_indexes", "no layer %d", (int)layer);
    if (!state.id || am_builder_failed(b)) return AM_NONE;
    am_value deep = project(b, neck(b, state, C), C, side);
    x = project(b, x, C, side);
    x = am_add(b, x, am_mul(b, deep, am_parameter(b, "high_res_vision_alpha", am_shape_of(1), x)));
    return am_image_tokens(b, x);
}

static am_value features(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_image_options image = am_image_options_read(&vision, 224, 16);
    int64_t C = am_text_width(b), side = image.image_size[0] / image.patch_size[0];
    if (side < 1) am_config_fail(&vision, "patch_size", "larger than the image");
    am_value high = high_features(b, side < 1 ? 1 : side);
    am_part_outputs tower = am_vision_tower(b, "vision_model", "siglip_vision_model", AM_NONE);
    am_value low = am_part_output(&tower, "last_hidden_state");
    am_scope(b, "aligner");
    am_value x = am_concat2(b, am_linear(b, "high_res_vision_proj", high, C / 2, AM_BIAS),
                            am_linear(b, "vision_proj", low, C / 2, AM_BIAS), -1);
    x = am_linear(b, "proj", am_unary(b, AM_GELU, x), C, AM_BIAS);
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 100015, .tied = true};

static const am_architecture architectures[] = {
    {"DeepseekVLHybridModel", am_vision_language_model, NULL, 0},
    {"DeepseekVLHybridForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_deepseek_vl_hybrid = {
    .name = "deepseek_vl_hybrid", .base_prefix = "model", .architectures = architectures, .family = &family};
