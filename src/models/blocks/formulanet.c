#include "models/blocks/formulanet.h"

#include "models/blocks/layers.h"
#include "models/blocks/sam.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static am_value halve(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_NO_BIAS, &options);
}

am_value am_formulanet_encode(am_builder *b, const am_config *c, const char *hidden_states, am_value *map)
{
    am_sam_encoder encoder = {.scope = "", .hidden_states = hidden_states, .mlp_dim = 3072, .image_size = 512};
    int64_t in = am_config_size(c, "post_conv_in_channels", 256),
            out = am_config_size(c, "post_conv_out_channels", 1024);
    am_value x = *map = am_sam_encode(b, c, &encoder).embeddings;
    if (x.id && am_dim(b, x, 1) != in)
        am_config_fail(c, "post_conv_in_channels", "expected output_channels, %" PRId64, am_dim(b, x, 1));
    am_scope(b, "multi_modal_projector");
    x = halve(b, "conv1", x, am_config_size(c, "post_conv_mid_channels", 512));
    x = am_image_tokens(b, halve(b, "conv2", x, out));
    x = am_linear(b, "linear_1", x, out, AM_BIAS);
    x = am_linear(b, "linear_2", x, am_config_size(c, "decoder_hidden_size", 512), AM_BIAS);
    am_end_scope(b);
    return x;
}
