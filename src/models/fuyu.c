/* Fuyu: patches of images through one linear layer among the words of Persimmon. transformers:
   models/fuyu/modeling_fuyu.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

static const char alias[] = "image_patches";

static am_value features(am_builder *b)
{
    const char *name = am_has_input(b, alias) ? alias : "pixel_values";
    am_value x = am_linear(b, "vision_embed_tokens", am_input(b, name, -1), am_text_width(b), AM_BIAS);
    return am_reshape(b, x, am_shape_of(-1, am_text_width(b)));
}

static const am_vision_language_family family = {.features = features,
                                                 .pixels_alias = alias,
                                                 .image_token = 71011,
                                                 .text_type = "persimmon",
                                                 .hides_features = true,
                                                 .may_exceed_words = true};

static const am_architecture architectures[] = {
    {"FuyuModel", am_vision_language_model, NULL, 0},
    {"FuyuForCausalLM", am_vision_language_for_conditional_generation, "image-text-to-text", AM_GENERATES},
    {0},
};

const am_model_type am_model_fuyu = {
    .name = "fuyu", .base_prefix = "model", .architectures = architectures, .family = &family};
