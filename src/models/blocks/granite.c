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

am_value am_granite_shared_mlp(am_builder *b, am_value x, int64_t inner, const am_decoder_options *o)
{
    am_scope(b, "shared_mlp");
    am_value both = am_linear(b, "input_linear", x, 2 * inner, AM_NO_BIAS);
    both = am_gated_activation(b, o->hidden_act, both, AM_NONE);
    x = am_linear(b, "output_linear", both, o->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

void am_granite_read_windows(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 128);
    if (am_config_has(c, "layer_types")) {
        am_decoder_read_sliding(c, o, 0, 0);
        return;
    }
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = i % 4 != 0;
}

/* Element `layer` of layer_rope_theta; that of the whole model where there is no list. */
static double theta_of(const am_config *c, int layer, double fallback)
{
    am_json_iterator i = am_json_iterate(am_json_get(c->object, "layer_rope_theta"));
    while (am_json_next(&i))
        if (layer-- == 0) return am_json_real(i.value, 0);
    if (am_config_has(c, "layer_rope_theta")) am_config_fail(c, "layer_rope_theta", "is shorter than the layers");
    return fallback;
}

am_value am_granite_window_attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    double theta = theta_of(o->config, layer->index, o->rope.theta);
    am_attention_options options = *layer->attention;
    am_rope rope;
    if (theta == 0) {
        options.rope = NULL;
    } else if (theta != o->rope.theta) {
        am_rope_fields fields = {.whole_heads = true, .fixed_theta = theta};
        am_rope_config own =
            am_rope_config_read_fields(o->config, &fields, o->head_dim, theta, 1, o->rope.max_positions);
        rope = am_rope_tables(b, &own, am_dim(b, x, 1));
        options.rope = &rope;
    }
    options.sinks = am_cast(b, am_weight(b, "sinks", am_shape_of(options.heads)), AM_F32);
    return am_self_attention(b, x, &options);
}
