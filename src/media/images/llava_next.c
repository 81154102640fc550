/* LLaVA-NeXT and LLaVA-OneVision: the picture as a whole, and tiles of it at the best of some resolutions. */
#include "media/images/tiles.h"
#include "tensor/shape.h"

#include <stddef.h>

static int64_t first_given(int64_t a, int64_t b, int64_t c)
{
    return a ? a : b ? b : c;
}

static am_status finish(const am_image_processor *p, am_picture *tile)
{
    AM_TRY(am_image_do_resize(p, tile));
    AM_TRY(am_image_do_center_crop(p, tile));
    return am_image_rescale_and_normalize(p, tile);
}

static am_status cut(am_image_run *run, int64_t image, am_tiled *out)
{
    const am_image_processor *p = run->processor;
    const am_picture *picture = &run->pictures[image];
    int64_t first = out->tiles.count, edge = p->size.shortest_edge;
    bool sides = p->size.height && p->size.width;
    am_plane_size whole = {sides ? p->size.height : edge, sides ? p->size.width : edge};
    AM_TRY(am_tiles_add_resized(&out->tiles, p, picture, whole));
    AM_TRY(am_tiles_cut_resolution(&out->tiles, p, "image_grid_pinpoints", picture,
                                   first_given(p->crop_size.height, p->size.height, edge)));
    for (int64_t i = first; i < out->tiles.count; i++) AM_TRY(finish(p, &out->tiles.items[i]));
    return NULL;
}

static am_status give(am_image_run *run, am_tiled *tiled)
{
    bool pad = run->processor->do_pad;
    AM_TRY(am_tiles_give(run, "pixel_values", &tiled->tiles, tiled->counts, run->count, pad));
    return am_image_give_sizes(run, "image_sizes");
}

/* Images that are not lists of several are each one of a batch. */
static am_status give_onevision(am_image_run *run, am_tiled *tiled)
{
    int64_t *ones;
    am_shape shape = am_shape_of(run->count);
    AM_TRY(give(run, tiled));
    AM_TRY(am_image_give_integers(run, "batch_num_images", &shape, &ones));
    for (int64_t i = 0; i < run->count; i++) ones[i] = 1;
    return NULL;
}

static am_status preprocess(am_image_run *run)
{
    return am_tiled_run(run, cut, give);
}

static am_status preprocess_onevision(am_image_run *run)
{
    return am_tiled_run(run, cut, give_onevision);
}

static am_status count_patches(const am_image_processor *p, am_plane_size in, am_image_patch_count *out)
{
    am_plane_size target;
    int64_t tile = first_given(p->crop_size.height, p->size.height, p->size.shortest_edge);
    if (!tile) return am_error(AM_INVALID_FILE, "size: expected height and width, or shortest_edge");
    AM_TRY(am_tile_best_resolution(p, "image_grid_pinpoints", in, &target));
    out->rows = (target.height + tile - 1) / tile;
    out->columns = (target.width + tile - 1) / tile;
    out->count = 1 + out->rows * out->columns;
    return NULL;
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "LlavaNextImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"shortest_edge": 224}, "default_to_square": false,
         "resample": 3, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, "do_rescale": true,
         "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true,
         "image_grid_pinpoints": [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
     }), .preprocess = preprocess, .count_patches = count_patches},
    {.name = "LlavaOnevisionImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 384, "width": 384},
         "default_to_square": false, "resample": 3, "do_rescale": true, "do_normalize": true,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
         "do_pad": true,
         "image_grid_pinpoints": [[384, 384], [384, 768], [384, 1152], [384, 1536], [384, 1920], [384, 2304],
         [768, 384], [768, 768], [768, 1152], [768, 1536], [768, 1920], [768, 2304], [1152, 384], [1152, 768],
         [1152, 1152], [1152, 1536], [1152, 1920], [1152, 2304], [1536, 384], [1536, 768], [1536, 1152],
         [1536, 1536], [1536, 1920], [1536, 2304], [1920, 384], [1920, 768], [1920, 1152], [1920, 1536],
         [1920, 1920], [1920, 2304], [2304, 384], [2304, 768], [2304, 1152], [2304, 1536], [2304, 1920], [2304, 2304]]
     }), .preprocess = preprocess_onevision, .count_patches = count_patches},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_llava_next = {classes};
