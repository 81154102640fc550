/* Gemma 4's vision tower: see blocks/gemma4_towers.h. transformers: models/gemma4/modeling_gemma4.py */
#include "models/blocks/gemma4_towers.h"

static void vision_model(am_builder *b)
{
    am_value x = am_gemma4_vision(b, am_model_config(b), "pixel_values", "pixel_position_ids", true);
    am_output(b, "last_hidden_state", x);
}

static const am_architecture architectures[] = {
    {"Gemma4VisionModel", vision_model, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "pixel_position_ids", .kind = AM_SHAPED_BY_NUMBERS}, {0}};

const am_model_type am_model_gemma4_vision = {
    .name = "gemma4_vision", .base_prefix = "model", .architectures = architectures, .shaping_inputs = shaping_inputs};
