/* Qwen2-VL: a vision transformer whose squares of patches are tokens of a Qwen2 with places in time, height and width.
   transformers: models/qwen2_vl/modeling_qwen2_vl.py */
#include "models/blocks/qwen_vl.h"

static am_qwen_vision read_vision(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    int64_t width = am_config_size(c, "embed_dim", 1280);
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 32),
        .width = width,
        .out_width = am_config_size(c, "hidden_size", 3584),
        .intermediate_size = (int64_t)((double)width * am_config_real(c, "mlp_ratio", 4)),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 14),
        .temporal_patch_size = am_config_size(c, "temporal_patch_size", 2),
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_QUICK_GELU),
        .theta = am_config_real(&rope, "rope_theta", 10000),
    };
    am_config_check_divides(c, "num_heads", v.heads, "embed_dim", width);
    return v;
}

static am_value features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values_videos", "video_grid_thw");
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2)};
    return am_qwen_text_inputs(b, &places, out);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .text_class = "Qwen2VLTextModel",
                                                 .hides_features = true,
                                                 .flat_text_config = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Qwen2VLModel", am_vision_language_model, NULL, 0},
    {"Qwen2VLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_qwen2_vl = {.name = "qwen2_vl",
                                         .base_prefix = "model",
                                         .architectures = architectures,
                                         .family = &family,
                                         .shaping_inputs = am_qwen_shaping_inputs};
