/* Depth Pro: a vision transformer over patches of the image in several scales and another over the whole image, whose
   tokens become maps that are fused from the coarsest to the finest; beside depths, how wide the view is. transformers:
   models/depth_pro/modeling_depth_pro.py */
#include "models/blocks/dpt_neck.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { SCALES = 8, HOOKS = 8, DEPTH_CHANNELS = 32 };

typedef struct pro_config {
    int64_t C, patch_size, padding, out_size;
    int scales, hooks;
    double ratios[SCALES], overlaps[SCALES];
    int64_t scaled_dims[SCALES], hook_ids[HOOKS], hook_dims[HOOKS], fov_layers;
    bool has_fov;
    am_dpt_neck residual; /* of the fusion's residual layers */
    am_config image_model, patch_model, fov_model;
} pro_config;

/* --- configuration --- */

/* The list `key` of reals into out[SCALES]; says how many. */
static int read_reals(const am_config *c, const char *key, const double defaults[3], double *out)
{
    int count = 0;
    for (; count < 3 && !am_config_has(c, key); count++) out[count] = defaults[count];
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); count < SCALES && am_json_next(&it);)
        out[count++] = am_json_real(it.value, -1);
    return count;
}

static void read_scales(const am_config *c, pro_config *r)
{
    r->scales = read_reals(c, "scaled_images_ratios", (const double[]){0.25, 0.5, 1}, r->ratios);
    int overlaps = read_reals(c, "scaled_images_overlap_ratios", (const double[]){0, 0.5, 0.25}, r->overlaps),
        dims = am_config_sizes(c, "scaled_images_feature_dims", r->scaled_dims, SCALES,
                               (const int64_t[]){1024, 1024, 512}, 3);
    if (r->scales < 1 || overlaps != r->scales || dims != r->scales)
        am_config_fail(c, "scaled_images_ratios", "expected as many as overlaps and dims, 1 to %d", SCALES);
    for (int i = 0; i < r->scales; i++) {
        if (!(r->ratios[i] > 0 && r->ratios[i] <= 64) || (i && r->ratios[i] < r->ratios[i - 1]))
            am_config_fail(c, "scaled_images_ratios", "expected numbers above 0, the least first");
        if (!(r->overlaps[i] >= 0 && r->overlaps[i] < 1))
            am_config_fail(c, "scaled_images_overlap_ratios", "expected 0 or more, below 1");
    }
}

static void read_hooks(const am_config *c, pro_config *r)
{
    static const int64_t defaults[] = {11, 5};
    am_json list = am_json_get(c->object, "intermediate_hook_ids");
    for (; r->hooks < 2 && !am_config_has(c, "intermediate_hook_ids"); r->hooks++)
        r->hook_ids[r->hooks] = defaults[r->hooks];
    for (am_json_iterator it = am_json_iterate(list); r->hooks < HOOKS && am_json_next(&it);)
        r->hook_ids[r->hooks++] = am_json_int(it.value, -1);
    int dims = am_config_sizes(c, "intermediate_feature_dims", r->hook_dims, HOOKS, (const int64_t[]){256, 256}, 2);
    if (dims != r->hooks)
        am_config_fail(c, "intermediate_feature_dims", "expected as many as intermediate_hook_ids, %d", r->hooks);
    for (int i = 0; i < r->hooks; i++)
        if (r->hook_ids[i] < 0) am_config_fail(c, "intermediate_hook_ids", "expected layers from 0");
}

/* Transformers of images of patch_size. */
static am_config read_model(const am_config *c, const char *key, int64_t patch_size)
{
    am_config child = am_config_child(c, key);
    if (!am_config_has(c, key)) am_config_unsupported(c, key, "has to be given");
    else if (am_config_size(&child, "image_size", 0) != patch_size)
        am_config_fail(&child, "image_size", "expected patch_size, %" PRId64, patch_size);
    return child;
}

static pro_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    pro_config r = {.C = am_config_size(c, "fusion_hidden_size", 256),
                    .patch_size = am_config_size(c, "patch_size", 384),
                    .padding = am_config_count(c, "merge_padding_value", 3),
                    .fov_layers = am_config_count(c, "num_fov_head_layers", 2),
                    .has_fov = am_config_flag(c, "use_fov_model", false)};
    read_scales(c, &r);
    read_hooks(c, &r);
    r.image_model = read_model(c, "image_model_config", r.patch_size);
    r.patch_model = read_model(c, "patch_model_config", r.patch_size);
    if (r.has_fov) r.fov_model = read_model(c, "fov_model_config", r.patch_size);
    r.out_size = r.patch_size / am_config_size(&r.image_model, "patch_size", 14);
    r.residual = (am_dpt_neck){.fusion_hidden_size = r.C,
                               .norms = am_config_flag(c, "use_batch_norm_in_fusion_residual", false),
                               .no_bias = !am_config_flag(c, "use_bias_in_fusion_residual", true),
                               .norm_eps = 1e-5};
    if (r.out_size < 1) am_config_fail(c, "patch_size", "is less than a patch of image_model_config");
    if (r.fov_layers > 16 || r.C >> (r.fov_layers > 16 ? 16 : r.fov_layers) == 0)
        am_config_fail(c, "num_fov_head_layers", "leaves no channels");
    return r;
}

/* --- encoders --- */

/* An image's size in maps: as often halved as patches of the image model go into the width. */
typedef struct grid {
    int64_t B, height, width;
} grid;

static grid grid_of(am_builder *b, const pro_config *c, am_value pixels)
{
    int64_t height = am_dim(b, pixels, 2), width = am_dim(b, pixels, 3), halvings = 0;
    if (!am_builder_failed(b) && width < c->out_size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images of width %" PRId64 " are too small", width));
    while (c->out_size << (halvings + 1) <= width && halvings < 30) halvings++;
    return (grid){am_dim(b, pixels, 0), height >> halvings, width >> halvings};
}

/* Images scaled by ratio; coordinates are those that the ratio says. */
static am_value scale_image(am_builder *b, am_value x, double ratio)
{
    if (ratio == 1) return x;
    am_resize_attributes options = {
        .mode = AM_RESIZE_LINEAR,
        .size = am_shape_of((int64_t)((double)am_dim(b, x, 2) * ratio), (int64_t)((double)am_dim(b, x, 3) * ratio)),
        .scale = {ratio, ratio}};
    return am_resize(b, x, &options);
}

/* Patches that may overlap: [B, C, H, W] -> [L * B, C, side, side], all images' first patches first. */
static am_value split(am_builder *b, am_value x, int64_t side, double overlap)
{
    am_shape s = am_shape_of_value(b, x);
    int64_t stride = (int64_t)((double)side * (1 - overlap));
    if (am_builder_failed(b) || (s.dims[2] == side && s.dims[3] == side)) return x;
    if (s.dims[2] < side || s.dims[3] < side || stride < 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images are too small for patches of %" PRId64, side));
        return AM_NONE;
    }
    x = am_unfold(b, x,
                  &(am_unfold_attributes){.kernel = am_shape_of(side, side), .stride = am_shape_of(stride, stride)});
    x = am_permute(b, x, am_shape_of(2, 0, 1));
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0) * s.dims[0], s.dims[1], side, side));
}

static am_part_outputs run_model(am_builder *b, const char *scope, const am_config *config, am_value pixels,
                                 bool hidden_states)
{
    const am_part_input inputs[] = {{.name = "pixel_values", .value = pixels}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "dinov2",
                    .config = config,
                    .inputs = inputs,
                    .input_count = 1,
                    .hidden_states = hidden_states};
    am_scope(b, "%s", scope);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

static int64_t root_of(int64_t n)
{
    int64_t r = (int64_t)sqrt((double)n);
    while (r * r > n) r--;
    while ((r + 1) * (r + 1) <= n) r++;
    return r;
}

/* Maps of patches, [L * B, C, side, side], put together in a square, with `padding` pixels less where two meet. */
static am_value merge(am_builder *b, am_value x, int64_t B, int64_t padding)
{
    int64_t side = am_dim(b, x, 2), L = am_dim(b, x, 0) / B, count = root_of(L);
    am_value *row = am_arena_array(am_builder_arena(b), (size_t)(2 * count) + 1, sizeof *row), *rows = row + count;
    if (!row) am_builder_fail(b, am_out_of_memory());
    if (L == 1 || am_builder_failed(b)) return x;
    if (L < 4) padding = 0;
    if (padding > side / 4) padding = side / 4;
    for (int64_t h = 0, i = 0; h < count; h++) {
        for (int64_t w = 0; w < count; w++, i++) {
            am_value box = am_slice(b, x, 0, B * i, B * (i + 1));
            box = am_slice(b, box, 2, h ? padding : 0, h < count - 1 ? side - padding : side);
            row[w] = am_slice(b, box, 3, w ? padding : 0, w < count - 1 ? side - padding : side);
        }
        rows[h] = am_concat(b, row, (int)count, 3);
    }
    return am_concat(b, rows, (int)count, 2);
}

/* Tokens [L * B, T, C] as a map [B, C, height, width]; tokens before a square of them are left out. */
static am_value reconstruct(am_builder *b, am_value x, int64_t B, int64_t padding, int64_t height, int64_t width)
{
    int64_t T = am_dim(b, x, 1), side = root_of(T);
    x = am_transpose(b, am_slice(b, x, 1, T - side * side, AM_SLICE_END), 1, 2);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), side, side));
    return am_image_resized(b, merge(b, x, B, padding), height, width);
}

/* Maps of scales, the coarsest first, then of hooks. */
static void encode_patches(am_builder *b, const pro_config *c, am_value pixels, const grid *g, am_value *out)
{
    am_value patches[SCALES];
    int64_t from = 0, last = c->scales - 1;
    char name[64];
    for (int i = 0; i < c->scales; i++)
        patches[last - i] = split(b, scale_image(b, pixels, c->ratios[i]), c->patch_size, c->overlaps[i]);
    if (am_builder_failed(b)) return;
    am_part_outputs found =
        run_model(b, "patch_encoder.model", &c->patch_model, am_concat(b, patches, c->scales, 0), c->hooks > 0);
    am_value all = am_part_output(&found, "last_hidden_state");
    for (int k = 0; k < c->scales && !am_builder_failed(b); k++) {
        int i = (int)last - k; /* patches of the largest image stand first */
        int64_t count = am_dim(b, patches[k], 0), padding = (int64_t)((double)c->padding * (1 / c->ratios[i]));
        out[i] = reconstruct(b, am_slice(b, all, 0, from, from + count), g->B, padding, g->height << i, g->width << i);
        from += count;
    }
    for (int i = 0; i < c->hooks && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "hidden_states.%" PRId64, c->hook_ids[i] + 1);
        am_value state = am_part_output(&found, name);
        if (!state.id) am_config_fail(am_model_config(b), "intermediate_hook_ids", "there is no %s", name);
        if (!state.id) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "no layer of that number"));
        out[c->scales + i] = reconstruct(b, state, g->B, (int64_t)((double)c->padding * (1 / c->ratios[last])),
                                         g->height << last, g->width << last);
    }
}

/* --- the neck --- */

/* NAME: a transposed convolution that doubles the map's sides. */
static am_value twice(am_builder *b, const char *name, am_value x, int64_t out, bool biased)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, 2, 2));
    am_value bias = biased ? am_weight(b, "bias", am_shape_of(out)) : AM_NONE;
    am_end_scope(b);
    return am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(2, 2)});
}

static am_value plain_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t side)
{
    am_shape padding = am_shape_of(side / 2, side / 2);
    return am_conv(b, name, x, out, am_shape_of(side, side), AM_NO_BIAS,
                   &(am_convolution_attributes){.padding_before = padding, .padding_after = padding});
}

/* LIST.i: a projection to `inner` channels, then the map is doubled `times` times, to `out` channels. */
static am_value upsample(am_builder *b, const char *list, int i, am_value x, int64_t inner, int64_t out, int times)
{
    char name[32];
    am_scope(b, "feature_upsample.%s.%d", list, i);
    x = plain_conv(b, "layers.0", x, inner, 1);
    for (int k = 0; k < times; k++) {
        snprintf(name, sizeof name, "layers.%d", k + 1);
        x = twice(b, name, x, out, false);
    }
    am_end_scope(b);
    return x;
}

/* maps: of scales and hooks; image: of the whole image. They become as many of C channels. */
static void run_neck(am_builder *b, const pro_config *c, am_value image, am_value *maps)
{
    char name[48];
    int count = c->scales + c->hooks;
    int64_t first = c->scaled_dims[0];
    image = twice(b, "feature_upsample.image_block.layers.0", image, first, true);
    for (int i = 0; i < c->scales; i++)
        maps[i] = upsample(b, "scaled_images", i, maps[i], c->scaled_dims[i], c->scaled_dims[i], 1);
    for (int i = 0; i < c->hooks; i++)
        maps[c->scales + i] =
            upsample(b, "intermediate", i, maps[c->scales + i], i ? c->hook_dims[i] : c->C, c->hook_dims[i], 2 + i);
    maps[0] = am_same_conv(b, "fuse_image_with_low_res", am_concat2(b, maps[0], image, 1), first, 1);
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "feature_projection.projections.%d", i);
        if (i < count - 1 || am_dim(b, maps[i], 1) != c->C) maps[i] = plain_conv(b, name, maps[i], c->C, 3);
    }
}

/* The model below `prefix`: features[scales + hooks]. Names hidden states; returns the last of the image model. */
static am_value body(am_builder *b, const pro_config *c, const char *prefix, am_value *features)
{
    am_value pixels = am_input(b, "pixel_values", 4);
    grid g = grid_of(b, c, pixels);
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "%s", prefix);
    am_scope(b, "encoder");
    encode_patches(b, c, pixels, &g, features);
    am_part_outputs found = run_model(b, "image_encoder.model", &c->image_model,
                                      am_image_resized(b, pixels, c->patch_size, c->patch_size), false);
    am_end_scope(b);
    am_value last = am_part_output(&found, "last_hidden_state");
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "neck");
    run_neck(b, c, reconstruct(b, last, g.B, 0, g.height, g.width), features);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &found, "hidden_states", "hidden_states");
    return last;
}

static void pro_model(am_builder *b)
{
    pro_config c = read_config(b);
    am_value features[SCALES + HOOKS], last = body(b, &c, "", features);
    char name[32];
    am_output(b, "last_hidden_state", last);
    for (int i = 0; i < c.scales + c.hooks && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "features.%d", i);
        am_output(b, name, features[i]);
    }
}

/* --- depths --- */

static am_value fuse(am_builder *b, const pro_config *c, am_value x, am_value finer, bool doubles)
{
    if (finer.id) x = am_add(b, x, am_dpt_residual_layer(b, &c->residual, "residual_layer1", finer));
    x = am_dpt_residual_layer(b, &c->residual, "residual_layer2", x);
    if (doubles) x = twice(b, "deconv", x, c->C, false);
    return am_same_conv(b, "projection", x, c->C, 1);
}

static am_value fuse_all(am_builder *b, const pro_config *c, const am_value *features)
{
    int last = c->scales + c->hooks - 1;
    am_value x = features[0];
    am_scope(b, "fusion_stage");
    for (int i = 0; i < last && !am_builder_failed(b); i++) {
        am_scope(b, "intermediate.%d", i);
        x = fuse(b, c, x, i ? features[i] : AM_NONE, true);
        am_end_scope(b);
    }
    am_scope(b, "final");
    x = fuse(b, c, x, last ? features[last] : AM_NONE, false);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

static am_value depth_head(am_builder *b, const pro_config *c, am_value x)
{
    am_scope(b, "head");
    x = am_same_conv(b, "layers.0", x, c->C / 2, 3);
    x = twice(b, "layers.1", x, c->C / 2, true);
    x = am_unary(b, AM_RELU, am_same_conv(b, "layers.2", x, DEPTH_CHANNELS, 3));
    x = am_unary(b, AM_RELU, am_same_conv(b, "layers.4", x, 1, 1));
    am_end_scope(b);
    return am_squeeze(b, x, 1);
}

/* --- the field of view --- */

static am_value halving_conv(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes options = {.stride = am_shape_of(2, 2), .padding_before = one, .padding_after = one};
    return am_unary(b, AM_RELU, am_conv(b, name, x, out, am_shape_of(3, 3), AM_BIAS, &options));
}

/* Degrees of each image: [B]. */
static am_value field_of_view(am_builder *b, const pro_config *c, am_value coarsest)
{
    char name[32];
    am_value pixels = am_input(b, "pixel_values", 4);
    grid g = grid_of(b, c, pixels);
    int64_t kernel = (int64_t)((double)(c->out_size - 1) / pow(2, (double)c->fov_layers) + 1);
    am_scope(b, "fov_model");
    am_part_outputs found = run_model(b, "fov_encoder.model", &c->fov_model,
                                      am_image_resized(b, pixels, c->patch_size, c->patch_size), false);
    am_value x = am_linear(b, "fov_encoder.neck", am_part_output(&found, "last_hidden_state"), c->C / 2, AM_BIAS);
    x = reconstruct(b, x, g.B, 0, g.height, g.width);
    x = am_image_resized(b, am_add(b, x, halving_conv(b, "conv", coarsest, c->C / 2)), c->out_size, c->out_size);
    for (int i = 0; i < c->fov_layers; i++) {
        snprintf(name, sizeof name, "head.layers.%d", 2 * i);
        x = halving_conv(b, name, x, (c->C + ((int64_t)1 << (i + 2)) - 1) >> (i + 2));
    }
    snprintf(name, sizeof name, "head.layers.%d", 2 * (int)c->fov_layers);
    x = am_conv(b, name, x, 1, am_shape_of(kernel, kernel), AM_BIAS, &(am_convolution_attributes){0});
    am_end_scope(b);
    return am_reshape(b, x, am_shape_of(-1));
}

static void for_depth_estimation(am_builder *b)
{
    pro_config c = read_config(b);
    am_value features[SCALES + HOOKS];
    body(b, &c, "depth_pro", features);
    if (am_builder_failed(b)) return;
    am_output(b, "predicted_depth", depth_head(b, &c, fuse_all(b, &c, features)));
    if (c.has_fov) am_output(b, "field_of_view", field_of_view(b, &c, features[0]));
}

static const am_architecture architectures[] = {
    {"DepthProModel", pro_model, "image-feature-extraction", 0},
    {"DepthProForDepthEstimation", for_depth_estimation, "depth-estimation", 0},
    {0},
};

const am_model_type am_model_depth_pro = {
    .name = "depth_pro", .base_prefix = "depth_pro", .architectures = architectures};
