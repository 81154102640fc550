#include "models/blocks/rt_detr.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const double BATCH_NORM_EPS = 1e-5; /* of the encoder's projections; not configurable */

/* --- configuration --- */

static int list_length(const am_config *c, const char *key, int fallback)
{
    size_t count = am_json_count(am_json_get(c->object, key));
    if (!am_config_has(c, key)) return fallback;
    if (count >= 1 && count <= AM_LEVELS_LIMIT) return (int)count;
    am_config_fail(c, key, "expected 1 to %d numbers", AM_LEVELS_LIMIT);
    return 1;
}

static am_hybrid_options read_encoder(const am_config *c, bool is_fine)
{
    const char *heads = am_config_either(c, "encoder_attention_heads", "num_attention_heads");
    am_hybrid_options r = {
        .count = list_length(c, "encoder_in_channels", 3),
        .C = am_config_size(c, "encoder_hidden_dim", 256),
        .layers = am_config_count(c, "encoder_layers", 1),
        .heads = am_config_size(c, heads, 8),
        .inner = am_config_size(c, "encoder_ffn_dim", 1024),
        .temperature = am_config_real(c, "positional_encoding_temperature", 10000),
        .attention_act = am_config_activation(c, "encoder_activation_function", AM_GELU),
        .act = am_config_activation(c, "activation_function", AM_SILU),
        .normalize_before = am_config_flag(c, "normalize_before", false),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .batch_norm_eps = am_config_real(c, "batch_norm_eps", 1e-5),
        .expansion = am_config_real(c, "hidden_expansion", 1),
        .is_fine = is_fine,
    };
    if (am_config_is(c, "encoder_type", "lite")) r.count = 2; /* DEIMv2's small encoder, which has no attention */
    else am_hybrid_read_attended(c, "encode_proj_layers", &r);
    if (am_config_has(c, "eval_size")) r.temperature = 0;
    am_config_check_divides(c, heads, r.heads, "encoder_hidden_dim", r.C);
    if (r.C % 4) am_config_fail(c, "encoder_hidden_dim", "%" PRId64 " does not divide by 4", r.C);
    if (!(r.expansion > 0 && r.expansion <= 1024)) am_config_fail(c, "hidden_expansion", "expected above 0");
    else if (r.expansion * (double)r.C < (is_fine ? 2 : 1)) am_config_fail(c, "hidden_expansion", "leaves no channels");
    return r;
}

static void read_points(const am_config *c, am_rt_detr_options *r, bool may_be_list)
{
    int64_t listed[AM_LEVELS_LIMIT];
    bool is_list = may_be_list && am_json_kind_of(am_json_get(c->object, "decoder_n_points")) == AM_JSON_ARRAY;
    int64_t one = is_list ? 0 : am_config_size(c, "decoder_n_points", 4);
    int count = is_list ? am_config_sizes(c, "decoder_n_points", listed, AM_LEVELS_LIMIT, NULL, 0) : 0;
    if (is_list && count != r->levels)
        am_config_fail(c, "decoder_n_points", "expected as many as num_feature_levels, %" PRId64, r->levels);
    for (int i = 0; i < r->levels && i < AM_LEVELS_LIMIT; i++)
        r->attention.points[i] = is_list ? (i < count ? listed[i] : 1) : one;
}

static void check_levels(const am_config *c, am_rt_detr_options *r)
{
    if (r->levels < r->encoder.count || r->levels > AM_LEVELS_LIMIT) {
        am_config_fail(c, "num_feature_levels", "expected %d, as many as encoder_in_channels, to %d", r->encoder.count,
                       AM_LEVELS_LIMIT);
        r->levels = r->encoder.count;
    }
    if (list_length(c, "decoder_in_channels", 3) != r->encoder.count)
        am_config_fail(c, "decoder_in_channels", "expected as many as encoder_in_channels, %d", r->encoder.count);
    if (r->layers < 1) am_config_fail(c, "decoder_layers", "expected 1 or more");
}

am_rt_detr_options am_rt_detr_read(am_builder *b, bool with_heads, bool is_fine)
{
    const am_config *c = am_model_config(b);
    am_rt_detr_options r = {
        .encoder = read_encoder(c, is_fine),
        .C = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 256),
        .num_queries = am_config_size(c, "num_queries", 300),
        .levels = am_config_size(c, "num_feature_levels", 3),
        .layers = am_config_count(c, "decoder_layers", 6),
        .heads = am_config_size(c, "decoder_attention_heads", 8),
        .inner = am_config_size(c, "decoder_ffn_dim", 1024),
        .labels = am_config_labels(c),
        .act = am_config_activation(c, "decoder_activation_function", AM_RELU),
        .learned_queries = am_config_flag(c, "learn_initial_query", false),
        .prefix = with_heads ? "model." : "",
    };
    if (!am_config_has(c, "backbone_config")) am_config_unsupported(c, "backbone_config", "has to be given");
    if (r.learned_queries)
        am_config_unsupported(c, "learn_initial_query", "transformers has no way to compute with learned queries");
    check_levels(c, &r);
    r.attention.heads = r.heads;
    read_points(c, &r, is_fine);
    am_config_check_divides(c, "decoder_attention_heads", r.heads, "d_model", r.C);
    return r;
}

void am_rt_detr_read_method(const am_config *c, am_rt_detr_options *r)
{
    r->attention.offset_scale = am_config_real(c, "decoder_offset_scale", 0.5);
    r->attention.point_scale = r->encoder.is_fine ? "num_points_scale" : "n_points_scale";
    r->attention.is_discrete = am_config_is(c, "decoder_method", "discrete");
    if (!(r->attention.offset_scale > 0)) am_config_unsupported(c, "decoder_offset_scale", "expected above 0");
    if (!r->attention.is_discrete && am_config_has(c, "decoder_method") &&
        !am_config_is(c, "decoder_method", "default"))
        am_config_fail(c, "decoder_method", "expected \"default\" or \"discrete\", found \"%s\"",
                       am_config_text(c, "decoder_method", ""));
}

/* --- before the decoder --- */

/* Convolution LIST.i.0 without bias and its batch norm. */
static am_value project(am_builder *b, const char *list, int i, am_value x, int64_t out, int64_t kernel, double eps)
{
    am_convolution_attributes options = {0};
    if (kernel == 3)
        options.stride = am_shape_of(2, 2), options.padding_before = options.padding_after = am_shape_of(1, 1);
    am_scope(b, "%s.%d", list, i);
    x = am_batch_norm(b, "1", am_conv(b, "0", x, out, am_shape_of(kernel, kernel), AM_NO_BIAS, &options), eps);
    am_end_scope(b);
    return x;
}

/* The maps that the decoder reads; those beyond the encoder's are all of its last one. D-FINE takes maps that have its
   width as they are. */
static void read_maps(am_builder *b, const am_rt_detr_options *o, const am_value *maps, am_value *out)
{
    int count = o->encoder.count;
    bool as_they_are = o->encoder.is_fine && o->C == o->encoder.C;
    for (int i = 0; i < o->levels && !am_builder_failed(b); i++) {
        out[i] = maps[i < count ? i : count - 1];
        if (as_they_are) continue;
        if (o->named_input) {
            am_scope(b, "decoder_input_proj");
            am_scope(b, "%d", i);
            out[i] =
                am_hybrid_conv(b, &o->encoder, "", out[i], o->C, i < count ? 1 : 3, i < count ? 1 : 2, AM_IDENTITY);
            am_end_scope(b);
            am_end_scope(b);
        } else out[i] = project(b, "decoder_input_proj", i, out[i], o->C, i < count ? 1 : 3, o->encoder.batch_norm_eps);
    }
}

static void check_anchors(am_builder *b, const am_levels *levels)
{
    const am_config *c = am_model_config(b);
    int64_t size[2], strides[AM_LEVELS_LIMIT];
    if (!am_config_has(c, "anchor_image_size") || am_builder_failed(b)) return;
    int count = am_config_sizes(c, "feat_strides", strides, AM_LEVELS_LIMIT, (const int64_t[]){8, 16, 32}, 3);
    bool fits = am_config_sizes(c, "anchor_image_size", size, 2, NULL, 0) == 2 && count == levels->count;
    for (int i = 0; i < count && fits; i++)
        fits = size[0] / strides[i] == levels->heights[i] && size[1] / strides[i] == levels->widths[i];
    if (!fits)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "maps of the image are not those of anchor_image_size"));
}

/* The same boxes as centres and corners, as logits: [1, S, 10]. */
static am_value quad_proposals(am_builder *b, const am_levels *levels, am_value *out_valid)
{
    am_value boxes = am_level_boxes(b, levels, out_valid);
    am_value half = am_mul_number(b, am_slice(b, boxes, 2, 2, 3), 0.5), high = am_add_number(b, half, 0.5),
             low = am_add_number(b, am_unary(b, AM_NEG, half), 0.5);
    am_value parts[] = {am_slice(b, boxes, 2, 0, 2), low, low, high, low, high, high, low, high};
    am_value x = am_concat(b, parts, 9, 2);
    return am_unary(b, AM_LOG, am_div(b, x, am_add_number(b, am_unary(b, AM_NEG, x), 1)));
}

/* Boxes and classes of all tokens, and the best as queries. */
static void choose(am_builder *b, const am_rt_detr_options *o, am_rt_detr_start *r)
{
    am_value valid,
        anchors = o->quads ? quad_proposals(b, &r->levels, &valid) : am_level_proposals(b, &r->levels, &valid);
    anchors = am_select(b, valid, anchors, am_scalar(b, AM_F32, FLT_MAX));
    am_value x = am_mul(b, r->tokens, am_cast(b, valid, AM_F32));
    x = am_layer_norm(b, "enc_output.1", am_linear(b, "enc_output.0", x, o->C, AM_BIAS), o->encoder.layer_norm_eps);
    r->logits = am_linear(b, "enc_score_head", x, o->labels, AM_BIAS);
    r->boxes = am_add(b, am_mlp_head(b, "enc_bbox_head", x, o->C, o->quads ? 10 : 4, 3), anchors);
    am_value best = am_best_rows(b, am_reduce(b, AM_REDUCE_MAX, r->logits, am_shape_of(2), false), o->num_queries);
    r->reference = am_take_rows(b, r->boxes, best);
    r->best_boxes = am_unary(b, AM_SIGMOID, r->reference);
    r->best_logits = am_take_rows(b, r->logits, best);
    r->queries = am_take_rows(b, x, best);
}

/* The backbone's maps, projected; the finest where it is kept. */
static void backbone_maps(am_builder *b, const am_rt_detr_options *o, am_value *out, am_value *finest)
{
    am_scope(b, "backbone.model");
    int skipped = o->keeps_finest, count = o->encoder.count + skipped;
    am_feature_maps found = am_backbone_maps(b, count, count);
    am_end_scope(b);
    if (skipped) *finest = found.maps[0];
    for (int i = 0; i < o->encoder.count && !am_builder_failed(b); i++)
        out[i] = project(b, "encoder_input_proj", i, found.maps[i + skipped], o->encoder.C, 1, BATCH_NORM_EPS);
}

am_rt_detr_start am_rt_detr_begin(am_builder *b, const am_rt_detr_options *o)
{
    am_rt_detr_start r = {.states = am_states_make(b, AM_LEVELS_LIMIT + 1)};
    am_value maps[AM_LEVELS_LIMIT];
    am_input_optional(b, "pixel_mask", 3); /* is taken and has no effect */
    am_scope(b, "%.*s", (int)strcspn(o->prefix, "."), o->prefix);
    if (o->read_maps) o->read_maps(b, o, maps);
    else backbone_maps(b, o, maps, &r.finest);
    if (am_builder_failed(b)) return r;
    am_scope(b, "encoder");
    (o->encode ? o->encode : am_hybrid_encode)(b, &o->encoder, maps, r.maps, &r.states);
    am_end_scope(b);
    if (am_builder_failed(b)) return r;
    read_maps(b, o, r.maps, maps);
    if (am_builder_failed(b)) return r;
    r.levels = am_levels_of(b, maps, NULL, (int)o->levels);
    r.tokens = am_levels_flatten(b, maps, (int)o->levels);
    check_anchors(b, &r.levels);
    choose(b, o, &r);
    am_end_scope(b);
    return r;
}

/* --- decoder --- */

am_value am_rt_detr_attend_queries(am_builder *b, const am_rt_detr_options *o, am_value x, am_value places)
{
    am_detr_attention attention = {.heads = o->heads};
    am_value placed = am_add(b, x, places);
    x = am_add(b, x, am_detr_attend(b, "self_attn", placed, placed, x, &attention));
    return am_layer_norm(b, "self_attn_layer_norm", x, o->encoder.layer_norm_eps);
}

am_value am_rt_detr_class_head(am_builder *b, const am_rt_detr_options *o, am_value x, int64_t i)
{
    am_open_tied_head(b, "class_embed", i, "weight", true);
    x = am_linear_with(b, x, am_weight(b, "weight", am_shape_of(o->labels, o->C)),
                       am_weight(b, "bias", am_shape_of(o->labels)));
    am_end_scope(b);
    return x;
}

am_value am_rt_detr_layer(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s, am_value x,
                          am_value places, am_value reference)
{
    double eps = o->encoder.layer_norm_eps;
    x = am_rt_detr_attend_queries(b, o, x, places);
    am_value h =
        am_deformable_attend(b, "encoder_attn", am_add(b, x, places), s->tokens, reference, &s->levels, &o->attention);
    x = am_layer_norm(b, "encoder_attn_layer_norm", am_add(b, x, h), eps);
    return am_layer_norm(b, "final_layer_norm", am_add(b, x, am_detr_mlp(b, x, o->inner, o->act)), eps);
}

/* The reference moved by head i. */
static am_value refine(am_builder *b, const am_rt_detr_options *o, am_value x, am_value reference, int64_t i)
{
    am_open_tied_head(b, "bbox_embed", i, "layers.0.weight", true);
    x = am_mlp_head(b, "", x, o->C, 4, 3);
    am_end_scope(b);
    return am_unary(b, AM_SIGMOID, am_add(b, x, am_inverse_sigmoid(b, reference, 1e-5)));
}

am_rt_detr_decoded am_rt_detr_decoded_make(am_builder *b, const am_rt_detr_options *o)
{
    return (am_rt_detr_decoded){am_states_make(b, o->layers + 1), am_states_make(b, o->layers),
                                am_states_make(b, o->layers), am_states_make(b, o->layers)};
}

am_rt_detr_decoded am_rt_detr_decode(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s)
{
    am_rt_detr_decoded r = am_rt_detr_decoded_make(b, o);
    am_value x = s->queries, reference = am_unary(b, AM_SIGMOID, s->reference);
    am_states_add(&r.states, x);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        am_scope(b, "%sdecoder", o->prefix);
        am_value places = am_mlp_head(b, "query_pos_head", reference, 2 * o->C, o->C, 2);
        am_scope(b, "layers.%d", (int)i);
        x = am_rt_detr_layer(b, o, s, x, places, am_unsqueeze(b, reference, 2));
        am_end_scope(b);
        am_end_scope(b);
        if (*o->prefix) {
            reference = refine(b, o, x, reference, i);
            am_states_add(&r.logits, am_rt_detr_class_head(b, o, x, i));
        }
        am_states_add(&r.states, x);
        am_states_add(&r.hidden, x);
        am_states_add(&r.references, reference);
    }
    return r;
}

/* --- classes --- */

void am_rt_detr_output_encoded(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s)
{
    char name[64];
    for (int i = 0; i < o->encoder.count; i++) {
        snprintf(name, sizeof name, "encoder_last_hidden_state.%d", i);
        am_output(b, name, s->maps[i]);
    }
    am_states_output(b, "encoder_hidden_states", &s->states);
}

void am_rt_detr_output_start(am_builder *b, const am_rt_detr_start *s)
{
    am_output(b, "init_reference_points", s->reference);
    am_output(b, "enc_topk_logits", s->best_logits);
    am_output(b, "enc_topk_bboxes", s->best_boxes);
    am_output(b, "enc_outputs_class", s->logits);
    am_output(b, "enc_outputs_coord_logits", s->boxes);
}

void am_rt_detr_output_decoded(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s,
                               const am_rt_detr_decoded *r)
{
    am_output(b, "last_hidden_state", r->hidden.items[o->layers - 1]);
    am_output(b, "intermediate_hidden_states", am_states_stack(b, &r->hidden, 1));
    if (r->logits.count) am_output(b, "intermediate_logits", am_states_stack(b, &r->logits, 1));
    am_output(b, "intermediate_reference_points", am_states_stack(b, &r->references, 1));
    am_states_output(b, "decoder_hidden_states", &r->states);
    am_rt_detr_output_encoded(b, o, s);
    am_rt_detr_output_start(b, s);
}

static void build(am_builder *b, bool with_heads)
{
    const am_config *c = am_model_config(b);
    am_rt_detr_options o = am_rt_detr_read(b, with_heads, false);
    if (am_model_family(b)) {
        am_rt_detr_read_method(c, &o);
        if (am_config_size(c, "decoder_n_levels", 3) != o.levels)
            am_config_fail(c, "decoder_n_levels", "expected num_feature_levels, %" PRId64, o.levels);
    }
    am_rt_detr_start s = am_rt_detr_begin(b, &o);
    if (am_builder_failed(b)) return;
    am_rt_detr_decoded r = am_rt_detr_decode(b, &o, &s);
    if (am_builder_failed(b)) return;
    if (with_heads) {
        am_output(b, "logits", r.logits.items[o.layers - 1]);
        am_output(b, "pred_boxes", r.references.items[o.layers - 1]);
    }
    am_rt_detr_output_decoded(b, &o, &s, &r);
}

void am_rt_detr_model(am_builder *b)
{
    build(b, false);
}

void am_rt_detr_for_object_detection(am_builder *b)
{
    build(b, true);
}
