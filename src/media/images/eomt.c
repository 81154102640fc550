/* EoMT: long pictures are cut into overlapping windows, or padded to the size. */
#include "media/images/processor.h"

#include "base/memory.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

/* The windows of all pictures, and of which they are. */
typedef struct windows {
    am_picture *pictures;  /* [count], owned */
    int64_t (*offsets)[3]; /* [count]: number of the picture, begin and end along its longer side */
    int64_t count;
} windows;

static void windows_deinit(windows *w)
{
    for (int64_t i = 0; i < w->count && w->pictures; i++) am_picture_deinit(&w->pictures[i]);
    am_free(w->pictures);
    am_free(w->offsets);
}

static int64_t longer_side(const am_picture *picture)
{
    return picture->height > picture->width ? picture->height : picture->width;
}

static int64_t count_windows(const am_picture *picture, int64_t side)
{
    return (longer_side(picture) + side - 1) / side;
}

static am_status cut_window(const am_picture *picture, int64_t begin, int64_t end, am_picture *out)
{
    bool tall = picture->height > picture->width;
    am_plane_size size = {picture->height, picture->width};
    int64_t longer = longer_side(picture), length = (end < longer ? end : longer) - begin;
    if (tall) size.height = length;
    else size.width = length;
    AM_TRY(am_picture_copy(picture, out));
    return am_picture_crop(out, tall ? begin : 0, tall ? 0 : begin, size);
}

static am_status cut_windows(const am_image_run *run, int64_t number, int64_t *at, windows *out)
{
    const am_picture *picture = &run->pictures[number];
    int64_t side = run->processor->size.shortest_edge, count = count_windows(picture, side);
    double surplus = (double)(count * side - longer_side(picture)),
           overlap = count > 1 ? surplus / (double)(count - 1) : 0.0;
    for (int64_t i = 0; i < count; i++, ++*at) {
        int64_t begin = (int64_t)((double)i * ((double)side - overlap));
        out->offsets[*at][0] = number;
        out->offsets[*at][1] = begin;
        out->offsets[*at][2] = begin + side;
        AM_TRY(cut_window(picture, begin, begin + side, &out->pictures[*at]));
    }
    return NULL;
}

/* Windows may hold the same pixels again and again, and be padded: all of them are no more than one picture may be. */
static am_status check_pixels(const am_image_run *run)
{
    const am_image_size *size = &run->processor->size;
    double total = 0.0;
    for (int64_t i = 0; i < run->count; i++) {
        const am_picture *picture = &run->pictures[i];
        int64_t longer = longer_side(picture), shorter = picture->height + picture->width - longer;
        double across = fmax((double)shorter, (double)(size->longest_edge ? size->longest_edge : size->shortest_edge));
        total += (double)count_windows(picture, size->shortest_edge) * (double)size->shortest_edge * across;
    }
    if (total <= (double)AM_IMAGE_MAX_PIXELS) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "windows of %g pixels, more than the limit of %" PRId64, total,
                    AM_IMAGE_MAX_PIXELS);
}

static am_status split(const am_image_run *run, windows *out)
{
    int64_t at = 0;
    AM_TRY(check_pixels(run));
    for (int64_t i = 0; i < run->count; i++)
        out->count += count_windows(&run->pictures[i], run->processor->size.shortest_edge);
    out->pictures = am_alloc_zeroed((size_t)out->count, sizeof *out->pictures);
    out->offsets = am_alloc_zeroed((size_t)out->count, sizeof *out->offsets);
    if (!out->pictures || !out->offsets) return am_out_of_memory();
    for (int64_t i = 0; i < run->count; i++) AM_TRY(cut_windows(run, i, &at, out));
    return NULL;
}

/* A list of triples; empty where nothing was cut. */
static am_status give_offsets(am_image_run *run, const windows *w)
{
    am_tensor *out;
    am_shape three = am_shape_of(3);
    AM_TRY(am_media_tensors_add_list(run->out, "patch_offsets", w->count, &out));
    for (int64_t i = 0; i < w->count; i++) {
        AM_TRY(am_media_tensor_alloc(&out[i], AM_I64, &three));
        for (int k = 0; k < 3; k++) ((int64_t *)out[i].data)[k] = w->offsets[i][k];
    }
    return NULL;
}

static am_status finish(const am_image_processor *p, am_picture *picture)
{
    int64_t height = p->size.shortest_edge, width = p->size.longest_edge ? p->size.longest_edge : height;
    am_margins margins = {.bottom = height > picture->height ? height - picture->height : 0,
                          .right = width > picture->width ? width - picture->width : 0};
    if (p->do_pad) AM_TRY(am_picture_pad(picture, margins, 0.0));
    return am_image_rescale_and_normalize(p, picture);
}

static am_status give_all(am_image_run *run, bool do_split, windows *w)
{
    if (do_split) AM_TRY(split(run, w));
    am_picture *pictures = do_split ? w->pictures : run->pictures;
    int64_t count = do_split ? w->count : run->count;
    for (int64_t i = 0; i < count; i++) AM_TRY(finish(run->processor, &pictures[i]));
    AM_TRY(am_image_give(run, "pixel_values", pictures, count));
    return give_offsets(run, w);
}

static am_status preprocess(am_image_run *run)
{
    const am_image_processor *p = run->processor;
    bool do_split = false;
    AM_TRY(am_image_flag(p, "do_split_image", &do_split));
    if ((do_split || p->do_pad) && !p->size.shortest_edge)
        return am_error(AM_INVALID_FILE, "size: expected shortest_edge");
    for (int64_t i = 0; i < run->count; i++) AM_TRY(am_image_do_resize(p, &run->pictures[i]));
    windows w = {0};
    am_status status = give_all(run, do_split, &w);
    windows_deinit(&w);
    return status;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "EomtImageProcessor",
     .defaults = AM_JSON({
         "do_resize": true, "size": {"shortest_edge": 640, "longest_edge": 640}, "default_to_square": false,
         "resample": 2, "do_rescale": true, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406],
         "image_std": [0.229, 0.224, 0.225], "do_pad": false, "do_split_image": false
     }), .preprocess = preprocess},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_eomt = {classes};
