/* MiniMax M3: CLIP's layers over pictures and videos of any size, whose patches turn by time, height and width; their
   squares, projected, are tokens of the text model. transformers: models/minimax_m3_vl/modeling_minimax_m3_vl.py */
#include "models/blocks/attention.h"
#include "models/blocks/qwen_vl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { AXES = 3 };

typedef struct tower {
    bool spelled; /* by the names that MiniMax's own files have */
    int64_t C, layers, heads, inner, merge, channels, frames, patch;
    am_unary_fn hidden_act;
    double eps, theta;
    am_segments items;
    am_rope rope;
} tower;

static tower read_tower(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    tower t = {.C = am_config_size(c, "hidden_size", 1280),
               .layers = am_config_count(c, "num_hidden_layers", 32),
               .heads = am_config_size(c, "num_attention_heads", 16),
               .inner = am_config_size(c, "intermediate_size", 5120),
               .merge = am_config_size(c, "spatial_merge_size", 2),
               .channels = am_config_size(c, "num_channels", 3),
               .frames = am_config_size(c, "temporal_patch_size", 2),
               .patch = am_config_size(c, "patch_size", 14),
               .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
               .eps = am_config_real(c, "layer_norm_eps", 1e-5),
               .theta = am_config_real(&rope, "rope_theta", 10000)};
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.C);
    if (strcmp(am_config_text(&rope, "rope_type", "axial"), "axial") != 0)
        am_config_unsupported(&rope, "rope_type", "only axial rotation is supported");
    if (t.patch > 1 << 14 || t.frames > 1 << 14 || t.channels > 1 << 14 || t.merge > 1 << 14) {
        am_config_fail(c, "patch_size", "more than 16384 pixels, frames, channels or patches of a square");
        t.patch = t.frames = t.channels = t.merge = 1;
    }
    return t;
}

/* cos or sin of how far each patch stands in time, down and across: a third of a head's pairs each, the rest of the
   head is not turned. */
static am_value angles(am_builder *b, const tower *t, const am_grids *g, const am_patch_places *p, double (*fn)(double))
{
    int64_t D = t->C / t->heads, each = D / AXES / 2, pairs = AXES * each, at = 0;
    float *data = am_arena_array(am_builder_arena(b), (size_t)(g->patches * pairs) + 1, sizeof *data);
    if (!data) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < g->count && data; i++)
        for (int64_t k = 0; k < g->items[i].t * g->items[i].h * g->items[i].w; k++, at++) {
            int64_t place[AXES] = {k / (g->items[i].h * g->items[i].w), p->height[at], p->width[at]};
            for (int64_t n = 0; n < pairs; n++) {
                double frequency = (double)(float)pow(t->theta, -(double)(n % each) / (double)each);
                data[at * pairs + n] = (float)fn((double)place[n / each] * frequency);
            }
        }
    return data ? am_constant_copy(b, AM_F32, am_shape_of(1, g->patches, pairs), data) : AM_NONE;
}

/* Every picture or video is a part of its own. */
static void prepare(am_builder *b, tower *t, const am_grids *g)
{
    int64_t *lengths = am_arena_array(am_builder_arena(b), (size_t)g->count + 1, sizeof *lengths);
    am_patch_places places = am_grid_places(b, g, NULL);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    if (t->C / t->heads < 2 * AXES || !(t->theta > 0))
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "heads of %" PRId64 " turned by theta %g", t->C / t->heads, t->theta));
    if (am_builder_failed(b)) return;
    for (int i = 0; i < g->count; i++) lengths[i] = g->items[i].t * g->items[i].h * g->items[i].w;
    t->items = am_segments_make(b, lengths, g->count);
    t->rope = (am_rope){.cos = angles(b, t, g, &places, cos), .sin = angles(b, t, g, &places, sin)};
}

/* x: [N, numbers] -> [1, N, C] */
static am_value embed(am_builder *b, am_value x, const tower *t, const am_grids *g, const char *pixels)
{
    int64_t numbers = t->channels * t->frames * t->patch * t->patch;
    am_shape shape = {.rank = 5, .dims = {t->C, t->channels, t->frames, t->patch, t->patch}};
    if (!am_builder_failed(b) && (am_dim(b, x, 0) != g->patches || am_dim(b, x, 1) != numbers))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT,
                                 "%s: [%" PRId64 ", %" PRId64 "], expected %" PRId64 " patches of %" PRId64 " numbers",
                                 pixels, am_dim(b, x, 0), am_dim(b, x, 1), g->patches, numbers));
    am_value weight = am_weight(b, t->spelled ? "embeddings.patch_embedding.weight" : "embeddings.proj.weight", shape);
    weight = am_reshape(b, weight, am_shape_of(t->C, numbers));
    return am_unsqueeze(b, am_layer_norm(b, "pre_layrnorm", am_linear_with(b, x, weight, AM_NONE), t->eps), 0);
}

static am_value layer_of(am_builder *b, am_value x, const tower *t)
{
    am_value qkv[3], h = am_layer_norm(b, "layer_norm1", x, t->eps);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &(am_attention_options){.heads = t->heads, .rope = &t->rope}, qkv);
    h = am_linear(b, "out_proj", am_segments_attend(b, &t->items, qkv, t->heads), t->C, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_linear_activation(b, "mlp.fc1", am_layer_norm(b, "layer_norm2", x, t->eps), t->inner, AM_BIAS,
                             t->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, t->C, AM_BIAS));
}

/* The patches of the input `pixels` below the scope: [1, N, C]. */
static am_value run_tower(am_builder *b, tower *t, const char *pixels, const am_grids *g, bool hidden_states)
{
    t->spelled = am_has_weight(b, "vision_model.embeddings.patch_embedding.weight");
    if (t->spelled) am_scope(b, "vision_model");
    am_value x = embed(b, am_input(b, pixels, 2), t, g, pixels);
    if (!am_builder_failed(b)) prepare(b, t, g);
    for (int i = 0; i < t->layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, t->spelled ? "encoder.layers.%d" : "layers.%d", i);
        x = layer_of(b, x, t);
        am_end_scope(b);
    }
    if (t->spelled) am_end_scope(b);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->layers, x);
    return x;
}

static am_grids read_grids(am_builder *b, const char *grid, const char *pixels, int64_t merge)
{
    am_grids g = am_grids_read(b, grid, merge);
    if (g.count == 0) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing beside %s", grid, pixels));
    return g;
}

static void vision_model(am_builder *b)
{
    tower t = read_tower(am_model_config(b));
    am_grids g = read_grids(b, "grid_thw", "pixel_values", t.merge);
    am_value x = run_tower(b, &t, "pixel_values", &g, true);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

/* Rows of a text for the input `pixels`; those of each picture are the outputs SHOWN.0 .. */
static am_value rows_of(am_builder *b, const char *pixels, const char *grid, const char *shown)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    tower t = read_tower(&vision);
    am_grids g = read_grids(b, grid, pixels, t.merge);
    int64_t inner = am_config_size(c, "projector_hidden_size", 6144), width = am_text_width(b), at = 0;
    am_scope(b, "vision_tower");
    am_value x = am_squeeze(b, run_tower(b, &t, pixels, &g, false), 0);
    am_end_scope(b);
    am_scope(b, "multi_modal_projector");
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, inner, AM_BIAS, AM_GELU), width, AM_BIAS);
    am_end_scope(b);
    x = am_reshape(b, x, am_shape_of(-1, width * t.merge * t.merge));
    bool apart = am_has_weight(b, "patch_merge_mlp.linear_1.weight");
    am_scope(b, "%s", apart ? "patch_merge_mlp" : "multi_modal_projector");
    x = am_linear_activation(b, apart ? "linear_1" : "merge_linear_1", x, inner, AM_BIAS, AM_GELU);
    x = am_linear(b, apart ? "linear_2" : "merge_linear_2", x, width, AM_BIAS);
    am_end_scope(b);
    for (int i = 0; i < g.count && !am_builder_failed(b); i++) {
        int64_t count = g.items[i].t * g.items[i].h * g.items[i].w / (t.merge * t.merge);
        const char *name = am_arena_printf(am_builder_arena(b), "%s.%d", shown, i);
        if (!name) am_builder_fail(b, am_out_of_memory());
        else am_output(b, name, am_slice(b, x, 0, at, at + count));
        at += count;
    }
    return x;
}

static am_value features(am_builder *b)
{
    return rows_of(b, "pixel_values", "image_grid_thw", "image_hidden_states");
}

static am_value video_features(am_builder *b)
{
    return rows_of(b, "pixel_values_videos", "video_grid_thw", "video_hidden_states");
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 200025,
                                                 .video_token = 200026,
                                                 .text_type = "minimax_m3_vl_text",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"MiniMaxM3VLModel", am_vision_language_model, NULL, 0},
    {"MiniMaxM3SparseForConditionalGeneration", am_vision_language_for_conditional_generation, NULL, AM_GENERATES},
    {"MiniMaxM3VLVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_minimax_m3_vl = {.name = "minimax_m3_vl minimax_m3_vl_vision",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = am_qwen_shaping_inputs};
