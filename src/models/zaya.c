/* ZAYA: queries, keys and half of the values are mixed with those of the tokens before by convolutions; each token has
   one expert or none, chosen by a router that remembers what it found in the layer before; residuals are scaled.
   transformers: models/zaya/modeling_zaya.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/heads.h"
#include "models/blocks/recurrent.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <string.h>

static const double NORM_EPS = 1.1920928955078125e-07; /* torch.finfo(torch.float32).eps */
static const double NONE_BIAS = -1; /* whatever files have: the class sets it after it has read them */

static const am_config *config_of(const am_decoder_layer *layer)
{
    return layer->options->config;
}

/* (x + NAME_bias) * NAME_scale */
static am_value scaled(am_builder *b, const char *scale, const char *bias, am_value x)
{
    am_shape row = am_shape_of(am_dim(b, x, -1));
    return am_mul(b, am_add(b, x, am_parameter(b, bias, row, x)), am_parameter(b, scale, row, x));
}

static am_value add(am_builder *b, const char *name, am_value x, am_value h)
{
    am_scope(b, "%s", name);
    h = scaled(b, "hidden_states_scale", "hidden_states_bias", h);
    x = scaled(b, "residual_scale", "residual_bias", x);
    am_end_scope(b);
    return am_add(b, h, x);
}

/* --- attention --- */

/* x: [B, T, C] through two convolutions, the first of each channel, the second of each head; they look back as far as
   both together. */
static am_value convolved(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = config_of(layer);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    int64_t first = am_config_size(c, "cca_time0", 2), second = am_config_size(c, "cca_time1", 2),
            back = first + second - 2,
            heads = layer->options->num_attention_heads + layer->options->num_key_value_heads;
    if (back > 0) {
        am_value past = am_recurrent_state(b, "past", am_shape_of(B, back, C));
        x = am_concat2(b, past, x, 1);
        am_recurrent_state_keep(b, past, am_slice(b, x, 1, T, T + back));
    }
    x = am_permute(b, x, am_shape_of(0, 2, 1));
    am_convolution_attributes each = {.groups = C}, of_heads = {.groups = heads};
    x = am_conv(b, "conv_qk_depthwise", x, C, am_shape_of(first), AM_BIAS, &each);
    x = am_conv(b, "conv_qk_grouped", x, C, am_shape_of(second), AM_BIAS, &of_heads);
    return am_permute(b, x, am_shape_of(0, 2, 1));
}

/* x: [B, T, C] of the token before each. */
static am_value delayed(am_builder *b, am_value x)
{
    int64_t T = am_dim(b, x, 1);
    am_value past = am_recurrent_state(b, "delayed", am_shape_of(am_dim(b, x, 0), 1, am_dim(b, x, 2)));
    am_value all = am_concat2(b, past, x, 1);
    am_recurrent_state_keep(b, past, am_slice(b, all, 1, T, T + 1));
    return am_slice(b, all, 1, 0, T);
}

/* The mean of each query head and its key's: [B, T, H, D]; k: [B, T, G, D]. */
static am_value query_mean(am_builder *b, am_value q, am_value k)
{
    am_shape s = am_shape_of_value(b, q);
    int64_t G = am_dim(b, k, 2);
    am_value groups = am_reshape(b, q, am_shape_of(s.dims[0], s.dims[1], G, s.dims[2] / G, s.dims[3]));
    return am_reshape(b, am_mul_number(b, am_add(b, groups, am_unsqueeze(b, k, 3)), 0.5), s);
}

/* q: [B, T, H, D], k and v: [B, T, G, D] of x: [B, T, C], queries and keys of one length. */
static void heads_of(am_builder *b, am_value x, const am_decoder_layer *layer, am_value out[3])
{
    const am_decoder_options *o = layer->options;
    int64_t H = o->num_attention_heads, G = o->num_key_value_heads, D = o->head_dim;
    int bias = o->qkv_bias ? AM_BIAS : AM_NO_BIAS;
    am_value q = am_linear(b, "q_proj", x, H * D, bias), k = am_linear(b, "k_proj", x, G * D, bias);
    am_value mixed = convolved(b, am_concat2(b, q, k, -1), layer);
    am_value mean = query_mean(b, am_split_heads(b, q, H), am_split_heads(b, k, G));
    am_shape s = am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), G, H / G, D);
    am_value key_mean = am_reduce(b, AM_REDUCE_MEAN, am_reshape(b, mean, s), am_shape_of(3), false);
    out[0] = am_add(b, am_split_heads(b, am_slice(b, mixed, -1, 0, H * D), H), mean);
    out[1] = am_add(b, am_split_heads(b, am_slice(b, mixed, -1, H * D, (H + G) * D), G), key_mean);
    am_value now = am_linear(b, "v_proj_current", x, G * D / 2, bias),
             before = am_linear(b, "v_proj_delayed", delayed(b, x), G * D / 2, bias);
    out[2] = am_split_heads(b, am_concat2(b, now, before, -1), G);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t G = o->num_key_value_heads;
    double length = sqrt((double)o->head_dim);
    am_value qkv[3], h = am_rms_norm(b, "input_layernorm", x, o->rms_norm_eps, 0);
    am_scope(b, "self_attn");
    am_scope(b, "qkv_proj");
    heads_of(b, am_mask_padding_states(b, h), layer, qkv);
    am_end_scope(b);
    am_scope(b, "qk_norm");
    am_value temp = am_reshape(b, am_parameter(b, "temp", am_shape_of(G), x), am_shape_of(1, 1, G, 1));
    am_end_scope(b);
    for (int i = 0; i < 2; i++) qkv[i] = am_mul_number(b, am_unit_length(b, qkv[i], NORM_EPS), length);
    qkv[1] = am_mul(b, qkv[1], temp);
    for (int i = 0; i < 2; i++) qkv[i] = am_rope_apply(b, layer->attention->rope, qkv[i]);
    h = am_attend(b, qkv[0], qkv[1], qkv[2], layer->attention);
    h = am_linear(b, "o_proj", h, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return add(b, "post_attention_residual_scale", x, h);
}

/* --- experts --- */

/* Scores of the experts and of none: x: [B, T, C] -> [B * T, experts + 1]; leaves what the next router starts from. */
static am_value route(am_builder *b, am_value x, const am_decoder_layer *layer, int64_t experts)
{
    const am_config *c = config_of(layer);
    int64_t R = am_config_size(c, "router_hidden_size", 256);
    x = am_linear(b, "down_proj", x, R, AM_BIAS);
    if (layer->index > 0 && layer->carried->id) {
        am_value scale = am_parameter(b, "router_states_scale", am_shape_of(R), x);
        x = am_add(b, x, am_mul(b, *layer->carried, scale));
    }
    *layer->carried = x;
    am_scope(b, "router_mlp");
    x = am_rms_norm(b, "norm", x, layer->options->rms_norm_eps, 0);
    x = am_linear_activation(b, "fc1", x, R, AM_BIAS, AM_GELU);
    x = am_linear_activation(b, "fc2", x, R, AM_BIAS, AM_GELU);
    x = am_linear(b, "out_proj", x, experts + 1, AM_NO_BIAS);
    am_end_scope(b);
    return am_softmax(b, am_flatten(b, x, 0, 1), -1);
}

/* The expert that each row goes to, I32 [N, 1], and how much it counts: [N, 1], which is nothing where none is best. */
static am_value choose(am_builder *b, am_value scores, int64_t experts, am_value *out_weights)
{
    am_value biases = am_slice(b, am_parameter(b, "balancing_biases", am_shape_of(experts + 1), scores), 0, 0, experts);
    am_value last = am_broadcast(b, am_scalar(b, am_dtype_of(b, scores), NONE_BIAS), am_shape_of(1));
    am_value biased = am_add(b, scores, am_concat2(b, biases, last, 0));
    am_value best = am_unsqueeze(b, am_arg_reduce(b, biased, 1, false), 1);
    am_value none = am_binary_number(b, AM_EQUAL, best, (double)experts);
    am_value weights = am_gather(b, scores, best, 1, true);
    *out_weights = am_select(b, none, am_scalar(b, am_dtype_of(b, weights), 0), weights);
    return am_select(b, none, am_scalar(b, AM_I32, 0), best);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = config_of(layer);
    am_experts_options options = {.count = am_config_size(c, "num_experts", 16),
                                  .intermediate_size = am_config_size(c, "moe_intermediate_size", 2048),
                                  .activation = o->hidden_act};
    am_value weights, h = am_rms_norm(b, "post_attention_layernorm", x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    am_scope(b, "gate");
    am_value expert = choose(b, route(b, h, layer, options.count), options.count, &weights);
    am_end_scope(b);
    am_value y = am_chosen_experts(b, am_flatten(b, h, 0, 1), expert, weights, &options);
    am_end_scope(b);
    return add(b, "post_mlp_residual_scale", x, am_reshape(b, y, am_shape_of_value(b, x)));
}

/* --- configuration, classes --- */

static void read_kinds(const am_config *c, am_decoder_options *o)
{
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT && am_config_has(c, "layer_types"); i++) {
        const char *type = am_config_list_text(c, "layer_types", i);
        o->sliding[i] = type && strcmp(type, "hybrid_sliding") == 0;
        if (!o->sliding[i] && (!type || strcmp(type, "hybrid") != 0))
            am_config_unsupported(c, "layer_types", "type \"%s\" of layer %d is not supported", type ? type : "(none)",
                                  i);
        if (o->sliding[i] && o->sliding_window == 0)
            am_config_fail(c, "sliding_window", "layer %d has a window, found no size", i);
    }
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    double partial = am_config_has(c, "rope_parameters") ? 1 : 0.5;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->head_bias = am_config_flag(c, "lm_head_bias", false);
    o->norms = &none; /* the parts norm what they read and add what they were given */
    o->parts_add_residual = true;
    o->attention = attention;
    o->mlp = mixture;
    o->attention_scope = o->mlp_scope = "";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    read_kinds(c, o);
    o->has_sliding_rope = true;
    o->rope = am_rope_config_read(c, "hybrid", o->head_dim, 5000000, partial, 131072);
    o->sliding_rope = am_rope_config_read(c, "hybrid_sliding", o->head_dim, 10000, partial, 131072);
    if (am_config_size(c, "num_experts_per_tok", 1) != 1)
        am_config_fail(c, "num_experts_per_tok", "a token has one expert in this class");
    if (o->num_key_value_heads * o->head_dim % 2 != 0)
        am_config_fail(c, "head_dim", "%lld values cannot be halved",
                       (long long)(o->num_key_value_heads * o->head_dim));
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 262272,
                 .hidden_size = 2048,
                 .num_hidden_layers = 40,
                 .num_attention_heads = 8,
                 .num_key_value_heads = 2,
                 .head_dim = 128,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    am_value x = am_input_embeddings(b, "embed_tokens", o->vocab_size, o->hidden_size);
    o->embedded = scaled(b, "input_hidden_states_scale", "input_hidden_states_bias", x);
    am_end_scope(b);
    return am_decoder_body(b, o, prefix);
}

static void zaya_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_value x = body(b, &o, "model");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight",
                         o.head_bias ? AM_BIAS : AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"ZayaModel", zaya_model, "feature-extraction", 0},
    {"ZayaForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_zaya = {
    .name = "zaya", .base_prefix = "model", .architectures = architectures, .family = &family};
