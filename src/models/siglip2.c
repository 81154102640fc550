/* SigLIP 2: SigLIP for images of their own shapes, which come as lists of patches with the numbers of their rows and
   columns; positions of a square are resized for each. transformers: models/siglip2/modeling_siglip2.py */
#include "models/blocks/siglip.h"

#include <inttypes.h>

/* Sides of the square of patches that have positions, and of a patch. */
typedef struct squares {
    int64_t side, patch_size, num_channels;
} squares;

static squares read_squares(const am_config *c)
{
    int64_t patches = am_config_size(c, "num_patches", 256);
    am_image_options image = am_image_options_read(c, 1, 16);
    squares s = {.side = 1, .patch_size = image.patch_size[0], .num_channels = image.num_channels};
    while ((s.side + 1) * (s.side + 1) <= patches) s.side++;
    if (s.side * s.side != patches) am_config_fail(c, "num_patches", "%" PRId64 " is no square", patches);
    if (image.patch_size[0] != image.patch_size[1])
        am_config_unsupported(c, "patch_size", "patches that are not square are not supported");
    return s;
}

/* How much each of `side` positions counts at place `at` of `count`, both F32 [B, ..]: [B, N, side]. As torch resizes
   linearly with antialias: a triangle around the place, as wide as a position or, where there are more of them than
   places, as a place. */
static am_value weights(am_builder *b, am_value at, am_value count, int64_t side)
{
    am_value scale = am_div(b, am_scalar(b, AM_F32, (double)side), count);
    am_value center = am_mul(b, am_add_number(b, at, 0.5), scale), width = am_binary_number(b, AM_MAX, scale, 1);
    am_value position = am_iota(b, AM_F32, am_shape_of(1, 1, side), 2, 0.5, 1);
    am_value apart = am_div(b, am_sub(b, position, am_unsqueeze(b, center, 2)), am_unsqueeze(b, width, 2));
    apart = am_add_number(b, am_mul_number(b, am_unary(b, AM_ABS, apart), -1), 1);
    apart = am_binary_number(b, AM_MAX, apart, 0);
    return am_div(b, apart, am_reduce_last(b, AM_REDUCE_SUM, apart));
}

/* Positions of N patches in images of spatial_shapes, [B, N, C]; places that an image does not have are as its first.
 */
static am_value positions(am_builder *b, const squares *s, am_value x)
{
    int64_t N = am_dim(b, x, 1), S = s->side, C = am_dim(b, x, 2);
    am_value shapes = am_input(b, "spatial_shapes", 2);
    am_value rows = am_slice(b, shapes, 1, 0, 1), columns = am_slice(b, shapes, 1, 1, 2);
    am_value place = am_iota(b, AM_I32, am_shape_of(1, N), 1, 0, 1);
    place = am_select(b, am_binary(b, AM_LESS, place, am_mul(b, rows, columns)), place, am_scalar(b, AM_I32, 0));
    am_value row = am_div(b, place, columns), column = am_sub(b, place, am_mul(b, row, columns));
    am_value down = weights(b, am_cast(b, row, AM_F32), am_cast(b, rows, AM_F32), S),
             along = weights(b, am_cast(b, column, AM_F32), am_cast(b, columns, AM_F32), S);
    am_value both = am_mul(b, am_unsqueeze(b, down, 3), am_unsqueeze(b, along, 2)); /* [B, N, S, S] */
    am_value table = am_parameter(b, "position_embedding.weight", am_shape_of(S * S, C), x);
    return am_matmul(b, am_flatten(b, both, 2, 3), table, false, false);
}

static am_value patches(am_builder *b, const am_config *c, int64_t C)
{
    squares s = read_squares(c);
    am_value x = am_input(b, "pixel_values", 3);
    int64_t numbers = s.num_channels * s.patch_size * s.patch_size;
    if (x.id && am_dim(b, x, 2) != numbers)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has patches of %" PRId64 " numbers, expected %" PRId64
                                    " (num_channels * patch_size^2)",
                                    am_dim(b, x, 2), numbers));
    x = am_linear(b, "patch_embedding", x, C, AM_BIAS);
    return am_add(b, x, positions(b, &s, x));
}

static const am_architecture architectures[] = {
    {"Siglip2Model", am_siglip_model, "zero-shot-image-classification", 0},
    {"Siglip2TextModel", am_siglip_text_model, NULL, 0},
    {"Siglip2VisionModel", am_siglip_vision_model, "image-feature-extraction", 0},
    {"Siglip2ForImageClassification", am_siglip_for_image_classification, "image-classification", 0},
    {0},
};

static const am_siglip_family family = {.name = "siglip2", .patches = patches, .patch_mask = "pixel_attention_mask"};

const am_model_type am_model_siglip2 = {.name = "siglip2 siglip2_text_model siglip2_vision_model",
                                        .base_prefix = "siglip2",
                                        .architectures = architectures,
                                        .family = &family};
