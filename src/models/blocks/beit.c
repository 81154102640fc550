#include "models/blocks/beit.h"

#include "models/blocks/uper_head.h"
#include "models/blocks/vit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FPN_MAPS = 4 };

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */

typedef struct beit_config {
    const am_config *c;
    const am_beit_family *family;
    am_image_options image;
    am_pre_norm_names names;
    am_pre_norm_options layers; /* without names */
    int64_t hidden_size;
    bool absolute, relative, shared_relative; /* kinds of positions */
    bool mean_pooling;
    int64_t patches[2]; /* rows and columns of the images given */
} beit_config;

static beit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_beit_family *family = am_model_family(b);
    const am_vit_family vit = {.derives_head_dim = !family->is_backbone};
    beit_config r = {
        .c = c,
        .family = family,
        .image = am_image_options_read(c, 224, 16),
        .names = am_vit_names,
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .absolute = am_config_flag(c, "use_absolute_position_embeddings", false),
        .relative = am_config_flag(c, "use_relative_position_bias", false),
        .shared_relative = am_config_flag(c, "use_shared_relative_position_bias", false),
        .mean_pooling = am_config_flag(c, "use_mean_pooling", true),
    };
    r.layers = am_vit_layers_read(c, &vit, r.hidden_size);
    r.layers.attention.no_q_bias = r.layers.attention.no_v_bias = false;
    r.layers.attention.no_k_bias = true;
    if (am_config_real(c, "layer_scale_init_value", 0.1) > 0) {
        r.names.attention_scale = "lambda_1";
        r.names.mlp_scale = "lambda_2";
    }
    return r;
}

/* --- relative positions --- */

/* Rows of the table for each pair of tokens: I32 [T, T]. It has a row for each way from patch to patch, then one from
   the class token to a patch, one from a patch to it, and one from it to itself. */
static am_value table_rows(am_builder *b, const int64_t patches[2])
{
    int64_t N = patches[0] * patches[1], width = 2 * patches[1] - 1, ways = (2 * patches[0] - 1) * width;
    int32_t *places = am_arena_array(am_builder_arena(b), (size_t)N + 1, sizeof *places);
    if (!places) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < N; i++) places[i] = (int32_t)(i / patches[1] * width + i % patches[1]);
    am_value to = am_constant_copy(b, AM_I32, am_shape_of(1, N), places);
    am_value rows = am_sub(b, am_transpose(b, to, 0, 1), to);
    rows = am_add_number(b, rows, (double)((patches[0] - 1) * width + patches[1] - 1));
    rows = am_concat2(b, am_iota(b, AM_I32, am_shape_of(1, N), 0, (double)ways, 0), rows, 0);
    am_value from = am_iota(b, AM_I32, am_shape_of(N, 1), 0, (double)ways + 1, 0);
    from = am_concat2(b, am_iota(b, AM_I32, am_shape_of(1, 1), 0, (double)ways + 2, 0), from, 0);
    return am_concat2(b, from, rows, 1);
}

/* What relative_position_bias_table below the scope adds to scores: [1, heads, T, T]. The ways between patches are
   resized to those of the images given; the library takes them for columns times rows there. */
static am_value relative_bias(am_builder *b, const beit_config *r)
{
    int64_t heads = r->layers.attention.heads, rows = 2 * (r->image.image_size[0] / r->image.patch_size[0]) - 1,
            columns = 2 * (r->image.image_size[1] / r->image.patch_size[1]) - 1;
    int64_t height = 2 * r->patches[0] - 1, width = 2 * r->patches[1] - 1;
    if (rows < 1 || columns < 1 || rows > INT32_MAX / columns) {
        am_config_fail(r->c, "image_size", "%" PRId64 " x %" PRId64 " ways between patches", rows, columns);
        return AM_NONE;
    }
    am_value table = am_weight(b, "relative_position_bias_table", am_shape_of(rows * columns + 3, heads));
    table = am_transpose(b, am_cast(b, table, AM_F32), 0, 1);
    if (columns != height || rows != width) {
        am_value ways = am_reshape(b, am_slice(b, table, 1, 0, -3), am_shape_of(1, heads, columns, rows));
        ways =
            am_resize(b, ways, &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_LINEAR});
        table = am_concat2(b, am_reshape(b, ways, am_shape_of(heads, height * width)),
                           am_slice(b, table, 1, -3, AM_SLICE_END), 1);
    }
    return am_unsqueeze(b, am_gather(b, table, table_rows(b, r->patches), 1, false), 0);
}

static am_value layer_bias(am_builder *b, const am_pre_norm_options *o)
{
    am_scope(b, "attention.relative_position_bias");
    am_value bias = relative_bias(b, o->context);
    am_end_scope(b);
    return o->attention.bias.id ? am_add(b, bias, o->attention.bias) : bias;
}

/* --- body --- */

static am_value embed(am_builder *b, beit_config *r)
{
    am_value pixels = am_pixel_values(b, r->image.num_channels);
    am_shape token = am_shape_of(1, 1, r->hidden_size);
    bool is_square = am_dim(b, pixels, 2) == am_dim(b, pixels, 3);
    am_scope(b, "embeddings");
    am_value x =
        am_patch_convolution(b, "patch_embeddings.projection", pixels, r->hidden_size, r->image.patch_size, AM_BIAS);
    r->patches[0] = am_dim(b, x, 2);
    r->patches[1] = am_dim(b, x, 3);
    x = am_mask_patches(b, am_image_tokens(b, x), token);
    x = am_prepend_token(b, "cls_token", token, x);
    if (r->absolute) x = am_add(b, x, am_square_positions(b, &r->image, x, r->patches, is_square, false));
    am_end_scope(b);
    return x;
}

/* Last hidden state under `prefix`, normed unless means are pooled; states: null, or receives the hidden states. */
static am_value body(am_builder *b, beit_config *r, const char *prefix, am_value *states)
{
    am_pre_norm_options layers = r->layers;
    layers.names = &r->names;
    layers.context = r;
    layers.out_states = states;
    if (r->family->is_backbone) layers.attention.mask = am_padding_mask(b, "attention_mask");
    if (r->relative) layers.attention_bias = layer_bias;
    am_scope(b, "%s", prefix);
    am_value x = embed(b, r);
    am_scope(b, "encoder.relative_position_bias");
    if (r->shared_relative) layers.attention.bias = relative_bias(b, r);
    am_end_scope(b);
    x = am_pre_norm_layers(b, x, &layers);
    if (!r->mean_pooling) x = am_layer_norm(b, "layernorm", x, layers.layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* The mean of the patches, normed, or the class token: x: [B, T, C] -> [B, C]. */
static am_value pool(am_builder *b, const beit_config *r, am_value x)
{
    if (!r->mean_pooling) return am_index(b, x, 1, 0);
    x = am_reduce(b, AM_REDUCE_MEAN, am_slice(b, x, 1, 1, AM_SLICE_END), am_shape_of(1), false);
    return am_layer_norm(b, "pooler.layernorm", x, r->layers.layer_norm_eps);
}

/* --- feature maps --- */

/* Memory for the 1 + layers hidden states; null, with the builder failed, where there is none. */
static am_value *new_states(am_builder *b, const beit_config *r)
{
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)r->layers.num_hidden_layers + 1, sizeof *states);
    if (!states) am_builder_fail(b, am_out_of_memory());
    else memset(states, 0, ((size_t)r->layers.num_hidden_layers + 1) * sizeof *states);
    return states;
}

/* x: [B, 1 + patches, C] -> [B, C, rows, columns]. */
static am_value feature_map(am_builder *b, const beit_config *r, am_value x)
{
    x = am_transpose(b, am_slice(b, x, 1, 1, AM_SLICE_END), 1, 2);
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0), r->hidden_size, r->patches[0], r->patches[1]));
}

/* Transposed convolution NAME to twice as many rows and columns. */
static am_value double_size(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, 1);
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(C, C, 2, 2)), bias = am_weight(b, "bias", am_shape_of(C));
    x = am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(2, 2)});
    am_end_scope(b);
    return x;
}

/* A pyramid of maps of one size, in place: the first four times as large, the second twice, the fourth half. */
static void make_pyramid(am_builder *b, am_value *maps, int count)
{
    am_value x = am_batch_norm(b, "fpn1.1", double_size(b, "fpn1.0", maps[0]), BATCH_NORM_EPS);
    maps[0] = double_size(b, "fpn1.3", am_unary(b, AM_GELU, x));
    maps[1] = double_size(b, "fpn2.0", maps[1]);
    if (count == FPN_MAPS)
        maps[3] = am_pool(b, maps[3], &(am_pool_attributes){.fn = AM_POOL_MAX, .kernel = am_shape_of(2, 2)});
}

/* Marks the hidden states that a backbone gives; null, with the builder failed, where there is no memory. */
static bool *wanted_states(am_builder *b, const beit_config *r)
{
    int64_t layers = r->layers.num_hidden_layers;
    bool *wanted = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *wanted);
    if (am_config_has(r->c, "segmentation_indices") && !am_config_has(r->c, "out_indices"))
        am_config_unsupported(r->c, "segmentation_indices", "is an old name of out_indices");
    if (wanted) am_backbone_stages(r->c, (int)layers, wanted);
    else am_builder_fail(b, am_out_of_memory());
    return wanted;
}

/* --- classes --- */

void am_beit_model(am_builder *b)
{
    beit_config r = read_config(b);
    am_value x = body(b, &r, "", NULL);
    am_output(b, "last_hidden_state", x);
    if (r.family->pools) am_output(b, "pooler_output", pool(b, &r, x));
}

/* Each patch's token of a picture vocabulary. */
void am_beit_for_masked_image_modeling(am_builder *b)
{
    beit_config r = read_config(b);
    if (!r.mean_pooling) /* layernorm and beit.layernorm: which is which depends on who reads the file */
        am_config_unsupported(r.c, "use_mean_pooling", "false gives this class two norms that transformers exchanges");
    am_value x = am_layer_norm(b, "layernorm", body(b, &r, r.family->prefix, NULL), r.layers.layer_norm_eps);
    int64_t vocab = am_config_size(r.c, "vocab_size", 8192);
    am_output(b, "logits", am_linear(b, "lm_head", am_slice(b, x, 1, 1, AM_SLICE_END), vocab, AM_BIAS));
}

void am_beit_for_image_classification(am_builder *b)
{
    beit_config r = read_config(b);
    am_value x = body(b, &r, r.family->prefix, NULL);
    am_scope(b, "%s", r.family->prefix);
    x = pool(b, &r, x);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(r.c), AM_BIAS));
}

/* Maps of the states that a backbone of out_indices gives, which count from 1 here; 0 is the last one's. */
static int backbone_maps(am_builder *b, const beit_config *r, const am_value *states, am_value *maps)
{
    const bool *wanted = wanted_states(b, r);
    int count = 0, layers = (int)r->layers.num_hidden_layers;
    for (int i = 0; i <= layers && wanted; i++) {
        if (!wanted[i]) continue;
        if (count < FPN_MAPS) maps[count] = feature_map(b, r, states[i == 0 ? layers : i - 1]);
        count++;
    }
    if (count != FPN_MAPS)
        am_config_fail(r->c, "out_indices", "this class takes %d feature maps, found %d", FPN_MAPS, count);
    return FPN_MAPS;
}

/* Maps of the states whose numbers, from 1, are among out_indices. */
static int listed_maps(am_builder *b, const beit_config *r, const am_value *states, am_value *maps)
{
    static const int64_t fallback[] = {3, 5, 7, 11};
    int64_t indices[FPN_MAPS], layers = r->layers.num_hidden_layers;
    int count = 0, listed = am_config_sizes(r->c, "out_indices", indices, FPN_MAPS, fallback, FPN_MAPS);
    for (int64_t i = 0; i <= layers; i++)
        for (int k = 0; k < listed; k++)
            if (indices[k] == i + 1) {
                maps[count++] = feature_map(b, r, states[i]);
                break;
            }
    if (listed != FPN_MAPS || count < FPN_MAPS - 1) {
        am_config_fail(r->c, "out_indices", "expected %d numbers of hidden states from 1 to %" PRId64, FPN_MAPS,
                       layers + 1);
        return FPN_MAPS;
    }
    return count;
}

/* Only images of image_size, of as many rows as columns. */
static void check_image_size(am_builder *b, const beit_config *r)
{
    int64_t side = r->image.image_size[0] / r->image.patch_size[0];
    if (r->image.image_size[0] != r->image.image_size[1])
        am_config_fail(r->c, "image_size", "this class takes square images");
    if (r->patches[0] != side || r->patches[1] != side)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has images of %" PRId64 " x %" PRId64 " patches, expected %" PRId64
                                    " x %" PRId64 " (image_size)",
                                    r->patches[0], r->patches[1], side, side));
}

static am_uper_options read_head(const beit_config *r)
{
    static const int64_t scales[] = {1, 2, 3, 6};
    am_uper_options o = {.channels = r->hidden_size, .labels = am_config_labels(r->c)};
    o.scale_count = am_config_sizes(r->c, "pool_scales", o.scales, AM_UPER_SCALES, scales, 4);
    for (int i = 0; i < o.scale_count; i++)
        if (o.scales[i] < 1) am_config_fail(r->c, "pool_scales", "element %d is 0", i);
    return o;
}

/* The head that is trained beside, auxiliary_head, gives nothing. */
void am_beit_for_semantic_segmentation(am_builder *b)
{
    static const am_uper_names old = {"conv", "bn", "bottleneck", "psp_modules.", ".1"},
                               new = {"convolution", "normalization", "psp_bottleneck", "psp_modules.blocks.", ".conv"};
    beit_config r = read_config(b);
    am_uper_options head = read_head(&r);
    am_value maps[FPN_MAPS] = {AM_NONE}, *states = new_states(b, &r);
    if (!states) return;
    body(b, &r, r.family->prefix, states);
    if (!r.family->takes_any_size) check_image_size(b, &r);
    int count = r.family->is_backbone ? backbone_maps(b, &r, states, maps) : listed_maps(b, &r, states, maps);
    make_pyramid(b, maps, count);
    am_scope(b, "decode_head");
    head.names = am_has_weight(b, "bottleneck.conv.weight") ? &old : &new;
    am_output(b, "logits", am_uper_head(b, maps, count, &head));
    am_end_scope(b);
}

void am_beit_backbone(am_builder *b)
{
    beit_config r = read_config(b);
    bool *wanted = wanted_states(b, &r), pyramid = am_config_flag(r.c, "add_fpn", false),
         reshaped = am_config_flag(r.c, "reshape_hidden_states", true);
    am_value *states = new_states(b, &r);
    char output[64];
    int count = 0;
    if (!wanted || !states) return;
    body(b, &r, r.family->prefix, states);
    for (int i = 0; i <= r.layers.num_hidden_layers; i++)
        if (wanted[i]) states[count++] = reshaped ? feature_map(b, &r, states[i]) : states[i];
    if (pyramid && (count != FPN_MAPS || !reshaped)) {
        am_config_fail(r.c, "add_fpn", "takes %d reshaped hidden states", FPN_MAPS);
        return;
    }
    if (pyramid) make_pyramid(b, states, count);
    for (int i = 0; i < count; i++) {
        snprintf(output, sizeof output, "feature_maps.%d", i);
        am_output(b, output, states[i]);
    }
}
