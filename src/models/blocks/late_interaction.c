#include "models/blocks/late_interaction.h"

#include "models/blocks/layers.h"

am_part_outputs am_late_interaction(am_builder *b, const char *type, const am_part_input *inputs, int input_count,
                                    bool rows_may_be_left)
{
    const am_config *c = am_model_config(b);
    am_config vlm = am_config_child(c, "vlm_config");
    am_part part = {.auto_class = "AutoModel",
                    .model_type = type,
                    .config = &vlm,
                    .inputs = inputs,
                    .input_count = input_count,
                    .rows_may_be_left = rows_may_be_left};
    am_scope(b, "vlm");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_part_output(&outputs, "last_hidden_state"), mask = am_input_optional(b, "attention_mask", 2);
    x = am_linear(b, "embedding_proj_layer", x, am_config_size(c, "embedding_dim", 128), AM_BIAS);
    x = am_unit_length(b, x, 0);
    if (mask.id) x = am_mul(b, x, am_unsqueeze(b, am_cast(b, mask, AM_F32), 2));
    am_output(b, "embeddings", x);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    return outputs;
}
