#include "graph/ops/check.h"

#include <float.h>
#include <math.h>

enum { Q, K, V, MASK, BIAS, SINKS, OFFSET, INPUTS };

static am_status check_heads(const am_infer *c)
{
    const am_shape *q = &c->inputs[Q]->shape, *k = &c->inputs[K]->shape, *v = &c->inputs[V]->shape;
    char text[3][AM_SHAPE_TEXT];
    bool fits = q->dims[0] == k->dims[0] && k->dims[0] == v->dims[0] && k->dims[1] == v->dims[1] &&
                k->dims[2] == v->dims[2] && q->dims[3] == k->dims[3] && k->dims[2] > 0 && q->dims[2] % k->dims[2] == 0;
    if (fits) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "q %s, k %s and v %s do not fit (q: [B, T, H, D], k: [B, S, G, D], v: [B, S, G, E], H a "
                    "multiple of G)",
                    am_shape_text(q, text[0]), am_shape_text(k, text[1]), am_shape_text(v, text[2]));
}

static am_status infer(am_infer *c)
{
    const am_attention_attributes *a = c->attributes;
    am_shape shape = c->inputs[Q]->shape, scores, heads;
    for (int i = Q; i <= V; i++) {
        AM_TRY(am_check_float(c, i));
        AM_TRY(am_check_rank(c, i, 4));
    }
    AM_TRY(check_heads(c));
    scores = am_shape_of(shape.dims[0], shape.dims[2], shape.dims[1], c->inputs[K]->shape.dims[1]);
    heads = am_shape_of(shape.dims[2]);
    AM_TRY(am_check_dtype(c, MASK, AM_BOOL));
    AM_TRY(am_check_broadcasts(c, MASK, &scores));
    AM_TRY(am_check_float(c, BIAS));
    AM_TRY(am_check_broadcasts(c, BIAS, &scores));
    AM_TRY(am_check_shape(c, SINKS, &heads));
    AM_TRY(am_check_dtype(c, OFFSET, AM_I32));
    AM_TRY(am_check_rank(c, OFFSET, 0));
    if (a->window < 0) return am_error(AM_INVALID_ARGUMENT, "a window of %lld", (long long)a->window);
    shape.dims[3] = c->inputs[V]->shape.dims[3];
    return am_infer_one(c, c->inputs[Q]->dtype, &shape);
}

/* [B, S, G, D] -> [B, H, S, D], each key/value head repeated for its query heads */
static am_value heads_first(am_builder *b, am_value x, int64_t heads)
{
    am_shape s = am_shape_of_value(b, x);
    int64_t groups = s.dims[2];
    x = am_permute(b, x, am_shape_of(0, 2, 1, 3));
    if (groups == heads) return x;
    x = am_reshape(b, x, am_shape_of(s.dims[0], groups, 1, s.dims[1], s.dims[3]));
    x = am_broadcast(b, x, am_shape_of(s.dims[0], groups, heads / groups, s.dims[1], s.dims[3]));
    return am_reshape(b, x, am_shape_of(s.dims[0], heads, s.dims[1], s.dims[3]));
}

static am_value both(am_builder *b, am_value x, am_value y)
{
    return !x.id ? y : !y.id ? x : am_binary(b, AM_LOGICAL_AND, x, y);
}

/* [T, S]: which keys a query sees by its position, or AM_NONE when that is all of them */
static am_value visible(am_builder *b, const am_attention_attributes *a, am_value offset, int64_t T, int64_t S)
{
    am_value i = am_iota(b, AM_I32, am_shape_of(T, 1), 0, offset.id ? 0 : (double)(S - T), 1);
    am_value j = am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1), seen = AM_NONE;
    if (offset.id) i = am_add(b, i, offset);
    if (a->causal) seen = am_binary(b, AM_LESS_EQUAL, j, i);
    if (!a->window) return seen;
    am_value window = am_scalar(b, AM_I32, (double)a->window);
    seen = both(b, seen, am_binary(b, AM_LESS, am_sub(b, i, j), window));
    return a->causal ? seen : both(b, seen, am_binary(b, AM_LESS, am_sub(b, j, i), window));
}

static am_value mask_scores(am_builder *b, am_value scores, am_value keep, double otherwise)
{
    return keep.id ? am_select(b, keep, scores, am_scalar(b, am_dtype_of(b, scores), otherwise)) : scores;
}

static am_value exists(am_builder *b, am_value offset, int64_t T, int64_t S)
{
    if (!offset.id) return AM_NONE;
    am_value end = am_add_number(b, offset, (double)T);
    return am_binary(b, AM_LESS, am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1), end);
}

/* The lowest number of a dtype that is not minus infinity. */
static double lowest(am_dtype dtype)
{
    return dtype == AM_F16 ? -65504 : dtype == AM_BF16 ? -0x1.fep127 : -(double)FLT_MAX;
}

static am_value probabilities(am_builder *b, am_value scores, am_value sinks)
{
    am_shape s = am_shape_of_value(b, scores);
    if (!sinks.id) return am_softmax(b, scores, -1);
    am_value column = am_reshape(b, am_cast(b, sinks, am_dtype_of(b, scores)), am_shape_of(1, s.dims[1], 1, 1));
    column = am_broadcast(b, column, am_shape_of(s.dims[0], s.dims[1], s.dims[2], 1));
    return am_slice(b, am_softmax(b, am_concat2(b, scores, column, -1), -1), -1, 0, s.dims[3]);
}

static void expand(am_builder *b, const am_node *node, const am_value *in, am_value *out)
{
    const am_attention_attributes *a = node->attributes;
    am_dtype dtype = am_dtype_of(b, in[Q]);
    int64_t T = am_dim(b, in[Q], 1), H = am_dim(b, in[Q], 2), D = am_dim(b, in[Q], 3), S = am_dim(b, in[K], 1);
    am_value k = heads_first(b, am_cast(b, in[K], dtype), H), v = heads_first(b, am_cast(b, in[V], dtype), H);
    am_value scores = am_matmul(b, heads_first(b, in[Q], H), k, false, true);
    scores = am_mul_number(b, scores, a->scale != 0 ? a->scale : 1 / sqrt((double)D));
    if (a->soft_cap != 0) scores = am_soft_cap(b, scores, a->soft_cap);
    if (in[BIAS].id) scores = am_add(b, scores, am_cast(b, in[BIAS], dtype));
    scores = mask_scores(b, scores, both(b, in[MASK], visible(b, a, in[OFFSET], T, S)), lowest(dtype));
    scores = mask_scores(b, scores, exists(b, in[OFFSET], T, S), -INFINITY);
    out[0] = am_permute(b, am_matmul(b, probabilities(b, scores, in[SINKS]), v, false, false), am_shape_of(0, 2, 1, 3));
}

am_value am_attention_op(am_builder *b, const am_attention_inputs *i, const am_attention_attributes *options)
{
    am_value inputs[INPUTS] = {i->q, i->k, i->v, i->mask, i->bias, i->sinks, i->offset};
    return am_add_node(b, AM_OP_ATTENTION, inputs, INPUTS, options, NULL);
}

static const am_field fields[] = {
    AM_FIELD(am_attention_attributes, REAL, scale), AM_FIELD(am_attention_attributes, REAL, soft_cap),
    AM_FIELD(am_attention_attributes, BOOL, causal), AM_FIELD(am_attention_attributes, INT, window), AM_FIELDS_END};

const am_op am_op_attention = {
    .name = "attention",
    .summary = "Scaled dot-product attention with grouped key/value heads, masks, bias, window, soft cap, "
               "sinks and a cache offset.",
    .min_inputs = 3,
    .max_inputs = INPUTS,
    .fields = fields,
    .attributes_bytes = sizeof(am_attention_attributes),
    .infer = infer,
    .expand = expand,
    .is_composite = true,
};
