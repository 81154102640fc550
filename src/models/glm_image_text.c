/* The text model of GLM-Image: GLM-4 whose tokens have places in time, height and width. transformers:
   models/glm_image/modeling_glm_image.py */
#include "models/blocks/glm_vision.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_glm_text_adapt(c, o);
    o->rotary_interleaved = false;
    o->qkv_bias = am_config_flag(c, "attention_bias", true);
}

static const am_architecture architectures[] = {
    {"GlmImageTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 168064,
                 .intermediate_size = 13696,
                 .num_hidden_layers = 40,
                 .num_key_value_heads = 2,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm_image_text = {
    .name = "glm_image_text", .base_prefix = "model", .architectures = architectures, .family = &family};
