/* Idefics2: sides within bounds, optionally four quarters before the whole; all images make one sample. */
#include "media/images/tiles.h"

#include <stddef.h>

static am_status fit(const am_image_processor *p, am_plane_size in, am_plane_size *out)
{
    int64_t least = p->size.shortest_edge, most = p->size.longest_edge;
    double ratio = (double)in.width / (double)in.height;
    if (!least || !most) {
        *out = (am_plane_size){p->size.height, p->size.width};
        if (out->height && out->width) return NULL;
        return am_error(AM_INVALID_FILE, "size: expected height and width, or shortest_edge and longest_edge");
    }
    if (in.width >= in.height && in.width > most) in = (am_plane_size){(int64_t)((double)most / ratio), most};
    else if (in.height > in.width && in.height > most) in = (am_plane_size){most, (int64_t)((double)most * ratio)};
    out->height = in.height > least ? in.height : least;
    out->width = in.width > least ? in.width : least;
    return NULL;
}

static am_status add_quarters(am_tiles *tiles, const am_picture *picture)
{
    am_plane_size middle = {picture->height / 2, picture->width / 2};
    for (int i = 0; i < 4; i++) {
        am_plane_size size = {i < 2 ? middle.height : picture->height - middle.height,
                              i % 2 ? picture->width - middle.width : middle.width};
        AM_TRY(am_tiles_add_part(tiles, picture, i < 2 ? 0 : middle.height, i % 2 ? middle.width : 0, size));
    }
    return NULL;
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    bool split = false;
    int64_t first = out->tiles.count;
    AM_TRY(am_image_flag(p, "do_image_splitting", &split));
    if (split) AM_TRY(add_quarters(&out->tiles, &run->pictures[image]));
    AM_TRY(am_tiles_take(&out->tiles, &run->pictures[image]));
    for (int64_t i = first; i < out->tiles.count; i++) {
        am_picture *tile = &out->tiles.items[i];
        am_plane_size to;
        if (p->do_resize) {
            AM_TRY(fit(p, (am_plane_size){tile->height, tile->width}, &to));
            AM_TRY(am_image_resize(p, tile, to));
        }
        AM_TRY(am_image_rescale_and_normalize(p, tile));
    }
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    return am_tiles_give_sample(run, &tiled->tiles, run->processor->do_pad);
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    bool split = false;
    AM_TRY(fit(p, in, &in));
    AM_TRY(am_image_flag(p, "do_image_splitting", &split));
    *out = (am_image_patch_count){.count = split ? 5 : 1, .rows = split ? 2 : 0, .columns = split ? 2 : 0};
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Idefics2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 378, "longest_edge": 980},
         "default_to_square": false, "resample": 2, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_pad": true, "do_image_splitting": false
     }), .preprocess = preprocess, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_idefics2 = {classes};
