#include "models/blocks/ocr_detector.h"

#include <inttypes.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5;

static const am_ocr_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static int64_t neck_channels(const am_builder *b)
{
    int64_t C = am_config_size(am_model_config(b), "neck_out_channels", family_of(b)->neck_channels);
    if (C < 4) am_config_fail(am_model_config(b), "neck_out_channels", "expected 4 or more, found %" PRId64, C);
    return C < 4 ? 4 : C;
}

static int upsampling(const am_config *c)
{
    if (!am_config_has(c, "interpolate_mode") || am_config_is(c, "interpolate_mode", "nearest"))
        return AM_RESIZE_NEAREST;
    if (am_config_is(c, "interpolate_mode", "nearest-exact")) return AM_RESIZE_NEAREST_EXACT;
    if (am_config_is(c, "interpolate_mode", "bicubic")) return AM_RESIZE_CUBIC;
    if (am_config_is(c, "interpolate_mode", "area")) return AM_RESIZE_AREA;
    if (!am_config_is(c, "interpolate_mode", "bilinear"))
        am_config_fail(c, "interpolate_mode", "expected \"nearest\", \"bilinear\" or another mode of interpolation");
    return AM_RESIZE_LINEAR;
}

static am_value enlarge(am_builder *b, am_value x, int64_t factor)
{
    if (factor <= 1) return x;
    am_resize_attributes options = {.size = am_shape_of(am_dim(b, x, 2) * factor, am_dim(b, x, 3) * factor),
                                    .mode = upsampling(am_model_config(b))};
    return am_resize(b, x, &options);
}

/* A convolution that keeps the map's size where its kernel is odd. */
static am_value conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel, int64_t stride, int bias)
{
    am_convolution_attributes options = {.stride = am_shape_of(stride, stride),
                                         .padding_before = am_shape_of(kernel / 2, kernel / 2),
                                         .padding_after = am_shape_of(kernel / 2, kernel / 2)};
    return am_conv(b, name, x, out, am_shape_of(kernel, kernel), bias, &options);
}

static am_value norm_relu(am_builder *b, am_value x, am_unary_fn activation)
{
    return am_unary(b, activation, am_batch_norm(b, "norm", x, NORM_EPS));
}

/* Twice the map's size less what the kernel covers beyond. */
static am_value double_size(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel)
{
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(am_dim(b, x, 1), out, kernel, kernel));
    am_value bias = am_weight(b, "bias", am_shape_of(out));
    am_end_scope(b);
    return am_conv_transpose(b, x, weight, bias, &(am_convolution_attributes){.stride = am_shape_of(2, 2)});
}

/* --- necks --- */

/* x, and x times what its mean over the image says of each channel. */
static am_value add_squeezed(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, 1), reduced = C / am_config_size(am_model_config(b), "reduction", 4);
    if (x.id && reduced < 1) am_config_fail(am_model_config(b), "reduction", "leaves nothing of %" PRId64, C);
    if (reduced < 1) return AM_NONE;
    am_scope(b, "%s", name);
    am_value h = am_unary(b, AM_RELU, conv(b, "conv1", am_image_mean(b, x, true), reduced, 1, 1, AM_BIAS));
    h = conv(b, "conv2", h, C, 1, 1, AM_BIAS);
    am_end_scope(b);
    h = am_add_number(b, am_mul_number(b, h, 0.2), 0.5);
    h = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, h, 0), 1);
    return am_add(b, x, am_mul(b, x, h));
}

static am_value squeezed_conv(am_builder *b, const char *list, int i, am_value x, int64_t out, int64_t kernel)
{
    am_scope(b, "%s.%d", list, i);
    x = add_squeezed(b, "squeeze_excitation_block", conv(b, "in_conv", x, out, kernel, 1, AM_NO_BIAS));
    am_end_scope(b);
    return x;
}

static am_value separable_conv(am_builder *b, int i, am_value x)
{
    int64_t C = am_dim(b, x, 1), kernel = am_config_size(am_model_config(b), "dilated_kernel_size", 7);
    am_convolution_attributes depthwise = {.padding_before = am_shape_of(kernel / 2, kernel / 2),
                                           .padding_after = am_shape_of(kernel / 2, kernel / 2),
                                           .groups = C};
    am_scope(b, "input_conv.%d", i);
    x = am_conv(b, "depthwise_convolution", x, C, am_shape_of(kernel, kernel), AM_BIAS, &depthwise);
    x = add_squeezed(b, "squeeze_excitation_module", conv(b, "pointwise_convolution", x, C / 4, 1, 1, AM_NO_BIAS));
    am_end_scope(b);
    return x;
}

am_value am_ocr_light_neck(am_builder *b, const am_value *maps)
{
    int64_t C = neck_channels(b);
    am_value fused[AM_OCR_MAPS], parts[AM_OCR_MAPS];
    for (int i = 0; i < AM_OCR_MAPS; i++) fused[i] = squeezed_conv(b, "insert_conv", i, maps[i], C, 1);
    for (int i = AM_OCR_MAPS - 2; i >= 0; i--) fused[i] = am_add(b, fused[i], enlarge(b, fused[i + 1], 2));
    for (int i = 0; i < AM_OCR_MAPS; i++) {
        am_value x = family_of(b)->separable ? separable_conv(b, i, fused[i])
                                             : squeezed_conv(b, "input_conv", i, fused[i], C / 4, 3);
        parts[AM_OCR_MAPS - 1 - i] = enlarge(b, x, 1 << i);
    }
    return am_concat(b, parts, AM_OCR_MAPS, 1);
}

/* A number, or one for height and one for width. */
static bool read_pair(am_json found, int64_t least, int64_t out[2])
{
    int count = 0;
    out[0] = out[1] = am_json_int(found, -1);
    if (am_json_kind_of(found) == AM_JSON_ARRAY) {
        for (am_json_iterator it = am_json_iterate(found); am_json_next(&it); count++)
            if (count < 2) out[count] = am_json_int(it.value, -1);
        if (count != 2) return false;
    }
    return out[0] >= least && out[0] < 1024 && out[1] >= least && out[1] < 1024;
}

/* The convolution that intraclass_block_config says under that key: [kernel, stride, padding]. */
static am_value configured_conv(am_builder *b, const char *key, const char *name, am_value x, int64_t out)
{
    am_config c = am_config_child(am_model_config(b), "intraclass_block_config");
    int64_t numbers[3][2] = {{1, 1}, {1, 1}, {0, 0}};
    int count = 0;
    bool fits = true;
    for (am_json_iterator it = am_json_iterate(am_json_get(c.object, key)); am_json_next(&it); count++)
        fits = fits && count < 3 && read_pair(it.value, count < 2, numbers[count]);
    if (!fits || count != 3) am_config_fail(&c, key, "expected a convolution's kernel, stride and padding");
    if (!fits || count != 3) return AM_NONE;
    am_convolution_attributes options = {.stride = am_shape_of(numbers[1][0], numbers[1][1]),
                                         .padding_before = am_shape_of(numbers[2][0], numbers[2][1]),
                                         .padding_after = am_shape_of(numbers[2][0], numbers[2][1])};
    return am_conv(b, name, x, out, am_shape_of(numbers[0][0], numbers[0][1]), AM_BIAS, &options);
}

static am_value three_ways(am_builder *b, am_value x, const char *ratio)
{
    static const char *const names[] = {"symmetric_conv_long_", "vertical_long_to_small_conv_",
                                        "horizontal_small_to_long_conv_"};
    am_value sum = AM_NONE;
    char name[64];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", names[i], ratio);
        am_value h = configured_conv(b, name, name, x, am_dim(b, x, 1));
        sum = i ? am_add(b, sum, h) : h;
    }
    return sum;
}

static am_value intraclass_block(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 1), reduced = C / am_config_size(c, "reduce_factor", 2);
    if (reduced < 1) {
        if (x.id) am_config_fail(c, "reduce_factor", "leaves nothing of %" PRId64, C);
        return AM_NONE;
    }
    am_value h = configured_conv(b, "reduce_channel", "conv_reduce_channel", x, reduced);
    h = three_ways(b, three_ways(b, three_ways(b, h, "longratio"), "midratio"), "shortratio");
    am_scope(b, "conv_final");
    h = norm_relu(b, configured_conv(b, "return_channel", "convolution", h, C), AM_RELU);
    am_end_scope(b);
    return am_add(b, x, h);
}

/* Coarse maps are added to finer ones, then these, halved, to coarser ones. */
static void aggregate_paths(am_builder *b, const am_value *maps, am_value *out)
{
    int64_t C = neck_channels(b);
    int bias = family_of(b)->biased;
    char name[64];
    am_value x[AM_OCR_MAPS];
    for (int i = 0; i < AM_OCR_MAPS; i++) {
        snprintf(name, sizeof name, "input_channel_adjustment_convolution.%d", i);
        x[i] = conv(b, name, maps[i], C, 1, 1, AM_NO_BIAS);
    }
    for (int i = AM_OCR_MAPS - 2; i >= 0; i--) x[i] = am_add(b, x[i], enlarge(b, x[i + 1], 2));
    for (int i = 0; i < AM_OCR_MAPS; i++) {
        snprintf(name, sizeof name, "input_feature_projection_convolution.%d", i);
        x[i] = conv(b, name, x[i], C / 4, 9, 1, bias);
        snprintf(name, sizeof name, "path_aggregation_head_convolution.%d", i - 1);
        if (i > 0) x[i] = am_add(b, x[i], conv(b, name, x[i - 1], C / 4, 3, 2, AM_NO_BIAS));
    }
    for (int i = 0; i < AM_OCR_MAPS; i++) {
        snprintf(name, sizeof name, "path_aggregation_lateral_convolution.%d", i);
        out[i] = conv(b, name, x[i], C / 4, 9, 1, bias);
    }
}

am_value am_ocr_path_neck(am_builder *b, const am_value *maps)
{
    const am_config *c = am_model_config(b);
    int64_t factors[AM_STAGES_LIMIT], blocks = am_config_count(c, "intraclass_block_number", 4);
    int count = am_config_sizes(c, "scale_factor_list", factors, AM_STAGES_LIMIT, NULL, 0);
    am_value x[AM_OCR_MAPS], parts[AM_OCR_MAPS];
    aggregate_paths(b, maps, x);
    if (count > blocks) count = (int)blocks;
    if (count > AM_OCR_MAPS) count = AM_OCR_MAPS;
    if (count == 0) am_config_fail(c, "scale_factor_list", "expected factors of four maps");
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        if (factors[i] > 1024) am_config_fail(c, "scale_factor_list", "%" PRId64 " is too much", factors[i]);
        if (factors[i] > 1024) return AM_NONE;
        am_scope(b, "intraclass_blocks.%d", i);
        parts[count - 1 - i] = enlarge(b, intraclass_block(b, x[i]), factors[i]);
        am_end_scope(b);
    }
    return am_builder_failed(b) || count == 0 ? AM_NONE : am_concat(b, parts, count, 1);
}

/* --- heads --- */

/* What comes before the last convolution, at half of the image's size; kernels: of the head's three. */
static am_value head_features(am_builder *b, am_value x, int64_t C, const int64_t *kernels)
{
    am_scope(b, "conv_down");
    x = norm_relu(b, conv(b, "convolution", x, C, kernels[0], 1, AM_NO_BIAS), AM_RELU);
    am_end_scope(b);
    am_scope(b, "conv_up");
    x = norm_relu(b, double_size(b, "convolution", x, C, kernels[1]), AM_RELU);
    am_end_scope(b);
    return x;
}

static void read_kernels(const am_builder *b, int64_t *out)
{
    static const int64_t fallback[] = {3, 2, 2};
    bool fits = true;
    int64_t found[AM_STAGES_LIMIT] = {0};
    int count = am_config_sizes(am_model_config(b), "kernel_list", found, AM_STAGES_LIMIT, fallback,
                                family_of(b)->default_kernels ? 3 : 0);
    for (int i = 0; i < 3; i++) fits = fits && found[i] > 0 && found[i] < 1024;
    if (count < 3 || !fits) am_config_fail(am_model_config(b), "kernel_list", "expected three sizes of kernels");
    for (int i = 0; i < 3; i++) out[i] = count < 3 || !fits ? 1 : found[i];
}

/* The mean of the map and of what a second look at the features makes of it. */
static am_value refine(am_builder *b, am_value map, am_value features, int64_t C)
{
    const am_config *c = am_model_config(b);
    int64_t factor = am_config_size(c, "scale_factor", 2);
    if (factor > 1024) {
        am_config_fail(c, "scale_factor", "%" PRId64 " is too much", factor);
        return AM_NONE;
    }
    am_scope(b, "local_refinement_module");
    am_scope(b, "convolution_backbone");
    am_value x = am_concat2(b, map, enlarge(b, features, factor), 1);
    x = norm_relu(b, conv(b, "convolution", x, C, 3, 1, AM_NO_BIAS), am_config_activation(c, "hidden_act", AM_RELU));
    am_end_scope(b);
    x = am_unary(b, AM_SIGMOID, conv(b, "convolution_final", x, 1, 1, 1, AM_BIAS));
    am_end_scope(b);
    return am_mul_number(b, am_add(b, map, x), 0.5);
}

static am_value head(am_builder *b, am_value x)
{
    int64_t C = neck_channels(b) / 4, kernels[3];
    bool refines = family_of(b)->refines;
    read_kernels(b, kernels);
    if (refines) am_scope(b, "binarize_head");
    am_value features = head_features(b, x, C, kernels);
    am_value map = am_unary(b, AM_SIGMOID, double_size(b, "conv_final", features, 1, kernels[2]));
    if (refines) am_end_scope(b);
    return refines ? refine(b, map, features, C) : map;
}

/* --- models --- */

/* The maps of the backbone, of the input `pixels`. */
static am_feature_maps read_maps(am_builder *b, const char *pixels)
{
    am_config c = am_config_child(am_model_config(b), "backbone_config");
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps_of_pixels(b, &c, pixels, AM_OCR_MAPS, AM_OCR_MAPS);
    am_end_scope(b);
    return maps;
}

static void project_maps(am_builder *b, am_value *maps)
{
    static const int64_t fallback[] = {12, 18, 42, 360};
    int64_t channels[AM_STAGES_LIMIT];
    char name[32];
    am_stage_sizes(am_model_config(b), "layer_list_out_channels", AM_OCR_MAPS, 1, fallback, 4, channels);
    for (int i = 0; i < AM_OCR_MAPS; i++) {
        snprintf(name, sizeof name, "layer.%d", i);
        maps[i] = conv(b, name, maps[i], channels[i], 1, 1, AM_BIAS);
    }
}

static am_value body(am_builder *b, const char *pixels, am_feature_maps *maps)
{
    *maps = read_maps(b, pixels);
    if (am_builder_failed(b)) return AM_NONE;
    if (family_of(b)->projects) project_maps(b, maps->maps);
    am_scope(b, "neck");
    am_value x = family_of(b)->neck(b, maps->maps);
    am_end_scope(b);
    return x;
}

void am_ocr_detector_model(am_builder *b)
{
    am_feature_maps maps;
    am_output(b, "last_hidden_state", body(b, family_of(b)->pixels, &maps));
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}

void am_ocr_detector_for_object_detection(am_builder *b)
{
    am_feature_maps maps;
    am_scope(b, "model");
    am_value x = body(b, "pixel_values", &maps);
    am_end_scope(b);
    am_scope(b, "head");
    am_output(b, "last_hidden_state", head(b, x));
    am_end_scope(b);
    am_output_part_list(b, &maps.outputs, "hidden_states", "hidden_states");
}
