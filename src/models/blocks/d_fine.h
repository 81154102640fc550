/* D-FINE: RT-DETR whose boxes are sides at distances from a first box, each a distribution over bins that layers
   refine; how sharp it is says how good the box is. DEIMv2 has other layers. transformers:
   models/d_fine/modeling_d_fine.py */
#ifndef AM_MODELS_BLOCKS_D_FINE_H
#define AM_MODELS_BLOCKS_D_FINE_H

#include "models/blocks/rt_detr.h"

/* What a member other than D-FINE carries as its family; query_pos_head is one linear deeper than D-FINE's. */
typedef struct am_fine_family {
    void (*adapt)(const am_config *c, am_rt_detr_options *options);
    /* One layer of the decoder, below its scope: x, places: [B, Q, C], reference: [B, Q, 4] -> [B, Q, C]. */
    am_value (*layer)(am_builder *b, const am_rt_detr_options *options, const am_rt_detr_start *start, am_value x,
                      am_value places, am_value reference);
} am_fine_family;

/* Builders for the rows of a member's table. */
void am_fine_model(am_builder *b);
void am_fine_for_object_detection(am_builder *b);

#endif
