/* Ling 2.5 (Bailing hybrid): layers of Kimi delta attention to every sixth of multi-head latent attention with a gate a
   head, and DeepSeek's mixture of experts. transformers: models/bailing_hybrid/modeling_bailing_hybrid.py */
#include "models/blocks/delta_net.h"
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"
#include "models/blocks/recurrent.h"

static const am_latent_defaults defaults = {.kv_lora_rank = 512,
                                            .nope_dim = 128,
                                            .rope_dim = 64,
                                            .v_dim = 128,
                                            .theta = 6000000,
                                            .max_position_embeddings = 262144};

/* layer_types, or where there are none each but the layer_group_size-th layer. */
static bool is_linear(const am_config *c, int layer)
{
    if (!am_config_has(c, "layer_types")) return (layer + 1) % am_config_size(c, "layer_group_size", 6) != 0;
    return am_config_layer_is(c, "layer_types", layer, "linear_attention", "full_attention");
}

static am_delta_net read_net(const am_config *c, const am_decoder_options *o)
{
    am_delta_net n = {.key_heads = am_config_size(c, "linear_num_heads", o->num_attention_heads),
                      .key_dim = am_config_size(c, "linear_head_dim", am_config_size(c, "head_dim", 128)),
                      .kernel =
                          am_config_size(c, "linear_conv_kernel_dim", am_config_size(c, "short_conv_kernel_size", 4))};
    n.value_heads = n.key_heads;
    n.value_dim = n.key_dim;
    return n;
}

/* Kimi delta attention: a delta net that forgets each number of a key by itself. */
static am_value delta_attention(am_builder *b, am_value x, const am_decoder_options *o)
{
    am_delta_net n = read_net(o->config, o);
    int64_t width = n.value_heads * n.value_dim;
    x = am_mask_padding_states(b, x);
    am_value mixed = am_delta_convolutions(b, x, &n, o->hidden_act);
    am_value beta = am_linear_activation(b, "b_proj", x, n.value_heads, AM_NO_BIAS, AM_SIGMOID);
    double bound =
        am_config_flag(o->config, "kda_safe_gate", true) ? am_config_real(o->config, "kda_lower_bound", -5) : 0;
    am_value decay =
        am_delta_channel_decay(b, am_linear(b, "f_proj", x, width, AM_NO_BIAS), am_shape_of(n.value_heads), bound, &n);
    am_value gate = am_linear(b, "g_proj", x, width, AM_NO_BIAS);
    am_value y = am_rms_norm(b, "o_norm", am_delta_recurrence(b, mixed, decay, beta, &n), o->rms_norm_eps, 0);
    y = am_gated_activation(b, AM_SIGMOID, gate, am_merge_heads(b, y));
    return am_linear(b, "dense", y, o->hidden_size, AM_NO_BIAS);
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    if (is_linear(options.config, layer->index)) return delta_attention(b, x, &options);
    am_latent_attention a = am_latent_attention_of(options.config, &options, &defaults);
    a.q_lora_rank = 0;
    a.out = "dense";
    a.gate = am_unsqueeze(b, am_linear_activation(b, "g_proj", x, a.heads, AM_NO_BIAS, AM_SIGMOID), -1);
    return am_latent_attend(b, x, x, &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "num_local_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "n_shared_experts",
                                              .count = 512,
                                              .intermediate_size = 768,
                                              .top_k = 8,
                                              .groups = 8,
                                              .group_top_k = 4,
                                              .scale = 2.5,
                                              .kimi_names = true,
                                              .correction_bias = "expert_bias"};
    const am_config *c = layer->options->config;
    if (!am_is_mixture_layer(c, layer->index, am_config_int(c, "first_k_dense_replace", 2)))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_of(c, o, &defaults);
    o->rotary_interleaved = true;
    o->attention = mixer;
    o->attention_scope = "attention";
    o->embeddings = "word_embeddings";
    o->mlp = mixture;
    o->tie_word_embeddings = false; /* the class ties nothing */
}

static const am_architecture architectures[] = {
    {"BailingHybridModel", am_decoder_model, "feature-extraction", 0},
    {"BailingHybridForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 157184,
                 .hidden_size = 2560,
                 .intermediate_size = 6144,
                 .num_hidden_layers = 42,
                 .head_dim = 128,
                 .max_position_embeddings = 262144,
                 .has_pad_token = true,
                 .pad_token_id = 156892},
    .adapt = adapt,
};

const am_model_type am_model_bailing_hybrid = {
    .name = "bailing_hybrid", .base_prefix = "model", .architectures = architectures, .family = &family};
