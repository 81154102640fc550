#include "models/blocks/mistral3.h"

#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { IMAGES_LIMIT = 1024 };

const am_shaping_input am_mistral3_shaping_inputs[] = {{.name = "image_sizes"}, {0}};

/* Squares of an image's patches: x: [rows * columns, C] -> [rows / m * (columns / m), C * m * m]; what is left at the
   borders is dropped. */
static am_value squares(am_builder *b, am_value x, int64_t rows, int64_t columns, int64_t m)
{
    int64_t C = am_dim(b, x, -1);
    am_shape side = am_shape_of(m, m);
    x = am_reshape(b, am_transpose(b, x, 0, 1), am_shape_of(1, C, rows, columns));
    x = am_unfold(b, x, &(am_unfold_attributes){.kernel = side, .stride = side});
    return am_transpose(b, am_squeeze(b, x, 0), 0, 1);
}

/* x: [N, C], all images' patches -> [rows, C] */
static am_value merge(am_builder *b, am_value x, const am_image_options *image)
{
    int64_t m = am_config_size(am_model_config(b), "spatial_merge_size", 2), at = 0, C = am_dim(b, x, -1);
    am_value sizes = am_input(b, "image_sizes", 2), parts[IMAGES_LIMIT];
    int64_t images = am_dim(b, sizes, 0);
    for (int64_t i = 0; i < images && i < IMAGES_LIMIT && !am_builder_failed(b); i++) {
        int64_t rows = am_shaping_number(b, "image_sizes", 2 * i) / image->patch_size[0],
                columns = am_shaping_number(b, "image_sizes", 2 * i + 1) / image->patch_size[1];
        if (rows < m || columns < m)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "image_sizes: image %" PRId64 " has %" PRId64 " x %" PRId64
                                        " patches, less than a square of %" PRId64,
                                        i, rows, columns, m));
        else parts[i] = squares(b, am_slice(b, x, 0, at, at + rows * columns), rows, columns, m);
        at += rows * columns;
    }
    if (am_builder_failed(b) || images > IMAGES_LIMIT) return AM_NONE;
    return am_linear(b, "patch_merger.merging_layer", am_concat(b, parts, (int)images, 0), C, AM_NO_BIAS);
}

am_value am_mistral3_rows(am_builder *b, const am_mistral3 *names)
{
    static const int last = -1;
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config"), text = am_text_config(b);
    am_image_options image = am_image_options_read(&vision, 1024, 16);
    bool reads = names->reads_projector;
    int bias = reads && am_config_flag(c, "multimodal_projector_bias", false) ? AM_BIAS : AM_NO_BIAS;
    am_unary_fn act = reads ? am_config_activation(c, "projector_hidden_act", AM_GELU) : AM_GELU;
    int64_t C = am_text_width(b);
    am_part_outputs tower = am_vision_tower(b, names->tower, "pixtral", AM_NONE);
    am_value x = reads ? am_vision_states(b, &tower, &last, 1, false) : am_part_output(&tower, "last_hidden_state");
    am_scope(b, "%s", names->projector);
    x = am_rms_norm(b, "norm", am_squeeze(b, x, 0), am_config_real(&text, "rms_norm_eps", 1e-6), 0);
    x = merge(b, x, &image);
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, bias, act), C, bias);
    am_end_scope(b);
    return x;
}
