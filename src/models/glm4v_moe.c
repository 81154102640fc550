/* GLM-4.5V: GLM-4.1V with a text model of experts. transformers: models/glm4v_moe/modeling_glm4v_moe.py */
#include "models/blocks/glm_vision.h"

static am_value features(am_builder *b)
{
    return am_qwen_features(b, am_glm_vision_read, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_frame_features(b, am_glm_vision_read, "pixel_values_videos", "video_grid_thw");
}

static void vision_model(am_builder *b)
{
    am_glm_vision_model(b, am_glm_vision_read);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151363,
                                                 .video_token = 151364,
                                                 .videos_as_images = true,
                                                 .text_type = "glm4v_moe_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_glm_text_inputs};

static const am_architecture architectures[] = {
    {"Glm4vMoeModel", am_vision_language_model, NULL, 0},
    {"Glm4vMoeForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Glm4vMoeVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_glm4v_moe = {.name = "glm4v_moe glm4v_moe_vision",
                                          .base_prefix = "model",
                                          .architectures = architectures,
                                          .family = &family,
                                          .shaping_inputs = am_qwen_shaping_inputs};
