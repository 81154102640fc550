/* Jina embeddings v3: XLM-RoBERTa with rotary positions. transformers:
   models/jina_embeddings_v3/modeling_jina_embeddings_v3.py */
#include "models/blocks/rotary_encoder.h"

static am_value mlp(am_builder *b, am_value x, const am_bert_options *o)
{
    x = am_linear_activation(b, "mlp.fc1", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    return am_linear(b, "mlp.fc2", x, o->hidden_size, AM_BIAS);
}

static const am_rotary_encoder encoder = {.embeddings_norm = "emb_ln",
                                          .layers = "encoder.layers",
                                          .qkv = "mixer.Wqkv",
                                          .out = "mixer.out_proj",
                                          .attention_norm = "norm1",
                                          .mlp_norm = "norm2",
                                          .theta = 20000,
                                          .vocab_size = 250002,
                                          .type_vocab_size = 1,
                                          .max_positions = 8194,
                                          .layer_norm_eps = 1e-5,
                                          .mlp = mlp};

static am_value body(am_builder *b, const char *prefix)
{
    return am_rotary_encoder_body(b, &encoder, prefix);
}

static void for_masked_lm(am_builder *b)
{
    am_rotary_encoder_lm(b, &encoder, "roberta", "lm_head", "dense", AM_GELU, "layer_norm");
}

static const am_architecture architectures[] = {
    {"JinaEmbeddingsV3Model", am_text_model, "feature-extraction", 0},
    {"JinaEmbeddingsV3ForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"JinaEmbeddingsV3ForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"JinaEmbeddingsV3ForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"JinaEmbeddingsV3ForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "roberta", .body = body};

const am_model_type am_model_jina_embeddings_v3 = {
    .name = "jina_embeddings_v3", .base_prefix = "roberta", .architectures = architectures, .family = &family};
