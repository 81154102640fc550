/* Images and videos of any size as patches in one row, and what is known of them: how many in time, height and width.
 */
#ifndef AM_MODELS_BLOCKS_GRIDS_H
#define AM_MODELS_BLOCKS_GRIDS_H

#include "models/blocks/rotary.h"

typedef struct am_grid {
    int64_t t, h, w; /* patches */
} am_grid;

typedef struct am_grids {
    const am_grid *items; /* in the builder's arena */
    int count;
    int64_t patches, merge; /* of all; squares of merge x merge patches become one token of the text */
} am_grids;

/* The shaping input NAME: [count, 3], 0 of them where it is not given. Sides that are no multiples of merge are an
   error. */
am_grids am_grids_read(am_builder *b, const char *name, int64_t merge);

/* Each frame of videos as a grid of its own. */
am_grids am_grid_frames(am_builder *b, const am_grids *grids);

/* Every `frames` frames of a grid as one; an error where they are none. */
am_grids am_grids_shortened(am_builder *b, const am_grids *grids, int64_t frames);

/* Patches of a grid stand square by square: I32 height and width of each. order: null, or the squares' own order. */
typedef struct am_patch_places {
    int32_t *height, *width; /* [patches] */
} am_patch_places;

am_patch_places am_grid_places(am_builder *b, const am_grids *grids, const int64_t *order);

/* Where each patch stands between -1 and 1 of its picture, across and down, as am_grid_sample takes it: F32 [1,
   patches, 1, 2]. */
am_value am_grid_relative_places(am_builder *b, const am_grids *grids, const am_patch_places *places);

typedef enum am_grid_rope_kind {
    AM_GRID_ROPE_SAME,     /* height and width turn by the same frequencies, those of half a head (Qwen2-VL) */
    AM_GRID_ROPE_ALTERNATE /* of a head's frequencies every other one is of height, the rest of width (Pixtral) */
} am_grid_rope_kind;

/* Rotary tables of patches by height in the first half of a head's pairs and by width in the second: [1, patches,
   head_dim / 2]. */
am_rope am_grid_rope(am_builder *b, const am_patch_places *places, int64_t patches, int64_t head_dim, double theta,
                     am_grid_rope_kind kind);

/* Parts of a row of N tokens, of these lengths one behind the other, that attend to themselves only. */
typedef struct am_segments {
    int64_t count, longest;
    bool equal;
    am_value spread; /* I32 [count * longest]: the token at each place of the parts made equally long */
    am_value mask;   /* BOOL [count, 1, 1, longest]: which places are no padding */
    am_value gather; /* I32 [N]: the place of each token */
} am_segments;

am_segments am_segments_make(am_builder *b, const int64_t *lengths, int64_t count);

/* Attention within parts of heads q, k, v: [1, N, H, D] -> [1, N, H * D]. */
am_value am_segments_attend(am_builder *b, const am_segments *segments, const am_value qkv[3], int64_t heads);

/* Places of the tokens of a text with images and videos in time, height and width: I32 [3, B, T]: text counts on by
   one, an image stands at the same time, its rows and columns count from there, and the text behind goes on after the
   larger of them; delta: I32 [B, 1], how much further than the number of tokens that is. Padding stands at 0. */
typedef struct am_place_inputs {
    am_value types;    /* I32 [B, T]: 0 text, 1 image, 2 video */
    am_value attended; /* BOOL [B, T] or AM_NONE */
    am_grids images, videos;
    int64_t tokens_per_second; /* of videos: places of time between two frames of a second; 0: 1 between any two */
    am_value seconds;          /* F32 [videos]: between two frames; AM_NONE: 1 */
    bool time_counts;          /* a second lies between two frames of images, too, and text goes on after the largest
                                  place, be it of time */
    bool exact_times;          /* places of time are not rounded down: all places and delta are F32 */
} am_place_inputs;

am_value am_text_places(am_builder *b, const am_place_inputs *inputs, am_value *delta);

#endif
