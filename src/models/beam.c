/* Beam: layers that look through a window rotate, those that see everything sharpen queries by their position instead;
   attention has a gate, the MLPs after the first three are DeepSeek's mixtures, and what a layer adds counts less the
   deeper it stands. transformers: models/beam/modeling_beam.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/vision.h"

#include <math.h>

static const double SHARPENED_POSITIONS = 2048, SHARPENING = 0.1; /* not configurable */

/* x and what part `part` of a layer adds, weighed so that neither outgrows the other. */
static am_value add(am_builder *b, am_value x, am_value h, const am_decoder_layer *layer, int part)
{
    double n = 2 * (layer->index + 1) + part;
    return am_add(b, am_mul_number(b, h, 1 / sqrt(n)), am_mul_number(b, x, sqrt((n - 1) / n)));
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    return am_rms_norm(b, name, x, o->rms_norm_eps, 0);
}

/* q: [B, T, H, D] times (1 + (position + 1) / 2048)^0.1. */
static am_value sharpened(am_builder *b, am_value q)
{
    am_value places = am_cast(b, am_position_ids(b, am_dim(b, q, 1)), AM_F32);
    am_value reach = am_add_number(b, am_mul_number(b, am_add_number(b, places, 1), 1 / SHARPENED_POSITIONS), 1);
    am_value scale = am_binary_number(b, AM_POW, reach, SHARPENING);
    return am_mul(b, q, am_reshape(b, scale, am_shape_of(am_dim(b, scale, 0), am_dim(b, scale, 1), 1, 1)));
}

/* Whether the layers of this kind rotate: the parameters of a kind that does not are null. */
static bool rotates(const am_config *c, bool sliding)
{
    am_config rope = am_config_child(c, "rope_parameters");
    const char *kind = sliding ? "sliding_attention" : "full_attention";
    return am_config_has(c, "rope_parameters") ? am_config_has(&rope, kind) : sliding;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    int64_t H = o->num_attention_heads, D = o->head_dim;
    am_value qkv[3], read = norm(b, "input_layernorm", x, o);
    bool turns = rotates(o->config, o->sliding[layer->index]);
    if (!turns) options.rope = NULL;
    am_scope(b, "self_attn");
    am_attention_heads(b, read, &options, qkv);
    if (!turns) qkv[0] = sharpened(b, qkv[0]);
    am_value gate = am_split_heads(b, am_linear(b, "gate_proj", read, H * D, AM_NO_BIAS), H);
    am_value bias = am_reshape(b, am_parameter(b, "gate_bias", am_shape_of(H), gate), am_shape_of(1, 1, H, 1));
    gate = am_merge_heads(b, am_unary(b, AM_SIGMOID, am_add(b, gate, bias)));
    am_value h = am_mul(b, am_attend(b, qkv[0], qkv[1], qkv[2], &options), gate);
    h = am_linear(b, "o_proj", h, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return add(b, x, norm(b, "post_attention_layernorm", h, o), layer, 0);
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "num_experts",
                                              .count = 256,
                                              .intermediate_size = 2560,
                                              .top_k = 8,
                                              .groups = 8,
                                              .group_top_k = 4,
                                              .scale = 2.5};
    const am_decoder_options *o = layer->options;
    am_value h = norm(b, "pre_feedforward_layernorm", x, o);
    am_scope(b, "mlp");
    if (am_is_mixture_layer(o->config, layer->index, 3)) h = am_deepseek_mixture_of(b, h, o->hidden_act, &fields);
    else h = am_decoder_mlp(b, h, layer);
    am_end_scope(b);
    return add(b, x, norm(b, "post_feedforward_layernorm", h, o), layer, 1);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->norms = &none; /* the parts norm what they read and add what they were given */
    o->parts_add_residual = true;
    o->attention = attention;
    o->mlp = feed_forward;
    o->attention_scope = o->mlp_scope = "";
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 30);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 512);
    am_decoder_read_sliding(c, o, 0, 6);
    bool listed = am_config_has(c, "layer_types");
    if (!listed && o->num_hidden_layers > 0 && o->num_hidden_layers <= AM_LAYERS_LIMIT)
        o->sliding[o->num_hidden_layers - 1] = false;
    o->has_sliding_rope = true;
    o->rope = am_rope_config_read(c, rotates(c, false) ? "full_attention" : NULL, o->head_dim, 10000, 1, 8192);
    o->sliding_rope =
        am_rope_config_read(c, rotates(c, true) ? "sliding_attention" : NULL, o->head_dim, 10000, 1, 8192);
}

static const am_architecture architectures[] = {
    {"BeamModel", am_decoder_model, "feature-extraction", 0},
    {"BeamForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 151936,
                 .hidden_size = 5120,
                 .intermediate_size = 20480,
                 .num_hidden_layers = 52,
                 .num_attention_heads = 48,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 8192,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_beam = {
    .name = "beam", .base_prefix = "model", .architectures = architectures, .family = &family};
