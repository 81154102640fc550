/* Mistral Large 4: Pixtral's tower and Mistral's largest text model. transformers:
   models/mistral_large4/modeling_mistral_large4.py */
#include "models/blocks/mistral3.h"
#include "models/blocks/mistral_large4.h"

static am_value features(am_builder *b)
{
    static const am_mistral3 names = {
        .tower = "vision_tower", .projector = "multi_modal_projector", .reads_projector = true};
    return am_mistral3_rows(b, &names);
}

static const am_vision_language_family family = {
    .features = features, .image_token = 10, .text_type = "mistral_large4_text", .caps_logits = true, .logit_cap = 30};

static const am_architecture architectures[] = {
    {"MistralLarge4Model", am_vision_language_model, NULL, 0},
    {"MistralLarge4ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

/* --- names of files --- */

static const am_renaming of_both[] = {
    {".k_proj.", ".wk."},
    {".v_proj.", ".wv."},
    {".o_proj.", ".wo."},
    {".gate_proj.", ".w1."},
    {".down_proj.", ".w2."},
    {".up_proj.", ".w3."},
    {0},
};

static const am_renaming of_parts[] = {
    {"^model.language_model.embed_tokens.", "tok_embeddings."},
    {"^model.language_model.rotary_emb.", "lerope."},
    {"^model.language_model.", ""},
    {"^model.vision_tower.", "vision_encoder."},
    {"^model.multi_modal_projector.norm.", "pre_mm_projector_norm."},
    {"^model.multi_modal_projector.patch_merger.", "patch_merger."},
    {"^model.multi_modal_projector.linear_1.", "vision_language_adapter.w_in."},
    {"^model.multi_modal_projector.linear_2.", "vision_language_adapter.w_out."},
    {"^lm_head.", "output."},
    {0},
};

static const am_renaming *const renamings[] = {am_mistral_large4_text_names, of_both, of_parts, NULL};

const am_model_type am_model_mistral_large4 = {.name = "mistral_large4",
                                               .base_prefix = "model",
                                               .architectures = architectures,
                                               .family = &family,
                                               .shaping_inputs = am_mistral3_shaping_inputs,
                                               .renamings = renamings};
