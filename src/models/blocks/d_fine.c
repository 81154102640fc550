#include "models/blocks/d_fine.h"

#include <inttypes.h>
#include <math.h>

static const double MOST_PLACE = 10, MOST_HIDDEN = 65504, GATE_EPS = 1e-5; /* not configurable */

typedef struct fine_config {
    am_rt_detr_options base;
    int64_t bins, top, lqe_hidden, lqe_layers;
    const am_fine_family *family; /* null: D-FINE itself */
} fine_config;

static fine_config read_config(am_builder *b, bool with_heads)
{
    const am_config *c = am_model_config(b);
    fine_config r = {.base = am_rt_detr_read(b, with_heads, true),
                     .bins = am_config_size(c, "max_num_bins", 32),
                     .top = am_config_size(c, "top_prob_values", 4),
                     .lqe_hidden = am_config_size(c, "lqe_hidden_dim", 64),
                     .lqe_layers = am_config_size(c, "lqe_layers", 2)};
    int64_t last = am_config_int(c, "eval_idx", -1);
    double depth = am_config_real(c, "depth_mult", 1);
    am_rt_detr_read_method(c, &r.base);
    r.base.attention.no_projections = true;
    r.family = am_model_family(b);
    if (depth >= 0 && depth <= 1024) r.base.encoder.rep_count = (int64_t)nearbyint(3 * depth);
    else am_config_fail(c, "depth_mult", "expected 0 or more");
    if (last != -1 && last != r.base.layers - 1)
        am_config_unsupported(c, "eval_idx", "expected -1: boxes are those of the last layer");
    if (r.bins % 2 || r.bins < 4) am_config_fail(c, "max_num_bins", "expected an even number above 2");
    if (r.top > r.bins + 1) am_config_fail(c, "top_prob_values", "expected up to %" PRId64, r.bins + 1);
    if (r.family) r.family->adapt(c, &r.base);
    return r;
}

/* --- boxes --- */

/* What the bins are worth: [bins + 1], growing from the middle by powers. */
static am_value bin_values(am_builder *b, const fine_config *c, am_value reg_scale)
{
    int64_t count = c->bins - 1, middle = c->bins / 2 - 1;
    float *powers = am_arena_array(am_builder_arena(b), (size_t)(2 * count) + 1, sizeof *powers),
          *signs = powers + count;
    if (!powers) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < count; i++) {
        powers[i] = (float)(i < middle ? middle - i : i - middle);
        signs[i] = i < middle ? -1 : 1;
    }
    am_value up = am_cast(b, am_weight(b, "up", am_shape_of(1)), AM_F32);
    am_value bound = am_mul(b, am_unary(b, AM_ABS, up), reg_scale);
    am_value step = am_binary_number(b, AM_POW, am_add_number(b, bound, 1), 2 / (double)(c->bins - 2));
    am_value inner = am_binary(b, AM_POW, step, am_constant_copy(b, AM_F32, am_shape_of(count), powers));
    inner = am_mul(b, am_add_number(b, inner, -1), am_constant_copy(b, AM_F32, am_shape_of(count), signs));
    am_value parts[] = {am_mul_number(b, bound, -2), inner, am_mul_number(b, bound, 2)};
    return am_concat(b, parts, 3, 0);
}

/* Distributions of the four sides of corners: [B, Q, 4 * (bins + 1)]: [B, Q, 4, bins + 1]. */
static am_value distributions(am_builder *b, const fine_config *c, am_value corners)
{
    am_shape shape = am_shape_of(am_dim(b, corners, 0), am_dim(b, corners, 1), 4, c->bins + 1);
    return am_softmax(b, am_reshape(b, corners, shape), 3);
}

/* The box whose sides are where the distributions say, seen from points: [B, Q, 4]; reg_scale: [1]. */
static am_value box_of(am_builder *b, am_value points, am_value p, am_value values, am_value reg_scale)
{
    am_value distance = am_reduce(b, AM_REDUCE_SUM, am_mul(b, p, values), am_shape_of(3), false);
    am_value middle = am_slice(b, points, 2, 0, 2), side = am_div(b, am_slice(b, points, 2, 2, 4), reg_scale);
    distance = am_add(b, distance, am_mul_number(b, reg_scale, 0.5));
    am_value from = am_sub(b, middle, am_mul(b, am_slice(b, distance, 2, 0, 2), side));
    am_value to = am_add(b, middle, am_mul(b, am_slice(b, distance, 2, 2, 4), side));
    return am_concat2(b, am_mul_number(b, am_add(b, from, to), 0.5), am_sub(b, to, from), 2);
}

/* scores and how good the box is, by the likeliest bins of each side. Within layer i's scope. */
static am_value judge(am_builder *b, const fine_config *c, am_value scores, am_value p)
{
    am_value best = am_top_k(b, p, 3, c->top, false, NULL);
    am_value mean = am_reduce(b, AM_REDUCE_MEAN, best, am_shape_of(3), true);
    am_value x = am_flatten(b, am_concat2(b, best, mean, 3), 2, 3);
    return am_add(b, scores, am_mlp_head(b, "reg_conf", x, c->lqe_hidden, 1, (int)c->lqe_layers));
}

/* --- decoder --- */

static am_value clamp(am_builder *b, am_value x, double most)
{
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, -most), most);
}

static am_value layer(am_builder *b, const fine_config *c, const am_rt_detr_start *s, am_value x, am_value places,
                      am_value reference)
{
    const am_rt_detr_options *o = &c->base;
    x = am_rt_detr_attend_queries(b, o, x, places);
    am_value h = am_deformable_attend(b, "encoder_attn", am_add(b, x, places), s->tokens, am_unsqueeze(b, reference, 2),
                                      &s->levels, &o->attention);
    am_value gates = am_linear_activation(b, "gateway.gate", am_concat2(b, x, h, 2), 2 * o->C, AM_BIAS, AM_SIGMOID);
    x = am_add(b, am_mul(b, am_slice(b, gates, 2, 0, o->C), x),
               am_mul(b, am_slice(b, gates, 2, o->C, AM_SLICE_END), h));
    x = am_layer_norm(b, "gateway.norm", x, GATE_EPS);
    x = clamp(b, am_add(b, x, am_detr_mlp(b, x, o->inner, o->act)), MOST_HIDDEN);
    return am_layer_norm(b, "final_layer_norm", x, o->encoder.layer_norm_eps);
}

typedef struct decoded {
    am_states states, hidden;
    am_value x, first_box, corners, p, box; /* corners and what follows: of the last layer */
} decoded;

/* Head i over x: corners [B, Q, 4 * (bins + 1)]. */
static am_value corner_head(am_builder *b, const fine_config *c, am_value x, int64_t i)
{
    am_open_tied_head(b, "bbox_embed", i, "layers.0.weight", true);
    x = am_mlp_head(b, "", x, c->base.C, 4 * (c->bins + 1), 3);
    am_end_scope(b);
    return x;
}

/* The box that distances are measured from, of the first layer's x. */
static am_value first_box(am_builder *b, const fine_config *c, am_value x, am_value reference)
{
    x = am_mlp_head(b, "pre_bbox_head", x, c->base.C, 4, 3);
    return am_unary(b, AM_SIGMOID, am_add(b, x, am_inverse_sigmoid(b, reference, 1e-5)));
}

static decoded decode(am_builder *b, const fine_config *c, const am_rt_detr_start *s)
{
    const am_rt_detr_options *o = &c->base;
    decoded r = {.states = am_states_make(b, o->layers + 1), .hidden = am_states_make(b, o->layers)};
    am_value reference = am_unary(b, AM_SIGMOID, s->reference), before = AM_NONE, values = AM_NONE, scale = AM_NONE;
    r.x = s->queries;
    am_states_add(&r.states, r.x);
    am_scope(b, "%sdecoder", o->prefix);
    if (*o->prefix) scale = am_unary(b, AM_ABS, am_cast(b, am_weight(b, "reg_scale", am_shape_of(1)), AM_F32));
    if (*o->prefix) values = bin_values(b, c, scale);
    am_end_scope(b);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "%sdecoder", o->prefix);
        am_value places =
            am_mlp_head(b, "query_pos_head", reference, c->family ? o->C : 2 * o->C, o->C, c->family ? 3 : 2);
        places = clamp(b, places, MOST_PLACE);
        am_scope(b, "layers.%d", (int)i);
        r.x = c->family ? c->family->layer(b, o, s, r.x, places, reference) : layer(b, c, s, r.x, places, reference);
        am_end_scope(b);
        if (i == 0 && *o->prefix) r.first_box = first_box(b, c, r.x, reference);
        am_end_scope(b);
        am_states_add(&r.states, r.x);
        am_states_add(&r.hidden, r.x);
        if (!*o->prefix) continue;
        am_value corners = corner_head(b, c, before.id ? am_add(b, r.x, before) : r.x, i);
        r.corners = r.corners.id ? am_add(b, corners, r.corners) : corners;
        r.p = distributions(b, c, r.corners);
        reference = r.box = box_of(b, r.first_box, r.p, values, scale);
        before = r.x;
    }
    return r;
}

/* --- classes --- */

static void output_boxes(am_builder *b, const fine_config *c, const decoded *r)
{
    int64_t last = c->base.layers - 1;
    am_value scores = am_rt_detr_class_head(b, &c->base, r->x, last);
    am_scope(b, "model.decoder.lqe_layers.%d", (int)last);
    am_value logits = judge(b, c, scores, r->p);
    am_end_scope(b);
    am_states all = am_states_make(b, 2), boxes = am_states_make(b, 2);
    if (last == 0) am_states_add(&all, scores), am_states_add(&boxes, r->first_box);
    am_states_add(&all, logits);
    am_states_add(&boxes, r->box);
    am_output(b, "logits", logits);
    am_output(b, "pred_boxes", r->box);
    am_output(b, "intermediate_logits", am_states_stack(b, &all, 1));
    am_output(b, "intermediate_reference_points", am_states_stack(b, &boxes, 1));
    am_output(b, "intermediate_predicted_corners", am_unsqueeze(b, r->corners, 1));
    am_output(b, "initial_reference_points", am_unsqueeze(b, r->first_box, 1));
}

static void build(am_builder *b, bool with_heads)
{
    fine_config c = read_config(b, with_heads);
    am_rt_detr_start s = am_rt_detr_begin(b, &c.base);
    if (am_builder_failed(b)) return;
    decoded r = decode(b, &c, &s);
    if (am_builder_failed(b)) return;
    if (with_heads) output_boxes(b, &c, &r);
    am_output(b, "last_hidden_state", r.x);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &r.hidden, 0));
    am_states_output(b, "decoder_hidden_states", &r.states);
    am_rt_detr_output_encoded(b, &c.base, &s);
    am_rt_detr_output_start(b, &s);
}

void am_fine_model(am_builder *b)
{
    build(b, false);
}

void am_fine_for_object_detection(am_builder *b)
{
    build(b, true);
}
