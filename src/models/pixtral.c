/* Pixtral's tower: images of any size in one row of patches, which turn by their height and width and see their own
   image only. transformers: models/pixtral/modeling_pixtral.py */
#include "models/blocks/attention.h"
#include "models/blocks/decoder.h"
#include "models/blocks/grids.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { IMAGES_LIMIT = 1024 };

static const double NORM_EPS = 1e-5; /* not configurable */

typedef struct pixtral {
    am_image_options image;
    int64_t hidden_size, intermediate_size, heads, layers;
    am_unary_fn hidden_act;
    double theta;
    am_rope rope;
    am_segments images;
} pixtral;

static pixtral read_config(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    pixtral p = {
        .image = am_image_options_read(c, 1024, 16),
        .hidden_size = am_config_size(c, "hidden_size", 1024),
        .intermediate_size = am_config_size(c, "intermediate_size", 4096),
        .heads = am_config_size(c, "num_attention_heads", 16),
        .layers = am_config_count(c, "num_hidden_layers", 24),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .theta = am_config_real(&rope, "rope_theta", am_config_real(c, "rope_theta", 10000)),
    };
    am_config_check_divides(c, "num_attention_heads", p.heads, "hidden_size", p.hidden_size);
    return p;
}

/* Patches of each image: [rows, columns]; those of image_sizes, or of the whole pictures. */
static void read_sizes(am_builder *b, const pixtral *p, am_value patches, am_grid *grids)
{
    am_value sizes = am_input_optional(b, "image_sizes", 2);
    int64_t images = am_dim(b, patches, 0), rows = am_dim(b, patches, 2), columns = am_dim(b, patches, 3);
    if (sizes.id && (am_dim(b, sizes, 0) != images || am_dim(b, sizes, 1) != 2))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_sizes has %" PRId64 " rows, pixel_values %" PRId64 " images",
                                    am_dim(b, sizes, 0), images));
    for (int64_t i = 0; i < images; i++) {
        grids[i] = (am_grid){1, rows, columns};
        if (!sizes.id || am_builder_failed(b)) continue;
        int64_t height = am_shaping_number(b, "image_sizes", 2 * i),
                width = am_shaping_number(b, "image_sizes", 2 * i + 1);
        grids[i] = (am_grid){1, height / p->image.patch_size[0], width / p->image.patch_size[1]};
        if (height < 1 || width < 1 || grids[i].h < 1 || grids[i].w < 1 || grids[i].h > rows || grids[i].w > columns)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "image_sizes: image %" PRId64 " has %" PRId64 " x %" PRId64
                                        " pixels, pixel_values has %" PRId64 " x %" PRId64 " patches",
                                        i, height, width, rows, columns));
    }
}

/* All images' patches in one row: [1, N, C]; rotary tables and images of *p. */
static am_value embed(am_builder *b, pixtral *p)
{
    am_grid grids[IMAGES_LIMIT];
    am_value parts[IMAGES_LIMIT];
    int64_t lengths[IMAGES_LIMIT];
    am_value x = am_pixel_values(b, p->image.num_channels);
    x = am_patch_convolution(b, "patch_conv", x, p->hidden_size, p->image.patch_size, AM_NO_BIAS);
    int64_t images = am_dim(b, x, 0);
    if (images < 1 || images > IMAGES_LIMIT)
        am_builder_fail(
            b, am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images, 1 to %d are possible", images, IMAGES_LIMIT));
    if (am_builder_failed(b)) return AM_NONE;
    read_sizes(b, p, x, grids);
    am_grids all = {.items = grids, .count = (int)images, .merge = 1};
    for (int64_t i = 0; i < images && !am_builder_failed(b); i++) {
        am_value own = am_slice(b, am_slice(b, am_slice(b, x, 0, i, i + 1), 2, 0, grids[i].h), 3, 0, grids[i].w);
        parts[i] = am_image_tokens(b, own);
        lengths[i] = grids[i].h * grids[i].w;
        all.patches += lengths[i];
    }
    if (am_builder_failed(b)) return AM_NONE;
    am_patch_places places = am_grid_places(b, &all, NULL);
    if (am_builder_failed(b)) return AM_NONE;
    p->rope = am_grid_rope(b, &places, all.patches, p->hidden_size / p->heads, p->theta, AM_GRID_ROPE_ALTERNATE);
    p->rope.interleaved = am_has_weight(b, "transformer.layers.0.attention.wq.weight"); /* as Mistral's files have it */
    p->images = am_segments_make(b, lengths, images);
    return am_rms_norm(b, "ln_pre", am_concat(b, parts, (int)images, 1), NORM_EPS, 0);
}

/* x: [1, N, C] */
static am_value layer(am_builder *b, am_value x, const pixtral *p)
{
    am_attention_options options = {
        .heads = p->heads, .no_q_bias = true, .no_k_bias = true, .no_v_bias = true, .rope = &p->rope};
    am_value qkv[3], h = am_rms_norm(b, "attention_norm", x, NORM_EPS, 0);
    am_scope(b, "attention");
    am_attention_heads(b, h, &options, qkv);
    x = am_add(b, x,
               am_linear(b, "o_proj", am_segments_attend(b, &p->images, qkv, p->heads), p->hidden_size, AM_NO_BIAS));
    am_end_scope(b);
    h = am_rms_norm(b, "ffn_norm", x, NORM_EPS, 0);
    am_scope(b, "feed_forward");
    h = am_gated_mlp(b, h, p->intermediate_size, p->hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, h);
}

static void vision_model(am_builder *b)
{
    pixtral p = read_config(am_model_config(b));
    am_value x = embed(b, &p);
    for (int i = 0; i < p.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "transformer.layers.%d", i);
        x = layer(b, x, &p);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)p.layers, x);
    am_output(b, "last_hidden_state", x);
}

static const am_architecture architectures[] = {
    {"PixtralVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "image_sizes"}, {0}};

const am_model_type am_model_pixtral = {.name = "pixtral",
                                        .base_prefix = "vision_encoder",
                                        .architectures = architectures,
                                        .shaping_inputs = shaping_inputs};
