/* DeepSeek-OCR-2: what queries collect of a page's tiles and of the whole page, among the words of DeepSeek-V2's
   mixture with LLaMA's attention. transformers: models/deepseek_ocr2/modeling_deepseek_ocr2.py */
#include "models/blocks/deepseek_ocr2.h"
#include "models/blocks/layers.h"
#include "models/blocks/pages.h"

static const am_deepseek_ocr2_names names = {.sam = "sam_model",
                                             .encoder = "qwen2_model.model.model",
                                             .query_768 = "qwen2_model.query_768.weight",
                                             .query_1024 = "qwen2_model.query_1024.weight",
                                             .halves = {"net_2", "net_3"},
                                             .sam_names = &am_sam_original_names};

/* Of images: [B, channels, H, W], for the text: [B, queries, C]. */
static am_value look(am_builder *b, am_value images)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value x = am_deepseek_ocr2_look(b, &vision, images, &names, NULL);
    return am_linear(b, "projector.layers", x, am_text_width(b), AM_BIAS);
}

static am_value features(am_builder *b)
{
    return am_page_rows(b, &(am_pages){.look = look, .mark = "view_seperator"});
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 128815,
                                                 .text_type = "deepseek_ocr2_text",
                                                 .text_class = "DeepseekOcr2TextModel",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"DeepseekOcr2Model", am_vision_language_model, NULL, 0},
    {"DeepseekOcr2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "num_local_patches"}, {0}};

const am_model_type am_model_deepseek_ocr2 = {.name = "deepseek_ocr2",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = shaping_inputs};
