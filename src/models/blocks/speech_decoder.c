#include "models/blocks/speech_decoder.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/parakeet.h"
#include "models/blocks/seq2seq.h"
#include "models/blocks/sinusoids.h"

#include <math.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* What files call the weights. */
typedef struct names {
    const char *decoder, *words, *positions, *embedding_norm; /* below the body, the others below the decoder */
    const char *layers, *last_norm, *projection;              /* the last below the body */
    const char *norms[3], *self, *cross;                      /* below a layer */
    const char *q, *k, *v, *out, *up, *down;
    const char *head;
} names;

static const names own_names = {.decoder = "decoder",
                                .words = "embed_tokens",
                                .positions = "pos_emb.weight",
                                .embedding_norm = "embedding_layernorm",
                                .layers = "layers",
                                .last_norm = "norm",
                                .projection = "decoder.proj",
                                .norms = {"input_layernorm", "post_attention_layernorm", "final_layernorm"},
                                .self = "self_attn",
                                .cross = "encoder_attn",
                                .q = "q_proj",
                                .k = "k_proj",
                                .v = "v_proj",
                                .out = "o_proj",
                                .up = "mlp.fc1",
                                .down = "mlp.fc2",
                                .head = "proj_out"};

/* NeMo's, which Cohere's files kept. */
static const names nemo_names = {.decoder = "transf_decoder",
                                 .words = "_embedding.token_embedding",
                                 .positions = "_embedding.position_embedding.pos_enc",
                                 .embedding_norm = "_embedding.layer_norm",
                                 .layers = "_decoder.layers",
                                 .last_norm = "_decoder.final_layer_norm",
                                 .projection = "encoder_decoder_proj",
                                 .norms = {"layer_norm_1", "layer_norm_2", "layer_norm_3"},
                                 .self = "first_sub_layer",
                                 .cross = "second_sub_layer",
                                 .q = "query_net",
                                 .k = "key_net",
                                 .v = "value_net",
                                 .out = "out_projection",
                                 .up = "third_sub_layer.dense_in",
                                 .down = "third_sub_layer.dense_out",
                                 .head = "log_softmax.mlp.layer0"};

typedef struct speech_decoder {
    am_config config, encoder; /* of the decoder; of the encoder */
    int64_t vocab, width, layers, inner, positions;
    am_unary_fn hidden_act;
    am_attention_options attention;
    const names *names;
    const char *prefix; /* of the body's weights: "model" or "" */
} speech_decoder;

static const am_speech_decoder_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static const names *names_of(am_builder *b, const char *prefix)
{
    am_scope(b, "%s", prefix);
    bool nemo = am_has_weight(b, "transf_decoder._embedding.token_embedding.weight");
    am_end_scope(b);
    return nemo ? &nemo_names : &own_names;
}

static void read_attention(speech_decoder *m, int64_t head_dim)
{
    const am_config *c = &m->config;
    am_attention_options *a = &m->attention;
    bool bias = am_config_flag(c, "attention_bias", true);
    a->heads = am_config_size(c, "num_attention_heads", 8);
    a->kv_heads = am_config_size(c, "num_key_value_heads", a->heads);
    am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", m->width);
    am_config_check_divides(c, "num_key_value_heads", a->kv_heads, "num_attention_heads", a->heads);
    if (am_config_is_null(c, "head_dim") || head_dim == 0) head_dim = m->width / a->heads;
    a->head_dim = am_config_size(c, "head_dim", head_dim);
    a->no_q_bias = a->no_k_bias = a->no_v_bias = a->no_out_bias = !bias;
    a->q = m->names->q;
    a->k = m->names->k;
    a->v = m->names->v;
    a->out = m->names->out;
}

static speech_decoder read_model(am_builder *b, const char *prefix)
{
    const am_speech_decoder_family *f = family_of(b);
    const am_config *whole = am_model_config(b);
    am_config c = f->config ? am_config_child(whole, f->config) : *whole;
    speech_decoder m = {.config = c,
                        .encoder = am_config_child(whole, "encoder_config"),
                        .vocab = am_config_size(&c, "vocab_size", 16384),
                        .width = am_config_size(&c, "hidden_size", 1024),
                        .layers = am_config_count(&c, "num_hidden_layers", f->layers),
                        .inner = am_config_size(&c, "intermediate_size", 4096),
                        .positions = am_config_size(&c, "max_position_embeddings", 1024),
                        .hidden_act = am_config_activation(&c, "hidden_act", AM_RELU),
                        .names = names_of(b, prefix),
                        .prefix = prefix};
    read_attention(&m, f->head_dim);
    if (f->needs_encoder_config && !am_config_has(whole, "encoder_config"))
        am_config_fail(whole, "encoder_config", "expected to be given, found none");
    for (const char *const *field = f->encoder_fields; field && *field; field++)
        if (!am_config_has(&m.encoder, *field)) am_config_fail(&m.encoder, *field, "expected to be given, found none");
    if (!f->learns_positions && m.width % 2) am_config_fail(&c, "hidden_size", "expected an even number");
    return m;
}

static am_value encode(am_builder *b, const void *model)
{
    const speech_decoder *m = model;
    am_config config = m->encoder;
    am_value mask;
    int first = am_output_count(b);
    am_part_outputs states = {0};
    am_scope(b, "%s", m->prefix);
    am_scope(b, "encoder");
    am_value x = am_parakeet_encode(b, &config, &mask);
    am_end_scope(b);
    am_end_scope(b);
    states.count = am_outputs_take(b, first, &states.outputs);
    am_output_part_list(b, &states, "hidden_states", "encoder_hidden_states");
    return x;
}

/* Rows of the positions: I32 [B or 1, T] -> [.., T, C]. */
static am_value positions(am_builder *b, am_value rows, const speech_decoder *m)
{
    am_value table;
    if (family_of(b)->learns_positions) table = am_weight(b, m->names->positions, am_shape_of(m->positions, m->width));
    else
        table = am_mul_number(b, am_sinusoid_table(b, m->positions, m->width, (double)(m->width / 2), -1),
                              1 / sqrt((double)m->width));
    return am_embedding_op(b, table, rows);
}

static am_value embed(am_builder *b, const speech_decoder *m)
{
    am_value ids = am_decoder_input_ids(b, false, -1), rows = am_input_optional(b, "decoder_position_ids", 2);
    if (!rows.id) {
        rows = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1);
        if (am_has_cache(b)) rows = am_add(b, rows, am_cache_offset(b)); /* masks do not shift positions here */
    }
    am_value x = am_add(b, am_embedding(b, m->names->words, ids, m->vocab, m->width), positions(b, rows, m));
    return am_layer_norm(b, m->names->embedding_norm, x, NORM_EPS);
}

static am_value layer(am_builder *b, am_value x, am_value encoded, const am_attention_options *self,
                      const am_attention_options *cross, const speech_decoder *m)
{
    am_value h = am_layer_norm(b, m->names->norms[0], x, NORM_EPS);
    am_scope(b, "%s", m->names->self);
    x = am_add(b, x, am_self_attention(b, h, self));
    am_end_scope(b);
    h = am_layer_norm(b, m->names->norms[1], x, NORM_EPS);
    am_scope(b, "%s", m->names->cross);
    x = am_add(b, x, am_cross_attention(b, h, encoded, cross));
    am_end_scope(b);
    h = am_layer_norm(b, m->names->norms[2], x, NORM_EPS);
    h = am_linear_activation(b, m->names->up, h, m->inner, AM_BIAS, m->hidden_act);
    return am_add(b, x, am_linear(b, m->names->down, h, m->width, AM_BIAS));
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const speech_decoder *m = model;
    am_attention_options self = m->attention, cross = m->attention;
    am_config encoder = m->encoder;
    int64_t S = encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b);
    self.causal = true;
    self.mask = am_packed_mask(b, am_padding_mask(b, "decoder_attention_mask"), "decoder_position_ids");
    cross.mask = am_padding_mask_of(b, am_parakeet_mask(b, &encoder, S));
    am_scope(b, "%s", m->prefix);
    if (encoded.id && family_of(b)->projects) encoded = am_linear(b, m->names->projection, encoded, m->width, AM_BIAS);
    am_scope(b, "%s", m->names->decoder);
    am_value x = embed(b, m);
    for (int i = 0; i < m->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "%s.%d", m->names->layers, i);
        x = layer(b, x, encoded, &self, &cross, m);
        am_end_scope(b);
    }
    x = am_layer_norm(b, m->names->last_norm, x, NORM_EPS);
    am_output_hidden_state(b, "decoder_hidden_states", (int)m->layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

void am_speech_decoder_model(am_builder *b)
{
    speech_decoder m = read_model(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &m});
    if (x.id) am_output(b, "last_hidden_state", x);
}

void am_speech_decoder_for_conditional_generation(am_builder *b)
{
    speech_decoder m = read_model(b, "model");
    char table[128];
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", family_of(b)->tied);
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &m});
    if (!x.id) return;
    snprintf(table, sizeof table, "model.%s.%s.weight", m.names->decoder, m.names->words);
    am_output(b, "logits", am_lm_head(b, m.names->head, x, m.vocab, tied, table, AM_BIAS));
}
