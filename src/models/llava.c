/* LLaVA: the states of a tower's layer, most often CLIP's last but one, through two linear layers among the words of a
   text model. transformers: models/llava/modeling_llava.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    static const int last_but_one = -2;
    const am_config *c = am_model_config(b);
    int64_t C = am_text_width(b);
    int bias = am_config_flag(c, "multimodal_projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_unary_fn act = am_config_activation(c, "projector_hidden_act", AM_GELU);
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "clip_vision_model", AM_NONE);
    am_value x = am_vision_states(b, &tower, &last_but_one, 1, am_vision_skips_first(b, "default"));
    am_scope(b, "multi_modal_projector");
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, bias, act), C, bias);
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

static const am_vision_language_family family = {.features = features, .image_token = 32000, .text_ties = true};

static const am_architecture architectures[] = {
    {"LlavaModel", am_vision_language_model, NULL, 0},
    {"LlavaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_llava = {
    .name = "llava", .base_prefix = "model", .architectures = architectures, .family = &family};
