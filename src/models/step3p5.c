/* The text model of Step 3.7: LLaMA with norms that multiply by 1 + weight, on query and key heads, too, a gate a head,
   windows before some layers, which have another number of heads and rotary base, and a mixture of experts beside a
   shared one, whose gates are kept within limits. transformers: models/step3p7/modeling_step3p7.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/limited_gates.h"
#include "models/blocks/step3p7.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Element i of the list KEY, or 0. */
static double list_number(const am_config *c, const char *key, int i)
{
    for (am_json_iterator at = am_json_iterate(am_json_get(c->object, key)); am_json_next(&at); i--)
        if (i == 0) return am_json_real(at.value, 0);
    return 0;
}

/* --- attention --- */

/* per_layer_config, or num_sliding_attention_heads of those layers. */
static int64_t heads_of(const am_decoder_options *o, int layer)
{
    char key[16];
    const am_config *c = o->config;
    am_config all = am_config_child(c, "per_layer_config"), other = am_config_child(c, "attention_other_setting");
    snprintf(key, sizeof key, "%d", layer);
    int64_t heads = o->num_attention_heads, sliding = am_config_size(&other, "num_attention_heads", heads);
    if (am_config_has(c, "per_layer_config")) {
        am_config own = am_config_child(&all, key);
        heads = am_config_size(&own, "num_attention_heads", heads);
    } else if (o->sliding[layer]) {
        heads = am_config_size(c, "num_sliding_attention_heads", sliding);
    }
    am_config_check_divides(c, "num_key_value_heads", o->num_key_value_heads, "num_attention_heads", heads);
    return heads;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_attention_options options = *layer->attention;
    am_value qkv[3];
    options.heads = heads_of(o, layer->index);
    am_attention_heads(b, x, &options, qkv);
    am_value y = am_split_heads(b, am_attend(b, qkv[0], qkv[1], qkv[2], &options), options.heads);
    am_value gate = am_linear_activation(b, "g_proj", x, options.heads, AM_NO_BIAS, AM_SIGMOID);
    y = am_merge_heads(b, am_mul(b, y, am_unsqueeze(b, gate, -1)));
    return am_linear(b, "o_proj", y, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

/* --- experts --- */

/* Whether moe_layers_enum, a list of numbers or a string of them with commas, has the layer. */
static bool is_enumerated(const am_config *c, int layer)
{
    am_json list = am_json_get(c->object, "moe_layers_enum");
    am_json_string text = am_json_text(list);
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);)
        if (am_json_int(i.value, -1) == layer) return true;
    for (const char *at = text.bytes; text.length && at; at = strchr(at, ',')) {
        int number = -1;
        if (*at == ',') at++;
        if (sscanf(at, "%d", &number) == 1 && number == layer) return true;
    }
    return false;
}

static bool is_mixture(const am_config *c, int layer)
{
    bool enumerated = !am_config_has(c, "mlp_layer_types") && am_config_has(c, "moe_layers_enum");
    return enumerated ? is_enumerated(c, layer) : am_is_mixture_layer(c, layer, 3);
}

static am_value limited_mlp(am_builder *b, am_value x, int64_t inner, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value gate = am_linear(b, "gate_proj", x, inner, AM_NO_BIAS), up = am_linear(b, "up_proj", x, inner, AM_NO_BIAS);
    x = am_limited_gate(b, o->hidden_act, gate, up, list_number(o->config, "swiglu_limits_shared", layer->index));
    return am_linear(b, "down_proj", x, o->hidden_size, AM_NO_BIAS);
}

/* Weights and experts: [N, top_k] of x: [N, C]. */
static am_value choose(am_builder *b, am_value x, const am_config *c, int64_t count, am_value *out_experts)
{
    am_expert_routing_attributes routing = {
        .top_k = am_config_size(c, am_config_either(c, "num_experts_per_tok", "moe_top_k"), 8),
        .sigmoid = true,
        .normalize = true,
        .scale = am_config_real(c, "moe_router_scaling_factor", 1)};
    am_value logits = am_linear(b, "gate", x, count, AM_NO_BIAS);
    am_value bias = am_weight(b, "gate.e_score_correction_bias", am_shape_of(count));
    return am_expert_routing(b, logits, bias, &routing, out_experts);
}

/* gate(x) and up(x) of each row's experts: [N, top_k, I]; the publisher's files have them apart. */
static void read_inner(am_builder *b, am_value x, am_value experts, int64_t E, int64_t I, am_value out[2])
{
    if (!am_has_weight(b, "experts.gate_up_proj")) {
        out[0] = am_stacked_experts(b, "experts.gate_proj", x, experts, E, I);
        out[1] = am_stacked_experts(b, "experts.up_proj", x, experts, E, I);
        return;
    }
    am_value both = am_weight(b, "experts.gate_up_proj", am_shape_of(E, 2 * I, am_dim(b, x, -1)));
    both = am_grouped_matmul(b, x, experts, both, AM_NONE);
    for (int i = 0; i < 2; i++) out[i] = am_slice(b, both, -1, i * I, (i + 1) * I);
}

static am_value experts_of(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    const char *key = am_config_has(c, "moe_num_experts") ? "moe_num_experts" : "num_local_experts";
    int64_t E = am_config_size(c, am_config_either(c, "n_routed_experts", key), 288),
            I = am_config_size(c, "moe_intermediate_size", 1280);
    am_value experts, weights = choose(b, x, c, E, &experts), inner[2];
    am_value down = am_weight(b, "experts.down_proj", am_shape_of(E, o->hidden_size, I));
    read_inner(b, x, experts, E, I, inner);
    am_value h = am_limited_gate(b, o->hidden_act, inner[0], inner[1], list_number(c, "swiglu_limits", layer->index));
    return am_expert_sum(b, am_grouped_matmul(b, h, experts, down, AM_NONE), weights);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    if (!is_mixture(c, layer->index)) return limited_mlp(b, x, o->intermediate_size, layer);
    am_value routed = am_reshape(b, experts_of(b, am_flatten(b, x, 0, 1), layer), am_shape_of_value(b, x));
    am_scope(b, "shared_experts");
    int64_t inner = am_config_size(c, am_config_either(c, "share_expert_dim", "share_expert_dims"), 1280);
    am_value shared = limited_mlp(b, x, inner, layer);
    am_end_scope(b);
    return am_add(b, routed, shared);
}

/* --- rotation --- */

/* The number KEY of layers of a kind: the list's element of the first of them, or the number itself. */
static double number_of_kind(const am_config *c, const am_decoder_options *o, const char *key, bool sliding,
                             double fallback)
{
    if (am_json_kind_of(am_json_get(c->object, key)) != AM_JSON_ARRAY) return am_config_real(c, key, fallback);
    for (int i = 0; i < o->num_hidden_layers; i++)
        if (o->sliding[i] == sliding) return list_number(c, key, i);
    return fallback;
}

/* Parameters by layer type, or those of older files, which scale layers that see all only. */
static am_rope_config read_rope(const am_config *c, const am_decoder_options *o, bool sliding)
{
    am_config p = am_config_child(c, "rope_parameters");
    const char *kind = sliding ? "sliding_attention" : "full_attention";
    int64_t max = o->rope.max_positions;
    if (am_config_has(&p, kind)) return am_rope_config_read(c, kind, o->head_dim, 10000, 1, max);
    double partial = number_of_kind(c, o, "partial_rotary_factors", sliding, 1);
    am_rope_fields fields = {.fixed_theta = number_of_kind(c, o, "rope_theta", sliding, 10000), .theta = "no_theta"};
    int64_t dims = (int64_t)((double)o->head_dim * partial);
    if (sliding) return am_rope_config_default(c, dims, fields.fixed_theta, max);
    return am_rope_config_read_fields(c, &fields, o->head_dim, 10000, partial, max);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = AM_SILU;
    o->norm_weight_offset = 1;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention_scale = 1 / sqrt(am_config_real(c, "query_pre_attn_scalar", (double)o->head_dim));
    o->attention = attention;
    o->mlp = mlp;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    o->sliding_rope = read_rope(c, o, true);
    o->rope = read_rope(c, o, false);
    o->has_sliding_rope = true;
    if (am_config_flag(c, "use_bidirectional_attention", false))
        am_config_unsupported(c, "use_bidirectional_attention", "attention in both directions is not supported");
}

static const am_architecture architectures[] = {
    {"Step3p7TextModel", am_decoder_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128815,
                 .intermediate_size = 11264,
                 .num_hidden_layers = 45,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 8,
                 .head_dim = 128,
                 .max_position_embeddings = 128000,
                 .rms_norm_eps = 1e-5,
                 .own_theta = true,
                 .has_pad_token = true,
                 .pad_token_id = 1},
    .adapt = adapt,
};

const am_renaming am_step3p7_text_names[] = {
    {".mlp.gate.e_score_correction_bias", ".moe.router_bias"},
    {".mlp.gate.", ".moe.gate."},
    {".mlp.experts.down_proj", ".moe.down_proj.weight"},
    {".mlp.experts.", ".moe."},
    {".mlp.shared_experts.", ".share_expert."},
    {0},
};

static const am_renaming *const renamings[] = {am_step3p7_text_names, NULL};

const am_model_type am_model_step3p5 = {.name = "step3p5",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .renamings = renamings};
