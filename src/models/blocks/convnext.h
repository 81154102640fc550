/* ConvNeXt and its second version: patches by convolution, then stages of layers: depthwise convolution 7 x 7, norm,
   two linears over the channels of each position, add; stages after the first halve the image. transformers:
   models/convnext/modeling_convnext.py, models/convnextv2/modeling_convnextv2.py */
#ifndef AM_MODELS_BLOCKS_CONVNEXT_H
#define AM_MODELS_BLOCKS_CONVNEXT_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_convnext_family {
    const char *prefix;   /* of the body in classes with heads: "convnext" */
    bool norms_responses; /* of a layer's channels against each other, between its linears */
    bool scales;          /* what a layer adds, by a factor for each channel, unless layer_scale_init_value is 0 */
} am_convnext_family;

/* What files call the weights of a layer. */
typedef struct am_convnext_names {
    const char *depthwise, *norm, *up, *down, *scale;
} am_convnext_names;

typedef struct am_convnext_layer_options {
    const am_convnext_names *names;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool norms_responses, scales;
} am_convnext_layer_options;

/* A layer below its scope: x: [B, C, H, W] -> [B, C, H, W]. */
am_value am_convnext_layer(am_builder *b, am_value x, const am_convnext_layer_options *options);

/* Builders for the rows of a member's table. */
void am_convnext_model(am_builder *b);
void am_convnext_for_image_classification(am_builder *b);
void am_convnext_backbone(am_builder *b);

#endif
