/* Queries that each find one segment of an image: what it shows and, by a product with every pixel's vector, where it
   lies (MaskFormer, arXiv 2107.06278); and decoders whose queries look only there, at maps of three resolutions in turn
   (Mask2Former, arXiv 2112.01527). transformers: models/mask2former/modeling_mask2former.py,
   models/oneformer/modeling_oneformer.py */
#ifndef AM_MODELS_BLOCKS_MASKED_QUERIES_H
#define AM_MODELS_BLOCKS_MASKED_QUERIES_H

#include "models/blocks/deformable.h"

enum { AM_PIXEL_LEVELS = 3 };

/* Queries [B, Q, C] times pixels [B, C, H, W]: [B, Q, H, W]. */
am_value am_query_masks(am_builder *b, am_value queries, am_value pixels);

/* Places of a map's pixels as waves of C numbers: map: [B, .., h, w] -> [1, h * w, C]. */
am_value am_map_places(am_builder *b, am_value map, int64_t C);

/* --- pixels --- */

typedef struct am_pixel_options {
    int64_t C, mask_channels, heads, inner, layers;
    int64_t fine_levels; /* how many of the finest maps are added to what the encoder gives */
    double layer_norm_eps;
} am_pixel_options;

/* How often the finest of the three coarsest maps doubles before it has common_stride: from that field and from the
   list `strides` of the backbone's maps. */
int64_t am_fine_levels_read(const am_config *c, const char *strides);

typedef struct am_pixels {
    am_feature_maps found;
    am_value maps[AM_PIXEL_LEVELS]; /* [B, C, h, w], the coarsest first */
    am_value vectors;               /* [B, mask_channels, H, W] */
} am_pixels;

/* The backbone "encoder" and the deformable encoder "decoder" below pixel_level_module. */
am_pixels am_read_pixels(am_builder *b, const am_pixel_options *options);

/* --- decoders --- */

/* What a member calls the weights of a layer; the norms are of the scopes of what they belong to. */
typedef struct am_masked_names {
    const char *cross, *cross_norm, *self, *self_norm, *up, *down, *last_norm;
    const char *norm, *masks; /* below the decoder: of what predicts, of masks' vectors */
} am_masked_names;

typedef struct am_masked_options {
    const am_masked_names *names;
    int64_t C, mask_channels, heads, inner, layers;
    am_unary_fn activation;
    bool pre_norm;
    bool projects; /* maps pass a convolution input_projections.i each */
    double layer_norm_eps;
} am_masked_options;

typedef struct am_masked_decoding {
    am_value queries, query_places;                              /* [B, Q, C] */
    am_value features[AM_PIXEL_LEVELS], places[AM_PIXEL_LEVELS]; /* [B or 1, h * w, C] */
    int64_t heights[AM_PIXEL_LEVELS], widths[AM_PIXEL_LEVELS];   /* of those maps */
    am_value pixels;                                             /* [B, mask_channels, H, W] */
    am_states states, normed, masks;                             /* given back: layers + 1 of each */
} am_masked_decoding;

/* The maps of pixels with the embedding of their level, which `level_embed` below the scope has, as the decoder reads
   them. */
void am_masked_read(am_builder *b, const am_masked_options *options, const am_pixels *pixels, am_masked_decoding *d);

/* Layers below the scope; gives what comes out of the last: [B, Q, C]. */
am_value am_masked_decode(am_builder *b, const am_masked_options *options, am_masked_decoding *d);

/* Outputs NAME.i.class_queries_logits and NAME.i.masks_queries_logits of all layers but the last. */
void am_output_early_masks(am_builder *b, const char *name, const am_states *classes, const am_states *masks);

#endif
