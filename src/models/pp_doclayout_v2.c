/* PP-DocLayoutV2: RT-DETR finds the parts of a page, and a small transformer over their boxes and classes says in which
   order they are read. transformers: models/pp_doclayout_v2/modeling_pp_doclayout_v2.py */
#include "models/blocks/global_pointer.h"
#include "models/blocks/rt_detr.h"

#include <inttypes.h>
#include <math.h>

static const double PAGE = 1000, LEAST_SIDE = 1e-3, EPSILON = 1e-5;

enum { LAST_SIDE = 1023, LISTED_LIMIT = 65536 };

typedef struct order_options {
    am_config config;
    int64_t C, heads, inner, layers, bias_dims;
    am_unary_fn act;
    double eps, theta, scale;
    bool spatial;
} order_options;

/* What it is about: corners of boxes from 0 to 1000, the first ones of each row being found; classes by order. */
typedef struct found_parts {
    am_value boxes, classes, counts; /* [B, Q, 4], I32 [B, Q], I32 [B, 1] */
} found_parts;

static order_options read_order(am_builder *b)
{
    order_options o = {.config = am_config_child(am_model_config(b), "reading_order_config")};
    const am_config *c = &o.config;
    o.C = am_config_size(c, "hidden_size", 512);
    o.heads = am_config_size(c, "num_attention_heads", 8);
    o.inner = am_config_size(c, "intermediate_size", 2048);
    o.layers = am_config_count(c, "num_hidden_layers", 6);
    o.bias_dims = am_config_size(c, "relation_bias_embed_dim", 16);
    o.act = am_config_activation(c, "hidden_act", AM_GELU);
    o.eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o.theta = am_config_real(c, "relation_bias_theta", 10000);
    o.scale = am_config_real(c, "relation_bias_scale", 100);
    o.spatial = am_config_flag(c, "has_spatial_attention_bias", true);
    am_config_check_divides(c, "num_attention_heads", o.heads, "hidden_size", o.C);
    if (am_config_flag(c, "has_relative_attention_bias", false))
        am_config_unsupported(c, "has_relative_attention_bias", "transformers gives it no positions");
    if (o.bias_dims % 2 || o.bias_dims > 4096)
        am_config_fail(c, "relation_bias_embed_dim", "expected an even number up to 4096");
    if (!(o.theta > 0)) am_config_fail(c, "relation_bias_theta", "expected above 0");
    return o;
}

/* --- what was found --- */

/* The list `key` of numbers, one or more for each label, at classes: I32 [B, Q]. */
static am_value of_class(am_builder *b, const char *key, am_value classes, am_dtype dtype)
{
    const am_config *c = am_model_config(b);
    size_t count = am_json_count(am_json_get(c->object, key));
    if (count < 1 || count > LISTED_LIMIT) am_config_fail(c, key, "expected a number for each label");
    double *numbers = am_arena_array(am_builder_arena(b), count + 1, sizeof *numbers);
    float *table = am_arena_array(am_builder_arena(b), count + 1, sizeof *table);
    if (!numbers || !table) am_builder_fail(b, am_out_of_memory());
    if (count < 1 || count > LISTED_LIMIT || !numbers || !table) return AM_NONE;
    am_config_reals(c, key, (int)count, 0, numbers);
    for (size_t i = 0; i < count; i++) table[i] = (float)numbers[i];
    am_value x = am_gather(b, am_constant_copy(b, AM_F32, am_shape_of((int64_t)count), table), classes, 0, false);
    return dtype == AM_F32 ? x : am_cast(b, x, dtype);
}

static am_value corners_of(am_builder *b, am_value boxes)
{
    am_value centre = am_slice(b, boxes, 2, 0, 2), half = am_mul_number(b, am_slice(b, boxes, 2, 2, 4), 0.5);
    am_value corners = am_concat2(b, am_sub(b, centre, half), am_add(b, centre, half), 2);
    corners = am_mul_number(b, corners, PAGE);
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, corners, 0), PAGE);
}

/* Those whose class is sure enough come first, in *boxes and *logits, too. */
static found_parts sort_parts(am_builder *b, am_value *boxes, am_value *logits)
{
    am_value classes = am_arg_reduce(b, *logits, 2, false), order;
    am_value sure = am_unary(b, AM_SIGMOID, am_reduce(b, AM_REDUCE_MAX, *logits, am_shape_of(2), false));
    sure = am_binary(b, AM_GREATER_EQUAL, sure, of_class(b, "class_thresholds", classes, AM_F32));
    am_value marks = am_cast(b, sure, AM_I32);
    found_parts r = {.counts = am_reduce(b, AM_REDUCE_SUM, marks, am_shape_of(1), true)};
    am_value kept = am_binary_number(b, AM_NOT_EQUAL, am_sort(b, marks, 1, true, &order), 0);
    *boxes = am_take_rows(b, *boxes, order);
    *logits = am_take_rows(b, *logits, order);
    classes = am_gather(b, classes, order, 1, true);
    r.boxes = am_select(b, am_unsqueeze(b, kept, 2), corners_of(b, *boxes), am_scalar(b, AM_F32, 0));
    classes = am_select(b, kept, classes, am_scalar(b, AM_I32, 0));
    r.classes = of_class(b, "class_order", classes, AM_I32);
    return r;
}

/* --- the order --- */

static am_value coordinate(am_builder *b, const char *table, am_value boxes, int at, const order_options *o)
{
    bool is_side = at >= 4;
    int64_t rows = am_config_size(&o->config, "max_2d_position_embeddings", 1024),
            width = is_side ? am_config_size(&o->config, "shape_size", 170)
                            : am_config_size(&o->config, "coordinate_size", 171);
    am_value x = is_side ? am_sub(b, am_index(b, boxes, 2, at == 4 ? 3 : 2), am_index(b, boxes, 2, at == 4 ? 1 : 0))
                         : am_index(b, boxes, 2, at);
    if (is_side) x = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, 0), LAST_SIDE);
    return am_embedding(b, table, x, rows, width);
}

/* boxes: [B, S, 4], whose numbers count without their fraction -> [B, S, C]. */
static am_value spatial_places(am_builder *b, am_value boxes, const order_options *o)
{
    static const char *const tables[] = {"x_position_embeddings", "y_position_embeddings", "x_position_embeddings",
                                         "y_position_embeddings", "h_position_embeddings", "w_position_embeddings"};
    am_value parts[6], whole = am_cast(b, boxes, AM_I32);
    for (int i = 0; i < 6; i++) parts[i] = coordinate(b, tables[i], whole, i, o);
    return am_linear(b, "spatial_proj", am_concat(b, parts, 6, 2), o->C, AM_BIAS);
}

/* A start, as many tokens as were found, an end, then pads: I32 [B, S]. */
static am_value tokens_of(am_builder *b, const found_parts *f, int64_t S, const order_options *o)
{
    const am_config *c = &o->config;
    am_value place = am_iota(b, AM_I32, am_shape_of(am_dim(b, f->counts, 0), S), 1, 0, 1);
    am_value start = am_scalar(b, AM_I32, (double)am_config_count(c, "start_token_id", 0)),
             part = am_scalar(b, AM_I32, (double)am_config_count(c, "pred_token_id", 3)),
             end = am_scalar(b, AM_I32, (double)am_config_count(c, "end_token_id", 2)),
             pad = am_scalar(b, AM_I32, (double)am_config_count(c, "pad_token_id", 1));
    am_value behind = am_select(b, am_binary(b, AM_EQUAL, place, am_add_number(b, f->counts, 1)), end, pad);
    am_value x = am_select(b, am_binary(b, AM_LESS_EQUAL, place, f->counts), part, behind);
    return am_select(b, am_binary_number(b, AM_EQUAL, place, 0), start, x);
}

static am_value embed(am_builder *b, const found_parts *f, am_value boxes, const order_options *o)
{
    const am_config *c = &o->config;
    int64_t S = am_dim(b, boxes, 1), pad = am_config_count(c, "pad_token_id", 1);
    am_value ids = tokens_of(b, f, S, o), zeros = am_binary(b, AM_SUB, ids, ids);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", ids, am_config_size(c, "vocab_size", 4), o->C);
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", zeros, am_config_size(c, "type_vocab_size", 1), o->C));
    x = am_add(b, x,
               am_embedding(b, "position_embeddings", am_positions_after_pad(b, ids, pad),
                            am_config_size(c, "max_position_embeddings", 514), o->C));
    x = am_add(b, x, spatial_places(b, boxes, o));
    am_end_scope(b);
    am_value labels = am_embedding(b, "label_embeddings", f->classes, am_config_size(c, "num_classes", 20), o->C);
    labels = am_linear(b, "label_features_projection", labels, o->C, AM_BIAS);
    return am_layer_norm(b, "embeddings.norm", am_add(b, x, am_pad_zero(b, labels, 1, 1, 1)), o->eps);
}

/* How boxes lie to each other: distances of centres as parts of the first one's sides, and ratios of sides, as
   logarithms: boxes: [B, S, 4] -> [B, S, S, 4]. */
static am_value box_relations(am_builder *b, am_value boxes)
{
    am_value low = am_slice(b, boxes, 2, 0, 2), high = am_slice(b, boxes, 2, 2, 4);
    am_value side = am_binary_number(b, AM_MAX, am_sub(b, high, low), LEAST_SIDE),
             centre = am_mul_number(b, am_add(b, low, high), 0.5);
    am_value width = am_add_number(b, side, EPSILON), first = am_unsqueeze(b, width, 2);
    am_value apart = am_sub(b, am_unsqueeze(b, centre, 2), am_unsqueeze(b, centre, 1));
    apart = am_add_number(b, am_div(b, am_unary(b, AM_ABS, apart), first), 1);
    am_value ratio = am_div(b, first, am_unsqueeze(b, width, 1));
    return am_unary(b, AM_LOG, am_concat2(b, apart, ratio, 3));
}

/* These as waves, and of them a bias for each head: [B, H, S, S]. */
static am_value spatial_bias(am_builder *b, am_value boxes, const order_options *o)
{
    int64_t half = o->bias_dims / 2;
    float *frequencies = am_arena_array(am_builder_arena(b), (size_t)half, sizeof *frequencies);
    if (!frequencies) am_builder_fail(b, am_out_of_memory());
    if (!frequencies) return AM_NONE;
    for (int64_t i = 0; i < half; i++) frequencies[i] = (float)(1 / pow(o->theta, 2 * (double)i / (double)half));
    am_value x = am_mul_number(b, box_relations(b, boxes), o->scale);
    x = am_mul(b, am_unsqueeze(b, x, 4), am_constant_copy(b, AM_F32, am_shape_of(half), frequencies));
    x = am_flatten(b, am_concat2(b, am_unary(b, AM_SIN, x), am_unary(b, AM_COS, x), 4), 3, 4);
    am_scope(b, "rel_bias_module.pos_proj");
    am_value weight = am_weight(b, "weight", am_shape_of(o->heads, 4 * o->bias_dims, 1, 1));
    weight = am_reshape(b, weight, am_shape_of(o->heads, 4 * o->bias_dims));
    x = am_linear_with(b, x, weight, am_weight(b, "bias", am_shape_of(o->heads)));
    am_end_scope(b);
    return am_permute(b, x, am_shape_of(0, 3, 1, 2));
}

static am_value order_layer(am_builder *b, am_value x, const am_attention_options *attention, const order_options *o)
{
    am_scope(b, "attention.self");
    am_value h = am_self_attention(b, x, attention);
    am_end_scope(b);
    h = am_linear(b, "attention.output.dense", h, o->C, AM_BIAS);
    x = am_layer_norm(b, "attention.output.norm", am_add(b, x, h), o->eps);
    h = am_linear_activation(b, "intermediate.dense", x, o->inner, AM_BIAS, o->act);
    return am_layer_norm(b, "output.norm", am_add(b, x, am_linear(b, "output.dense", h, o->C, AM_BIAS)), o->eps);
}

/* Scores of which part is read before which: [B, Q, Q]. */
static am_value reading_order(am_builder *b, const found_parts *f)
{
    order_options o = read_order(b);
    am_value boxes = am_pad_zero(b, f->boxes, 1, 1, 1);
    int64_t B = am_dim(b, boxes, 0), S = am_dim(b, boxes, 1);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "reading_order");
    am_value x = embed(b, f, boxes, &o), places = am_iota(b, AM_I32, am_shape_of(B, S), 1, 0, 1);
    am_value attended = am_binary(b, AM_LESS, places, am_add_number(b, f->counts, 2));
    am_attention_options attention = {
        .heads = o.heads, .q = "query", .k = "key", .v = "value", .out = "", .mask = am_padding_mask_of(b, attended)};
    am_scope(b, "encoder");
    if (o.spatial) attention.bias = spatial_bias(b, boxes, &o);
    for (int i = 0; i < o.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layer.%d", i);
        x = order_layer(b, x, &attention, &o);
        am_end_scope(b);
    }
    am_end_scope(b);
    x = am_global_pointer(b, "relative_head", am_slice(b, x, 1, 1, S - 1), &o.config);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void for_object_detection(am_builder *b)
{
    am_rt_detr_options o = am_rt_detr_read(b, true, false);
    am_rt_detr_start s = am_rt_detr_begin(b, &o);
    if (am_builder_failed(b)) return;
    am_rt_detr_decoded r = am_rt_detr_decode(b, &o, &s);
    if (am_builder_failed(b)) return;
    am_value boxes = r.references.items[o.layers - 1], logits = r.logits.items[o.layers - 1];
    found_parts f = sort_parts(b, &boxes, &logits);
    am_output(b, "logits", logits);
    am_output(b, "pred_boxes", boxes);
    am_output(b, "order_logits", reading_order(b, &f));
    am_rt_detr_output_decoded(b, &o, &s, &r);
}

static const am_architecture architectures[] = {
    {"PPDocLayoutV2Model", am_rt_detr_model, NULL, 0},
    {"PPDocLayoutV2ForObjectDetection", for_object_detection, NULL, 0},
    {0},
};

const am_model_type am_model_pp_doclayout_v2 = {
    .name = "pp_doclayout_v2", .base_prefix = "model", .architectures = architectures};
