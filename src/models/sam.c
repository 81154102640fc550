/* SAM (Segment Anything). transformers: models/sam/modeling_sam.py */
#include "models/blocks/sam.h"

static void vision_model(am_builder *b)
{
    am_output(b, "last_hidden_state",
              am_sam_encode_image(b, am_model_config(b), "vision_encoder", "hidden_states", 0).embeddings);
}

static void sam_model(am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    bool several = am_model_argument(b, "multimask_output", 1) != 0;
    am_value image = am_has_input(b, "pixel_values")
                         ? am_sam_encode_image(b, &vision, "vision_encoder", "vision_hidden_states", 0).embeddings
                         : am_input(b, "image_embeddings", 4);
    am_sam_prompts prompts = am_sam_read_prompts(b);
    am_sam_decoded decoded = am_sam_decode(b, image, &prompts, NULL);
    am_scope(b, "mask_decoder");
    am_value masks = am_sam_masks(b, &decoded, am_sam_hyper(b, &decoded), decoded.upscaled),
             scores = am_sam_scores(b, &decoded);
    am_end_scope(b);
    scores = am_reshape(b, scores, am_shape_of(decoded.B, decoded.P, decoded.masks));
    int64_t from = several ? 1 : 0, to = several ? decoded.masks : 1;
    am_output(b, "iou_scores", am_slice(b, scores, 2, from, to));
    am_output(b, "pred_masks", am_slice(b, masks, 2, from, to));
}

static const am_architecture architectures[] = {
    {"SamModel", sam_model, NULL, 0},
    {"SamVisionModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_sam = {
    .name = "sam sam_vision_model", .base_prefix = "sam", .architectures = architectures};
