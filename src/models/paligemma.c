/* PaliGemma: SigLIP's patches through one linear layer among the words of a Gemma or Gemma 2, whose positions begin at
   1; image and question see one another in both directions, what is written sees what came before. transformers:
   models/paligemma/modeling_paligemma.py */
#include "models/blocks/layers.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    int64_t C = am_config_size(am_model_config(b), "projection_dim", 2048);
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "siglip_vision_model", AM_NONE);
    return am_linear(b, "multi_modal_projector.linear", am_part_output(&tower, "last_hidden_state"), C, AM_BIAS);
}

/* Tokens of type 0 are one block. */
static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_value types = am_input_optional(b, "token_type_ids", 2), ids = am_input(b, "input_ids", 2);
    am_value none = am_broadcast(b, am_scalar(b, AM_I32, -1), am_shape_of_value(b, ids)), blocks = none;
    if (types.id) blocks = am_select(b, am_binary_number(b, AM_EQUAL, types, 0), am_scalar(b, AM_I32, 0), none);
    am_value places = am_position_ids(b, am_dim(b, ids, 1));
    if (!am_has_input(b, "position_ids")) places = am_add_number(b, places, 1);
    out[0] = (am_part_input){.name = "block_sequence_ids", .value = blocks};
    out[1] = (am_part_input){.name = "position_ids", .value = places};
    return 2;
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 256000,
                                                 .tied = true,
                                                 .text_type = "gemma",
                                                 .caps_logits = true,
                                                 .may_exceed_words = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"PaliGemmaModel", am_vision_language_model, NULL, 0},
    {"PaliGemmaForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

const am_model_type am_model_paligemma = {
    .name = "paligemma", .base_prefix = "model", .architectures = architectures, .family = &family};
