#include "models/blocks/granite.h"

#include "models/blocks/experts.h"

void am_granite_adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->embedding_scale = am_config_real(c, "embedding_multiplier", 1);
    o->scales_inputs_embeds = true;
    o->attention_scale = am_config_real(c, "attention_multiplier", 1);
    o->residual_multiplier = am_config_real(c, "residual_multiplier", 1);
    o->logits_multiplier = 1 / am_config_real(c, "logits_scaling", 1);
}

am_value am_granite_mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t count = am_config_size(o->config, "num_local_experts", 8);
    am_expert_routing_attributes routing = {.top_k = am_config_size(o->config, "num_experts_per_tok", 2),
                                            .softmax_after = true};
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_scope(b, "block_sparse_moe");
    am_value logits = am_linear(b, "router.layer", rows, count, AM_NO_BIAS);
    am_value weights = am_expert_routing(b, logits, AM_NONE, &routing, &experts);
    am_value both = am_stacked_experts(b, "input_linear", rows, experts, count, 2 * o->intermediate_size);
    am_value inner = am_gated_activation(b, o->hidden_act, both, AM_NONE);
    am_value answers = am_stacked_experts(b, "output_linear", inner, experts, count, o->hidden_size);
    am_end_scope(b);
    return am_reshape(b, am_expert_sum(b, answers, weights), am_shape_of_value(b, x));
}
