/* Gemma 3 with images: SigLIP's patches, averaged in squares and normed, among the words of Gemma 3's text model, where
   an image's tokens see one another in both directions. transformers: models/gemma3/modeling_gemma3.py */
#include "models/blocks/gemma.h"
#include "models/blocks/vision_language.h"

static am_value features(am_builder *b)
{
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "siglip_vision_model", AM_NONE);
    return am_gemma3_image_rows(b, am_model_config(b), am_part_output(&tower, "last_hidden_state"), am_text_width(b));
}

/* A block for each run of tokens of type 1. */
static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_value types = am_input_optional(b, "token_type_ids", 2);
    if (!types.id) return 0;
    am_value is_image = am_cast(b, am_binary_number(b, AM_EQUAL, types, 1), AM_I32);
    am_value before = am_pad_zero(b, is_image, 1, 1, -1);
    am_value begins = am_cast(b, am_binary(b, AM_GREATER, is_image, before), AM_I32);
    am_value block = am_add_number(b, am_scan(b, AM_REDUCE_SUM, begins, 1, false, false), -1);
    am_value none = am_scalar(b, AM_I32, -1);
    out[0] = (am_part_input){.name = "block_sequence_ids",
                             .value = am_select(b, am_binary_number(b, AM_NOT_EQUAL, is_image, 0), block, none)};
    return 1;
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 262144,
                                                 .tied = true,
                                                 .text_type = "gemma3_text",
                                                 .may_exceed_words = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Gemma3Model", am_vision_language_model, NULL, 0},
    {"Gemma3ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Gemma3ForSequenceClassification", am_vision_language_for_sequence_classification, "text-classification", 0},
    {0},
};

const am_model_type am_model_gemma3 = {
    .name = "gemma3", .base_prefix = "model", .architectures = architectures, .family = &family};
