/* Switch Transformers: T5 whose feed-forward part is in some blocks a mixture of experts: each token goes to the one
   that a router likes best, weighted by its probability, and to none where that one has got its share of the text
   already. transformers: models/switch_transformers/modeling_switch_transformers.py */
#include "models/blocks/experts.h"
#include "models/blocks/t5.h"

/* Every step-th block from block 1 on; a step of 1 is all of them, 0 none. Where config.json has no step it follows
   from the number of sparse blocks. */
static bool is_sparse(const am_config *c, int64_t layers, bool is_decoder, int index)
{
    int64_t sparse = am_config_count(c, is_decoder ? "num_sparse_decoder_layers" : "num_sparse_encoder_layers", 3);
    int64_t step = am_config_count(c, is_decoder ? "decoder_sparse_step" : "encoder_sparse_step",
                                   sparse ? layers / sparse : layers);
    return step == 1 || (step > 0 && index % step == 1);
}

/* How many tokens of its text up to each have chosen the same expert: experts: I32 [B, T] -> [B, T, 1]. */
static am_value place_in_queue(am_builder *b, am_value experts, int64_t count)
{
    experts = am_unsqueeze(b, experts, 2);
    am_value chosen = am_binary(b, AM_EQUAL, experts, am_iota(b, AM_I32, am_shape_of(1, 1, count), 2, 0, 1));
    am_value queues = am_scan(b, AM_REDUCE_SUM, am_cast(b, chosen, AM_I32), 1, false, false);
    return am_gather(b, queues, experts, 2, true);
}

/* The expert of each token and its weight, [B * T, 1] both, of x: [B, T, C]. */
static am_value route(am_builder *b, am_value x, int64_t count, am_value *out_experts)
{
    const am_config *c = am_model_config(b);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), capacity = am_config_size(c, "expert_capacity", 64);
    bool bias = am_config_flag(c, "router_bias", false);
    if (!am_config_is(c, "router_dtype", "float32") && am_config_has(c, "router_dtype"))
        am_config_unsupported(c, "router_dtype", "routers compute in float32 only");
    am_value logits = am_linear(b, "router.classifier", am_flatten(b, x, 0, 1), count, bias);
    am_value weights = am_expert_routing(b, logits, AM_NONE, &(am_expert_routing_attributes){.top_k = 1}, out_experts);
    if (T <= capacity) return weights;
    am_value place = place_in_queue(b, am_reshape(b, *out_experts, am_shape_of(B, T)), count);
    am_value fits = am_cast(b, am_binary_number(b, AM_LESS_EQUAL, place, (double)capacity), AM_F32);
    return am_mul(b, weights, am_reshape(b, fits, am_shape_of(B * T, 1)));
}

static am_value mixture(am_builder *b, am_value x, const am_t5_config *c)
{
    int64_t count = am_config_size(am_model_config(b), "num_experts", 8);
    am_value experts, weights = route(b, x, count, &experts), h = am_flatten(b, x, 0, 1);
    am_value wi = am_stacked_weights(b, "experts.expert_", ".wi.weight", count, am_shape_of(c->d_ff, c->d_model)),
             wo = am_stacked_weights(b, "experts.expert_", ".wo.weight", count, am_shape_of(c->d_model, c->d_ff));
    h = am_unary(b, c->dense_act_fn, am_grouped_matmul(b, h, experts, wi, AM_NONE));
    h = am_expert_sum(b, am_grouped_matmul(b, h, experts, wo, AM_NONE), weights);
    return am_reshape(b, h, am_shape_of_value(b, x));
}

static am_value feed_forward(am_builder *b, am_value x, const am_t5_config *c, bool is_decoder, int index)
{
    const am_config *config = am_model_config(b);
    am_t5_config own = *c; /* what T5 reads of feed_forward_proj, this class does not */
    own.dense_act_fn = am_config_activation(config, "dense_act_fn", AM_RELU);
    bool sparse = is_sparse(config, is_decoder ? c->num_decoder_layers : c->num_layers, is_decoder, index);
    am_scope(b, "mlp");
    x = sparse ? mixture(b, x, &own) : am_t5_dense(b, x, &own);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"SwitchTransformersModel", am_t5_model, "feature-extraction", AM_ENCODER_DECODER},
    {"SwitchTransformersForConditionalGeneration", am_t5_for_conditional_generation, NULL,
     AM_GENERATES | AM_ENCODER_DECODER},
    {"SwitchTransformersEncoderModel", am_t5_encoder_model, "feature-extraction", 0},
    {0},
};

static const am_t5_family family = {.d_model = 768, .num_layers = 12, .num_heads = 12, .feed_forward = feed_forward};

const am_model_type am_model_switch_transformers = {.name = "switch_transformers",
                                                    .base_prefix = "switch_transformers",
                                                    .architectures = architectures,
                                                    .family = &family};
