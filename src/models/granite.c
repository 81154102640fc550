/* Granite: LLaMA with four multipliers: of embeddings, attention scores, what a layer adds, and logits.
   transformers: models/granite/modeling_granite.py */
#include "models/blocks/granite.h"

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

/* The text model of Granite 4 Vision. vision_mask says where image features of deeper layers go, of which there are
   none in a forward of this class alone. */
static void vision_text_model(am_builder *b)
{
    am_input_optional(b, "vision_mask", 3);
    am_decoder_model(b);
}

static const am_architecture architectures[] = {
    {"GraniteModel", am_decoder_model, "feature-extraction", 0},
    {"GraniteForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {"Granite4VisionTextModel", vision_text_model, NULL, 0},
    {0},
};

static const am_decoder_family family = {.adapt = adapt};

const am_model_type am_model_granite = {
    .name = "granite", .base_prefix = "model", .architectures = architectures, .family = &family};
