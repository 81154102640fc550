/* DeiT: ViT with a distillation token behind the class token, and a class that averages a classifier on each.
   transformers: models/deit/modeling_deit.py */
#include "models/blocks/vit.h"

static void for_image_classification_with_teacher(am_builder *b)
{
    am_vit_options o = am_vit_options_read(b);
    am_value x = am_vit_body(b, &o, o.family->prefix);
    am_value cls = am_linear(b, "cls_classifier", am_index(b, x, 1, 0), o.labels, AM_BIAS);
    am_value distillation = am_linear(b, "distillation_classifier", am_index(b, x, 1, 1), o.labels, AM_BIAS);
    am_output(b, "logits", am_mul_number(b, am_add(b, cls, distillation), 0.5));
    am_output(b, "cls_logits", cls);
    am_output(b, "distillation_logits", distillation);
}

static const am_architecture architectures[] = {
    {"DeiTModel", am_vit_model, "image-feature-extraction", 0},
    {"DeiTForMaskedImageModeling", am_vit_for_masked_image_modeling, NULL, 0},
    {"DeiTForImageClassification", am_vit_for_image_classification, "image-classification", 0},
    {"DeiTForImageClassificationWithTeacher", for_image_classification_with_teacher, "image-classification", 0},
    {0},
};

static const am_vit_family family = {.prefix = "deit", .distilled = true};

const am_model_type am_model_deit = {
    .name = "deit", .base_prefix = "deit", .architectures = architectures, .family = &family};
