#include "models/blocks/grounding_dino.h"

#include "models/blocks/deformable.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>

static const double PLACES_TEMPERATURE = 10000, LOGIT_EPS = 1e-5; /* not configurable */

/* BERT's [CLS], [SEP], "." and "?", which end phrases. */
static const double DELIMITERS[] = {101, 102, 1012, 1029};

typedef struct grounding_config {
    const am_grounding_family *family;
    int64_t C, num_queries, levels, max_text_len;
    int64_t encoder_layers, encoder_ffn_dim, encoder_heads, decoder_layers, decoder_ffn_dim, decoder_heads;
    am_deformable_options encoder, decoder;
    am_unary_fn activation;
    bool learned_positions;
    double temperature, layer_norm_eps;
    am_config text;
    const char *prefix; /* of the model: "model" or "" */
} grounding_config;

static void check(const am_config *c, const grounding_config *r)
{
    if (r->levels > AM_LEVELS_LIMIT)
        am_config_unsupported(c, "num_feature_levels", "at most %d are supported", AM_LEVELS_LIMIT);
    if (r->C % AM_PYRAMID_GROUPS)
        am_config_fail(c, "d_model", "%" PRId64 " does not divide by the %d groups of norms", r->C, AM_PYRAMID_GROUPS);
    if (r->encoder_heads < 2) am_config_fail(c, "encoder_attention_heads", "expected 2 or more");
    if (r->encoder_ffn_dim < 2) am_config_fail(c, "encoder_ffn_dim", "expected 2 or more");
    if (r->decoder_layers < 1) am_config_fail(c, "decoder_layers", "expected 1 or more");
    am_config_check_divides(c, "encoder_attention_heads", r->encoder_heads, "d_model", r->C);
    am_config_check_divides(c, "decoder_attention_heads", r->decoder_heads, "d_model", r->C);
    if (r->encoder_heads >= 2 && (r->C % (r->encoder_heads / 2) || r->encoder_ffn_dim / 2 % (r->encoder_heads / 2)))
        am_config_fail(c, "encoder_attention_heads", "half of them do not divide d_model or half of encoder_ffn_dim");
    if (am_config_size(c, "query_dim", 4) != 4) am_config_unsupported(c, "query_dim", "boxes have 4 numbers");
    if (!am_config_flag(c, "embedding_init_target", true))
        am_config_unsupported(c, "embedding_init_target", "queries must be parameters");
    if (!am_config_flag(c, "two_stage", true))
        am_config_unsupported(c, "two_stage", "boxes must be proposed by the encoder, as transformers itself needs");
    if (r->family->may_share_boxes && am_config_flag(c, "two_stage_bbox_embed_share", false) &&
        !am_config_flag(c, "decoder_bbox_embed_share", true))
        am_config_fail(c, "two_stage_bbox_embed_share", "takes decoder_bbox_embed_share");
}

static grounding_config read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    grounding_config r = {
        .family = am_model_family(b),
        .C = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 256),
        .num_queries = am_config_size(c, "num_queries", 900),
        .levels = am_config_size(c, "num_feature_levels", 4),
        .max_text_len = am_config_size(c, "max_text_len", 256),
        .encoder_layers = am_config_count(c, "encoder_layers", 6),
        .encoder_ffn_dim = am_config_size(c, "encoder_ffn_dim", 2048),
        .encoder_heads = am_config_size(c, am_config_either(c, "encoder_attention_heads", "num_attention_heads"), 8),
        .decoder_layers = am_config_count(c, "decoder_layers", 6),
        .decoder_ffn_dim = am_config_size(c, "decoder_ffn_dim", 2048),
        .decoder_heads = am_config_size(c, "decoder_attention_heads", 8),
        .activation = am_config_activation(c, "activation_function", AM_RELU),
        .learned_positions = am_learned_positions_read(c),
        .temperature = am_config_real(c, "positional_embedding_temperature", 20),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .text = am_config_child(c, "text_config"),
        .prefix = prefix,
    };
    r.encoder = am_deformable_options_read(c, r.encoder_heads, "encoder_n_points", r.levels);
    r.decoder = am_deformable_options_read(c, r.decoder_heads, "decoder_n_points", r.levels);
    check(c, &r);
    return r;
}

static am_value add_norm(am_builder *b, const grounding_config *c, const char *name, am_value x, am_value y)
{
    return am_layer_norm(b, name, am_add(b, x, y), c->layer_norm_eps);
}

/* --- the text --- */

typedef struct text {
    am_value x;         /* [B, T, C] */
    am_value attended;  /* BOOL [B, T]: what is no padding */
    am_value phrases;   /* BOOL [B, 1, T, T]: tokens see those of their phrase */
    am_value positions; /* I32 [B, T], within the phrase */
} text;

static am_value is_delimiter(am_builder *b, am_value ids)
{
    am_value found = am_binary_number(b, AM_EQUAL, ids, DELIMITERS[0]);
    for (size_t i = 1; i < sizeof DELIMITERS / sizeof *DELIMITERS; i++)
        found = am_binary(b, AM_LOGICAL_OR, found, am_binary_number(b, AM_EQUAL, ids, DELIMITERS[i]));
    return found;
}

/* Tokens up to a delimiter, that included, are a phrase, unless it is the first or the last token; what is in none sees
   itself alone, at position 0. ids: I32 [B, T]. */
static void split_phrases(am_builder *b, am_value ids, text *t)
{
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    am_value i = am_iota(b, AM_F32, am_shape_of(1, T, 1), 1, 0, 1),
             j = am_iota(b, AM_F32, am_shape_of(1, 1, T), 2, 0, 1);
    am_value ends = am_unsqueeze(b, is_delimiter(b, ids), 1), before = am_binary(b, AM_LESS, j, i);
    am_value is_next = am_binary(b, AM_LOGICAL_AND, ends, am_unary(b, AM_LOGICAL_NOT, before));
    am_value next = am_select(b, is_next, j, am_scalar(b, AM_F32, (double)T));
    next = am_reduce(b, AM_REDUCE_MIN, next, am_shape_of(2), true); /* [B, T, 1] */
    am_value previous = am_select(b, am_binary(b, AM_LOGICAL_AND, ends, before), j, am_scalar(b, AM_F32, -1));
    previous = am_reduce(b, AM_REDUCE_MAX, previous, am_shape_of(2), true);
    am_value valid = am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_NOT_EQUAL, next, 0),
                               am_binary_number(b, AM_LESS, next, (double)T - 1));
    am_value same = am_binary(b, AM_EQUAL, next, am_transpose(b, next, 1, 2));
    same = am_binary(b, AM_LOGICAL_AND, same, am_transpose(b, valid, 1, 2));
    t->phrases = am_unsqueeze(b, am_binary(b, AM_LOGICAL_OR, same, am_binary(b, AM_EQUAL, i, j)), 1);
    am_value positions = am_add_number(b, am_sub(b, i, previous), -1);
    positions = am_select(b, valid, positions, am_scalar(b, AM_F32, 0));
    t->positions = am_cast(b, am_reshape(b, positions, am_shape_of(B, T)), AM_I32);
}

/* The first `length` tokens of an input, or AM_NONE. */
static am_value first_tokens(am_builder *b, const char *name, int64_t length)
{
    am_value x = am_input_optional(b, name, 2);
    return x.id ? am_slice(b, x, 1, 0, length) : AM_NONE;
}

static text read_text(am_builder *b, const grounding_config *c)
{
    text t = {0};
    am_value ids = am_input(b, "input_ids", 2);
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1), length = T < c->max_text_len ? T : c->max_text_len;
    split_phrases(b, ids, &t);
    t.phrases = am_slice(b, am_slice(b, t.phrases, 2, 0, length), 3, 0, length);
    t.positions = am_slice(b, t.positions, 1, 0, length);
    am_value mask = first_tokens(b, "attention_mask", length);
    t.attended = mask.id ? am_binary_number(b, AM_NOT_EQUAL, am_cast(b, mask, AM_F32), 0)
                         : am_cast(b, am_iota(b, AM_I32, am_shape_of(B, length), 1, 1, 0), AM_BOOL);
    am_part_input inputs[] = {{.name = "input_ids", .value = am_slice(b, ids, 1, 0, length)},
                              {.name = "attention_mask", .value = t.phrases},
                              {.name = "token_type_ids", .value = first_tokens(b, "token_type_ids", length)},
                              {.name = "position_ids", .value = t.positions}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "bert",
                    .config = &c->text,
                    .inputs = inputs,
                    .input_count = sizeof inputs / sizeof *inputs};
    am_scope(b, "text_backbone");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    t.x = am_linear(b, "text_projection", am_part_output(&outputs, "last_hidden_state"), c->C, AM_BIAS);
    return t;
}

/* [B, T] of BOOL as attention takes it. */
static am_value mask_of(am_builder *b, am_value attended)
{
    return attended.id ? am_unsqueeze(b, am_unsqueeze(b, attended, 1), 1) : AM_NONE;
}

/* --- the encoder --- */

static am_value attend(am_builder *b, const char *name, am_value q, am_value k, am_value v, int64_t heads,
                       am_value mask)
{
    int64_t C = am_dim(b, q, -1);
    am_scope(b, "%s", name);
    am_attention_inputs inputs = {.q = am_split_heads(b, am_linear(b, "query", q, C, AM_BIAS), heads),
                                  .k = am_split_heads(b, am_linear(b, "key", k, C, AM_BIAS), heads),
                                  .v = am_split_heads(b, am_linear(b, "value", v, C, AM_BIAS), heads),
                                  .mask = mask};
    am_value x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    x = am_linear(b, "out_proj", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* What pixels read of the text, and the text of pixels, by the same scores. */
static void fuse(am_builder *b, const grounding_config *c, const am_levels *levels, am_value *vision, text *t)
{
    int64_t width = c->encoder_ffn_dim / 2, heads = c->encoder_heads / 2;
    am_scope(b, "fusion_layer");
    *vision = am_layer_norm(b, "layer_norm_vision", *vision, c->layer_norm_eps);
    t->x = am_layer_norm(b, "layer_norm_text", t->x, c->layer_norm_eps);
    am_value pixels = am_split_heads(b, am_linear(b, "attn.vision_proj", *vision, width, AM_BIAS), heads),
             words = am_split_heads(b, am_linear(b, "attn.text_proj", t->x, width, AM_BIAS), heads);
    am_value of_pixels = am_split_heads(b, am_linear(b, "attn.values_vision_proj", *vision, width, AM_BIAS), heads),
             of_words = am_split_heads(b, am_linear(b, "attn.values_text_proj", t->x, width, AM_BIAS), heads);
    am_value seen = levels->attended.id ? am_binary_number(b, AM_NOT_EQUAL, levels->attended, 0) : AM_NONE;
    am_attention_inputs to_words = {.q = pixels, .k = words, .v = of_words, .mask = mask_of(b, t->attended)},
                        to_pixels = {.q = words, .k = pixels, .v = of_pixels, .mask = mask_of(b, seen)};
    am_value x = am_merge_heads(b, am_attention_op(b, &to_words, &(am_attention_attributes){0})),
             y = am_merge_heads(b, am_attention_op(b, &to_pixels, &(am_attention_attributes){0}));
    x = am_mul(b, am_linear(b, "attn.out_vision_proj", x, c->C, AM_BIAS),
               am_parameter(b, "vision_param", am_shape_of(c->C), *vision));
    y = am_mul(b, am_linear(b, "attn.out_text_proj", y, c->C, AM_BIAS),
               am_parameter(b, "text_param", am_shape_of(c->C), t->x));
    *vision = am_add(b, *vision, x);
    t->x = am_add(b, t->x, y);
    am_end_scope(b);
}

static am_value enhance(am_builder *b, const grounding_config *c, const text *t)
{
    am_value waves = am_sine_waves(b, am_cast(b, t->positions, AM_F32), c->C, PLACES_TEMPERATURE, 2 * acos(-1));
    am_value placed = am_add(b, t->x, waves), x = t->x;
    am_scope(b, "text_enhancer_layer");
    x = add_norm(b, c, "layer_norm_before", x,
                 attend(b, "self_attn", placed, placed, x, c->encoder_heads / 2, t->phrases));
    x = add_norm(b, c, "layer_norm_after", x, am_detr_mlp(b, x, c->encoder_ffn_dim / 2, c->activation));
    am_end_scope(b);
    return x;
}

static am_value read_around(am_builder *b, const grounding_config *c, const am_pyramid *in, am_value x, am_value points)
{
    am_scope(b, "deformable_layer");
    am_value h = am_deformable_attend(b, "self_attn", am_add(b, x, in->places), x, points, &in->levels, &c->encoder);
    x = add_norm(b, c, "self_attn_layer_norm", x, h);
    x = add_norm(b, c, "final_layer_norm", x, am_detr_mlp(b, x, c->encoder_ffn_dim, c->activation));
    am_end_scope(b);
    return x;
}

typedef struct result {
    am_pyramid in;
    text first, text;                       /* the words before the encoder, and after it */
    am_value memory, queries, reference, x; /* pixels, [B, Q, C], [B, Q, 4], the last state */
    am_value enc_class, enc_boxes, encoder_logits;
    am_states vision_states, text_states, decoder_states, intermediate, references; /* references: the first, too */
} result;

static void encode(am_builder *b, const grounding_config *c, result *r)
{
    am_pyramid_options o = {.C = c->C,
                            .levels = (int)c->levels,
                            .projections = "input_proj_vision",
                            .learned = c->learned_positions ? "backbone.position_embedding" : NULL,
                            .sine = {.features = c->C / 2, .temperature = c->temperature, .scale = 2 * acos(-1)}};
    r->text = r->first = read_text(b, c);
    r->in = am_read_pyramid(b, &o);
    am_value points = am_level_points(b, &r->in.levels);
    r->memory = r->in.tokens;
    r->vision_states = am_states_make(b, c->encoder_layers + 1);
    r->text_states = am_states_make(b, c->encoder_layers + 1);
    for (int64_t i = 0; i <= c->encoder_layers && !am_builder_failed(b); i++) {
        am_states_add(&r->vision_states, r->memory);
        am_states_add(&r->text_states, r->text.x);
        if (i == c->encoder_layers) break;
        am_scope(b, "encoder.layers.%d", (int)i);
        fuse(b, c, &r->in.levels, &r->memory, &r->text);
        r->text.x = enhance(b, c, &r->text);
        r->memory = read_around(b, c, &r->in, r->memory, points);
        am_end_scope(b);
    }
}

/* --- heads --- */

/* Products of x: [B, N, C] with words, -inf at padding and behind the text: [B, N, max_text_len]. The scope has the
   head's weights. */
static am_value scores_of(am_builder *b, const grounding_config *c, am_value x, am_value words, const text *t)
{
    int64_t behind = c->max_text_len - am_dim(b, words, 1);
    am_value y = am_matmul(b, x, words, false, true);
    if (c->family->scales_scores) {
        y = am_mul_number(b, y, 1 / sqrt((double)c->C));
        y = am_add(b, y, am_parameter(b, "bias", (am_shape){0}, y));
    }
    y = am_select(b, am_unsqueeze(b, t->attended, 1), y, am_scalar(b, AM_F32, -INFINITY));
    if (behind == 0 || am_builder_failed(b)) return y;
    am_shape rest = am_shape_of(am_dim(b, y, 0), am_dim(b, y, 1), behind);
    return am_concat2(b, y, am_broadcast(b, am_scalar(b, AM_F32, -INFINITY), rest), 2);
}

/* torch.special.logit */
static am_value logit(am_builder *b, am_value x)
{
    x = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, LOGIT_EPS), 1 - LOGIT_EPS);
    return am_inverse_sigmoid(b, x, LOGIT_EPS / 2);
}

/* Boxes that head i of the class's list makes of x around reference. */
static am_value boxes_around(am_builder *b, const grounding_config *c, am_value x, am_value reference, int64_t i,
                             bool is_of_decoder)
{
    am_open_tied_head(b, "bbox_embed", i, "layers.0.weight", is_of_decoder);
    x = am_mlp_head(b, "", x, c->C, 4, 3);
    am_end_scope(b);
    return am_unary(b, AM_SIGMOID, am_add(b, x, logit(b, reference)));
}

/* --- the decoder --- */

/* The pixels that are most like a word; within the scope of the model. */
static void propose(am_builder *b, const grounding_config *c, result *r)
{
    am_value valid, proposals = am_level_proposals(b, &r->in.levels, &valid);
    am_value x = am_select(b, valid, r->memory, am_scalar(b, AM_F32, 0));
    x = am_layer_norm(b, "enc_output_norm", am_linear(b, "enc_output", x, c->C, AM_BIAS), c->layer_norm_eps);
    am_scope(b, "encoder_output_class_embed");
    r->enc_class = scores_of(b, c, x, r->text.x, &r->text);
    r->encoder_logits = scores_of(b, c, r->queries, r->first.x, &r->first);
    am_end_scope(b);
    r->enc_boxes = am_add(b, am_mlp_head(b, "encoder_output_bbox_embed", x, c->C, 4, 3), proposals);
    am_value best = am_best_rows(b, am_reduce(b, AM_REDUCE_MAX, r->enc_class, am_shape_of(2), false), c->num_queries);
    r->reference = am_unary(b, AM_SIGMOID, am_take_rows(b, r->enc_boxes, best));
}

static am_value decoder_layer(am_builder *b, const grounding_config *c, const result *r, am_value x, am_value places,
                              am_value reference)
{
    am_value placed = am_add(b, x, places);
    x = add_norm(b, c, "self_attn_layer_norm", x, attend(b, "self_attn", placed, placed, x, c->decoder_heads, AM_NONE));
    am_value h = attend(b, "encoder_attn_text", am_add(b, x, places), r->text.x, r->text.x, c->decoder_heads,
                        mask_of(b, r->text.attended));
    x = add_norm(b, c, "encoder_attn_text_layer_norm", x, h);
    h = am_deformable_attend(b, "encoder_attn", am_add(b, x, places), r->memory, reference, &r->in.levels, &c->decoder);
    x = add_norm(b, c, "encoder_attn_layer_norm", x, h);
    return add_norm(b, c, "final_layer_norm", x, am_detr_mlp(b, x, c->decoder_ffn_dim, c->activation));
}

/* Where a box stands in the first level, as waves through two layers. */
static am_value places_of(am_builder *b, const grounding_config *c, am_value reference)
{
    am_value x = am_index(b, reference, 2, 0);
    x = am_sine_coordinates(b, x, c->C / 2, PLACES_TEMPERATURE, 2 * acos(-1));
    return am_mlp_head(b, "reference_points_head", x, c->C, c->C, 2);
}

static void decode(am_builder *b, const grounding_config *c, result *r)
{
    am_value x = r->queries, reference = r->reference;
    r->decoder_states = am_states_make(b, c->decoder_layers + 1);
    r->intermediate = am_states_make(b, c->decoder_layers);
    r->references = am_states_make(b, c->decoder_layers + 1);
    am_states_add(&r->references, reference);
    for (int64_t i = 0; i < c->decoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "%s", c->prefix);
        am_scope(b, "decoder");
        am_states_add(&r->decoder_states, am_layer_norm(b, "layer_norm", x, c->layer_norm_eps));
        am_value in_levels = am_points_in_levels(b, &r->in.levels, reference), places = places_of(b, c, in_levels);
        am_scope(b, "layers.%d", (int)i);
        x = decoder_layer(b, c, r, x, places, in_levels);
        am_end_scope(b);
        am_states_add(&r->intermediate, r->x = am_layer_norm(b, "layer_norm", x, c->layer_norm_eps));
        am_end_scope(b);
        am_end_scope(b);
        if (*c->prefix) reference = boxes_around(b, c, x, reference, i, true);
        am_states_add(&r->references, reference);
    }
    am_states_add(&r->decoder_states, r->x);
}

static result run(am_builder *b, const grounding_config *c)
{
    result r = {0};
    am_scope(b, "%s", c->prefix);
    encode(b, c, &r);
    int64_t B = am_dim(b, r.memory, 0);
    r.queries = am_repeated_rows(b, "query_position_embeddings.weight", B, c->num_queries, c->C);
    propose(b, c, &r);
    am_end_scope(b);
    decode(b, c, &r);
    return r;
}

/* --- classes --- */

static void output_result(am_builder *b, const result *r)
{
    am_states references = {.items = r->references.items + 1, .count = r->references.count - 1};
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", r->x);
    am_output(b, "init_reference_points", r->reference);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &r->intermediate, 1));
    am_output(b, "intermediate_reference_points", am_states_stack(b, &references, 1));
    am_states_output(b, "decoder_hidden_states", &r->decoder_states);
    am_output(b, "encoder_last_hidden_state_vision", r->memory);
    am_output(b, "encoder_last_hidden_state_text", r->text.x);
    am_states_output(b, "encoder_vision_hidden_states", &r->vision_states);
    am_states_output(b, "encoder_text_hidden_states", &r->text_states);
    am_output(b, "enc_outputs_class", r->enc_class);
    am_output(b, "enc_outputs_coord_logits", r->enc_boxes);
    am_output(b, "encoder_logits", r->encoder_logits);
    am_output(b, "encoder_pred_boxes", r->reference);
}

void am_grounding_model(am_builder *b)
{
    grounding_config c = read_config(b, "");
    result r = run(b, &c);
    output_result(b, &r);
}

void am_grounding_for_object_detection(am_builder *b)
{
    grounding_config c = read_config(b, "model");
    am_value ids = am_input(b, "input_ids", 2);
    if (am_dim(b, ids, 1) > c.max_text_len)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_ids have %" PRId64 " tokens, max_text_len is %" PRId64,
                                    am_dim(b, ids, 1), c.max_text_len));
    result r = run(b, &c);
    if (am_builder_failed(b)) return;
    int64_t last = c.decoder_layers - 1;
    if (c.family->scales_scores) am_open_tied_head(b, "class_embed", last, "bias", false);
    am_output(b, "logits", scores_of(b, &c, r.x, r.text.x, &r.text));
    if (c.family->scales_scores) am_end_scope(b);
    am_output(b, "pred_boxes", boxes_around(b, &c, r.x, r.references.items[last], last, false));
    am_output(b, "input_ids", ids);
    output_result(b, &r);
}
