/* Step-3.7: the whole picture stretched to a square, and windows of long or large ones. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include "base/memory.h"

#include <math.h>
#include <stddef.h>

typedef struct plan {
    int64_t patch, window; /* 0: none */
    am_plane_size whole, crop, grid;
    bool pads; /* to a square first */
} plan;

static int64_t cropped(int64_t side, int64_t window)
{
    if (side < window) return side;
    return window * (side / window + ((double)(side % window) > 0.2 * (double)window));
}

/* _plan_patches */
static am_status make_plan(const am_image_processor *p, am_plane_size in, plan *out)
{
    int64_t most = 3024, image = p->size.height;
    *out = (plan){.patch = 504};
    AM_TRY(am_image_integer(p, "patch_size", 1, 1 << 16, &out->patch));
    AM_TRY(am_image_integer(p, "max_image_size", 1, 1 << 20, &most));
    if (!image) return am_error(AM_INVALID_FILE, "size: expected height");
    double longer = (double)(in.height > in.width ? in.height : in.width),
           shorter = (double)(in.height > in.width ? in.width : in.height);
    out->pads = shorter < 32.0 && longer / shorter > 4.0;
    if (out->pads) in = (am_plane_size){(int64_t)longer, (int64_t)longer};
    if (longer > (double)most) {
        double scale = (double)most / longer;
        in = (am_plane_size){(int64_t)((double)in.height * scale), (int64_t)((double)in.width * scale)};
    }
    if (in.height < 1 || in.width < 1) return am_error(AM_INVALID_ARGUMENT, "a side of the image would become 0");
    int64_t least = in.height < in.width ? in.height : in.width, greatest = in.height < in.width ? in.width : in.height;
    double ratio = (double)greatest / (double)least;
    out->whole = out->crop = in;
    if (greatest <= image) out->window = ratio > 1.5 ? least : 0;
    else out->window = ratio > 4.0 && least < out->patch ? least : out->patch;
    if (!out->window) return NULL;
    out->crop = (am_plane_size){cropped(in.height, out->window), cropped(in.width, out->window)};
    out->grid.height = out->crop.height / out->window > 1 ? out->crop.height / out->window : 1;
    out->grid.width = out->crop.width / out->window > 1 ? out->crop.width / out->window : 1;
    return NULL;
}

/* Appends windows, and makes the picture what it is as a whole. */
static am_status process(const am_image_processor *p, am_picture *picture, am_tiles *windows, plan *out)
{
    int64_t first = windows->count, side = picture->height > picture->width ? picture->height : picture->width;
    am_margins padding = {.right = side - picture->width, .bottom = side - picture->height};
    am_tiles crop = {0};
    AM_TRY(make_plan(p, (am_plane_size){picture->height, picture->width}, out));
    if (out->pads) AM_TRY(am_picture_pad(picture, padding, 0.0));
    am_status status = out->window ? am_tiles_add_resized(&crop, p, picture, out->crop) : NULL;
    if (!status && out->window) status = am_tiles_cut(windows, crop.items, (am_plane_size){out->window, out->window});
    am_tiles_deinit(&crop);
    for (int64_t i = first; i < windows->count && !status; i++)
        status = am_image_resize(p, &windows->items[i], (am_plane_size){out->patch, out->patch});
    if (!status) status = am_tiles_rescale_and_normalize(windows, p, first);
    if (!status) status = am_image_resize(p, picture, out->whole);
    if (!status) status = am_image_resize(p, picture, (am_plane_size){p->size.height, p->size.height});
    return status ? status : am_image_rescale_and_normalize(p, picture);
}

/* Where a row of windows ends that is not the last. */
static am_status give_newlines(am_image_run *run, const plan *plans, int64_t most)
{
    am_tensor *mask;
    am_shape shape = am_shape_of(run->count, most);
    AM_TRY(am_media_tensors_add(run->out, "patch_newline_masks", AM_BOOL, &shape, &mask));
    for (int64_t i = 0; i < run->count; i++) {
        am_plane_size grid = plans[i].grid;
        for (int64_t k = 0; k < grid.height * grid.width && k < most; k++)
            ((uint8_t *)mask->data)[i * most + k] =
                k % grid.width == grid.width - 1 && k / grid.width < grid.height - 1;
    }
    return NULL;
}

static am_status process_all(am_image_run *run, am_tiles *windows, plan *plans)
{
    am_shape flat = am_shape_of(run->count);
    int64_t *counts, most = 0;
    AM_TRY(am_image_give_integers(run, "num_local_patches", &flat, &counts));
    for (int64_t i = 0; i < run->count; i++) {
        int64_t before = windows->count;
        AM_TRY(process(run->processor, &run->pictures[i], windows, &plans[i]));
        counts[i] = windows->count - before;
        if (counts[i] > most) most = counts[i];
    }
    AM_TRY(am_image_give(run, "pixel_values", run->pictures, run->count));
    if (!most) return NULL;
    AM_TRY(am_image_give(run, "pixel_values_local", windows->items, windows->count));
    return give_newlines(run, plans, most);
}

static am_status preprocess(am_image_run *run)
{
    am_tiles windows = {0};
    plan *plans = am_alloc_zeroed((size_t)run->count, sizeof *plans);
    am_status status = plans ? process_all(run, &windows, plans) : am_out_of_memory();
    am_tiles_deinit(&windows);
    am_free(plans);
    return status;
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    plan s;
    AM_TRY(make_plan(p, in, &s));
    *out = (am_image_patch_count){
        .count = 1 + s.grid.height * s.grid.width, .rows = s.grid.height, .columns = s.grid.width};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Step3p7ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "size": {"height": 728, "width": 728}, "resample": 2, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "downsampler_stride": 4, "max_image_size": 3024,
         "patch_size": 504, "vision_patch_size": 14
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_step3p7 = {classes};
