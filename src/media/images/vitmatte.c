/* ViTMatte: a fourth channel says where the picture is known to be foreground (255) or background (0). */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static am_status picture_of_trimap(const am_tensor *trimap, const am_picture *picture, am_picture *out)
{
    char shape[AM_SHAPE_TEXT];
    bool is_float = trimap->dtype == AM_F32;
    if ((!is_float && trimap->dtype != AM_U8) || trimap->shape.rank != 2 || trimap->shape.dims[0] != picture->height ||
        trimap->shape.dims[1] != picture->width)
        return am_error(AM_INVALID_ARGUMENT, "a trimap of %s; expected u8 or f32 [%" PRId64 ", %" PRId64 "]",
                        am_shape_text(&trimap->shape, shape), picture->height, picture->width);
    AM_TRY(am_picture_create(1, picture->height, picture->width, is_float, out));
    memcpy(out->data, trimap->data, (size_t)(picture->height * picture->width) * (is_float ? sizeof(float) : 1));
    return NULL;
}

/* The channels of both as floats. */
static am_status join(am_picture *picture, am_picture *trimap)
{
    am_picture out;
    AM_TRY(am_picture_to_floats(picture));
    AM_TRY(am_picture_to_floats(trimap));
    AM_TRY(am_picture_create(picture->channels + 1, picture->height, picture->width, true, &out));
    am_image_put(trimap, am_image_put(picture, out.floats));
    am_picture_deinit(picture);
    *picture = out;
    return NULL;
}

static am_status pad(const am_image_processor *p, am_picture *picture)
{
    int64_t unit = 32;
    AM_TRY(am_image_integer(p, "size_divisibility", 1, 1 << 20, &unit));
    AM_TRY(am_image_integer(p, "size_divisor", 1, 1 << 20, &unit));
    am_margins margins = {.bottom = (unit - picture->height % unit) % unit,
                          .right = (unit - picture->width % unit) % unit};
    return am_picture_pad(picture, margins, 0.0);
}

static am_status add_trimap(const am_image_processor *p, const am_tensor *trimap, am_picture *picture)
{
    am_picture map = {0};
    am_status status = picture_of_trimap(trimap, picture, &map);
    if (!status && p->do_rescale) status = am_picture_rescale(&map, p->backend, p->rescale_factor);
    if (!status) status = am_image_rescale_and_normalize(p, picture);
    if (!status) status = join(picture, &map);
    am_picture_deinit(&map);
    return status;
}

static am_status preprocess(am_image_run *run)
{
    if (!run->inputs->trimaps) return am_error(AM_INVALID_ARGUMENT, "expected a trimap for each image");
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(add_trimap(run->processor, &run->inputs->trimaps[i], &run->pictures[i]));
        if (run->processor->do_pad) AM_TRY(pad(run->processor, &run->pictures[i]));
    }
    return am_image_give(run, "pixel_values", run->pictures, run->count);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "VitMatteImageProcessor",
     .defaults = AM_JSON({
         "do_rescale": true, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
         "do_pad": true
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_vitmatte = {classes};
