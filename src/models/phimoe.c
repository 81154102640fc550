/* Phi-3.5 MoE: LLaMA with LayerNorms and a mixture of experts of which two answer: each is the best of those that are
   left, weighted by the softmax over the scores near it. transformers: models/phimoe/modeling_phimoe.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

#include <math.h>
#include <string.h>

/* scores: [N, E] with minus infinity at what is far from the best of left: [N, E]; sizes are those of the scores */
static am_value near_best(am_builder *b, am_value scores, am_value left, double noise)
{
    am_value best = am_reduce_last(b, AM_REDUCE_MAX, left);
    am_value size = am_binary(b, AM_MAX, am_unary(b, AM_ABS, scores), best);
    am_value is_far = am_binary_number(b, AM_GREATER, am_div(b, am_sub(b, best, scores), size), 2 * noise);
    return am_select(b, is_far, am_scalar(b, am_dtype_of(b, scores), -INFINITY), left);
}

/* The best of left: [N, E]: I32 [N, 1], and its weight among those near it: [N, 1]. */
static am_value choose(am_builder *b, am_value scores, am_value left, double noise, am_value *out_expert)
{
    *out_expert = am_unsqueeze(b, am_arg_reduce(b, left, 1, false), 1);
    return am_gather(b, am_softmax(b, near_best(b, scores, left, noise), 1), *out_expert, 1, true);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    double noise = am_config_real(c, "router_jitter_noise", 0.01);
    am_experts_options experts = {
        .count = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 16),
        .intermediate_size = layer->options->intermediate_size,
        .activation = layer->options->hidden_act,
        .gate = "w1",
        .up = "w3",
        .down = "w2",
    };
    am_value chosen[2], weights[2], rows = am_flatten(b, x, 0, 1);
    am_value scores = am_linear(b, "gate", rows, experts.count, AM_NO_BIAS);
    weights[0] = choose(b, scores, scores, noise, &chosen[0]);
    am_value places = am_iota(b, AM_I32, am_shape_of(1, experts.count), 1, 0, 1);
    am_value left = am_select(b, am_binary(b, AM_EQUAL, places, chosen[0]),
                              am_scalar(b, am_dtype_of(b, scores), -INFINITY), scores);
    weights[1] = choose(b, scores, left, noise, &chosen[1]);
    rows = am_chosen_experts(b, rows, am_concat(b, chosen, 2, 1), am_concat(b, weights, 2, 1), &experts);
    return am_reshape(b, rows, am_shape_of_value(b, x));
}

/* Rotations that are scaled name a factor for tables of short and of long texts; frequencies are those of short ones
   always. */
static void read_scaling(const am_config *c, am_decoder_options *o)
{
    am_config p = am_config_child(c, am_config_either(c, "rope_parameters", "rope_scaling"));
    if (o->rope.type == AM_ROPE_DEFAULT) return;
    double scale = am_config_real(&p, "short_mscale", 0);
    if (!am_config_has(&p, "short_mscale") || !am_config_has(&p, "long_mscale"))
        am_config_fail(&p, "short_mscale", "scaled rotations need short_mscale and long_mscale");
    if (scale != am_config_real(&p, "long_mscale", 0))
        am_config_unsupported(&p, "long_mscale", "another factor than short_mscale is not supported");
    if (o->rope.type == AM_ROPE_DYNAMIC) o->rope.type = AM_ROPE_LINEAR; /* its frequencies are the plain ones */
    memcpy(o->rope.long_inverse_frequency, o->rope.inverse_frequency, sizeof o->rope.inverse_frequency);
    o->rope.attention_factor = scale;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->head_bias = am_config_flag(c, "lm_head_bias", false);
    o->norm = am_decoder_layer_norm;
    o->mlp = mixture;
    o->mlp_scope = "block_sparse_moe";
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
    read_scaling(c, o);
}

static const am_architecture architectures[] = {
    {"PhimoeModel", am_decoder_model, "feature-extraction", 0},
    {"PhimoeForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"PhimoeForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 32064,
                 .intermediate_size = 6400,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_phimoe = {
    .name = "phimoe", .base_prefix = "model", .architectures = architectures, .family = &family};
