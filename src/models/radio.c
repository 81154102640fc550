/* RADIO: see blocks/radio.h; images are normed by the model. transformers: models/radio/modeling_radio.py */
#include "models/blocks/radio.h"

static am_value read_pixels(am_builder *b, const am_radio_options *c)
{
    int64_t channels = c->image.num_channels;
    am_value x = am_pixel_values(b, channels);
    am_scope(b, "input_conditioner");
    x = am_sub(b, x, am_parameter(b, "norm_mean", am_shape_of(channels, 1, 1), x));
    x = am_div(b, x, am_parameter(b, "norm_std", am_shape_of(channels, 1, 1), x));
    am_end_scope(b);
    return x;
}

/* The class tokens that the file's summary_idxs names, side by side: [B, n * C]. */
static am_value summarize(am_builder *b, am_value x, const am_radio_options *c)
{
    am_value which = am_weight_integers(b, "summary_idxs", am_shape_of(c->summary_count));
    x = am_gather(b, am_slice(b, x, 1, 0, c->classes), which, 1, false);
    return am_flatten(b, x, 1, 2);
}

static void radio_model(am_builder *b)
{
    am_radio_options c = am_radio_options_read(am_model_config(b));
    am_scope(b, "radio_model");
    am_value x = read_pixels(b, &c);
    const int64_t p = c.image.patch_size[0], grid[] = {am_dim(b, x, 2) / p, am_dim(b, x, 3) / p};
    am_scope(b, "model");
    x = am_radio_states(b, &c, am_radio_patches(b, &c, x), grid, "patch_generator.embedder");
    am_end_scope(b);
    am_output(b, "summary", summarize(b, x, &c));
    am_output(b, "features", am_slice(b, x, 1, c.classes + c.registers, AM_SLICE_END));
    am_output(b, "last_hidden_state", x);
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"RadioModel", radio_model, NULL, 0},
    {0},
};

const am_model_type am_model_radio = {.name = "radio", .base_prefix = "model", .architectures = architectures};
