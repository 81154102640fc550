/* ModernVBERT: SigLIP's patches, squares of them side by side through one matrix, among the words of a ModernBERT.
   transformers: models/modernvbert/modeling_modernvbert.py */
#include "models/blocks/heads.h"
#include "models/blocks/vbert.h"

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", am_vbert_body(b, "", true));
}

/* norm(activation(dense(x))) below the scope NAME. */
static am_value head(am_builder *b, const char *name, am_value x)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    int bias = am_config_flag(&text, "classifier_bias", false) ? AM_BIAS : AM_NO_BIAS;
    double eps = am_config_real(&text, "norm_eps", 1e-5);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1), bias,
                             am_config_activation(&text, "classifier_activation", AM_GELU));
    bool normed = am_config_flag(&text, "norm_bias", false);
    x = normed ? am_layer_norm(b, "norm", x, eps) : am_layer_norm_no_bias(b, "norm", x, eps);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    bool tied = am_config_flag(c, "tie_word_embeddings", false);
    int bias = am_config_flag(&text, "decoder_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_value x = head(b, "projection_head", am_vbert_body(b, "model", true));
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 50368), tied,
                         "model.text_model.embeddings.tok_embeddings.weight", bias));
}

static void for_sequence_classification(am_builder *b)
{
    am_value x = head(b, "head", am_vbert_pool(b, am_vbert_body(b, "model", false)));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_value x = head(b, "head", am_vbert_body(b, "model", false));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"ModernVBertModel", model, NULL, 0},
    {"ModernVBertForMaskedLM", for_masked_lm, NULL, 0},
    {"ModernVBertForSequenceClassification", for_sequence_classification, NULL, 0},
    {"ModernVBertForTokenClassification", for_token_classification, NULL, 0},
    {0},
};

static const am_vbert_family family = {.text_type = "modernbert", .image_token = 50407, .hidden_size = 768};

const am_model_type am_model_modernvbert = {
    .name = "modernvbert", .base_prefix = "model", .architectures = architectures, .family = &family};
