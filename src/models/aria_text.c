/* The text model of Aria: LLaMA with a mixture of experts, all of whose weights are in one, and experts that every
   token has. transformers: models/aria/modeling_aria.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"

/* The stacked weights NAME.weight: [E, in, out] applied to what each expert reads. */
static am_value expert_linear(am_builder *b, const char *name, am_value x, am_value experts, am_shape shape)
{
    am_scope(b, "%s", name);
    am_value weight = am_permute(b, am_weight(b, "weight", shape), am_shape_of(0, 2, 1));
    am_end_scope(b);
    return am_grouped_matmul(b, x, experts, weight, AM_NONE);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t E = am_config_size(o->config, "moe_num_experts", 8), C = o->hidden_size, I = o->intermediate_size,
            shared = am_config_size(o->config, "moe_num_shared_experts", 2);
    am_expert_routing_attributes routing = {.top_k = am_config_size(o->config, "moe_topk", 2), .softmax_after = true};
    am_value rows = am_flatten(b, x, 0, 1), experts;
    am_value weights = am_expert_routing(b, am_linear(b, "router", rows, E, AM_NO_BIAS), AM_NONE, &routing, &experts);
    am_scope(b, "experts");
    am_value h = expert_linear(b, "fc1", rows, experts, am_shape_of(E, C, 2 * I));
    h = expert_linear(b, "fc2", am_gated_activation(b, AM_SILU, h, AM_NONE), experts, am_shape_of(E, I, C));
    am_end_scope(b);
    h = am_reshape(b, am_expert_sum(b, h, weights), am_shape_of_value(b, x));
    am_scope(b, "shared_experts");
    am_value always = am_gated_mlp(b, x, I * shared, o->hidden_act, o->mlp_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, h, always);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->mlp = mixture;
}

static const am_architecture architectures[] = {
    {"AriaTextModel", am_decoder_model, "feature-extraction", 0},
    {"AriaTextForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.intermediate_size = 4096, .max_position_embeddings = 2048, .has_pad_token = true, .pad_token_id = 2},
    .adapt = adapt,
};

const am_model_type am_model_aria_text = {
    .name = "aria_text", .base_prefix = "model", .architectures = architectures, .family = &family};
