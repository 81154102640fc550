/* Qwen2-VL: pictures keep their shape within a budget of pixels, and become a list of patches in the order in which the
   model merges them, of all pictures one after another; image_grid_thw says how many. */
#include "media/images/processor.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stddef.h>

typedef struct patching {
    int64_t patch_size, temporal_patch_size, merge_size;
} patching;

static am_status read_patching(const am_image_processor *p, patching *out)
{
    AM_TRY(am_image_integer(p, "patch_size", 1, 1024, &out->patch_size));
    AM_TRY(am_image_integer(p, "temporal_patch_size", 1, 64, &out->temporal_patch_size));
    return am_image_integer(p, "merge_size", 1, 64, &out->merge_size);
}

/* min_pixels and max_pixels of old stand for the edges of size. */
static am_status standardize(am_image_processor *p)
{
    AM_TRY(am_image_integer(p, "min_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.shortest_edge));
    AM_TRY(am_image_integer(p, "max_pixels", 1, AM_IMAGE_MAX_PIXELS, &p->size.longest_edge));
    if (p->size.shortest_edge && p->size.longest_edge) return NULL;
    return am_error(AM_INVALID_FILE, "size: expected shortest_edge and longest_edge, numbers of pixels");
}

/* Copies the patches of a picture to out: [grid_h / merge, grid_w / merge, merge, merge] patches of
   [channel, temporal, patch, patch], the picture repeated along time. */
static float *put_patches(const am_picture *picture, const patching *s, float *out)
{
    am_plane_size patch = {s->patch_size, s->patch_size},
                  block = {s->patch_size * s->merge_size, patch.width * s->merge_size};
    for (int64_t at = 0; at < picture->height / block.height * (picture->width / block.width); at++) {
        int64_t top = at / (picture->width / block.width) * block.height,
                left = at % (picture->width / block.width) * block.width;
        for (int64_t k = 0; k < s->merge_size * s->merge_size * picture->channels * s->temporal_patch_size; k++) {
            int64_t channel = k / s->temporal_patch_size % picture->channels,
                    inside = k / s->temporal_patch_size / picture->channels;
            am_picture_window(picture, channel, top + inside / s->merge_size * patch.height,
                              left + inside % s->merge_size * patch.width, patch, out);
            out += patch.height * patch.width;
        }
    }
    return out;
}

static am_status give_patches(am_image_run *run, const patching *s)
{
    int64_t *grid, total = 0, area = s->patch_size * s->patch_size;
    float *values;
    am_shape grid_shape = am_shape_of(run->count, 3);
    AM_TRY(am_image_give_integers(run, "image_grid_thw", &grid_shape, &grid));
    for (int64_t i = 0; i < run->count; i++, grid += 3) {
        grid[0] = 1;
        grid[1] = run->pictures[i].height / s->patch_size;
        grid[2] = run->pictures[i].width / s->patch_size;
        total += grid[1] * grid[2];
    }
    am_shape shape = am_shape_of(total, run->pictures->channels * s->temporal_patch_size * area);
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &values));
    for (int64_t i = 0; i < run->count; i++) values = put_patches(&run->pictures[i], s, values);
    return NULL;
}

static am_status check_divides(const am_picture *picture, int64_t unit)
{
    if (picture->height % unit == 0 && picture->width % unit == 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "a picture of %" PRId64 "x%" PRId64 " pixels (height, width) is not made of squares of %" PRId64,
                    picture->height, picture->width, unit);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    patching s = {0};
    AM_TRY(read_patching(p, &s));
    for (int64_t i = 0; i < run->count; i++) {
        am_picture *picture = &run->pictures[i];
        am_plane_size to, in = {picture->height, picture->width};
        if (p->do_resize) {
            AM_TRY(am_image_smart_resize(in, s.patch_size * s.merge_size, p->size.shortest_edge, p->size.longest_edge,
                                         &to));
            AM_TRY(am_image_resize(p, picture, to));
        }
        AM_TRY(check_divides(picture, s.patch_size * s.merge_size));
        AM_TRY(am_image_rescale_and_normalize(p, picture));
    }
    return give_patches(run, &s);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Qwen2VLImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 3136, "longest_edge": 1003520},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "merge_size": 2, "patch_size": 14, "temporal_patch_size": 2
     }), .preprocess = preprocess, .standardize = standardize},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_qwen2_vl = {classes};
