/* LW-DETR (arXiv 2406.03459) and RF-DETR: maps of a vision transformer through a projector, a box for each of their
   tokens, and a decoder whose queries are parameters that begin at the best of these boxes. Groups of queries beyond
   the first are for training. transformers: models/lw_detr/modeling_lw_detr.py, models/rf_detr/modeling_rf_detr.py */
#ifndef AM_MODELS_BLOCKS_GROUP_DETR_H
#define AM_MODELS_BLOCKS_GROUP_DETR_H

#include "models/blocks/deformable.h"

/* What a member calls its weights. */
typedef struct am_group_names {
    const char *reference; /* boxes of queries, "reference_point_embed.weight" */
    const char *proposals; /* scope of the heads of proposals; "" */
    const char *decoder;   /* "decoder" */
    const char *norms[3];  /* of a layer: after attention, after reading maps, after the mlp */
    const char *last_norm, *fc1, *fc2;
    bool fused;                              /* projections of queries, keys and values are one */
    const char *conv1, *conv2, *bottlenecks; /* of the projector's layer */
    const char *norm;                        /* beside a convolution "conv" */
} am_group_names;

typedef struct am_group_options {
    const am_group_names *names;
    int64_t C, num_queries, labels, layers, heads, head_dim, inner, groups;
    am_deformable_options attention;
    am_unary_fn act, projector_act;
    bool attention_bias;
    int64_t blocks;   /* of the projector's layer */
    double expansion; /* of its width */
    double norm_eps;  /* of norms beside convolutions */
    bool layer_norms; /* these are LayerNorms, else batch norms */
} am_group_options;

typedef struct am_group_result {
    am_levels levels;
    am_value tokens;         /* [B, S, C] */
    am_value objects, boxes; /* the best tokens and their boxes: [B, Q, C], [B, Q, 4] */
    am_value reference;      /* what queries begin with: [B, Q, 4] */
    am_value x;              /* [B, Q, C] */
    am_states states, intermediate;
} am_group_result;

/* What both members have, for `levels` maps. */
am_group_options am_group_read(am_builder *b, const am_group_names *names, int64_t levels);

/* activation(norm(conv(x))) below the scope NAME. */
am_value am_group_conv(am_builder *b, const am_group_options *options, const char *name, am_value x, int64_t out,
                       int64_t kernel, int64_t stride, am_unary_fn act);

/* The projector's layer below the scope: convolutions whose every result is kept: [B, C', h, w] -> [B, C, h, w]. */
am_value am_group_project(am_builder *b, const am_group_options *options, am_value x);

/* The model over maps: [B, C, h, w], below its scope. */
am_group_result am_group_run(am_builder *b, const am_group_options *options, const am_value *maps, int count);

/* Boxes moved and scaled by deltas: [B, Q, 4] each. */
am_value am_refine_boxes(am_builder *b, am_value boxes, am_value deltas);

/* Logits and boxes by the heads class_embed and bbox_embed. */
void am_group_output_detections(am_builder *b, const am_group_options *options, const am_group_result *r);

/* Classes of the objects by the first group's head, below the model's scope. */
am_value am_group_object_logits(am_builder *b, const am_group_options *options, const am_group_result *r);

/* Outputs init_reference_points, last_hidden_state, intermediate_hidden_states and intermediate_reference_points. */
void am_group_output_decoded(am_builder *b, const am_group_result *r);

#endif
