/* GLM-4.1V: a vision transformer whose squares of patches are tokens of a GLM-4 with places in time, height and width.
   transformers: models/glm4v/modeling_glm4v.py */
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
                                                 .image_token = 151343,
                                                 .video_token = 151344,
                                                 .videos_as_images = true,
                                                 .text_type = "glm4v_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_glm_text_inputs};

static const am_architecture architectures[] = {
    {"Glm4vModel", am_vision_language_model, NULL, 0},
    {"Glm4vForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Glm4vVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_glm4v = {.name = "glm4v glm4v_vision",
                                      .base_prefix = "model",
                                      .architectures = architectures,
                                      .family = &family,
                                      .shaping_inputs = am_qwen_shaping_inputs};
