/* Pix2Struct's decoder by itself. transformers: models/pix2struct/modeling_pix2struct.py */
#include "models/blocks/attention.h"
#include "models/blocks/pix2struct.h"
#include "models/blocks/seq2seq.h"

static void text_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_encoder_states states = am_encoder_states_input(b);
    am_pix2struct_text text = {.embedded = am_input_optional(b, "inputs_embeds", 3),
                               .mask = am_padding_mask(b, "attention_mask"),
                               .crosses = states.given,
                               .encoded = states.states,
                               .encoded_mask = states.mask,
                               .hidden_states = "hidden_states"};
    if (!text.embedded.id) text.ids = am_input(b, "input_ids", 2);
    am_output(b, "logits", am_pix2struct_decode(b, c, &text, am_config_flag(c, "tie_word_embeddings", false)));
}

static const am_architecture architectures[] = {
    {"Pix2StructTextModel", text_model, NULL, 0},
    {0},
};

const am_model_type am_model_pix2struct_text_model = {.name = "pix2struct_text_model", .architectures = architectures};
