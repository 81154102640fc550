/* The text model of GLM-4.1V: GLM-4 whose tokens have places in time, height and width. transformers:
   models/glm4v/modeling_glm4v.py */
#include "models/blocks/glm_vision.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_glm_text_adapt(c, o);
    o->head_dim = o->hidden_size / o->num_attention_heads;
}

static const am_architecture architectures[] = {
    {"Glm4vTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151552,
                 .intermediate_size = 13696,
                 .num_hidden_layers = 40,
                 .num_key_value_heads = 2,
                 .max_position_embeddings = 32768,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm4v_text = {
    .name = "glm4v_text", .base_prefix = "model", .architectures = architectures, .family = &family};
