/* GLM-4.6V: GLM-4.1V whose tower and text model may be those of any of its line. transformers:
   models/glm46v/modeling_glm46v.py */
#include "models/blocks/glm_vision.h"

static am_qwen_vision read_vision(const am_config *c)
{
    if (am_config_has(c, "model_type") && !am_config_is(c, "model_type", "glm4v_vision") &&
        !am_config_is(c, "model_type", "glm4v_moe_vision"))
        am_config_unsupported(c, "model_type", "expected \"glm4v_vision\" or \"glm4v_moe_vision\"");
    return am_glm_vision_read(c);
}

static am_value features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_frame_features(b, read_vision, "pixel_values_videos", "video_grid_thw");
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151343,
                                                 .video_token = 151344,
                                                 .videos_as_images = true,
                                                 .text_type = "glm4v_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_glm_text_inputs};

static const am_architecture architectures[] = {
    {"Glm46VModel", am_vision_language_model, NULL, 0},
    {"Glm46VForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_glm46v = {.name = "glm46v",
                                       .base_prefix = "model",
                                       .architectures = architectures,
                                       .family = &family,
                                       .shaping_inputs = am_qwen_shaping_inputs};
