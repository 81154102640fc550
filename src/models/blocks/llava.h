/* LLaVA's line: states of a tower's layer through two linear layers; and images of any size as tiles, beside a small
   picture of the whole. */
#ifndef AM_MODELS_BLOCKS_LLAVA_H
#define AM_MODELS_BLOCKS_LLAVA_H

#include "models/blocks/vision_language.h"

/* What absent fields stand for. */
typedef struct am_llava_defaults {
    const char *tower_type;
    int feature_layer;           /* vision_feature_layer */
    const char *select_strategy; /* vision_feature_select_strategy */
    const int64_t (*pinpoints)[2];
    int pinpoint_count;  /* image_grid_pinpoints: heights and widths */
    bool limits_patches; /* vision_aspect_ratio "anyres_max_N": more patches than N tiles have are resized to fewer */
} am_llava_defaults;

/* The two linear layers of multi_modal_projector: x: [.., C'] -> [.., C]. */
am_value am_llava_project(am_builder *b, am_value x);

/* Rows of the text for pixel_values: [N, channels, height, width] (AM_NONE: the input) -> [N, P, C]. */
am_value am_llava_rows(am_builder *b, am_value pixel_values, const am_llava_defaults *defaults);

/* The same of the inputs pixel_values: [images, tiles, channels, height, width] and image_sizes, a shaping input: each
   image's picture of the whole, then the rows of its tiles' patches without what was padded, image_newline behind each:
   [rows, C]. Images of texts that show several (batch_num_images) are not tiled. */
am_value am_anyres_rows(am_builder *b, const am_llava_defaults *defaults);

/* The images of these inputs, tile by tile, for a member whose projectors are its own. */
typedef struct am_anyres_images am_anyres_images;

/* The tiles of all images that are there: [N, channels, height, width]; *out is in the builder's arena, null after an
   error. */
am_value am_anyres_tiles(am_builder *b, const am_llava_defaults *defaults, am_anyres_images **out);

/* Rows of each image, of which there are as many as given, of tiles x: [N, side * side, C]; out has room for
   am_anyres_count of them, each [rows, C]. */
int am_anyres_count(const am_anyres_images *images);
void am_anyres_pack(am_builder *b, const am_anyres_images *images, am_value x, int64_t side, am_value *out);

/* Inputs whose numbers decide shapes: image_sizes and batch_num_images. */
extern const am_shaping_input am_anyres_shaping_inputs[];

#endif
