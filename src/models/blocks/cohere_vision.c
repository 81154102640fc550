#include "models/blocks/cohere_vision.h"

#include "models/blocks/layers.h"

am_value am_cohere_project(am_builder *b, am_value x, const am_cohere_projector *p)
{
    const am_config *c = am_model_config(b);
    int64_t side = am_square_side(b, am_dim(b, x, 1)), half = p->inner / 2;
    if (p->inner % 2 != 0) am_config_fail(c, "alignment_intermediate_size", "%lld is odd", (long long)p->inner);
    x = am_fold_patches(b, x, side, side, am_config_size(c, "downsample_factor", 2));
    am_scope(b, "multi_modal_projector");
    if (p->norm_eps != 0) x = am_layer_norm(b, "layernorm", x, p->norm_eps);
    x = am_linear(b, "linear_1", x, p->inner, AM_BIAS);
    x = am_gated_activation(b, AM_SILU, am_slice(b, x, -1, half, p->inner), am_slice(b, x, -1, 0, half));
    x = am_linear(b, "linear_2", x, am_text_width(b), AM_BIAS);
    am_end_scope(b);
    return x;
}
