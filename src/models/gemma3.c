/* Gemma 3 with images: SigLIP's patches, averaged in squares and normed, among the words of Gemma 3's text model, where
   an image's tokens see one another in both directions. transformers: models/gemma3/modeling_gemma3.py */
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <math.h>

/* x: [B, P, C] -> [B, tokens, C]: means of squares of patches, mm_tokens_per_image of them. */
static am_value average(am_builder *b, am_value x, const am_config *vision)
{
    am_image_options image = am_image_options_read(vision, 224, 16);
    int64_t side = image.image_size[0] / image.patch_size[0], B = am_dim(b, x, 0), C = am_dim(b, x, -1);
    int64_t tokens = am_config_size(am_model_config(b), "mm_tokens_per_image", 256),
            square = side / (int64_t)sqrt((double)tokens);
    if (square < 1 || side * side != am_dim(b, x, 1)) {
        am_config_fail(am_model_config(b), "mm_tokens_per_image", "%lld tokens of %lld x %lld patches",
                       (long long)tokens, (long long)side, (long long)side);
        return AM_NONE;
    }
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B, C, side, side));
    am_shape window = am_shape_of(square, square);
    return am_image_tokens(
        b, am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .kernel = window, .stride = window}));
}

static am_value features(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_part_outputs tower = am_vision_tower(b, "vision_tower", "siglip_vision_model", AM_NONE);
    am_value x = average(b, am_part_output(&tower, "last_hidden_state"), &vision);
    am_scope(b, "multi_modal_projector");
    x = am_rms_norm(b, "mm_soft_emb_norm", x, am_config_real(&vision, "layer_norm_eps", 1e-6), 1);
    am_value weight = am_weight(b, "mm_input_projection_weight", am_shape_of(am_dim(b, x, -1), am_text_width(b)));
    x = am_linear_with(b, x, am_transpose(b, weight, 0, 1), AM_NONE);
    am_end_scope(b);
    return x;
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
