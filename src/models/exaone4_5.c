/* EXAONE 4.5: Qwen2.5-VL's tower, whose heads share keys and values, and an EXAONE 4 that counts positions as it counts
   words. transformers: models/exaone4_5/modeling_exaone4_5.py */
#include "models/blocks/qwen_vl.h"

static am_qwen_vision read_vision(const am_config *c)
{
    am_qwen_vision v = am_qwen2_5_vision_read(c);
    v.kv_heads = am_config_size(c, "num_key_value_heads", 8);
    am_config_check_divides(c, "num_key_value_heads", v.kv_heads, "num_heads", v.heads);
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

static void vision_model(am_builder *b)
{
    am_qwen_vision v = read_vision(am_model_config(b));
    am_value x = am_input(b, "hidden_states", 2);
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_qwen_vision_output out = am_qwen_vision_tower(b, x, &grids, &v, true);
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "pooler_output", out.pooler_output);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 67,
                                                 .video_token = 68,
                                                 .text_type = "exaone4",
                                                 .text_alias = "exaone4_5_text",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"Exaone4_5_Model", am_vision_language_model, NULL, 0},
    {"Exaone4_5_ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"Exaone4_5_VisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_exaone4_5 = {.name = "exaone4_5 exaone4_5_vision",
                                          .base_prefix = "model",
                                          .architectures = architectures,
                                          .family = &family,
                                          .shaping_inputs = am_qwen_shaping_inputs};
