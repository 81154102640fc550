/* UltraVBERT: SigLIP's patches, squares of them side by side through one matrix and normed, among the words of an
   UltraBERT. transformers: models/ultravbert/modeling_ultravbert.py */
#include "models/blocks/heads.h"
#include "models/blocks/vbert.h"

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", am_vbert_body(b, "", true));
}

/* Files have the head's layers below `head`, or below `projection_head` and `lm_head`. */
static void for_masked_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_value x = am_vbert_body(b, "model", true);
    int64_t C = am_dim(b, x, -1), inner = am_config_size(&text, "prediction_head_size", 768);
    bool together = am_has_weight(b, "head.linear1.weight");
    am_scope(b, "%s", together ? "head" : "projection_head");
    x = am_linear_activation(b, "linear1", x, inner, AM_NO_BIAS, AM_GELU_TANH);
    x = am_linear_activation(b, "linear2", x, C, AM_NO_BIAS, AM_GELU_TANH);
    am_end_scope(b);
    am_output(b, "logits",
              am_lm_head(b, together ? "head.decoder" : "lm_head", x, am_config_size(&text, "vocab_size", 32000),
                         am_config_flag(c, "tie_word_embeddings", false), "model.text_model.embed_tokens.weight",
                         AM_NO_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    am_value x = am_vbert_pool(b, am_vbert_body(b, "model", false));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_value x = am_vbert_body(b, "model", false);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"UltraVBertModel", model, NULL, 0},
    {"UltraVBertForMaskedLM", for_masked_lm, NULL, 0},
    {"UltraVBertForSequenceClassification", for_sequence_classification, NULL, 0},
    {"UltraVBertForTokenClassification", for_token_classification, NULL, 0},
    {0},
};

static const am_vbert_family family = {
    .text_type = "ultrabert", .image_token = 49191, .hidden_size = 4096, .norms = true};

const am_model_type am_model_ultravbert = {
    .name = "ultravbert", .base_prefix = "model", .architectures = architectures, .family = &family};
