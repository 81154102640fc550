/* The text model of MiniMax M3: LLaMA with norms that multiply by 1 + weight, on query and key heads, too, a part of
   each head rotated, and a mixture of experts; in some layers an indexer chooses the blocks of keys that each query
   attends. transformers: models/minimax_m3_vl/modeling_minimax_m3_vl.py */
#include "models/blocks/decoder.h"
#include "models/blocks/experts.h"
#include "models/blocks/indexer.h"
#include "models/blocks/limited_gates.h"

static const double NEVER = -3e38;

typedef struct blocks {
    int64_t heads, head_dim, size, top_k, local;
} blocks;

/* Older files have the fields below sparse_attention_config, under other names. */
static int64_t index_size(const am_config *c, const char *key, const char *old, int64_t fallback)
{
    am_config p = am_config_child(c, "sparse_attention_config");
    return am_config_size(&p, old, am_config_size(c, key, fallback));
}

static blocks read_blocks(const am_config *c, const am_decoder_options *o)
{
    am_config p = am_config_child(c, "sparse_attention_config");
    blocks n = {.heads = index_size(c, "index_n_heads", "sparse_num_index_heads", 4),
                .head_dim = index_size(c, "index_head_dim", "sparse_index_dim", 128),
                .size = index_size(c, "index_block_size", "sparse_block_size", 128),
                .top_k = index_size(c, "index_topk_blocks", "sparse_topk_blocks", 16),
                .local = am_config_count(&p, "sparse_local_block", am_config_count(c, "index_local_blocks", 1))};
    am_config_check_divides(c, "index_n_heads", n.heads, "num_attention_heads", o->num_attention_heads);
    if (n.head_dim < o->rope.dims)
        am_config_unsupported(c, "index_head_dim", "%lld numbers of it are rotated, found %lld",
                              (long long)o->rope.dims, (long long)n.head_dim);
    return n;
}

static bool chooses_blocks(const am_config *c, int layer)
{
    am_config p = am_config_child(c, "sparse_attention_config");
    if (!am_config_has(c, "layer_types")) {
        am_json_iterator i = am_json_iterate(am_json_get(p.object, "sparse_attention_freq"));
        while (am_json_next(&i))
            if (layer-- == 0) return am_json_int(i.value, 0) != 0;
        return false;
    }
    return am_config_layer_is(c, "layer_types", layer, "minimax_m3_sparse", "full_attention");
}

/* --- indexer --- */

/* q k of index heads, which share a key; NEVER where keys stand later: [B, heads, T, S]. */
static am_value token_scores(am_builder *b, am_value x, const am_decoder_layer *layer, const blocks *n)
{
    static const char *const spellings[2][4] = {
        {"indexer.q_proj", "indexer.k_proj", "indexer.q_norm", "indexer.k_norm"},
        {"index_q_proj", "index_k_proj", "index_q_norm", "index_k_norm"},
    };
    const char *const *names = spellings[am_has_weight(b, "index_q_proj.weight")];
    double eps = layer->options->rms_norm_eps;
    am_value q = am_split_heads(b, am_linear(b, names[0], x, n->heads * n->head_dim, AM_NO_BIAS), n->heads),
             k = am_split_heads(b, am_linear(b, names[1], x, n->head_dim, AM_NO_BIAS), 1);
    q = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, names[2], q, eps, 1));
    k = am_rope_apply(b, layer->attention->rope, am_rms_norm(b, names[3], k, eps, 1));
    k = am_permute(b, am_cache_append(b, "index_key", k), am_shape_of(0, 2, 1, 3));
    am_value scores = am_matmul(b, am_permute(b, q, am_shape_of(0, 2, 1, 3)), k, false, true);
    int64_t T = am_dim(b, scores, 2), S = am_dim(b, scores, 3);
    am_value places = am_unsqueeze(b, am_unsqueeze(b, am_position_ids(b, T), 1), -1);
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, 1, 1, S), 3, 0, 1);
    return am_select(b, am_binary(b, AM_LESS_EQUAL, keys, places), scores, am_scalar(b, AM_F32, NEVER));
}

/* A block is worth its best key, and those right before a query are chosen anyway: [B, heads, T, blocks]. */
static am_value block_scores(am_builder *b, am_value scores, const blocks *n)
{
    am_shape s = am_shape_of_value(b, scores);
    int64_t count = (s.dims[3] + n->size - 1) / n->size, more = count * n->size - s.dims[3];
    if (more) {
        am_shape shape = s;
        shape.dims[3] = more;
        scores = am_concat2(b, scores, am_broadcast(b, am_scalar(b, AM_F32, NEVER), shape), 3);
    }
    scores = am_reshape(b, scores, am_shape_of(s.dims[0], s.dims[1], s.dims[2], count, n->size));
    scores = am_reduce(b, AM_REDUCE_MAX, scores, am_shape_of(-1), false);
    am_value own = am_binary_number(b, AM_DIV, am_position_ids(b, s.dims[2]), (double)n->size); /* whole numbers */
    am_value back = am_sub(b, am_unsqueeze(b, am_unsqueeze(b, own, 1), -1),
                           am_iota(b, AM_I32, am_shape_of(1, 1, 1, count), 3, 0, 1));
    am_value local = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, back, 0),
                               am_binary_number(b, AM_LESS, back, (double)n->local));
    return am_select(b, local, am_scalar(b, AM_F32, -NEVER), scores);
}

/* x: [B, heads, T, blocks] -> [B, H, T, S] */
static am_value for_tokens(am_builder *b, am_value x, int64_t size, int64_t heads, int64_t S)
{
    am_shape s = am_shape_of_value(b, x);
    am_value each =
        am_broadcast(b, am_unsqueeze(b, x, -1), am_shape_of(s.dims[0], s.dims[1], s.dims[2], s.dims[3], size));
    each = am_unsqueeze(b, am_slice(b, am_flatten(b, each, 3, 4), -1, 0, S), 2);
    each = am_broadcast(b, each, am_shape_of(s.dims[0], s.dims[1], heads / s.dims[1], s.dims[2], S));
    return am_flatten(b, each, 1, 2);
}

/* Which keys each head's queries attend. */
static am_value choose_keys(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    blocks n = read_blocks(o->config, o);
    am_value scores = token_scores(b, x, layer, &n);
    int64_t T = am_dim(b, scores, 2), S = am_dim(b, scores, 3);
    int64_t count = (S + n.size - 1) / n.size;
    if (count <= n.top_k && !am_has_input(b, "position_ids")) return layer->attention->mask;
    am_value worth = block_scores(b, scores, &n);
    am_value chosen = am_mark_best(b, worth, count < n.top_k ? count : n.top_k);
    chosen = am_binary(b, AM_LOGICAL_AND, chosen, am_binary_number(b, AM_GREATER, worth, NEVER));
    chosen = for_tokens(b, chosen, n.size, o->num_attention_heads, S);
    chosen = am_binary(b, AM_LOGICAL_AND, chosen, am_unsqueeze(b, am_earlier_keys(b, T, S), 1));
    return layer->attention->mask.id ? am_binary(b, AM_LOGICAL_AND, chosen, layer->attention->mask) : chosen;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (chooses_blocks(layer->options->config, layer->index)) options.mask = choose_keys(b, x, layer);
    return am_self_attention(b, x, &options);
}

/* --- experts --- */

static am_value gate(am_builder *b, am_value x, am_value up, const am_config *c)
{
    return am_oss_gate(b, x, up, am_config_real(c, "swiglu_limit", 7), am_config_real(c, "swiglu_alpha", 1.702));
}

/* Files have gate_up_proj, or its halves apart. */
static am_value dense(am_builder *b, am_value x, int64_t inner, const am_decoder_options *o)
{
    am_value halves[2];
    if (am_has_weight(b, "gate_proj.weight")) {
        halves[0] = am_linear(b, "gate_proj", x, inner, AM_NO_BIAS);
        halves[1] = am_linear(b, "up_proj", x, inner, AM_NO_BIAS);
    } else {
        am_value both = am_linear(b, "gate_up_proj", x, 2 * inner, AM_NO_BIAS);
        for (int i = 0; i < 2; i++) halves[i] = am_slice(b, both, -1, i * inner, (i + 1) * inner);
    }
    return am_linear(b, "down_proj", gate(b, halves[0], halves[1], o->config), o->hidden_size, AM_NO_BIAS);
}

/* mlp_layer_types, moe_layer_freq, or where there is neither all layers. */
static bool is_mixture(const am_config *c, int layer)
{
    am_json_iterator i = am_json_iterate(am_json_get(c->object, "moe_layer_freq"));
    if (am_config_has(c, "mlp_layer_types") || !am_config_has(c, "moe_layer_freq"))
        return am_is_mixture_layer(c, layer, 0);
    while (am_json_next(&i))
        if (layer-- == 0) return am_json_int(i.value, 0) != 0;
    return false;
}

static am_value routed(am_builder *b, am_value x, const am_decoder_options *o)
{
    const am_config *c = o->config;
    int64_t E = am_config_size(c, am_config_either(c, "num_local_experts", "num_experts"), 128),
            I = o->intermediate_size, C = o->hidden_size;
    am_expert_routing_attributes routing = {.top_k = am_config_size(c, "num_experts_per_tok", 4),
                                            .sigmoid = true,
                                            .normalize = true,
                                            .scale = am_config_real(c, "routed_scaling_factor", 2)};
    const char *correction =
        am_has_weight(b, "e_score_correction_bias") ? "e_score_correction_bias" : "gate.e_score_correction_bias";
    am_value experts, bias = am_weight(b, correction, am_shape_of(E));
    am_value weights = am_expert_routing(b, am_linear(b, "gate", x, E, AM_NO_BIAS), bias, &routing, &experts), down,
             halves[2];
    if (am_has_weight(b, "experts.0.w1.weight")) {
        for (int i = 0; i < 2; i++) {
            am_value stack = am_stacked_weights(b, "experts.", i ? ".w3.weight" : ".w1.weight", E, am_shape_of(I, C));
            halves[i] = am_grouped_matmul(b, x, experts, stack, AM_NONE);
        }
        down = am_stacked_weights(b, "experts.", ".w2.weight", E, am_shape_of(C, I));
    } else {
        am_value both = am_weight(b, "experts.gate_up_proj", am_shape_of(E, 2 * I, C));
        both = am_grouped_matmul(b, x, experts, both, AM_NONE);
        for (int i = 0; i < 2; i++) halves[i] = am_slice(b, both, -1, i * I, (i + 1) * I);
        down = am_weight(b, "experts.down_proj", am_shape_of(E, C, I));
    }
    am_value inner = gate(b, halves[0], halves[1], c);
    return am_expert_sum(b, am_grouped_matmul(b, inner, experts, down, AM_NONE), weights);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    bool sparse = is_mixture(o->config, layer->index);
    am_value answers;
    am_scope(b, "%s", am_has_weight(b, "block_sparse_moe.gate.weight") ? "block_sparse_moe" : "mlp");
    if (sparse) {
        answers = am_reshape(b, routed(b, am_flatten(b, x, 0, 1), o), am_shape_of_value(b, x));
        am_scope(b, "shared_experts");
        am_value shared = dense(b, x, am_config_size(o->config, "shared_intermediate_size", 3072), o);
        am_end_scope(b);
        answers = am_add(b, answers, shared);
    } else {
        answers = dense(b, x, am_config_size(o->config, "dense_intermediate_size", 12288), o);
    }
    am_end_scope(b);
    return answers;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->norm_weight_offset = 1;
    o->qk_norm = AM_QK_NORM_HEAD;
    o->attention = attention;
    o->mlp = mixture;
    o->mlp_scope = "";
    (void)c;
}

static const am_architecture architectures[] = {
    {"MiniMaxM3VLTextModel", am_decoder_model, "feature-extraction", 0},
    {"MiniMaxM3VLForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 200064,
                 .hidden_size = 6144,
                 .intermediate_size = 3072,
                 .num_hidden_layers = 60,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 4,
                 .head_dim = 128,
                 .max_position_embeddings = 524288,
                 .rope_theta = 5000000},
    .adapt = adapt,
};

const am_model_type am_model_minimax_m3_vl_text = {
    .name = "minimax_m3_vl_text", .base_prefix = "model", .architectures = architectures, .family = &family};
