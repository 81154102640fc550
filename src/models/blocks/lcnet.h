/* What the three PP-LCNets share: stages of layers that block_configs lists, each of which convolves the places of
   every channel by itself, may squeeze and excite, and then mixes the channels. transformers:
   models/pp_lcnet/modeling_pp_lcnet.py and its younger kin */
#ifndef AM_MODELS_BLOCKS_LCNET_H
#define AM_MODELS_BLOCKS_LCNET_H

#include "models/blocks/affine.h"
#include "models/blocks/vision.h"

enum { AM_LCNET_LAYERS = 64 };

typedef struct am_lcnet_layer {
    int64_t kernel, in, out, stride[2];
    bool pair; /* the stride is given as two numbers */
    bool squeezes;
} am_lcnet_layer;

typedef struct am_lcnet am_lcnet;

struct am_lcnet {
    int stages, depths[AM_STAGES_LIMIT];
    am_lcnet_layer layers[AM_STAGES_LIMIT][AM_LCNET_LAYERS];
    int64_t reduction, stem_channels, stem_stride, branches;
    am_unary_fn hidden_act;
    am_affine_stem stem; /* of the third version */
    bool is_large;
    const char *list; /* of a stage's layers: "layers" */

    /* The image's map, and a layer below its scope. */
    am_value (*embed)(am_builder *b, am_value x, const am_lcnet *net);
    am_value (*layer)(am_builder *b, am_value x, const am_lcnet *net, const am_lcnet_layer *layer);
};

/* block_configs, whose widths the fields scale and divisor turn where `scales`; `defaults` has the stages that an
   absent field stands for; reduction and hidden_act. */
void am_lcnet_read(const am_config *c, const am_lcnet *defaults, bool scales, am_lcnet *out);

/* The map of the last stage: [B, C, H, W]; states, 1 + stages of them, or null. */
am_value am_lcnet_body(am_builder *b, const am_lcnet *net, am_value *states);

/* Outputs the feature maps that the configuration asks for. */
void am_lcnet_backbone(am_builder *b, const am_lcnet *net);

#endif
