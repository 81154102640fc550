/* gpt-oss: alternating windowed and full attention with sinks (a learned score a head that takes probability and gives
   nothing), and experts with clamped gates: (up + 1) * gate * sigmoid(alpha * gate), gate and up side by side.
   transformers: models/gpt_oss/modeling_gpt_oss.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/limited_gates.h"

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    options.mask = am_padding_mask(b, "attention_mask"); /* the class does not look for packed texts */
    options.sinks = am_weight(b, "sinks", am_shape_of(layer->options->num_attention_heads));
    return am_self_attention(b, x, &options);
}

/* x: [N, S, 2 * I] -> [N, S, I] */
static am_value apply_gate(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    double limit = am_config_real(c, "swiglu_limit", 7), alpha = am_config_real(c, "swiglu_alpha", 1.702);
    return am_oss_gate(b, am_slice_step(b, x, -1, 0, AM_SLICE_END, 2), am_slice_step(b, x, -1, 1, AM_SLICE_END, 2),
                       limit, alpha);
}

/* Experts stored [E, in, out] with biases [E, out]. */
static am_value expert_linear(am_builder *b, am_value x, am_value experts, const char *names[2], am_shape shape)
{
    am_value weight = am_permute(b, am_weight(b, names[0], shape), am_shape_of(0, 2, 1));
    am_value bias = am_weight(b, names[1], am_shape_of(shape.dims[0], shape.dims[2]));
    return am_grouped_matmul(b, x, experts, weight, bias);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const char *gate_up[] = {"gate_up_proj", "gate_up_proj_bias"}, *down[] = {"down_proj", "down_proj_bias"};
    const am_config *c = am_model_config(b);
    int64_t C = layer->options->hidden_size, I = layer->options->intermediate_size;
    int64_t E = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 128);
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4),
                                            .softmax_after = true};
    am_value experts, rows = am_flatten(b, x, 0, 1), logits = am_linear(b, "router", rows, E, AM_BIAS);
    am_value weights = am_expert_routing(b, logits, AM_NONE, &routing, &experts);
    am_scope(b, "experts");
    am_value inner = apply_gate(b, expert_linear(b, rows, experts, gate_up, am_shape_of(E, C, 2 * I)));
    am_value answers = expert_linear(b, inner, experts, down, am_shape_of(E, I, C));
    am_end_scope(b);
    return am_reshape(b, am_expert_sum(b, answers, weights), am_shape_of_value(b, x));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", true);
    o->attention = attention;
    o->mlp = mixture;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 128);
    am_decoder_read_sliding(c, o, 0, 2);
    if (am_config_has(c, "quantization_config"))
        am_config_fail(c, "quantization_config", "packed 4-bit experts are not supported");
}

static const am_architecture architectures[] = {
    {"GptOssModel", am_decoder_model, "feature-extraction", 0},
    {"GptOssForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"GptOssForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"GptOssForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 201088,
                 .hidden_size = 2880,
                 .intermediate_size = 2880,
                 .num_hidden_layers = 36,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 8,
                 .head_dim = 64,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 150000},
    .adapt = adapt,
};

const am_model_type am_model_gpt_oss = {
    .name = "gpt_oss", .base_prefix = "model", .architectures = architectures, .family = &family};
