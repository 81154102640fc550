#include "models/blocks/attention.h"

#include <stdio.h>

am_value am_split_heads(am_builder *b, am_value x, int64_t heads)
{
    am_shape s = am_shape_of_value(b, x);
    return s.rank == 3 ? am_reshape(b, x, am_shape_of(s.dims[0], s.dims[1], heads, heads ? s.dims[2] / heads : 0))
                       : AM_NONE;
}

void am_split_fused(am_builder *b, am_value x, int64_t heads, bool by_head, am_value out[3])
{
    if (by_head) x = am_split_heads(b, x, heads);
    int64_t width = am_dim(b, x, -1) / 3;
    for (int i = 0; i < 3; i++) {
        out[i] = am_slice(b, x, -1, i * width, (i + 1) * width);
        if (!by_head) out[i] = am_split_heads(b, out[i], heads);
    }
}

am_value am_merge_heads(am_builder *b, am_value x)
{
    return am_flatten(b, x, 2, 3);
}

am_value am_padding_mask_of(am_builder *b, am_value mask)
{
    if (!mask.id) return AM_NONE;
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_reshape(b, mask, am_shape_of(am_dim(b, mask, 0), 1, 1, am_dim(b, mask, 1)));
}

am_value am_padding_mask(am_builder *b, const char *input)
{
    return am_padding_mask_of(b, am_input_optional(b, input, 2));
}

/* I32 [B, T], ones of AM_NONE. */
static am_value attended_of(am_builder *b, am_value mask, int64_t B, int64_t T)
{
    if (!mask.id) return am_iota(b, AM_I32, am_shape_of(B, T), 1, 1, 0);
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_cast(b, mask, AM_I32);
}

am_value am_join_attended(am_builder *b, am_value first, int64_t T, am_value second, int64_t N)
{
    if (!first.id && !second.id) return AM_NONE;
    int64_t B = am_dim(b, first.id ? first : second, 0);
    return am_concat2(b, attended_of(b, first, B, T), attended_of(b, second, B, N), 1);
}

/* BOOL [B, 1, T, T]: whether two tokens belong to one text: positions: [B, T] that do not go on from the token before
   start another. */
static am_value packing_mask(am_builder *b, am_value positions)
{
    int64_t B = am_dim(b, positions, 0), T = am_dim(b, positions, 1);
    am_value before = am_slice(b, positions, 1, 0, T - 1), after = am_slice(b, positions, 1, 1, T);
    am_value starts = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_sub(b, after, before), 1), AM_I32);
    starts = am_concat2(b, am_iota(b, AM_I32, am_shape_of(B, 1), 0, 0, 0), starts, 1);
    am_value text = am_scan(b, AM_REDUCE_SUM, starts, 1, false, false);
    return am_binary(b, AM_EQUAL, am_reshape(b, text, am_shape_of(B, 1, T, 1)),
                     am_reshape(b, text, am_shape_of(B, 1, 1, T)));
}

am_value am_packed_mask(am_builder *b, am_value mask, const char *positions)
{
    if (mask.id || am_has_cache(b) || !am_has_input(b, positions)) return mask;
    am_value given = am_input(b, positions, 2);
    return am_dim(b, given, 1) > 1 ? packing_mask(b, given) : AM_NONE;
}

am_value am_block_mask(am_builder *b, am_value blocks, const am_block_mask_options *o)
{
    int64_t T = am_dim(b, blocks, 1), S = am_has_cache(b) ? am_cache_capacity(b) : T;
    am_value query = am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(1, 1, 1, S), 3, 0, 1);
    am_value rows = am_unsqueeze(b, am_unsqueeze(b, blocks, 1), -1), columns = blocks; /* [B, 1, T, 1] */
    if (S > T)
        columns = am_concat2(b, blocks,
                             am_broadcast(b, am_scalar(b, AM_I32, -1), am_shape_of(am_dim(b, blocks, 0), S - T)), 1);
    columns = am_unsqueeze(b, am_unsqueeze(b, columns, 1), 1); /* [B, 1, 1, S] */
    am_value same = am_binary(b, AM_LOGICAL_AND, am_binary(b, AM_EQUAL, rows, columns),
                              am_binary_number(b, AM_GREATER_EQUAL, rows, 0));
    am_value seen = am_binary(b, AM_LESS_EQUAL, key, query), near = AM_NONE;
    if (o->window) near = am_binary(b, AM_GREATER, key, am_add_number(b, query, -(double)o->window));
    if (o->window && !o->cuts_blocks) seen = am_binary(b, AM_LOGICAL_AND, seen, near);
    seen = am_binary(b, AM_LOGICAL_OR, seen, same);
    if (o->window && o->cuts_blocks) seen = am_binary(b, AM_LOGICAL_AND, seen, near);
    return o->mask.id ? am_binary(b, AM_LOGICAL_AND, seen, o->mask) : seen;
}

static const char *name_or(const char *name, const char *fallback)
{
    return name ? name : fallback;
}

static am_value project(am_builder *b, const char *name, am_value x, int64_t heads, int64_t head_dim, bool no_bias)
{
    return am_split_heads(b, am_linear(b, name, x, heads * head_dim, no_bias ? AM_NO_BIAS : AM_BIAS), heads);
}

/* The same with a bias of that name. */
static am_value project_biased(am_builder *b, const char *name, const char *bias, am_value x, int64_t heads,
                               int64_t head_dim)
{
    am_value offset = am_weight(b, bias, am_shape_of(heads * head_dim));
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(heads * head_dim, am_dim(b, x, -1)));
    am_value y = am_split_heads(b, am_linear_with(b, x, weight, offset), heads);
    am_end_scope(b);
    return y;
}

/* merged: [B, T, H * D] */
static am_value finish(am_builder *b, am_value merged, int64_t C, const am_attention_options *o)
{
    const char *name = name_or(o->out, "out_proj");
    return name[0] ? am_linear(b, name, merged, C, o->no_out_bias ? AM_NO_BIAS : AM_BIAS) : merged;
}

static am_value attend(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *o,
                       am_value offset)
{
    am_attention_inputs inputs = {
        .q = q, .k = k, .v = v, .mask = o->mask, .bias = o->bias, .sinks = o->sinks, .offset = offset};
    am_attention_attributes attributes = {
        .scale = o->scale, .soft_cap = o->soft_cap, .causal = o->causal, .window = o->window};
    return am_attention_op(b, &inputs, &attributes);
}

am_value am_attend(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *o)
{
    k = am_cache_append(b, "key", k);
    v = am_cache_append(b, "value", v);
    return am_merge_heads(b, attend(b, q, k, v, o, am_cache_offset(b)));
}

static int64_t head_dim_of(am_builder *b, am_value x, const am_attention_options *o)
{
    return o->head_dim ? o->head_dim : am_dim(b, x, -1) / (o->heads ? o->heads : 1);
}

/* x: [B, T, G * (H / G + 2) * D]: the queries of each key/value head, then its key, then its value */
static void split_groups(am_builder *b, am_value x, int64_t H, int64_t G, int64_t D, am_value out[3])
{
    int64_t n = G ? H / G : 0;
    x = am_split_heads(b, x, G);
    out[0] = am_split_heads(b, am_merge_heads(b, am_slice(b, x, -1, 0, n * D)), H);
    out[1] = am_slice(b, x, -1, n * D, (n + 1) * D);
    out[2] = am_slice(b, x, -1, (n + 1) * D, (n + 2) * D);
}

/* x: [B, T, C] -> [B, T, width] by the one weight of queries, keys and values */
static am_value project_fused(am_builder *b, am_value x, const am_attention_options *o, int64_t width)
{
    char weight[96], bias[96];
    if (!o->qkv_packed) return am_linear(b, o->qkv, x, width, o->no_q_bias ? AM_NO_BIAS : AM_BIAS);
    snprintf(weight, sizeof weight, "%s_weight", o->qkv);
    snprintf(bias, sizeof bias, "%s_bias", o->qkv);
    return am_linear_with(b, x, am_weight(b, weight, am_shape_of(width, am_dim(b, x, -1))),
                          o->no_q_bias ? AM_NONE : am_weight(b, bias, am_shape_of(width)));
}

/* x: [B, T, C] -> q: [B, T, H, D], k, v: [B, T, G, D] */
static void project_all(am_builder *b, am_value x, const am_attention_options *o, am_value out[3])
{
    int64_t D = head_dim_of(b, x, o), G = o->kv_heads ? o->kv_heads : o->heads, heads[] = {o->heads, G, G};
    if (!o->qkv) {
        const char *q = name_or(o->q, "q_proj"), *v = name_or(o->v, "v_proj");
        out[0] =
            o->q_bias ? project_biased(b, q, o->q_bias, x, o->heads, D) : project(b, q, x, o->heads, D, o->no_q_bias);
        out[1] = project(b, name_or(o->k, "k_proj"), x, G, D, o->no_k_bias);
        out[2] = o->v_bias ? project_biased(b, v, o->v_bias, x, G, D) : project(b, v, x, G, D, o->no_v_bias);
        return;
    }
    x = project_fused(b, x, o, (o->heads + 2 * G) * D);
    if (o->qkv_by_group) {
        split_groups(b, x, o->heads, G, D, out);
        return;
    }
    for (int64_t i = 0, at = 0; i < 3; at += heads[i++] * D)
        out[i] = am_split_heads(b, am_slice(b, x, -1, at, at + heads[i] * D), heads[i]);
}

/* x: [B, T, H, D] */
static am_value norm_heads(am_builder *b, const char *name, am_value x, const am_attention_options *o)
{
    int64_t heads = am_dim(b, x, 2);
    if (!o->norm_all_heads) return am_rms_norm(b, name, x, o->norm_eps, o->norm_weight_offset);
    return am_split_heads(b, am_rms_norm(b, name, am_merge_heads(b, x), o->norm_eps, o->norm_weight_offset), heads);
}

void am_attention_heads(am_builder *b, am_value x, const am_attention_options *o, am_value out[3])
{
    project_all(b, x, o, out);
    if (o->q_norm) out[0] = norm_heads(b, o->q_norm, out[0], o);
    if (o->k_norm) out[1] = norm_heads(b, o->k_norm, out[1], o);
    for (int i = 0; i < (o->rotates_values ? 3 : 2) && o->rope; i++) out[i] = am_rope_apply(b, o->rope, out[i]);
}

am_value am_attend_cached(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *o)
{
    return attend(b, q, k, v, o, am_cache_offset(b));
}

am_value am_self_attention(am_builder *b, am_value x, const am_attention_options *o)
{
    am_value qkv[3];
    am_attention_heads(b, x, o, qkv);
    am_value k = am_cache_append(b, "key", qkv[1]), v = am_cache_append(b, "value", qkv[2]);
    return finish(b, am_merge_heads(b, am_attend_cached(b, qkv[0], k, v, o)), am_dim(b, x, -1), o);
}

am_value am_attend_encoder(am_builder *b, am_value q, am_value k, am_value v, const am_attention_options *o)
{
    if (am_cross_cached(b)) {
        int64_t G = o->kv_heads ? o->kv_heads : am_dim(b, q, 2);
        am_shape shape = am_shape_of(am_dim(b, q, 0), am_encoder_length(b), G, am_dim(b, q, 3));
        k = am_cache_load(b, "cross_key", shape);
        v = am_cache_load(b, "cross_value", shape);
    } else {
        am_cache_store(b, "cross_key", k);
        am_cache_store(b, "cross_value", v);
    }
    return am_merge_heads(b, attend(b, q, k, v, o, AM_NONE));
}

am_value am_cross_attention(am_builder *b, am_value x, am_value encoder, const am_attention_options *o)
{
    int64_t D = head_dim_of(b, x, o), kv_heads = o->kv_heads ? o->kv_heads : o->heads;
    am_value q = project(b, name_or(o->q, "q_proj"), x, o->heads, D, o->no_q_bias), k = AM_NONE, v = AM_NONE;
    if (!am_cross_cached(b)) {
        k = project(b, name_or(o->k, "k_proj"), encoder, kv_heads, D, o->no_k_bias);
        v = project(b, name_or(o->v, "v_proj"), encoder, kv_heads, D, o->no_v_bias);
    }
    return finish(b, am_attend_encoder(b, q, k, v, o), am_dim(b, x, -1), o);
}
