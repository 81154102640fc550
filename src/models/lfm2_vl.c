/* LFM2-VL: SigLIP 2's patches of images of any size, squares of them side by side through two linear layers, among the
   words of an LFM2. transformers: models/lfm2_vl/modeling_lfm2_vl.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* Last hidden state of the tower: [images, patches, C]. */
static am_value tower(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_part part = {.auto_class = "AutoModel", .model_type = "siglip2_vision_model", .config = &c};
    am_scope(b, "vision_tower");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return am_part_output(&outputs, "last_hidden_state");
}

/* Squares of an image's patches: x: [patches, C] -> [rows, C * factor^2]. */
static am_value squares(am_builder *b, am_value x, int64_t image, int64_t factor)
{
    int64_t rows = am_shaping_number(b, "spatial_shapes", 2 * image),
            columns = am_shaping_number(b, "spatial_shapes", 2 * image + 1), P = am_dim(b, x, 0);
    if (rows < 1 || columns < 1 || rows > P || columns > P || rows * columns > P) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "spatial_shapes: image %" PRId64 " has %" PRId64 " x %" PRId64
                                    " patches, pixel_values has %" PRId64,
                                    image, rows, columns, P));
        return AM_NONE;
    }
    x = am_unsqueeze(b, am_slice(b, x, 0, 0, rows * columns), 0);
    return am_squeeze(b, am_fold_patches(b, x, rows, columns, factor), 0);
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t factor = am_config_size(c, "downsample_factor", 2);
    int bias = am_config_flag(c, "projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_unary_fn act = am_config_activation(c, "projector_hidden_act", AM_GELU);
    am_value x = tower(b), shapes = am_input(b, "spatial_shapes", 2);
    int64_t images = am_dim(b, x, 0);
    if (!am_builder_failed(b) && (am_dim(b, shapes, 0) != images || am_dim(b, shapes, 1) != 2))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "spatial_shapes: expected rows and columns of %" PRId64 " images", images));
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)images + 1, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < images && !am_builder_failed(b); i++)
        parts[i] = squares(b, am_index(b, x, 0, i), i, factor);
    if (am_builder_failed(b)) return AM_NONE;
    x = am_concat(b, parts, (int)images, 0);
    am_scope(b, "multi_modal_projector");
    if (am_config_flag(c, "projector_use_layernorm", true)) x = am_layer_norm(b, "layer_norm", x, NORM_EPS);
    x = am_linear_activation(b, "linear_1", x, am_config_size(c, "projector_hidden_size", 2560), bias, act);
    x = am_linear(b, "linear_2", x, am_text_width(b), bias);
    am_end_scope(b);
    return x;
}

static const am_vision_language_family family = {
    .features = features, .image_token = 396, .tied = true, .text_type = "lfm2"};

static const am_architecture architectures[] = {
    {"Lfm2VlModel", am_vision_language_model, NULL, 0},
    {"Lfm2VlForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "spatial_shapes"}, {0}};

const am_model_type am_model_lfm2_vl = {.name = "lfm2_vl",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .shaping_inputs = shaping_inputs};
