/* DAB-DETR: Conditional DETR whose queries are boxes: layers move them, and their width and height say how far around
   their middle a query looks. transformers: models/dab_detr/modeling_dab_detr.py */
#include "models/blocks/detr.h"
#include "models/blocks/sine_positions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { BOX = 4 };

static const double LAYER_NORM_EPS = 1e-5, TEMPERATURE = 10000, INVERSE_EPS = 1e-5; /* not configurable */

typedef struct dab_config {
    int64_t C, num_queries, num_patterns, labels;
    int64_t encoder_layers, encoder_heads, encoder_ffn_dim, decoder_layers, decoder_heads, decoder_ffn_dim;
    bool is_prelu; /* the activation is learned */
    am_unary_fn activation;
    bool keep_query_pos, normalize_before;
    am_sine_options sine;
    const char *prefix; /* of the model: "model." or "" */
} dab_config;

static void check(const am_config *c, const dab_config *r)
{
    am_config_check_divides(c, "encoder_attention_heads", r->encoder_heads, "hidden_size", r->C);
    am_config_check_divides(c, "decoder_attention_heads", r->decoder_heads, "hidden_size", r->C);
    if (r->C % 4) am_config_fail(c, "hidden_size", "%" PRId64 " does not divide into the parts of positions", r->C);
    if (am_config_size(c, "query_dim", BOX) != BOX) am_config_fail(c, "query_dim", "expected %d", BOX);
    if (r->decoder_layers < 1) am_config_fail(c, "decoder_layers", "expected 1 or more");
    if (!(r->sine.temperature > 0 && r->sine.temperature_x > 0 && r->sine.scale > 0))
        am_config_fail(c, "sine_position_embedding_scale", "expected it and both temperatures above 0");
}

static dab_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    dab_config r = {
        .C = am_config_size(c, "hidden_size", 256),
        .num_queries = am_config_size(c, "num_queries", 300),
        .num_patterns = am_config_count(c, "num_patterns", 0),
        .labels = am_config_labels(c),
        .encoder_layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 6),
        .encoder_heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 8),
        .encoder_ffn_dim = am_config_size(c, "encoder_ffn_dim", 2048),
        .decoder_layers = am_config_count(c, "decoder_layers", 6),
        .decoder_heads = am_config_size(c, "decoder_attention_heads", 8),
        .decoder_ffn_dim = am_config_size(c, "decoder_ffn_dim", 2048),
        .is_prelu = !am_config_has(c, "activation_function") || am_config_is(c, "activation_function", "prelu"),
        .keep_query_pos = am_config_flag(c, "keep_query_pos", false),
        .normalize_before = am_config_flag(c, "normalize_before", false),
        .sine = {.temperature = am_config_real(c, "temperature_height", 20),
                 .temperature_x = am_config_real(c, "temperature_width", 20),
                 .scale = am_config_real(c, "sine_position_embedding_scale", 2 * acos(-1))},
        .prefix = prefix,
    };
    if (!r.is_prelu) r.activation = am_config_activation(c, "activation_function", AM_RELU);
    r.sine.features = r.C / 2;
    check(c, &r);
    return r;
}

/* fc2(activation(fc1(x))) below the scope. */
static am_value mlp(am_builder *b, const dab_config *c, am_value x, int64_t inner)
{
    am_value h = am_linear(b, "fc1", x, inner, AM_BIAS);
    if (c->is_prelu) {
        am_value slope = am_parameter(b, "activation_fn.weight", am_shape_of(1), h);
        h = am_select(b, am_binary_number(b, AM_GREATER, h, 0), h, am_mul(b, h, slope));
    } else {
        h = am_unary(b, c->activation, h);
    }
    return am_linear(b, "fc2", h, c->C, AM_BIAS);
}

/* --- encoder --- */

typedef struct image {
    am_value tokens, places, mask; /* [B, S, C], as am_padding_mask_of gives it */
} image;

static image read_image(am_builder *b, const dab_config *c)
{
    image r = {0};
    am_scope(b, "backbone.conv_encoder.model");
    am_feature_maps maps = am_backbone_maps(b, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    if (am_builder_failed(b)) return r;
    am_value last = maps.maps[maps.count - 1], mask = am_mask_of_map(b, am_pixel_mask(b), last);
    r.tokens = am_image_tokens(
        b, am_conv(b, "input_projection", last, c->C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0}));
    r.places = am_sine_positions(b, mask, &c->sine);
    if (am_has_input(b, "pixel_mask")) r.mask = am_padding_mask_of(b, am_flatten(b, mask, 1, 2));
    return r;
}

static am_value encode(am_builder *b, const dab_config *c, const image *in, am_states *states)
{
    am_detr_attention attention = {.heads = c->encoder_heads, .mask = in->mask};
    am_value x = in->tokens;
    *states = am_states_make(b, c->encoder_layers + 1);
    am_scope(b, "encoder");
    for (int64_t i = 0; i < c->encoder_layers && !am_builder_failed(b); i++) {
        am_states_add(states, x);
        am_value placed = am_add(b, x, am_mul(b, in->places, am_mlp_head(b, "query_scale", x, c->C, c->C, 2)));
        am_scope(b, "layers.%d", (int)i);
        x = am_add_norm(b, "self_attn_layer_norm", x, am_detr_attend(b, "self_attn", placed, placed, x, &attention));
        x = am_add_norm(b, "final_layer_norm", x, mlp(b, c, x, c->encoder_ffn_dim));
        am_end_scope(b);
    }
    if (c->normalize_before) x = am_layer_norm(b, "norm", x, LAYER_NORM_EPS);
    am_end_scope(b);
    am_states_add(states, x);
    return x;
}

/* --- decoder --- */

typedef struct decoding {
    image in;
    am_value memory, x, queries, reference;     /* reference: [B, Q, 4], boxes */
    am_states states, intermediate, references; /* references: what each layer began with, as far as they differ */
} decoding;

static am_value project(am_builder *b, const char *prefix, const char *name, am_value x)
{
    char text[64];
    snprintf(text, sizeof text, "%s_%s_proj", prefix, name);
    return am_linear(b, text, x, am_dim(b, x, -1), AM_BIAS);
}

static am_value attend(am_builder *b, const char *out, const am_attention_inputs *inputs)
{
    am_value x = am_merge_heads(b, am_attention_op(b, inputs, &(am_attention_attributes){0}));
    return am_linear(b, out, x, am_dim(b, x, -1), AM_BIAS);
}

static am_value attend_queries(am_builder *b, const dab_config *c, am_value x, am_value places)
{
    const char *p = "self_attn";
    am_scope(b, "self_attn");
    am_value q = am_add(b, project(b, p, "query_content", x), project(b, p, "query_pos", places));
    am_value k = am_add(b, project(b, p, "key_content", x), project(b, p, "key_pos", places));
    am_attention_inputs inputs = {.q = am_split_heads(b, q, c->decoder_heads),
                                  .k = am_split_heads(b, k, c->decoder_heads),
                                  .v = am_split_heads(b, project(b, p, "value", x), c->decoder_heads)};
    x = am_add_norm(b, "self_attn_layer_norm", x, attend(b, "self_attn.output_proj", &inputs));
    am_end_scope(b);
    return x;
}

/* Heads of content and of places side by side; waves: [B, Q, C] of the box's middle. */
static am_value attend_memory(am_builder *b, const dab_config *c, const decoding *d, am_value x, am_value places,
                              am_value waves, bool is_first)
{
    const char *p = "cross_attn";
    int64_t H = c->decoder_heads;
    am_scope(b, "cross_attn");
    am_value q = project(b, p, "query_content", x), k = project(b, p, "key_content", d->memory),
             k_place = am_broadcast(b, project(b, p, "key_pos", d->in.places), am_shape_of_value(b, k));
    if (is_first || c->keep_query_pos) {
        q = am_add(b, q, project(b, p, "query_pos", places));
        k = am_add(b, k, k_place);
    }
    am_value q_place = am_split_heads(b, project(b, p, "query_pos_sine", waves), H);
    am_attention_inputs inputs = {.q = am_concat2(b, am_split_heads(b, q, H), q_place, 3),
                                  .k = am_concat2(b, am_split_heads(b, k, H), am_split_heads(b, k_place, H), 3),
                                  .v = am_split_heads(b, project(b, p, "value", d->memory), H),
                                  .mask = d->in.mask};
    x = am_add_norm(b, "cross_attn_layer_norm", x, attend(b, "cross_attn.output_proj", &inputs));
    am_end_scope(b);
    return x;
}

/* Waves of a box's middle, y before x, scaled by how much of the box the query x wants to see. */
static am_value scaled_waves(am_builder *b, const dab_config *c, am_value waves, am_value x, am_value reference,
                             bool is_first)
{
    int64_t half = c->C / 2;
    waves = am_slice(b, waves, 2, 0, c->C);
    if (!is_first) waves = am_mul(b, waves, am_mlp_head(b, "query_scale", x, c->C, c->C, 2));
    am_value size = am_unary(b, AM_SIGMOID, am_mlp_head(b, "ref_anchor_head", x, c->C, 2, 2));
    am_value share = am_div(b, size, am_slice(b, reference, 2, 2, 4));
    am_value y = am_mul(b, am_slice(b, waves, 2, 0, half), am_slice(b, share, 2, 1, 2));
    return am_concat2(b, y, am_mul(b, am_slice(b, waves, 2, half, 2 * half), am_slice(b, share, 2, 0, 1)), 2);
}

/* Boxes that x moves, before the sigmoid; the decoder's head may be tied to the class's. */
static am_value move(am_builder *b, const dab_config *c, am_value x, am_value reference, bool is_of_decoder)
{
    bool own = is_of_decoder && am_has_weight(b, "model.decoder.bbox_embed.layers.0.weight");
    x = am_mlp_head(b, own ? "model.decoder.bbox_embed" : "bbox_predictor", x, c->C, BOX, 3);
    return am_add(b, x, am_inverse_sigmoid(b, reference, INVERSE_EPS));
}

static am_value layer(am_builder *b, const dab_config *c, const decoding *d, am_value x, int64_t i)
{
    am_scope(b, "%sdecoder", c->prefix);
    am_value waves = am_sine_coordinates(b, d->reference, c->C / 2, TEMPERATURE, 2 * acos(-1));
    am_value places = am_mlp_head(b, "ref_point_head", waves, c->C, c->C, 2);
    waves = scaled_waves(b, c, waves, x, d->reference, i == 0);
    am_scope(b, "layers.%d", (int)i);
    x = attend_queries(b, c, x, places);
    x = attend_memory(b, c, d, x, places, waves, i == 0);
    am_scope(b, "mlp");
    x = am_add_norm(b, "final_layer_norm", x, mlp(b, c, x, c->decoder_ffn_dim));
    am_end_scope(b);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static void decode(am_builder *b, const dab_config *c, decoding *d)
{
    am_value x = d->queries;
    d->states = am_states_make(b, c->decoder_layers + 1);
    d->intermediate = am_states_make(b, c->decoder_layers);
    d->references = am_states_make(b, c->decoder_layers);
    am_states_add(&d->references, d->reference);
    for (int64_t i = 0; i < c->decoder_layers && !am_builder_failed(b); i++) {
        am_states_add(&d->states, x);
        x = layer(b, c, d, x, i);
        am_scope(b, "%sdecoder", c->prefix);
        am_states_add(&d->intermediate, am_layer_norm(b, "layernorm", x, LAYER_NORM_EPS));
        am_end_scope(b);
        if (!*c->prefix || i == c->decoder_layers - 1) continue;
        d->reference = am_unary(b, AM_SIGMOID, move(b, c, x, d->reference, true));
        am_states_add(&d->references, d->reference);
    }
    if (am_builder_failed(b)) return;
    d->x = d->intermediate.items[c->decoder_layers - 1];
    am_states_add(&d->states, d->x);
}

/* Every pattern with every box. */
static void read_queries(am_builder *b, const dab_config *c, decoding *d)
{
    int64_t B = am_dim(b, d->in.tokens, 0), Q = c->num_queries, P = c->num_patterns ? c->num_patterns : 1;
    am_value boxes = am_repeated_rows(b, "query_refpoint_embeddings.weight", B, Q, BOX);
    d->queries = am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(B, Q, c->C));
    if (c->num_patterns) {
        am_value patterns = am_cast(b, am_weight(b, "patterns.weight", am_shape_of(P, c->C)), AM_F32);
        patterns = am_broadcast(b, am_reshape(b, patterns, am_shape_of(1, P, 1, c->C)), am_shape_of(B, P, Q, c->C));
        d->queries = am_flatten(b, patterns, 1, 2);
        boxes = am_flatten(b, am_broadcast(b, am_unsqueeze(b, boxes, 1), am_shape_of(B, P, Q, BOX)), 1, 2);
    }
    d->reference = am_unary(b, AM_SIGMOID, boxes);
}

static decoding run(am_builder *b, const dab_config *c, am_states *encoder_states)
{
    decoding d = {0};
    am_scope(b, "%s", *c->prefix ? "model" : "");
    d.in = read_image(b, c);
    d.memory = encode(b, c, &d.in, encoder_states);
    read_queries(b, c, &d);
    am_end_scope(b);
    decode(b, c, &d);
    return d;
}

/* The encoder's states are left out where hidden states are not wanted. */
static void output_states(am_builder *b, const decoding *d, const am_states *encoder_states)
{
    am_output(b, "last_hidden_state", d->x);
    am_states_output(b, "decoder_hidden_states", &d->states);
    if (am_wants_hidden_states(b)) am_output(b, "encoder_last_hidden_state", d->memory);
    am_states_output(b, "encoder_hidden_states", encoder_states);
}

static void dab_model(am_builder *b)
{
    dab_config c = read_config(b, "");
    am_states encoder_states;
    decoding d = run(b, &c, &encoder_states);
    if (am_builder_failed(b)) return;
    output_states(b, &d, &encoder_states);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &d.intermediate, 0));
    am_output(b, "reference_points", am_states_stack(b, &d.references, 0));
}

static void for_object_detection(am_builder *b)
{
    dab_config c = read_config(b, "model.");
    am_states encoder_states;
    decoding d = run(b, &c, &encoder_states);
    if (am_builder_failed(b)) return;
    am_output(b, "logits", am_linear(b, "class_embed", d.x, c.labels, AM_BIAS));
    am_output(b, "pred_boxes", am_unary(b, AM_SIGMOID, move(b, &c, d.x, d.reference, false)));
    output_states(b, &d, &encoder_states);
}

static const am_architecture architectures[] = {
    {"DabDetrModel", dab_model, NULL, 0},
    {"DabDetrForObjectDetection", for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_dab_detr = {.name = "dab-detr", .base_prefix = "model", .architectures = architectures};
