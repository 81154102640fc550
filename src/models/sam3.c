/* Segment Anything 3, for images, and its image encoder. transformers: models/sam3/modeling_sam3.py */
#include "models/blocks/sam3.h"

#include "models/blocks/sam3_vision.h"

#include <stdio.h>

/* A text encoder of CLIP's, whose vector of the whole text is not read. */
static am_value clip_text(am_builder *b, const am_config *c)
{
    am_part part = {
        .class_name = "CLIPTextModelWithProjection", .model_type = "clip_text_model", .config = c, .prefix = ""};
    am_part_outputs outputs = am_build_part(b, &part);
    return am_part_output(&outputs, "last_hidden_state");
}

static void sam3_model(am_builder *b)
{
    am_sam3_detect(b, clip_text);
}

static void vit_model(am_builder *b)
{
    am_output(b, "last_hidden_state", am_sam3_vit(b, am_model_config(b), "hidden_states").tokens);
}

static void vision_model(am_builder *b)
{
    char name[48];
    am_sam3_image image = am_sam3_vision(b, am_model_config(b), "backbone", "neck", "hidden_states");
    if (am_builder_failed(b)) return;
    am_output(b, "last_hidden_state", image.tokens);
    for (int i = 0; i < image.count; i++) {
        am_value map = image.maps[i];
        snprintf(name, sizeof name, "fpn_hidden_states.%d", i);
        am_output(b, name, map);
        snprintf(name, sizeof name, "fpn_position_encoding.%d", i);
        am_output(b, name, am_tokens_image(b, am_sam3_places(b, map), am_dim(b, map, 2), am_dim(b, map, 3)));
    }
}

static const am_architecture architectures[] = {
    {"Sam3Model", sam3_model, NULL, 0},
    {"Sam3VisionModel", vision_model, NULL, 0},
    {"Sam3ViTModel", vit_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam3 = {
    .name = "sam3 sam3_vision_model sam3_vit_model", .base_prefix = "detector_model", .architectures = architectures};
