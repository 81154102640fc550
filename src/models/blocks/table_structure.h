/* SLANet's head: a recurrent cell reads the map of a table, place by place as it attends to them, and writes the tags
   of its structure one after the other, until every row of the batch has the last tag of all. transformers:
   models/slanet/modeling_slanet.py, models/slanext/modeling_slanext.py */
#ifndef AM_MODELS_BLOCKS_TABLE_STRUCTURE_H
#define AM_MODELS_BLOCKS_TABLE_STRUCTURE_H

#include "models/model.h"

/* What a member's descriptor carries as its family. */
typedef struct am_table_family {
    /* Tokens of the image that the class calls `pixels`: [B, T, C], below the scope of the backbone; names its hidden
       states. */
    am_value (*backbone)(am_builder *b, const char *pixels);
    int64_t width, hidden_size; /* what absent post_conv_out_channels and hidden_size stand for */
} am_table_family;

/* Builders for the rows of a member's table; the last two measure. */
void am_table_backbone(am_builder *b);
void am_table_head(am_builder *b);
void am_table_recognition(am_builder *b);

#endif
