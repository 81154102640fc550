/* NLLB-MoE: M2M-100 whose feed-forward part is in every step-th layer a mixture of experts: each token is meant for the
   two that a router likes best, as far as these have room. transformers: models/nllb_moe/modeling_nllb_moe.py */
#include "models/blocks/bart.h"
#include "models/blocks/experts.h"

#include <math.h>
#include <string.h>

/* A router's choice for N tokens. */
typedef struct choice {
    am_value experts; /* I32 [N, 2], best first */
    am_value scores;  /* [N, 2]: their probabilities */
    am_value real;    /* I32 [N, 1]: 0 for padding; or AM_NONE: all are tokens */
} choice;

/* The tokens of x that take part: I32 [N, 1], or AM_NONE. */
static am_value routed_tokens(am_builder *b, const char *mask, int64_t N)
{
    am_value given = am_input_optional(b, mask, 2);
    if (!given.id || am_config_flag(am_model_config(b), "router_ignore_padding_tokens", false)) return AM_NONE;
    if (am_dtype_of(b, given) != AM_BOOL) given = am_binary_number(b, AM_NOT_EQUAL, given, 0);
    return am_reshape(b, am_cast(b, given, AM_I32), am_shape_of(N, 1));
}

/* Which expert tokens named at a place: I32 [N, E], padding names none. */
static am_value named_experts(am_builder *b, const choice *c, int place, int64_t E)
{
    am_value expert = am_slice(b, c->experts, 1, place, place + 1);
    am_value named = am_cast(b, am_binary(b, AM_EQUAL, expert, am_iota(b, AM_I32, am_shape_of(1, E), 1, 0, 1)), AM_I32);
    return c->real.id ? am_mul(b, named, c->real) : named;
}

/* How many tokens up to each, in the order given (AM_NONE: as they stand), named an expert: named: I32 [N, E]. */
static am_value queues(am_builder *b, am_value named, am_value order)
{
    if (!order.id) return am_scan(b, AM_REDUCE_SUM, named, 0, false, false);
    am_value back, sorted = am_scan(b, AM_REDUCE_SUM, am_gather(b, named, order, 0, false), 0, false, false);
    am_sort(b, order, 0, false, &back);
    return am_gather(b, sorted, back, 0, false);
}

/* 1 where an expert has room for the token, 0 where it has not: [N, 2]. First choices go before second ones. */
static am_value room(am_builder *b, const choice *c, am_value probabilities, int64_t capacity)
{
    int64_t E = am_dim(b, probabilities, 1);
    am_value order = AM_NONE, first = named_experts(b, c, 0, E), second = named_experts(b, c, 1, E);
    if (am_config_flag(am_model_config(b), "batch_prioritized_routing", false))
        am_sort(b, am_squeeze(b, am_slice(b, c->scores, 1, 0, 1), 1), 0, true, &order);
    am_value behind = am_add(b, queues(b, second, order), am_reduce(b, AM_REDUCE_SUM, first, am_shape_of(0), true));
    am_value places = am_concat2(b, am_gather(b, queues(b, first, order), am_slice(b, c->experts, 1, 0, 1), 1, true),
                                 am_gather(b, behind, am_slice(b, c->experts, 1, 1, 2), 1, true), 1);
    return am_cast(b, am_binary_number(b, AM_LESS_EQUAL, places, (double)capacity), AM_F32);
}

static am_value normalized(am_builder *b, am_value scores)
{
    return am_div(b, scores, am_binary_number(b, AM_MAX, am_reduce_last(b, AM_REDUCE_SUM, scores), 0x1p-23));
}

static int64_t capacity_of(const am_config *c, int64_t N)
{
    double fraction = am_config_real(c, "moe_eval_capacity_token_fraction", 1);
    return fraction > 0 ? (int64_t)ceil(fraction * (double)N) : am_config_size(c, "expert_capacity", 64);
}

static void check_router(const am_config *c)
{
    const char *policy = am_config_text(c, "second_expert_policy", "all");
    if (strcmp(policy, "sampling") == 0 || strcmp(policy, "random") == 0)
        am_config_unsupported(c, "second_expert_policy", "\"%s\" draws random numbers", policy);
    if (strcmp(am_config_text(c, "router_dtype", "float32"), "float32") != 0)
        am_config_unsupported(c, "router_dtype", "routers compute in float32 only");
}

/* The weights of the two experts of each row of x: [N, C] -> [N, 2]. */
static am_value route(am_builder *b, am_value x, const char *mask, int64_t E)
{
    const am_config *config = am_model_config(b);
    int64_t N = am_dim(b, x, 0), capacity = capacity_of(config, N);
    choice c = {.real = routed_tokens(b, mask, N)};
    check_router(config);
    am_value logits = am_linear(b, "router.classifier", x, E, am_config_flag(config, "router_bias", false));
    am_value probabilities = am_softmax(b, logits, -1);
    am_top_k(b, logits, 1, 2, false, &c.experts);
    c.scores = am_gather(b, probabilities, c.experts, 1, true);
    am_value kept = c.real.id ? am_cast(b, c.real, AM_F32) : AM_NONE;
    if (capacity < N) { /* an expert cannot get more than N tokens */
        am_value fits = room(b, &c, probabilities, capacity);
        kept = kept.id ? am_mul(b, kept, fits) : fits;
    }
    if (!kept.id) return normalized(b, c.scores);
    bool before = am_config_flag(config, "normalize_router_prob_before_dropping", false);
    return before ? am_mul(b, normalized(b, c.scores), kept) : normalized(b, am_mul(b, c.scores, kept));
}

/* Transformers 5 hands the router's choice on as rows of zeros with a one, and NllbMoeExperts reads these as numbers of
   experts: whatever was chosen, expert 1 gets the weight of the first choice and expert 0 that of the second. */
static am_value mixture(am_builder *b, am_value x, const am_bart_part *part)
{
    const am_config *c = am_model_config(b);
    int64_t E = am_config_size(c, "num_experts", 128), C = part->d_model, F = part->ffn_dim;
    double dropout = am_config_real(c, "moe_token_dropout", 0.2);
    am_value rows = am_flatten(b, x, 0, 1), weights = route(b, rows, part->mask, E);
    am_value experts = am_broadcast(b, am_iota(b, AM_I32, am_shape_of(1, 2), 1, 1, -1), am_shape_of_value(b, weights));
    am_value w1 = am_stacked_weights(b, "experts.expert_", ".fc1.weight", 2, am_shape_of(F, C)),
             b1 = am_stacked_weights(b, "experts.expert_", ".fc1.bias", 2, am_shape_of(F)),
             w2 = am_stacked_weights(b, "experts.expert_", ".fc2.weight", 2, am_shape_of(C, F)),
             b2 = am_stacked_weights(b, "experts.expert_", ".fc2.bias", 2, am_shape_of(C));
    am_value h = am_unary(b, part->activation, am_grouped_matmul(b, rows, experts, w1, b1));
    h = am_expert_sum(b, am_grouped_matmul(b, h, experts, w2, b2), weights);
    if (dropout > 0) h = am_mul_number(b, h, 1 - dropout);
    return am_reshape(b, h, am_shape_of_value(b, x));
}

static am_value feed_forward(am_builder *b, am_value x, const am_bart_part *part)
{
    const am_config *c = am_model_config(b);
    int64_t step = am_config_count(c, part->is_decoder ? "decoder_sparse_step" : "encoder_sparse_step", 4);
    am_scope(b, "ffn");
    x = step > 0 && (part->index + 1) % step == 0 ? mixture(b, x, part) : am_bart_two_projections(b, x, part);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"NllbMoeModel", am_bart_model, "feature-extraction", AM_ENCODER_DECODER},
    {"NllbMoeForConditionalGeneration", am_bart_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

static const am_bart_family family = {.vocab_size = 128112,
                                      .pad_token_id = 1,
                                      .activation = AM_RELU,
                                      .scale_embedding = true,
                                      .start_token_id = 2,
                                      .pre_norm = true,
                                      .no_embedding_norm = true,
                                      .positions = AM_BART_AFTER_PADS,
                                      .cross_attention = "cross_attention",
                                      .feed_forward_norm = "ff_layer_norm",
                                      .feed_forward = feed_forward};

const am_model_type am_model_nllb_moe = {
    .name = "nllb-moe", .base_prefix = "model", .architectures = architectures, .family = &family};
