/* MiniMax: Mixtral where some layers have lightning attention (arXiv 2401.04658), linear attention that decays: blocks
   of the sequence attend inside themselves and read a state of all blocks before. Residuals are taken behind the norms
   and weighted. transformers: models/minimax/modeling_minimax.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/recurrent.h"

/* The class's own epsilon: the norm of lightning attention does not follow rms_norm_eps. */
static const double LIGHTNING_EPS = 1e-6;

/* q, k, v: [B, H, T, D] */
typedef struct heads {
    am_value q, k, v;
} heads;

static heads slice_heads(am_builder *b, const heads *h, int64_t first, int64_t end)
{
    return (heads){am_slice(b, h->q, 2, first, end), am_slice(b, h->k, 2, first, end),
                   am_slice(b, h->v, 2, first, end)};
}

/* One token: state = ratio * state + k^T v, read by q. */
static am_value step(am_builder *b, const heads *h, am_value slope, am_value *state)
{
    am_value ratio = am_unary(b, AM_EXP, am_unary(b, AM_NEG, slope));
    *state = am_add(b, am_mul(b, ratio, *state), am_matmul(b, h->k, h->v, true, false));
    return am_matmul(b, h->q, *state, false, false);
}

/* One block of N tokens, `size` in a whole one; decays by query: [H, size, 1], key: [H, size, 1], and inside the block:
   [1, H, size, size]. */
static am_value block(am_builder *b, const heads *h, am_value slope, int64_t size, am_value *state)
{
    int64_t H = am_dim(b, h->q, 1), N = am_dim(b, h->q, 2);
    am_value query_decay = am_slice(b, am_weight(b, "query_decay", am_shape_of(H, size, 1)), 1, 0, N),
             key_decay = am_slice(b, am_weight(b, "key_decay", am_shape_of(H, size, 1)), 1, size - N, size),
             inside = am_weight(b, "diagonal_decay", am_shape_of(1, H, size, size));
    inside = am_slice(b, am_slice(b, inside, 2, 0, N), 3, 0, N);
    am_value scores = am_mul(b, am_matmul(b, h->q, h->k, false, true), inside);
    am_value y = am_add(b, am_matmul(b, am_mul(b, h->q, query_decay), *state, false, false),
                        am_matmul(b, scores, h->v, false, false));
    am_value decay = am_unary(b, AM_EXP, am_mul_number(b, slope, -(double)N));
    am_value more = am_matmul(b, am_mul(b, h->k, key_decay), h->v, true, false);
    *state = am_add(b, am_mul(b, *state, decay), more);
    return y;
}

/* [B, H, T, D] */
static am_value blocks(am_builder *b, const heads *h, am_value slope, am_value *state)
{
    int64_t T = am_dim(b, h->q, 2), size = am_config_size(am_model_config(b), "block_size", 256);
    am_value y = AM_NONE;
    for (int64_t i = 0; i < T && !am_builder_failed(b); i += size) {
        heads part = slice_heads(b, h, i, i + size < T ? i + size : T);
        am_value answers = block(b, &part, slope, size, state);
        y = i ? am_concat2(b, y, answers, 2) : answers;
    }
    return y;
}

/* A block where a text begins, a step of the state behind others. */
static am_value one_token(am_builder *b, const heads *h, am_value slope, am_value *state)
{
    am_value begun = *state, is_first = am_binary_number(b, AM_EQUAL, am_cache_offset(b), 0);
    am_value first = blocks(b, h, slope, &begun), next = step(b, h, slope, state);
    *state = am_select(b, is_first, begun, *state);
    return am_select(b, is_first, first, next);
}

/* x: [B, T, C] -> [B, T, H * D] */
static am_value attend(am_builder *b, am_value x, const am_decoder_options *o)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), H = o->num_attention_heads, D = o->head_dim;
    am_value split[3], qkv = am_linear_activation(b, "qkv_proj", x, 3 * H * D, AM_NO_BIAS, o->hidden_act);
    am_split_fused(b, am_mask_padding_states(b, qkv), H, true, split);
    for (int i = 0; i < 3; i++) split[i] = am_permute(b, split[i], am_shape_of(0, 2, 1, 3));
    heads h = {split[0], split[1], split[2]};
    am_value slope = am_weight(b, "slope_rate", am_shape_of(H, 1, 1));
    am_value before = am_recurrent_state(b, "state", am_shape_of(B, H, D, D)), after = before;
    am_value y = am_has_cache(b) && T == 1 ? one_token(b, &h, slope, &after) : blocks(b, &h, slope, &after);
    am_recurrent_state_keep(b, before, after);
    return am_merge_heads(b, am_permute(b, y, am_shape_of(0, 2, 1, 3)));
}

static am_value lightning_attention(am_builder *b, am_value x, const am_decoder_options *o)
{
    am_value y = am_rms_norm(b, "norm", attend(b, x, o), LIGHTNING_EPS, 0);
    am_value gate = am_linear(b, "output_gate", x, am_dim(b, y, -1), AM_NO_BIAS);
    return am_linear(b, "out_proj", am_gated_activation(b, AM_SIGMOID, gate, y), o->hidden_size, AM_NO_BIAS);
}

/* layer_types, or every second layer where there are none. */
static bool is_linear(const am_config *c, int layer)
{
    if (!am_config_has(c, "layer_types")) return layer % 2 == 1;
    return am_config_layer_is(c, "layer_types", layer, "linear_attention", "full_attention");
}

static am_value weighted(am_builder *b, am_value x, am_value h, const char *alpha, const char *beta)
{
    const am_config *c = am_model_config(b);
    return am_add(b, am_mul_number(b, x, am_config_real(c, alpha, 1)), am_mul_number(b, h, am_config_real(c, beta, 1)));
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    if (is_linear(am_model_config(b), layer->index))
        return weighted(b, x, lightning_attention(b, x, layer->options), "linear_attn_alpha_factor",
                        "linear_attn_beta_factor");
    return weighted(b, x, am_decoder_attention(b, x, layer), "full_attn_alpha_factor", "full_attn_beta_factor");
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_value h = am_mixtral_mixture(b, x, layer->options->intermediate_size, layer->options->hidden_act);
    return weighted(b, x, h, "mlp_alpha_factor", "mlp_beta_factor");
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->attention = attention;
    o->mlp = mixture;
    o->mlp_scope = "block_sparse_moe";
    o->parts_add_residual = true;
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 0);
    for (int i = 0; o->sliding_window && i < o->num_hidden_layers; i++) o->sliding[i] = true;
}

static const am_architecture architectures[] = {
    {"MiniMaxModel", am_decoder_model, "feature-extraction", 0},
    {"MiniMaxForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES | AM_READS_AT_ONCE},
    {"MiniMaxForSequenceClassification", am_decoder_for_sequence_classification, "text-classification", 0},
    {"MiniMaxForTokenClassification", am_decoder_for_token_classification, "token-classification", 0},
    {"MiniMaxForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5,
                 .rope_theta = 1000000},
    .adapt = adapt,
};

const am_model_type am_model_minimax = {
    .name = "minimax", .base_prefix = "model", .architectures = architectures, .family = &family};
