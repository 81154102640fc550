/* The text model of Muse Glimmer: Gemma 2 with normed embeddings, a gate on attention and norms of queries and keys
   that have no weights; layers of which layer_rope_theta is 0 do not rotate. transformers:
   models/muse_glimmer/modeling_muse_glimmer.py */
#include "models/blocks/decoder.h"
#include "models/blocks/gemma4.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <string.h>

static bool is_wide(const am_decoder_options *o, int layer)
{
    return (o->num_hidden_layers - 1 - layer) % 4 == 0;
}

static bool rotates(const am_decoder_options *o, int layer)
{
    if (!am_config_has(o->config, "layer_rope_theta")) return !is_wide(o, layer);
    am_json_iterator i = am_json_iterate(am_json_get(o->config->object, "layer_rope_theta"));
    while (am_json_next(&i))
        if (layer-- == 0) return am_json_real(i.value, 0) != 0;
    am_config_fail(o->config, "layer_rope_theta", "expected a number for each layer");
    return false;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t H = o->num_attention_heads, D = o->head_dim;
    int bias = o->out_bias ? AM_BIAS : AM_NO_BIAS;
    double scale = am_config_real(o->config, "qk_scale_factor", 3.87);
    am_value qkv[3], h = am_rms_norm(b, "input_layernorm", x, o->rms_norm_eps, 1);
    am_attention_options options = *layer->attention;
    options.rope = NULL;
    am_scope(b, "self_attn");
    am_value gate = am_linear_activation(b, "gate_proj", h, H * D, AM_NO_BIAS, AM_SIGMOID);
    am_attention_heads(b, h, &options, qkv);
    for (int i = 0; i < 2; i++) qkv[i] = am_bare_rms_norm(b, qkv[i], o->rms_norm_eps);
    qkv[0] = am_mul_number(b, qkv[0], scale);
    for (int i = 0; i < 2 && rotates(o, layer->index); i++) qkv[i] = am_rope_apply(b, layer->attention->rope, qkv[i]);
    h = am_mul(b, am_attend(b, qkv[0], qkv[1], qkv[2], &options), gate);
    h = am_linear(b, "o_proj", h, o->hidden_size, bias);
    am_end_scope(b);
    double eps = am_config_real(o->config, "post_norm_eps", 1e-8);
    return am_add(b, x, am_rms_norm(b, "post_attention_layernorm", h, eps, 1));
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value h = am_rms_norm(b, "pre_feedforward_layernorm", x, o->rms_norm_eps, 1);
    am_scope(b, "mlp");
    h = am_decoder_mlp(b, h, layer);
    am_end_scope(b);
    double eps = am_config_real(o->config, "post_norm_eps", 1e-8);
    return am_add(b, x, am_rms_norm(b, "post_feedforward_layernorm", h, eps, 1));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_SILU);
    o->norms = &none; /* the parts norm what they read and add what they were given */
    o->parts_add_residual = true;
    o->attention = attention;
    o->mlp = feed_forward;
    o->attention_scope = o->mlp_scope = "";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 2048);
    am_decoder_read_sliding(c, o, 0, 4);
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT && !am_config_has(c, "layer_types"); i++)
        o->sliding[i] = !is_wide(o, i);
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 202048,
                 .hidden_size = 6656,
                 .intermediate_size = 19968,
                 .num_hidden_layers = 52,
                 .num_attention_heads = 32,
                 .num_key_value_heads = 2,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

/* Words are normed; embeddings that are given, and rows of other modalities, are not. */
static void text_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    if (!am_has_input(b, "inputs_embeds")) {
        am_value x = am_embedding(b, "embed_tokens", am_input(b, "input_ids", 2), o.vocab_size, o.hidden_size);
        o.embedded = am_merge_part_features(b, am_bare_rms_norm(b, x, o.rms_norm_eps));
    }
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
}

static const am_architecture architectures[] = {
    {"MuseGlimmerTextModel", text_model, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_muse_glimmer_text = {
    .name = "muse_glimmer_text", .base_prefix = "model", .architectures = architectures, .family = &family};
