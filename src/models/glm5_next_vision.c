/* The tower of GLM-5-Next: GLM-OCR's, with gates kept within a limit. transformers:
   models/glm5_next/modeling_glm5_next.py */
#include "models/blocks/glm_vision.h"

static void leave(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out)
{
    am_glm_vision_leave(b, x, v, am_config_size(v->c, "projection_intermediate_size", 10240), out);
}

static am_qwen_vision read_vision(const am_config *c)
{
    am_qwen_vision v = am_glm_ocr_vision_read(c);
    v.limit = am_config_real(c, "swiglu_limit", 10);
    v.leave = leave;
    if (!(v.limit > 0)) am_config_unsupported(c, "swiglu_limit", "only limits above 0 are supported");
    return v;
}

static void vision_model(am_builder *b)
{
    am_glm_vision_model(b, read_vision);
}

static const am_architecture architectures[] = {
    {"Glm5NextVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_glm5_next_vision = {
    .name = "glm5_next_vision", .architectures = architectures, .shaping_inputs = am_qwen_shaping_inputs};
