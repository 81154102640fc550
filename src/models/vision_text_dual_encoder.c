/* Any image model and any text model that each give one vector, projected to one space and compared.
   transformers: models/vision_text_dual_encoder/modeling_vision_text_dual_encoder.py */
#include "models/blocks/clip.h"

#include <string.h>

/* The model of configuration KEY below `scope`; hidden states are outputs below PREFIX. Only a text is masked. */
static am_clip_output tower(am_builder *b, const char *key, const char *type, const char *scope, const char *prefix)
{
    am_config c = am_config_child(am_model_config(b), key);
    am_part_input no_mask = {.name = "attention_mask"};
    bool is_text = strcmp(key, "text_config") == 0;
    am_part part = {.auto_class = "AutoModel",
                    .model_type = type,
                    .config = &c,
                    .inputs = &no_mask,
                    .input_count = is_text ? 0 : 1};
    am_scope(b, "%s", scope);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", prefix);
    am_clip_output out = {am_part_output(&outputs, "last_hidden_state"), am_part_output(&outputs, "pooler_output")};
    if (!out.pooled.id && !am_builder_failed(b))
        am_config_unsupported(&c, "model_type", "this class compares pooled outputs, which it has not");
    return out;
}

static void model(am_builder *b)
{
    int64_t C = am_config_size(am_model_config(b), "projection_dim", 512);
    am_clip_output image = tower(b, "vision_config", "vit", "vision_model", "vision_model_output.hidden_states");
    am_clip_output text = tower(b, "text_config", "bert", "text_model", "text_model_output.hidden_states");
    am_clip_output_logits(b, am_unit_length(b, am_linear(b, "text_projection", text.pooled, C, AM_NO_BIAS), 0),
                          am_unit_length(b, am_linear(b, "visual_projection", image.pooled, C, AM_NO_BIAS), 0));
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static const am_architecture architectures[] = {
    {"VisionTextDualEncoderModel", model, "zero-shot-image-classification", 0},
    {0},
};

const am_model_type am_model_vision_text_dual_encoder = {.name = "vision-text-dual-encoder",
                                                         .architectures = architectures};
