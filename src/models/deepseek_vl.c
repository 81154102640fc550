/* DeepSeek-VL: SigLIP's patches through two linear layers among the words of a LLaMA. transformers:
   models/deepseek_vl/modeling_deepseek_vl.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    int64_t C = am_text_width(b);
    am_part_outputs tower = am_vision_tower(b, "vision_model", "siglip_vision_model", AM_NONE);
    am_value x = am_part_output(&tower, "last_hidden_state");
    am_scope(b, "aligner");
    x = am_linear(b, "linear2", am_linear_activation(b, "linear1", x, C, AM_BIAS, AM_GELU), C, AM_BIAS);
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 100015, .tied = true};

static const am_architecture architectures[] = {
    {"DeepseekVLModel", am_vision_language_model, NULL, 0},
    {"DeepseekVLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_deepseek_vl = {
    .name = "deepseek_vl", .base_prefix = "model", .architectures = architectures, .family = &family};
