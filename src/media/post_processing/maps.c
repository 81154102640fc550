/* Maps of an image: post_process_normal_estimation, post_process_pointmap_estimation, post_process_image_matting,
   post_process_document_rectification. */
#include "media/post_processing/segmentation.h"

#include "tensor/shape.h"

#include <math.h>
#include <string.h>

/* [batch, channels, height, width] under work. */
typedef struct map_batch {
    float *values;
    int64_t batch, channels;
    am_plane_size size;
} map_batch;

static am_status find_maps(const am_post_run *run, const char *name, map_batch *out)
{
    const am_tensor *tensor;
    AM_TRY(am_post_tensor(run, name, 4, &tensor));
    const int64_t *dims = tensor->shape.dims;
    *out = (map_batch){.batch = dims[0], .channels = dims[1], .size = {dims[2], dims[3]}};
    AM_TRY(am_post_float_array(run, am_shape_count(&tensor->shape), 1, &out->values));
    memcpy(out->values, tensor->data, am_tensor_bytes(AM_F32, &tensor->shape));
    return NULL;
}

static am_status give_map(am_post_run *run, int64_t image, const char *name, const float *values, int64_t channels,
                          am_plane_size size)
{
    am_post_item *item;
    am_tensor *tensor;
    am_shape shape = am_shape_of(channels, size.height, size.width);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, name, AM_F32, &shape, &tensor));
    memcpy(tensor->data, values, am_tensor_bytes(AM_F32, &shape));
    return NULL;
}

/* torch.nn.functional.normalize over the channels. */
static void normalize(map_batch *maps, float least)
{
    int64_t plane = maps->size.height * maps->size.width;
    for (int64_t i = 0; i < maps->batch * plane; i++) {
        float *at = maps->values + i / plane * maps->channels * plane + i % plane;
        double squares = 0.0;
        for (int64_t c = 0; c < maps->channels; c++) squares += (double)at[c * plane] * (double)at[c * plane];
        float norm = (float)sqrt(squares);
        for (int64_t c = 0; c < maps->channels; c++) at[c * plane] /= norm > least ? norm : least;
    }
}

/* --- TIPSv2 --- */

static am_status estimate_normals(am_post_run *run)
{
    map_batch maps;
    am_plane_size *sizes;
    AM_TRY(find_maps(run, "normals", &maps));
    AM_TRY(am_post_sizes(run, "target_sizes", maps.batch, &sizes));
    normalize(&maps, 1e-12f);
    for (int64_t b = 0; b < maps.batch; b++) {
        float *values = maps.values + b * maps.channels * maps.size.height * maps.size.width;
        if (sizes) AM_TRY(am_post_resized(run, values, maps.channels, maps.size, sizes[b], AM_POST_BILINEAR, &values));
        AM_TRY(give_map(run, b, "normals", values, maps.channels, sizes ? sizes[b] : maps.size));
    }
    return NULL;
}

/* --- Sapiens2: maps of an image that was fitted into a frame --- */

/* Cuts out what the image was in the frame. */
static am_status unpad(const am_post_run *run, int64_t channels, am_plane_size source, am_plane_size *size,
                       float **values)
{
    am_plane_size frame = {run->processor->size.height, run->processor->size.width},
                  fitted = am_image_fit_box(source, frame.height, frame.width), part = fitted;
    int64_t top = fitted.height < frame.height ? (frame.height - fitted.height) / 2 : 0,
            left = fitted.width < frame.width ? (frame.width - fitted.width) / 2 : 0;
    float *cut;
    if (part.height > size->height - top) part.height = size->height - top;
    if (part.width > size->width - left) part.width = size->width - left;
    if (part.height < 1 || part.width < 1)
        return am_error(AM_INVALID_ARGUMENT, "source_sizes: nothing of such an image is in the maps");
    AM_TRY(am_post_float_array(run, channels * part.height, part.width, &cut));
    for (int64_t i = 0; i < channels * part.height; i++) {
        int64_t row = i / part.height * size->height + top + i % part.height;
        memcpy(cut + i * part.width, *values + row * size->width + left, (size_t)part.width * sizeof *cut);
    }
    *values = cut;
    *size = part;
    return NULL;
}

/* _post_process_maps. */
static am_status give_framed(am_post_run *run, const map_batch *maps, const char *name)
{
    am_plane_size *sources, *targets;
    bool is_padded;
    AM_TRY(am_post_sizes(run, "source_sizes", maps->batch, &sources));
    AM_TRY(am_post_sizes(run, "target_sizes", maps->batch, &targets));
    AM_TRY(am_post_flag(run, "do_remove_padding", sources != NULL, &is_padded));
    if (is_padded && !sources) return am_error(AM_INVALID_ARGUMENT, "source_sizes: expected a list, found none");
    const am_plane_size *final = targets ? targets : sources;
    for (int64_t b = 0; b < maps->batch; b++) {
        float *values = maps->values + b * maps->channels * maps->size.height * maps->size.width;
        am_plane_size size = maps->size;
        if (is_padded) AM_TRY(unpad(run, maps->channels, sources[b], &size, &values));
        if (final) AM_TRY(am_post_resized(run, values, maps->channels, size, final[b], AM_POST_BILINEAR, &values));
        AM_TRY(give_map(run, b, name, values, maps->channels, final ? final[b] : size));
    }
    return NULL;
}

static am_status estimate_framed_normals(am_post_run *run)
{
    map_batch maps;
    AM_TRY(find_maps(run, "normals", &maps));
    normalize(&maps, 1e-8f);
    return give_framed(run, &maps, "normals");
}

static am_status estimate_pointmap(am_post_run *run)
{
    map_batch maps;
    const am_tensor *scales;
    AM_TRY(find_maps(run, "pointmaps", &maps));
    if (am_post_given(run, "scales")) {
        int64_t plane = maps.size.height * maps.size.width;
        AM_TRY(am_post_tensor(run, "scales", 2, &scales));
        AM_TRY(am_post_check(scales, "scales", 0, maps.batch));
        int64_t each = scales->shape.dims[1];
        if (each != 1) AM_TRY(am_post_check(scales, "scales", 1, maps.channels));
        for (int64_t i = 0; i < maps.batch * maps.channels * plane; i++) {
            int64_t channel = i / plane;
            maps.values[i] /= am_post_floats(scales)[each == 1 ? channel / maps.channels : channel];
        }
    }
    return give_framed(run, &maps, "pointmap");
}

/* --- UVDoc: a picture bent straight by a mesh of where its points lie --- */

static float pixel_at(const float *plane, am_plane_size size, int64_t y, int64_t x)
{
    return y < 0 || x < 0 || y >= size.height || x >= size.width ? 0.0f : plane[y * size.width + x];
}

/* grid_sample, bilinear, align_corners: x and y from -1 to 1. */
static float sample(const float *plane, am_plane_size size, float x, float y)
{
    float at_x = (x + 1.0f) * ((float)(size.width - 1) / 2.0f), at_y = (y + 1.0f) * ((float)(size.height - 1) / 2.0f);
    if (!(fabsf(at_x) < 1e9f) || !(fabsf(at_y) < 1e9f)) return 0.0f;
    float left = floorf(at_x), top = floorf(at_y), w = at_x - left, n = at_y - top, e = 1.0f - w, s = 1.0f - n;
    int64_t column = (int64_t)left, row = (int64_t)top;
    return pixel_at(plane, size, row, column) * (s * e) + pixel_at(plane, size, row, column + 1) * (s * w) +
           pixel_at(plane, size, row + 1, column) * (n * e) + pixel_at(plane, size, row + 1, column + 1) * (n * w);
}

/* image: [channels, height, width]; its answer has the channels last, reversed, as bytes. */
static am_status rectify_one(am_post_run *run, int64_t number, const am_tensor *image, const float *mesh, double scale)
{
    const int64_t *dims = image->shape.dims + image->shape.rank - 3, channels = dims[0];
    am_plane_size size = {dims[1], dims[2]};
    int64_t plane = size.height * size.width;
    am_shape shape = am_shape_of(size.height, size.width, channels);
    am_post_item *item;
    am_tensor *tensor;
    AM_TRY(am_post_add(run, number, &item));
    AM_TRY(am_post_add_field(run, item, "images", AM_U8, &shape, &tensor));
    uint8_t *to = tensor->data;
    for (int64_t i = 0; i < plane; i++)
        for (int64_t c = channels - 1; c >= 0; c--) {
            float value = sample(am_post_floats(image) + c * plane, size, mesh[i], mesh[plane + i]) * (float)scale;
            *to++ = (uint8_t)(int64_t)(fabsf(value) < 1e9f ? value : 0.0f);
        }
    return NULL;
}

static am_status rectify(am_post_run *run)
{
    const am_tensor *prediction;
    const am_media_output *images = am_media_tensors_find(run->outputs, "original_images");
    double scale;
    AM_TRY(am_post_tensor(run, "prediction", 4, &prediction));
    AM_TRY(am_post_check(prediction, "prediction", 1, 2));
    AM_TRY(am_post_number(run, "scale", 255.0, &scale));
    const int64_t *dims = prediction->shape.dims;
    if (!images || images->count > dims[0])
        return am_error(AM_INVALID_ARGUMENT, "original_images: expected at most %lld", (long long)dims[0]);
    for (int64_t b = 0; b < images->count; b++) {
        const am_tensor *image = &images->tensors[b];
        float *mesh;
        int rank = image->shape.rank;
        if (image->dtype != AM_F32 || rank < 3 || rank > 4 || (rank == 4 && image->shape.dims[0] != 1))
            return am_error(AM_INVALID_ARGUMENT, "original_images: expected f32 [channels, height, width]");
        am_plane_size size = {image->shape.dims[rank - 2], image->shape.dims[rank - 1]};
        AM_TRY(am_post_resized(run, am_post_floats(prediction) + b * 2 * dims[2] * dims[3], 2,
                               (am_plane_size){dims[2], dims[3]}, size, AM_POST_CORNERS, &mesh));
        AM_TRY(rectify_one(run, b, image, mesh, scale));
    }
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_normal_estimation", "Tipsv2Dpt", estimate_normals, NULL},
    {"post_process_normal_estimation", "Sapiens2", estimate_framed_normals, NULL},
    {"post_process_pointmap_estimation", "Sapiens2", estimate_pointmap, NULL},
    {"post_process_document_rectification", "UVDoc", rectify, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_maps = {methods};
