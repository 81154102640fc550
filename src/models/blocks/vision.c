#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void am_config_pair(const am_config *c, const char *key, int64_t fallback, int64_t out[2])
{
    if (am_json_kind_of(am_json_get(c->object, key)) != AM_JSON_ARRAY) {
        out[0] = out[1] = am_config_size(c, key, fallback);
        return;
    }
    int count = am_config_sizes(c, key, out, 2, NULL, 0);
    if (count == 2 && out[0] > 0 && out[1] > 0) return;
    am_config_fail(c, key, "expected height and width");
    out[0] = out[1] = fallback;
}

am_image_options am_image_options_read(const am_config *c, int64_t image_size, int64_t patch_size)
{
    am_image_options o = {.num_channels = am_config_count(c, "num_channels", 3)};
    if (o.num_channels == 0) am_config_fail(c, "num_channels", "expected 1 or more, found 0");
    am_config_pair(c, "image_size", image_size, o.image_size);
    am_config_pair(c, "patch_size", patch_size, o.patch_size);
    return o;
}

int64_t am_image_patches(const am_image_options *o)
{
    return (o->image_size[0] / o->patch_size[0]) * (o->image_size[1] / o->patch_size[1]);
}

/* pixel_values of that rank, the last three dimensions being an image. */
static am_value read_pixels(am_builder *b, int rank, int64_t num_channels)
{
    am_value x = am_input(b, "pixel_values", rank);
    if (x.id && am_dim(b, x, -3) != num_channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " channels, expected %" PRId64 " (num_channels)",
                                    am_dim(b, x, -3), num_channels));
    return x;
}

static am_value check_size(am_builder *b, am_value x, const am_image_options *o)
{
    int64_t height = am_dim(b, x, -2), width = am_dim(b, x, -1);
    if (x.id && (height != o->image_size[0] || width != o->image_size[1]))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has images of %" PRId64 " x %" PRId64 " pixels, expected %" PRId64
                                    " x %" PRId64 " (image_size)",
                                    height, width, o->image_size[0], o->image_size[1]));
    return x;
}

am_value am_pixel_values(am_builder *b, int64_t num_channels)
{
    return read_pixels(b, 4, num_channels);
}

am_value am_pixel_values_sized(am_builder *b, const am_image_options *o)
{
    return check_size(b, am_pixel_values(b, o->num_channels), o);
}

am_value am_video_values(am_builder *b, int64_t num_channels)
{
    return read_pixels(b, 5, num_channels);
}

am_value am_video_values_sized(am_builder *b, const am_image_options *o)
{
    return check_size(b, am_video_values(b, o->num_channels), o);
}

am_value am_patch_convolution(am_builder *b, const char *name, am_value x, int64_t C, const int64_t patch_size[2],
                              int bias)
{
    am_shape patch = am_shape_of(patch_size[0], patch_size[1]);
    return am_conv(b, name, x, C, patch, bias, &(am_convolution_attributes){.stride = patch});
}

am_value am_image_tokens(am_builder *b, am_value x)
{
    return am_transpose(b, am_flatten(b, x, 2, 3), 1, 2);
}

am_value am_tokens_image(am_builder *b, am_value x, int64_t rows, int64_t columns)
{
    return am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(am_dim(b, x, 0), am_dim(b, x, 2), rows, columns));
}

am_value am_tubelet_tokens(am_builder *b, const char *name, am_value x, int64_t C, am_shape tubelet)
{
    x = am_conv(b, name, am_transpose(b, x, 1, 2), C, tubelet, AM_BIAS,
                &(am_convolution_attributes){.stride = tubelet});
    return am_transpose(b, am_flatten(b, x, 2, 4), 1, 2);
}

am_value am_masked_patches(am_builder *b, am_value x)
{
    am_value masked = am_input_optional(b, "bool_masked_pos", 2);
    if (!masked.id) return masked;
    if (am_dim(b, masked, 0) != am_dim(b, x, 0) || am_dim(b, masked, 1) != am_dim(b, x, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "bool_masked_pos is [%" PRId64 ", %" PRId64 "], expected [%" PRId64 ", %" PRId64
                                    "] (images, patches)",
                                    am_dim(b, masked, 0), am_dim(b, masked, 1), am_dim(b, x, 0), am_dim(b, x, 1)));
    return am_dtype_of(b, masked) == AM_BOOL ? masked : am_binary_number(b, AM_NOT_EQUAL, masked, 0);
}

am_value am_mask_patches(am_builder *b, am_value x, am_shape shape)
{
    am_value masked = am_masked_patches(b, x);
    if (!masked.id) return x;
    am_value token = am_parameter(b, "mask_token", shape, x);
    return am_select(b, am_unsqueeze(b, masked, 2), am_reshape(b, token, am_shape_of(1, 1, am_dim(b, x, 2))), x);
}

am_value am_resize_patches(am_builder *b, am_value x, const int64_t from[2], const int64_t to[2], bool antialias)
{
    int64_t C = am_dim(b, x, 2);
    am_resize_attributes options = {.size = am_shape_of(to[0], to[1]), .mode = AM_RESIZE_CUBIC, .antialias = antialias};
    x = am_resize(b, am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(1, C, from[0], from[1])), &options);
    return am_image_tokens(b, x);
}

am_value am_square_positions(am_builder *b, const am_image_options *o, am_value x, const int64_t patches[2],
                             bool is_square, bool antialias)
{
    int64_t count = am_image_patches(o), side = o->image_size[0] / o->patch_size[0],
            tokens = am_dim(b, x, 1) - patches[0] * patches[1], from[] = {side, side};
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, tokens + count, am_dim(b, x, 2)), x);
    if (patches[0] * patches[1] == count && is_square) return all;
    if (side * side != count)
        am_config_unsupported(am_model_config(b), "image_size", "positions are resized from squares only");
    am_value grid = am_resize_patches(b, am_slice(b, all, 1, tokens, AM_SLICE_END), from, patches, antialias);
    return tokens ? am_concat2(b, am_slice(b, all, 1, 0, tokens), grid, 1) : grid;
}

am_value am_positions_behind_class(am_builder *b, const am_image_options *o, am_value x, const int64_t patches[2])
{
    int64_t count = am_image_patches(o), side = 1;
    am_value all = am_parameter(b, "position_embeddings", am_shape_of(1, 1 + count, am_dim(b, x, 2)), x);
    while ((side + 1) * (side + 1) <= count) side++;
    const int64_t from[] = {side, side};
    if (side * side != count) {
        am_config_fail(am_model_config(b), "pretrain_image_size", "%" PRId64 " patches are no square", count);
        return x;
    }
    all = am_slice(b, all, 1, 1, AM_SLICE_END);
    return patches[0] == side && patches[1] == side ? all : am_resize_patches(b, all, from, patches, false);
}

am_value am_parameter(am_builder *b, const char *name, am_shape shape, am_value x)
{
    return am_cast(b, am_weight(b, name, shape), am_dtype_of(b, x));
}

am_value am_prepend_token(am_builder *b, const char *name, am_shape shape, am_value x)
{
    am_value token = am_parameter(b, name, shape, x);
    token = am_broadcast(b, token, am_shape_of(am_dim(b, x, 0), 1, am_dim(b, x, 2)));
    return am_concat2(b, token, x, 1);
}

am_value am_pixel_shuffle(am_builder *b, am_value x, int64_t r)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1) / r / r, H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    x = am_reshape(b, x, am_shape_of(B, C, r, r, H, W));
    x = am_permute(b, x, am_shape_of(0, 1, 4, 2, 5, 3));
    return am_reshape(b, x, am_shape_of(B, C, H * r, W * r));
}

am_value am_image_mean(am_builder *b, am_value x, bool keep_dims)
{
    return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(2, 3), keep_dims);
}

am_value am_image_resized(am_builder *b, am_value x, int64_t height, int64_t width)
{
    if (am_dim(b, x, 2) == height && am_dim(b, x, 3) == width) return x;
    return am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(height, width), .mode = AM_RESIZE_LINEAR});
}

/* --- convolutional backbones --- */

/* Of all stages together, as am_config_count has it of a model's. */
enum { LAYERS_LIMIT = 65536 };

int am_stage_depths(const am_config *c, const int64_t *fallback, int fallback_count, int64_t *out)
{
    int64_t layers = 0;
    int count = am_config_sizes(c, "depths", out, AM_STAGES_LIMIT, fallback, fallback_count);
    if (count == 0) am_config_fail(c, "depths", "expected a stage or more");
    for (int i = 0; i < count; i++) layers += out[i];
    if (layers <= LAYERS_LIMIT) return count;
    am_config_fail(c, "depths", "%" PRId64 " layers; at most %d", layers, LAYERS_LIMIT);
    memcpy(out, fallback, (size_t)fallback_count * sizeof *out);
    return fallback_count;
}

void am_stage_sizes(const am_config *c, const char *key, int count, int64_t least, const int64_t *fallback,
                    int fallback_count, int64_t *out)
{
    int found = am_config_sizes(c, key, out, AM_STAGES_LIMIT, fallback, fallback_count);
    if (found != count) am_config_fail(c, key, "expected %d elements, found %d", count, found);
    for (int i = 0; i < count; i++) {
        if (i < found && out[i] >= least) continue;
        if (i < found) am_config_fail(c, key, "element %d is %" PRId64 ", less than %" PRId64, i, out[i], least);
        out[i] = 1;
    }
}

int64_t am_scaled_size(const am_config *c, const char *key, int64_t size, double ratio)
{
    double scaled = trunc((double)size * ratio);
    if (scaled >= 1 && scaled <= INT32_MAX) return (int64_t)scaled;
    am_config_fail(c, key, "makes a width of %g", scaled);
    return 1;
}

am_stages am_stages_read(const am_config *c, const am_stages *fallback)
{
    am_stages s = {0};
    s.count = am_stage_depths(c, fallback->depths, fallback->count, s.depths);
    int sizes =
        am_config_sizes(c, "hidden_sizes", s.hidden_sizes, AM_STAGES_LIMIT, fallback->hidden_sizes, fallback->count);
    if (sizes != s.count) am_config_fail(c, "hidden_sizes", "expected as many as depths, %d, found %d", s.count, sizes);
    for (int i = 0; i < s.count; i++) {
        if (i < sizes && s.hidden_sizes[i] >= 1) continue;
        if (i < sizes) am_config_fail(c, "hidden_sizes", "element %d is 0", i);
        s.hidden_sizes[i] = 1;
    }
    return s;
}

const char *am_stage_name(int i, char *text, size_t size)
{
    if (i == 0) snprintf(text, size, "stem");
    else snprintf(text, size, "stage%d", i);
    return text;
}

/* Stages first .. count, 0 being the stem; out[0] is that of `first`. */
static void mark_features(const am_config *c, int first, int count, bool *out)
{
    char text[32];
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "out_features")); am_json_next(&it);) {
        int i = first;
        while (i <= count && !am_json_equals(it.value, am_stage_name(i, text, sizeof text))) i++;
        if (i <= count) out[i - first] = true;
        else
            am_config_fail(c, "out_features", "\"%s\" is none of %sstage1 .. stage%d", am_json_text(it.value).bytes,
                           first ? "" : "stem, ", count);
    }
}

static void mark_indices(const am_config *c, int stages, bool *out)
{
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, "out_indices")); am_json_next(&it);) {
        int64_t i = am_json_int(it.value, INT32_MIN);
        if (i >= -stages && i < stages) out[i < 0 ? i + stages : i] = true;
        else am_config_fail(c, "out_indices", "expected numbers from %d to %d", -stages, stages - 1);
    }
}

static void mark_stages(const am_config *c, int first, int count, bool *out)
{
    int stages = count + 1 - first;
    memset(out, 0, (size_t)stages);
    if (am_config_has(c, "out_features")) mark_features(c, first, count, out);
    else if (am_config_has(c, "out_indices")) mark_indices(c, stages, out);
    else if (stages > 0) out[stages - 1] = true;
}

void am_backbone_stages(const am_config *c, int count, bool *out)
{
    mark_stages(c, 0, count, out);
}

void am_backbone_stages_no_stem(const am_config *c, int count, bool *out)
{
    mark_stages(c, 1, count, out);
}

void am_output_feature_maps(am_builder *b, const am_value *states, int count)
{
    bool wanted[AM_STAGES_LIMIT + 1];
    char output[64];
    am_backbone_stages(am_model_config(b), count, wanted);
    for (int i = 0, map = 0; i <= count; i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, states[i]);
    }
}

void am_marked_layers(const am_config *c, const char *key, int count, bool *out)
{
    memset(out, 0, (size_t)count);
    for (am_json_iterator it = am_json_iterate(am_json_get(c->object, key)); am_json_next(&it);) {
        int64_t i = am_json_int(it.value, -1);
        if (i >= 0 && i < count) out[i] = true;
    }
}
