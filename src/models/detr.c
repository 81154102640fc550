/* DETR: a convolutional backbone, an encoder over the pixels of its coarsest map, and a decoder whose queries each find
   one object, its class and its box; with a head for masks. transformers: models/detr/modeling_detr.py */
#include "models/blocks/detr.h"

static const am_architecture architectures[] = {
    {"DetrModel", am_detr_model, NULL, 0},
    {"DetrForObjectDetection", am_detr_for_object_detection, "object-detection", 0},
    {"DetrForSegmentation", am_detr_for_segmentation, "image-segmentation", 0},
    {0},
};

static const am_detr_family family = {.prefix = "detr",
                                      .positions = "position_embedding",
                                      .num_queries = 100,
                                      .has_empty_class = true,
                                      .takes_embeddings = true};

const am_model_type am_model_detr = {
    .name = "detr", .base_prefix = "model", .architectures = architectures, .family = &family};
