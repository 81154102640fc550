/* ColQwen2: a vector of every token of a Qwen2-VL, whose tokens stand at places of one kind. transformers:
   models/colqwen2/modeling_colqwen2.py */
#include "models/blocks/late_interaction.h"
#include "models/blocks/qwen_vl.h"

#include <inttypes.h>

/* Patches of all images in one row, [N, numbers], of pixel_values: [B, most, numbers], images of fewer being filled
   up. */
static am_value join_patches(am_builder *b, am_value pixels, const am_grids *g)
{
    int64_t B = am_dim(b, pixels, 0), most = am_dim(b, pixels, 1);
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)B + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (!am_builder_failed(b) && B != g->count)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "pixel_values has %" PRId64 " images, image_grid_thw %d", B, g->count));
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        int64_t own = g->items[i].h * g->items[i].w;
        if (own > most)
            am_builder_fail(b,
                            am_error(AM_INVALID_ARGUMENT,
                                     "image %" PRId64 " has %" PRId64 " patches, pixel_values %" PRId64, i, own, most));
        else parts[i] = am_slice(b, am_index(b, pixels, 0, i), 0, 0, own);
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, (int)B, 0);
}

/* Places of the tokens, the same of all three kinds: the input position_ids, or counted. */
static am_value places(am_builder *b)
{
    am_value given = am_input_optional(b, "position_ids", -1), ids = am_input(b, "input_ids", 2);
    if (given.id && am_rank(b, given) == 3) return given;
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    if (!given.id) given = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    return am_builder_failed(b) ? AM_NONE : am_broadcast(b, am_unsqueeze(b, given, 0), am_shape_of(3, B, T));
}

static void for_retrieval(am_builder *b)
{
    am_part_input inputs[2] = {{.name = "position_ids", .value = places(b)}};
    int count = 1;
    if (am_has_input(b, "pixel_values")) {
        am_value pixels = am_input(b, "pixel_values", -1);
        am_grids grids = am_grids_read(b, "image_grid_thw", 1);
        if (am_rank(b, pixels) == 3)
            inputs[count++] = (am_part_input){.name = "pixel_values", .value = join_patches(b, pixels, &grids)};
    }
    am_late_interaction(b, "qwen2_vl", inputs, count, true);
}

static const am_architecture architectures[] = {
    {"ColQwen2ForRetrieval", for_retrieval, NULL, 0},
    {0},
};

const am_model_type am_model_colqwen2 = {
    .name = "colqwen2", .base_prefix = "vlm", .architectures = architectures, .shaping_inputs = am_qwen_shaping_inputs};
