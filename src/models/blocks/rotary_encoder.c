#include "models/blocks/rotary_encoder.h"

#include "models/blocks/rotary.h"

#include <stdio.h>

am_bert_options am_rotary_encoder_options(am_builder *b, const am_rotary_encoder *e)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_fields_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", e->vocab_size);
    o.type_vocab_size = am_config_count(c, "type_vocab_size", e->type_vocab_size);
    o.layer_norm_eps = am_config_real(c, "layer_norm_eps", e->layer_norm_eps);
    o.no_positions = true;
    return o;
}

static am_value layer(am_builder *b, am_value x, const am_rotary_encoder *e, const am_bert_options *o,
                      const am_attention_options *attention)
{
    x = am_layer_norm(b, e->attention_norm, am_add(b, x, am_self_attention(b, x, attention)), o->layer_norm_eps);
    return am_layer_norm(b, e->mlp_norm, am_add(b, x, e->mlp(b, x, o)), o->layer_norm_eps);
}

am_value am_rotary_encoder_body(am_builder *b, const am_rotary_encoder *e, const char *prefix)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_rotary_encoder_options(b, e);
    int64_t D =
        am_config_has(c, "head_dim") ? am_config_size(c, "head_dim", 64) : o.hidden_size / o.num_attention_heads;
    am_rope_config config =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, D, e->theta, 1, e->max_positions);
    am_scope(b, "%s", prefix);
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &o);
    am_end_scope(b);
    x = am_layer_norm(b, e->embeddings_norm, x, o.layer_norm_eps);
    am_rope rope = am_rope_tables(b, &config, am_dim(b, x, 1));
    am_attention_options attention = {.heads = o.num_attention_heads,
                                      .head_dim = D,
                                      .qkv = e->qkv,
                                      .out = e->out,
                                      .no_q_bias = e->unbiased,
                                      .no_out_bias = e->unbiased,
                                      .rope = &rope,
                                      .mask = am_flat_padding_mask(b)};
    for (int i = 0; i < o.num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "%s.%d", e->layers, i);
        x = layer(b, x, e, &o, &attention);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)o.num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

void am_rotary_encoder_lm(am_builder *b, const am_rotary_encoder *e, const char *prefix, const char *scope,
                          const char *dense, am_unary_fn activation, const char *norm)
{
    char table[128];
    am_bert_options o = am_rotary_encoder_options(b, e);
    am_value x = am_rotary_encoder_body(b, e, prefix);
    snprintf(table, sizeof table, "%s.embeddings.word_embeddings.weight", prefix);
    am_scope(b, "%s", scope);
    x = am_linear_activation(b, dense, x, o.hidden_size, AM_BIAS, activation);
    x = am_layer_norm(b, norm, x, o.layer_norm_eps);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_output(b, "logits", am_masked_lm_decoder(b, x, o.vocab_size, tied, table));
    am_end_scope(b);
}
