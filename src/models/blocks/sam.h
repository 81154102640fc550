/* Segment Anything: an image encoder of windows of patches, prompts of points, boxes and masks as tokens, and a decoder
   in which tokens and image read each other. transformers: models/sam/modeling_sam.py, models/sam_hq/modeling_sam_hq.py
 */
#ifndef AM_MODELS_BLOCKS_SAM_H
#define AM_MODELS_BLOCKS_SAM_H

#include "models/model.h"

enum { AM_SAM_STATES = 64 };

typedef struct am_sam_image {
    am_value embeddings;            /* [B, C, h, w] */
    am_value states[AM_SAM_STATES]; /* [B, h, w, C'] of layers whose attention has no windows */
    int count;
} am_sam_image;

/* What files call the weights. */
typedef struct am_sam_names {
    const char *patches, *layers, *norm_before, *norm_after, *neck[4]; /* neck: convolution, norm, convolution, norm */
} am_sam_names;

extern const am_sam_names am_sam_original_names; /* of Segment Anything's own files */

typedef struct am_sam_encoder {
    const char *scope;         /* of its weights */
    const char *hidden_states; /* their name among the outputs; null: they are none */
    const char *pixels;        /* the class's name of its images; null: "pixel_values" */
    am_value images;           /* in place of such an input, of any size: positions are resized; or AM_NONE */
    const am_sam_names *names; /* null: transformers' */
    int64_t mlp_dim;           /* what that field stands for where it is absent; 0: mlp_ratio times hidden_size */
    int64_t image_size;        /* the same; 0: 1024 */
} am_sam_encoder;

/* The image encoder of a vision configuration over the images that the class is given. */
am_sam_image am_sam_encode(am_builder *b, const am_config *c, const am_sam_encoder *options);

/* The same of Segment Anything itself. */
am_sam_image am_sam_encode_image(am_builder *b, const am_config *c, const char *scope, const char *hidden_states,
                                 int64_t mlp_dim);

/* prompt_encoder_config. */
typedef struct am_sam_prompt_options {
    int64_t hidden_size, image_size, side, mask_channels; /* side: tokens along each side of the image */
    am_unary_fn hidden_act;
    double eps;
} am_sam_prompt_options;

am_sam_prompt_options am_sam_prompt_options_read(am_builder *b);

/* places: [.., 2], x and y from 0 to 1, times random directions: [2, C / 2] -> [.., C]: sines and cosines. */
am_value am_sam_place_waves(am_builder *b, am_value directions, am_value places);

/* The same of all tokens of the image: [1, side * side, C]. */
am_value am_sam_image_places(am_builder *b, const am_sam_prompt_options *options, am_value directions);

/* Pixels' centres as parts of the image: places: [.., 2]. */
am_value am_sam_centres(am_builder *b, am_value places, const am_sam_prompt_options *options);

/* Below "mask_embed": masks: [B, 1, H, W], four times the image's tokens along each side -> [B, C, H / 4, W / 4]. */
am_value am_sam_embed_masks(am_builder *b, am_value masks, const am_sam_prompt_options *options);

/* The input input_labels of points: [B, P, n, 2], all 1 where it is not given: I32 [B, P, n]. */
am_value am_sam_point_labels(am_builder *b, am_value points);

/* x: [B, ..] as [B P, ..], each row P times. */
am_value am_sam_repeated(am_builder *b, am_value x, int64_t P);

/* What the inputs input_points, input_labels, input_boxes and input_masks say, as far as they are given. */
typedef struct am_sam_prompts {
    am_value sparse; /* [B, P, n, C], or AM_NONE */
    am_value dense;  /* [B or 1, C, h, w] */
} am_sam_prompts;

am_sam_prompts am_sam_read_prompts(am_builder *b);

/* What the decoder's transformer gives, of P prompts for each of B images. */
typedef struct am_sam_decoded {
    int64_t B, P, masks; /* mask tokens, the first of which is for one mask alone */
    am_value tokens;     /* [B P, tokens, C]: the one of scores, those of masks, the others */
    am_value upscaled;   /* [B P, C / 8, 4 h, 4 w] */
} am_sam_decoded;

/* Below "mask_decoder"; `more` is a weight of a further token of masks, or null. */
am_sam_decoded am_sam_decode(am_builder *b, am_value image, const am_sam_prompts *prompts, const char *more);

/* x: [B, C, H, W] by the transposed convolution NAME -> [B, out, 2 H, 2 W]. */
am_value am_sam_double(am_builder *b, const char *name, am_value x, int64_t out);

/* NAME.proj_in, `layers` - 2 of NAME.layers, NAME.proj_out with ReLU between: x: [.., C] -> [.., out]. */
am_value am_sam_feed_forward(am_builder *b, const char *name, am_value x, int64_t inner, int64_t out, int64_t layers);

/* What each mask token's network makes of it: [B P, masks, C / 8]. Below "mask_decoder". */
am_value am_sam_hyper(am_builder *b, const am_sam_decoded *decoded);

/* Scores of all masks: [B P, masks]. Below "mask_decoder". */
am_value am_sam_scores(am_builder *b, const am_sam_decoded *decoded);

/* weights: [B P, n, c] times maps: [B P, c, H, W] -> [B, P, n, H, W]. */
am_value am_sam_masks(am_builder *b, const am_sam_decoded *decoded, am_value weights, am_value maps);

#endif
