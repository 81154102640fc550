/* FocalNet: stages in which each place of a map is modulated by what lies around it: depthwise convolutions over ever
   larger surroundings, and the whole map, are added as the place's gates say, and multiply its query. transformers:
   models/focalnet/modeling_focalnet.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { WIDENING = 2, LEVELS_LIMIT = 64 }; /* of the surroundings from level to level */

typedef struct focalnet_config {
    am_image_options image;
    int stages;
    int64_t depths[AM_STAGES_LIMIT], levels[AM_STAGES_LIMIT], windows[AM_STAGES_LIMIT];
    int64_t embed_dim, encoder_stride, labels;
    double mlp_ratio, layer_norm_eps;
    am_unary_fn hidden_act;
    bool conv_embed, scales, norms_after, norms_modulated, normalizes;
} focalnet_config;

/* A map of tokens, x: [B, height * width, C]. */
typedef struct focal_map {
    am_value x;
    int64_t height, width;
} focal_map;

/* The list `key` of a number from 1 for each stage; more are not read. */
static void read_levels(const am_config *c, const char *key, int stages, int64_t fallback, int64_t *out)
{
    const int64_t four[] = {fallback, fallback, fallback, fallback};
    int found = am_config_sizes(c, key, out, AM_STAGES_LIMIT, four, 4);
    if (found < stages) am_config_fail(c, key, "expected %d elements, found %d", stages, found);
    for (int i = 0; i < stages; i++) {
        if (i < found && out[i] <= LEVELS_LIMIT) continue;
        if (i < found) am_config_fail(c, key, "element %d is %" PRId64 ", more than %d", i, out[i], LEVELS_LIMIT);
        out[i] = 1;
    }
}

static focalnet_config read_config(am_builder *b)
{
    static const int64_t depths[] = {2, 2, 6, 2};
    const am_config *c = am_model_config(b);
    focalnet_config r = {
        .image = am_image_options_read(c, 224, 4),
        .embed_dim = am_config_size(c, "embed_dim", 96),
        .encoder_stride = am_config_size(c, "encoder_stride", 32),
        .labels = am_config_labels(c),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 4),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .conv_embed = am_config_flag(c, "use_conv_embed", false),
        .scales = am_config_flag(c, "use_layerscale", false),
        .norms_after = am_config_flag(c, "use_post_layernorm", false),
        .norms_modulated = am_config_flag(c, "use_post_layernorm_in_modulation", false),
        .normalizes = am_config_flag(c, "normalize_modulator", false),
    };
    r.stages = am_stage_depths(c, depths, 4, r.depths);
    read_levels(c, "focal_levels", r.stages, 2, r.levels);
    read_levels(c, "focal_windows", r.stages, 3, r.windows);
    for (int i = 0; i < r.stages; i++)
        if (r.windows[i] % 2 == 0) am_config_fail(c, "focal_windows", "element %d is even", i);
    if (r.stages > 0) am_scaled_size(c, "embed_dim", r.embed_dim << (r.stages - 1), 1);
    return r;
}

/* Patches of a convolution NAME.projection, before which maps are padded with zeros to whole ones. */
static focal_map embed_patches(am_builder *b, am_value x, const focalnet_config *c, int64_t C, bool is_stem)
{
    int64_t kernel = is_stem ? 7 : 3, stride = is_stem ? 4 : 2, padding = is_stem ? 2 : 1, pair[] = {2, 2};
    const int64_t *patch = is_stem ? c->image.patch_size : pair;
    am_convolution_attributes overlapping = {.stride = am_shape_of(stride, stride),
                                             .padding_before = am_shape_of(padding, padding),
                                             .padding_after = am_shape_of(padding, padding)};
    for (int i = 0; i < 2; i++) {
        int64_t over = am_dim(b, x, 2 + i) % patch[i];
        if (over) x = am_pad_zero(b, x, 2 + i, 0, patch[i] - over);
    }
    x = c->conv_embed ? am_conv(b, "projection", x, C, am_shape_of(kernel, kernel), AM_BIAS, &overlapping)
                      : am_patch_convolution(b, "projection", x, C, patch, AM_BIAS);
    return (focal_map){am_image_tokens(b, x), am_dim(b, x, 2), am_dim(b, x, 3)};
}

static focal_map embed(am_builder *b, const focalnet_config *c)
{
    am_value x = am_pixel_values(b, c->image.num_channels);
    am_scope(b, "embeddings");
    am_scope(b, "patch_embeddings");
    focal_map map = embed_patches(b, x, c, c->embed_dim, true);
    am_end_scope(b);
    x = am_layer_norm(b, "norm", map.x, c->layer_norm_eps);
    map.x = am_mask_patches(b, x, am_shape_of(1, 1, c->embed_dim));
    am_end_scope(b);
    return map;
}

/* The surroundings of each place, as gates: [B, levels + 1, H, W] say, of ctx: [B, C, H, W]. */
static am_value gather(am_builder *b, am_value ctx, am_value gates, const focalnet_config *c, int stage)
{
    int64_t C = am_dim(b, ctx, 1), levels = c->levels[stage];
    am_value all = AM_NONE;
    for (int64_t k = 0; k < levels; k++) {
        int64_t kernel = WIDENING * k + c->windows[stage], padding = kernel / 2;
        char name[64];
        snprintf(name, sizeof name, "focal_layers.%" PRId64 ".0", k);
        am_convolution_attributes depthwise = {.padding_before = am_shape_of(padding, padding),
                                               .padding_after = am_shape_of(padding, padding),
                                               .groups = C};
        ctx = am_conv(b, name, ctx, C, am_shape_of(kernel, kernel), AM_NO_BIAS, &depthwise);
        ctx = am_unary(b, AM_GELU, ctx);
        am_value gated = am_mul(b, ctx, am_slice(b, gates, 1, k, k + 1));
        all = all.id ? am_add(b, all, gated) : gated;
    }
    am_value whole = am_unary(b, AM_GELU, am_image_mean(b, ctx, true));
    whole = am_mul(b, whole, am_slice(b, gates, 1, levels, levels + 1));
    all = all.id ? am_add(b, all, whole) : whole;
    return c->normalizes ? am_mul_number(b, all, 1 / (double)(levels + 1)) : all;
}

static am_value modulate(am_builder *b, am_value x, const focal_map *map, const focalnet_config *c, int stage)
{
    int64_t C = am_dim(b, x, -1), levels = c->levels[stage];
    am_scope(b, "modulation");
    x = am_linear(b, "projection_in", x, 2 * C + levels + 1, AM_BIAS);
    x = am_tokens_image(b, x, map->height, map->width);
    am_value q = am_slice(b, x, 1, 0, C), ctx = am_slice(b, x, 1, C, 2 * C),
             gates = am_slice(b, x, 1, 2 * C, AM_SLICE_END);
    ctx = gather(b, ctx, gates, c, stage);
    ctx = am_conv(b, "projection_context", ctx, C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0});
    x = am_image_tokens(b, am_mul(b, q, ctx));
    if (c->norms_modulated) x = am_layer_norm(b, "layernorm", x, c->layer_norm_eps);
    x = am_linear(b, "projection_out", x, C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const focalnet_config *c)
{
    int64_t C = am_dim(b, x, -1), inner = am_scaled_size(am_model_config(b), "mlp_ratio", C, c->mlp_ratio);
    return am_linear(b, "mlp.fc2", am_linear_activation(b, "mlp.fc1", x, inner, AM_BIAS, c->hidden_act), C, AM_BIAS);
}

static am_value norm_if(am_builder *b, bool wanted, const char *name, am_value x, const focalnet_config *c)
{
    return wanted ? am_layer_norm(b, name, x, c->layer_norm_eps) : x;
}

static am_value scaled(am_builder *b, const char *name, am_value x, const focalnet_config *c)
{
    return c->scales ? am_mul(b, x, am_parameter(b, name, am_shape_of(am_dim(b, x, -1)), x)) : x;
}

static am_value layer(am_builder *b, const focal_map *map, const focalnet_config *c, int stage)
{
    bool after = c->norms_after;
    am_value x = map->x, h = modulate(b, norm_if(b, !after, "norm1", x, c), map, c, stage);
    x = am_add(b, x, scaled(b, "gamma_1", norm_if(b, after, "norm1", h, c), c));
    h = mlp(b, norm_if(b, !after, "norm2", x, c), c);
    return am_add(b, x, scaled(b, "gamma_2", norm_if(b, after, "norm2", h, c), c));
}

/* Layers, and all but the last stage twice the width at half the size. */
static focal_map stage(am_builder *b, focal_map map, const focalnet_config *c, int i)
{
    for (int j = 0; j < c->depths[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        map.x = layer(b, &map, c, i);
        am_end_scope(b);
    }
    if (i == c->stages - 1) return map;
    am_scope(b, "downsample");
    map = embed_patches(b, am_tokens_image(b, map.x, map.height, map.width), c, c->embed_dim << (i + 1), false);
    map.x = am_layer_norm(b, "norm", map.x, c->layer_norm_eps);
    am_end_scope(b);
    return map;
}

static am_value as_image(am_builder *b, const focal_map *map)
{
    return am_tokens_image(b, map->x, map->height, map->width);
}

/* maps: 1 + stages of them, the stem's first. Returns the last one's tokens, normed. */
static am_value body(am_builder *b, const focalnet_config *c, const char *prefix, focal_map *maps)
{
    am_scope(b, "%s", prefix);
    maps[0] = embed(b, c);
    for (int i = 0; i < c->stages; i++) {
        am_scope(b, "encoder.stages.%d", i);
        maps[i + 1] = stage(b, maps[i], c, i);
        am_end_scope(b);
    }
    am_value x = am_layer_norm(b, "layernorm", maps[c->stages].x, c->layer_norm_eps);
    am_end_scope(b);
    for (int i = 0; i <= c->stages; i++) am_output_hidden_state(b, "hidden_states", i, maps[i].x);
    return x;
}

static void output_reshaped(am_builder *b, const focalnet_config *c, const focal_map *maps)
{
    for (int i = 0; i <= c->stages; i++) am_output_hidden_state(b, "reshaped_hidden_states", i, as_image(b, &maps[i]));
}

static void focalnet_model(am_builder *b)
{
    focalnet_config c = read_config(b);
    focal_map maps[AM_STAGES_LIMIT + 1];
    am_value x = body(b, &c, "", maps);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false));
    output_reshaped(b, &c, maps);
}

static void for_image_classification(am_builder *b)
{
    focalnet_config c = read_config(b);
    focal_map maps[AM_STAGES_LIMIT + 1];
    am_value x = am_reduce(b, AM_REDUCE_MEAN, body(b, &c, "focalnet", maps), am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
    output_reshaped(b, &c, maps);
}

/* Each token of the last stage gives the pixels of a square of encoder_stride; tokens stand in a square. */
static void for_masked_image_modeling(am_builder *b)
{
    focalnet_config c = read_config(b);
    focal_map maps[AM_STAGES_LIMIT + 1];
    am_value x = body(b, &c, "focalnet", maps);
    const focal_map *last = &maps[c.stages];
    if (last->height != last->width)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "this class takes square images, found %" PRId64 " x %" PRId64
                                    " tokens in the last stage",
                                    last->height, last->width));
    x = am_conv(b, "decoder.0", am_tokens_image(b, x, last->height, last->width),
                c.encoder_stride * c.encoder_stride * c.image.num_channels, am_shape_of(1, 1), AM_BIAS,
                &(am_convolution_attributes){0});
    am_output(b, "reconstruction", am_pixel_shuffle(b, x, c.encoder_stride));
    output_reshaped(b, &c, maps);
}

static void backbone(am_builder *b)
{
    focalnet_config c = read_config(b);
    focal_map maps[AM_STAGES_LIMIT + 1];
    am_value images[AM_STAGES_LIMIT + 1];
    body(b, &c, "focalnet", maps);
    for (int i = 0; i <= c.stages; i++) images[i] = as_image(b, &maps[i]);
    am_output_feature_maps(b, images, c.stages);
}

static const am_architecture architectures[] = {
    {"FocalNetModel", focalnet_model, "image-feature-extraction", 0},
    {"FocalNetForImageClassification", for_image_classification, "image-classification", 0},
    {"FocalNetForMaskedImageModeling", for_masked_image_modeling, NULL, 0},
    {"FocalNetBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_focalnet = {.name = "focalnet", .base_prefix = "focalnet", .architectures = architectures};
