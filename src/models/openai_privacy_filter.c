/* OpenAI's privacy filter: gpt-oss as an encoder that looks through a window on both sides, with pairs of numbers side
   by side rotated, and a label for each token. transformers:
   models/openai_privacy_filter/modeling_openai_privacy_filter.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/limited_gates.h"

#include <math.h>

/* The labels of a file that names none. */
enum { LABELS = 33 };

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    options.sinks = am_cast(b, am_weight(b, "sinks", am_shape_of(options.heads)), AM_F32);
    return am_self_attention(b, x, &options);
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
    const am_config *c = layer->options->config;
    int64_t C = layer->options->hidden_size, I = layer->options->intermediate_size;
    int64_t E = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 128);
    double limit = am_config_real(c, "swiglu_limit", 7), alpha = am_config_real(c, "swiglu_alpha", 1.702);
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4),
                                            .softmax_after = true};
    am_value experts, rows = am_flatten(b, x, 0, 1), logits = am_linear(b, "router", rows, E, AM_BIAS);
    am_value weights = am_expert_routing(b, logits, AM_NONE, &routing, &experts);
    am_scope(b, "experts");
    am_value both = expert_linear(b, rows, experts, gate_up, am_shape_of(E, C, 2 * I));
    both = am_oss_gate(b, am_slice(b, both, -1, 0, I), am_slice(b, both, -1, I, 2 * I), limit, alpha);
    am_value answers = expert_linear(b, both, experts, down, am_shape_of(E, I, C));
    am_end_scope(b);
    return am_reshape(b, am_expert_sum(b, answers, weights), am_shape_of_value(b, x));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_rope_yarn yarn = {.theta = am_config_real(c, "rope_theta", 150000),
                         .factor = 32,
                         .original_positions = 4096,
                         .exact_ramp = true,
                         .attention_factor = 0.1 * log(32) + 1};
    o->causal = false;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", true);
    o->rotary_interleaved = true;
    o->attention = attention;
    o->mlp = mixture;
    o->sliding_window = am_config_size(c, "sliding_window", 128);
    for (int i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_scaling"))
        o->rope = am_rope_config_yarn(c, o->head_dim, &yarn, o->rope.max_positions);
    if (!am_config_has(c, "id2label") && !am_config_has(c, "num_labels")) o->labels = LABELS;
}

static const am_architecture architectures[] = {
    {"OpenAIPrivacyFilterModel", am_decoder_model, "feature-extraction", 0},
    {"OpenAIPrivacyFilterForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 200064,
                 .hidden_size = 640,
                 .intermediate_size = 640,
                 .num_hidden_layers = 8,
                 .num_attention_heads = 14,
                 .num_key_value_heads = 2,
                 .head_dim = 64,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 150000,
                 .has_pad_token = true,
                 .pad_token_id = 199999},
    .adapt = adapt,
};

const am_model_type am_model_openai_privacy_filter = {
    .name = "openai_privacy_filter", .base_prefix = "model", .architectures = architectures, .family = &family};
