/* LFM2: layers of grouped attention, or of a short convolution between two gates: out(C * conv(B * x)) where B, C and x
   are projections of the input. transformers: models/lfm2/modeling_lfm2.py */
#include "models/blocks/decoder.h"
#include "models/blocks/recurrent.h"

#include <string.h>

/* layer_types, or attention in the layers full_attn_idxs lists, all where there is no list. */
static bool is_attention(const am_config *c, int layer)
{
    const char *type = am_config_list_text(c, "layer_types", layer);
    if (am_config_has(c, "layer_types")) {
        bool full = type && strcmp(type, "full_attention") == 0;
        if (!full && (!type || strcmp(type, "conv") != 0))
            am_config_fail(c, "layer_types", "type \"%s\" of layer %d is not supported", type ? type : "(none)", layer);
        return full;
    }
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "full_attn_idxs")); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return true;
    return !am_config_has(c, "full_attn_idxs");
}

static am_value short_convolution(am_builder *b, am_value x, int64_t C)
{
    const am_config *c = am_model_config(b);
    int bias = am_config_flag(c, "conv_bias", false) ? AM_BIAS : AM_NO_BIAS;
    x = am_linear(b, "in_proj", am_mask_padding_states(b, x), 3 * C, bias);
    am_value before = am_slice(b, x, -1, 0, C), after = am_slice(b, x, -1, C, 2 * C);
    x = am_mul(b, before, am_slice(b, x, -1, 2 * C, 3 * C));
    x = am_causal_convolution(b, "conv", x, am_config_size(c, "conv_L_cache", 3), bias, AM_IDENTITY);
    return am_linear(b, "out_proj", am_mul(b, after, x), C, bias);
}

static am_value operator_of(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool attention = is_attention(am_model_config(b), layer->index);
    am_attention_options options = *layer->attention;
    options.q_norm = "q_layernorm";
    options.k_norm = "k_layernorm";
    options.out = "out_proj";
    am_scope(b, "%s", attention ? "self_attn" : "conv");
    x = attention ? am_self_attention(b, x, &options) : short_convolution(b, x, layer->options->hidden_size);
    am_end_scope(b);
    return x;
}

/* intermediate_size, or two thirds of it, times a factor, up to a whole number of blocks. */
static int64_t inner_size(const am_config *c)
{
    int64_t size = am_config_size(c, am_config_either(c, "intermediate_size", "block_ff_dim"), 12288);
    int64_t block = am_config_size(c, "block_multiple_of", 256);
    if (!am_config_flag(c, "block_auto_adjust_ff_dim", true)) return size;
    size = 2 * size / 3;
    if (am_config_is_null(c, "block_ffn_dim_multiplier")) return size;
    size = (int64_t)(am_config_real(c, "block_ffn_dim_multiplier", 1) * (double)size);
    return (size + block - 1) / block * block;
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    int64_t inner = layer->options->intermediate_size;
    am_value gate = am_linear(b, "w1", x, inner, AM_NO_BIAS), up = am_linear(b, "w3", x, inner, AM_NO_BIAS);
    return am_linear(b, "w2", am_gated_activation(b, AM_SILU, gate, up), layer->options->hidden_size, AM_NO_BIAS);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "operator_norm", .before_mlp = "ffn_norm"};
    o->norms = &norms;
    o->final_norm = "embedding_norm";
    o->rms_norm_eps = am_config_real(c, "norm_eps", 1e-5);
    o->tie_word_embeddings = am_config_flag(c, am_config_either(c, "tie_word_embeddings", "tie_embedding"), true);
    o->intermediate_size = inner_size(c);
    o->attention = operator_of;
    o->attention_scope = "";
    o->mlp = feed_forward;
    o->mlp_scope = "feed_forward";
}

static const am_architecture architectures[] = {
    {"Lfm2Model", am_decoder_model, "feature-extraction", 0},
    {"Lfm2ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 65536,
                 .hidden_size = 2560,
                 .intermediate_size = 12288,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 128000,
                 .rope_theta = 1000000,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_lfm2 = {
    .name = "lfm2", .base_prefix = "model", .architectures = architectures, .family = &family};
