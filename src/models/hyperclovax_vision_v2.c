/* HyperCLOVA X with Qwen2.5-VL's tower, whose rows stand among its words through one matrix. transformers:
   models/hyperclovax_vision_v2/modeling_hyperclovax_vision_v2.py */
#include "models/blocks/layers.h"
#include "models/blocks/qwen_vl.h"

static am_qwen_vision read_vision(const am_config *c)
{
    if (am_config_has(c, "model_type") && !am_config_is(c, "model_type", "qwen2_5_vl_vision") &&
        !am_config_is(c, "model_type", "qwen2_5_vl"))
        am_config_unsupported(c, "model_type", "expected \"qwen2_5_vl_vision\"");
    return am_qwen2_5_vision_read(c);
}

static am_value rows(am_builder *b, const char *pixels, const char *grid)
{
    am_value x = am_qwen_features_below(b, read_vision, "vision_model", pixels, grid);
    bool own = am_has_weight(b, "vision_projector.weight");
    return am_linear(b, own ? "vision_projector" : "projector", x, am_text_width(b), AM_BIAS);
}

static am_value features(am_builder *b)
{
    return rows(b, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return rows(b, "pixel_values_videos", "video_grid_thw");
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 128060,
                                                 .video_token = 128061,
                                                 .tied = true,
                                                 .text_type = "hyperclovax",
                                                 .logits_scale = "logits_scaling",
                                                 .logits_scale_default = 1,
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"HyperCLOVAXVisionV2Model", am_vision_language_model, NULL, 0},
    {"HyperCLOVAXVisionV2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_hyperclovax_vision_v2 = {.name = "hyperclovax_vision_v2",
                                                      .base_prefix = "model",
                                                      .architectures = architectures,
                                                      .family = &family,
                                                      .shaping_inputs = am_qwen_shaping_inputs};
