/* Granite Docling: squares of SigLIP's patches of every tile of a page, coarse ones or fine ones, among the words of a
   Granite, whose first layers are given states of the tower's layers, too. transformers:
   models/granite_docling/modeling_granite_docling.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { ROWS_LIMIT = 1024 };
static const double NORM_EPS = 1e-5; /* of the connector; not configurable */

static const am_pre_norm_names names = {.layers = "encoder.layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

/* A tower as its configuration has it. */
typedef struct tower {
    am_config c;
    int64_t width, out_width, side, scale; /* side: patches of a tile's side; scale: those of a coarse square's */
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t deep[AM_VISION_LANGUAGE_DEEP]; /* layers whose states go to the text, in order */
    int deep_count;
} tower;

/* Layers named by deepstack_visual_indexes, each once, from the first to the last. */
static void read_deep(tower *t)
{
    static const int64_t fallback[] = {3, 7, 10};
    bool is_deep[512] = {false};
    int64_t layers = t->encoder.num_hidden_layers;
    if (layers > 512) am_config_unsupported(&t->c, "num_hidden_layers", "at most 512 are supported");
    if (layers > 512) return;
    am_json list = am_json_get(t->c.object, "deepstack_visual_indexes");
    if (am_json_kind_of(list) != AM_JSON_ARRAY)
        for (int i = 0; i < 3; i++) is_deep[fallback[i]] = true;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        int64_t layer = am_json_int(i.value, -1);
        if (layer >= 0 && layer < layers) is_deep[layer] = true;
    }
    for (int64_t i = 0; i < layers; i++) {
        if (!is_deep[i]) continue;
        if (t->deep_count < AM_VISION_LANGUAGE_DEEP) t->deep[t->deep_count++] = i;
        else am_config_unsupported(&t->c, "deepstack_visual_indexes", "more than %d layers", AM_VISION_LANGUAGE_DEEP);
    }
}

static tower read_tower(const am_config *c)
{
    tower t = {.c = *c,
               .width = am_config_size(c, "hidden_size", 768),
               .out_width = am_config_size(c, "out_hidden_size", 1024),
               .scale = am_config_size(c, "scale_factor", 4),
               .image = am_image_options_read(c, 512, 16)};
    t.encoder = (am_pre_norm_options){.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                                      .intermediate_size = am_config_size(c, "intermediate_size", 3072),
                                      .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                                      .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                                      .attention = {.heads = am_config_size(c, "num_attention_heads", 12)},
                                      .names = &names};
    t.side = t.image.image_size[0] / t.image.patch_size[0];
    am_config_check_divides(c, "num_attention_heads", t.encoder.attention.heads, "hidden_size", t.width);
    if (t.out_width % 4 != 0) am_config_fail(c, "out_hidden_size", "is not divisible by 4");
    read_deep(&t);
    return t;
}

/* --- the tower --- */

/* What patches become: [B, P, width], and the same of the layers `deep`. */
typedef struct states {
    am_value last;
    am_value deep[AM_VISION_LANGUAGE_DEEP];
} states;

/* pixels: [B, channels, height, width] */
static states encode(am_builder *b, tower *t, am_value pixels, bool names_states)
{
    states out = {.last = AM_NONE};
    int64_t places = am_image_patches(&t->image);
    t->encoder.out_states =
        am_arena_array(am_builder_arena(b), (size_t)t->encoder.num_hidden_layers + 1, sizeof *t->encoder.out_states);
    if (!t->encoder.out_states) am_builder_fail(b, am_out_of_memory());
    t->encoder.hidden_states = names_states ? NULL : "";
    if (am_builder_failed(b)) return out;
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embedding", pixels, t->width, t->image.patch_size, AM_BIAS);
    x = am_image_tokens(b, x);
    x = am_add(b, x, am_parameter(b, "position_embedding.weight", am_shape_of(places, t->width), x));
    am_end_scope(b);
    x = am_pre_norm_layers(b, x, &t->encoder);
    for (int i = 0; i < t->deep_count; i++) out.deep[i] = t->encoder.out_states[t->deep[i] + 1];
    out.last = am_layer_norm(b, "post_layernorm", x, t->encoder.layer_norm_eps);
    return out;
}

/* --- the connector --- */

/* Waves of the places of a square of side x side: columns in the first half of C, rows in the second. */
static am_value waves(am_builder *b, int64_t side, int64_t C)
{
    int64_t quarter = C / 4;
    if (am_builder_failed(b)) return AM_NONE;
    float *table = am_arena_array(am_builder_arena(b), (size_t)(side * side * C) + 1, sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t at = 0; at < side * side; at++)
        for (int64_t i = 0; i < quarter; i++) {
            double frequency = 1 / pow(10000, (double)i / (double)quarter);
            double column = (double)(at % side) * frequency, row = (double)(at / side) * frequency;
            float *out = table + at * C + i;
            out[0] = (float)sin(column);
            out[quarter] = (float)cos(column);
            out[2 * quarter] = (float)sin(row);
            out[3 * quarter] = (float)cos(row);
        }
    return am_constant_copy(b, AM_F32, am_shape_of(1, side * side, C), table);
}

/* Squares of states of a layer, x: [B, n, C'] -> [B * n, out_width]. */
static am_value merge(am_builder *b, int i, am_value x, int64_t out_width)
{
    am_scope(b, "deepstack_mergers.%d", i);
    x = am_layer_norm(b, "layer_norm", x, NORM_EPS);
    x = am_linear_activation(b, "linear_1", x, out_width, AM_BIAS, AM_GELU);
    x = am_linear(b, "linear_2", x, out_width, AM_BIAS);
    am_end_scope(b);
    return am_flatten(b, x, 0, 1);
}

/* Rows for the text, [B * n, out_width], of states, in whose place they stand then. */
static void connect(am_builder *b, const tower *t, states *s, bool fine)
{
    int64_t scale = fine ? t->scale / 2 : t->scale;
    if (scale < 1) am_config_fail(&t->c, "scale_factor", "fine squares have no patches");
    if (fine && !am_config_flag(&t->c, "use_fine_route", true))
        am_config_fail(&t->c, "use_fine_route", "is false, but fine squares are asked for");
    if (scale < 1 || am_builder_failed(b)) return;
    am_scope(b, "connector");
    am_value x = am_layer_norm(b, "ln_in", s->last, NORM_EPS);
    am_scope(b, "%s", fine ? "fine" : "coarse");
    x = am_fold_patches(b, x, t->side, t->side, scale);
    if (am_builder_failed(b)) return;
    x = am_linear(b, "projection", x, t->out_width, AM_NO_BIAS);
    x = am_add(b, x, waves(b, t->side / scale, t->out_width));
    for (int i = 0; i < t->deep_count && !am_builder_failed(b); i++)
        s->deep[i] = merge(b, i, am_fold_patches(b, s->deep[i], t->side, t->side, scale), t->out_width);
    am_end_scope(b);
    x = am_unary(b, AM_GELU, am_layer_norm(b, "ln_mid", x, NORM_EPS));
    x = am_layer_norm(b, "ln_out", am_linear(b, "mlp_fc2", x, t->out_width, AM_NO_BIAS), NORM_EPS);
    s->last = am_flatten(b, x, 0, 1);
    am_end_scope(b);
}

static void vision_model(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    states s = encode(b, &t, am_pixel_values_sized(b, &t.image), true);
    am_output(b, "last_hidden_state", s.last);
    connect(b, &t, &s, am_model_argument(b, "fine", 0) != 0);
    am_output(b, "pooler_output", s.last);
    for (int i = 0; i < t.deep_count && !am_builder_failed(b); i++) {
        char name[48];
        snprintf(name, sizeof name, "deepstack_features.%d", i);
        am_output(b, name, s.deep[i]);
    }
}

/* --- tiles of pages --- */

/* The input pixel_values: [B, tiles, channels, height, width], those that the mask says are there: [N, ..]; how many
   each row has into counts. */
static am_value read_tiles(am_builder *b, const tower *t, int64_t counts[ROWS_LIMIT], int64_t *rows)
{
    am_value pixels = am_video_values_sized(b, &t->image), mask = am_input(b, "pixel_attention_mask", 2);
    am_value parts[ROWS_LIMIT];
    int64_t B = *rows = am_dim(b, pixels, 0);
    int used = 0;
    if ((B > ROWS_LIMIT || am_dim(b, mask, 0) != B || am_dim(b, mask, 1) != am_dim(b, pixels, 1)) &&
        !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_attention_mask does not have the rows and tiles of pixel_values, or more "
                                    "than %d rows",
                                    ROWS_LIMIT));
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        counts[i] = am_shaping_number(b, "pixel_attention_mask", i);
        if (counts[i] > 0) parts[used++] = am_slice(b, am_index(b, pixels, 0, i), 0, 0, counts[i]);
    }
    if (used == 0 && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_attention_mask leaves no tile"));
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, used, 0);
}

/* How far each row's tiles, x: [N, P, width], ask for fine squares: [B]. */
static am_value route(am_builder *b, am_value x, const int64_t *counts, int64_t B, int64_t inner)
{
    am_value rows[ROWS_LIMIT];
    int64_t C = am_dim(b, x, 2), at = 0;
    am_scope(b, "density_router");
    am_value weights = am_softmax(b, am_linear(b, "att", x, 1, AM_BIAS), 1);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weights), am_shape_of(1), false);
    for (int64_t i = 0; i < B; at += counts[i++])
        rows[i] = counts[i] ? am_reduce(b, AM_REDUCE_MEAN, am_slice(b, x, 0, at, at + counts[i]), am_shape_of(0), true)
                            : am_broadcast(b, am_scalar(b, AM_F32, 0), am_shape_of(1, C));
    x = am_layer_norm(b, "norm", am_concat(b, rows, (int)B, 0), NORM_EPS);
    x = am_linear(b, "fc2", am_linear_activation(b, "fc1", x, inner, AM_BIAS, AM_GELU), 1, AM_BIAS);
    am_end_scope(b);
    return am_squeeze(b, x, -1);
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    int64_t counts[ROWS_LIMIT], B;
    tower t = read_tower(&vision);
    if (t.out_width != am_text_width(b))
        am_config_fail(&vision, "out_hidden_size", "is not hidden_size of text_config");
    am_value tiles = read_tiles(b, &t, counts, &B), fine = am_input_optional(b, "tile_fine_mask", -1);
    am_scope(b, "vision_model");
    states s = encode(b, &t, tiles, false);
    am_value patches = s.last;
    connect(b, &t, &s, fine.id != 0);
    am_end_scope(b);
    if (am_builder_failed(b)) return AM_NONE;
    am_output(b, "image_hidden_states", s.last);
    if (am_config_has(c, "density_router_hidden_size"))
        am_output(b, "router_logits", route(b, patches, counts, B, am_config_size(c, "density_router_hidden_size", 1)));
    am_value parts[AM_VISION_LANGUAGE_DEEP + 1] = {s.last};
    for (int i = 0; i < t.deep_count; i++) parts[i + 1] = s.deep[i];
    return t.deep_count ? am_concat(b, parts, t.deep_count + 1, -1) : s.last;
}

static int deep_rows(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    return read_tower(&vision).deep_count;
}

static const am_vision_language_family family = {.features = features,
                                                 .deep_rows = deep_rows,
                                                 .image_token = 100337,
                                                 .tied = true,
                                                 .text_type = "granite_docling_text",
                                                 .logits_scale = "logits_scaling",
                                                 .logits_scale_default = 4,
                                                 .divides_logits = true,
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"GraniteDoclingModel", am_vision_language_model, NULL, 0},
    {"GraniteDoclingForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"GraniteDoclingVisionModel", vision_model, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "pixel_attention_mask", .kind = AM_SHAPED_BY_STARTS}, {0}};

const am_model_type am_model_granite_docling = {.name = "granite_docling granite_docling_vision",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family,
                                                .shaping_inputs = shaping_inputs};
