/* Dia: an encoder of bytes and a decoder whose frames are the sum of a row of each channel; pre-norm layers with rotary
   positions and gated feed-forward parts; scores are not scaled. transformers: models/dia/modeling_dia.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"

#include <inttypes.h>

typedef struct side {
    am_config config;
    int64_t width, layers, inner, vocab;
    am_unary_fn hidden_act;
    double eps;
    am_attention_options attention;
    am_rope_config rope;
} side;

typedef struct dia_config {
    side encoder, decoder;
    am_attention_options cross;
    int64_t channels;
    const char *prefix; /* of the body's weights: "model" or "" */
} dia_config;

static const am_attention_options plain = {
    .out = "o_proj", .no_q_bias = true, .no_k_bias = true, .no_v_bias = true, .no_out_bias = true, .scale = 1};

static side read_side(const am_config *c, bool decodes)
{
    side r = {.config = *c,
              .width = am_config_size(c, "hidden_size", decodes ? 2048 : 1024),
              .layers = am_config_count(c, "num_hidden_layers", decodes ? 18 : 12),
              .inner = am_config_size(c, "intermediate_size", decodes ? 8192 : 4096),
              .vocab = am_config_size(c, "vocab_size", decodes ? 1028 : 256),
              .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
              .eps = am_config_real(c, "norm_eps", 1e-5),
              .attention = plain};
    am_attention_options *a = &r.attention;
    a->heads = am_config_size(c, "num_attention_heads", 16);
    a->kv_heads = am_config_size(c, "num_key_value_heads", decodes ? 4 : 16);
    a->head_dim = am_config_size(c, "head_dim", 128);
    am_config_check_divides(c, "num_key_value_heads", a->kv_heads, "num_attention_heads", a->heads);
    r.rope = am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, a->head_dim, 10000, 1,
                                        decodes ? 3072 : 1024);
    return r;
}

static dia_config read_config(am_builder *b, const char *prefix)
{
    am_config e = am_config_child(am_model_config(b), "encoder_config"),
              d = am_config_child(am_model_config(b), "decoder_config");
    dia_config r = {.encoder = read_side(&e, false),
                    .decoder = read_side(&d, true),
                    .cross = plain,
                    .channels = am_config_size(&d, "num_channels", 9),
                    .prefix = prefix};
    r.cross.heads = am_config_size(&d, "cross_num_attention_heads", 16);
    r.cross.kv_heads = am_config_size(&d, "cross_num_key_value_heads", 16);
    r.cross.head_dim = am_config_size(&d, "cross_head_dim", 128);
    am_config_check_divides(&d, "cross_num_key_value_heads", r.cross.kv_heads, "cross_num_attention_heads",
                            r.cross.heads);
    if (am_config_size(&d, "cross_hidden_size", 1024) != r.encoder.width)
        am_config_fail(&d, "cross_hidden_size", "expected the encoder's hidden_size, %" PRId64, r.encoder.width);
    if (r.channels > INT32_MAX / r.decoder.vocab)
        am_config_fail(&d, "num_channels", "%" PRId64 " of %" PRId64 " rows are too many", r.channels, r.decoder.vocab);
    return r;
}

/* --- layers --- */

static am_value self_attention(am_builder *b, am_value x, const am_attention_options *options, const side *s)
{
    am_value h = am_rms_norm(b, "pre_sa_norm", x, s->eps, 0);
    am_scope(b, "self_attention");
    h = am_self_attention(b, h, options);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value feed_forward(am_builder *b, const char *norm, am_value x, const side *s)
{
    am_value h = am_linear(b, "mlp.gate_up_proj", am_rms_norm(b, norm, x, s->eps, 0), 2 * s->inner, AM_NO_BIAS);
    h = am_gated_activation(b, s->hidden_act, h, AM_NONE);
    return am_add(b, x, am_linear(b, "mlp.down_proj", h, s->width, AM_NO_BIAS));
}

static am_value encode(am_builder *b, const void *model)
{
    const dia_config *c = model;
    const side *s = &c->encoder;
    am_attention_options options = s->attention;
    am_value ids = am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, ids, 1);
    am_rope rope = am_rope_tables_at(b, &s->rope, am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1));
    options.rope = &rope;
    options.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", c->prefix);
    am_scope(b, "encoder");
    am_value x = am_embedding(b, "embedding", ids, s->vocab, s->width);
    for (int i = 0; i < s->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "encoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = feed_forward(b, "post_sa_norm", self_attention(b, x, &options, s), s);
        am_end_scope(b);
    }
    x = am_rms_norm(b, "norm", x, s->eps, 0);
    am_output_hidden_state(b, "encoder_hidden_states", (int)s->layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* The input decoder_input_ids: I32 [B, T, channels]; without it a frame of the first token. */
static am_value codes(am_builder *b, am_value encoded, const dia_config *c)
{
    if (!am_has_input(b, "decoder_input_ids")) {
        am_value bos = am_scalar(b, AM_I32, (double)am_config_int(&c->decoder.config, "bos_token_id", 1026));
        return am_broadcast(b, bos, am_shape_of(am_dim(b, encoded, 0), 1, c->channels));
    }
    am_value ids = am_input(b, "decoder_input_ids", 3);
    if (ids.id && am_dim(b, ids, 2) != c->channels)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "decoder_input_ids has %" PRId64 " channels, expected %" PRId64 " (num_channels)",
                                    am_dim(b, ids, 2), c->channels));
    return ids;
}

static am_value embed(am_builder *b, am_value ids, const dia_config *c)
{
    const side *s = &c->decoder;
    am_value offsets = am_iota(b, AM_I32, am_shape_of(1, 1, c->channels), 2, 0, (double)s->vocab);
    am_value rows = am_embedding(b, "embeddings.embed", am_add(b, ids, offsets), s->vocab * c->channels, s->width);
    return am_reduce(b, AM_REDUCE_SUM, rows, am_shape_of(2), false);
}

static am_value decoder_layer(am_builder *b, am_value x, am_value encoded, const am_attention_options *self,
                              const am_attention_options *cross, const side *s)
{
    x = self_attention(b, x, self, s);
    am_value h = am_rms_norm(b, "pre_ca_norm", x, s->eps, 0);
    am_scope(b, "cross_attention");
    x = am_add(b, x, am_cross_attention(b, h, encoded, cross));
    am_end_scope(b);
    return feed_forward(b, "pre_mlp_norm", x, s);
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const dia_config *c = model;
    const side *s = &c->decoder;
    am_attention_options self = s->attention, cross = c->cross;
    am_value ids = codes(b, encoded, c), places = am_input_optional(b, "decoder_position_ids", 2);
    if (!places.id) places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1);
    am_rope rope = am_rope_tables_at(b, &s->rope, places);
    self.rope = &rope;
    self.causal = true;
    self.mask = am_padding_mask(b, "decoder_attention_mask");
    cross.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", c->prefix);
    am_scope(b, "decoder");
    am_value x = embed(b, ids, c);
    for (int i = 0; i < s->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "decoder_hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, encoded, &self, &cross, s);
        am_end_scope(b);
    }
    x = am_rms_norm(b, "norm", x, s->eps, 0);
    am_output_hidden_state(b, "decoder_hidden_states", (int)s->layers, x);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void dia_model(am_builder *b)
{
    dia_config c = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (x.id) am_output(b, "last_hidden_state", x);
}

/* Logits of each channel: [B * channels, T, vocab]. */
static void for_conditional_generation(am_builder *b)
{
    dia_config c = read_config(b, "model");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &c});
    if (!x.id) return;
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), N = c.channels, V = c.decoder.vocab;
    x = am_reshape(b, am_linear(b, "logits_dense", x, N * V, AM_NO_BIAS), am_shape_of(B, T, N, V));
    am_output(b, "logits", am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B * N, T, V)));
}

static const am_architecture architectures[] = {
    {"DiaModel", dia_model, NULL, 0},
    /* it does not generate here: channels are some tokens apart from each other, which generation of texts does not
       know */
    {"DiaForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_dia = {.name = "dia", .base_prefix = "model", .architectures = architectures};
