#include "models/blocks/encoder.h"

#include "models/blocks/heads.h"

#include <stdio.h>
#include <string.h>

static am_bert_options read_fields(const am_config *c)
{
    am_bert_options o = {
        .vocab_size = am_config_size(c, "vocab_size", 30522),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", 3072),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
        .type_vocab_size = am_config_count(c, "type_vocab_size", 2),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .is_decoder = am_config_flag(c, "is_decoder", false),
        .positions_after_pad = -1,
    };
    o.embedding_size = o.hidden_size;
    if (am_config_has(c, "num_attention_heads") && am_config_has(c, "hidden_size")) /* members have other defaults */
        am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

static void check_positions(const am_config *c)
{
    const char *positions = am_config_text(c, "position_embedding_type", "absolute");
    if (strcmp(positions, "absolute") != 0)
        am_config_unsupported(c, "position_embedding_type", "\"%s\" is not supported", positions);
}

am_bert_options am_bert_fields_read(const am_config *c)
{
    if (am_config_flag(c, "add_cross_attention", false))
        am_config_unsupported(c, "add_cross_attention", "cross-attention is not supported in this class");
    return read_fields(c);
}

am_bert_options am_bert_options_read(const am_config *c)
{
    check_positions(c);
    return am_bert_fields_read(c);
}

am_bert_options am_bert_decoder_options_read(const am_config *c)
{
    am_bert_options o = read_fields(c);
    check_positions(c);
    o.add_cross_attention = am_config_flag(c, "add_cross_attention", false);
    if (o.add_cross_attention && !o.is_decoder)
        am_config_fail(c, "add_cross_attention", "only decoders have cross-attention, and is_decoder is false");
    return o;
}

am_value am_bert_positions(am_builder *b, const am_bert_options *o, int64_t T)
{
    /* generate() hands position_ids counted from 0 to every class that takes them, RoBERTa's too, but not to parts */
    bool counted = o->positions_after_pad < 0 || am_has_input(b, "position_ids") || (am_has_cache(b) && !am_is_part(b));
    if (!counted && am_has_input(b, "inputs_embeds")) /* nothing tells pads there */
        return am_iota(b, AM_I32, am_shape_of(1, T), 1, (double)o->positions_after_pad + 1, 1);
    if (!counted) return am_positions_after_pad(b, am_flat_input(b, "input_ids"), o->positions_after_pad);
    am_value given = am_flat_input(b, "position_ids");
    if (given.id) return given;
    am_value counts = am_position_ids(b, T);
    return o->first_position ? am_add_number(b, counts, (double)o->first_position) : counts;
}

am_value am_token_types(am_builder *b, int64_t T)
{
    am_value types = am_flat_input(b, "token_type_ids");
    return types.id ? types : am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 0);
}

/* x: [B, T, C], of the input input_ids where they are given, with zeros at those that count as such. */
static am_value clear_zero_token(am_builder *b, am_value x, const am_bert_options *o)
{
    if (!o->has_zero_token || am_has_input(b, "inputs_embeds")) return x;
    am_value kept = am_binary_number(b, AM_NOT_EQUAL, am_flat_input(b, "input_ids"), (double)o->zero_token);
    return am_select(b, am_unsqueeze(b, kept, 2), x, am_scalar(b, am_dtype_of(b, x), 0));
}

am_value am_bert_embedding_sum(am_builder *b, const am_bert_options *o)
{
    int64_t C = o->embedding_size;
    am_value x = clear_zero_token(b, am_input_embeddings(b, "word_embeddings", o->vocab_size, C), o);
    int64_t T = am_dim(b, x, 1);
    if (o->type_vocab_size)
        x = am_add(b, x, am_embedding(b, "token_type_embeddings", am_token_types(b, T), o->type_vocab_size, C));
    if (!o->no_positions)
        x = am_add(b, x,
                   am_embedding(b, "position_embeddings", am_bert_positions(b, o, T), o->max_position_embeddings, C));
    if (!o->task_type_vocab_size) return x;
    am_value tasks = am_flat_input(b, "task_type_ids");
    if (!tasks.id) tasks = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 0);
    return am_add(b, x, am_embedding(b, "task_type_embeddings", tasks, o->task_type_vocab_size, C));
}

am_value am_bert_embeddings(am_builder *b, const am_bert_options *o)
{
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, o);
    if (!o->pre_norms || o->pre_norms->embeddings) x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

am_value am_bert_feed_forward(am_builder *b, am_value x, const am_bert_options *o)
{
    am_value h = o->pre_norms ? am_layer_norm(b, o->pre_norms->feed_forward, x, o->layer_norm_eps) : x;
    h = am_linear_activation(b, "intermediate.dense", h, o->intermediate_size, AM_BIAS, o->hidden_act);
    x = am_add(b, am_linear(b, "output.dense", h, o->hidden_size, AM_BIAS), x);
    return o->pre_norms ? x : am_layer_norm(b, "output.LayerNorm", x, o->layer_norm_eps);
}

am_value am_bert_attention_end(am_builder *b, am_value x, am_value attended, const am_bert_options *o)
{
    am_scope(b, "attention.output");
    x = am_add(b, am_linear(b, "dense", attended, o->hidden_size, AM_BIAS), x);
    x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

am_value am_bert_layer_end(am_builder *b, am_value x, am_value attended, const am_bert_options *o)
{
    return am_bert_feed_forward(b, am_bert_attention_end(b, x, attended, o), o);
}

am_bert_attention am_bert_attention_default(am_builder *b, const am_bert_options *o)
{
    am_config_check_divides(am_model_config(b), "num_attention_heads", o->num_attention_heads, "hidden_size",
                            o->hidden_size);
    return (am_bert_attention){.projections = {.heads = o->num_attention_heads,
                                               .q = "self.query",
                                               .k = "self.key",
                                               .v = "self.value",
                                               .out = "output.dense",
                                               .causal = o->is_decoder,
                                               .mask = am_flat_padding_mask(b)},
                               .norm = "output.LayerNorm",
                               .encoded = o->add_cross_attention ? am_encoder_states_input(b) : (am_encoder_states){0}};
}

/* Attention below the scope, to itself or to what is encoded, with its norm before or after. */
static am_value attention(am_builder *b, am_value x, const am_bert_options *o, const am_bert_attention *a, bool crosses)
{
    am_attention_options projections = a->projections;
    if (crosses) {
        projections.causal = false;
        projections.mask = a->encoded.mask;
    }
    am_scope(b, crosses ? "crossattention" : "attention");
    am_value h = o->pre_norms ? am_layer_norm(b, o->pre_norms->attention, x, o->layer_norm_eps) : x;
    h = crosses ? am_cross_attention(b, h, a->encoded.states, &projections) : am_self_attention(b, h, &projections);
    x = am_add(b, h, x);
    if (!o->pre_norms) x = am_layer_norm(b, a->norm, x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const am_bert_options *o, const am_bert_attention *a)
{
    x = attention(b, x, o, a, false);
    if (a->encoded.given) x = attention(b, x, o, a, true);
    return o->feed_forward ? o->feed_forward(b, x, o) : am_bert_feed_forward(b, x, o);
}

static void keep_state(am_builder *b, const am_bert_options *o, int64_t i, am_value x)
{
    const char *states = o->hidden_states ? o->hidden_states : "hidden_states";
    if (states[0]) am_output_hidden_state(b, states, (int)i, x);
}

am_value am_bert_layers(am_builder *b, am_value x, const am_bert_options *o, const am_bert_attention *a)
{
    for (int i = 0; i < o->num_hidden_layers && !am_builder_failed(b); i++) {
        keep_state(b, o, i, x);
        am_scope(b, "%s.%d", o->layers ? o->layers : "encoder.layer", i);
        x = layer(b, x, o, a);
        am_end_scope(b);
    }
    if (o->pre_norms) x = am_layer_norm(b, o->pre_norms->last, x, o->layer_norm_eps);
    keep_state(b, o, o->num_hidden_layers, x);
    return x;
}

am_value am_bert_encoder(am_builder *b, am_value x, const am_bert_options *o)
{
    am_bert_attention attention = am_bert_attention_default(b, o);
    return am_bert_layers(b, x, o, &attention);
}

am_value am_bert_body(am_builder *b, const am_bert_options *o, const char *prefix)
{
    const char *projection = o->projection;
    if (!projection && o->embedding_size != o->hidden_size) projection = "embeddings_project";
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, o);
    if (projection) x = am_linear(b, projection, x, o->hidden_size, AM_BIAS);
    x = am_bert_encoder(b, x, o);
    am_end_scope(b);
    return x;
}

am_value am_bert_pooler(am_builder *b, const char *prefix, am_value x)
{
    am_scope(b, "%s", prefix);
    x = am_linear_activation(b, "pooler.dense", am_index(b, x, 1, 0), am_dim(b, x, -1), AM_BIAS, AM_TANH);
    am_end_scope(b);
    return x;
}

enum { TABLE_NAME_BYTES = 128 };

/* the whole name of the body's word table */
static void word_table(char out[TABLE_NAME_BYTES], const char *prefix)
{
    snprintf(out, TABLE_NAME_BYTES, "%s.embeddings.word_embeddings.weight", prefix);
}

static bool is_tied(am_builder *b)
{
    return am_config_flag(am_model_config(b), "tie_word_embeddings", true);
}

/* DENSE, activation, NORM, decoder below the scope */
static am_value lm_logits(am_builder *b, am_value x, const am_bert_options *o, const char *prefix, const char *dense,
                          am_unary_fn activation, const char *norm)
{
    char table[TABLE_NAME_BYTES];
    word_table(table, prefix);
    x = am_linear_activation(b, dense, x, o->embedding_size, AM_BIAS, activation);
    x = am_layer_norm(b, norm, x, o->layer_norm_eps);
    return am_masked_lm_decoder(b, x, o->vocab_size, is_tied(b), table);
}

am_value am_bert_lm_logits(am_builder *b, am_value x, const am_bert_options *o, const char *prefix)
{
    am_scope(b, "cls.predictions");
    x = am_last_position_if_wanted(b, x);
    x = lm_logits(b, x, o, prefix, "transform.dense", o->hidden_act, "transform.LayerNorm");
    am_end_scope(b);
    return x;
}

am_value am_roberta_lm_logits(am_builder *b, am_value x, const am_bert_options *o, const char *prefix)
{
    am_scope(b, "lm_head");
    x = lm_logits(b, am_last_position_if_wanted(b, x), o, prefix, "dense", AM_GELU, "layer_norm");
    am_end_scope(b);
    return x;
}

am_value am_generator_lm_logits(am_builder *b, am_value x, const am_bert_options *o, const char *prefix)
{
    char table[TABLE_NAME_BYTES];
    am_scope(b, "generator_predictions");
    x = am_last_position_if_wanted(b, x);
    x = am_linear_activation(b, "dense", x, o->embedding_size, AM_BIAS, AM_GELU);
    x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    word_table(table, prefix);
    return am_lm_head(b, "generator_lm_head", x, o->vocab_size, is_tied(b), table, AM_BIAS);
}

void am_output_choices(am_builder *b, am_value scores)
{
    am_value ids = am_input(b, "input_ids", 3);
    am_output(b, "logits", am_reshape(b, scores, am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1))));
}
