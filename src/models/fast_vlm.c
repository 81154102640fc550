/* FastVLM: the places of FastViT's last map through two linear layers among the words of a text model, most often
   Qwen2's. transformers: models/fast_vlm/modeling_fast_vlm.py */
#include "models/blocks/fastvit.h"
#include "models/blocks/llava.h"
#include "models/blocks/vision.h"

static void check(const am_config *c, const am_config *vision)
{
    if (am_config_int(c, "vision_feature_layer", -1) != -1) am_config_fail(c, "vision_feature_layer", "expected -1");
    if (am_config_has(c, "vision_feature_select_strategy") &&
        !am_config_is(c, "vision_feature_select_strategy", "full"))
        am_config_fail(c, "vision_feature_select_strategy", "expected \"full\"");
    if (am_config_has(vision, "model_type") && !am_config_is(vision, "model_type", "timm_wrapper"))
        am_config_unsupported(vision, "model_type", "expected \"timm_wrapper\"");
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_value x = am_input(b, "pixel_values", 4);
    check(c, &vision);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "vision_tower.timm_model");
    x = am_fastvit(b, &vision, x, "fastvit_mci3", !am_config_has(c, "vision_config"));
    am_end_scope(b);
    return x.id ? am_llava_project(b, am_image_tokens(b, x)) : AM_NONE;
}

static const am_vision_language_family family = {.features = features, .image_token = 151646, .text_type = "qwen2"};

static const am_architecture architectures[] = {
    {"FastVlmModel", am_vision_language_model, NULL, 0},
    {"FastVlmForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_fast_vlm = {
    .name = "fast_vlm", .base_prefix = "model", .architectures = architectures, .family = &family};
