/* The text model of Qwen3-VL: Qwen3 whose tokens have places in time, height and width, and whose first layers are each
   followed by states of a layer of the tower, added at the images' tokens. transformers:
   models/qwen3_vl/modeling_qwen3_vl.py */
#include "models/blocks/decoder.h"
#include "models/blocks/qwen3_vl.h"

/* Cosmos 3's files name projections and norms as Diffusers does. */
static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (am_has_weight(b, "to_q.weight")) {
        options.q = "to_q";
        options.k = "to_k";
        options.v = "to_v";
        options.out = "to_out";
        options.q_norm = "norm_q";
        options.k_norm = "norm_k";
    }
    return am_self_attention(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const int64_t sections[3] = {24, 20, 20};
    o->qk_norm = AM_QK_NORM_HEAD;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mrope = am_mrope_sections_read(c, &o->rope, sections, true);
    o->attention = attention;
    o->after_layer = am_qwen3_vl_add_visual_states;
}

static const am_architecture architectures[] = {
    {"Qwen3VLTextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .intermediate_size = 22016,
                 .num_key_value_heads = 32,
                 .head_dim = 128,
                 .max_position_embeddings = 128000,
                 .rope_theta = 500000,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_qwen3_vl_text = {
    .name = "qwen3_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
