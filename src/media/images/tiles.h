/* Pictures cut into tiles: which grid suits a picture, the tiles themselves, and what is output of them. */
#ifndef AM_MEDIA_IMAGES_TILES_H
#define AM_MEDIA_IMAGES_TILES_H

#include "media/images/processor.h"

/* Owned pictures in a growing list; all zeros holds none. */
typedef struct am_tiles {
    am_picture *items;
    int64_t count, capacity;
} am_tiles;

void am_tiles_deinit(am_tiles *tiles);

/* Moves a picture to the end, also when it fails. */
am_status am_tiles_take(am_tiles *tiles, am_picture *picture) AM_NODISCARD;

/* Appends a copy of the picture resized. */
am_status am_tiles_add_resized(am_tiles *tiles, const am_image_processor *processor, const am_picture *picture,
                               am_plane_size size) AM_NODISCARD;

/* Appends a window of the picture, which is cut where it reaches outside. Fails with AM_INVALID_ARGUMENT when nothing
   is left. */
am_status am_tiles_add_part(am_tiles *tiles, const am_picture *picture, int64_t top, int64_t left,
                            am_plane_size size) AM_NODISCARD;

/* divide_to_patches: appends the picture's tiles row by row, the last ones smaller where it does not divide. */
am_status am_tiles_cut(am_tiles *tiles, const am_picture *picture, am_plane_size tile) AM_NODISCARD;

/* Resizes to a grid of tiles, and appends those. */
am_status am_tiles_cut_grid(am_tiles *tiles, const am_image_processor *processor, const am_picture *picture,
                            am_plane_size tile, am_plane_size grid) AM_NODISCARD;

/* What the images of a run became. */
typedef struct am_tiled {
    am_tiles tiles;  /* of all images, one after another */
    int64_t *counts; /* [images] */
    int64_t *grids;  /* [images, 2]: rows and columns, or what a class says; 0 until `cut` fills them */
} am_tiled;

/* Calls `cut` for each image, which appends what it becomes, then `give`, which outputs them; frees all. */
am_status am_tiled_run(am_image_run *run, am_status (*cut)(am_image_run *run, int64_t image, am_tiled *out),
                       am_status (*give)(am_image_run *run, am_tiled *tiled)) AM_NODISCARD;

/* am_image_rescale_and_normalize of the tiles from `first` on. */
am_status am_tiles_rescale_and_normalize(am_tiles *tiles, const am_image_processor *processor,
                                         int64_t first) AM_NODISCARD;

/* pad_to_square: the picture in the middle, the odd pixel after it. */
am_status am_picture_pad_square(am_picture *picture, const double fill[3]) AM_NODISCARD;

/* Outputs the tiles of several images, counts[i] of each: [images, most tiles, channels, height, width], missing tiles
   0, or, without `pad`, a list where counts differ. Fails with AM_INVALID_ARGUMENT where tiles differ in size. */
am_status am_tiles_give(am_image_run *run, const char *name, const am_tiles *tiles, const int64_t *counts,
                        int64_t images, bool pad) AM_NODISCARD;

/* Outputs all tiles as those of one sample: pixel_values [1, tiles, channels, height, width]; with `pad` all get the
   size of the largest, and pixel_attention_mask i64 [1, tiles, height, width] says where they were. */
am_status am_tiles_give_sample(am_image_run *run, am_tiles *tiles, bool pad) AM_NODISCARD;

/* Outputs rows and cols, [1, images] each, of the grids. */
am_status am_tiles_give_grids(am_image_run *run, const am_tiled *tiled) AM_NODISCARD;

/* Outputs numbers, `columns` for each of `rows`; columns 0: [rows]. */
am_status am_image_give_numbers(am_image_run *run, const char *name, int64_t rows, int64_t columns,
                                const int64_t *numbers) AM_NODISCARD;

/* Outputs [images, 2]: the heights and widths that images had before anything was done. */
am_status am_image_give_sizes(am_image_run *run, const char *name) AM_NODISCARD;

/* get_optimal_tiled_canvas of InternVL and GOT-OCR2: of all grids of `least` to `most` tiles the one whose aspect ratio
   is nearest, larger ones for pictures that have the pixels. Rows and columns as height and width. */
am_plane_size am_tile_grid_of_ratio(am_plane_size in, am_plane_size tile, int64_t least, int64_t most);

/* The same, of grids that have at most `side` rows and columns. */
am_plane_size am_tile_grid_within(am_plane_size in, am_plane_size tile, int64_t least, int64_t most, int64_t side);

/* get_patch_output_size: the largest size of the picture's aspect ratio that lies inside `target`. */
am_plane_size am_tile_fit(am_plane_size in, am_plane_size target);

/* select_best_resolution among the pairs [height, width] of a setting: what keeps most pixels and wastes fewest. */
am_status am_tile_best_resolution(const am_image_processor *processor, const char *key, am_plane_size in,
                                  am_plane_size *out) AM_NODISCARD;

/* Resizes to inside the best resolution of that setting, pads around to it, and appends square tiles of `side`. */
am_status am_tiles_cut_resolution(am_tiles *tiles, const am_image_processor *processor, const char *key,
                                  const am_picture *picture, int64_t side) AM_NODISCARD;

#endif
