/* Table Transformer: DETR whose layers norm what their parts take. transformers:
   models/table_transformer/modeling_table_transformer.py */
#include "models/blocks/detr.h"

static const am_architecture architectures[] = {
    {"TableTransformerModel", am_detr_model, NULL, 0},
    {"TableTransformerForObjectDetection", am_detr_for_object_detection, "object-detection", 0},
    {0},
};

static const am_detr_family family = {
    .positions = "backbone.position_embedding", .pre_norm = true, .num_queries = 100, .has_empty_class = true};

const am_model_type am_model_table_transformer = {
    .name = "table-transformer", .base_prefix = "model", .architectures = architectures, .family = &family};
