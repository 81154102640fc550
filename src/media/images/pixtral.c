/* Pixtral: pictures keep their shape, made whole patches; the batch is padded to its largest. */
#include "media/images/tiles.h"

#include "base/memory.h"

#include <math.h>
#include <stddef.h>

static am_status fit(const am_image_processor *p, am_plane_size in, am_plane_size *out_patches, am_plane_size *out_size)
{
    am_image_size patch;
    int64_t edge = p->size.longest_edge;
    am_plane_size most = {edge ? edge : p->size.height, edge ? edge : p->size.width};
    AM_TRY(am_image_read_size(p, "patch_size", true, &patch));
    if (!most.height || !most.width)
        return am_error(AM_INVALID_FILE, "size: expected longest_edge, or height and width");
    if (!patch.height || !patch.width) return am_error(AM_INVALID_FILE, "patch_size: expected height and width");
    double ratio = fmax((double)in.height / (double)most.height, (double)in.width / (double)most.width);
    if (ratio > 1.0) {
        in.height = (int64_t)floor((double)in.height / ratio);
        in.width = (int64_t)floor((double)in.width / ratio);
    }
    if (in.height < 1 || in.width < 1) return am_error(AM_INVALID_ARGUMENT, "a side of the image would become 0");
    *out_patches = (am_plane_size){(in.height - 1) / patch.height + 1, (in.width - 1) / patch.width + 1};
    *out_size = (am_plane_size){out_patches->height * patch.height, out_patches->width * patch.width};
    return NULL;
}

static am_status process(const am_image_processor *p, am_picture *picture, int64_t size[2])
{
    am_plane_size patches, to, in = {picture->height, picture->width};
    if (p->do_resize) {
        AM_TRY(fit(p, in, &patches, &to));
        AM_TRY(am_image_resize(p, picture, to));
    }
    size[0] = picture->height;
    size[1] = picture->width;
    AM_TRY(am_image_do_center_crop(p, picture));
    if (p->backend == AM_IMAGE_PIL) { /* which looks at sizes later */
        size[0] = picture->height;
        size[1] = picture->width;
    }
    return am_image_rescale_and_normalize(p, picture);
}

/* Adds to each picture what its size lacks to the largest one. */
static am_status pad(am_image_run *run, const int64_t *sizes)
{
    am_plane_size most = {0};
    for (int64_t i = 0; i < run->count; i++) {
        if (sizes[2 * i] > most.height) most.height = sizes[2 * i];
        if (sizes[2 * i + 1] > most.width) most.width = sizes[2 * i + 1];
    }
    for (int64_t i = 0; i < run->count; i++) {
        am_margins padding = {.right = most.width - sizes[2 * i + 1], .bottom = most.height - sizes[2 * i]};
        AM_TRY(am_picture_pad(&run->pictures[i], padding, 0.0));
        if (run->pictures[i].height != run->pictures->height || run->pictures[i].width != run->pictures->width)
            return am_error(AM_INVALID_ARGUMENT, "pictures that were cropped make no batch when padded");
    }
    return NULL;
}

static am_status run_with(am_image_run *run, int64_t *sizes)
{
    for (int64_t i = 0; i < run->count; i++) AM_TRY(process(run->processor, &run->pictures[i], sizes + 2 * i));
    if (run->processor->do_pad) AM_TRY(pad(run, sizes));
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    return am_image_give_numbers(run, "image_sizes", run->count, 2, sizes);
}

static am_status preprocess(am_image_run *run)
{
    int64_t *sizes = am_alloc_zeroed(2 * (size_t)run->count, sizeof *sizes);
    am_status status = sizes ? run_with(run, sizes) : am_out_of_memory();
    am_free(sizes);
    return status;
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    am_plane_size patches, size;
    AM_TRY(fit(p, in, &patches, &size));
    *out = (am_image_patch_count){
        .count = patches.height * patches.width, .rows = patches.height, .columns = patches.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "PixtralImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"longest_edge": 1024}, "resample": 3,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true, "patch_size": {"height": 16, "width": 16}
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_pixtral = {classes};
