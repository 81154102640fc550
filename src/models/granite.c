/* Granite: LLaMA with four multipliers: of embeddings, attention scores, what a layer adds, and logits.
   transformers: models/granite/modeling_granite.py */
#include "models/blocks/granite.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <stdio.h>

static void adapt(const am_config *c, am_decoder_options *o)
{
    am_granite_adapt(c, o);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

/* --- the text model of Granite 4 Vision --- */

/* Rows of the input deepstack_features.I at the places of the input vision_mask: [B, T, 1]; x: [B, T, C] where that is
   not given. */
static am_value add_features(am_builder *b, am_value x, int index)
{
    char name[48];
    snprintf(name, sizeof name, "deepstack_features.%d", index);
    am_value rows = am_input_optional(b, name, 2);
    if (!rows.id) return x;
    am_value is = am_squeeze(b, am_input(b, "vision_mask", 3), -1);
    am_require_count(b, is, 1, am_dim(b, rows, 0), "rows of deepstack_features");
    if (am_dtype_of(b, is) != AM_BOOL) is = am_binary_number(b, AM_NOT_EQUAL, is, 0);
    return am_add(b, x, am_spread_rows(b, rows, is));
}

/* Those of the first layer are among the embeddings, since the first hidden state has them. */
static am_own_layer before_layer(am_builder *b, am_value *x, const am_decoder_options *o, int index)
{
    (void)o;
    if (index > 0) *x = add_features(b, *x, index);
    return AM_OWN_LAYER_NONE;
}

/* vision_mask says where image features of the tower's layers go, before some layers each. */
static void vision_text_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    am_value x = am_input_embeddings(b, "embed_tokens", o.vocab_size, o.hidden_size);
    am_input_optional(b, "vision_mask", 3);
    o.embedded = add_features(b, am_mul_number(b, x, o.embedding_scale), 0);
    o.own_layer = before_layer;
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
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
