/* LFM3: LFM2's short convolutions among attention with a gate a head, of which every other layer looks through a window
   and rotates otherwise; parts may have a norm behind them, too. transformers: models/lfm3/modeling_lfm3.py */
#include "models/blocks/short_convolution.h"

enum { CONVOLUTION, FULL, SLIDING };

/* layer_types, or the class's pattern. */
static int kind_of(const am_config *c, int layer)
{
    static const char *const names[] = {"conv", "full_attention", "sliding_attention"};
    if (!am_config_has(c, "layer_types"))
        return layer % 4 == 2 ? FULL : layer % 4 == 0 && layer > 0 ? SLIDING : CONVOLUTION;
    return am_config_layer_type(c, "layer_types", layer, names, 3);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value qkv[3];
    am_attention_heads(b, x, layer->attention, qkv);
    am_value y = am_attend(b, qkv[0], qkv[1], qkv[2], layer->attention);
    if (am_config_flag(o->config, "use_attention_gate", true)) {
        am_value gate = am_linear_activation(b, "gate_proj", x, o->num_attention_heads, AM_NO_BIAS, AM_SIGMOID);
        y = am_mul(b, am_split_heads(b, y, o->num_attention_heads), am_unsqueeze(b, gate, -1));
        y = am_merge_heads(b, y);
    }
    return am_linear(b, "o_proj", y, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    bool convolves = kind_of(layer->options->config, layer->index) == CONVOLUTION;
    am_scope(b, "%s", convolves ? "conv" : "self_attn");
    x = convolves ? am_short_convolution(b, x, layer->options->hidden_size, 7) : attention(b, x, layer);
    am_end_scope(b);
    return x;
}

static void read_rope(const am_config *c, am_decoder_options *o)
{
    int64_t max = o->rope.max_positions;
    o->sliding_rope = am_rope_config_read(c, "sliding_attention", o->head_dim, 10000, 1, max);
    o->has_sliding_rope = true;
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 1000000, 1, max);
    if (am_config_has(c, "rope_parameters") || am_config_has(c, "rope_scaling")) return;
    o->rope.type = AM_ROPE_PROPORTIONAL; /* half of a head is rotated where nothing is said */
    for (int64_t i = o->rope.dims / 4; i < o->rope.pairs; i++) o->rope.inverse_frequency[i] = 0;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "operator_norm", .before_mlp = "ffn_norm"};
    static const am_decoder_norms sandwich = {.before_attention = "operator_norm",
                                              .after_attention = "post_operator_norm",
                                              .before_mlp = "ffn_norm",
                                              .after_mlp = "post_ffn_norm"};
    o->norms = am_config_flag(c, "use_sandwich_norm", true) ? &sandwich : &norms;
    o->final_norm = "embedding_norm";
    o->rms_norm_eps = am_config_real(c, am_config_either(c, "norm_eps", "rms_norm_eps"), 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = mixer;
    o->attention_scope = "";
    o->mlp = am_lfm2_mlp;
    o->mlp_scope = "feed_forward";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 256);
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = kind_of(c, i) == SLIDING;
    read_rope(c, o);
}

static const am_architecture architectures[] = {
    {"Lfm3Model", am_decoder_model, "feature-extraction", 0},
    {"Lfm3ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128000,
                 .hidden_size = 2048,
                 .intermediate_size = 7680,
                 .num_hidden_layers = 24,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 128000,
                 .rope_theta = 1000000,
                 .tied = true,
                 .has_pad_token = true,
                 .pad_token_id = 124893},
    .adapt = adapt,
};

const am_model_type am_model_lfm3 = {
    .name = "lfm3", .base_prefix = "model", .architectures = architectures, .family = &family};
