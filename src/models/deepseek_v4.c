/* DeepSeek-V4: several streams of hidden states, which each part of a layer reads as a weighted sum and mixes anew; one
   head of keys, which are values, too, for all queries, seen through a window, and beside them summaries of stretches
   of the text, of which an indexer may choose; a mixture of experts, chosen in some layers by the token alone.
   transformers: models/deepseek_v4/modeling_deepseek_v4.py */
#include "models/blocks/experts.h"
#include "models/blocks/gemma4.h"
#include "models/blocks/heads.h"
#include "models/blocks/hyper_connections.h"
#include "models/blocks/indexer.h"
#include "models/blocks/limited_gates.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ITERATIONS_LIMIT = 256, RATIOS_LIMIT = AM_LAYERS_LIMIT };
static const double HIDDEN = -3e38; /* what a softmax gives nothing */

/* What is computed of the whole text in a layer, beside what its window shows. */
typedef enum layer_kind {
    WINDOW, /* nothing */
    SPARSE, /* summaries of overlapping stretches, chosen by an indexer */
    HEAVY,  /* summaries of long stretches, all of them */
} layer_kind;

static const char *const kind_names[] = {"sliding_attention", "compressed_sparse_attention",
                                         "heavily_compressed_attention"};

/* --- configuration --- */

/* compress_ratios of the model's own files: how many tokens a summary of each layer stands for. */
static layer_kind kind_of_ratio(const am_config *c, int layer)
{
    int64_t ratios[RATIOS_LIMIT];
    int count = am_config_sizes(c, "compress_ratios", ratios, RATIOS_LIMIT, NULL, 0);
    int64_t ratio = layer < count ? ratios[layer] : -1;
    if (ratio != 0 && ratio != 4 && ratio != 128)
        am_config_fail(c, "compress_ratios", "element %d: expected 0, 4 or 128, found %" PRId64, layer, ratio);
    return ratio == 0 ? WINDOW : ratio == 4 ? SPARSE : HEAVY;
}

static layer_kind kind_of(const am_config *c, int layer)
{
    if (!am_config_has(c, "layer_types")) {
        if (am_config_has(c, "compress_ratios")) return kind_of_ratio(c, layer);
        return layer >= 2 && layer % 2 ? SPARSE : HEAVY;
    }
    return (layer_kind)am_config_layer_type(c, "layer_types", layer, kind_names, 3);
}

/* How many tokens a summary stands for. */
static int64_t rate_of(const am_config *c, layer_kind kind)
{
    am_config rates = am_config_child(c, "compress_rates");
    int64_t rate = am_config_size(&rates, kind_names[kind], kind == SPARSE ? 4 : 128);
    return am_config_size(c, kind == SPARSE ? "compress_rate_csa" : "compress_rate_hca", rate);
}

/* Whether the experts of a layer are those that the token itself names. */
static bool is_hashed(const am_config *c, int layer)
{
    if (!am_config_has(c, "mlp_layer_types")) return layer < am_config_count(c, "num_hash_layers", 3);
    return am_config_layer_is(c, "mlp_layer_types", layer, "hash_moe", "moe");
}

/* The rotation "main", of layers that see through a window only, or "compress". */
static am_rope_config rope_of(const am_config *c, int64_t head_dim, bool is_main)
{
    const int64_t positions = 1048576;
    am_config p = am_config_child(c, "rope_parameters");
    am_config nested = am_config_child(&p, "main"), other = am_config_child(&p, "compress");
    int64_t dims = am_config_size(c, "qk_rope_head_dim", head_dim / 8);
    double partial = am_config_real(c, "partial_rotary_factor", (double)dims / (double)head_dim);
    if (am_json_count(nested.object) > 0 && am_json_count(other.object) > 0)
        return am_rope_config_read(c, is_main ? "main" : "compress", head_dim, 10000, 1, positions);
    if (is_main)
        return am_rope_config_default(c, (int64_t)((double)head_dim * partial), am_config_real(c, "rope_theta", 10000),
                                      positions);
    am_rope_fields fields = {.fixed_theta = am_config_real(c, "compress_rope_theta", 160000)};
    am_rope_config r = am_rope_config_read_fields(c, &fields, head_dim, 0, partial, positions);
    am_config scaling = am_config_child(c, am_config_has(c, "rope_scaling") ? "rope_scaling" : "rope_parameters");
    if (r.type == AM_ROPE_YARN) r.attention_factor = am_config_real(&scaling, "attention_factor", 1);
    return r;
}

static const am_config *config_of(const am_decoder_layer *layer)
{
    return layer->options->config;
}

/* --- streams --- */

/* x: [.., N, N] by its sums along an axis. */
static am_value shares(am_builder *b, am_value x, int axis, double eps)
{
    am_value sum = am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(axis), true);
    return am_div(b, x, am_add_number(b, sum, eps));
}

typedef struct connection {
    am_value read;  /* [B, T, C], what the part reads */
    am_value write; /* [B, T, N], how much of its answer each stream gets */
    am_value mix;   /* [B, T, N, N], how much of each stream each gets; rows and columns nearly sum to 1 */
} connection;

/* The weights hc_NAME_fn, _base and _scale. */
static connection connect(am_builder *b, am_value x, const char *name, const am_config *c)
{
    int64_t N = am_dim(b, x, 2), rows = N * (N + 2), iterations = am_config_count(c, "hc_sinkhorn_iters", 20);
    double eps = am_config_real(c, "hc_eps", 1e-6);
    char fn[32], of_base[32], of_scale[32];
    snprintf(fn, sizeof fn, "hc_%s_fn", name);
    snprintf(of_base, sizeof of_base, "hc_%s_base", name);
    snprintf(of_scale, sizeof of_scale, "hc_%s_scale", name);
    am_value m = am_stream_mixes(b, x, fn, rows, c), base = am_parameter(b, of_base, am_shape_of(rows), m),
             scales = am_parameter(b, of_scale, am_shape_of(3), m);
    am_value read = am_unary(b, AM_SIGMOID, am_stream_scaled(b, m, scales, 0, base, 0, N));
    am_value write = am_unary(b, AM_SIGMOID, am_stream_scaled(b, m, scales, 1, base, N, N));
    am_value mix = am_stream_scaled(b, m, scales, 2, base, 2 * N, N * N);
    mix = am_reshape(b, mix, (am_shape){.rank = 4, .dims = {am_dim(b, x, 0), am_dim(b, x, 1), N, N}});
    mix = shares(b, am_add_number(b, am_softmax(b, mix, -1), eps), 2, eps);
    for (int64_t i = 1; i < iterations && !am_builder_failed(b); i++) mix = shares(b, shares(b, mix, 3, eps), 2, eps);
    return (connection){am_weigh_streams(b, x, am_add_number(b, read, eps)), am_mul_number(b, write, 2), mix};
}

/* The streams x: [B, T, N, C] mixed, and h: [B, T, C] added to them. */
static am_value add(am_builder *b, am_value x, am_value h, const connection *to)
{
    am_value answers = am_mul(b, am_unsqueeze(b, to->write, 3), am_unsqueeze(b, h, 2));
    return am_add(b, answers, am_matmul(b, to->mix, x, true, false));
}

/* The only norm of the decoder that is not a part's own: one stream of all, normed. */
static am_value last_norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    bool within = am_has_weight(b, "hc_head.hc_fn"); /* as files of classes with heads call it */
    const char *const names[2][3] = {{"hc_head_fn", "hc_head_base", "hc_head_scale"},
                                     {"hc_head.hc_fn", "hc_head.hc_base", "hc_head.hc_scale"}};
    return am_rms_norm(b, name, am_merge_streams(b, x, names[within], o->config), o->rms_norm_eps, 0);
}

/* --- attention --- */

/* The last dimensions of x: [B, T, H, D] rotated, as many as the tables are for. */
static am_value rotated(am_builder *b, am_value x, const am_rope *rope)
{
    int64_t D = am_dim(b, x, 3), kept = D - 2 * am_dim(b, rope->cos, -1);
    if (am_builder_failed(b)) return AM_NONE;
    am_rope pairs = {.cos = rope->cos, .sin = rope->sin, .interleaved = true};
    am_value turned = am_rope_apply(b, &pairs, am_slice(b, x, 3, kept, D));
    return kept ? am_concat2(b, am_slice(b, x, 3, 0, kept), turned, 3) : turned;
}

/* x: [B, W, rate, D] of each stretch, and beside it `before` for the first one, of each stretch before. */
static am_value of_stretch_before(am_builder *b, am_value x, double before)
{
    am_shape first = am_shape_of_value(b, x);
    int64_t W = first.dims[1];
    first.dims[1] = 1;
    am_value none = am_broadcast(b, am_scalar(b, am_dtype_of(b, x), before), first);
    return W > 1 ? am_concat2(b, none, am_slice(b, x, 1, 0, W - 1), 1) : none;
}

typedef struct summaries {
    int64_t count, rate; /* of all stretches that there may be; of tokens in one */
    am_value keys;       /* [B, count, 1, D] */
} summaries;

/* Summaries of the stretches of x: [B, T, C] and, from caches, of the text before, of D numbers: below "compressor"
   sums weighed by gates, those of overlapping stretches of the stretch before, too. */
static summaries summarize(am_builder *b, am_value x, int64_t D, layer_kind kind, const am_decoder_options *o)
{
    const am_config *c = o->config;
    int64_t B = am_dim(b, x, 0), width = kind == SPARSE ? 2 * D : D, rate = rate_of(c, kind);
    summaries r = {.rate = rate, .count = (am_has_cache(b) ? am_cache_capacity(b) : am_dim(b, x, 1)) / rate};
    if (r.count == 0 || am_builder_failed(b)) return r;
    am_scope(b, "compressor");
    am_value kv = am_cache_append(b, "kv", am_linear(b, "wkv", x, width, AM_NO_BIAS));
    am_value gate = am_cache_append(b, "gate", am_linear(b, "wgate", x, width, AM_NO_BIAS));
    am_shape stretches = {.rank = 4, .dims = {B, r.count, rate, width}};
    kv = am_reshape(b, am_slice(b, kv, 1, 0, r.count * rate), stretches);
    gate = am_reshape(b, am_slice(b, gate, 1, 0, r.count * rate), stretches);
    gate = am_add(b, gate, am_parameter(b, "ape", am_shape_of(rate, width), gate));
    if (kind == SPARSE) {
        kv = am_concat2(b, of_stretch_before(b, am_slice(b, kv, 3, 0, D), 0), am_slice(b, kv, 3, D, width), 2);
        gate =
            am_concat2(b, of_stretch_before(b, am_slice(b, gate, 3, 0, D), HIDDEN), am_slice(b, gate, 3, D, width), 2);
    }
    kv = am_reduce(b, AM_REDUCE_SUM, am_mul(b, kv, am_softmax(b, gate, 2)), am_shape_of(2), true);
    kv = am_rms_norm(b, "norm", kv, o->rms_norm_eps, 0);
    am_end_scope(b);
    am_value places = am_iota(b, AM_I32, am_shape_of(1, r.count), 1, 0, (double)rate);
    am_rope rope = am_rope_tables_at(b, &o->rope, places);
    r.keys = rotated(b, kv, &rope);
    return r;
}

/* Which summaries each token may see: those of stretches that are over: BOOL [1 or B, T, count]. */
static am_value finished(am_builder *b, int64_t T, const summaries *s, layer_kind kind)
{
    bool counts = T == 1 && kind == HEAVY && am_has_cache(b); /* how many there are, whatever the places */
    am_value places = counts ? am_reshape(b, am_cache_offset(b), am_shape_of(1, 1)) : am_position_ids(b, T);
    am_value over = am_binary_number(b, AM_DIV, am_add_number(b, places, 1), (double)s->rate);
    am_value which = am_iota(b, AM_I32, am_shape_of(1, 1, s->count), 2, 0, 1);
    return am_binary(b, AM_LESS, which, am_unsqueeze(b, over, 2));
}

/* Those of the summaries that are the best for each token by the indexer's own: BOOL [B, T, count], of those allowed.
 */
static am_value choose(am_builder *b, am_value x, am_value query, am_value allowed, const summaries *s,
                       const am_decoder_layer *layer)
{
    const am_config *c = config_of(layer);
    int64_t top_k = am_config_size(c, "index_topk", 512), H = am_config_size(c, "index_n_heads", 64),
            D = am_config_size(c, "index_head_dim", 128);
    if (D < layer->options->rope.dims)
        am_config_fail(c, "index_head_dim", "expected the %" PRId64 " rotated dimensions or more, found %" PRId64,
                       layer->options->rope.dims, D);
    if (s->count <= top_k || am_builder_failed(b)) return allowed;
    am_scope(b, "indexer");
    summaries own = summarize(b, x, D, SPARSE, layer->options);
    am_value q = am_split_heads(b, am_linear(b, "wq_b", query, H * D, AM_NO_BIAS), H);
    am_value dots = am_matmul(b, rotated(b, q, layer->attention->rope),
                              am_permute(b, own.keys, am_shape_of(0, 2, 1, 3)), false, true);
    dots = am_mul_number(b, am_unary(b, AM_RELU, dots), 1 / sqrt((double)D)); /* [B, T, H, count] */
    am_value weights = am_mul_number(b, am_linear(b, "weights_proj", x, H, AM_NO_BIAS), 1 / sqrt((double)H));
    am_end_scope(b);
    am_value scores = am_squeeze(b, am_matmul(b, am_unsqueeze(b, weights, 2), dots, false, false), 2);
    am_value written = AM_NONE;
    if (am_has_cache(b))
        written =
            am_binary_number(b, AM_DIV, am_add_number(b, am_cache_offset(b), (double)am_dim(b, x, 1)), (double)s->rate);
    return am_choose_keys(b, scores, am_broadcast(b, allowed, am_shape_of_value(b, scores)), written, top_k);
}

/* Which of S keys each of T tokens sees through the window: BOOL [1 or B, 1, T, S]. */
static am_value window_mask(am_builder *b, int64_t T, int64_t S, const am_decoder_layer *layer)
{
    int64_t window = am_config_size(config_of(layer), "sliding_window", 128);
    am_value seen = am_earlier_keys(b, T, S), passed = am_earlier_keys_by(b, T, S, window);
    seen = am_binary(b, AM_LOGICAL_AND, seen, am_unary(b, AM_LOGICAL_NOT, passed));
    seen = am_unsqueeze(b, seen, 1);
    return layer->attention->mask.id ? am_binary(b, AM_LOGICAL_AND, seen, layer->attention->mask) : seen;
}

/* Mask [.., S] and, of the summaries, [.., count]: one behind the other, [B, 1, T, S + count]. */
static am_value joined(am_builder *b, am_value keys, am_value of_summaries, int64_t B)
{
    am_value parts[2] = {keys, am_unsqueeze(b, of_summaries, 1)};
    for (int i = 0; i < 2; i++) {
        am_shape shape = am_shape_of_value(b, parts[i]);
        shape.dims[0] = B;
        parts[i] = am_broadcast(b, parts[i], shape);
    }
    return am_concat(b, parts, 2, 3);
}

/* x: [B, T, H, D] in groups of heads, each projected to `rank` numbers of its own, then all to C. */
static am_value projected(am_builder *b, am_value x, const am_decoder_options *o)
{
    const am_config *c = o->config;
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), all = am_dim(b, x, 2) * am_dim(b, x, 3);
    int64_t groups = am_config_size(c, "o_groups", 8), rank = am_config_size(c, "o_lora_rank", 1024);
    if (all % groups != 0)
        am_config_fail(c, "o_groups", "%" PRId64 " channels of all heads do not divide by %" PRId64, all, groups);
    if (rank > INT32_MAX / groups) am_config_fail(c, "o_lora_rank", "too much");
    if (am_builder_failed(b)) return AM_NONE;
    x = am_permute(b, am_reshape(b, x, (am_shape){.rank = 4, .dims = {B, T, groups, all / groups}}),
                   am_shape_of(0, 2, 1, 3));
    am_scope(b, "wo_a");
    am_value weight = am_weight(b, "weight", am_shape_of(groups * rank, all / groups));
    am_end_scope(b);
    weight = am_reshape(b, weight, (am_shape){.rank = 4, .dims = {1, groups, rank, all / groups}});
    x = am_permute(b, am_matmul(b, x, weight, false, true), am_shape_of(0, 2, 1, 3));
    return am_linear(b, "wo_b", am_flatten(b, x, 2, 3), o->hidden_size, AM_NO_BIAS);
}

static am_value attend(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const am_config *c = o->config;
    const am_rope *rope = layer->attention->rope;
    layer_kind kind = kind_of(c, layer->index);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), H = o->num_attention_heads, D = o->head_dim;
    am_value query = am_linear(b, "wq_a", x, am_config_size(c, "q_lora_rank", 1024), AM_NO_BIAS);
    query = am_rms_norm(b, "q_norm", query, o->rms_norm_eps, 0);
    am_value q = am_split_heads(b, am_linear(b, "wq_b", query, H * D, AM_NO_BIAS), H);
    am_value kv = am_rms_norm(b, "norm", am_linear(b, "wkv", x, D, AM_NO_BIAS), o->rms_norm_eps, 0);
    kv = am_cache_append(b, "kv", rotated(b, am_split_heads(b, kv, 1), rope));
    am_attention_inputs inputs = {.q = rotated(b, am_bare_rms_norm(b, q, o->rms_norm_eps), rope),
                                  .k = kv,
                                  .mask = window_mask(b, T, am_dim(b, kv, 1), layer),
                                  .sinks = am_weight(b, "attn_sink", am_shape_of(H))};
    summaries s = kind == WINDOW ? (summaries){0} : summarize(b, x, D, kind, o);
    if (s.count && !am_builder_failed(b)) {
        am_value seen = finished(b, T, &s, kind);
        if (kind == SPARSE) seen = choose(b, x, query, seen, &s, layer);
        inputs.mask = joined(b, inputs.mask, seen, B);
        inputs.k = am_concat2(b, kv, s.keys, 1);
    }
    inputs.v = inputs.k;
    x = am_attention_op(b, &inputs, &(am_attention_attributes){.scale = 1 / sqrt((double)D)});
    am_rope back = {.cos = rope->cos, .sin = am_mul_number(b, rope->sin, -1)};
    return projected(b, rotated(b, x, &back), o);
}

/* A part NAME of a layer: what it answers to the streams x, normed, added to them. */
static am_value connected(am_builder *b, am_value x, const am_decoder_layer *layer, const char *name,
                          am_decoder_part *part)
{
    char norm[32];
    snprintf(norm, sizeof norm, "%s_norm", name);
    connection hc = connect(b, x, name, config_of(layer));
    am_value h = am_rms_norm(b, norm, hc.read, layer->options->rms_norm_eps, 0);
    am_scope(b, "%s", name);
    h = part(b, h, layer);
    am_end_scope(b);
    return add(b, x, h, &hc);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    return connected(b, x, layer, "attn", attend);
}

/* --- experts --- */

static am_value score(am_builder *b, am_value logits, const am_config *c)
{
    const char *name = am_config_text(c, "scoring_func", "sqrtsoftplus");
    if (strcmp(name, "sqrtsoftplus") == 0) return am_unary(b, AM_SQRT, am_unary(b, AM_SOFTPLUS, logits));
    if (strcmp(name, "sigmoid") != 0) am_config_unsupported(c, "scoring_func", "\"%s\" is not supported", name);
    return am_unary(b, AM_SIGMOID, logits);
}

/* The experts of each row of scores: [N, count]: I32 [N, top_k], the best, or those that its token names. */
static am_value choose_experts(am_builder *b, am_value scores, int64_t top_k, const am_decoder_layer *layer)
{
    int64_t count = am_dim(b, scores, 1);
    am_value experts = AM_NONE;
    am_scope(b, "gate");
    if (is_hashed(config_of(layer), layer->index)) {
        am_value table = am_weight_integers(b, "tid2eid", am_shape_of(layer->options->vocab_size, top_k));
        am_value ids = am_reshape(b, am_input(b, "input_ids", 2), am_shape_of(-1));
        experts = am_gather(b, table, ids, 0, false);
    } else
        am_top_k(b, am_add(b, scores, am_parameter(b, "bias", am_shape_of(count), scores)), -1, top_k, false, &experts);
    am_end_scope(b);
    return experts;
}

static am_value shared_experts(am_builder *b, am_value x, const am_experts_options *o)
{
    int64_t inner = o->intermediate_size;
    int bias = am_config_flag(am_model_config(b), "mlp_bias", false) ? AM_BIAS : AM_NO_BIAS;
    am_scope(b, "shared_experts");
    am_value gate = am_linear(b, "w1", x, inner, bias), up = am_linear(b, "w3", x, inner, bias);
    x = am_linear(b, "w2", am_gate_of_limited(b, o->activation, gate, up, o->limit), am_dim(b, x, -1), bias);
    am_end_scope(b);
    return x;
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = config_of(layer);
    am_experts_options o = {
        .count = am_config_size(c, am_config_either(c, "n_routed_experts", "num_local_experts"), 256),
        .intermediate_size = am_config_size(c, am_config_either(c, "moe_intermediate_size", "intermediate_size"), 2048),
        .activation = layer->options->hidden_act,
        .gate = "w1",
        .up = "w3",
        .down = "w2",
        .limit = am_config_real(c, "swiglu_limit", 10)};
    int64_t count = o.count, top_k = am_config_size(c, "num_experts_per_tok", 6);
    if (top_k > count) am_config_fail(c, "num_experts_per_tok", "%" PRId64 " of %" PRId64 " experts", top_k, count);
    if (o.limit <= 0) am_config_unsupported(c, "swiglu_limit", "expected more than 0");
    if (am_builder_failed(b)) return AM_NONE;
    am_value rows = am_flatten(b, x, 0, 1), scores = score(b, am_linear(b, "gate", rows, count, AM_NO_BIAS), c);
    am_value experts = choose_experts(b, scores, top_k, layer), weights = am_gather(b, scores, experts, 1, true);
    am_value sum = am_add_number(b, am_reduce_last(b, AM_REDUCE_SUM, weights), 1e-20);
    weights = am_mul_number(b, am_div(b, weights, sum), am_config_real(c, "routed_scaling_factor", 1.5));
    am_value routed = am_chosen_experts(b, rows, experts, weights, &o);
    return am_add(b, am_reshape(b, routed, am_shape_of_value(b, x)), shared_experts(b, x, &o));
}

static am_value feed_forward(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    return connected(b, x, layer, "ffn", mixture);
}

/* --- classes --- */

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    o->norms = &none; /* the parts norm what they read and mix what they were given */
    o->norm = last_norm;
    o->parts_add_residual = true;
    o->attention = attention;
    o->mlp = feed_forward;
    o->attention_scope = o->mlp_scope = "";
    o->embeddings = "embed";
    o->rope = rope_of(c, o->head_dim, false);
    o->sliding_rope = rope_of(c, o->head_dim, true);
    o->has_sliding_rope = true;
    for (int i = 0; i < o->num_hidden_layers; i++) o->sliding[i] = kind_of(c, i) == WINDOW;
    if (o->rope.type == AM_ROPE_DYNAMIC || o->rope.type == AM_ROPE_LONGROPE)
        am_config_unsupported(c, "rope_parameters", "rope types that follow the length are not supported");
    if (am_config_count(c, "hc_sinkhorn_iters", 20) > ITERATIONS_LIMIT)
        am_config_unsupported(c, "hc_sinkhorn_iters", "at most %d", ITERATIONS_LIMIT);
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 129280,
                 .hidden_size = 4096,
                 .num_hidden_layers = 43,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 1,
                 .head_dim = 512,
                 .max_position_embeddings = 1048576,
                 .partial_rotary_factor = 0.125},
    .adapt = adapt,
};

static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_scope(b, "%s", prefix);
    const char *table = am_has_weight(b, "embed.weight") ? "embed" : "embed_tokens";
    am_end_scope(b);
    return am_streams_body(b, o, prefix, table);
}

static void deepseek_v4_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    am_value x = body(b, &o, "model");
    const char *head = am_has_weight(b, "head.weight") ? "head" : "lm_head";
    am_output(b, "logits",
              am_lm_head(b, head, x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"DeepseekV4Model", deepseek_v4_model, "feature-extraction", 0},
    {"DeepseekV4ForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

const am_model_type am_model_deepseek_v4 = {
    .name = "deepseek_v4", .base_prefix = "model", .architectures = architectures, .family = &family};
