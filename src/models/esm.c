/* ESM: pre-norm layers over amino acids with rotary or learned positions; embeddings are zero at padding and may
   be scaled for how many are masked (token_dropout). transformers: models/esm/modeling_esm.py */
#include "models/esm.h"

#include "models/blocks/pre_norm.h"
#include "models/blocks/text_classes.h"

#include <math.h>

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_fields_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", 33);
    o.max_position_embeddings = am_config_size(c, "max_position_embeddings", 1026);
    o.positions_after_pad = am_pad_token(c, 1);
    return o;
}

static bool is_rotary(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bool rotary = am_config_is(c, "position_embedding_type", "rotary");
    if (!rotary && !am_config_is(c, "position_embedding_type", "absolute"))
        am_config_unsupported(c, "position_embedding_type", "\"%s\" is not supported",
                              am_config_text(c, "position_embedding_type", ""));
    return rotary;
}

/* As if 12 % of the tokens were masked, as in training: masked ones are zero, the others grow. x: [B, T, C] */
static am_value drop_masked(am_builder *b, am_value x, const am_esm_text *text)
{
    const am_config *c = am_model_config(b);
    am_value is_masked = am_binary_number(b, AM_EQUAL, text->ids, (double)am_config_int(c, "mask_token_id", -1));
    am_value masked = am_cast(b, is_masked, AM_F32), attended = text->attended;
    am_value observed = am_reduce(b, AM_REDUCE_SUM, masked, am_shape_of(1), true);
    am_value length = attended.id ? am_reduce(b, AM_REDUCE_SUM, am_cast(b, attended, AM_F32), am_shape_of(1), true)
                                  : am_scalar(b, AM_F32, (double)am_dim(b, text->ids, 1));
    am_value kept = am_add_number(b, am_mul_number(b, am_div(b, observed, length), -1), 1);
    am_value scale = am_mul_number(b, am_unary(b, AM_RECIPROCAL, kept), 1 - 0.15 * 0.8);
    am_value visible = am_add_number(b, am_mul_number(b, masked, -1), 1);
    return am_mul(b, x, am_unsqueeze(b, am_mul(b, visible, scale), 2));
}

static am_value place_embeddings(am_builder *b, const am_bert_options *o, const am_esm_text *text)
{
    am_value places =
        text->positions.id ? text->positions : am_positions_after_pad(b, text->ids, o->positions_after_pad);
    return am_embedding(b, "position_embeddings", places, o->max_position_embeddings, o->hidden_size);
}

static am_value embeddings(am_builder *b, const am_bert_options *o, const am_esm_text *text)
{
    const am_config *c = am_model_config(b);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", text->ids, o->vocab_size, o->hidden_size);
    if (am_config_flag(c, "token_dropout", false)) x = drop_masked(b, x, text);
    if (!is_rotary(b)) x = am_add(b, x, place_embeddings(b, o, text));
    if (am_config_flag(c, "emb_layer_norm_before", false)) x = am_layer_norm(b, "layer_norm", x, o->layer_norm_eps);
    am_end_scope(b);
    return text->attended.id ? am_mul(b, x, am_unsqueeze(b, am_cast(b, text->attended, AM_F32), 2)) : x;
}

/* Frequencies of a head's pairs: [D / 2]. Files keep them once, or in every layer, of which the first counts. */
static am_value frequencies(am_builder *b, int64_t D)
{
    static const char *const names[] = {"rotary_embeddings.inv_freq",
                                        "encoder.layer.*.attention.self.rotary_embeddings.inv_freq",
                                        "encoder.layer.0.attention.self.rotary_embeddings.inv_freq"};
    double theta = am_config_real(am_model_config(b), "rope_theta", 10000);
    for (int i = 0; i < 3; i++)
        if (am_has_weight(b, names[i])) return am_cast(b, am_weight(b, names[i], am_shape_of(D / 2)), AM_F32);
    am_value exponents = am_iota(b, AM_F32, am_shape_of(D / 2), 0, 0, -2.0 / (double)D);
    return am_unary(b, AM_EXP, am_mul_number(b, exponents, log(theta)));
}

static am_rope rotations(am_builder *b, int64_t D, const am_esm_text *text)
{
    am_value counted = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, text->ids, 1)), 1, 0, 1);
    am_value places = am_unsqueeze(b, am_cast(b, text->positions.id ? text->positions : counted, AM_F32), 2);
    am_value angles = am_mul(b, places, frequencies(b, D));
    return (am_rope){.cos = am_unary(b, AM_COS, angles), .sin = am_unary(b, AM_SIN, angles)};
}

am_value am_esm_body(am_builder *b, const char *prefix, const am_esm_text *text)
{
    static const am_pre_norm_names names = {.layers = "encoder.layer",
                                            .attention = "attention",
                                            .norm_before = "attention.LayerNorm",
                                            .norm_after = "LayerNorm",
                                            .up = "intermediate.dense",
                                            .down = "output.dense"};
    am_bert_options o = options(b);
    am_pre_norm_options layers = {.num_hidden_layers = o.num_hidden_layers,
                                  .intermediate_size = o.intermediate_size,
                                  .hidden_act = AM_GELU,
                                  .layer_norm_eps = o.layer_norm_eps,
                                  .attention = am_bert_attention_default(b, &o).projections,
                                  .names = &names,
                                  .final_norm = "encoder.emb_layer_norm_after",
                                  .final_norm_eps = o.layer_norm_eps,
                                  .hidden_states = text->out_states ? "" : NULL,
                                  .out_states = text->out_states};
    am_rope rope;
    layers.attention.mask = am_padding_mask_of(b, text->attended);
    am_scope(b, "%s", prefix);
    if (is_rotary(b)) {
        rope = rotations(b, o.hidden_size / o.num_attention_heads, text);
        layers.attention.rope = &rope;
    }
    am_value x = am_pre_norm_layers(b, embeddings(b, &o, text), &layers);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    am_esm_text text = {.ids = am_flat_input(b, "input_ids"),
                        .attended = am_flat_input(b, "attention_mask"),
                        .positions = am_flat_input(b, "position_ids")};
    return text.ids.id ? am_esm_body(b, prefix, &text) : am_input(b, "input_ids", 2);
}

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_roberta_lm_logits(b, am_text_body(b), &o, "esm"));
}

static const am_architecture architectures[] = {
    {"EsmModel", am_text_model, "feature-extraction", 0},
    {"EsmForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"EsmForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"EsmForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"EsmForProteinFolding", am_esm_for_protein_folding, NULL, 0},
    {0},
};

static const am_text_family family = {.prefix = "esm", .body = body};

const am_model_type am_model_esm = {
    .name = "esm", .base_prefix = "esm", .architectures = architectures, .family = &family};
