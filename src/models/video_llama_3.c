/* VideoLLaMA 3: SigLIP's layers over images and videos of any size, whose squares of patches become one by their mean,
   each picture's of a size of its own, and a Qwen2. transformers: models/video_llama_3/modeling_video_llama_3.py */
#include "models/blocks/patch_tower.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <string.h>

/* Sides of squares of each picture of the input NAME. */
static const int64_t *read_merges(am_builder *b, const char *name, const am_grids *g)
{
    am_value given = am_input(b, name, 1);
    int64_t *merges = am_arena_array(am_builder_arena(b), (size_t)g->count + 1, sizeof *merges);
    if (!merges) am_builder_fail(b, am_out_of_memory());
    if (!am_builder_failed(b) && am_dim(b, given, 0) != g->count)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s has %" PRId64 " numbers, expected %d", name,
                                    am_dim(b, given, 0), g->count));
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        merges[i] = am_shaping_number(b, name, i);
        if (merges[i] < 1 || g->items[i].h % merges[i] || g->items[i].w % merges[i])
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s: %" PRId64 " does not divide %" PRId64 " x %" PRId64,
                                        name, merges[i], g->items[i].h, g->items[i].w));
    }
    return merges;
}

/* Patches stand square by square of their own picture's side. */
static am_patch_places read_places(am_builder *b, const am_grids *g, const int64_t *merges)
{
    size_t count = (size_t)g->patches + 1;
    am_arena *arena = am_builder_arena(b);
    am_patch_places all = {am_arena_array(arena, count, sizeof *all.height),
                           am_arena_array(arena, count, sizeof *all.width)};
    int64_t at = 0;
    if (!all.height || !all.width) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        am_grids one = {.items = g->items + i, .count = 1, .merge = merges[i]};
        one.patches = g->items[i].t * g->items[i].h * g->items[i].w;
        am_patch_places own = am_grid_places(b, &one, NULL);
        if (am_builder_failed(b)) break;
        memcpy(all.height + at, own.height, (size_t)one.patches * sizeof *own.height);
        memcpy(all.width + at, own.width, (size_t)one.patches * sizeof *own.width);
        at += one.patches;
    }
    return all;
}

/* Squares of a picture's patches as one: x: [t * h * w, C] -> [t * h / m * w / m, C]. */
static am_value shrink(am_builder *b, am_value x, const am_grid *g, int64_t m)
{
    int64_t C = am_dim(b, x, 1), h = g->h / m, w = g->w / m;
    am_shape squares = {.rank = 6, .dims = {g->t, h, w, m, m, C}}, rows = {.rank = 6, .dims = {0, 5, 1, 3, 2, 4}};
    x = am_permute(b, am_reshape(b, x, squares), rows); /* [t, C, h, m, w, m] */
    x = am_reshape(b, x, (am_shape){.rank = 4, .dims = {g->t, C, g->h, g->w}});
    x = am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(h, w), .mode = AM_RESIZE_LINEAR});
    return am_flatten(b, am_transpose(b, am_flatten(b, x, 2, 3), 1, 2), 0, 1);
}

/* The tower of configuration c below the scope on the input `pixels`: [rows, C]. */
static am_value tower(am_builder *b, const am_config *c, const char *pixels, const char *grid, const char *merge,
                      bool hidden_states)
{
    static const am_patch_tower defaults = {
        .hidden_size = 768, .intermediate_size = 3072, .num_hidden_layers = 12, .heads = 12, .patch_size = 16};
    am_patch_tower t = am_patch_tower_read(c, &defaults);
    am_value x = am_input(b, pixels, 2);
    am_input(b, grid, 2);
    am_grids grids = am_grids_read(b, grid, 1);
    const int64_t *merges = read_merges(b, merge, &grids);
    if (am_builder_failed(b)) return AM_NONE;
    am_patch_places places = read_places(b, &grids, merges);
    int64_t numbers = t.num_channels * t.patch_size * t.patch_size, at = 0;
    am_shape kernel = {.rank = 4, .dims = {t.hidden_size, t.num_channels, t.patch_size, t.patch_size}};
    am_scope(b, "embeddings.patch_embedding");
    am_value weight = am_reshape(b, am_weight(b, "weight", kernel), am_shape_of(t.hidden_size, numbers));
    x = am_linear_with(b, x, weight, am_weight(b, "bias", am_shape_of(t.hidden_size)));
    am_end_scope(b);
    x = am_patch_tower_layers(b, x, &grids, &places, &t, hidden_states);
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)grids.count + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    for (int i = 0; i < grids.count && !am_builder_failed(b); i++) {
        int64_t count = grids.items[i].t * grids.items[i].h * grids.items[i].w;
        parts[i] = shrink(b, am_slice(b, x, 0, at, at + count), &grids.items[i], merges[i]);
        at += count;
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, grids.count, 0);
}

static am_value rows(am_builder *b, const char *pixels, const char *grid, const char *merge)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    int64_t C = am_text_width(b);
    am_scope(b, "vision_model");
    am_value x = tower(b, &vision, pixels, grid, merge, false);
    am_end_scope(b);
    x = am_linear_activation(b, "projector.readout.0", x, C, AM_BIAS, AM_GELU);
    return am_linear(b, "projector.readout.2", x, C, AM_BIAS);
}

static am_value features(am_builder *b)
{
    return rows(b, "pixel_values", "image_grid_thw", "image_merge_sizes");
}

/* Those rows that video_compression_mask keeps, where it is given. */
static am_value video_features(am_builder *b)
{
    am_value x = rows(b, "pixel_values_videos", "video_grid_thw", "video_merge_sizes"),
             kept = am_input_optional(b, "video_compression_mask", 1);
    int64_t N = am_dim(b, x, 0), count = 0;
    if (!kept.id || am_builder_failed(b)) return x;
    int32_t *ids = am_arena_array(am_builder_arena(b), (size_t)N + 1, sizeof *ids);
    if (!ids) am_builder_fail(b, am_out_of_memory());
    if (am_dim(b, kept, 0) != N)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "video_compression_mask has %" PRId64 " elements, expected %" PRId64,
                                    am_dim(b, kept, 0), N));
    for (int64_t i = 0; i < N && !am_builder_failed(b); i++)
        if (am_shaping_number(b, "video_compression_mask", i)) ids[count++] = (int32_t)i;
    if (am_builder_failed(b)) return AM_NONE;
    return am_gather(b, x, am_constant_copy(b, AM_I32, am_shape_of(count), ids), 0, false);
}

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state", tower(b, am_model_config(b), "pixel_values", "grid_thw", "merge_sizes", true));
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 151655,
                                                 .video_token = 151656,
                                                 .shows_videos = true,
                                                 .text_type = "qwen2"};

static const am_shaping_input shaping_inputs[] = {{.name = "image_grid_thw"},
                                                  {.name = "video_grid_thw"},
                                                  {.name = "grid_thw"},
                                                  {.name = "image_merge_sizes"},
                                                  {.name = "video_merge_sizes"},
                                                  {.name = "merge_sizes"},
                                                  {.name = "video_compression_mask"},
                                                  {0}};

static const am_architecture architectures[] = {
    {"VideoLlama3Model", am_vision_language_model, NULL, 0},
    {"VideoLlama3ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"VideoLlama3VisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_video_llama_3 = {.name = "video_llama_3 video_llama_3_vision",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = shaping_inputs};
