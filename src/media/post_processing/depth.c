/* Depth of each pixel: post_process_depth_estimation. */
#include "media/post_processing/segmentation.h"

#include "tensor/shape.h"

#include <math.h>
#include <string.h>

/* How a class resizes to the target size. */
typedef struct depth_settings {
    am_post_resize_mode mode;
    bool keeps_ones; /* sides of one pixel stay dimensions of the answer */
} depth_settings;

/* A map as the answer's predicted_depth; `squeezes` drops dimensions of 1, as Tensor.squeeze does. */
static am_status add_depth(am_post_run *run, am_post_item *item, const float *map, am_plane_size size, bool squeezes)
{
    am_tensor *tensor;
    const int64_t sides[2] = {size.height, size.width};
    am_shape shape = {0};
    for (int i = 0; i < 2; i++)
        if (!squeezes || sides[i] != 1) shape.dims[shape.rank++] = sides[i];
    AM_TRY(am_post_add_field(run, item, "predicted_depth", AM_F32, &shape, &tensor));
    memcpy(tensor->data, map, (size_t)(size.height * size.width) * sizeof *map);
    return NULL;
}

static am_status find_depth(const am_post_run *run, const am_tensor **depth, am_plane_size *size)
{
    AM_TRY(am_post_tensor(run, "predicted_depth", 3, depth));
    *size = (am_plane_size){(*depth)->shape.dims[1], (*depth)->shape.dims[2]};
    return NULL;
}

static am_status estimate(am_post_run *run)
{
    const depth_settings *s = run->method->settings;
    const am_tensor *depth;
    am_plane_size size, *sizes;
    am_post_item *item;
    AM_TRY(find_depth(run, &depth, &size));
    AM_TRY(am_post_sizes(run, "target_sizes", depth->shape.dims[0], &sizes));
    for (int64_t b = 0; b < depth->shape.dims[0]; b++) {
        const float *map = am_post_floats(depth) + b * size.height * size.width;
        float *resized;
        AM_TRY(am_post_add(run, b, &item));
        if (sizes) AM_TRY(am_post_resized(run, map, 1, size, sizes[b], s->mode, &resized));
        AM_TRY(add_depth(run, item, sizes ? resized : map, sizes ? sizes[b] : size, sizes && !s->keeps_ones));
    }
    return NULL;
}

/* --- ZoeDepth: of padded images, and of mirrored ones --- */

/* The mean of a map and of that of the mirrored image. */
static am_status add_mirrored(const am_post_run *run, const am_tensor *depth, float **out)
{
    const am_tensor *flipped = NULL;
    int64_t width = depth->shape.dims[2], count = am_shape_count(&depth->shape);
    AM_TRY(am_post_float_array(run, count, 1, out));
    memcpy(*out, depth->data, (size_t)count * sizeof **out);
    if (!am_post_given(run, "outputs_flipped.predicted_depth")) return NULL;
    AM_TRY(am_post_tensor(run, "outputs_flipped.predicted_depth", 3, &flipped));
    for (int axis = 0; axis < 3; axis++)
        AM_TRY(am_post_check(flipped, "outputs_flipped.predicted_depth", axis, depth->shape.dims[axis]));
    for (int64_t i = 0; i < count; i++) {
        int64_t mirrored = i - i % width + (width - 1 - i % width);
        (*out)[i] = ((*out)[i] + am_post_floats(flipped)[mirrored]) / 2.0f;
    }
    return NULL;
}

/* Resizes to the source size with the padding that preprocessing put around, and takes that off. */
static am_status unpad(const am_post_run *run, float **map, am_plane_size *size, am_plane_size source, bool is_padded)
{
    int64_t rows = is_padded ? (int64_t)(sqrt((double)source.height / 2.0) * 3.0) : 0,
            columns = is_padded ? (int64_t)(sqrt((double)source.width / 2.0) * 3.0) : 0;
    am_plane_size padded = {source.height + 2 * rows, source.width + 2 * columns};
    float *resized;
    AM_TRY(am_post_resized(run, *map, 1, *size, padded, AM_POST_BICUBIC, &resized));
    AM_TRY(am_post_float_array(run, source.height, source.width, map));
    for (int64_t y = 0; y < source.height; y++)
        memcpy(*map + y * source.width, resized + (y + rows) * padded.width + columns,
               (size_t)source.width * sizeof **map);
    *size = source;
    return NULL;
}

static am_status estimate_padded(am_post_run *run)
{
    const am_tensor *depth;
    am_plane_size size, *sources, *targets;
    bool is_padded;
    float *maps;
    am_post_item *item;
    AM_TRY(find_depth(run, &depth, &size));
    AM_TRY(am_post_sizes(run, "target_sizes", depth->shape.dims[0], &targets));
    AM_TRY(am_post_flag(run, "do_remove_padding", run->processor->do_pad, &is_padded));
    AM_TRY(am_post_sizes(run, "source_sizes", depth->shape.dims[0], &sources));
    if (!sources && is_padded)
        return am_error(AM_INVALID_ARGUMENT, "source_sizes: expected a list, or do_remove_padding false");
    AM_TRY(add_mirrored(run, depth, &maps));
    for (int64_t b = 0; b < depth->shape.dims[0]; b++) {
        float *map = maps + b * depth->shape.dims[1] * depth->shape.dims[2];
        am_plane_size now = size;
        AM_TRY(am_post_add(run, b, &item));
        if (sources) AM_TRY(unpad(run, &map, &now, sources[b], is_padded));
        if (targets) AM_TRY(am_post_resized(run, map, 1, now, targets[b], AM_POST_BICUBIC, &map));
        AM_TRY(add_depth(run, item, map, targets ? targets[b] : now, false));
    }
    return NULL;
}

/* --- Depth Pro: inverse depth, scaled by the field of view --- */

static am_status resize_mode(const am_post_run *run, am_post_resize_mode *out)
{
    switch (run->processor->resample) {
    case AM_RESAMPLE_NEAREST:
        *out = AM_POST_NEAREST_EXACT;
        return NULL;
    case AM_RESAMPLE_BILINEAR:
        *out = AM_POST_BILINEAR;
        return NULL;
    case AM_RESAMPLE_BICUBIC:
        *out = AM_POST_BICUBIC;
        return NULL;
    default:
        return am_error(AM_INVALID_ARGUMENT, "resample: %s cannot resize a depth",
                        am_resample_name(run->processor->resample));
    }
}

static am_status add_scalar(am_post_run *run, am_post_item *item, const char *name, bool is_given, float value)
{
    am_tensor *tensor;
    am_shape shape = {0};
    if (!is_given) {
        am_post_add_none(item, name);
        return NULL;
    }
    AM_TRY(am_post_add_field(run, item, name, AM_F32, &shape, &tensor));
    *(float *)tensor->data = value;
    return NULL;
}

static am_status give_metric(am_post_run *run, int64_t image, float *map, am_plane_size size, const float *view,
                             const am_plane_size *target)
{
    int64_t plane = size.height * size.width;
    float focal = 0.0f, width = target ? (float)target->width : 0.0f;
    am_post_resize_mode mode;
    am_post_item *item;
    if (target && view) {
        focal = (float)(0.5 * (double)target->width) / tanf(0.5f * (*view * (float)(3.14159265358979323846 / 180.0)));
        for (int64_t i = 0; i < plane; i++) map[i] = map[i] * width / focal;
    }
    if (target) {
        AM_TRY(resize_mode(run, &mode));
        AM_TRY(am_post_resized(run, map, 1, size, *target, mode, &map));
        plane = target->height * target->width;
    }
    for (int64_t i = 0; i < plane; i++) map[i] = 1.0f / (map[i] < 1e-4f ? 1e-4f : map[i] > 1e4f ? 1e4f : map[i]);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(add_depth(run, item, map, target ? *target : size, target));
    AM_TRY(add_scalar(run, item, "field_of_view", view, view ? *view : 0.0f));
    return add_scalar(run, item, "focal_length", target && view, focal);
}

static am_status estimate_metric(am_post_run *run)
{
    const am_tensor *depth, *view = NULL;
    am_plane_size size, *targets;
    float *map;
    AM_TRY(find_depth(run, &depth, &size));
    AM_TRY(am_post_sizes(run, "target_sizes", depth->shape.dims[0], &targets));
    if (am_post_given(run, "field_of_view")) {
        AM_TRY(am_post_tensor(run, "field_of_view", 1, &view));
        AM_TRY(am_post_check(view, "field_of_view", 0, depth->shape.dims[0]));
    }
    for (int64_t b = 0; b < depth->shape.dims[0]; b++) {
        int64_t plane = size.height * size.width;
        AM_TRY(am_post_float_array(run, plane, 1, &map));
        memcpy(map, am_post_floats(depth) + b * plane, (size_t)plane * sizeof *map);
        AM_TRY(give_metric(run, b, map, size, view ? am_post_floats(view) + b : NULL, targets ? &targets[b] : NULL));
    }
    return NULL;
}

#define NAME "post_process_depth_estimation"

/* clang-format off */
static const am_post_method methods[] = {
    {NAME, "DPT PromptDepthAnything", estimate, &(depth_settings){AM_POST_BICUBIC, false}},
    {NAME, "GLPN", estimate, &(depth_settings){AM_POST_BICUBIC, true}},
    {NAME, "CHMv2", estimate, &(depth_settings){AM_POST_CORNERS, false}},
    {NAME, "Tipsv2Dpt", estimate, &(depth_settings){AM_POST_BILINEAR, false}},
    {NAME, "ZoeDepth", estimate_padded, NULL},
    {NAME, "DepthPro", estimate_metric, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_depth = {methods};
