/* Qianfan-OCR: InternVL's tower and projector beside a Qwen3. transformers: models/qianfan_ocr/modeling_qianfan_ocr.py
 */
#include "models/blocks/internvl.h"
#include "models/blocks/vision_language.h"

/* Files of the whole have the names of the first ones, those of the tower alone transformers'. */
static const am_internvl_names first_names = {.layers = "encoder.layers",
                                              .attention = "attn",
                                              .norm_before = "norm1",
                                              .norm_after = "norm2",
                                              .attention_scale = "ls1",
                                              .mlp_scale = "ls2",
                                              .qkv = "qkv",
                                              .out = "proj",
                                              .class_token = "class_embedding",
                                              .patches = "patch_embedding",
                                              .positions = "position_embedding"};

static void vision_model(am_builder *b)
{
    am_internvl_names own = am_internvl_own_names;
    own.layers = "layers";
    bool is_first = am_has_weight(b, "embeddings.class_embedding");
    am_internvl_vision(b, is_first ? &first_names : &own, true);
}

static am_value features(am_builder *b)
{
    am_internvl_parts parts = am_internvl_own_parts;
    if (am_has_weight(b, "mlp1.0.weight"))
        parts = (am_internvl_parts){
            .tower = "vision_model", .projector = "mlp1", .norm = "0", .linear_1 = "1", .linear_2 = "3"};
    parts.tower_type = "qianfan_ocr_vision";
    return am_internvl_rows(b, &parts);
}

static const am_vision_language_family family = {.features = features, .image_token = 151667, .text_type = "qwen3"};

static const am_architecture architectures[] = {
    {"QianfanOCRModel", am_vision_language_model, NULL, 0},
    {"QianfanOCRForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {"QianfanOCRVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_qianfan_ocr = {.name = "qianfan_ocr qianfan_ocr_vision",
                                            .base_prefix = "model",
                                            .architectures = architectures,
                                            .family = &family};
