/* EuroBERT: LLaMA that looks both ways, with the heads of an encoder. transformers:
   models/eurobert/modeling_eurobert.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"

#include <string.h>

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->causal = false;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
}

static am_decoder_options options_of(am_builder *b)
{
    return am_decoder_options_read(am_model_config(b), am_model_family(b));
}

static void for_masked_lm(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_value x = am_decoder_body(b, &o, "model");
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight",
                         o.mlp_bias ? AM_BIAS : AM_NO_BIAS));
}

/* Mean over the tokens that the input attention_mask has, x: [B, T, C] -> [B, C]. */
static am_value mean_of_tokens(am_builder *b, am_value x)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    mask = am_unsqueeze(b, am_cast(b, mask, AM_F32), 2);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, mask), am_shape_of(1), false);
    return am_div(b, sum, am_reduce(b, AM_REDUCE_SUM, mask, am_shape_of(1), false));
}

static am_value classify(am_builder *b, am_value x, const am_decoder_options *o)
{
    x = am_linear_activation(b, "dense", x, o->hidden_size, AM_BIAS, AM_GELU);
    return am_linear(b, "classifier", x, o->labels, AM_BIAS);
}

/* classifier_pooling: the first token ("bos") or the mean is classified, or every token, and then comes the mean
 * ("late"). */
static void for_sequence_classification(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_decoder_options o = options_of(b);
    am_value x = am_decoder_body(b, &o, "model");
    const char *pooling = am_config_text(c, "classifier_pooling", "late");
    if (strcmp(pooling, "late") == 0) am_output(b, "logits", mean_of_tokens(b, classify(b, x, &o)));
    else if (strcmp(pooling, "bos") == 0) am_output(b, "logits", classify(b, am_index(b, x, 1, 0), &o));
    else if (strcmp(pooling, "mean") == 0) am_output(b, "logits", classify(b, mean_of_tokens(b, x), &o));
    else am_config_fail(c, "classifier_pooling", "expected bos, mean or late, found \"%s\"", pooling);
}

static void for_token_classification(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_output(b, "logits", am_linear(b, "classifier", am_decoder_body(b, &o, "model"), o.labels, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"EuroBertModel", am_decoder_model, "feature-extraction", 0},
    {"EuroBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"EuroBertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"EuroBertForTokenClassification", for_token_classification, "token-classification", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128256,
                 .hidden_size = 768,
                 .intermediate_size = 3072,
                 .num_hidden_layers = 12,
                 .num_attention_heads = 12,
                 .max_position_embeddings = 8192,
                 .rms_norm_eps = 1e-5,
                 .whole_heads = true},
    .adapt = adapt,
};

const am_model_type am_model_eurobert = {
    .name = "eurobert", .base_prefix = "model", .architectures = architectures, .family = &family};
