/* GLM-OCR: GLM-4.1V without learned positions, whose tower norms queries and keys. transformers:
   models/glm_ocr/modeling_glm_ocr.py */
#include "models/blocks/glm_vision.h"

static void leave(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out)
{
    am_glm_vision_leave(b, x, v, v->out_width * v->in_channels, out);
}

static am_qwen_vision read_vision(const am_config *c)
{
    am_qwen_vision v = am_glm_ocr_vision_read(c);
    v.leave = leave;
    return v;
}

static am_value features(am_builder *b)
{
    return am_qwen_features(b, read_vision, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return am_qwen_frame_features(b, read_vision, "pixel_values_videos", "video_grid_thw");
}

static void vision_model(am_builder *b)
{
    am_glm_vision_model(b, read_vision);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 59280,
                                                 .video_token = 59281,
                                                 .videos_as_images = true,
                                                 .text_type = "glm_ocr_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_glm_text_inputs};

static const am_architecture architectures[] = {
    {"GlmOcrModel", am_vision_language_model, NULL, 0},
    {"GlmOcrForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"GlmOcrVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_glm_ocr = {.name = "glm_ocr glm_ocr_vision",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .shaping_inputs = am_qwen_shaping_inputs};
