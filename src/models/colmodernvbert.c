/* ColModernVBERT: a vector of every token of a ModernVBERT. transformers:
   models/colmodernvbert/modeling_colmodernvbert.py */
#include "models/blocks/late_interaction.h"

static void for_retrieval(am_builder *b)
{
    am_part_outputs outputs = am_late_interaction(b, "modernvbert", NULL, 0, false);
    am_value images = am_part_output(&outputs, "image_hidden_states");
    if (images.id) am_output(b, "image_hidden_states", images);
}

static const am_architecture architectures[] = {
    {"ColModernVBertForRetrieval", for_retrieval, NULL, 0},
    {0},
};

const am_model_type am_model_colmodernvbert = {
    .name = "colmodernvbert", .base_prefix = "vlm", .architectures = architectures};
