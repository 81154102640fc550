/* Gemma 4 Unified: Gemma 4 without towers; patches and pieces of sound are projected to the width of the words.
   transformers: models/gemma4_unified/modeling_gemma4_unified.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/gemma4_multimodal.h"

#include <inttypes.h>

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

/* Where patches stand, as constants. */
typedef struct patches {
    am_value place[2], is_there[2]; /* I32 [B, N] across and down; F32 [B, N, 1]: whether the place is one */
    am_value kept;                  /* I32 [n]: those that are no padding */
} patches;

static void *numbers(am_builder *b, int64_t count, size_t size)
{
    void *data = am_arena_array(am_builder_arena(b), (size_t)count + 1, size);
    if (!data) am_builder_fail(b, am_out_of_memory());
    return data;
}

/* Along one axis; kept[i] is cleared where there is no place. */
static void read_axis(am_builder *b, const char *name, am_shape shape, int axis, int64_t rows, patches *out,
                      uint8_t *kept)
{
    int64_t count = shape.dims[0] * shape.dims[1];
    int32_t *place = numbers(b, count, sizeof *place);
    float *is = numbers(b, count, sizeof *is);
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) {
        int64_t p = am_shaping_number(b, name, 2 * i + axis);
        if (p >= rows || p < -1)
            am_builder_fail(b, am_error(AM_OUT_OF_RANGE, "%s: place %" PRId64 " of %" PRId64, name, p, rows));
        place[i] = (int32_t)(p < 0 ? 0 : p);
        is[i] = p == -1 ? 0 : 1;
        if (p == -1) kept[i] = 0;
    }
    if (am_builder_failed(b)) return;
    out->place[axis] = am_constant_copy(b, AM_I32, am_shape_of(shape.dims[0], shape.dims[1]), place);
    out->is_there[axis] = am_constant_copy(b, AM_F32, am_shape_of(shape.dims[0], shape.dims[1], 1), is);
}

static patches read_patches(am_builder *b, const char *name, am_value pixels, int64_t rows)
{
    patches out = {.kept = AM_NONE};
    am_shape shape = am_shape_of_value(b, am_input(b, name, 3));
    int64_t count = am_dim(b, pixels, 0) * am_dim(b, pixels, 1), n = 0;
    uint8_t *kept = numbers(b, count, sizeof *kept);
    int32_t *places = numbers(b, count, sizeof *places);
    if (!am_builder_failed(b) && (shape.dims[0] * shape.dims[1] != count || shape.dims[2] != 2))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s does not tell two places of each of %" PRId64 " patches",
                                    name, count));
    for (int64_t i = 0; i < count && !am_builder_failed(b); i++) kept[i] = 1;
    for (int axis = 0; axis < 2 && !am_builder_failed(b); axis++) read_axis(b, name, shape, axis, rows, &out, kept);
    if (am_builder_failed(b)) return out;
    for (int64_t i = 0; i < count; i++)
        if (kept[i]) places[n++] = (int32_t)i;
    if (n == 0) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s: all patches are padding", name));
    else out.kept = am_constant_copy(b, AM_I32, am_shape_of(n), places);
    return out;
}

static am_value project(am_builder *b, const char *name, const am_config *c, am_value x, int64_t width)
{
    return am_gemma4_embed_rows(b, name, c, x, width);
}

static am_value pictures(am_builder *b, const am_config *c, const char *pixels, const char *places, int64_t width)
{
    int64_t C = am_config_size(c, "mm_embed_dim", 3840), rows = am_config_size(c, "mm_posemb_size", 1120);
    am_value x = am_input(b, pixels, 3);
    patches p = read_patches(b, places, x, rows);
    if (am_config_size(c, "output_proj_dims", 3840) != C)
        am_config_fail(c, "output_proj_dims", "expected %" PRId64 ", mm_embed_dim", C);
    am_scope(b, "embed_vision");
    x = am_linear(b, "patch_dense", am_layer_norm(b, "patch_ln1", x, LAYER_NORM_EPS), C, AM_BIAS);
    x = am_layer_norm(b, "patch_ln2", x, LAYER_NORM_EPS);
    am_value table = am_weight(b, "pos_embedding", am_shape_of(rows, 2, C));
    for (int axis = 0; axis < 2 && !am_builder_failed(b); axis++) {
        am_value row = am_embedding_op(b, am_index(b, table, 1, axis), p.place[axis]);
        x = am_add(b, x, am_mul(b, row, p.is_there[axis]));
    }
    x = am_layer_norm(b, "pos_norm", x, LAYER_NORM_EPS);
    x = project(b, "multimodal_embedder", c, am_gather(b, am_flatten(b, x, 0, 1), p.kept, 0, false), width);
    am_end_scope(b);
    return x;
}

static am_value sounds(am_builder *b, const am_config *c, int64_t width)
{
    int64_t *lengths = am_gemma4_sound_lengths(b);
    am_value x = am_audio_frames(b, am_input(b, "input_features", 3), lengths);
    int64_t C = am_config_size(c, "audio_embed_dim", 640);
    if (!am_builder_failed(b) && am_dim(b, x, -1) != C)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features have %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, x, -1), C));
    return project(b, "embed_audio", c, x, width);
}

static const am_gemma4_multimodal family = {.text_type = "gemma4_unified_text", .pictures = pictures, .sounds = sounds};

static const am_architecture architectures[] = {
    {"Gemma4UnifiedModel", am_gemma4_model, NULL, 0},
    {"Gemma4UnifiedForConditionalGeneration", am_gemma4_for_conditional_generation, NULL,
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_gemma4_unified = {.name = "gemma4_unified",
                                               .base_prefix = "model",
                                               .architectures = architectures,
                                               .family = &family,
                                               .shaping_inputs = am_gemma4_shaping_inputs};
