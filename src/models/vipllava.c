/* ViP-LLaVA: LLaVA that reads several layers of the tower side by side, normed. transformers:
   models/vipllava/modeling_vipllava.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    static const int layers[] = {-2, -5, -8, -11, 6};
    const am_config *c = am_model_config(b);
    int64_t C = am_text_width(b);
    am_unary_fn act = am_config_activation(c, "projector_hidden_act", AM_GELU);
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "clip_vision_model", AM_NONE);
    am_value x = am_vision_states(b, &tower, layers, sizeof layers / sizeof *layers, true);
    am_scope(b, "multi_modal_projector");
    x = am_layer_norm(b, "projector_layernorm", x, am_config_real(c, "projector_layernorm_eps", 1e-5));
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, AM_BIAS, act), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static const am_vision_language_family family = {.features = features, .image_token = 32000};

static const am_architecture architectures[] = {
    {"VipLlavaModel", am_vision_language_model, NULL, 0},
    {"VipLlavaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_vipllava = {
    .name = "vipllava", .base_prefix = "model", .architectures = architectures, .family = &family};
