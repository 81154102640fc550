/* Attention that reads maps of several resolutions at a few places which it chooses itself, around a point or within a
   box (Deformable DETR, arXiv 2010.04159), and what surrounds it: the maps' tokens in one row, where they stand, and
   boxes that are proposed for each. */
#ifndef AM_MODELS_BLOCKS_DEFORMABLE_H
#define AM_MODELS_BLOCKS_DEFORMABLE_H

#include "models/blocks/detr.h"
#include "models/blocks/sine_positions.h"

enum { AM_LEVELS_LIMIT = 16, AM_PYRAMID_GROUPS = 32 };

/* Maps whose tokens stand in one row, level by level. */
typedef struct am_levels {
    int count;
    int64_t heights[AM_LEVELS_LIMIT], widths[AM_LEVELS_LIMIT], tokens;
    am_value attended; /* F32 [B, tokens] of 0 and 1; AM_NONE: all */
    am_value ratios;   /* F32 [B, count, 2]: how much of width and height is no padding; AM_NONE: all */
} am_levels;

/* Levels of maps: [B, C, h, w]; masks: F32 [B, h, w] of each, or null. */
am_levels am_levels_of(am_builder *b, const am_value *maps, const am_value *masks, int count);

/* The maps' tokens in one row: [B, tokens, C]. */
am_value am_levels_flatten(am_builder *b, const am_value *maps, int count);

/* Tokens [B, tokens, C] as maps [B, C, h, w]. */
void am_levels_split(am_builder *b, const am_levels *levels, am_value tokens, am_value *out_maps);

/* An image as encoders read it: its maps in one width, by a convolution PROJECTIONS.i.0 and a norm of AM_PYRAMID_GROUPS
   groups, and coarser ones made of the last. */
typedef struct am_pyramid_options {
    int64_t C;
    int levels;
    const char *projections, *learned; /* learned: scope of learned places; null: waves by `sine` */
    am_sine_options sine;
} am_pyramid_options;

typedef struct am_pyramid {
    am_levels levels;
    am_value tokens, places; /* [B, S, C], [B or 1, S, C] with what the weight level_embed adds */
} am_pyramid;

/* Of the backbone below backbone.conv_encoder.model and the input pixel_mask. */
am_pyramid am_read_pyramid(am_builder *b, const am_pyramid_options *options);

/* The middle of each token in each level, as shares of width and height: [B or 1, tokens, count or 1, 2]. */
am_value am_level_points(am_builder *b, const am_levels *levels);

/* Points or boxes [B, Q, n] in each level: [B, Q, count or 1, n]. */
am_value am_points_in_levels(am_builder *b, const am_levels *levels, am_value points);

typedef struct am_deformable_options {
    int64_t heads, points[AM_LEVELS_LIMIT]; /* places a level */
    double offset_scale;                    /* of a box's sides; 0: 1 / 2 */
    const char *point_scale; /* weight that says how much of a side each place's offset is; null: 1 / points */
    bool no_projections;     /* of values and of what is read (D-FINE) */
    bool is_discrete;        /* the nearest pixel is read (RT-DETR's second version) */
} am_deformable_options;

/* So many heads, and as many places in each of `levels` as the field `points` says, 4 where it is absent. */
am_deformable_options am_deformable_options_read(const am_config *c, int64_t heads, const char *points, int64_t levels);

/* What queries x: [B, Q, C] read of tokens: [B, tokens, C] around reference: [B or 1, Q, count or 1, 2 or 4], below the
   scope NAME: [B, Q, C]. */
am_value am_deformable_attend(am_builder *b, const char *name, am_value x, am_value tokens, am_value reference,
                              const am_levels *levels, const am_deformable_options *options);

/* A box for each token, sides growing from level to level, as shares of what is no padding: [B or 1, tokens, 4];
 *out_valid, BOOL [B or 1, tokens, 1], is false where it is beyond or too near to the border, or padding. */
am_value am_level_boxes(am_builder *b, const am_levels *levels, am_value *out_valid);

/* The same boxes as logits, infinite where *out_valid is false. */
am_value am_level_proposals(am_builder *b, const am_levels *levels, am_value *out_valid);

/* Rows of x: [B, S, C] at rows: I32 [B, k]: [B, k, C]. */
am_value am_take_rows(am_builder *b, am_value x, am_value rows);

/* Places of the k largest of scores: [B, S], I32 [B, k], best first; fails where there are less. */
am_value am_best_rows(am_builder *b, am_value scores, int64_t k);

/* Opens the scope of head i of a class's list NAME, "model.decoder.NAME.i" or "NAME.i", which may be tied to that of
   the other list or to the first one: the first that has the weight. */
void am_open_tied_head(am_builder *b, const char *name, int64_t i, const char *weight, bool is_of_decoder);

#endif
