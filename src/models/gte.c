/* GTE: BERT with rotary positions and gated MLPs. transformers: models/gte/modeling_gte.py */
#include "models/blocks/rotary_encoder.h"

static am_value mlp(am_builder *b, am_value x, const am_bert_options *o)
{
    int64_t inner = o->intermediate_size;
    x = am_linear(b, "mlp.up_gate_proj", x, 2 * inner, AM_NO_BIAS);
    x = am_gated_activation(b, o->hidden_act, am_slice(b, x, -1, inner, 2 * inner), am_slice(b, x, -1, 0, inner));
    return am_linear(b, "mlp.down_proj", x, o->hidden_size, AM_BIAS);
}

static const am_rotary_encoder encoder = {.embeddings_norm = "embeddings.LayerNorm",
                                          .layers = "encoder.layer",
                                          .qkv = "attention.qkv_proj",
                                          .out = "attention.o_proj",
                                          .attention_norm = "attn_ln",
                                          .mlp_norm = "mlp_ln",
                                          .theta = 160000,
                                          .vocab_size = 250048,
                                          .type_vocab_size = 1,
                                          .max_positions = 8192,
                                          .layer_norm_eps = 1e-12,
                                          .mlp = mlp};

static am_value body(am_builder *b, const char *prefix)
{
    return am_rotary_encoder_body(b, &encoder, prefix);
}

static void for_masked_lm(am_builder *b)
{
    am_rotary_encoder_lm(b, &encoder, "gte", "lm_head", "dense", AM_GELU, "norm");
}

static const am_architecture architectures[] = {
    {"GteModel", am_text_model, "feature-extraction", 0},
    {"GteForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"GteForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"GteForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {0},
};

static const am_text_family family = {.prefix = "gte", .body = body};

const am_model_type am_model_gte = {
    .name = "gte", .base_prefix = "gte", .architectures = architectures, .family = &family};
