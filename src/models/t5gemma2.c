/* T5Gemma 2: Gemma 3's layers as an encoder of texts with images, which looks both ways, and as a decoder that attends
   to its own words and to the encoder's states at once, by the same projections.
   transformers: models/t5gemma2/modeling_t5gemma2.py */
#include "models/blocks/gemma.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"

#include <math.h>

/* One of the two. */
typedef struct side {
    am_config config, outer; /* of the layers; of the encoder with its tower */
    am_decoder_options o;
    const char *mask;          /* input that tells padding */
    const char *hidden_states; /* name among the outputs; null: none */
    int64_t eoi_token;
} side;

typedef struct t5gemma2 {
    side encoder, decoder;
    int64_t image_token;
    const char *prefix; /* of both: "model", or "" */
    bool shifts;        /* decoder_input_ids may be input_ids behind the first token of a text */
} t5gemma2;

/* What goes through the layers of a side. */
typedef struct run {
    const side *s;
    am_rope rope[2];  /* of full layers, of sliding ones */
    am_value mask[2]; /* BOOL [B or 1, 1, T or 1, keys], or AM_NONE */
    bool crosses;
    am_value encoded; /* [B, S, C]; AM_NONE where its keys are cached */
    am_attention_options attention;
} run;

/* --- configuration --- */

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->attention_scale = 1 / sqrt((double)am_config_size(c, "query_pre_attn_scalar", 256));
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 0);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, 0, am_config_size(c, "sliding_window_pattern", 6));
    o->rope = am_rope_config_read(c, "full_attention", o->head_dim, 1000000, 1, 131072);
    o->sliding_rope = am_rope_config_read(c, "sliding_attention", o->head_dim,
                                          am_config_real(c, "rope_local_base_freq", 10000), 1, 131072);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++)
        if (o->sliding[i] && o->sliding_window == 0)
            am_config_fail(c, "sliding_window", "layer %d has a window, found no size", i);
}

static const am_decoder_family module = {.defaults = {.vocab_size = 262208,
                                                      .hidden_size = 2304,
                                                      .intermediate_size = 9216,
                                                      .num_hidden_layers = 26,
                                                      .num_attention_heads = 8,
                                                      .num_key_value_heads = 4,
                                                      .head_dim = 256,
                                                      .max_position_embeddings = 131072,
                                                      .whole_heads = true,
                                                      .tied = true,
                                                      .has_pad_token = true},
                                         .adapt = adapt};

/* Reads both of the whole's configuration; *out has to stay where it is. */
static void read_config(am_builder *b, const char *prefix, t5gemma2 *out)
{
    const am_config *c = am_model_config(b);
    *out = (t5gemma2){.prefix = prefix};
    side *e = &out->encoder, *d = &out->decoder;
    e->outer = am_config_child(c, "encoder");
    e->config = am_config_child(&e->outer, "text_config");
    d->config = am_config_child(c, "decoder");
    e->o = am_decoder_options_read(&e->config, &module);
    d->o = am_decoder_options_read(&d->config, &module);
    e->eoi_token = d->eoi_token =
        am_config_int(&e->outer, am_config_either(&e->outer, "eoi_token_index", "eoi_token_id"), 256000);
    e->mask = "attention_mask";
    d->mask = "decoder_attention_mask";
    e->hidden_states = "encoder_hidden_states";
    d->hidden_states = "decoder_hidden_states";
    out->image_token = am_config_int(c, am_config_either(c, "image_token_index", "image_token_id"), 256001);
    if (e->o.hidden_size != d->o.hidden_size || e->o.vocab_size != d->o.vocab_size)
        am_config_fail(c, "decoder", "its hidden_size and vocab_size differ from the encoder's");
    if (!am_config_flag(c, "is_encoder_decoder", true))
        am_config_fail(c, "is_encoder_decoder", "this class has a decoder, found false");
}

/* --- masks --- */

/* Which of the text's own keys a token sees: [1 or B, 1, T, S]. Both ways a window reaches half as far to each side. */
static am_value window_mask(am_builder *b, int64_t T, int64_t S, bool causal, int64_t window, am_value padding)
{
    am_value query = am_iota(b, AM_I32, am_shape_of(1, 1, T, 1), 2, 0, 1),
             key = am_iota(b, AM_I32, am_shape_of(1, 1, 1, S), 3, 0, 1);
    if (am_has_cache(b)) query = am_add(b, query, am_cache_offset(b));
    am_value back = am_sub(b, query, key); /* how far the key stands before the query */
    int64_t before = causal ? window : (window + 1) / 2, behind = causal ? 0 : window / 2;
    am_value seen = causal || window ? am_binary_number(b, AM_GREATER_EQUAL, back, -(double)behind) : AM_NONE;
    if (window) seen = am_binary(b, AM_LOGICAL_AND, seen, am_binary_number(b, AM_LESS, back, (double)before));
    if (!seen.id || !padding.id) return seen.id ? seen : padding;
    return am_binary(b, AM_LOGICAL_AND, seen, padding);
}

/* seen: [.., S] with the encoder's E states, which padding hides or not, behind: [B, 1, T, S + E]. */
static am_value with_encoder(am_builder *b, am_value seen, am_value padding, int64_t B, int64_t E)
{
    int64_t T = am_dim(b, seen, 2), S = am_dim(b, seen, 3);
    am_value states = padding.id ? padding : am_scalar(b, AM_BOOL, 1);
    return am_concat2(b, am_broadcast(b, seen, am_shape_of(B, 1, T, S)),
                      am_broadcast(b, states, am_shape_of(B, 1, T, E)), 3);
}

/* --- layers --- */

static am_value norm(am_builder *b, const char *name, am_value x, const side *s)
{
    return am_rms_norm(b, name, x, s->o.rms_norm_eps, 1);
}

/* Keys and values of the encoder's states, or what the caches hold of them. */
static void encoder_heads(am_builder *b, const run *r, am_value q, am_value out[2])
{
    const am_decoder_options *o = &r->s->o;
    am_value qkv[3];
    am_attention_options unrotated = r->attention;
    unrotated.rope = NULL;
    if (am_cross_cached(b)) {
        am_shape shape = am_shape_of(am_dim(b, q, 0), am_encoder_length(b), o->num_key_value_heads, o->head_dim);
        out[0] = am_cache_load(b, "cross_key", shape);
        out[1] = am_cache_load(b, "cross_value", shape);
        return;
    }
    am_attention_heads(b, r->encoded, &unrotated, qkv);
    am_cache_store(b, "cross_key", out[0] = qkv[1]);
    am_cache_store(b, "cross_value", out[1] = qkv[2]);
}

static am_value attention(am_builder *b, am_value x, const run *r, int layer)
{
    bool slides = r->s->o.sliding[layer];
    am_attention_options options = r->attention;
    am_value qkv[3], more[2];
    options.rope = &r->rope[slides];
    am_attention_heads(b, x, &options, qkv);
    if (r->crosses) {
        encoder_heads(b, r, qkv[0], more);
        qkv[1] = am_concat2(b, am_cache_append(b, "key", qkv[1]), more[0], 1);
        qkv[2] = am_concat2(b, am_cache_append(b, "value", qkv[2]), more[1], 1);
    }
    am_attention_inputs in = {.q = qkv[0], .k = qkv[1], .v = qkv[2], .mask = r->mask[slides]};
    am_value h = am_attention_op(b, &in, &(am_attention_attributes){.scale = r->s->o.attention_scale});
    return am_linear(b, "o_proj", am_merge_heads(b, h), r->s->o.hidden_size, r->s->o.out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value layer_of(am_builder *b, am_value x, const run *r, int layer)
{
    const side *s = r->s;
    am_value h = norm(b, "pre_self_attn_layernorm", x, s);
    am_scope(b, "self_attn");
    h = attention(b, h, r, layer);
    am_end_scope(b);
    x = am_add(b, x, norm(b, "post_self_attn_layernorm", h, s));
    h = norm(b, "pre_feedforward_layernorm", x, s);
    am_scope(b, "mlp");
    h = am_gated_mlp(b, h, s->o.intermediate_size, s->o.hidden_act, AM_NO_BIAS);
    am_end_scope(b);
    return am_add(b, x, norm(b, "post_feedforward_layernorm", h, s));
}

static am_value layers(am_builder *b, am_value x, const run *r)
{
    const side *s = r->s;
    for (int i = 0; i <= s->o.num_hidden_layers && !am_builder_failed(b); i++) {
        bool last = i == s->o.num_hidden_layers;
        if (last) x = norm(b, "norm", x, s);
        if (s->hidden_states) am_output_hidden_state(b, s->hidden_states, i, x);
        am_scope(b, "layers.%d", i);
        if (!last) x = layer_of(b, x, r, i);
        am_end_scope(b);
    }
    return x;
}

static am_attention_options attention_of(const side *s)
{
    const am_decoder_options *o = &s->o;
    return (am_attention_options){.heads = o->num_attention_heads,
                                  .kv_heads = o->num_key_value_heads,
                                  .head_dim = o->head_dim,
                                  .no_q_bias = !o->qkv_bias,
                                  .no_k_bias = !o->qkv_bias,
                                  .no_v_bias = !o->qkv_bias,
                                  .q_norm = "q_norm",
                                  .k_norm = "k_norm",
                                  .norm_eps = o->rms_norm_eps,
                                  .norm_weight_offset = 1};
}

/* --- the two sides --- */

/* Words of ids by the table that both share, scaled; one of them, which ends an image, has a row of its own. Below the
   scope of both. */
static am_value words(am_builder *b, am_value ids, const side *s)
{
    const char *const tables[] = {"encoder.embed_tokens.weight", "embed_tokens.weight", "decoder.embed_tokens.weight",
                                  NULL};
    const char *const ends[] = {"encoder.embed_tokens.eoi_embedding", "embed_tokens.eoi_embedding",
                                "decoder.embed_tokens.eoi_embedding", NULL};
    int64_t C = s->o.hidden_size;
    am_value table = am_shared_table(b, tables, am_shape_of(s->o.vocab_size, C)),
             end = am_shared_table(b, ends, am_shape_of(C));
    am_value x = am_mul_number(b, am_embedding_op(b, table, ids), s->o.embedding_scale);
    am_value is_end = am_unsqueeze(b, am_binary_number(b, AM_EQUAL, ids, (double)s->eoi_token), -1);
    return am_select(b, is_end, am_cast_like(b, end, x), x);
}

/* Rows for images below the encoder's scope, or AM_NONE. */
static am_value image_rows(am_builder *b, const side *s)
{
    if (!am_has_input(b, "pixel_values")) return AM_NONE;
    am_config vision = am_config_child(&s->outer, "vision_config");
    am_part_input inputs[] = {{.name = "pixel_values", .whole = "pixel_values"}};
    am_part part = {.auto_class = "AutoModel",
                    .model_type = "siglip_vision_model",
                    .config = &vision,
                    .inputs = inputs,
                    .input_count = 1,
                    .prefix = "vision_"};
    am_scope(b, "vision_tower");
    am_part_outputs tower = am_build_part(b, &part);
    am_end_scope(b);
    am_value rows = am_gemma3_image_rows(b, &s->outer, am_part_output(&tower, "last_hidden_state"), s->o.hidden_size);
    return am_flatten(b, rows, 0, 1);
}

/* What the encoder's layers read; `name` is its scope. */
static am_value embed(am_builder *b, const t5gemma2 *m, const char *name)
{
    am_value ids = am_input_optional(b, "input_ids", 2),
             x = ids.id ? words(b, ids, &m->encoder) : am_input(b, "inputs_embeds", 3);
    am_scope(b, "%s", name);
    am_value rows = image_rows(b, &m->encoder);
    am_end_scope(b);
    if (rows.id && !ids.id) ids = am_input(b, "input_ids", 2); /* says that it is missing */
    return rows.id ? am_merge_features(b, x, &(am_feature_rows){.rows = rows, .ids = ids, .token = m->image_token}) : x;
}

static am_value encode_below(am_builder *b, const t5gemma2 *m, const char *name)
{
    const side *s = &m->encoder;
    am_value x = embed(b, m, name), padding = am_padding_mask(b, s->mask);
    int64_t T = am_dim(b, x, 1);
    am_pause_cache(b);
    run r = {.s = s, .attention = attention_of(s)};
    for (int i = 0; i < 2; i++) {
        r.rope[i] = am_rope_tables(b, i ? &s->o.sliding_rope : &s->o.rope, T);
        r.mask[i] = window_mask(b, T, T, false, i ? s->o.sliding_window : 0, padding);
    }
    am_scope(b, "%s", name);
    x = layers(b, x, &r);
    am_end_scope(b);
    am_resume_cache(b);
    return x;
}

static am_value encode(am_builder *b, const void *model)
{
    const t5gemma2 *m = model;
    am_scope(b, "%s", m->prefix);
    am_value x = encode_below(b, m, "encoder");
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

static am_value decoder_ids(am_builder *b, const t5gemma2 *m)
{
    if (!m->shifts) return am_decoder_input_ids(b, false, -1);
    return am_decoder_input_ids_behind(b, am_config_int(&m->decoder.config, "bos_token_id", 2));
}

static am_value decode(am_builder *b, const void *model, am_value encoded)
{
    const t5gemma2 *m = model;
    const side *s = &m->decoder;
    am_value ids = decoder_ids(b, m);
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1), S = am_has_cache(b) ? am_cache_capacity(b) : T,
            E = encoded.id ? am_dim(b, encoded, 1) : am_encoder_length(b);
    am_value own = am_packed_mask(b, am_padding_mask(b, s->mask), "decoder_position_ids"),
             states = am_padding_mask(b, m->encoder.mask), places = decoder_positions(b, T);
    run r = {.s = s, .attention = attention_of(s), .crosses = true, .encoded = encoded};
    for (int i = 0; i < 2; i++) {
        r.rope[i] = am_rope_tables_at(b, i ? &s->o.sliding_rope : &s->o.rope, places);
        am_value seen = window_mask(b, T, S, true, i ? s->o.sliding_window : 0, own);
        r.mask[i] = with_encoder(b, seen, states, B, E);
    }
    am_scope(b, "%s", m->prefix);
    am_value x = words(b, ids, s);
    am_scope(b, "decoder");
    x = layers(b, x, &r);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static am_value run_both(am_builder *b, const t5gemma2 *m)
{
    return am_seq2seq_run(b, &(am_seq2seq){encode, decode, m});
}

static void t5gemma2_model(am_builder *b)
{
    t5gemma2 m;
    read_config(b, "", &m);
    am_value x = run_both(b, &m);
    if (x.id) am_output(b, "last_hidden_state", x);
}

static void for_conditional_generation(am_builder *b)
{
    t5gemma2 m;
    read_config(b, "model", &m);
    am_value x = run_both(b, &m);
    if (!x.id) return;
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    double cap = m.decoder.o.final_soft_cap;
    am_value logits = am_lm_head(b, "lm_head.out_proj", x, m.decoder.o.vocab_size, tied,
                                 "model.encoder.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", cap != 0 ? am_soft_cap(b, logits, cap) : logits);
}

/* The encoder alone, which reads its own configuration; the token that ends an image is not among its fields. */
static void encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    t5gemma2 m = {.prefix = "",
                  .image_token = am_config_int(c, am_config_either(c, "image_token_index", "image_token_id"), 262144)};
    m.encoder.outer = *c;
    m.encoder.config = am_config_child(c, "text_config");
    m.encoder.o = am_decoder_options_read(&m.encoder.config, &module);
    m.encoder.eoi_token = 256000;
    m.encoder.mask = "attention_mask";
    m.encoder.hidden_states = "hidden_states";
    am_output(b, "last_hidden_state", encode_below(b, &m, ""));
}

/* Scores of the decoder's states; *out_ids: what it read. */
static am_value scores(am_builder *b, am_value *out_ids, int64_t *out_pad)
{
    const am_config *c = am_model_config(b);
    t5gemma2 m;
    read_config(b, "model", &m);
    m.shifts = true;
    m.encoder.hidden_states = NULL;
    m.decoder.hidden_states = "hidden_states";
    bool named = am_config_has(c, "pad_token_id") || am_config_is_null(c, "pad_token_id");
    *out_pad = am_pad_token(named ? c : &m.decoder.config, 0);
    am_value x = decode(b, &m, encode(b, &m));
    *out_ids = decoder_ids(b, &m);
    return am_linear(b, "score.out_proj", x, am_config_labels(c), AM_BIAS);
}

static void for_sequence_classification(am_builder *b)
{
    am_value ids;
    int64_t pad;
    am_value x = scores(b, &ids, &pad), real = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, ids, (double)pad), AM_I32);
    am_value places = am_mul(b, am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1), real);
    am_output(b, "logits", am_rows_at(b, x, am_arg_reduce(b, places, 1, false)));
}

static void for_token_classification(am_builder *b)
{
    am_value ids;
    int64_t pad;
    am_output(b, "logits", scores(b, &ids, &pad));
}

static const am_architecture architectures[] = {
    {"T5Gemma2Model", t5gemma2_model, NULL, AM_ENCODER_DECODER},
    {"T5Gemma2ForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"T5Gemma2ForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"T5Gemma2ForTokenClassification", for_token_classification, "token-classification", 0},
    {"T5Gemma2Encoder", encoder, "feature-extraction", 0},
    {0},
};

const am_model_type am_model_t5gemma2 = {
    .name = "t5gemma2 t5gemma2_encoder", .base_prefix = "model", .architectures = architectures};
