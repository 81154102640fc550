/* Classes that take all pictures as frames of one video: [1, frames, 3, height, width]. */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>

static am_status give_video(am_image_run *run)
{
    const am_tensor *made;
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    AM_TRY(am_media_tensors_get(run->out, "pixel_values", &made));
    am_shape *shape = &run->out->items[run->out->count - 1].tensors->shape;
    *shape = am_shape_of(1, run->count, made->shape.dims[1], made->shape.dims[2], made->shape.dims[3]);
    return NULL;
}

static am_status resize_and_crop(const am_image_processor *p, am_picture *picture)
{
    AM_TRY(am_image_do_resize(p, picture));
    return am_image_do_center_crop(p, picture);
}

static am_status videomae(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(resize_and_crop(p, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    }
    return give_video(run);
}

/* ViViT: `offset` takes 1 off after rescaling. */
static am_status vivit(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    bool offset = false;
    AM_TRY(am_image_flag(p, "offset", &offset));
    if (offset && !p->do_rescale) return am_error(AM_INVALID_FILE, "offset: expected do_rescale with it");
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        AM_TRY(resize_and_crop(p, picture));
        if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
        int64_t count = picture->channels * picture->height * picture->width;
        for (int64_t k = 0; k < count && offset; k++) picture->floats[k] -= 1.0f;
        if (p->do_normalize) AM_TRY(am_picture_normalize(picture, p->image_mean, p->image_std));
    }
    return give_video(run);
}

/* ViViT has no other form than that of numpy and PIL. */
static am_status work_as_pil(am_image_processor *p)
{
    p->backend = AM_IMAGE_PIL;
    return NULL;
}

/* TVP: the longer edge becomes size.longest_edge. */
static am_status fit_longest(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t edge = p->size.longest_edge;
    if (!edge || p->size.shortest_edge) return am_image_fit(&p->size, in, out);
    bool tall = in.height >= in.width;
    double ratio = tall ? (double)in.width / (double)in.height : (double)in.height / (double)in.width;
    int64_t other = (int64_t)((double)edge * ratio);
    *out = tall ? (am_plane_size){edge, other} : (am_plane_size){other, edge};
    if (other > 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a picture of %" PRId64 "x%" PRId64 " (height, width) would have no pixels",
                    in.height, in.width);
}

static am_status tvp(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    double fill = 0.0;
    am_json mode = am_image_setting(p, "pad_mode"), value = am_image_setting(p, "constant_values");
    if (p->do_pad && !am_json_equals(mode, "constant"))
        return am_error(AM_UNSUPPORTED, "pad_mode other than \"constant\"");
    fill = am_json_real(value, 0.0);
    for (int64_t i = 0; i < run->count; i++) {
        AM_TRY(resize_and_crop(p, &run->pictures[i]));
        AM_TRY(am_image_rescale_and_normalize(p, &run->pictures[i]));
    }
    am_plane_size to = {p->pad_size.height, p->pad_size.width};
    if (p->do_pad) AM_TRY(am_image_pad_all(run, to, fill, NULL));
    for (int64_t i = 0; i < run->count && p->do_flip_channel_order; i++) am_picture_flip_channels(&run->pictures[i]);
    return give_video(run);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "TvpImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"longest_edge": 448}, "default_to_square": false, "resample": 2,
         "do_center_crop": true, "crop_size": {"height": 448, "width": 448}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true,
         "pad_size": {"height": 448, "width": 448}, "constant_values": 0, "do_flip_channel_order": true,
         "pad_mode": "constant"
     }), .preprocess = tvp, .new_size = fit_longest},
    {.name = "VideoMAEImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false, "resample": 2,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]
     }), .preprocess = videomae},
    {.name = "VivitImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 256}, "default_to_square": false, "resample": 2,
         "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "rescale_factor": 0.00784313725490196, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5],
         "image_std": [0.5, 0.5, 0.5], "offset": true
     }), .preprocess = vivit, .standardize = work_as_pil},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_frames = {classes};
