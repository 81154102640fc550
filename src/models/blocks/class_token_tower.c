#include "models/blocks/class_token_tower.h"

#include "models/blocks/clip.h"

#include <inttypes.h>

static void check_size(am_builder *b, am_value pixels, const am_image_options *image)
{
    if (am_builder_failed(b) ||
        (am_dim(b, pixels, 1) == image->num_channels && am_dim(b, pixels, 2) == image->image_size[0] &&
         am_dim(b, pixels, 3) == image->image_size[1]))
        return;
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                "pixel_values: expected images of %" PRId64 " channels of %" PRId64 " x %" PRId64,
                                image->num_channels, image->image_size[0], image->image_size[1]));
}

am_class_token_states am_class_token_tower_run(am_builder *b, const am_config *c, const am_class_token_tower *d,
                                               am_value x, const char *hidden_states)
{
    am_image_options image = am_image_options_read(c, d->image_size, d->patch_size);
    int64_t C = am_config_size(c, am_config_either(c, "hidden_size", "embed_dim"), d->hidden_size),
            places = am_image_patches(&image) + 1;
    am_pre_norm_options encoder = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", d->num_hidden_layers),
        .intermediate_size = am_config_size(c, "intermediate_size", d->intermediate_size),
        .hidden_act = am_config_activation(c, "hidden_act", d->hidden_act),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .attention = {.heads = am_config_size(c, "num_attention_heads", d->num_attention_heads)},
        .names = &am_clip_names,
        .hidden_states = hidden_states};
    am_config_check_divides(c, "num_attention_heads", encoder.attention.heads, "hidden_size", C);
    check_size(b, x, &image);
    am_scope(b, "embeddings");
    x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", x, C, image.patch_size, AM_NO_BIAS));
    x = am_prepend_token(b, "class_embedding", am_shape_of(C), x);
    x = am_add(b, x, am_parameter(b, "position_embedding.weight", am_shape_of(places, C), x));
    am_end_scope(b);
    x = am_pre_norm_layers(b, am_layer_norm(b, "pre_layrnorm", x, encoder.layer_norm_eps), &encoder);
    return (am_class_token_states){x, am_layer_norm(b, "post_layernorm", x, encoder.layer_norm_eps)};
}
