/* The text model of GLM-OCR: that of GLM-4.1V without biases. transformers: models/glm_ocr/modeling_glm_ocr.py */
#include "models/blocks/glm_vision.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_glm_text_adapt(c, o);
    o->qkv_bias = false;
}

static const am_architecture architectures[] = {
    {"GlmOcrTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 59392,
                 .hidden_size = 1024,
                 .intermediate_size = 4096,
                 .num_hidden_layers = 16,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_glm_ocr_text = {
    .name = "glm_ocr_text", .base_prefix = "model", .architectures = architectures, .family = &family};
