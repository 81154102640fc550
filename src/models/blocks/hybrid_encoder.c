#include "models/blocks/hybrid_encoder.h"

#include <inttypes.h>
#include <math.h>

enum { REP_BLOCKS = 3 };

void am_hybrid_read_attended(const am_config *c, const char *key, am_hybrid_options *r)
{
    if (!am_config_has(c, key)) r->attended[r->attended_count++] = 2;
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it);) {
        int64_t i = am_json_int(it.value, -AM_LEVELS_LIMIT - 1);
        if (i < 0) i += r->count;
        if (r->attended_count < AM_LEVELS_LIMIT) r->attended[r->attended_count++] = i;
    }
    for (int i = 0; i < r->attended_count; i++) {
        if (r->attended[i] >= 0 && r->attended[i] < r->count) continue;
        am_config_fail(c, key, "%" PRId64 " is none of %d maps", r->attended[i], r->count);
        r->attended[i] = 0;
    }
}

/* --- convolutions --- */

static am_value grouped_conv(am_builder *b, const am_hybrid_options *o, const char *name, am_value x, int64_t out,
                             int64_t kernel, int64_t stride, int64_t groups)
{
    am_shape padding = am_shape_of((kernel - 1) / 2, (kernel - 1) / 2);
    am_convolution_attributes options = {
        .stride = am_shape_of(stride, stride), .padding_before = padding, .padding_after = padding, .groups = groups};
    am_scope(b, "%s", name);
    x = am_conv(b, "conv", x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &options);
    x = am_batch_norm(b, "norm", x, o->batch_norm_eps);
    am_end_scope(b);
    return x;
}

am_value am_hybrid_conv(am_builder *b, const am_hybrid_options *o, const char *name, am_value x, int64_t out,
                        int64_t kernel, int64_t stride, am_unary_fn act)
{
    x = grouped_conv(b, o, name, x, out, kernel, stride, 1);
    return act == AM_IDENTITY ? x : am_unary(b, act, x);
}

/* RepVGG's blocks: `count` convolutions of 3 x 3 and of single pixels. */
static am_value bottlenecks(am_builder *b, const am_hybrid_options *o, am_value x, int64_t C, int64_t count)
{
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        am_scope(b, "bottlenecks.%d", (int)i);
        x = am_unary(b, o->act,
                     am_add(b, am_hybrid_conv(b, o, "conv1", x, C, 3, 1, AM_IDENTITY),
                            am_hybrid_conv(b, o, "conv2", x, C, 1, 1, AM_IDENTITY)));
        am_end_scope(b);
    }
    return x;
}

/* Such blocks beside a convolution of single pixels (CSP). */
static am_value csp_layer(am_builder *b, const am_hybrid_options *o, am_value x, int64_t inner, int64_t out,
                          int64_t count)
{
    am_value first = am_hybrid_conv(b, o, "conv1", x, inner, 1, 1, o->act);
    am_value second = am_hybrid_conv(b, o, "conv2", x, inner, 1, 1, o->act);
    x = am_add(b, bottlenecks(b, o, first, inner, count), second);
    return inner == out ? x : am_hybrid_conv(b, o, "conv3", x, out, 1, 1, o->act);
}

/* What each of two such layers gives, joined with what they take (D-FINE). */
static am_value elan_layer(am_builder *b, const am_hybrid_options *o, am_value x)
{
    int64_t C = o->C, inner = (int64_t)nearbyint(floor(o->expansion * (double)C / 2));
    am_value parts[4];
    x = am_hybrid_conv(b, o, "conv1", x, 2 * C, 1, 1, AM_SILU);
    parts[0] = am_slice(b, x, 1, 0, C);
    parts[1] = am_slice(b, x, 1, C, AM_SLICE_END);
    for (int i = 2; i < 4; i++) {
        am_scope(b, i == 2 ? "csp_rep1" : "csp_rep2");
        x = csp_layer(b, o, parts[i - 1], inner, inner, o->rep_count);
        am_end_scope(b);
        parts[i] = am_hybrid_conv(b, o, i == 2 ? "conv2" : "conv3", x, inner, 3, 1, AM_SILU);
    }
    return am_hybrid_conv(b, o, "conv4", am_concat(b, parts, 4, 1), C, 1, 1, AM_SILU);
}

/* The same of one convolution, whose second half goes through the blocks, to C channels (DEIMv2). */
static am_value halves_layer(am_builder *b, const am_hybrid_options *o, am_value x, int64_t C)
{
    x = am_hybrid_conv(b, o, "conv1", x, 2 * C, 1, 1, o->act);
    am_value second = bottlenecks(b, o, am_slice(b, x, 1, C, AM_SLICE_END), C, o->rep_count);
    x = am_add(b, am_slice(b, x, 1, 0, C), second);
    return o->trails ? am_hybrid_conv(b, o, "conv2", x, C, 3, 1, o->act) : x;
}

am_value am_hybrid_simple_elan(am_builder *b, const am_hybrid_options *o, am_value x)
{
    int64_t C = o->C, inner = (int64_t)nearbyint(floor(o->expansion * (double)C / 2));
    am_value parts[4];
    x = am_hybrid_conv(b, o, "conv1", x, 2 * C, 1, 1, o->act);
    parts[0] = am_slice(b, x, 1, 0, C);
    parts[1] = am_slice(b, x, 1, C, AM_SLICE_END);
    for (int i = 2; i < 4; i++) {
        am_scope(b, i == 2 ? "csp_rep1" : "csp_rep2");
        parts[i] = halves_layer(b, o, parts[i - 1], inner);
        am_end_scope(b);
    }
    return am_hybrid_conv(b, o, "conv2", am_concat(b, parts, 4, 1), C, 1, 1, o->act);
}

static am_value fuse(am_builder *b, const am_hybrid_options *o, const char *list, int i, am_value x, am_value y)
{
    int64_t inner = (int64_t)((double)o->C * o->expansion);
    x = o->sums ? am_add(b, x, y) : am_concat2(b, x, y, 1);
    am_scope(b, "%s.%d", list, i);
    if (o->is_simple) x = am_hybrid_simple_elan(b, o, x);
    else x = o->is_fine ? elan_layer(b, o, x) : csp_layer(b, o, x, inner, o->C, REP_BLOCKS);
    am_end_scope(b);
    return x;
}

static am_unary_fn act_between(const am_hybrid_options *o)
{
    return o->between_act == AM_IDENTITY ? o->act : o->between_act;
}

static am_value halve(am_builder *b, const am_hybrid_options *o, int i, am_value x)
{
    am_scope(b, "downsample_convs");
    am_scope(b, "%d", i);
    if (o->is_fine) {
        x = am_hybrid_conv(b, o, "conv1", x, o->C, 1, 1, AM_IDENTITY);
        x = grouped_conv(b, o, "conv2", x, o->C, 3, 2, o->C);
    } else {
        x = am_hybrid_conv(b, o, "", x, o->C, 3, 2, act_between(o));
    }
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- attention --- */

/* Sines of rows, their cosines, then those of columns: [1, h * w, C]. */
static am_value places(am_builder *b, const am_hybrid_options *o, int64_t height, int64_t width)
{
    int64_t quarter = o->C / 4, pixels = height * width, side = o->counts_height ? height : width;
    am_shape shape = am_shape_of(1, pixels, o->C);
    float *data =
        am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(pixels * o->C) + 1, sizeof *data) : NULL;
    if (!data) am_builder_fail(b, am_out_of_memory());
    for (int64_t p = 0; data && p < pixels; p++)
        for (int64_t i = 0; i < quarter; i++) {
            float *row = data + p * o->C + i;
            double step = pow(o->temperature, -(double)i / (double)quarter);
            double y = (double)(p / side) * step, x = (double)(p % side) * step;
            row[0] = (float)sin(y);
            row[quarter] = (float)cos(y);
            row[2 * quarter] = (float)sin(x);
            row[3 * quarter] = (float)cos(x);
        }
    return data ? am_constant_copy(b, AM_F32, shape, data) : AM_NONE;
}

static am_value attention_layer(am_builder *b, const am_hybrid_options *o, am_value x, am_value where)
{
    am_detr_attention attention = {.heads = o->heads, .out = o->attention_out, .bare_names = o->bare_names};
    am_value h = o->normalize_before ? am_layer_norm(b, "self_attn_layer_norm", x, o->layer_norm_eps) : x;
    am_value placed = where.id ? am_add(b, h, where) : h;
    x = am_add(b, x, am_detr_attend(b, "self_attn", placed, placed, h, &attention));
    x = am_layer_norm(b, o->normalize_before ? "final_layer_norm" : "self_attn_layer_norm", x, o->layer_norm_eps);
    h = am_linear_activation(b, o->up ? o->up : "fc1", x, o->inner, AM_BIAS, o->attention_act);
    x = am_add(b, x, am_linear(b, o->down ? o->down : "fc2", h, o->C, AM_BIAS));
    return o->normalize_before ? x : am_layer_norm(b, "final_layer_norm", x, o->layer_norm_eps);
}

static am_value attend(am_builder *b, const am_hybrid_options *o, int i, am_value map)
{
    am_shape shape = am_shape_of_value(b, map);
    am_value x = am_image_tokens(b, map),
             where = o->temperature > 0 ? places(b, o, shape.dims[2], shape.dims[3]) : AM_NONE;
    for (int64_t j = 0; j < o->layers && !am_builder_failed(b); j++) {
        am_scope(b, "%s.%d.layers.%d", o->attention ? o->attention : "encoder", i, (int)j);
        x = attention_layer(b, o, x, where);
        am_end_scope(b);
    }
    return am_reshape(b, am_transpose(b, x, 1, 2), shape);
}

/* --- the encoder --- */

static am_value twice(am_builder *b, am_value x)
{
    am_shape size = am_shape_of(2 * am_dim(b, x, 2), 2 * am_dim(b, x, 3));
    return am_resize(b, x, &(am_resize_attributes){.size = size, .mode = AM_RESIZE_NEAREST});
}

/* Coarse maps brought to finer ones, the finest last. */
static void go_down(am_builder *b, const am_hybrid_options *o, const am_value *maps, am_value *fpn)
{
    int stages = o->count - 1;
    fpn[0] = maps[stages];
    for (int i = 0; i < stages && !am_builder_failed(b); i++) {
        am_scope(b, "lateral_convs");
        am_scope(b, "%d", i);
        fpn[i] = am_hybrid_conv(b, o, "", fpn[i], o->C, 1, 1, o->is_fine ? AM_IDENTITY : act_between(o));
        am_end_scope(b);
        am_end_scope(b);
        fpn[i + 1] = fuse(b, o, "fpn_blocks", i, twice(b, fpn[i]), maps[stages - i - 1]);
    }
}

void am_hybrid_encode(am_builder *b, const am_hybrid_options *o, const am_value *maps, am_value *out, am_states *states)
{
    am_value own[AM_LEVELS_LIMIT], fpn[AM_LEVELS_LIMIT];
    for (int i = 0; i < o->count; i++) own[i] = maps[i];
    for (int i = 0; i < o->attended_count && o->layers > 0 && !am_builder_failed(b); i++) {
        am_value *map = &own[o->attended[i]];
        if (states && !i) am_states_add(states, *map);
        *map = attend(b, o, i, *map);
        if (states) am_states_add(states, *map);
    }
    go_down(b, o, own, fpn);
    out[0] = fpn[o->count - 1];
    for (int i = 0; i < o->count - 1 && !am_builder_failed(b); i++)
        out[i + 1] = fuse(b, o, "pan_blocks", i, halve(b, o, i, out[i]), fpn[o->count - 2 - i]);
}
