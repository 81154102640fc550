/* Deformable DETR: encoder and decoder read maps of several resolutions at a few places around each pixel and each
   query's point; boxes may be refined from layer to layer, and the first ones be proposed by the encoder. transformers:
   models/deformable_detr/modeling_deformable_detr.py */
#include "models/blocks/deformable.h"
#include "models/blocks/sine_positions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NORM_EPS = 1e-5, TEMPERATURE = 10000, INVERSE_EPS = 1e-5; /* not configurable */

typedef struct deformable_config {
    int64_t C, num_queries, proposals, labels, levels;
    int64_t encoder_layers, encoder_ffn_dim, decoder_layers, decoder_ffn_dim, decoder_heads;
    am_deformable_options encoder, decoder;
    am_unary_fn activation;
    bool learned_positions, two_stage, refines;
    const char *prefix; /* of the model: "model." or "" */
} deformable_config;

static am_deformable_options read_attention(const am_config *c, const char *heads, const char *points, int64_t levels,
                                            int64_t C)
{
    am_deformable_options o = am_deformable_options_read(c, am_config_size(c, heads, 8), points, levels);
    am_config_check_divides(c, heads, o.heads, "d_model", C);
    return o;
}

static void check(const am_config *c, const deformable_config *r)
{
    if (r->levels > AM_LEVELS_LIMIT)
        am_config_unsupported(c, "num_feature_levels", "at most %d are supported", AM_LEVELS_LIMIT);
    if (r->C % AM_PYRAMID_GROUPS)
        am_config_fail(c, "d_model", "%" PRId64 " does not divide by the %d groups of norms", r->C, AM_PYRAMID_GROUPS);
    if (r->decoder_layers < 1) am_config_fail(c, "decoder_layers", "expected 1 or more");
    if (r->two_stage && !am_config_flag(c, "with_box_refine", false))
        am_config_fail(c, "two_stage", "takes with_box_refine");
}

static deformable_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    const char *heads = am_config_either(c, "encoder_attention_heads", "num_attention_heads");
    deformable_config r = {
        .C = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 256),
        .num_queries = am_config_size(c, "num_queries", 300),
        .proposals = am_config_size(c, "two_stage_num_proposals", 300),
        .labels = am_config_labels(c),
        .levels = am_config_size(c, "num_feature_levels", 4),
        .encoder_layers = am_config_count(c, am_config_either(c, "encoder_layers", "num_hidden_layers"), 6),
        .encoder_ffn_dim = am_config_size(c, "encoder_ffn_dim", 1024),
        .decoder_layers = am_config_count(c, "decoder_layers", 6),
        .decoder_ffn_dim = am_config_size(c, "decoder_ffn_dim", 1024),
        .activation = am_config_activation(c, "activation_function", AM_RELU),
        .learned_positions = am_learned_positions_read(c),
        .two_stage = am_config_flag(c, "two_stage", false),
        .refines = am_config_flag(c, "with_box_refine", false) && *prefix,
        .prefix = prefix,
    };
    r.encoder = read_attention(c, heads, "encoder_n_points", r.levels, r.C);
    r.decoder = read_attention(c, "decoder_attention_heads", "decoder_n_points", r.levels, r.C);
    r.decoder_heads = r.decoder.heads;
    check(c, &r);
    return r;
}

/* --- heads --- */

static am_value class_head(am_builder *b, const deformable_config *c, am_value x, int64_t i, bool is_of_decoder)
{
    am_open_tied_head(b, "class_embed", i, "weight", is_of_decoder);
    x = am_linear_with(b, x, am_weight(b, "weight", am_shape_of(c->labels, c->C)),
                       am_weight(b, "bias", am_shape_of(c->labels)));
    am_end_scope(b);
    return x;
}

/* Boxes around reference: [B, Q, 2 or 4] before the sigmoid. */
static am_value box_head(am_builder *b, const deformable_config *c, am_value x, am_value reference, int64_t i,
                         bool is_of_decoder)
{
    am_open_tied_head(b, "bbox_embed", i, "layers.0.weight", is_of_decoder);
    x = am_mlp_head(b, "", x, c->C, 4, 3);
    am_end_scope(b);
    return am_add(b, x, am_dim(b, reference, -1) == 2 ? am_pad_zero(b, reference, 2, 0, 2) : reference);
}

/* --- encoder --- */

static am_pyramid read_image(am_builder *b, const deformable_config *c)
{
    am_pyramid_options o = {
        .C = c->C,
        .levels = (int)c->levels,
        .projections = "input_proj",
        .learned = c->learned_positions ? "position_embedding" : NULL,
        .sine = {.features = c->C / 2, .temperature = TEMPERATURE, .scale = 2 * acos(-1), .centres = true}};
    return am_read_pyramid(b, &o);
}

static am_value encode(am_builder *b, const deformable_config *c, const am_pyramid *in, am_states *states)
{
    am_value x = in->tokens, points = am_level_points(b, &in->levels);
    *states = am_states_make(b, c->encoder_layers + 1);
    am_states_add(states, x);
    for (int64_t i = 0; i < c->encoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layers.%d", (int)i);
        am_value h =
            am_deformable_attend(b, "self_attn", am_add(b, x, in->places), x, points, &in->levels, &c->encoder);
        x = am_add_norm(b, "self_attn_layer_norm", x, h);
        x = am_add_norm(b, "final_layer_norm", x, am_detr_mlp(b, x, c->encoder_ffn_dim, c->activation));
        am_end_scope(b);
        am_states_add(states, x);
    }
    return x;
}

/* --- decoder --- */

typedef struct result {
    am_pyramid in;
    am_value memory, x, queries, query_places;
    am_value reference; /* [B, Q, 2 or 4] */
    am_value enc_class, enc_boxes;
    am_states encoder_states, states, references; /* references: the first, and after each layer */
} result;

static am_value decoder_layer(am_builder *b, const deformable_config *c, const result *r, am_value x,
                              am_value reference)
{
    am_detr_attention attention = {.heads = c->decoder_heads};
    am_value placed = am_add(b, x, r->query_places);
    x = am_add_norm(b, "self_attn_layer_norm", x, am_detr_attend(b, "self_attn", placed, placed, x, &attention));
    am_value h = am_deformable_attend(b, "encoder_attn", am_add(b, x, r->query_places), r->memory, reference,
                                      &r->in.levels, &c->decoder);
    x = am_add_norm(b, "encoder_attn_layer_norm", x, h);
    return am_add_norm(b, "final_layer_norm", x, am_detr_mlp(b, x, c->decoder_ffn_dim, c->activation));
}

static void decode(am_builder *b, const deformable_config *c, result *r)
{
    am_value x = r->queries, reference = r->reference;
    r->states = am_states_make(b, c->decoder_layers + 1);
    r->references = am_states_make(b, c->decoder_layers + 1);
    am_states_add(&r->states, x);
    am_states_add(&r->references, reference);
    for (int64_t i = 0; i < c->decoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "%sdecoder.layers.%d", c->prefix, (int)i);
        x = decoder_layer(b, c, r, x, am_points_in_levels(b, &r->in.levels, reference));
        am_end_scope(b);
        if (c->refines)
            reference =
                am_unary(b, AM_SIGMOID, box_head(b, c, x, am_inverse_sigmoid(b, reference, INVERSE_EPS), i, true));
        am_states_add(&r->states, x);
        am_states_add(&r->references, reference);
    }
    r->x = x;
}

/* Queries and their points are parameters. */
static void learned_queries(am_builder *b, const deformable_config *c, result *r)
{
    int64_t B = am_dim(b, r->in.tokens, 0);
    am_value all = am_repeated_rows(b, "query_position_embeddings.weight", B, c->num_queries, 2 * c->C);
    r->query_places = am_slice(b, all, 2, 0, c->C);
    r->queries = am_slice(b, all, 2, c->C, AM_SLICE_END);
    r->reference = am_unary(b, AM_SIGMOID, am_linear(b, "reference_points", r->query_places, 2, AM_BIAS));
}

/* Boxes of the tokens whose first label is most likely. Within the scope of the model, but for heads. */
static void proposed_queries(am_builder *b, const deformable_config *c, result *r)
{
    am_value valid, proposals = am_level_proposals(b, &r->in.levels, &valid);
    am_scope(b, "%s", "model");
    am_value x = am_select(b, valid, r->memory, am_scalar(b, AM_F32, 0));
    x = am_layer_norm(b, "enc_output_norm", am_linear(b, "enc_output", x, c->C, AM_BIAS), NORM_EPS);
    am_end_scope(b);
    r->enc_class = class_head(b, c, x, c->decoder_layers, true);
    r->enc_boxes = box_head(b, c, x, proposals, c->decoder_layers, true);
    am_value best = am_best_rows(b, am_index(b, r->enc_class, 2, 0), c->proposals);
    r->reference = am_unary(b, AM_SIGMOID, am_take_rows(b, r->enc_boxes, best));
    am_value waves = am_sine_waves(b, r->reference, c->C / 2, TEMPERATURE, 2 * acos(-1));
    am_scope(b, "%s", "model");
    waves = am_linear(b, "pos_trans", am_flatten(b, waves, 2, 3), 2 * c->C, AM_BIAS);
    waves = am_layer_norm(b, "pos_trans_norm", waves, NORM_EPS);
    am_end_scope(b);
    r->query_places = am_slice(b, waves, 2, 0, c->C);
    r->queries = am_slice(b, waves, 2, c->C, AM_SLICE_END);
}

static result run(am_builder *b, const deformable_config *c)
{
    result r = {0};
    char scope[16];
    snprintf(scope, sizeof scope, "%.*s", (int)strcspn(c->prefix, "."), c->prefix);
    am_scope(b, "%s", scope);
    r.in = read_image(b, c);
    r.memory = encode(b, c, &r.in, &r.encoder_states);
    if (!c->two_stage) learned_queries(b, c, &r);
    am_end_scope(b);
    if (c->two_stage) proposed_queries(b, c, &r);
    decode(b, c, &r);
    return r;
}

/* --- classes --- */

static void output_result(am_builder *b, const result *r)
{
    am_states rest = {.items = r->states.items + 1, .count = r->states.count - 1},
              references = {.items = r->references.items + 1, .count = r->references.count - 1};
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", r->x);
    am_states_output(b, "decoder_hidden_states", &r->states);
    am_output(b, "encoder_last_hidden_state", r->memory);
    am_states_output(b, "encoder_hidden_states", &r->encoder_states);
    am_output(b, "init_reference_points", r->reference);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &rest, 1));
    am_output(b, "intermediate_reference_points", am_states_stack(b, &references, 1));
    if (!r->enc_class.id) return;
    am_output(b, "enc_outputs_class", r->enc_class);
    am_output(b, "enc_outputs_coord_logits", r->enc_boxes);
}

static void deformable_model(am_builder *b)
{
    deformable_config c = read_config(b, "");
    if (c.two_stage) am_config_unsupported(am_model_config(b), "two_stage", "this class has no heads for proposals");
    if (am_builder_failed(b) || c.two_stage) return;
    result r = run(b, &c);
    output_result(b, &r);
}

static void for_object_detection(am_builder *b)
{
    deformable_config c = read_config(b, "model.");
    result r = run(b, &c);
    if (am_builder_failed(b)) return;
    int64_t last = c.decoder_layers - 1;
    am_value reference = am_inverse_sigmoid(b, r.references.items[last], INVERSE_EPS);
    am_output(b, "logits", class_head(b, &c, r.x, last, false));
    am_output(b, "pred_boxes", am_unary(b, AM_SIGMOID, box_head(b, &c, r.x, reference, last, false)));
    output_result(b, &r);
}

static const am_architecture architectures[] = {
    {"DeformableDetrModel", deformable_model, NULL, 0},
    {"DeformableDetrForObjectDetection", for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_deformable_detr = {
    .name = "deformable_detr", .base_prefix = "model", .architectures = architectures};
