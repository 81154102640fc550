#include "models/blocks/sam3.h"

#include "models/blocks/detr.h"
#include "models/blocks/sam3_vision.h"
#include "models/blocks/sine_positions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double EPS = 1e-5, TURN = 6.28318530717958647693; /* layer_norm_eps is not read */
static const double PRESENCE_LIMIT = 10, SCORE_LIMIT = 12, SIGMOID_EPS = 1e-3;

enum { LABEL_IGNORED = -10, GROUPS = 8 };

/* A configuration of layers. */
typedef struct sam3_layers {
    int64_t C, layers, heads, inner;
    am_unary_fn act;
} sam3_layers;

static sam3_layers read_layers(am_builder *b, const char *key, int64_t layers)
{
    am_config c = am_config_child(am_model_config(b), key);
    sam3_layers r = {
        .C = am_config_size(&c, "hidden_size", 256),
        .layers = am_config_count(&c, am_config_either(&c, "num_layers", "num_hidden_layers"), layers),
        .heads = am_config_size(&c, "num_attention_heads", 8),
        .inner = am_config_size(&c, "intermediate_size", 2048),
        .act = am_config_activation(&c, "hidden_act", AM_RELU),
    };
    am_config_check_divides(&c, "num_attention_heads", r.heads, "hidden_size", r.C);
    return r;
}

/* What is attended by whom. */
typedef struct reading {
    am_value keys, values, mask, bias;
} reading;

static am_value attend(am_builder *b, const char *name, am_value x, const reading *r, int64_t heads)
{
    return am_detr_attend(b, name, x, r->keys, r->values,
                          &(am_detr_attention){.heads = heads, .mask = r->mask, .bias = r->bias, .out = "o_proj"});
}

static am_value mlp(am_builder *b, am_value x, const sam3_layers *o)
{
    am_scope(b, "mlp");
    x = am_detr_mlp(b, x, o->inner, o->act);
    am_end_scope(b);
    return x;
}

/* NAME.layer1 .. of `count` linears with ReLU between them: x: [.., C] -> [.., out]. */
static am_value small_mlp(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out, int count)
{
    char layer[16];
    am_scope(b, "%s", name);
    for (int i = 1; i <= count; i++) {
        snprintf(layer, sizeof layer, "layer%d", i);
        x = am_linear_activation(b, layer, x, i == count ? out : hidden, AM_BIAS, i == count ? AM_IDENTITY : AM_RELU);
    }
    am_end_scope(b);
    return x;
}

static am_value clamp(am_builder *b, am_value x, double limit)
{
    return am_binary_number(b, AM_MAX, am_binary_number(b, AM_MIN, x, limit), -limit);
}

/* Middle, width and height as left, top, right and bottom: [.., 4]. */
static am_value corners(am_builder *b, am_value boxes)
{
    am_value middle = am_slice(b, boxes, -1, 0, 2), half = am_mul_number(b, am_slice(b, boxes, -1, 2, 4), 0.5);
    return am_concat2(b, am_sub(b, middle, half), am_add(b, middle, half), -1);
}

/* x: [B, S, C] read as they stand, and what says where: AM_NONE for nothing. */
typedef struct image {
    am_value tokens, places, map; /* [B, S, C], the same, [B, C, h, w] */
    int64_t rows, columns;
} image;

/* What a prompt is made of: features [B, S, C] and which of them are there, of any dtype [B, S], or AM_NONE for all. */
typedef struct prompt {
    am_value features, attended;
} prompt;

/* x + attention(norm(x)), the keys being of `r`; of AM_NONE the normed x with its places. */
static am_value pre_norm_part(am_builder *b, const char *norm, const char *name, am_value x, const reading *r,
                              am_value places, const sam3_layers *o)
{
    reading own = *r;
    am_value h = am_layer_norm(b, norm, x, EPS), placed = places.id ? am_add(b, h, places) : h;
    if (!own.values.id) own.keys = placed, own.values = h;
    return am_add(b, x, attend(b, name, placed, &own, o->heads));
}

static am_value pre_norm_mlp(am_builder *b, const char *norm, am_value x, const sam3_layers *o)
{
    return am_add(b, x, mlp(b, am_layer_norm(b, norm, x, EPS), o));
}

/* --- boxes --- */

/* Coordinates along one axis that an output of `side` bins reads, `samples` of each bin at most, and which of them
   count: from, to: [B, n, 1, 1] -> [B, n, side, samples]. */
typedef struct samples {
    am_value places, weights;
} samples;

static samples bins_of(am_builder *b, am_value from, am_value to, int64_t side, int64_t limit, int64_t size)
{
    am_value length = am_binary_number(b, AM_MAX, am_sub(b, to, from), 1);
    am_value bin = am_mul_number(b, length, 1 / (double)side), count = am_unary(b, AM_CEIL, bin);
    am_value i = am_iota(b, AM_F32, am_shape_of(1, 1, 1, limit), 3, 0, 1);
    am_value at = am_div(b, am_mul(b, am_add_number(b, i, 0.5), bin), count);
    am_value start = am_mul(b, am_iota(b, AM_F32, am_shape_of(1, 1, side, 1), 2, 0, 1), bin);
    at = am_add(b, am_add(b, from, start), at);
    am_value inside = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_GREATER_EQUAL, at, -1),
                                am_binary_number(b, AM_LESS_EQUAL, at, (double)size));
    inside = am_binary(b, AM_LOGICAL_AND, inside, am_binary(b, AM_LESS, i, count));
    am_value weights = am_div(b, am_cast(b, inside, AM_F32), count);
    /* pixels' middles, from -1 to 1 */
    at = am_add_number(b, am_mul_number(b, am_add_number(b, at, 0.5), 2 / (double)size), -1);
    return (samples){at, weights};
}

/* torchvision.ops.roi_align with as many samples as a box has pixels: map: [B, C, h, w], boxes in pixels [B, n, 4] ->
   [B * n, C, side, side]. A box is taken to be no larger than the map. */
static am_value crop(am_builder *b, am_value map, am_value boxes, int64_t side)
{
    am_shape s = am_shape_of_value(b, map);
    int64_t B = s.dims[0], C = s.dims[1], n = am_dim(b, boxes, 1), edges[2] = {s.dims[3], s.dims[2]}, count[2];
    samples axes[2];
    for (int i = 0; i < 2; i++) {
        am_value from = am_reshape(b, am_slice(b, boxes, 2, i, i + 1), am_shape_of(B, n, 1, 1));
        am_value to = am_reshape(b, am_slice(b, boxes, 2, i + 2, i + 3), am_shape_of(B, n, 1, 1));
        count[i] = (edges[i] + side - 1) / side;
        axes[i] = bins_of(b, from, to, side, count[i], edges[i]);
    }
    int64_t rows = side * count[1], columns = side * count[0];
    am_shape grid = am_shape_of(B, n, rows, columns, 1);
    am_value x = am_broadcast(b, am_reshape(b, axes[0].places, am_shape_of(B, n, 1, columns, 1)), grid);
    am_value y = am_broadcast(b, am_reshape(b, axes[1].places, am_shape_of(B, n, rows, 1, 1)), grid);
    am_value at = am_reshape(b, am_concat2(b, x, y, 4), am_shape_of(B, n * rows, columns, 2));
    am_grid_sample_attributes options = {.mode = AM_RESIZE_LINEAR, .padding = AM_PAD_REPLICATE};
    am_value read = am_reshape(b, am_grid_sample(b, map, at, &options), am_shape_of(B, C, n, rows, columns));
    read = am_mul(b, read, am_reshape(b, axes[0].weights, am_shape_of(B, 1, n, 1, columns)));
    read = am_mul(b, read, am_reshape(b, axes[1].weights, am_shape_of(B, 1, n, rows, 1)));
    read = am_reshape(b, read, am_shape_of(B * C * n, side, count[1], side, count[0]));
    read = am_reduce(b, AM_REDUCE_SUM, read, am_shape_of(2, 4), false);
    read = am_transpose(b, am_reshape(b, read, am_shape_of(B, C, n, side * side)), 1, 2);
    return am_reshape(b, read, am_shape_of(B * n, C, side, side));
}

/* Boxes: [B, n, 4], by their numbers, by what the image shows there, and by where they stand: [B, n, C]. */
static am_value embed_boxes(am_builder *b, am_value boxes, am_value map, int64_t C, int64_t side)
{
    int64_t B = am_dim(b, boxes, 0), n = am_dim(b, boxes, 1), h = am_dim(b, map, 2), w = am_dim(b, map, 3);
    const float scale[] = {(float)w, (float)h, (float)w, (float)h};
    am_value pixels = am_mul(b, corners(b, boxes), am_constant_copy(b, AM_F32, am_shape_of(4), scale));
    am_value x = am_linear(b, "boxes_direct_project", boxes, C, AM_BIAS);
    am_value shown = am_conv(b, "boxes_pool_project", crop(b, map, pixels, side), C, am_shape_of(side, side), AM_BIAS,
                             &(am_convolution_attributes){0});
    x = am_add(b, x, am_reshape(b, shown, am_shape_of(B, n, C)));
    am_value parts[] = {am_sine_coordinates(b, am_slice(b, boxes, 2, 0, 2), C / 2, 10000, TURN),
                        am_slice(b, boxes, 2, 3, 4), am_slice(b, boxes, 2, 2, 3)};
    return am_add(b, x, am_linear(b, "boxes_pos_enc_project", am_concat(b, parts, 3, 2), C, AM_BIAS));
}

/* The weight cls_embed behind as many of x: [B, n, C] as are attended, zeros further behind: [B, n + 1, C]; *attended,
   I32 [B, n], becomes that of all. */
static am_value append_class(am_builder *b, am_value x, am_value *attended)
{
    int64_t n = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value count = am_reduce(b, AM_REDUCE_SUM, *attended, am_shape_of(1), true);
    am_value place = am_iota(b, AM_I32, am_shape_of(1, n + 1), 1, 0, 1);
    am_value token = am_parameter(b, "cls_embed.weight", am_shape_of(1, C), x);
    am_value is_class = am_unsqueeze(b, am_binary(b, AM_EQUAL, place, count), 2);
    *attended = am_cast(b, am_binary(b, AM_LESS_EQUAL, place, count), AM_I32);
    return am_select(b, is_class, am_reshape(b, token, am_shape_of(1, 1, C)), am_pad_zero(b, x, 1, 0, 1));
}

static am_value geometry_layer(am_builder *b, am_value x, am_value mask, const image *in, const sam3_layers *o)
{
    reading self = {.mask = mask}, cross = {.keys = am_add(b, in->tokens, in->places), .values = in->tokens};
    x = pre_norm_part(b, "layer_norm1", "self_attn", x, &self, AM_NONE, o);
    x = pre_norm_part(b, "layer_norm2", "cross_attn", x, &cross, AM_NONE, o);
    return pre_norm_mlp(b, "layer_norm3", x, o);
}

/* The inputs input_boxes and input_boxes_labels. */
static prompt read_boxes(am_builder *b, const image *in)
{
    sam3_layers o = read_layers(b, "geometry_encoder_config", 3);
    am_config c = am_config_child(am_model_config(b), "geometry_encoder_config");
    int64_t side = am_config_size(&c, "roi_size", 7);
    am_value boxes = am_input(b, "input_boxes", 3), labels = am_input_optional(b, "input_boxes_labels", 2);
    am_shape shape = am_shape_of(am_dim(b, boxes, 0), am_dim(b, boxes, 1));
    labels = labels.id ? am_cast(b, labels, AM_I32) : am_broadcast(b, am_scalar(b, AM_I32, 1), shape);
    prompt r = {.attended = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, labels, LABEL_IGNORED), AM_I32)};
    labels = am_mul(b, labels, r.attended);
    am_scope(b, "geometry_encoder");
    am_value map = am_layer_norm_channels_first(b, "vision_layer_norm", in->map, EPS);
    am_value x = embed_boxes(b, boxes, map, o.C, side);
    x = am_add(b, x, am_embedding(b, "label_embed", labels, 2, o.C));
    x = append_class(b, x, &r.attended);
    x = am_layer_norm(b, "prompt_layer_norm", am_linear(b, "final_proj", x, o.C, AM_BIAS), EPS);
    am_value mask = am_padding_mask_of(b, r.attended);
    for (int i = 0; i < o.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = geometry_layer(b, x, mask, in, &o);
        am_end_scope(b);
    }
    r.features = am_layer_norm(b, "output_layer_norm", x, EPS);
    am_end_scope(b);
    return r;
}

/* Text and boxes in a row. */
static prompt read_prompt(am_builder *b, am_sam3_text *text, const image *in)
{
    const am_config *config = am_model_config(b);
    am_config c = am_config_child(config, "text_config");
    if (!am_config_has(config, "text_config"))
        am_config_unsupported(config, "text_config", "a default is not known for it");
    am_scope(b, "text_encoder");
    am_value x = text(b, &c);
    am_end_scope(b);
    sam3_layers o = read_layers(b, "detr_encoder_config", 6);
    prompt r = {am_linear(b, "text_projection", x, o.C, AM_BIAS), am_input_optional(b, "attention_mask", 2)};
    if (!am_has_input(b, "input_boxes") || am_builder_failed(b)) return r;
    prompt boxes = read_boxes(b, in);
    r.attended =
        am_join_attended(b, r.attended, am_dim(b, r.features, 1), boxes.attended, am_dim(b, boxes.features, 1));
    r.features = am_concat2(b, r.features, boxes.features, 1);
    return r;
}

/* --- encoder --- */

static am_value encode(am_builder *b, const image *in, const prompt *p, am_states *states)
{
    sam3_layers o = read_layers(b, "detr_encoder_config", 6);
    reading self = {0},
            cross = {.keys = p->features, .values = p->features, .mask = am_padding_mask_of(b, p->attended)};
    am_value x = in->tokens;
    *states = am_states_make(b, o.layers + 1);
    am_states_add(states, x);
    am_scope(b, "detr_encoder");
    for (int i = 0; i < o.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = pre_norm_part(b, "layer_norm1", "self_attn", x, &self, in->places, &o);
        x = pre_norm_part(b, "layer_norm2", "cross_attn", x, &cross, AM_NONE, &o);
        x = pre_norm_mlp(b, "layer_norm3", x, &o);
        am_states_add(states, x);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* --- decoder --- */

/* How far `size` steps lie from two edges of each box, as logarithms through the network NAME: edges: [B, Q, 2] ->
   [B, Q, size, heads]. */
static am_value distances(am_builder *b, const char *name, am_value edges, int64_t size, const sam3_layers *o)
{
    am_value steps = am_iota(b, AM_F32, am_shape_of(1, 1, size, 1), 2, 0, 1 / (double)size);
    am_value x = am_mul_number(b, am_sub(b, steps, am_unsqueeze(b, edges, 2)), 8);
    am_value sizes = am_unary(b, AM_LOG, am_add_number(b, am_unary(b, AM_ABS, x), 1));
    x = am_mul_number(b, am_mul(b, am_unary(b, AM_SIGN, x), sizes), 1 / log(8));
    return small_mlp(b, name, x, o->C, o->heads, 2);
}

/* What a query's box adds to the scores of the image's tokens, none for the token before: [B, H, 1 + Q, S]. */
static am_value box_bias(am_builder *b, am_value boxes, const image *in, const sam3_layers *o)
{
    int64_t B = am_dim(b, boxes, 0), Q = am_dim(b, boxes, 1);
    am_value edges = corners(b, boxes), xs[] = {am_slice(b, edges, 2, 0, 1), am_slice(b, edges, 2, 2, 3)},
             ys[] = {am_slice(b, edges, 2, 1, 2), am_slice(b, edges, 2, 3, 4)};
    am_value x = distances(b, "box_rpb_embed_x", am_concat(b, xs, 2, 2), in->columns, o);
    am_value y = distances(b, "box_rpb_embed_y", am_concat(b, ys, 2, 2), in->rows, o);
    am_value bias = am_add(b, am_unsqueeze(b, y, 3), am_unsqueeze(b, x, 2));
    bias = am_reshape(b, bias, am_shape_of(B, Q, in->rows * in->columns, o->heads));
    return am_pad_zero(b, am_permute(b, bias, am_shape_of(0, 3, 1, 2)), 2, 1, 0);
}

/* norm(x + attention(x)), below "NAME" and "NAME_layer_norm". */
static am_value post_norm_part(am_builder *b, const char *name, am_value x, am_value places, const reading *r,
                               const sam3_layers *o)
{
    char norm[48];
    snprintf(norm, sizeof norm, "%s_layer_norm", name);
    reading own = *r;
    am_value placed = am_add(b, x, places);
    if (!own.values.id) own.keys = placed, own.values = x;
    return am_layer_norm(b, norm, am_add(b, x, attend(b, name, placed, &own, o->heads)), EPS);
}

typedef struct decoding {
    const prompt *prompt;
    const image *in;
    am_value memory;           /* what the encoder gave: [B, S, C] */
    am_value x, boxes;         /* [B, 1 + Q, C], [B, Q, 4] */
    am_value normed, presence; /* of the last layer: [B, Q, C], [B, 1] */
    am_states states, references;
} decoding;

static am_value decoder_layer(am_builder *b, const decoding *d, am_value places, am_value bias, const sam3_layers *o)
{
    reading self = {0};
    reading text = {
        .keys = d->prompt->features, .values = d->prompt->features, .mask = am_padding_mask_of(b, d->prompt->attended)};
    reading vision = {.keys = am_add(b, d->memory, d->in->places), .values = d->memory, .bias = bias};
    am_value x = post_norm_part(b, "self_attn", d->x, places, &self, o);
    x = post_norm_part(b, "text_cross_attn", x, places, &text, o);
    x = post_norm_part(b, "vision_cross_attn", x, places, &vision, o);
    return am_layer_norm(b, "mlp_layer_norm", am_add(b, x, mlp(b, x, o)), EPS);
}

/* The boxes that queries x: [B, Q, C], normed, make of those before. */
static am_value refine(am_builder *b, am_value x, am_value boxes, const sam3_layers *o)
{
    am_value offsets = small_mlp(b, "box_head", x, o->C, 4, 3);
    return am_unary(b, AM_SIGMOID, am_add(b, offsets, am_inverse_sigmoid(b, boxes, SIGMOID_EPS)));
}

static void decode_step(am_builder *b, decoding *d, int i, const sam3_layers *o)
{
    am_value waves = am_sine_coordinates(b, d->boxes, o->C / 2, 10000, TURN);
    am_value places = small_mlp(b, "ref_point_head", waves, o->C, o->C, 2);
    am_value bias = box_bias(b, d->boxes, d->in, o);
    am_scope(b, "layers.%d", i);
    d->x = decoder_layer(b, d, am_pad_zero(b, places, 1, 1, 0), bias, o);
    am_end_scope(b);
    d->normed = am_layer_norm(b, "output_layer_norm", am_slice(b, d->x, 1, 1, AM_SLICE_END), EPS);
    am_states_add(&d->states, d->x);
    am_states_add(&d->references, d->boxes);
    d->boxes = refine(b, d->normed, d->boxes, o);
}

static void decode(am_builder *b, decoding *d)
{
    const am_config *config = am_model_config(b);
    am_config c = am_config_child(config, "detr_decoder_config");
    sam3_layers o = read_layers(b, "detr_decoder_config", 6);
    int64_t queries = am_config_size(&c, "num_queries", 200), B = am_dim(b, d->memory, 0);
    if (o.layers == 0) am_config_fail(&c, "num_layers", "expected 1 or more");
    d->states = am_states_make(b, o.layers + 1);
    d->references = am_states_make(b, o.layers);
    am_scope(b, "detr_decoder");
    d->boxes = am_unary(b, AM_SIGMOID, am_repeated_rows(b, "reference_points.weight", B, queries, 4));
    d->x = am_concat2(b, am_repeated_rows(b, "presence_token.weight", B, 1, o.C),
                      am_repeated_rows(b, "query_embed.weight", B, queries, o.C), 1);
    am_states_add(&d->states, d->x);
    for (int i = 0; i < o.layers && !am_builder_failed(b); i++) decode_step(b, d, i, &o);
    am_value x = am_layer_norm(b, "presence_layer_norm", am_slice(b, d->x, 1, 0, 1), EPS);
    d->presence = clamp(b, am_squeeze(b, small_mlp(b, "presence_head", x, o.C, 1, 3), 2), PRESENCE_LIMIT);
    am_end_scope(b);
}

/* --- scores and masks --- */

/* Mean over the tokens of x: [B, S, C] that are there: [B, C]. */
static am_value pool_text(am_builder *b, am_value x, am_value attended)
{
    if (!attended.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value mask = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, attended, 0), AM_F32);
    am_value count = am_binary_number(b, AM_MAX, am_reduce(b, AM_REDUCE_SUM, mask, am_shape_of(1), true), 1);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, am_unsqueeze(b, mask, 2)), am_shape_of(1), false);
    return am_div(b, x, count);
}

/* Products of queries: [B, Q, C] with the prompt: [B, Q]. */
static am_value score(am_builder *b, const prompt *p, am_value queries)
{
    sam3_layers o = read_layers(b, "detr_decoder_config", 6);
    am_scope(b, "dot_product_scoring");
    am_value x = am_add(b, small_mlp(b, "text_mlp", p->features, o.inner, o.C, 2), p->features);
    x = pool_text(b, am_layer_norm(b, "text_mlp_out_norm", x, EPS), p->attended);
    x = am_unsqueeze(b, am_linear(b, "text_proj", x, o.C, AM_BIAS), 2);
    x = am_matmul(b, am_linear(b, "query_proj", queries, o.C, AM_BIAS), x, false, false);
    am_end_scope(b);
    return clamp(b, am_mul_number(b, am_squeeze(b, x, 2), 1 / sqrt((double)o.C)), SCORE_LIMIT);
}

/* The coarsest map with finer ones added: [B, C, H, W]. */
static am_value embed_pixels(am_builder *b, const am_sam3_image *maps, int count, am_value x, int64_t stages)
{
    char name[32];
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes around = {.padding_before = one, .padding_after = one};
    if (stages < count - 1)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "num_upsampling_stages is less than the maps to add, %d", count - 1));
    am_scope(b, "pixel_decoder");
    for (int i = 0; i < count - 1 && !am_builder_failed(b); i++) {
        am_value finer = maps->maps[count - 2 - i];
        int64_t C = am_dim(b, finer, 1);
        am_resize_attributes size = {.size = am_shape_of(am_dim(b, finer, 2), am_dim(b, finer, 3)),
                                     .mode = AM_RESIZE_NEAREST};
        snprintf(name, sizeof name, "conv_layers.%d", i);
        x = am_add(b, am_resize(b, x, &size), finer);
        x = am_conv(b, name, x, C, am_shape_of(3, 3), AM_BIAS, &around);
        snprintf(name, sizeof name, "norms.%d", i);
        x = am_unary(b, AM_RELU, am_group_norm(b, name, x, GROUPS, EPS));
    }
    am_end_scope(b);
    return x;
}

static void output_masks(am_builder *b, const decoding *d, const am_sam3_image *maps, int count, am_value *semantic)
{
    am_config c = am_config_child(am_model_config(b), "mask_decoder_config");
    int64_t C = am_config_size(&c, "hidden_size", 256), heads = am_config_size(&c, "num_attention_heads", 8),
            stages = am_config_count(&c, "num_upsampling_stages", 3);
    am_config_check_divides(&c, "num_attention_heads", heads, "hidden_size", C);
    reading cross = {
        .keys = d->prompt->features, .values = d->prompt->features, .mask = am_padding_mask_of(b, d->prompt->attended)};
    am_convolution_attributes plain = {0};
    am_scope(b, "mask_decoder");
    am_value x = am_layer_norm(b, "prompt_cross_attn_norm", d->memory, EPS);
    x = am_add(b, d->memory, attend(b, "prompt_cross_attn", x, &cross, heads));
    x = embed_pixels(b, maps, count, am_tokens_image(b, x, d->in->rows, d->in->columns), stages);
    *semantic = am_conv(b, "semantic_projection", x, 1, am_shape_of(1, 1), AM_BIAS, &plain);
    x = am_conv(b, "instance_projection", x, C, am_shape_of(1, 1), AM_BIAS, &plain);
    am_value queries = am_mlp_head(b, "mask_embedder", d->normed, C, C, 3);
    am_shape shape = am_shape_of(am_dim(b, x, 0), am_dim(b, queries, 1), am_dim(b, x, 2), am_dim(b, x, 3));
    x = am_reshape(b, am_matmul(b, queries, am_flatten(b, x, 2, 3), false, false), shape);
    am_end_scope(b);
    am_output(b, "pred_masks", x);
}

static void detect(am_builder *b, am_sam3_text *text)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_sam3_image maps =
        am_sam3_vision(b, &c, "vision_encoder.backbone", "vision_encoder.neck", "vision_hidden_states");
    int count = maps.count - 1; /* the last is for others */
    if (!am_builder_failed(b) && count < 1) am_config_fail(&c, "scale_factors", "expected 2 or more");
    if (am_builder_failed(b) || count < 1) return;
    am_value map = maps.maps[count - 1], semantic = AM_NONE;
    image in = {am_image_tokens(b, map), am_sam3_places(b, map), map, am_dim(b, map, 2), am_dim(b, map, 3)};
    prompt p = read_prompt(b, text, &in);
    am_states encoded;
    decoding d = {.prompt = &p, .in = &in, .memory = encode(b, &in, &p, &encoded)};
    decode(b, &d);
    if (am_builder_failed(b)) return;
    output_masks(b, &d, &maps, count, &semantic);
    am_output(b, "pred_boxes", corners(b, d.boxes));
    am_output(b, "pred_logits", score(b, &p, d.normed));
    am_output(b, "presence_logits", d.presence);
    am_output(b, "semantic_seg", semantic);
    am_states_output(b, "decoder_hidden_states", &d.states);
    am_output(b, "decoder_reference_boxes", am_states_stack(b, &d.references, 0));
    am_states_output(b, "encoder_hidden_states", &encoded);
}

/* Files that have the tracker beside have the detector below a name. */
void am_sam3_detect(am_builder *b, am_sam3_text *text)
{
    bool is_below = am_has_weight(b, "detector_model.detr_decoder.query_embed.weight");
    am_scope(b, "%s", is_below ? "detector_model" : "");
    detect(b, text);
    am_end_scope(b);
}
