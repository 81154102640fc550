#include "models/blocks/deberta.h"

#include <string.h>

/* pos_att_type: a list, or names with bars between them */
static void read_scores(const am_config *c, am_deberta_options *o)
{
    bool is_text = am_json_kind_of(am_json_get(c->object, "pos_att_type")) == AM_JSON_STRING;
    const char *type = am_config_list_text(c, "pos_att_type", 0);
    const char *text = is_text ? am_config_text(c, "pos_att_type", NULL) : NULL;
    for (int i = 0; type; type = am_config_list_text(c, "pos_att_type", ++i), o->pos_att_types++) {
        o->c2p = o->c2p || strcmp(type, "c2p") == 0;
        o->p2c = o->p2c || strcmp(type, "p2c") == 0;
    }
    if (!text) return;
    o->c2p = strstr(text, "c2p") != NULL;
    o->p2c = strstr(text, "p2c") != NULL;
    for (o->pos_att_types = 1; (text = strchr(text, '|')); text++) o->pos_att_types++;
}

am_deberta_options am_deberta_options_read(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_deberta_options o = {.body = am_bert_options_read(c),
                            .relative_attention = am_config_flag(c, "relative_attention", false),
                            .legacy = am_config_flag(c, "legacy", true)};
    int64_t reach = am_config_int(c, "max_relative_positions", -1);
    o.body.vocab_size = am_config_size(c, "vocab_size", 50265);
    o.body.type_vocab_size = am_config_count(c, "type_vocab_size", 0);
    o.body.layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-7);
    o.body.embedding_size = am_config_size(c, "embedding_size", o.body.hidden_size);
    o.body.no_positions = !am_config_flag(c, "position_biased_input", true);
    o.max_relative_positions = reach < 1 ? o.body.max_position_embeddings : reach;
    read_scores(c, &o);
    return o;
}

am_value am_deberta_embeddings(am_builder *b, const am_deberta_options *o)
{
    am_flat_input(b, "token_type_ids"); /* taken, and left aside where there are no types */
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &o->body);
    if (o->body.embedding_size != o->body.hidden_size)
        x = am_linear(b, "embed_proj", x, o->body.hidden_size, AM_NO_BIAS);
    x = am_layer_norm(b, "LayerNorm", x, o->body.layer_norm_eps);
    am_end_scope(b);
    return am_zero_masked(b, x);
}

am_value am_deberta_mask(am_builder *b)
{
    am_value keys = am_flat_padding_mask(b);
    return keys.id ? am_binary(b, AM_LOGICAL_AND, keys, am_transpose(b, keys, 2, 3)) : AM_NONE;
}

/* x: [B, T, H, D] times rows: [R, H, D], at[t, s] of the R products for every pair: [B, H, T, S] */
static am_value scores_at(am_builder *b, am_value x, am_value rows, am_value at)
{
    am_value products =
        am_matmul(b, am_transpose(b, x, 1, 2), am_unsqueeze(b, am_transpose(b, rows, 0, 1), 0), false, true);
    am_shape s = am_shape_of_value(b, products);
    s.dims[3] = am_dim(b, at, 1);
    return am_gather(b, products, am_broadcast(b, at, s), 3, true);
}

am_value am_deberta_attend(am_builder *b, const am_value qkv[3], const am_deberta_positions *p, double scale,
                           am_value mask)
{
    am_value bias = AM_NONE;
    if (p->key.id) bias = scores_at(b, qkv[0], p->key, p->row);
    if (p->query.id) {
        am_value scores = am_transpose(b, scores_at(b, qkv[1], p->query, am_transpose(b, p->row, 0, 1)), 2, 3);
        bias = bias.id ? am_add(b, bias, scores) : scores;
    }
    if (bias.id) bias = am_mul_number(b, bias, scale);
    am_attention_inputs inputs = {.q = qkv[0], .k = qkv[1], .v = qkv[2], .mask = mask, .bias = bias};
    return am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = scale}));
}

am_value am_deberta_pooled(am_builder *b, const char *prefix, am_value x)
{
    (void)prefix;
    const am_config *c = am_model_config(b);
    return am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0),
                                am_config_size(c, "pooler_hidden_size", am_dim(b, x, -1)), AM_BIAS,
                                am_config_activation(c, "pooler_hidden_act", AM_GELU));
}

void am_deberta_model(am_builder *b)
{
    const am_text_family *f = am_model_family(b);
    am_output(b, "last_hidden_state", f->body(b, ""));
}

/* The head of files that are not legacy reads the word table even where weights are not tied. */
static am_value lm_logits(am_builder *b, am_value x, const am_deberta_options *o)
{
    am_scope(b, "lm_predictions.lm_head");
    x = am_linear_activation(b, "dense", x, o->body.hidden_size, AM_BIAS, o->body.hidden_act);
    x = am_layer_norm(b, "LayerNorm", x, o->body.layer_norm_eps);
    am_value table = am_weight_absolute(b, "deberta.embeddings.word_embeddings.weight",
                                        am_shape_of(o->body.vocab_size, o->body.hidden_size));
    x = am_linear_with(b, x, table, am_weight(b, "bias", am_shape_of(o->body.vocab_size)));
    am_end_scope(b);
    return x;
}

void am_deberta_for_masked_lm(am_builder *b)
{
    am_deberta_options o = am_deberta_options_read(b);
    am_value x = am_text_body(b);
    am_output(b, "logits", o.legacy ? am_bert_lm_logits(b, x, &o.body, "deberta") : lm_logits(b, x, &o));
}
