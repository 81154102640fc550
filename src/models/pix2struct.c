/* Pix2Struct: patches of a page in, words out. transformers: models/pix2struct/modeling_pix2struct.py */
#include "models/blocks/attention.h"
#include "models/blocks/pix2struct.h"
#include "models/blocks/seq2seq.h"

static am_value encode(am_builder *b, const void *model)
{
    (void)model;
    am_config c = am_config_child(am_model_config(b), "vision_config");
    am_scope(b, "encoder");
    am_value x = am_pix2struct_encode(b, &c, &am_pix2struct_encoder, "encoder_hidden_states");
    am_end_scope(b);
    return x;
}

/* The head's logits. */
static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    (void)model;
    const am_config *outer = am_model_config(b);
    am_config c = am_config_child(outer, "text_config");
    am_pix2struct_text text = {.embedded = am_input_optional(b, "decoder_inputs_embeds", 3),
                               .mask = am_padding_mask(b, "decoder_attention_mask"),
                               .crosses = true,
                               .encoded = encoded,
                               .encoded_mask = am_padding_mask(b, "attention_mask"),
                               .hidden_states = "decoder_hidden_states"};
    if (!text.embedded.id) text.ids = am_decoder_input_ids(b, false, -1);
    am_scope(b, "decoder");
    am_value x = am_pix2struct_decode(b, &c, &text, am_config_flag(outer, "tie_word_embeddings", false));
    am_end_scope(b);
    return x;
}

static void for_conditional_generation(am_builder *b)
{
    am_value logits = am_seq2seq_run(b, &(am_seq2seq){encode, decode, NULL});
    if (logits.id) am_output(b, "logits", logits);
}

static const am_architecture architectures[] = {
    {"Pix2StructForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_pix2struct = {.name = "pix2struct", .architectures = architectures};
