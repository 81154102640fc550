/* The image tower of Unlimited-OCR: see blocks/unlimited_ocr.h. */
#include "models/blocks/unlimited_ocr.h"

static void vision_model(am_builder *b)
{
    am_value images = am_input(b, "pixel_values", 4);
    am_output(b, "last_hidden_state",
              am_unlimited_ocr_look(b, am_model_config(b), images, "sam_encoder", "vision_encoder", NULL));
}

static const am_architecture architectures[] = {
    {"UnlimitedOcrVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_unlimited_ocr_vision = {.name = "unlimited_ocr_vision", .architectures = architectures};
