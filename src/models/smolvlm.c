/* SmolVLM: Idefics3 for images and the frames of videos. transformers: models/smolvlm/modeling_smolvlm.py */
#include "models/blocks/idefics.h"
#include "models/blocks/vision_language.h"

#include <stdio.h>

/* The outputs are the tower's, with the rows of each text. */
static am_value features(am_builder *b)
{
    am_value tower, rows = am_idefics3_rows(b, &tower);
    int64_t B = am_dim(b, am_input(b, "pixel_values", 5), 0), C = am_dim(b, rows, -1);
    am_value by_text = am_reshape(b, rows, am_shape_of(B, -1, C));
    char name[64];
    am_output(b, "image_hidden_states.last_hidden_state", tower);
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "image_hidden_states.pooler_output.%d", (int)i);
        am_output(b, name, am_index(b, by_text, 0, i));
    }
    return rows;
}

static const am_vision_language_family family = {.features = features, .image_token = 128257, .hides_features = true};

static const am_architecture architectures[] = {
    {"SmolVLMModel", am_vision_language_model, NULL, 0},
    {"SmolVLMForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"SmolVLMVisionTransformer", am_idefics3_vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_smolvlm = {
    .name = "smolvlm smolvlm_vision", .base_prefix = "model", .architectures = architectures, .family = &family};
