/* Nomic BERT: BERT with rotary positions and gated MLPs, without biases. transformers:
   models/nomic_bert/modeling_nomic_bert.py */
#include "models/blocks/rotary_encoder.h"

static am_value mlp(am_builder *b, am_value x, const am_bert_options *o)
{
    am_value gate = am_linear(b, "mlp.fc12", x, o->intermediate_size, AM_NO_BIAS);
    am_value up = am_linear(b, "mlp.fc11", x, o->intermediate_size, AM_NO_BIAS);
    return am_linear(b, "mlp.fc2", am_gated_activation(b, o->hidden_act, gate, up), o->hidden_size, AM_NO_BIAS);
}

static const am_rotary_encoder encoder = {.embeddings_norm = "emb_ln",
                                          .layers = "encoder.layers",
                                          .qkv = "attn.Wqkv",
                                          .out = "attn.out_proj",
                                          .attention_norm = "norm1",
                                          .mlp_norm = "norm2",
                                          .unbiased = true,
                                          .theta = 1000,
                                          .vocab_size = 30528,
                                          .type_vocab_size = 2,
                                          .max_positions = 2048,
                                          .layer_norm_eps = 1e-12,
                                          .mlp = mlp};

static am_value body(am_builder *b, const char *prefix)
{
    return am_rotary_encoder_body(b, &encoder, prefix);
}

static void for_masked_lm(am_builder *b)
{
    const am_unary_fn activation = am_config_activation(am_model_config(b), "hidden_act", AM_SILU);
    am_rotary_encoder_lm(b, &encoder, "nomic_bert", "cls.predictions", "transform.dense", activation,
                         "transform.layer_norm");
}

static const am_architecture architectures[] = {
    {"NomicBertModel", am_text_model, "feature-extraction", 0},
    {"NomicBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"NomicBertForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"NomicBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {0},
};

static const am_text_family family = {.prefix = "nomic_bert", .body = body};

const am_model_type am_model_nomic_bert = {
    .name = "nomic_bert", .base_prefix = "nomic_bert", .architectures = architectures, .family = &family};
