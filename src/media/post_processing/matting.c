/* What stands before a background, and how much of it covers each pixel: post_process_image_matting. */
#include "media/post_processing/segmentation.h"

#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct matting_call {
    const am_tensor *foregrounds, *alphas; /* [batch, 3, height, width], [batch, 1, height, width] */
    const am_media_output *backgrounds;    /* one, or one for each; [3, height, width]; or null */
    am_plane_size *sizes;                  /* or null */
} matting_call;

static am_status check_backgrounds(const matting_call *call, int64_t batch)
{
    if (call->backgrounds->count != 1 && call->backgrounds->count != batch)
        return am_error(AM_INVALID_ARGUMENT, "backgrounds: expected 1 or %" PRId64 ", found %" PRId64, batch,
                        call->backgrounds->count);
    for (int64_t i = 0; i < call->backgrounds->count; i++) {
        const am_tensor *one = &call->backgrounds->tensors[i];
        const int64_t *dims = one->shape.dims;
        bool is_picture = one->shape.rank == 3 && dims[0] == 3 && dims[1] > 0 && dims[2] > 0;
        if (!is_picture || (one->dtype != AM_F32 && one->dtype != AM_U8))
            return am_error(AM_INVALID_ARGUMENT, "backgrounds: expected f32 or u8 [3, height, width]");
    }
    return NULL;
}

static am_status read_call(const am_post_run *run, matting_call *out)
{
    AM_TRY(am_post_tensor(run, "foregrounds", 4, &out->foregrounds));
    AM_TRY(am_post_tensor(run, "alphas", 4, &out->alphas));
    const int64_t *dims = out->foregrounds->shape.dims, expected[] = {dims[0], 1, dims[2], dims[3]};
    AM_TRY(am_post_check(out->foregrounds, "foregrounds", 1, 3));
    for (int axis = 0; axis < 4; axis++) AM_TRY(am_post_check(out->alphas, "alphas", axis, expected[axis]));
    if (dims[2] < 1 || dims[3] < 1) return am_error(AM_INVALID_ARGUMENT, "foregrounds: expected pixels");
    out->backgrounds = am_media_tensors_find(run->outputs, "backgrounds");
    if (out->backgrounds) AM_TRY(check_backgrounds(out, dims[0]));
    return am_post_sizes(run, "target_sizes", dims[0], &out->sizes);
}

static float within_unit(float x)
{
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

/* Colours and cover of an image, [4, size.height, size.width] in scratch. */
static am_status join(const am_post_run *run, const matting_call *call, int64_t image, am_plane_size *size, float **out)
{
    const int64_t *dims = call->foregrounds->shape.dims, plane = dims[2] * dims[3];
    *size = (am_plane_size){dims[2], dims[3]};
    AM_TRY(am_post_float_array(run, 4, plane, out));
    memcpy(*out, am_post_floats(call->foregrounds) + image * 3 * plane, (size_t)(3 * plane) * sizeof **out);
    memcpy(*out + 3 * plane, am_post_floats(call->alphas) + image * plane, (size_t)plane * sizeof **out);
    if (!call->sizes) return NULL;
    AM_TRY(am_post_resized(run, *out, 4, *size, call->sizes[image], AM_POST_BILINEAR, out));
    *size = call->sizes[image];
    for (int64_t i = 0; i < 4 * size->height * size->width; i++) (*out)[i] = within_unit((*out)[i]);
    return NULL;
}

/* The background of an image from 0 to 1, of that size: [3, size.height, size.width] in scratch. */
static am_status find_background(const am_post_run *run, const matting_call *call, int64_t image, am_plane_size size,
                                 float **out)
{
    const am_tensor *from = &call->backgrounds->tensors[call->backgrounds->count == 1 ? 0 : image];
    am_plane_size own = {from->shape.dims[1], from->shape.dims[2]};
    int64_t plane = own.height * own.width;
    AM_TRY(am_post_float_array(run, 3, plane, out));
    for (int64_t i = 0; i < 3 * plane; i++) {
        float value = (float)am_load_real(from->dtype, from->data, i);
        (*out)[i] = from->dtype == AM_U8 ? value / 255.0f : value;
    }
    if (own.height == size.height && own.width == size.width) return NULL;
    return am_post_resized(run, *out, 3, own, size, AM_POST_BILINEAR, out);
}

static am_status give_composite(am_post_run *run, am_post_item *item, const float *matte, const float *background,
                                am_plane_size size)
{
    am_tensor *tensor;
    int64_t plane = size.height * size.width;
    am_shape shape = am_shape_of(3, size.height, size.width);
    AM_TRY(am_post_add_field(run, item, "composite", AM_U8, &shape, &tensor));
    for (int64_t i = 0; i < 3 * plane; i++) {
        float color = matte[i] + (1.0f - matte[3 * plane + i % plane]) * background[i];
        ((uint8_t *)tensor->data)[i] = isnan(color) ? 0 : (uint8_t)(within_unit(color) * 255.999f);
    }
    return NULL;
}

static am_status give_matte(am_post_run *run, const matting_call *call, int64_t image)
{
    am_post_item *item;
    am_plane_size size;
    am_tensor *colors, *alpha;
    float *matte, *background;
    AM_TRY(join(run, call, image, &size, &matte));
    int64_t plane = size.height * size.width;
    am_shape three = am_shape_of(3, size.height, size.width), one = am_shape_of(1, size.height, size.width);
    AM_TRY(am_post_add(run, image, &item));
    AM_TRY(am_post_add_field(run, item, "foreground", AM_F32, &three, &colors));
    AM_TRY(am_post_add_field(run, item, "alpha", AM_F32, &one, &alpha));
    memcpy(colors->data, matte, (size_t)(3 * plane) * sizeof *matte);
    memcpy(alpha->data, matte + 3 * plane, (size_t)plane * sizeof *matte);
    if (!call->backgrounds) {
        am_post_add_none(item, "composite");
        return NULL;
    }
    AM_TRY(find_background(run, call, image, size, &background));
    return give_composite(run, item, matte, background, size);
}

static am_status matte(am_post_run *run)
{
    matting_call call;
    AM_TRY(read_call(run, &call));
    for (int64_t b = 0; b < call.foregrounds->shape.dims[0]; b++) AM_TRY(give_matte(run, &call, b));
    return NULL;
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_image_matting", "Sapiens2", matte, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_matting = {methods};
