/* OmDet-Turbo: boxes of classes that texts name. CLIP's text tower gives a vector for each class and the words of a
   task; RT-DETR's encoder reads the image, its best places by those vectors become queries, and the decoder's queries
   attend to each other together with the task's words. transformers: models/omdet_turbo/modeling_omdet_turbo.py */
#include "models/blocks/heads.h"
#include "models/blocks/hybrid_encoder.h"

#include <inttypes.h>
#include <stdio.h>

static const double BATCH_NORM_EPS = 1e-5; /* of projections; not configurable */
static const double SHARPNESS = 1 / 0.07;  /* of cosines */

typedef struct omdet {
    const am_config *config;
    am_hybrid_options encoder;
    am_deformable_options attention;
    int64_t num_queries, layers, heads, inner, task_inner, class_size, projected_size;
    am_unary_fn act;
    bool cosine, learned_queries;
    double eps;
} omdet;

/* What texts say: classes [B, K, D], words of the task [B, T, D], and which of them count, BOOL [B, T]. */
typedef struct texts {
    am_value classes, task, attended;
} texts;

/* What the image gives. */
typedef struct sight {
    am_value maps[AM_LEVELS_LIMIT]; /* of the encoder */
    am_levels levels;
    am_value tokens;             /* [B, S, C] */
    am_value queries, reference; /* [B, Q, C], [B, Q, 4] before the sigmoid */
} sight;

/* --- configuration --- */

static void read_attended(const am_config *c, am_hybrid_options *r)
{
    am_hybrid_read_attended(c, "encoder_projection_indices", r);
    if (!r->attended_count) am_config_unsupported(c, "encoder_projection_indices", "expected one map or more");
    for (int i = 0; i < r->attended_count; i++) {
        bool is_new = true;
        for (int k = 0; k < i; k++) is_new = is_new && r->attended[k] != r->attended[i];
        if (is_new) continue;
        am_config_fail(c, "encoder_projection_indices", "expected different ones of %d maps", r->count);
        r->attended[i] = 0;
    }
}

static am_hybrid_options read_encoder(const am_config *c)
{
    static const int64_t channels[] = {192, 384, 768};
    int64_t found[AM_LEVELS_LIMIT];
    const char *size = am_config_either(c, "encoder_hidden_dim", "d_model"),
               *heads = am_config_either(c, "encoder_attention_heads", "num_attention_heads");
    am_hybrid_options r = {
        .count = am_config_sizes(c, "encoder_in_channels", found, AM_LEVELS_LIMIT, channels, 3),
        .C = am_config_size(c, size, 256),
        .layers = am_config_count(c, "encoder_layers", 1),
        .heads = am_config_size(c, heads, 8),
        .inner = am_config_size(c, "encoder_dim_feedforward", 2048),
        .temperature = am_config_real(c, "positional_encoding_temperature", 10000),
        .counts_height = true,
        .bare_names = true,
        .attention_act = am_config_activation(c, "encoder_feedforward_activation", AM_RELU),
        .act = am_config_activation(c, "csp_activation", AM_SILU),
        .between_act = am_config_activation(c, "conv_norm_activation", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .batch_norm_eps = am_config_real(c, "batch_norm_eps", 1e-5),
        .expansion = am_config_real(c, "hidden_expansion", 1),
    };
    if (r.count < 1) am_config_fail(c, "encoder_in_channels", "expected 1 size or more");
    read_attended(c, &r);
    if (!(r.temperature > 0)) am_config_fail(c, "positional_encoding_temperature", "expected above 0");
    if (am_config_has(c, "eval_size")) r.temperature = 0;
    am_config_check_divides(c, heads, r.heads, size, r.C);
    if (r.C % 4) am_config_fail(c, size, "%" PRId64 " does not divide by 4", r.C);
    if (!(r.expansion > 0 && r.expansion <= 1024 && r.expansion * (double)r.C >= 1))
        am_config_fail(c, "hidden_expansion", "expected above 0, and channels");
    return r;
}

static void check(const omdet *o)
{
    const am_config *c = o->config;
    int64_t channels[AM_LEVELS_LIMIT], C = am_config_size(c, "decoder_hidden_dim", 256);
    int count =
        am_config_sizes(c, "vision_features_channels", channels, AM_LEVELS_LIMIT, (int64_t[]){256, 256, 256}, 3);
    if (count < o->encoder.count)
        am_config_fail(c, "vision_features_channels", "expected as many as encoder_in_channels, %d", o->encoder.count);
    for (int i = 0; i < count; i++)
        if (channels[i] != o->encoder.C)
            am_config_fail(c, "vision_features_channels", "expected the encoder's size, %" PRId64, o->encoder.C);
    if (C != o->encoder.C)
        am_config_fail(c, "decoder_hidden_dim", "expected the encoder's size, %" PRId64, o->encoder.C);
    if (am_config_size(c, "num_feature_levels", 3) != o->encoder.count)
        am_config_fail(c, "num_feature_levels", "expected as many as encoder_in_channels, %d", o->encoder.count);
    if (o->class_size == C)
        am_config_unsupported(c, "class_embed_dim", "transformers has no way to compute with decoder_hidden_dim");
    if (o->projected_size != o->class_size)
        am_config_fail(c, "text_projection_out_dim", "expected class_embed_dim, %" PRId64, o->class_size);
    if (o->layers < 1) am_config_fail(c, "decoder_num_layers", "expected 1 or more");
    if (!o->cosine && !am_config_is(c, "class_distance_type", "dot"))
        am_config_fail(c, "class_distance_type", "expected \"cosine\" or \"dot\"");
    am_config_check_divides(c, "decoder_num_heads", o->heads, "decoder_hidden_dim", C);
}

static omdet read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    omdet o = {.config = c,
               .encoder = read_encoder(c),
               .num_queries = am_config_size(c, "num_queries", 900),
               .layers = am_config_count(c, "decoder_num_layers", 6),
               .heads = am_config_size(c, "decoder_num_heads", 8),
               .inner = am_config_size(c, "decoder_dim_feedforward", 2048),
               .task_inner = am_config_size(c, "task_encoder_hidden_dim", 1024),
               .class_size = am_config_size(c, "class_embed_dim", 512),
               .projected_size = am_config_size(c, "text_projection_out_dim", 512),
               .act = am_config_activation(c, "decoder_activation", AM_RELU),
               .cosine = !am_config_has(c, "class_distance_type") || am_config_is(c, "class_distance_type", "cosine"),
               .learned_queries = am_config_flag(c, "learn_initial_query", false),
               .eps = am_config_real(c, "layer_norm_eps", 1e-5)};
    check(&o);
    o.attention = am_deformable_options_read(c, o.heads, "decoder_num_points", o.encoder.count);
    return o;
}

/* --- texts --- */

/* States of the words of ids: I32 [N, T] by the text tower: [N, T, D]. */
static am_value read_words(am_builder *b, am_value ids)
{
    am_config c = am_config_child(am_model_config(b), "text_config");
    am_part_input inputs[] = {
        {.name = "input_ids", .value = ids}, {.name = "attention_mask"}, {.name = "position_ids"}};
    am_scope(b, "language_backbone.model");
    am_part_outputs found = am_build_part(b, &(am_part){.auto_class = "AutoModel",
                                                        .model_type = "clip_text_model",
                                                        .config = &c,
                                                        .inputs = inputs,
                                                        .input_count = 3});
    am_end_scope(b);
    return am_part_output(&found, "last_hidden_state");
}

/* Vectors of all classes, one after the other: [N, D]. */
static am_value class_vectors(am_builder *b, const omdet *o)
{
    int64_t in = am_config_size(o->config, "text_projection_in_dim", 512);
    am_value ids = am_input(b, "classes_input_ids", 2);
    am_input_optional(b, "classes_attention_mask", 2); /* is taken and has no effect */
    am_value x = am_rows_at(b, read_words(b, ids), am_arg_reduce(b, ids, 1, false));
    am_value weight = am_weight(b, "language_backbone.text_projection", am_shape_of(in, o->projected_size));
    if (am_builder_failed(b)) return AM_NONE;
    return am_matmul(b, x, am_cast(b, weight, AM_F32), false, false);
}

/* Those of each image, with zeros after the last: [B, K, D]. */
static am_value classes_by_image(am_builder *b, am_value vectors, int64_t B)
{
    int64_t most = 1, start = 0, N = am_dim(b, vectors, 0);
    am_value *rows = am_arena_array(am_builder_arena(b), (size_t)B + 1, sizeof *rows);
    if (!rows) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < B; i++) {
        int64_t size = am_shaping_number(b, "classes_structure", i);
        if (size > most) most = size;
    }
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        int64_t size = am_shaping_number(b, "classes_structure", i);
        if (size < 0 || size > N - start || most > N) {
            am_builder_fail(
                b, am_error(AM_INVALID_ARGUMENT, "classes_structure names more than the %lld classes", (long long)N));
            return AM_NONE;
        }
        am_value x = am_slice(b, vectors, 0, start, start + size);
        rows[i] = am_unsqueeze(b, am_pad_zero(b, x, 0, 0, most - size), 0);
        start += size;
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, rows, (int)B, 0);
}

/* Which words of the tasks count: those that mask: [B, T] marks, of as many as the row with most of them has. */
static am_value words_that_count(am_builder *b, am_value mask)
{
    am_value is = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    am_value counts = am_reduce(b, AM_REDUCE_SUM, am_cast(b, is, AM_I32), am_shape_of(1), true);
    am_value most = am_reduce(b, AM_REDUCE_MAX, counts, am_shape_of(0), true);
    am_value at = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, mask, 1)), 1, 0, 1);
    return am_binary(b, AM_LOGICAL_AND, is, am_binary(b, AM_LESS, at, most));
}

static texts read_texts(am_builder *b, const omdet *o)
{
    texts t = {.classes = class_vectors(b, o)};
    am_value ids = am_input(b, "tasks_input_ids", 2), mask = am_input(b, "tasks_attention_mask", 2),
             structure = am_input(b, "classes_structure", 1);
    if (am_builder_failed(b)) return t;
    if (am_dim(b, structure, 0) != am_dim(b, ids, 0))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "classes_structure has %lld numbers for %lld tasks",
                                    (long long)am_dim(b, structure, 0), (long long)am_dim(b, ids, 0)));
    t.classes = classes_by_image(b, t.classes, am_dim(b, ids, 0));
    t.task = read_words(b, ids);
    t.attended = words_that_count(b, am_cast(b, mask, AM_I32));
    return t;
}

/* --- image --- */

/* Convolution LIST.i.0 without bias and its batch norm. */
static am_value project(am_builder *b, const char *list, int i, am_value x, int64_t out)
{
    am_scope(b, "%s.%d", list, i);
    x = am_conv(b, "0", x, out, am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = am_batch_norm(b, "1", x, BATCH_NORM_EPS);
    am_end_scope(b);
    return x;
}

/* Maps of the backbone; those of timm, which are normed, have channels last. */
static void read_image(am_builder *b, const omdet *o, am_value *maps)
{
    am_config c = am_config_child(o->config, "backbone_config");
    if (!am_config_has(o->config, "backbone_config") || am_config_is(&c, "model_type", "timm_backbone")) {
        am_config_unsupported(o->config, "backbone_config", "backbones of timm");
        return;
    }
    am_scope(b, "vision_backbone");
    am_scope(b, "vision_backbone");
    am_feature_maps found = am_backbone_maps_of(b, &c, o->encoder.count, o->encoder.count);
    am_end_scope(b);
    for (int i = 0; i < o->encoder.count && !am_builder_failed(b); i++) {
        char name[32];
        maps[i] = found.maps[i];
        if (!am_config_flag(o->config, "apply_layernorm_after_vision_backbone", true)) continue;
        snprintf(name, sizeof name, "layer_norms.%d", i);
        maps[i] = am_permute(b, am_layer_norm(b, name, maps[i], o->eps), am_shape_of(0, 3, 1, 2));
    }
    am_end_scope(b);
}

/* encoder_hidden_states: what attention took, and what its last part gave. */
static void give_states(am_builder *b, const omdet *o, const am_value *before, const am_states *found)
{
    const am_hybrid_options *e = &o->encoder;
    am_states states = am_states_make(b, AM_LEVELS_LIMIT + 1);
    for (int i = 0; i < e->attended_count; i++) am_states_add(&states, before[e->attended[i]]);
    am_states_add(&states, found->count ? found->items[found->count - 1] : before[e->attended[e->attended_count - 1]]);
    am_states_output(b, "encoder_hidden_states", &states);
}

static void encode(am_builder *b, const omdet *o, sight *s)
{
    am_value maps[AM_LEVELS_LIMIT], out[AM_LEVELS_LIMIT];
    am_states states = am_states_make(b, AM_LEVELS_LIMIT + 1);
    read_image(b, o, maps);
    am_scope(b, "encoder");
    for (int i = 0; i < o->encoder.count && !am_builder_failed(b); i++)
        maps[i] = project(b, "channel_projection_layers", i, maps[i], o->encoder.C);
    if (am_builder_failed(b)) return;
    am_hybrid_encode(b, &o->encoder, maps, s->maps, &states);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    give_states(b, o, maps, &states);
    for (int i = 0; i < o->encoder.count; i++)
        out[i] = project(b, "decoder.channel_projection_layers", i, s->maps[i], o->encoder.C);
    if (am_builder_failed(b)) return;
    s->levels = am_levels_of(b, out, NULL, o->encoder.count);
    s->tokens = am_levels_flatten(b, out, o->encoder.count);
}

/* --- classes --- */

/* How near x: [B, N, C] is to what head NAME makes of the classes: [B, N, K]. */
static am_value similarity(am_builder *b, const omdet *o, const char *name, am_value x, am_value classes)
{
    am_value y = am_linear(b, name, classes, o->encoder.C, AM_BIAS);
    if (!o->cosine) return am_matmul(b, x, y, false, true);
    x = am_matmul(b, am_unit_length(b, x, 1e-12), am_unit_length(b, y, 1e-12), false, true);
    return am_mul_number(b, x, SHARPNESS);
}

/* The best places by their nearest class become queries, below "decoder". */
static void choose(am_builder *b, const omdet *o, const texts *t, sight *s)
{
    int64_t C = o->encoder.C;
    am_value valid, anchors = am_level_proposals(b, &s->levels, &valid);
    am_value x = am_select(b, valid, s->tokens, am_scalar(b, AM_F32, 0));
    x = am_linear(b, "encoder_vision_features.0", x, C, AM_BIAS);
    x = am_layer_norm(b, "encoder_vision_features.1", x, o->eps);
    am_value near = similarity(b, o, "encoder_class_head", x, t->classes);
    am_value boxes = am_add(b, am_mlp_head(b, "encoder_bbox_head", x, C, 4, 3), anchors);
    am_value best = am_best_rows(b, am_reduce(b, AM_REDUCE_MAX, near, am_shape_of(2), false), o->num_queries);
    s->reference = am_take_rows(b, boxes, best);
    if (o->learned_queries) s->queries = am_repeated_rows(b, "tgt_embed.weight", am_dim(b, x, 0), o->num_queries, C);
    else s->queries = am_take_rows(b, x, best);
    am_output(b, "init_reference_points", anchors);
    am_output(b, "encoder_coord_logits", am_unary(b, AM_SIGMOID, s->reference));
    am_output(b, "encoder_class_logits", am_take_rows(b, near, best));
}

/* Words of the task as the decoder's queries see them: [B, T, C], below "decoder". */
static am_value encode_task(am_builder *b, const omdet *o, am_value x)
{
    am_scope(b, "task_encoder");
    am_value h = am_linear_activation(b, "mlp.linear1", x, o->task_inner, AM_BIAS, o->act);
    h = am_linear(b, "mlp.linear2", h, o->class_size, AM_BIAS);
    x = am_layer_norm(b, "res1.norm1", am_add(b, x, h), o->eps);
    am_end_scope(b);
    return am_linear(b, "task_project", x, o->encoder.C, AM_BIAS);
}

/* --- decoder --- */

/* One layer below its scope: x, places: [B, Q, C], task: [B, T, C], reference: [B, Q, 4]. */
static am_value layer(am_builder *b, const omdet *o, const sight *s, am_value x, am_value places, am_value *task,
                      am_value mask, am_value reference)
{
    am_detr_attention attention = {.heads = o->heads, .mask = mask, .bare_names = true};
    am_value both = am_concat2(b, x, *task, 1), placed = am_concat2(b, am_add(b, x, places), *task, 1);
    both = am_add(b, both, am_detr_attend(b, "self_attn", placed, placed, both, &attention));
    both = am_layer_norm(b, "norm1", both, o->eps);
    *task = am_slice(b, both, 1, o->num_queries, AM_SLICE_END);
    x = am_slice(b, both, 1, 0, o->num_queries);
    am_value h = am_deformable_attend(b, "cross_attn", am_add(b, x, places), s->tokens, am_unsqueeze(b, reference, 2),
                                      &s->levels, &o->attention);
    x = am_layer_norm(b, "norm2", am_add(b, x, h), o->eps);
    h = am_linear_activation(b, "linear1", x, o->inner, AM_BIAS, o->act);
    return am_layer_norm(b, "norm3", am_add(b, x, am_linear(b, "linear2", h, o->encoder.C, AM_BIAS)), o->eps);
}

/* The reference moved by head i. */
static am_value refine(am_builder *b, const omdet *o, am_value x, am_value reference, int64_t i)
{
    char name[48];
    snprintf(name, sizeof name, "decoder_bbox_head.%" PRId64, i);
    x = am_mlp_head(b, name, x, o->encoder.C, 4, 3);
    return am_unary(b, AM_SIGMOID, am_add(b, x, am_inverse_sigmoid(b, reference, 1e-5)));
}

/* Below "decoder". */
static void decode(am_builder *b, const omdet *o, const texts *t, const sight *s, am_value task)
{
    am_states states = am_states_make(b, o->layers + 1);
    am_value x = s->queries, reference = am_unary(b, AM_SIGMOID, s->reference), refined = reference;
    am_value mask =
        am_padding_mask_of(b, am_join_attended(b, AM_NONE, o->num_queries, t->attended, am_dim(b, task, 1)));
    char head[48];
    am_states_add(&states, x);
    for (int64_t i = 0; i < o->layers && !am_builder_failed(b); i++) {
        reference = refined;
        am_value places = am_mlp_head(b, "query_position_head", reference, 2 * o->encoder.C, o->encoder.C, 2);
        am_scope(b, "layers.%d", (int)i);
        x = layer(b, o, s, x, places, &task, mask, reference);
        am_end_scope(b);
        refined = refine(b, o, x, reference, i);
        am_states_add(&states, x);
    }
    snprintf(head, sizeof head, "decoder_class_head.%" PRId64, o->layers - 1);
    am_output(b, "decoder_coord_logits", refined);
    am_output(b, "decoder_class_logits", similarity(b, o, head, x, t->classes));
    am_output(b, "intermediate_reference_points", reference);
    am_states_output(b, "decoder_hidden_states", &states);
}

static void for_object_detection(am_builder *b)
{
    omdet o = read_config(b);
    sight s = {0};
    if (am_builder_failed(b) || o.config->root->error) return;
    encode(b, &o, &s);
    if (am_builder_failed(b)) return;
    texts t = read_texts(b, &o);
    if (am_builder_failed(b)) return;
    am_scope(b, "decoder");
    am_value task = encode_task(b, &o, t.task);
    choose(b, &o, &t, &s);
    if (!am_builder_failed(b)) decode(b, &o, &t, &s, task);
    am_end_scope(b);
    for (int i = 0; i < o.encoder.count; i++) {
        char name[48];
        snprintf(name, sizeof name, "encoder_extracted_states.%d", i);
        am_output(b, name, s.maps[i]);
    }
    am_output(b, "classes_structure", am_input(b, "classes_structure", 1));
}

static const am_architecture architectures[] = {
    {"OmDetTurboForObjectDetection", for_object_detection, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "classes_structure"}, {0}};

const am_model_type am_model_omdet_turbo = {
    .name = "omdet-turbo", .base_prefix = "model", .architectures = architectures, .shaping_inputs = shaping_inputs};
