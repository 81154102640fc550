/* RT-DETR's encoder (arXiv 2304.08069): attention within the coarsest maps only, then convolutions that bring what
   coarse maps hold to finer ones, and back. */
#ifndef AM_MODELS_BLOCKS_HYBRID_ENCODER_H
#define AM_MODELS_BLOCKS_HYBRID_ENCODER_H

#include "models/blocks/deformable.h"

typedef struct am_hybrid_options {
    int count;                         /* of maps */
    int64_t C;                         /* of all maps */
    int64_t attended[AM_LEVELS_LIMIT]; /* which of them have attention, from 0 */
    int attended_count;
    const char *attention, *attention_out; /* scope of a map's attention, with its number; null: "encoder", and the
                                              projection "out_proj" */
    int64_t layers, heads, inner;          /* of the attention */
    double temperature;                    /* of places; 0: there are none */
    bool counts_height;                    /* rows of places are as long as the map is high (OmDet-Turbo) */
    bool bare_names;                       /* of the projections of attention: see am_detr_attention */
    am_unary_fn attention_act, act;        /* of the mlp; of convolutions */
    am_unary_fn between_act;               /* of those between maps; AM_IDENTITY: act */
    bool normalize_before;
    double layer_norm_eps, batch_norm_eps, expansion;
    bool is_fine;          /* D-FINE's convolutions */
    int64_t rep_count;     /* of blocks in one of its parts */
    bool is_simple;        /* DEIMv2's of these, which have no convolutions between their parts */
    bool trails;           /* these end with a convolution */
    bool sums;             /* maps are added, and not put side by side */
    const char *up, *down; /* linears of the mlp; null: fc1, fc2 */
} am_hybrid_options;

/* Reads the list `key` of the maps that have attention, numbers below 0 being from behind, into options that know their
   count; where it is absent, map 2. An error names one that is none of them. */
void am_hybrid_read_attended(const am_config *c, const char *key, am_hybrid_options *options);

/* act(NAME.norm(NAME.conv(x))), the convolution without bias: [B, C', h, w] -> [B, out, h / stride, w / stride]. */
am_value am_hybrid_conv(am_builder *b, const am_hybrid_options *options, const char *name, am_value x, int64_t out,
                        int64_t kernel, int64_t stride, am_unary_fn act);

/* Two CSP layers that see one another's half, and all of it joined: x: [B, C, h, w] -> the same, below the scope. */
am_value am_hybrid_simple_elan(am_builder *b, const am_hybrid_options *options, am_value x);

/* maps: [B, C, h, w], the finest first, below the scope; out receives as many. states: null, or receives what attention
   took and gave. */
void am_hybrid_encode(am_builder *b, const am_hybrid_options *options, const am_value *maps, am_value *out,
                      am_states *states);

#endif
