/* The text model of Granite Docling: Granite to whose first layers' states those of the image tower's layers are added
   at the images' tokens. transformers: models/granite_docling/modeling_granite_docling.py */
#include "models/blocks/granite.h"
#include "models/blocks/qwen3_vl.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->embedding_scale = am_config_real(c, "embedding_multiplier", 12);
    o->attention_scale = am_config_real(c, "attention_multiplier", 0.015625);
    o->residual_multiplier = am_config_real(c, "residual_multiplier", 0.263);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->after_layer = am_qwen3_vl_add_visual_states;
}

static const am_architecture architectures[] = {
    {"GraniteDoclingTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 133800,
                 .hidden_size = 1024,
                 .intermediate_size = 2048,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 4,
                 .max_position_embeddings = 32768,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true,
                 .tied = true,
                 .has_pad_token = true,
                 .pad_token_id = 100256},
    .adapt = adapt,
};

const am_model_type am_model_granite_docling_text = {
    .name = "granite_docling_text", .base_prefix = "model", .architectures = architectures, .family = &family};
