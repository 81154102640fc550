/* MiniCPM-V and MiniCPM-OCR: the whole picture and slices of it, as columns of patches one after another. */
#ifndef AM_MEDIA_IMAGES_SLICING_H
#define AM_MEDIA_IMAGES_SLICING_H

#include "media/images/tiles.h"

typedef struct am_slicing {
    int64_t most, resolution, patch, unit; /* unit: what sides are multiples of */
    bool slices, upsizes;
} am_slicing;

/* Settings max_slice_nums, scale_resolution, patch_size, slice_mode, downsample_mode and small_image_upsize. */
am_status am_slicing_read(const am_image_processor *processor, am_slicing *out) AM_NODISCARD;

/* get_sliced_grid: rows and columns of slices that suit a picture; 0 by 0: none. */
am_plane_size am_slicing_grid(const am_slicing *slicing, am_plane_size in);

/* Appends the picture and its slices, rescaled and normalized floats; *out_grid is their rows and columns, 0: none. */
am_status am_slicing_cut(const am_image_processor *processor, const am_slicing *slicing, const am_picture *picture,
                         am_tiles *out, am_plane_size *out_grid) AM_NODISCARD;

/* Outputs `name` [1, 3, patch, columns], the patches of all tiles side by side, and `sizes`, i32 [tiles, 2], their rows
   and columns of patches. */
am_status am_slicing_give(am_image_run *run, const am_tiles *tiles, const am_slicing *slicing, const char *name,
                          const char *sizes) AM_NODISCARD;

#endif
