/* Qwen2.5-VL: Qwen2-VL whose tower has RMSNorm, gated layers, and layers that see windows only; frames of videos stand
   as far apart as they were taken. transformers: models/qwen2_5_vl/modeling_qwen2_5_vl.py */
#include "models/blocks/qwen_vl.h"

static am_value features(am_builder *b)
{
    return am_qwen_features(b, am_qwen2_5_vision_read, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_features(b, am_qwen2_5_vision_read, "pixel_values_videos", "video_grid_thw");
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2),
                                   .tokens_per_second = am_config_size(&vision, "tokens_per_second", 4)};
    return am_qwen_text_inputs(b, &places, out);
}

static void vision_model(am_builder *b)
{
    am_qwen_vision v = am_qwen2_5_vision_read(am_model_config(b));
    am_value x = am_input(b, "hidden_states", 2);
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_qwen_vision_output out = am_qwen_vision_tower(b, x, &grids, &v, true);
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "pooler_output", out.pooler_output);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .text_class = "Qwen2_5_VLTextModel",
                                                 .hides_features = true,
                                                 .flat_text_config = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Qwen2_5_VLModel", am_vision_language_model, NULL, 0},
    {"Qwen2_5_VLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Qwen2_5_VisionTransformerPretrainedModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qwen2_5_vl = {.name = "qwen2_5_vl qwen2_5_vl_vision",
                                           .base_prefix = "model",
                                           .architectures = architectures,
                                           .family = &family,
                                           .shaping_inputs = am_qwen_shaping_inputs};
