/* Sizes of pictures and frames that keep their shape within a budget of pixels, tokens or patches. */
#ifndef AM_MEDIA_IMAGES_BUDGETS_H
#define AM_MEDIA_IMAGES_BUDGETS_H

#include "media/images/processor.h"

typedef struct am_pixel_budget {
    int64_t unit;                 /* sides become multiples of it */
    int64_t frames, whole_frames; /* as many as there are; rounded to what the model takes at once */
    double least, most;           /* pixels of all frames together */
} am_pixel_budget;

/* smart_resize of GLM-4V and Qwen3-VL: what is smaller than a unit is enlarged first. Fails with AM_INVALID_ARGUMENT
   for pictures 200 times as long as wide. */
am_status am_fit_frames(am_plane_size in, const am_pixel_budget *budget, am_plane_size *out) AM_NODISCARD;

/* GLM-5: the picture is not stretched but resized to *content and padded to *padded. Fails with AM_INVALID_ARGUMENT
   where the budget is too small for one unit. */
am_status am_fit_padded(am_plane_size in, const am_pixel_budget *budget, am_plane_size *content,
                        am_plane_size *padded) AM_NODISCARD;

/* navit_resize of Kimi: never enlarged, at most max_patches patches and size.max_height along a side, then padded to
   multiples of `unit`. Fails with AM_INVALID_FILE where the settings do not say so. */
am_status am_fit_navit(const am_image_processor *processor, int64_t patch, int64_t unit, am_plane_size in,
                       am_plane_size *content, am_plane_size *padded) AM_NODISCARD;

/* smart_resize of Muse: whole blocks, at most so many, whose aspect ratio is nearest to the picture's. */
am_plane_size am_fit_blocks(am_plane_size in, int64_t block, int64_t max_blocks);

/* get_aspect_ratio_preserving_size of Gemma 4. */
typedef struct am_soft_tokens {
    int64_t patch, tokens, pool; /* pixels; at most so many tokens, each of pool x pool patches */
} am_soft_tokens;

/* Settings patch_size, pooling_kernel_size and max_soft_tokens, which may be 70, 140, 280, 560 or 1120. */
am_status am_soft_tokens_read(const am_image_processor *processor, am_soft_tokens *out) AM_NODISCARD;

/* Fails with AM_INVALID_ARGUMENT where nothing would be left, or too much. */
am_status am_fit_soft_tokens(am_plane_size in, const am_soft_tokens *soft, am_plane_size *out) AM_NODISCARD;

/* Columns and rows of the patches of `unit` pixels, out: [most, 2], -1 beyond them. */
void am_soft_token_positions(const am_picture *picture, int64_t unit, int64_t most, int64_t *out);

#endif
