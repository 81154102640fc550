/* MiMo-V2 Flash: LLaMA whose values are wider or narrower than its keys and scaled, windows before most layers, which
   have twice the key heads, sinks and a rotary base of their own, and DeepSeek's mixture of experts without shared
   ones. transformers: models/mimo_v2_flash/modeling_mimo_v2_flash.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    bool sliding = o->sliding[layer->index];
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    int64_t H = o->num_attention_heads, G = o->num_key_value_heads * (sliding ? 2 : 1), D = o->head_dim,
            E = am_config_size(o->config, "v_head_dim", 128);
    am_config_check_divides(o->config, "num_key_value_heads", G, "num_attention_heads", H);
    am_value q = am_split_heads(b, am_linear(b, "q_proj", x, H * D, bias), H),
             k = am_split_heads(b, am_linear(b, "k_proj", x, G * D, bias), G),
             v = am_split_heads(b, am_linear(b, "v_proj", x, G * E, bias), G);
    if (!am_config_is_null(o->config, "attention_value_scale"))
        v = am_mul_number(b, v, am_config_real(o->config, "attention_value_scale", 0.707));
    if (sliding) options.sinks = am_cast(b, am_weight(b, "attention_sink_bias", am_shape_of(H)), AM_F32);
    x = am_attend(b, am_rope_apply(b, options.rope, q), am_rope_apply(b, options.rope, k), v, &options);
    return am_linear(b, "o_proj", x, o->hidden_size, AM_NO_BIAS);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_local_experts",
                                              .count = 256,
                                              .intermediate_size = 2048,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1};
    if (!am_is_mixture_layer(layer->options->config, layer->index, 1)) return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

/* layer_types, or where there are none a window before each layer but the first and every sixth. */
static void read_windows(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_config_size(c, "sliding_window", 129);
    if (am_config_has(c, "sliding_window_size")) o->sliding_window = am_config_size(c, "sliding_window_size", 128) + 1;
    am_decoder_read_sliding(c, o, 1, 6);
}

/* A third of each head is rotated where nothing is said, but all of it where the rotation is scaled. */
static am_rope_config read_rope(const am_config *c, const am_decoder_options *o, const char *kind, double theta)
{
    am_config all = am_config_child(c, "rope_parameters"), p = am_config_child(&all, kind);
    bool scaled = am_config_has(&p, "rope_type") && !am_config_is(&p, "rope_type", "default");
    return am_rope_config_read(c, kind, o->head_dim, theta, scaled ? 1 : 0.334, o->rope.max_positions);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = am_config_flag(c, "attention_bias", false);
    o->attention = attention;
    o->mlp = mixture;
    read_windows(c, o);
    o->sliding_rope = read_rope(c, o, "sliding_attention", 10000);
    o->rope = read_rope(c, o, "full_attention", 5000000);
    o->has_sliding_rope = true;
}

static const am_architecture architectures[] = {
    {"MiMoV2FlashModel", am_decoder_model, "feature-extraction", 0},
    {"MiMoV2FlashForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 152576,
                 .intermediate_size = 16384,
                 .num_hidden_layers = 48,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 4,
                 .head_dim = 192,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_mimo_v2_flash = {
    .name = "mimo_v2_flash", .base_prefix = "model", .architectures = architectures, .family = &family};
