/* Kimi Linear (arXiv 2510.26692): layers of Kimi delta attention, to every fourth or so of multi-head latent attention
   without positions, and DeepSeek's mixture of experts. transformers: models/kimi_linear/modeling_kimi_linear.py */
#include "models/blocks/delta_net.h"
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"
#include "models/blocks/recurrent.h"

#include <math.h>

static const am_latent_defaults defaults = {
    .kv_lora_rank = 512, .nope_dim = 128, .rope_dim = 64, .v_dim = 128, .max_position_embeddings = 1048576};

/* Whether the list KEY of linear_attn_config, which counts from 1, has the layer. */
static bool lists(const am_config *c, const char *key, int layer)
{
    am_config p = am_config_child(c, "linear_attn_config");
    for (am_json_iterator i = am_json_iterate(am_json_get(p.object, key)); am_json_next(&i);)
        if (am_json_int(i.value, 0) == layer + 1) return true;
    return false;
}

/* layer_types, the lists, or where there are none each layer but every fourth behind the first. */
static bool is_linear(const am_config *c, int layer)
{
    am_config p = am_config_child(c, "linear_attn_config");
    bool listed = am_config_has(&p, "full_attn_layers") && am_config_has(&p, "kda_layers");
    if (!am_config_has(c, "layer_types")) {
        if (!listed) return layer == 0 || layer % 4 != 0;
        if (!lists(c, "full_attn_layers", layer) && !lists(c, "kda_layers", layer))
            am_config_fail(c, "linear_attn_config", "layer %d is not listed", layer + 1);
        return lists(c, "kda_layers", layer);
    }
    return am_config_layer_is(c, "layer_types", layer, "linear_attention", "full_attention");
}

static am_delta_net read_net(const am_config *c, const am_decoder_options *o)
{
    am_config p = am_config_child(c, "linear_attn_config");
    am_delta_net n = {.key_heads = am_config_size(&p, "num_heads", am_config_size(c, "linear_num_heads", 32)),
                      .key_dim = am_config_size(&p, "head_dim", am_config_size(c, "linear_head_dim", 128)),
                      .kernel =
                          am_config_size(&p, "short_conv_kernel_size", am_config_size(c, "linear_conv_kernel_dim", 4))};
    (void)o;
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
    am_value forget = am_linear(b, "f_b_proj", am_linear(b, "f_a_proj", x, n.key_dim, AM_NO_BIAS), width, AM_NO_BIAS);
    am_value decay = am_delta_channel_decay(b, forget, am_shape_of(1, 1, n.value_heads, 1), 0, &n);
    am_value gate = am_linear(b, "g_b_proj", am_linear(b, "g_a_proj", x, n.key_dim, AM_NO_BIAS), width, AM_NO_BIAS);
    am_value y = am_rms_norm(b, "o_norm", am_delta_recurrence(b, mixed, decay, beta, &n), o->rms_norm_eps, 0);
    y = am_gated_activation(b, AM_SIGMOID, gate, am_merge_heads(b, y));
    return am_linear(b, "o_proj", y, o->hidden_size, AM_NO_BIAS);
}

static am_value mixer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    if (is_linear(options.config, layer->index)) return delta_attention(b, x, &options);
    am_latent_attention a = am_latent_attention_of(options.config, &options, &defaults);
    a.scale = 1 / sqrt((double)(a.nope_dim + a.rope_dim));
    a.no_rope = true;
    return am_latent_attend(b, x, am_latent_query(b, x, &a), &a, layer->attention);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "num_local_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "n_shared_experts",
                                              .count = 256,
                                              .intermediate_size = 1024,
                                              .top_k = 8,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 2.446,
                                              .kimi_names = true,
                                              .gate = "w1",
                                              .up = "w3",
                                              .down = "w2"};
    const am_config *c = layer->options->config;
    if (!am_is_mixture_layer(c, layer->index, am_config_int(c, "first_k_dense_replace", 1)))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_latent_attention_of(c, o, &defaults);
    o->attention = mixer;
    o->mlp = mixture;
    o->mlp_scope = "block_sparse_moe";
    o->tie_word_embeddings = false; /* the class ties nothing */
}

static const am_architecture architectures[] = {
    {"KimiLinearModel", am_decoder_model, "feature-extraction", 0},
    {"KimiLinearForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 163840,
                 .hidden_size = 2304,
                 .intermediate_size = 9216,
                 .num_hidden_layers = 27,
                 .head_dim = 64,
                 .max_position_embeddings = 1048576,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true,
                 .pad_token_id = 163839},
    .adapt = adapt,
};

const am_model_type am_model_kimi_linear = {
    .name = "kimi_linear", .base_prefix = "model", .architectures = architectures, .family = &family};
