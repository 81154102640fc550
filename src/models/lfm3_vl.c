/* LFM3-VL: a vision tower of convolutions over pictures of any size and of attention within each frame, whose squares
   of patches become tokens of an LFM3. transformers: models/lfm3_vl/modeling_lfm3_vl.py */
#include "models/blocks/attention.h"
#include "models/blocks/qwen_vl.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <string.h>

static const double PROJECTOR_NORM_EPS = 1e-6; /* not configurable */

typedef struct tower {
    const am_config *c;
    int64_t C, layers, heads, kv_heads, inner, merge, kernel, pixels;
    double eps, theta;
    const am_grids *grids;
    am_segments frames;
    am_rope rope;
} tower;

/* patch_size and temporal_patch_size may be lists. */
static int64_t numbers_of_patch(const am_config *c)
{
    int64_t side[2], frames[2];
    am_config_pair(c, "patch_size", 16, side);
    am_config_pair(c, "temporal_patch_size", 2, frames);
    if (side[0] > 65536 || side[1] > 65536 || side[0] != side[1])
        am_config_fail(c, "patch_size", "no square, or too large");
    bool listed = am_json_kind_of(am_json_get(c->object, "temporal_patch_size")) == AM_JSON_ARRAY;
    if (listed || frames[0] > 65536) am_config_unsupported(c, "temporal_patch_size", "expected a number");
    return am_config_size(c, "in_channels", 3) * frames[0] * side[0] * side[0];
}

static tower read_tower(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    tower t = {.c = c,
               .C = am_config_size(c, "hidden_size", 1024),
               .layers = am_config_count(c, "num_hidden_layers", 14),
               .heads = am_config_size(c, "num_attention_heads", 16),
               .kv_heads = am_config_size(c, "num_key_value_heads", 8),
               .inner = am_config_size(c, "intermediate_size", 2560),
               .merge = am_config_size(c, "spatial_merge_size", 2),
               .kernel = am_config_size(c, "conv_kernel_size", 3),
               .eps = am_config_real(c, "norm_eps", 1e-5),
               .theta = am_config_real(&rope, "rope_theta", 1000000),
               .pixels = numbers_of_patch(c)};
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.C);
    am_config_check_divides(c, "num_key_value_heads", t.kv_heads, "num_attention_heads", t.heads);
    if (strcmp(am_config_text(&rope, "rope_type", "axial"), "axial") != 0)
        am_config_unsupported(&rope, "rope_type", "only axial rotation is supported");
    if (t.kernel % 2 == 0) am_config_fail(c, "conv_kernel_size", "%" PRId64 " is even", t.kernel);
    return t;
}

/* layer_types, or the class's pattern. */
static bool convolves(const tower *t, int layer)
{
    if (!am_config_has(t->c, "layer_types")) return layer < 2 || layer % 2 == 1;
    const char *type = am_config_list_text(t->c, "layer_types", layer);
    if (!type) am_config_fail(t->c, "layer_types", "layer %d has none", layer);
    return type && strcmp(type, "conv") == 0;
}

/* Each frame of every picture is a part of its own. */
static am_segments frames_of(am_builder *b, const am_grids *grids)
{
    am_grids frames = am_grid_frames(b, grids);
    int64_t *lengths = am_arena_array(am_builder_arena(b), (size_t)frames.count + 1, sizeof *lengths);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < frames.count && lengths; i++) lengths[i] = frames.items[i].h * frames.items[i].w;
    return am_builder_failed(b) ? (am_segments){0} : am_segments_make(b, lengths, frames.count);
}

static am_value norm(am_builder *b, const char *name, am_value x, const tower *t)
{
    return am_rms_norm(b, name, x, t->eps, 0);
}

static am_value attention(am_builder *b, am_value x, const tower *t)
{
    am_value qkv[3];
    am_attention_options options = {.heads = t->heads,
                                    .kv_heads = t->kv_heads,
                                    .no_q_bias = true,
                                    .no_k_bias = true,
                                    .no_v_bias = true,
                                    .q_norm = "q_layernorm",
                                    .k_norm = "k_layernorm",
                                    .norm_eps = t->eps,
                                    .rope = &t->rope};
    am_scope(b, "self_attn");
    am_attention_heads(b, am_unsqueeze(b, x, 0), &options, qkv);
    x = am_squeeze(b, am_segments_attend(b, &t->frames, qkv, t->heads), 0);
    x = am_linear(b, "out_proj", x, t->C, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* A picture's patches x: [t * h * w, C], square by square, convolved as maps. */
static am_value convolve_picture(am_builder *b, am_value x, const am_grid *g, const tower *t)
{
    int64_t m = t->merge, half = t->kernel / 2;
    am_convolution_attributes each = {
        .groups = t->C, .padding_before = am_shape_of(half, half), .padding_after = am_shape_of(half, half)};
    am_shape squares = {.rank = 6, .dims = {g->t, g->h / m, g->w / m, m, m, t->C}},
             rows = {.rank = 6, .dims = {g->t, t->C, g->h / m, m, g->w / m, m}},
             there = {.rank = 6, .dims = {0, 5, 1, 3, 2, 4}}, back = {.rank = 6, .dims = {0, 2, 4, 3, 5, 1}};
    x = am_permute(b, am_reshape(b, x, squares), there);
    x = am_conv(b, "spatial_conv", am_reshape(b, x, am_shape_of(g->t, t->C, g->h, g->w)), t->C,
                am_shape_of(t->kernel, t->kernel), AM_NO_BIAS, &each);
    return am_reshape(b, am_permute(b, am_reshape(b, x, rows), back), am_shape_of(g->t * g->h * g->w, t->C));
}

static am_value convolution(am_builder *b, am_value x, const tower *t)
{
    int64_t at = 0;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)t->grids->count + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    am_scope(b, "conv");
    x = am_linear(b, "in_proj", x, 3 * t->C, AM_NO_BIAS);
    am_value gated = am_mul(b, am_slice(b, x, -1, 0, t->C), am_slice(b, x, -1, 2 * t->C, 3 * t->C));
    for (int i = 0; i < t->grids->count && !am_builder_failed(b); i++) {
        const am_grid *g = &t->grids->items[i];
        parts[i] = convolve_picture(b, am_slice(b, gated, 0, at, at + g->t * g->h * g->w), g, t);
        at += g->t * g->h * g->w;
    }
    am_value y = am_builder_failed(b) ? AM_NONE : am_concat(b, parts, t->grids->count, 0);
    y = am_linear(b, "out_proj", am_mul(b, am_slice(b, x, -1, t->C, 2 * t->C), y), t->C, AM_NO_BIAS);
    am_end_scope(b);
    return y;
}

static am_value layer_of(am_builder *b, am_value x, const tower *t, int layer)
{
    am_value h = norm(b, "operator_norm", x, t);
    x = am_add(b, x, convolves(t, layer) ? convolution(b, h, t) : attention(b, h, t));
    h = norm(b, "ffn_norm", x, t);
    am_scope(b, "feed_forward");
    am_value gate = am_linear(b, "w1", h, t->inner, AM_NO_BIAS), up = am_linear(b, "w3", h, t->inner, AM_NO_BIAS);
    h = am_linear(b, "w2", am_gated_activation(b, AM_SILU, gate, up), t->C, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Patches of the input `pixels`: [N, numbers] with these grids, below the scope: [N, C]. */
static am_value run_tower(am_builder *b, tower *t, const char *pixels, const am_grids *grids, bool hidden_states)
{
    am_value x = am_input(b, pixels, 2);
    if (!am_builder_failed(b) && (am_dim(b, x, 0) != grids->patches || am_dim(b, x, 1) != t->pixels))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "%s: [%" PRId64 ", %" PRId64 "], expected %" PRId64 " patches of %" PRId64 " numbers",
                                 pixels, am_dim(b, x, 0), am_dim(b, x, 1), grids->patches, t->pixels));
    if (am_builder_failed(b)) return AM_NONE;
    am_patch_places places = am_grid_places(b, grids, NULL);
    t->grids = grids;
    t->frames = frames_of(b, grids);
    t->rope = am_grid_rope(b, &places, grids->patches, t->C / t->heads, t->theta, AM_GRID_ROPE_SAME);
    const char *embed = am_has_weight(b, "patchifier.weight") ? "patchifier" : "patch_embed"; /* as files call it */
    x = norm(b, "embedding_norm", am_linear(b, embed, x, t->C, AM_NO_BIAS), t);
    for (int i = 0; i < t->layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer_of(b, x, t, i);
        am_end_scope(b);
    }
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->layers, x);
    return x;
}

static void vision_model(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    am_grids grids = am_grids_read(b, "grid_thw", t.merge);
    if (grids.count == 0) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input grid_thw is missing"));
    am_output(b, "last_hidden_state", run_tower(b, &t, "pixel_values", &grids, true));
}

/* Rows of a text for the input `pixels`, which are also the output `shown`. */
static am_value rows_of(am_builder *b, const char *pixels, const char *grid, const char *shown)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    tower t = read_tower(&vision);
    am_grids grids = am_grids_read(b, grid, t.merge);
    if (grids.count == 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing beside %s", grid, pixels));
    am_scope(b, "vision_tower");
    am_value x = run_tower(b, &t, pixels, &grids, false);
    am_end_scope(b);
    int bias = am_config_flag(c, "projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_scope(b, "multi_modal_projector");
    x = am_reshape(b, am_layer_norm(b, "layer_norm", x, PROJECTOR_NORM_EPS), am_shape_of(-1, t.C * t.merge * t.merge));
    x = am_linear_activation(b, "linear_1", x, am_config_size(c, "projector_hidden_size", 4096), bias,
                             am_config_activation(c, "projector_hidden_act", AM_GELU));
    x = am_linear(b, "linear_2", x, am_text_width(b), bias);
    am_end_scope(b);
    am_output(b, shown, x);
    return x;
}

static am_value features(am_builder *b)
{
    return rows_of(b, "pixel_values", "image_grid_thw", "image_pooler_output");
}

static am_value video_features(am_builder *b)
{
    return rows_of(b, "pixel_values_videos", "video_grid_thw", "video_pooler_output");
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 125030,
                                                 .video_token = 125029,
                                                 .tied = true,
                                                 .text_type = "lfm3",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"Lfm3VlModel", am_vision_language_model, NULL, 0},
    {"Lfm3VlForConditionalGeneration", am_vision_language_for_conditional_generation, NULL, AM_GENERATES},
    {"Lfm3VlVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_lfm3_vl = {.name = "lfm3_vl lfm3_vl_vision",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .shaping_inputs = am_qwen_shaping_inputs};
