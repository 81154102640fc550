#include "models/blocks/detr.h"

#include "models/blocks/sine_positions.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { LEARNED_PLACES = 50, MASK_GROUPS = 8, MASK_LEVELS = 3, MAPS_LIMIT = AM_STAGES_LIMIT };

static const double LAYER_NORM_EPS = 1e-5, GROUP_NORM_EPS = 1e-5, TEMPERATURE = 10000; /* not configurable */

/* --- layers --- */

am_value am_detr_attend(am_builder *b, const char *name, am_value q, am_value k, am_value v, const am_detr_attention *o)
{
    static const char *const names[][2] = {{"q_proj", "query"}, {"k_proj", "key"}, {"v_proj", "value"}};
    int bare = o->bare_names;
    int64_t C = am_dim(b, v, -1), width = o->width > 0 ? o->width : C;
    am_scope(b, "%s", name);
    am_attention_inputs inputs = {.q = am_split_heads(b, am_linear(b, names[0][bare], q, width, AM_BIAS), o->heads),
                                  .k = am_split_heads(b, am_linear(b, names[1][bare], k, width, AM_BIAS), o->heads),
                                  .v = am_split_heads(b, am_linear(b, names[2][bare], v, width, AM_BIAS), o->heads),
                                  .mask = o->mask,
                                  .bias = o->bias};
    am_value x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    x = am_linear(b, o->out ? o->out : "out_proj", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

am_value am_add_norm(am_builder *b, const char *name, am_value x, am_value y)
{
    return am_layer_norm(b, name, am_add(b, x, y), LAYER_NORM_EPS);
}

am_value am_detr_mlp(am_builder *b, am_value x, int64_t inner, am_unary_fn activation)
{
    int64_t C = am_dim(b, x, -1);
    return am_linear(b, "fc2", am_linear_activation(b, "fc1", x, inner, AM_BIAS, activation), C, AM_BIAS);
}

bool am_learned_positions_read(const am_config *c)
{
    bool is_learned = am_config_is(c, "position_embedding_type", "learned");
    if (!is_learned && am_config_has(c, "position_embedding_type") &&
        !am_config_is(c, "position_embedding_type", "sine"))
        am_config_fail(c, "position_embedding_type", "expected \"sine\" or \"learned\", found \"%s\"",
                       am_config_text(c, "position_embedding_type", ""));
    return is_learned;
}

/* Linears NAME.BEFORE i AFTER with ReLU between them. */
static am_value linears(am_builder *b, const char *name, const char *before, const char *after, am_value x,
                        int64_t hidden, int64_t out, int count)
{
    char layer[32];
    am_scope(b, "%s", name);
    for (int i = 0; i < count; i++) {
        bool is_last = i == count - 1;
        snprintf(layer, sizeof layer, "%s%d%s", before, i, after);
        x = am_linear_activation(b, layer, x, is_last ? out : hidden, AM_BIAS, is_last ? AM_IDENTITY : AM_RELU);
    }
    am_end_scope(b);
    return x;
}

am_value am_mlp_head(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out, int count)
{
    return linears(b, name, "layers.", "", x, hidden, out, count);
}

am_value am_prediction_head(am_builder *b, const char *name, am_value x, int64_t hidden, int64_t out, int count)
{
    return linears(b, name, "", ".0", x, hidden, out, count);
}

am_value am_inverse_sigmoid(am_builder *b, am_value x, double eps)
{
    x = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, 0), 1);
    am_value rest = am_add_number(b, am_unary(b, AM_NEG, x), 1);
    return am_unary(b, AM_LOG, am_div(b, am_binary_number(b, AM_MAX, x, eps), am_binary_number(b, AM_MAX, rest, eps)));
}

am_value am_repeated_rows(am_builder *b, const char *name, int64_t B, int64_t rows, int64_t C)
{
    am_value x = am_cast(b, am_weight(b, name, am_shape_of(rows, C)), AM_F32);
    return am_broadcast(b, am_unsqueeze(b, x, 0), am_shape_of(B, rows, C));
}

/* --- places --- */

am_value am_learned_places(am_builder *b, const char *name, int64_t height, int64_t width, int64_t C)
{
    int64_t half = C / 2;
    am_shape table = am_shape_of(LEARNED_PLACES, half), all = am_shape_of(height, width, half);
    if (height > LEARNED_PLACES || width > LEARNED_PLACES)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "a map of %" PRId64 " x %" PRId64 " has no learned positions",
                                    height, width));
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "%s", name);
    am_value x = am_slice(b, am_weight(b, "column_embeddings.weight", table), 0, 0, width);
    am_value y = am_slice(b, am_weight(b, "row_embeddings.weight", table), 0, 0, height);
    am_end_scope(b);
    x = am_broadcast(b, am_unsqueeze(b, am_cast(b, x, AM_F32), 0), all);
    y = am_broadcast(b, am_unsqueeze(b, am_cast(b, y, AM_F32), 1), all);
    return am_reshape(b, am_concat2(b, x, y, 2), am_shape_of(1, height * width, C));
}

/* --- states --- */

am_states am_states_make(am_builder *b, int64_t limit)
{
    am_states r = {.items = am_arena_array(am_builder_arena(b), (size_t)limit + 1, sizeof *r.items)};
    if (!r.items) am_builder_fail(b, am_out_of_memory());
    return r;
}

void am_states_add(am_states *s, am_value x)
{
    if (s->items) s->items[s->count++] = x;
}

void am_states_output(am_builder *b, const char *name, const am_states *s)
{
    for (int i = 0; i < s->count; i++) am_output_hidden_state(b, name, i, s->items[i]);
}

am_value am_states_stack(am_builder *b, const am_states *s, int axis)
{
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)s->count + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (!parts || !s->count) return AM_NONE;
    for (int i = 0; i < s->count; i++) parts[i] = am_unsqueeze(b, s->items[i], axis);
    return am_concat(b, parts, s->count, axis);
}

/* --- configuration --- */

am_detr_options am_detr_options_read(const am_config *c, const am_detr_family *family)
{
    const char *layers = am_config_either(c, "encoder_layers", "num_hidden_layers"),
               *heads = am_config_either(c, "encoder_attention_heads", "num_attention_heads");
    am_detr_options o = {
        .family = family,
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 256),
        .num_queries = am_config_size(c, "num_queries", family->num_queries),
        .labels = am_config_labels(c) + family->has_empty_class,
        .encoder_layers = am_config_count(c, layers, 6),
        .encoder_attention_heads = am_config_size(c, heads, 8),
        .encoder_ffn_dim = am_config_size(c, "encoder_ffn_dim", 2048),
        .decoder_layers = am_config_count(c, "decoder_layers", 6),
        .decoder_attention_heads = am_config_size(c, "decoder_attention_heads", 8),
        .decoder_ffn_dim = am_config_size(c, "decoder_ffn_dim", 2048),
        .activation = am_config_activation(c, "activation_function", AM_RELU),
        .auxiliary_loss = am_config_flag(c, "auxiliary_loss", false),
        .learned_positions = am_learned_positions_read(c),
    };
    am_config_check_divides(c, heads, o.encoder_attention_heads, "d_model", o.d_model);
    am_config_check_divides(c, "decoder_attention_heads", o.decoder_attention_heads, "d_model", o.d_model);
    if (o.d_model % (o.learned_positions ? 2 : 4))
        am_config_fail(c, "d_model", "%" PRId64 " does not divide into the parts of positions", o.d_model);
    return o;
}

static am_detr_options read_options(am_builder *b)
{
    return am_detr_options_read(am_model_config(b), am_model_family(b));
}

/* --- what the encoder reads --- */

/* An image as the encoder reads it. */
typedef struct image {
    am_feature_maps maps;
    am_value projected;      /* [B, C, h, w]; AM_NONE where the tokens were given */
    am_value tokens, places; /* [B, S, C], [B or 1, S, C] */
    am_value attended, mask; /* F32 [B, S] and as am_padding_mask_of gives it; AM_NONE: all */
} image;

static am_value places_of(am_builder *b, const am_detr_options *o, am_value mask)
{
    am_sine_options sine = {.features = o->d_model / 2, .temperature = TEMPERATURE, .scale = 2 * acos(-1)};
    if (o->learned_positions) {
        int64_t height = am_dim(b, mask, 1), width = am_dim(b, mask, 2);
        return am_learned_places(b, o->family->positions, height, width, o->d_model);
    }
    return am_sine_positions(b, mask, &sine);
}

static void attend_to(am_builder *b, image *r, am_value mask)
{
    if (!am_has_input(b, "pixel_mask")) return;
    r->attended = am_flatten(b, mask, 1, 2);
    r->mask = am_padding_mask_of(b, r->attended);
}

/* Tokens that are given stand in a square. */
static image read_tokens(am_builder *b, const am_detr_options *o)
{
    image r = {.tokens = am_input(b, "inputs_embeds", 3)};
    int64_t B = am_dim(b, r.tokens, 0), side = (int64_t)sqrt((double)am_dim(b, r.tokens, 1));
    am_value one = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(1, side, side));
    r.places = places_of(b, o, one);
    if (am_has_input(b, "pixel_mask")) {
        am_value map = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(B, 1, side, side));
        attend_to(b, &r, am_mask_of_map(b, am_cast(b, am_input(b, "pixel_mask", 3), AM_F32), map));
    }
    return r;
}

static image read_image(am_builder *b, const am_detr_options *o, int least_maps)
{
    image r = {0};
    if (o->family->takes_embeddings && am_has_input(b, "inputs_embeds")) return read_tokens(b, o);
    am_scope(b, "backbone.conv_encoder.model");
    r.maps = am_backbone_maps(b, least_maps, MAPS_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return r;
    am_value last = r.maps.maps[r.maps.count - 1], mask = am_mask_of_map(b, am_pixel_mask(b), last);
    r.projected =
        am_conv(b, "input_projection", last, o->d_model, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    r.tokens = am_image_tokens(b, r.projected);
    r.places = places_of(b, o, mask);
    attend_to(b, &r, mask);
    return r;
}

/* --- encoder --- */

static am_value encoder_layer(am_builder *b, const am_detr_options *o, const image *in, am_value x)
{
    am_detr_attention attention = {.heads = o->encoder_attention_heads, .mask = in->mask};
    am_value h = o->family->pre_norm ? am_layer_norm(b, "self_attn_layer_norm", x, LAYER_NORM_EPS) : x;
    am_value placed = am_add(b, h, in->places);
    h = am_detr_attend(b, "self_attn", placed, placed, h, &attention);
    if (o->family->pre_norm) {
        x = am_add(b, x, h);
        h = am_layer_norm(b, "final_layer_norm", x, LAYER_NORM_EPS);
        return am_add(b, x, am_detr_mlp(b, h, o->encoder_ffn_dim, o->activation));
    }
    x = am_add_norm(b, "self_attn_layer_norm", x, h);
    return am_add_norm(b, "final_layer_norm", x, am_detr_mlp(b, x, o->encoder_ffn_dim, o->activation));
}

static am_value encode(am_builder *b, const am_detr_options *o, const image *in, am_states *states)
{
    am_value x = in->tokens;
    am_scope(b, "encoder");
    *states = am_states_make(b, o->encoder_layers + 1);
    am_states_add(states, x);
    for (int64_t i = 0; i < o->encoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", (int)i);
        am_states_add(states, x = encoder_layer(b, o, in, x));
        am_end_scope(b);
    }
    if (o->family->pre_norm) x = am_layer_norm(b, "layernorm", x, LAYER_NORM_EPS);
    am_end_scope(b);
    return x;
}

/* --- decoder --- */

static am_value attend_queries(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value h)
{
    am_detr_attention attention = {.heads = o->decoder_attention_heads, .mask = d->query_mask};
    am_value placed = am_add(b, h, d->query_places);
    return am_detr_attend(b, "self_attn", placed, placed, h, &attention);
}

static am_value attend_memory(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value h)
{
    am_detr_attention attention = {.heads = o->decoder_attention_heads, .mask = d->mask};
    return am_detr_attend(b, "encoder_attn", am_add(b, h, d->query_places), am_add(b, d->memory, d->places), d->memory,
                          &attention);
}

static am_value post_norm_layer(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value x)
{
    x = am_add_norm(b, "self_attn_layer_norm", x, attend_queries(b, o, d, x));
    x = am_add_norm(b, "encoder_attn_layer_norm", x, attend_memory(b, o, d, x));
    return am_add_norm(b, "final_layer_norm", x, am_detr_mlp(b, x, o->decoder_ffn_dim, o->activation));
}

static am_value pre_norm_layer(am_builder *b, const am_detr_options *o, const am_detr_decoding *d, am_value x)
{
    x = am_add(b, x, attend_queries(b, o, d, am_layer_norm(b, "self_attn_layer_norm", x, LAYER_NORM_EPS)));
    x = am_add(b, x, attend_memory(b, o, d, am_layer_norm(b, "encoder_attn_layer_norm", x, LAYER_NORM_EPS)));
    am_value h = am_layer_norm(b, "final_layer_norm", x, LAYER_NORM_EPS);
    return am_add(b, x, am_detr_mlp(b, h, o->decoder_ffn_dim, o->activation));
}

/* Table Transformer's states are what layers read, which the norm comes before. */
am_value am_detr_layer_end(am_builder *b, const am_detr_options *o, am_detr_decoding *d, am_value x)
{
    am_value normed = o->auxiliary_loss ? am_layer_norm(b, "layernorm", x, LAYER_NORM_EPS) : x;
    if (o->auxiliary_loss) am_states_add(&d->intermediate, normed);
    am_states_add(&d->states, o->family->pre_norm ? normed : x);
    return normed;
}

static am_value decode_plainly(am_builder *b, const am_detr_options *o, am_detr_decoding *d)
{
    am_value x = d->queries;
    for (int64_t i = 0; i < o->decoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", (int)i);
        x = o->family->pre_norm ? pre_norm_layer(b, o, d, x) : post_norm_layer(b, o, d, x);
        am_end_scope(b);
        x = am_detr_layer_end(b, o, d, x);
    }
    return x;
}

am_value am_detr_decode(am_builder *b, const am_detr_options *o, am_detr_decoding *d)
{
    d->states = am_states_make(b, o->decoder_layers + 1);
    d->intermediate = am_states_make(b, o->decoder_layers);
    am_states_add(&d->states, d->queries);
    am_scope(b, "decoder");
    am_value x = o->family->decode ? o->family->decode(b, o, d) : decode_plainly(b, o, d);
    x = am_layer_norm(b, "layernorm", x, LAYER_NORM_EPS);
    am_end_scope(b);
    if (d->states.count > 1) d->states.items[d->states.count - 1] = x;
    return x;
}

/* --- classes --- */

typedef struct result {
    image in;
    am_detr_decoding decoding;
    am_states encoder_states;
    am_value x; /* [B, Q, C] */
} result;

static am_value given_queries(am_builder *b, const am_detr_options *o, am_shape shape, bool may_be_given)
{
    if (may_be_given && am_has_input(b, "decoder_inputs_embeds")) return am_input(b, "decoder_inputs_embeds", 3);
    (void)o;
    return am_broadcast(b, am_scalar(b, AM_F32, 0), shape);
}

/* The model below `prefix`. Queries are zeros unless they may be given. */
static result run(am_builder *b, const am_detr_options *o, const char *prefix, int least_maps, bool takes_queries)
{
    result r = {0};
    am_scope(b, "%s", prefix);
    r.in = read_image(b, o, least_maps);
    am_detr_decoding *d = &r.decoding;
    int64_t B = am_dim(b, r.in.tokens, 0);
    *d = (am_detr_decoding){.places = r.in.places, .mask = r.in.mask};
    d->memory = encode(b, o, &r.in, &r.encoder_states);
    d->query_places = am_repeated_rows(b, "query_position_embeddings.weight", B, o->num_queries, o->d_model);
    d->queries = given_queries(b, o, am_shape_of(B, o->num_queries, o->d_model), takes_queries);
    if (o->family->takes_embeddings) d->query_mask = am_padding_mask(b, "decoder_attention_mask");
    r.x = am_detr_decode(b, o, d);
    am_end_scope(b);
    return r;
}

static void output_states(am_builder *b, const result *r)
{
    am_output(b, "last_hidden_state", r->x);
    am_states_output(b, "decoder_hidden_states", &r->decoding.states);
    am_output(b, "encoder_last_hidden_state", r->decoding.memory);
    am_states_output(b, "encoder_hidden_states", &r->encoder_states);
}

void am_detr_model(am_builder *b)
{
    am_detr_options o = read_options(b);
    result r = run(b, &o, "", 1, o.family->takes_embeddings);
    output_states(b, &r);
    if (o.auxiliary_loss && r.decoding.intermediate.count)
        am_output(b, "intermediate_hidden_states", am_states_stack(b, &r.decoding.intermediate, 0));
    if (r.decoding.reference.id) {
        am_value reference = am_unary(b, AM_SIGMOID, r.decoding.reference);
        am_output(b, "reference_points", am_transpose(b, reference, 0, 1));
    }
}

/* Logits and boxes of the detector whose scope is open; centres count from the reference where there is one. */
static void output_detections(am_builder *b, const am_detr_options *o, const result *r, am_value reference)
{
    am_output(b, "logits", am_linear(b, "class_labels_classifier", r->x, o->labels, AM_BIAS));
    am_value boxes = am_mlp_head(b, "bbox_predictor", r->x, o->d_model, 4, 3);
    if (reference.id) {
        reference = am_inverse_sigmoid(b, am_unary(b, AM_SIGMOID, reference), 1e-5);
        boxes = am_add(b, boxes, am_pad_zero(b, reference, 2, 0, 2));
    }
    am_output(b, "pred_boxes", am_unary(b, AM_SIGMOID, boxes));
}

void am_detr_for_object_detection(am_builder *b)
{
    am_detr_options o = read_options(b);
    result r = run(b, &o, "model", 1, o.family->takes_embeddings);
    output_detections(b, &o, &r, r.decoding.reference);
    output_states(b, &r);
}

/* --- segmentation --- */

/* How much each query attends to each pixel, of all heads together: [B * Q, H, h, w]. */
static am_value attention_maps(am_builder *b, const am_detr_options *o, const result *r)
{
    int64_t H = o->encoder_attention_heads, D = o->d_model / H, B = am_dim(b, r->x, 0), Q = am_dim(b, r->x, 1),
            h = am_dim(b, r->in.projected, 2), w = am_dim(b, r->in.projected, 3);
    am_scope(b, "bbox_attention");
    am_value q = am_split_heads(b, am_linear(b, "q_linear", r->x, o->d_model, AM_BIAS), H);
    am_value k = am_split_heads(b, am_linear(b, "k_linear", r->decoding.memory, o->d_model, AM_BIAS), H);
    am_end_scope(b);
    q = am_mul_number(b, am_transpose(b, q, 1, 2), 1 / sqrt((double)D));
    am_value scores = am_transpose(b, am_matmul(b, q, am_transpose(b, k, 1, 2), false, true), 1, 2);
    if (r->in.attended.id) {
        am_value hidden = am_mul_number(b, am_add_number(b, r->in.attended, -1), FLT_MAX);
        scores = am_add(b, scores, am_reshape(b, hidden, am_shape_of(B, 1, 1, h * w)));
    }
    scores = am_softmax(b, am_reshape(b, scores, am_shape_of(B * Q, H * h * w)), 1);
    return am_reshape(b, scores, am_shape_of(B * Q, H, h, w));
}

/* activation(gn<i>(lay<i>(x))) */
static am_value mask_layer(am_builder *b, const am_detr_options *o, int i, am_value x, int64_t out)
{
    char convolution[16], norm[16];
    am_shape one = am_shape_of(1, 1);
    int64_t groups = out < MASK_GROUPS ? out : MASK_GROUPS;
    snprintf(convolution, sizeof convolution, "lay%d", i);
    snprintf(norm, sizeof norm, "gn%d", i);
    x = am_conv(b, convolution, x, out, am_shape_of(3, 3), AM_BIAS,
                &(am_convolution_attributes){.padding_before = one, .padding_after = one});
    return am_unary(b, o->activation, am_group_norm(b, norm, x, groups, GROUP_NORM_EPS));
}

/* x: [B, C, h, w] for each of Q queries: [B * Q, C, h, w]. */
static am_value for_queries(am_builder *b, am_value x, int64_t Q)
{
    am_shape s = am_shape_of_value(b, x);
    x = am_broadcast(b, am_unsqueeze(b, x, 1), am_shape_of(s.dims[0], Q, s.dims[1], s.dims[2], s.dims[3]));
    return am_flatten(b, x, 0, 1);
}

/* Masks [B, Q, h, w] in the size of the backbone's first map. */
static am_value masks(am_builder *b, const am_detr_options *o, const result *r)
{
    int64_t Q = am_dim(b, r->x, 1), C = o->d_model;
    char adapter[16];
    am_value maps = attention_maps(b, o, r);
    am_scope(b, "mask_head");
    am_value x = am_concat2(b, for_queries(b, r->in.projected, Q), maps, 1);
    x = mask_layer(b, o, 1, x, C + o->encoder_attention_heads);
    x = mask_layer(b, o, 2, x, C / 2);
    for (int i = 0; i < MASK_LEVELS; i++) {
        snprintf(adapter, sizeof adapter, "adapter%d", i + 1);
        am_value finer = am_conv(b, adapter, r->in.maps.maps[MASK_LEVELS - 1 - i], am_dim(b, x, 1), am_shape_of(1, 1),
                                 AM_BIAS, &(am_convolution_attributes){0});
        am_shape size = am_shape_of(am_dim(b, finer, 2), am_dim(b, finer, 3));
        x = am_resize(b, x, &(am_resize_attributes){.size = size, .mode = AM_RESIZE_NEAREST});
        x = mask_layer(b, o, i + 3, am_add(b, for_queries(b, finer, Q), x), C >> (i + 2));
    }
    am_shape one = am_shape_of(1, 1);
    x = am_conv(b, "out_lay", x, 1, am_shape_of(3, 3), AM_BIAS,
                &(am_convolution_attributes){.padding_before = one, .padding_after = one});
    am_end_scope(b);
    return am_reshape(b, x, am_shape_of(am_dim(b, r->x, 0), Q, am_dim(b, x, 2), am_dim(b, x, 3)));
}

static void check_mask_sizes(am_builder *b, const am_detr_options *o)
{
    int64_t C = o->d_model, wide = C + o->encoder_attention_heads;
    bool fits = wide % MASK_GROUPS == 0 && C >= 16;
    for (int i = 1; i <= 4; i++) fits = fits && ((C >> i) < MASK_GROUPS || (C >> i) % MASK_GROUPS == 0);
    if (!fits)
        am_config_fail(am_model_config(b), "d_model", "%" PRId64 " does not divide into the groups of the mask head",
                       C);
}

void am_detr_for_segmentation(am_builder *b)
{
    am_detr_options o = read_options(b);
    check_mask_sizes(b, &o);
    am_scope(b, "%s", o.family->prefix);
    result r = run(b, &o, "model", MASK_LEVELS, true);
    if (!am_builder_failed(b) && !r.in.projected.id)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "segments are those of an image"));
    if (am_builder_failed(b)) return;
    output_detections(b, &o, &r, AM_NONE);
    am_end_scope(b);
    am_output(b, "pred_masks", masks(b, &o, &r));
    output_states(b, &r);
}
