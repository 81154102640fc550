/* Pictures as lists of patches, in the orders that vision models without a fixed size take them. */
#ifndef AM_MEDIA_IMAGES_PATCHES_H
#define AM_MEDIA_IMAGES_PATCHES_H

#include "media/images/processor.h"

/* What is inside a patch, outermost first. */
typedef enum am_patch_layout {
    AM_PATCH_CHANNEL_TIME, /* [channels, times, height, width] */
    AM_PATCH_TIME_CHANNEL, /* [times, channels, height, width] */
    AM_PATCH_PIXELS        /* [height, width, channels, times] */
} am_patch_layout;

typedef struct am_patching {
    am_plane_size patch; /* pixels */
    int64_t merge;       /* patches come in blocks of merge x merge; 1: row by row */
    int64_t times;       /* the picture repeated along time */
    am_patch_layout layout;
} am_patching;

/* Fails with AM_INVALID_ARGUMENT where sides are not multiples of the patch's times `merge`. */
am_status am_patches_check(const am_picture *picture, am_plane_size patch, int64_t merge) AM_NODISCARD;

/* How many values the patches of a picture of `channels` have each. */
int64_t am_patch_values(const am_patching *patching, int64_t channels);

/* Copies all patches of a picture of floats, which am_patches_check has passed, to `out`; returns its end. */
float *am_patches_put(const am_picture *picture, const am_patching *patching, float *out);

/* get_image_size_for_max_num_patches of SigLIP2: the largest size of whole patches that has at most this many, the
   aspect ratio about the same. */
am_plane_size am_patches_fit(am_plane_size in, int64_t patch, int64_t max_patches);

/* Outputs pixel_values [count, most, values] of pictures of floats, those with fewer patches filled with 0, and with
   `masks` pixel_attention_mask (i32 [count, most]) and spatial_shapes (i64 [count, 2]). Fails with AM_INVALID_ARGUMENT
   where one has more than `most` patches, unless all have the same number. */
am_status am_patches_give_padded(am_image_run *run, const am_picture *pictures, int64_t count,
                                 const am_patching *patching, int64_t most, bool masks) AM_NODISCARD;

/* Rows and columns of windows of `pool` patches that cover `size` patches. */
am_plane_size am_pooled_size(am_plane_size size, am_plane_size pool);

/* Where patch k of window i lies, the windows in the middle of the patches; false: outside. */
bool am_pooled_patch(am_plane_size size, am_plane_size pool, int64_t i, int64_t k, int64_t *row, int64_t *column);

#endif
