/* RecurrentGemma (arXiv 2404.07839): Griffin's blocks, two of a gated linear recurrence to one of local attention.
   transformers: models/recurrent_gemma/modeling_recurrent_gemma.py */
#include "models/blocks/decoder.h"
#include "models/blocks/recurrent.h"
#include "tensor/dtype.h"

#include <math.h>
#include <string.h>

/* Element layer of the repeated list block_types: recurrent, recurrent, attention where there is none. */
static bool is_recurrent(const am_config *c, int layer)
{
    int count = (int)am_json_count(am_json_get(c->object, "block_types"));
    if (count == 0) return layer % 3 != 2;
    const char *type = am_config_list_text(c, "block_types", layer % count);
    bool recurrent = type && strcmp(type, "recurrent") == 0;
    if (!recurrent && (!type || strcmp(type, "attention") != 0))
        am_config_unsupported(c, "block_types", "type \"%s\" is not supported", type ? type : "(none)");
    return recurrent;
}

/* sigmoid of x: [B, T, D] times the gate's weights, a matrix a head. */
static am_value gate(am_builder *b, const char *weight, const char *bias, am_value x, int64_t H)
{
    int64_t W = am_dim(b, x, -1) / H;
    am_value heads = am_permute(b, am_split_heads(b, x, H), am_shape_of(0, 2, 1, 3)); /* [B, H, T, W] */
    am_value y = am_matmul(b, heads, am_cast(b, am_weight(b, weight, am_shape_of(H, W, W)), AM_F32), false, false);
    y = am_permute(b, y, am_shape_of(0, 2, 1, 3));
    y = am_add(b, y, am_cast(b, am_weight(b, bias, am_shape_of(H, W)), AM_F32));
    return am_merge_heads(b, am_unary(b, AM_SIGMOID, y));
}

/* Real-gated linear recurrent unit: h = a h + sqrt(1 - a^2) (gated x), begun anew at position 0. x: [B, T, D] */
static am_value gated_recurrence(am_builder *b, am_value x, int64_t H)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), D = am_dim(b, x, 2);
    am_value first = am_unsqueeze(b, am_binary_number(b, AM_EQUAL, am_position_ids(b, T), 0), -1);
    am_value zero = am_scalar(b, AM_F32, 0), one = am_scalar(b, AM_F32, 1);
    am_value rate = am_unary(b, AM_SOFTPLUS, am_cast(b, am_weight(b, "recurrent_param", am_shape_of(D)), AM_F32));
    am_value log_a =
        am_mul_number(b, am_mul(b, gate(b, "recurrent_gate_weight", "recurrent_gate_bias", x, H), rate), -8);
    am_value a = am_unary(b, AM_EXP, log_a);
    am_value rest = am_unary(b, AM_NEG, am_unary(b, AM_EXPM1, am_mul_number(b, log_a, 2)));
    am_value scale = am_select(b, first, one, am_unary(b, AM_SQRT, rest));
    x = am_mul(b, am_mul(b, x, gate(b, "input_gate_weight", "input_gate_bias", x, H)), scale);
    am_value before = am_recurrent_state(b, "state", am_shape_of(B, D));
    am_value after, inputs[] = {x, am_select(b, first, zero, a), before};
    am_value y = am_recurrence(b, inputs, 3, &(am_recurrence_attributes){.kind = AM_RECURRENCE_LINEAR}, &after);
    am_recurrent_state_keep(b, before, after);
    return y;
}

static am_value recurrent_block(am_builder *b, am_value x, const am_decoder_options *o)
{
    int64_t D = am_config_size(o->config, "lru_width", o->hidden_size), H = o->num_attention_heads;
    am_config_check_divides(o->config, "num_attention_heads", H, "lru_width", D);
    am_value beside = am_linear_activation(b, "linear_y", x, D, AM_BIAS, o->hidden_act);
    x = am_linear(b, "linear_x", x, D, AM_BIAS);
    x = am_causal_convolution(b, "conv_1d", x, am_config_size(o->config, "conv1d_width", 4), AM_BIAS, AM_IDENTITY);
    am_scope(b, "rg_lru");
    x = gated_recurrence(b, x, H);
    am_end_scope(b);
    return am_linear(b, "linear_out", am_mul(b, x, beside), o->hidden_size, AM_BIAS);
}

static am_value temporal_block(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    return is_recurrent(o->config, layer->index) ? recurrent_block(b, x, o) : am_decoder_attention(b, x, layer);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "temporal_pre_norm", .before_mlp = "channel_pre_norm"};
    am_config rope = am_config_child(c, "rope_parameters");
    if (am_config_has(&rope, "rope_type") && !am_config_is(&rope, "rope_type", "default"))
        am_config_unsupported(&rope, "rope_type", "only \"default\" is supported");
    o->norms = &norms;
    o->final_norm = "final_norm";
    o->norm_weight_offset = 1;
    o->embedding_scale = am_bf16_to_f32(am_f32_to_bf16(sqrtf((float)o->hidden_size))); /* a buffer in bfloat16 */
    o->scales_inputs_embeds = true;
    o->intermediate_size = am_config_size(c, "intermediate_size", 7680) / 2;
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = am_config_flag(c, "attention_bias", false);
    o->out_bias = o->mlp_bias = true;
    o->final_soft_cap = am_config_real(c, "logits_soft_cap", 30);
    o->sliding_window = am_config_size(c, "attention_window_size", 2048);
    for (int i = 0; i < o->num_hidden_layers; i++) o->sliding[i] = true;
    o->attention = temporal_block;
    o->attention_scope = "temporal_block";
    o->mlp_scope = "mlp_block";
}

static const am_architecture architectures[] = {
    {"RecurrentGemmaModel", am_decoder_model, "feature-extraction", 0},
    {"RecurrentGemmaForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 2560,
                 .intermediate_size = 7680,
                 .num_hidden_layers = 26,
                 .num_attention_heads = 10,
                 .max_position_embeddings = 8192,
                 .partial_rotary_factor = 0.5,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_recurrent_gemma = {
    .name = "recurrent_gemma", .base_prefix = "model", .architectures = architectures, .family = &family};
