/* T5Gemma: an encoder and a decoder of Gemma 2's layers, the encoder's looking both ways and the decoder's with
   attention to the encoder between their parts. transformers: models/t5gemma/modeling_t5gemma.py */
#include "models/blocks/gemma.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"

/* One of the two, with its own configuration. */
typedef struct side {
    am_config config;
    am_decoder_options o;
    const char *name;          /* of its scope: "encoder" */
    const char *mask;          /* input that tells padding */
    const char *hidden_states; /* name among the outputs; null: none */
} side;

typedef struct t5gemma {
    side encoder, decoder;
    const char *prefix; /* of both: "model", or "" */
    bool shifts;        /* decoder_input_ids may be input_ids behind the first token of a text */
} t5gemma;

/* What goes through the layers of a side. */
typedef struct run {
    const side *s;
    am_attention_options attention, cross;
    am_value encoded;
} run;

static const am_decoder_family module = {.defaults = {.vocab_size = 256000,
                                                      .hidden_size = 2304,
                                                      .intermediate_size = 9216,
                                                      .num_hidden_layers = 26,
                                                      .num_attention_heads = 8,
                                                      .num_key_value_heads = 4,
                                                      .head_dim = 256,
                                                      .max_position_embeddings = 8192,
                                                      .whole_heads = true,
                                                      .tied = true,
                                                      .has_pad_token = true},
                                         .adapt = am_gemma2_adapt};

/* Reads the side NAME; out->config has to stay where it is. */
static void read_side(am_builder *b, const char *name, bool decodes, side *out)
{
    *out = (side){.config = am_config_child(am_model_config(b), name),
                  .name = name,
                  .mask = decodes ? "decoder_attention_mask" : "attention_mask",
                  .hidden_states = decodes ? "decoder_hidden_states" : "encoder_hidden_states"};
    out->o = am_decoder_options_read(&out->config, &module);
    am_config_check_divides(&out->config, "num_attention_heads", out->o.num_attention_heads, "hidden_size",
                            out->o.hidden_size);
    if (decodes && !out->o.causal)
        am_config_unsupported(&out->config, "is_causal", "a decoder that looks both ways is not supported");
}

static bool is_encoder_decoder(am_builder *b)
{
    return am_config_flag(am_model_config(b), "is_encoder_decoder", true);
}

/* Reads both; *out has to stay where it is. */
static void read_config(am_builder *b, const char *prefix, t5gemma *out)
{
    *out = (t5gemma){.prefix = prefix};
    read_side(b, "encoder", false, &out->encoder);
    read_side(b, "decoder", true, &out->decoder);
    if (!is_encoder_decoder(b))
        am_config_fail(am_model_config(b), "is_encoder_decoder", "this class has a decoder, found false");
}

/* --- layers --- */

static am_value norm(am_builder *b, const char *name, am_value x, const side *s)
{
    return am_rms_norm(b, name, x, s->o.rms_norm_eps, 1);
}

static am_value self_attention(am_builder *b, am_value x, const run *r, int layer)
{
    const side *s = r->s;
    am_attention_options options = r->attention;
    if (s->o.sliding[layer] && s->o.sliding_window == 0)
        am_config_fail(&s->config, "sliding_window", "layer %d has a window, found no size", layer);
    if (s->o.sliding[layer]) options.window = s->o.sliding_window + (options.causal ? 0 : 1);
    am_value h = norm(b, "pre_self_attn_layernorm", x, s);
    am_scope(b, "self_attn");
    h = am_self_attention(b, h, &options);
    am_end_scope(b);
    return am_add(b, x, norm(b, "post_self_attn_layernorm", h, s));
}

static am_value cross_attention(am_builder *b, am_value x, const run *r)
{
    am_value h = norm(b, "pre_cross_attn_layernorm", x, r->s);
    am_scope(b, "cross_attn");
    h = am_cross_attention(b, h, r->encoded, &r->cross);
    am_end_scope(b);
    return am_add(b, x, norm(b, "post_cross_attn_layernorm", h, r->s));
}

static am_value feed_forward(am_builder *b, am_value x, const side *s)
{
    am_value h = norm(b, "pre_feedforward_layernorm", x, s);
    am_scope(b, "mlp");
    h = am_gated_mlp(b, h, s->o.intermediate_size, s->o.hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, norm(b, "post_feedforward_layernorm", h, s));
}

static void output_state(am_builder *b, const side *s, int i, am_value x)
{
    if (s->hidden_states) am_output_hidden_state(b, s->hidden_states, i, x);
}

/* The layers of a side below its scope over words: [B, T, C]. */
static am_value layers(am_builder *b, am_value words, const run *r, bool crosses)
{
    const side *s = r->s;
    am_value x = am_mul_number(b, words, s->o.embedding_scale);
    for (int i = 0; i < s->o.num_hidden_layers && !am_builder_failed(b); i++) {
        output_state(b, s, i, x);
        am_scope(b, "layers.%d", i);
        x = self_attention(b, x, r, i);
        if (crosses) x = cross_attention(b, x, r);
        x = feed_forward(b, x, s);
        am_end_scope(b);
    }
    x = norm(b, "norm", x, s);
    output_state(b, s, (int)s->o.num_hidden_layers, x);
    return x;
}

static am_attention_options attention_of(const side *s, am_value mask)
{
    const am_decoder_options *o = &s->o;
    return (am_attention_options){.heads = o->num_attention_heads,
                                  .kv_heads = o->num_key_value_heads,
                                  .head_dim = o->head_dim,
                                  .out = "o_proj",
                                  .no_q_bias = !o->qkv_bias,
                                  .no_k_bias = !o->qkv_bias,
                                  .no_v_bias = !o->qkv_bias,
                                  .no_out_bias = !o->out_bias,
                                  .mask = mask,
                                  .scale = o->attention_scale,
                                  .soft_cap = o->attention_soft_cap};
}

/* The input that tells a side's padding or, where there is none, what is no pad token of ids (AM_NONE: nothing is
   hidden): [B, 1, 1, T]. */
static am_value mask_of(am_builder *b, const side *s, am_value ids)
{
    if (am_has_input(b, s->mask) || !ids.id) return am_padding_mask(b, s->mask);
    if (s->o.pad_token_id < 0) am_config_fail(&s->config, "pad_token_id", "masks are made of it, found none");
    return am_padding_mask_of(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)s->o.pad_token_id));
}

static am_value encode(am_builder *b, const void *model)
{
    const t5gemma *m = model;
    const side *s = &m->encoder;
    bool embedded = am_has_input(b, "inputs_embeds");
    am_value ids = embedded ? AM_NONE : am_input(b, "input_ids", 2);
    run r = {.s = s, .attention = attention_of(s, mask_of(b, s, ids))};
    am_scope(b, "%s", m->prefix);
    am_scope(b, "%s", s->name);
    am_value words = embedded ? am_input(b, "inputs_embeds", 3)
                              : am_embedding(b, "embed_tokens", ids, s->o.vocab_size, s->o.hidden_size);
    am_rope rope = am_rope_tables(b, &s->o.rope, am_dim(b, words, 1));
    r.attention.rope = &rope;
    am_value x = layers(b, words, &r, false);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Of the run's T tokens: the input decoder_position_ids, or counted behind what the caches hold. */
static am_value decoder_positions(am_builder *b, int64_t T)
{
    am_value given = am_input_optional(b, "decoder_position_ids", 2);
    if (given.id) return given;
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    return am_has_cache(b) ? am_add(b, places, am_cache_offset(b)) : places;
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const t5gemma *m = model;
    const side *s = &m->decoder;
    int64_t bos = am_config_int(&s->config, "bos_token_id", 2);
    am_value ids = m->shifts ? am_decoder_input_ids_behind(b, bos) : am_decoder_input_ids(b, false, -1);
    run r = {.s = s,
             .attention = attention_of(s, mask_of(b, s, am_has_cache(b) ? AM_NONE : ids)), /* as transformers does */
             .cross = attention_of(s, am_padding_mask(b, m->encoder.mask)),
             .encoded = encoded};
    am_rope rope = am_rope_tables_at(b, &s->o.rope, decoder_positions(b, am_dim(b, ids, 1)));
    r.attention.rope = &rope;
    r.attention.causal = true;
    am_scope(b, "%s", m->prefix);
    am_scope(b, "%s", s->name);
    am_value x = layers(b, am_embedding(b, "embed_tokens", ids, s->o.vocab_size, s->o.hidden_size), &r, true);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

/* What the decoder gives where the stage has one. Its last state is its only one where others are not wanted. */
static am_value run_both(am_builder *b, const t5gemma *m)
{
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, m});
    if (x.id && am_model_stage(b) == AM_STAGE_FORWARD && !am_wants_hidden_states(b))
        am_output(b, "decoder_hidden_states.0", x);
    return x;
}

static void t5gemma_model(am_builder *b)
{
    t5gemma m;
    read_config(b, "", &m);
    am_value x = run_both(b, &m);
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    t5gemma m;
    read_config(b, "model", &m);
    am_value x = run_both(b, &m);
    if (!x.id) return;
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    double cap = m.decoder.o.final_soft_cap;
    am_value logits = am_lm_head(b, "lm_head.out_proj", x, m.decoder.o.vocab_size, tied,
                                 "model.decoder.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}

/* The encoder alone, below `prefix`. */
static am_value encoder_alone(am_builder *b, const char *prefix)
{
    t5gemma m = {.prefix = prefix};
    read_side(b, "encoder", false, &m.encoder);
    m.encoder.hidden_states = "hidden_states";
    return encode(b, &m);
}

static void encoder_model(am_builder *b)
{
    if (is_encoder_decoder(b))
        am_config_fail(am_model_config(b), "is_encoder_decoder", "this class has no decoder, found true");
    am_output(b, "last_hidden_state", encoder_alone(b, ""));
}

/* What classifiers read: the decoder's states where there is a decoder, else the encoder's: [B, T, C]. */
static am_value states(am_builder *b)
{
    t5gemma m;
    if (!is_encoder_decoder(b)) return encoder_alone(b, "model");
    read_config(b, "model", &m);
    m.shifts = true;
    m.encoder.hidden_states = NULL;
    m.decoder.hidden_states = "hidden_states";
    am_value x = decode(b, &m, encode(b, &m));
    if (!am_wants_hidden_states(b)) am_output(b, "hidden_states.0", x);
    return x;
}

/* The whole's pad token, or the decoder's where the whole names none. */
static int64_t pad_token(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config decoder = am_config_child(c, "decoder");
    bool named = am_config_has(c, "pad_token_id") || am_config_is_null(c, "pad_token_id");
    return am_pad_token(named ? c : &decoder, 0);
}

/* The state of the last token of input_ids that is no padding, one further where the decoder reads them behind a first
   one: x: [B, T, C] -> [B, C] */
static am_value last_state(am_builder *b, am_value x)
{
    int64_t pad = pad_token(b), last = am_dim(b, x, 1) - 1;
    am_value ids = am_input_optional(b, "input_ids", 2);
    if (pad < 0 || !ids.id) return am_index(b, x, 1, -1);
    am_value real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    am_value places = am_mul(b, am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1), real);
    am_value at = am_arg_reduce(b, places, 1, false);
    if (is_encoder_decoder(b)) at = am_binary_number(b, AM_MIN, am_add_number(b, at, 1), (double)last);
    return am_rows_at(b, x, at);
}

static void for_sequence_classification(am_builder *b)
{
    int64_t labels = am_config_labels(am_model_config(b));
    am_output(b, "logits", am_linear(b, "score.out_proj", last_state(b, states(b)), labels, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_output(b, "logits", am_linear(b, "score.out_proj", states(b), am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"T5GemmaModel", t5gemma_model, "feature-extraction", AM_ENCODER_DECODER},
    {"T5GemmaForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"T5GemmaEncoderModel", encoder_model, "feature-extraction", 0},
    {"T5GemmaForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"T5GemmaForTokenClassification", for_token_classification, "token-classification", 0},
    {0},
};

const am_model_type am_model_t5gemma = {.name = "t5gemma", .base_prefix = "model", .architectures = architectures};
