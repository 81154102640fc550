/* Pix2Struct's encoder by itself. transformers: models/pix2struct/modeling_pix2struct.py */
#include "models/blocks/pix2struct.h"

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state",
              am_pix2struct_encode(b, am_model_config(b), &am_pix2struct_encoder, "hidden_states"));
}

static const am_architecture architectures[] = {
    {"Pix2StructVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_pix2struct_vision_model = {.name = "pix2struct_vision_model",
                                                        .architectures = architectures};
