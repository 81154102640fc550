/* PP-DocLayoutV4: RT-DETR whose boxes are a centre and four corners; the last layer says what it found, what is read
   right behind what, and from chains of that what is read before what. transformers:
   models/pp_doclayout_v4/modeling_pp_doclayout_v4.py */
#include "models/blocks/rt_detr.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { NUMBERS = 10, STEPS_LIMIT = 256 };

static const double NEVER = 1e4;

static am_rt_detr_options read_options(am_builder *b, bool with_heads)
{
    const am_config *c = am_model_config(b);
    am_rt_detr_options o = am_rt_detr_read(b, with_heads, false);
    o.quads = true;
    if (o.levels != o.encoder.count)
        am_config_fail(c, "num_feature_levels", "expected as many as encoder_in_channels, %d", o.encoder.count);
    if (am_config_int(c, "num_coords", NUMBERS) != NUMBERS) am_config_fail(c, "num_coords", "expected %d", NUMBERS);
    return o;
}

/* The box around the corners of quads: [B, Q, 10] -> [B, Q, 4]. */
static am_value box_around(am_builder *b, am_value quads)
{
    am_value parts[3] = {am_slice(b, quads, 2, 0, 2)};
    for (int i = 0; i < 2; i++) {
        am_value x = am_slice_step(b, quads, 2, 2 + i, AM_SLICE_END, 2);
        parts[1 + i] = am_sub(b, am_reduce_last(b, AM_REDUCE_MAX, x), am_reduce_last(b, AM_REDUCE_MIN, x));
    }
    return am_concat(b, parts, 3, 2);
}

static am_rt_detr_decoded decode(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s)
{
    am_rt_detr_decoded r = am_rt_detr_decoded_make(b, o);
    am_value x = s->queries, quads = am_unary(b, AM_SIGMOID, s->reference);
    char name[64];
    am_states_add(&r.states, x);
    for (int i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_value places = am_mlp_head(b, "query_pos_head", quads, 2 * o->C, o->C, 2);
        am_scope(b, "layers.%d", i);
        x = am_rt_detr_layer(b, o, s, x, places, am_unsqueeze(b, box_around(b, quads), 2));
        am_end_scope(b);
        snprintf(name, sizeof name, "bbox_embed.%d", i);
        am_value moved = am_mlp_head(b, name, x, o->C, NUMBERS, 3);
        quads = am_unary(b, AM_SIGMOID, am_add(b, moved, am_inverse_sigmoid(b, quads, 1e-5)));
        am_states_add(&r.states, x);
        am_states_add(&r.hidden, x);
        am_states_add(&r.references, quads);
    }
    return r;
}

/* Products of what two projections make of each query, by the weights of that prefix: [B, Q, Q]. */
static am_value pointer(am_builder *b, const char *prefix, am_value x, int64_t layers)
{
    char name[64];
    int64_t D = am_config_size(am_model_config(b), "global_pointer_head_size", 64);
    snprintf(name, sizeof name, "%s_order_head.%" PRId64, prefix, layers - 1);
    x = am_linear(b, name, x, am_dim(b, x, 2), AM_BIAS);
    am_scope(b, "%s_global_pointer", prefix);
    am_value q = am_linear(b, "q_proj", x, D, AM_BIAS), k = am_linear(b, "k_proj", x, D, AM_BIAS);
    am_end_scope(b);
    return am_mul_number(b, am_matmul(b, q, k, false, true), 1 / sqrt((double)D));
}

/* 1 where row and column are the same: [Q, Q]. */
static am_value eye(am_builder *b, int64_t Q)
{
    am_shape square = am_shape_of(Q, Q);
    return am_cast(b, am_binary(b, AM_EQUAL, am_iota(b, AM_I32, square, 0, 0, 1), am_iota(b, AM_I32, square, 1, 0, 1)),
                   AM_F32);
}

static am_value less_transposed(am_builder *b, am_value x)
{
    return am_sub(b, x, am_transpose(b, x, 1, 2));
}

/* What follows in several steps, each counting less than the one before: [B, Q, Q]. */
static am_value closure(am_builder *b, am_value successors)
{
    const am_config *c = am_model_config(b);
    int64_t steps = am_config_int(c, "s2r_steps", 3), Q = am_dim(b, successors, 1);
    if (steps > STEPS_LIMIT) am_config_fail(c, "s2r_steps", "at most %d", STEPS_LIMIT);
    if (steps > STEPS_LIMIT) return AM_NONE;
    am_value others = am_add_number(b, am_unary(b, AM_NEG, eye(b, Q)), 1);
    am_value x = am_mul(b, am_unary(b, AM_SIGMOID, successors), others);
    x = am_div(b, x, am_binary_number(b, AM_MAX, am_reduce_last(b, AM_REDUCE_SUM, x), 1));
    am_value sum = x, power = x;
    for (int64_t i = 1; i < steps; i++) {
        power = am_mul_number(b, am_matmul(b, x, power, false, false), am_config_real(c, "s2r_damping", 0.5));
        sum = am_add(b, sum, power);
    }
    return sum;
}

typedef struct layout_order {
    am_value logits, relative, successor;
} layout_order;

/* Below the model's scope. Files have the names of PaddleDetection, "roor" being what comes right behind. */
static layout_order say(am_builder *b, const am_rt_detr_options *o, am_value x)
{
    layout_order r;
    char name[64];
    snprintf(name, sizeof name, "decoder.class_embed.%" PRId64, o->layers - 1);
    r.logits = am_linear(b, name, x, o->labels, AM_BIAS);
    r.successor = am_sub(b, pointer(b, "decoder_roor", x, o->layers), am_mul_number(b, eye(b, am_dim(b, x, 1)), NEVER));
    am_value chains = less_transposed(b, closure(b, r.successor));
    chains = am_mul(b, chains, am_parameter(b, "s2r_fusion.a", am_shape_of(1), chains));
    r.relative = am_add(b, chains, less_transposed(b, pointer(b, "decoder", x, o->layers)));
    return r;
}

static void build(am_builder *b, bool with_heads)
{
    am_rt_detr_options o = read_options(b, with_heads);
    am_rt_detr_start s = am_rt_detr_begin(b, &o);
    if (am_builder_failed(b)) return;
    am_scope(b, "%s", with_heads ? "model" : "");
    am_scope(b, "decoder");
    am_rt_detr_decoded r = decode(b, &o, &s);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    layout_order order = say(b, &o, r.hidden.items[o.layers - 1]);
    am_end_scope(b);
    am_output(b, "logits", order.logits);
    if (with_heads) am_output(b, "pred_boxes", r.references.items[o.layers - 1]);
    am_rt_detr_output_decoded(b, &o, &s, &r);
    am_output(b, "relative_order_logits", order.relative);
    am_output(b, "successor_order_logits", order.successor);
}

static void model(am_builder *b)
{
    build(b, false);
}

static void for_object_detection(am_builder *b)
{
    build(b, true);
}

static const am_architecture architectures[] = {
    {"PPDocLayoutV4Model", model, NULL, 0},
    {"PPDocLayoutV4ForObjectDetection", for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_doclayout_v4 = {
    .name = "pp_doclayout_v4", .base_prefix = "model", .architectures = architectures};
