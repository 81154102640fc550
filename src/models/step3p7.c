/* Step 3.7: the tiles of a picture and the whole of it, as a Perception Encoder sees them, among the words of Step's
   mixture of experts. transformers: models/step3p7/modeling_step3p7.py */
#include "models/blocks/layers.h"
#include "models/blocks/pages.h"
#include "models/blocks/step3p7.h"
#include "models/blocks/vision_language.h"

/* Of images: [B, channels, H, W], for the text: [B, P, C]. */
static am_value look(am_builder *b, am_value images)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_part_input inputs[] = {{.name = "pixel_values", .value = images}};
    am_part part = {
        .class_name = "Step3p7VisionModel", .config = &vision, .inputs = inputs, .input_count = 1, .prefix = "vision_"};
    am_scope(b, "vision_model");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    return am_linear(b, "multi_modal_projector", am_part_output(&tower, "last_hidden_state"), am_text_width(b),
                     am_config_flag(c, "projector_bias", false));
}

static am_value features(am_builder *b)
{
    return am_page_rows(b, &(am_pages){.look = look});
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 151679,
                                                 .text_type = "step3p5",
                                                 .text_class = "Step3p7TextModel",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"Step3p7Model", am_vision_language_model, NULL, 0},
    {"Step3p7ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "num_local_patches"}, {0}};

static const am_renaming of_parts[] = {{"^multi_modal_projector.", "vit_large_projector."}, {0}};
static const am_renaming *const renamings[] = {am_step3p7_text_names, of_parts, NULL};

const am_model_type am_model_step3p7 = {.name = "step3p7",
                                        .base_prefix = "model",
                                        .architectures = architectures,
                                        .family = &family,
                                        .shaping_inputs = shaping_inputs,
                                        .renamings = renamings};
