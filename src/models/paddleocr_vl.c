/* PaddleOCR-VL: SigLIP's layers over images of any size, whose patches have learned positions that are resized, too;
   squares of them, side by side through two linear layers, are tokens of an ERNIE 4.5 with places in time, height and
   width. transformers: models/paddleocr_vl/modeling_paddleocr_vl.py */
#include "models/blocks/patch_tower.h"
#include "models/blocks/qwen_vl.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static const double PROJECTOR_NORM_EPS = 1e-5; /* not configurable */

/* x: [N, channels, patch, patch] -> [N, C], without what it knows of its place. */
static am_value embed_patches(am_builder *b, am_value x, const am_patch_tower *t)
{
    int64_t patch[] = {t->patch_size, t->patch_size};
    if (!am_builder_failed(b) &&
        (am_dim(b, x, 1) != t->num_channels || am_dim(b, x, 2) != t->patch_size || am_dim(b, x, 3) != t->patch_size))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values: expected patches of %" PRId64 " channels of %" PRId64 " x %" PRId64,
                                    t->num_channels, t->patch_size, t->patch_size));
    return am_flatten(b, am_patch_convolution(b, "patch_embedding", x, t->hidden_size, patch, AM_BIAS), 1, 3);
}

/* The tower on pixels: [N, channels, patch, patch] of the input `grid`, below the scope: [N, C]. */
static am_value tower(am_builder *b, const am_config *c, am_value pixels, const am_grids *grids, bool hidden_states)
{
    static const am_patch_tower defaults = {
        .hidden_size = 1152, .intermediate_size = 4304, .num_hidden_layers = 27, .heads = 16, .patch_size = 14};
    am_patch_tower t = am_patch_tower_read(c, &defaults);
    am_grids rows = *grids; /* patches stand row by row, not square by square */
    rows.merge = 1;
    int64_t side = am_config_size(c, "image_size", 384) / t.patch_size;
    am_patch_places places = am_grid_places(b, &rows, NULL);
    if (side < 1) am_config_fail(c, "image_size", "less than a patch of %" PRId64, t.patch_size);
    am_scope(b, "embeddings");
    am_value x = embed_patches(b, pixels, &t);
    am_value table =
        am_cast(b, am_weight(b, "position_embedding.weight", am_shape_of(side * side, t.hidden_size)), AM_F32);
    table = am_reshape(b, am_transpose(b, table, 0, 1), am_shape_of(1, t.hidden_size, side, side));
    am_grid_sample_attributes options = {.mode = AM_RESIZE_LINEAR, .padding = AM_PAD_REPLICATE};
    table = am_grid_sample(b, table, am_grid_relative_places(b, &rows, &places), &options); /* [1, C, N, 1] */
    x = am_add(b, x, am_transpose(b, am_reshape(b, table, am_shape_of(t.hidden_size, -1)), 0, 1));
    am_end_scope(b);
    return am_patch_tower_layers(b, x, &rows, &places, &t, hidden_states);
}

/* Squares of a picture's patches side by side: x: [t * h * w, C] -> [t * h / m * w / m, m * m * C]. */
static am_value squares(am_builder *b, am_value x, const am_grid *g, int64_t m)
{
    int64_t C = am_dim(b, x, 1);
    am_shape apart = {.rank = 5, .dims = {g->t * g->h / m, m, g->w / m, m, C}};
    return am_reshape(b, am_transpose(b, am_reshape(b, x, apart), 1, 2), am_shape_of(-1, m * m * C));
}

static am_value project(am_builder *b, am_value x, const am_grids *g)
{
    int64_t at = 0, C = am_dim(b, x, 1) * g->merge * g->merge;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)g->count + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    am_scope(b, "%s", am_has_weight(b, "mlp_AR.linear_1.weight") ? "mlp_AR" : "projector"); /* as files call it */
    x = am_layer_norm(b, "pre_norm", x, PROJECTOR_NORM_EPS);
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        int64_t count = g->items[i].t * g->items[i].h * g->items[i].w;
        parts[i] = squares(b, am_slice(b, x, 0, at, at + count), &g->items[i], g->merge);
        at += count;
    }
    if (!am_builder_failed(b)) x = am_concat(b, parts, g->count, 0);
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, AM_BIAS, AM_GELU), am_text_width(b),
                  AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value features(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_grids grids = am_grids_read(b, "image_grid_thw", am_config_size(&vision, "spatial_merge_size", 2));
    if (grids.count == 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input image_grid_thw is missing beside pixel_values"));
    am_scope(b, "visual.vision_model");
    am_value x = tower(b, &vision, am_input(b, "pixel_values", 4), &grids, false);
    am_end_scope(b);
    return project(b, x, &grids);
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2)};
    return am_qwen_text_inputs(b, &places, out);
}

/* pixel_values: [1, N, channels, patch, patch]. */
static void vision_transformer(am_builder *b)
{
    am_grids grids = am_grids_read(b, "grid_thw", 1);
    am_value pixels = am_flatten(b, am_input(b, "pixel_values", 5), 0, 1);
    am_input_optional(b, "attention_mask", 2); /* the class does not use it */
    am_output(b, "last_hidden_state", tower(b, am_model_config(b), pixels, &grids, true));
}

static void vision_model(am_builder *b)
{
    am_scope(b, "vision_model");
    vision_transformer(b);
    am_end_scope(b);
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 100295,
                                                 .tied = true,
                                                 .text_class = "PaddleOCRTextModel",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"PaddleOCRVLModel", am_vision_language_model, NULL, 0},
    {"PaddleOCRVLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"PaddleOCRVisionModel", vision_model, NULL, 0},
    {"PaddleOCRVisionTransformer", vision_transformer, NULL, 0},
    {0},
};

const am_model_type am_model_paddleocr_vl = {.name = "paddleocr_vl paddleocr_vl_vision",
                                             .base_prefix = "model",
                                             .architectures = architectures,
                                             .family = &family,
                                             .shaping_inputs = am_qwen_shaping_inputs};
