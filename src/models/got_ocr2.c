/* GOT-OCR2: Segment Anything's image encoder, whose map two convolutions make smaller, and a Qwen2 that writes what is
   seen. transformers: models/got_ocr2/modeling_got_ocr2.py */
#include "models/blocks/layers.h"
#include "models/blocks/sam.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

/* A map of half the height and width: x: [B, C, H, W] -> [B, out, (H + 1) / 2, (W + 1) / 2]. */
static am_value halve(am_builder *b, const char *name, am_value x, int64_t out)
{
    am_convolution_attributes options = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    return am_conv(b, name, x, out, am_shape_of(3, 3), AM_NO_BIAS, &options);
}

static am_value features(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    int64_t C = am_text_width(b);
    am_value x = am_sam_encode_image(b, &vision, "vision_tower", NULL, 3072).embeddings;
    am_scope(b, "multi_modal_projector");
    x = halve(b, "conv_upsampler2", halve(b, "conv_upsampler1", x, 2 * am_dim(b, x, 1)), C);
    x = am_linear(b, "multimodal_projector", am_image_tokens(b, x), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static const am_vision_language_family family = {
    .features = features, .image_token = 151859, .tied = true, .text_type = "qwen2"};

static const am_architecture architectures[] = {
    {"GotOcr2Model", am_vision_language_model, NULL, 0},
    {"GotOcr2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_got_ocr2 = {
    .name = "got_ocr2", .base_prefix = "model", .architectures = architectures, .family = &family};
