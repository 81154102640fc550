/* The tower of GLM-Image: see blocks/glm_image.h. transformers: models/glm_image/modeling_glm_image.py */
#include "models/blocks/glm_image.h"

static void vision_model(am_builder *b)
{
    am_qwen_vision v = am_glm_image_vision_read(am_model_config(b));
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_qwen_vision_output out = am_qwen_vision_tower(b, am_input(b, "pixel_values", 2), &grids, &v, true);
    am_output(b, "last_hidden_state", out.last_hidden_state);
    am_output(b, "pooler_output", out.pooler_output);
}

static const am_architecture architectures[] = {
    {"GlmImageVisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "grid_thw"}, {0}};

const am_model_type am_model_glm_image_vision = {
    .name = "glm_image_vision", .architectures = architectures, .shaping_inputs = shaping_inputs};
