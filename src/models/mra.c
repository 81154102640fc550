/* MRA, as transformers runs it without its CUDA kernel: BERT's layers whose attention gives zeros. The multi-resolution
   attention itself is in that kernel only; the class goes on without it, and so its tokens do not see each other.
   transformers: models/mra/modeling_mra.py (mra2_attention) */
#include "models/blocks/own_attention.h"

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_own_attention_options(c, 50265, 512);
    o.type_vocab_size = am_config_size(c, "type_vocab_size", 1);
    o.layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    return o;
}

/* Zeros, whatever the mask: reading it says that the class takes one. */
static am_value attention(am_builder *b, am_value x, const am_bert_options *o)
{
    (void)o;
    (void)am_flat_input(b, "attention_mask");
    return am_broadcast(b, am_scalar(b, am_dtype_of(b, x), 0), am_shape_of_value(b, x));
}

static const am_architecture architectures[] = {
    {"MraModel", am_text_model, "feature-extraction", 0},
    {"MraForMaskedLM", am_own_attention_for_masked_lm, "fill-mask", 0},
    {"MraForSequenceClassification", am_own_attention_for_sequence_classification, "text-classification", 0},
    {"MraForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"MraForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"MraForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_own_attention_family family = {
    .text = {.prefix = "mra", .body = am_own_attention_body, .pooled = am_own_attention_pooled},
    .options = options,
    .attention = attention};

const am_model_type am_model_mra = {
    .name = "mra", .base_prefix = "mra", .architectures = architectures, .family = &family};
