/* FNet: BERT's layers in which a Fourier transform mixes tokens in place of attention: the real part of the
   transform along the text and along the channels. No mask, no weights. transformers:
   models/fnet/modeling_fnet.py */
#include "models/blocks/text_classes.h"

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = {.vocab_size = am_config_size(c, "vocab_size", 32000),
                         .hidden_size = am_config_size(c, "hidden_size", 768),
                         .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                         .intermediate_size = am_config_size(c, "intermediate_size", 3072),
                         .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
                         .type_vocab_size = am_config_size(c, "type_vocab_size", 4),
                         .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                         .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
                         .positions_after_pad = -1};
    o.embedding_size = o.hidden_size;
    return o;
}

/* The class's other ways to transform give the same numbers, but take one length only. */
static void check_length(am_builder *b, int64_t T)
{
    const am_config *c = am_model_config(b);
    int64_t only = am_config_size(c, "tpu_short_seq_length", 512);
    if (am_config_flag(c, "use_tpu_fourier_optimizations", false) && T <= 4096 && T != only)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%lld tokens: with use_tpu_fourier_optimizations it must be "
                                    "tpu_short_seq_length, %lld",
                                    (long long)T, (long long)only));
}

static am_value transform(am_builder *b, am_value x, int axis)
{
    return am_fourier(b, x, &(am_fourier_attributes){.axis = axis, .length = am_dim(b, x, axis)});
}

/* x: [B, T, C] -> [B, T, C] */
static am_value mix(am_builder *b, am_value x)
{
    am_value complex = am_pad_zero(b, am_unsqueeze(b, x, 3), 3, 0, 1);
    return am_index(b, transform(b, transform(b, complex, 2), 1), 3, 0);
}

static am_value layer(am_builder *b, am_value x, const am_bert_options *o)
{
    x = am_layer_norm(b, "fourier.output.LayerNorm", am_add(b, x, mix(b, x)), o->layer_norm_eps);
    return am_bert_feed_forward(b, x, o);
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    (void)am_flat_input(b, "attention_mask"); /* which the class takes, and does nothing with */
    am_scope(b, "%s", prefix);
    am_value x = am_linear(b, "embeddings.projection", am_bert_embeddings(b, &o), o.hidden_size, AM_BIAS);
    check_length(b, am_dim(b, x, 1));
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < o.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, x, &o);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &o, "fnet"));
}

static void for_pretraining(am_builder *b)
{
    am_bert_options o = options(b);
    am_value x = am_text_body(b);
    am_output(b, "prediction_logits", am_bert_lm_logits(b, x, &o, "fnet"));
    am_output(b, "seq_relationship_logits",
              am_linear(b, "cls.seq_relationship", am_bert_pooler(b, "fnet", x), 2, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"FNetModel", am_text_model, "feature-extraction", 0},
    {"FNetForPreTraining", for_pretraining, NULL, 0},
    {"FNetForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"FNetForNextSentencePrediction", am_text_for_next_sentence_prediction, NULL, 0},
    {"FNetForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"FNetForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"FNetForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"FNetForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "fnet", .body = body};

const am_model_type am_model_fnet = {
    .name = "fnet", .base_prefix = "fnet", .architectures = architectures, .family = &family};
