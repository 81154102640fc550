/* The neck of dense prediction transformers (DPT, arXiv 2103.13413): tokens of several layers of a vision transformer
   become maps of different sizes, which are fused from the coarsest to the finest. */
#ifndef AM_MODELS_BLOCKS_DPT_NECK_H
#define AM_MODELS_BLOCKS_DPT_NECK_H

#include "models/blocks/feature_maps.h"

typedef enum am_readout { AM_READOUT_IGNORE, AM_READOUT_ADD, AM_READOUT_PROJECT } am_readout;

typedef struct am_dpt_neck {
    int count; /* of stages */
    int64_t hidden_sizes[AM_STAGES_LIMIT], fusion_hidden_size, head_in_index;
    double factors[AM_STAGES_LIMIT]; /* by which maps are resized */
    am_readout readout;              /* what becomes of the class token */
    am_unary_fn hidden_act;          /* after its projection */
    bool takes_maps;                 /* stages are maps, and nothing is made of tokens */
    int ready;                       /* the first stages are maps (DPT-Hybrid) */
    bool norms, no_bias;             /* batch norms follow the fusion's convolutions; these have no bias */
    double norm_eps;
    bool sized;      /* a fused map has the size of the next one, instead of twice its own */
    am_value prompt; /* F32 [B, 1, h, w], seen by every fusion; AM_NONE: none */
} am_dpt_neck;

/* neck_hidden_sizes, reassemble_factors, fusion_hidden_size and head_in_index. */
am_dpt_neck am_dpt_neck_read(const am_config *c, int64_t fusion_hidden_size, const int64_t default_sizes[4]);

/* readout_type, use_batch_norm_in_fusion_residual and use_bias_in_fusion_residual of DPT and ZoeDepth. */
void am_dpt_neck_read_more(const am_config *c, am_dpt_neck *neck);

/* What goes into the fusion: stages, tokens [B, 1 + height * width, C'] or maps, below the scope "neck": out receives
   [B, fusion_hidden_size, h, w] of each. */
void am_dpt_reassemble(am_builder *b, const am_dpt_neck *neck, const am_value *stages, int64_t height, int64_t width,
                       am_value *out);

/* Fused maps below the scope "neck": out[i] is of the i-th coarsest, [B, fusion_hidden_size, h, w]. */
void am_dpt_fuse(am_builder *b, const am_dpt_neck *neck, const am_value *maps, am_value *out);

/* x and two convolutions of it below the scope NAME, each behind a ReLU, in fusion_hidden_size channels. */
am_value am_dpt_residual_layer(am_builder *b, const am_dpt_neck *neck, const char *name, am_value x);

/* The fused map that head_in_index names. */
am_value am_dpt_head_map(const am_dpt_neck *neck, const am_value *fused);

/* x: [B, C, H, W] -> [B, C, height, width], linear between the corners. */
am_value am_resize_corners(am_builder *b, am_value x, int64_t height, int64_t width);

/* Convolution NAME, biased, of a kernel of `side` places with as much padding as keeps the size. */
am_value am_same_conv(am_builder *b, const char *name, am_value x, int64_t out, int64_t side);

#endif
