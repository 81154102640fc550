/* DeBERTa: BERT's layers whose scores add products of contents with projected relative positions, exact within
   max_relative_positions. transformers: models/deberta/modeling_deberta.py */
#include "models/blocks/deberta.h"

#include <math.h>

/* Row of each distance t - s among the 2 * span rows that T tokens can reach: I32 [T, T]. */
static am_value rows(am_builder *b, int64_t T, int64_t span)
{
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t t = 0; t < T; t++)
        for (int64_t s = 0; s < T; s++) {
            int64_t row = t - s + span;
            table[t * T + s] = (int32_t)(row < 0 ? 0 : row > 2 * span - 1 ? 2 * span - 1 : row);
        }
    return am_constant_copy(b, AM_I32, am_shape_of(T, T), table);
}

/* The part of rel_embeddings that T tokens can reach: [2 * span, C]; AM_NONE without relative attention. */
static am_value position_table(am_builder *b, const am_deberta_options *o, int64_t span)
{
    int64_t M = o->max_relative_positions;
    if (!o->relative_attention) return AM_NONE;
    am_value table = am_weight(b, "encoder.rel_embeddings.weight", am_shape_of(2 * M, o->body.hidden_size));
    return am_slice(b, am_cast(b, table, AM_F32), 0, M - span, M + span);
}

/* Below attention.self: x: [B, T, C] -> q, k, v: [B, T, H, D], of which k has no bias. */
static void project(am_builder *b, am_value x, const am_bert_options *o, am_value out[3])
{
    int64_t H = o->num_attention_heads, C = o->hidden_size;
    am_split_fused(b, am_linear(b, "in_proj", x, 3 * C, AM_NO_BIAS), H, true, out);
    for (int i = 0; i < 3; i += 2) {
        am_value bias = am_weight(b, i == 0 ? "q_bias" : "v_bias", am_shape_of(C));
        out[i] = am_add(b, out[i], am_reshape(b, bias, am_shape_of(H, C / H)));
    }
}

static am_value split(am_builder *b, am_value rows_of_heads, int64_t heads)
{
    return am_reshape(b, rows_of_heads,
                      am_shape_of(am_dim(b, rows_of_heads, 0), heads, am_dim(b, rows_of_heads, 1) / heads));
}

static am_value attention(am_builder *b, am_value x, const am_deberta_options *o, am_value table, am_value row,
                          am_value mask)
{
    int64_t H = o->body.num_attention_heads, C = o->body.hidden_size;
    am_value qkv[3];
    am_deberta_positions positions = {.row = row};
    am_scope(b, "attention.self");
    project(b, x, &o->body, qkv);
    if (table.id && o->c2p) positions.key = split(b, am_linear(b, "pos_proj", table, C, AM_NO_BIAS), H);
    if (table.id && o->p2c) positions.query = split(b, am_linear(b, "pos_q_proj", table, C, AM_BIAS), H);
    double scale = 1 / sqrt((double)(C / H) * (double)(1 + o->pos_att_types));
    x = am_deberta_attend(b, qkv, &positions, scale, mask);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    am_deberta_options o = am_deberta_options_read(b);
    if (am_config_flag(am_model_config(b), "talking_head", false))
        am_config_unsupported(am_model_config(b), "talking_head", "heads that mix are not supported, found true");
    am_scope(b, "%s", prefix);
    am_value x = am_deberta_embeddings(b, &o), mask = am_deberta_mask(b);
    int64_t T = am_dim(b, x, 1), span = T < o.max_relative_positions ? T : o.max_relative_positions;
    am_value table = position_table(b, &o, span), row = rows(b, T, span);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < o.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = am_bert_layer_end(b, x, attention(b, x, &o, table, row, mask), &o.body);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"DebertaModel", am_deberta_model, "feature-extraction", 0},
    {"DebertaForMaskedLM", am_deberta_for_masked_lm, "fill-mask", 0},
    {"DebertaForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"DebertaForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"DebertaForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "deberta", .body = body, .pooled = am_deberta_pooled};

const am_model_type am_model_deberta = {
    .name = "deberta", .base_prefix = "deberta", .architectures = architectures, .family = &family};
