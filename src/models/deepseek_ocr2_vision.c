/* The image tower of DeepSeek-OCR-2: see blocks/deepseek_ocr2.h. */
#include "models/blocks/deepseek_ocr2.h"
#include "models/blocks/vision.h"

static const am_deepseek_ocr2_names names = {.sam = "sam_encoder",
                                             .encoder = "vision_encoder",
                                             .query_768 = "query_768_resolution.weight",
                                             .query_1024 = "query_1024_resolution.weight",
                                             .halves = {"proj.conv1", "proj.conv2"}};

static void vision_model(am_builder *b)
{
    am_part_outputs encoder;
    am_value x = am_deepseek_ocr2_look(b, am_model_config(b), am_input(b, "pixel_values", 4), &names, &encoder);
    am_output(b, "last_hidden_state", x);
    if (!am_builder_failed(b)) am_output_part_list(b, &encoder, "hidden_states", "hidden_states");
}

static const am_architecture architectures[] = {
    {"DeepseekOcr2VisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

const am_model_type am_model_deepseek_ocr2_vision = {.name = "deepseek_ocr2_vision", .architectures = architectures};
