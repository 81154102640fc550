/* ColPali: a vector of every token of a PaliGemma. transformers: models/colpali/modeling_colpali.py */
#include "models/blocks/late_interaction.h"

static void for_retrieval(am_builder *b)
{
    am_part_outputs outputs = am_late_interaction(b, "paligemma", NULL, 0, false);
    am_value images = am_part_output(&outputs, "image_hidden_states");
    if (images.id) am_output(b, "image_hidden_states", images);
}

static const am_architecture architectures[] = {
    {"ColPaliForRetrieval", for_retrieval, NULL, 0},
    {0},
};

const am_model_type am_model_colpali = {.name = "colpali", .base_prefix = "vlm", .architectures = architectures};
