/* ProphetNet: an encoder-decoder of post-norm layers whose decoder runs, beside the main stream of its tokens, n
   streams that each predict some tokens ahead: stream i reads the main stream up to i tokens before its own place,
   and itself at that place alone. The main stream's queries and those of the streams get a score for the bucket of the
   distance from each key, which every layer computes from what goes into it. Logits are read off the streams, those
   of the next token off stream 0. transformers: models/prophetnet/modeling_prophetnet.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/seq2seq.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

enum { NGRAMS_LIMIT = 256 };
static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct stack {
    int64_t layers, heads, ffn_dim;
    const char *hidden_states, *ngram_hidden_states; /* their names among the outputs */
    const char *mask;                                /* the input that masks its padding */
} stack;

typedef struct prophetnet {
    int64_t vocab_size, hidden_size, max_position_embeddings, ngram, num_buckets, relative_max_distance;
    int64_t pad_token_id;
    am_unary_fn activation_function;
    stack encoder, decoder;
    const char *prefix; /* of the body's weights */
} prophetnet;

static prophetnet read_config(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    prophetnet p = {
        .vocab_size = am_config_size(c, "vocab_size", 30522),
        .hidden_size = am_config_size(c, "hidden_size", 1024),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
        .ngram = am_config_size(c, "ngram", 2),
        .num_buckets = am_config_size(c, "num_buckets", 32),
        .relative_max_distance = am_config_size(c, "relative_max_distance", 128),
        .pad_token_id = am_pad_token(c, 0),
        .activation_function = am_config_activation(c, "activation_function", AM_GELU),
        .encoder = {.layers = am_config_count(c, "num_encoder_layers", 12),
                    .heads = am_config_size(
                        c, am_config_either(c, "num_encoder_attention_heads", "num_attention_heads"), 16),
                    .ffn_dim = am_config_size(c, "encoder_ffn_dim", 4096),
                    .hidden_states = "encoder_hidden_states",
                    .mask = "attention_mask"},
        .decoder = {.layers = am_config_count(c, "num_decoder_layers", 12),
                    .heads = am_config_size(c, "num_decoder_attention_heads", 16),
                    .ffn_dim = am_config_size(c, "decoder_ffn_dim", 4096),
                    .hidden_states = "decoder_hidden_states",
                    .ngram_hidden_states = "decoder_ngram_hidden_states",
                    .mask = "decoder_attention_mask"},
        .prefix = prefix,
    };
    if (p.ngram > NGRAMS_LIMIT) {
        am_config_unsupported(c, "ngram", "at most %d, found %" PRId64, NGRAMS_LIMIT, p.ngram);
        p.ngram = 1;
    }
    if (p.pad_token_id < 0) am_config_fail(c, "pad_token_id", "positions are counted from this token, found none");
    if (p.pad_token_id > 0 && am_has_cache(b))
        am_config_unsupported(c, "pad_token_id", "positions of a growing text are those of pad token 0 only");
    am_config_check_divides(c, "num_encoder_attention_heads", p.encoder.heads, "hidden_size", p.hidden_size);
    am_config_check_divides(c, "num_decoder_attention_heads", p.decoder.heads, "hidden_size", p.hidden_size);
    return p;
}

/* --- what both stacks do --- */

static am_attention_options attention_options(const stack *s)
{
    return (am_attention_options){.heads = s->heads, .q = "query_proj", .k = "key_proj", .v = "value_proj"};
}

static am_value feed_forward(am_builder *b, am_value x, const prophetnet *p, const stack *s)
{
    am_value h = am_linear_activation(b, "feed_forward.intermediate", x, s->ffn_dim, AM_BIAS, p->activation_function);
    h = am_linear(b, "feed_forward.output", h, p->hidden_size, AM_BIAS);
    return am_layer_norm(b, "feed_forward_layer_norm", am_add(b, h, x), LAYER_NORM_EPS);
}

/* The word table below the body's prefix: a stack's own, or the shared one under whatever name it was stored. */
static am_value word_table(am_builder *b, const prophetnet *p, const char *own)
{
    const char *const names[] = {own, "word_embeddings.weight", "encoder.word_embeddings.weight",
                                 "decoder.word_embeddings.weight", NULL};
    return am_shared_table(b, names, am_shape_of(p->vocab_size, p->hidden_size));
}

static am_value words_of(am_builder *b, const prophetnet *p, const char *own, am_value ids)
{
    return am_embedding_op(b, word_table(b, p, own), ids);
}

/* Rows of the position table at places: I32 [1, T] -> [1, T, C]. */
static am_value positions_at(am_builder *b, const prophetnet *p, am_value places)
{
    return am_embedding(b, "position_embeddings", places, p->max_position_embeddings, p->hidden_size);
}

/* --- encoder --- */

/* The layers below the scope over words: [B, S, C]. */
static am_value encoder(am_builder *b, am_value words, const prophetnet *p)
{
    const stack *s = &p->encoder;
    am_attention_options options = attention_options(s);
    options.mask = am_padding_mask(b, s->mask);
    am_value places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, words, 1)), 1, (double)p->pad_token_id + 1, 1);
    places = am_binary_number(b, AM_MIN, places, (double)(p->max_position_embeddings - 1));
    am_value x = am_add(b, words, positions_at(b, p, places));
    x = am_layer_norm(b, "embeddings_layer_norm", x, LAYER_NORM_EPS);
    am_output_hidden_state(b, s->hidden_states, 0, x);
    for (int i = 0; i < s->layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        am_scope(b, "self_attn");
        am_value h = am_self_attention(b, x, &options);
        am_end_scope(b);
        x = am_layer_norm(b, "self_attn_layer_norm", am_add(b, h, x), LAYER_NORM_EPS);
        x = feed_forward(b, x, p, s);
        am_end_scope(b);
        am_output_hidden_state(b, s->hidden_states, i + 1, x);
    }
    return x;
}

static am_value encode(am_builder *b, const void *model)
{
    const prophetnet *p = model;
    am_scope(b, "%s", p->prefix);
    am_value words = words_of(b, p, "encoder.word_embeddings.weight", am_input(b, "input_ids", 2));
    am_scope(b, "encoder");
    am_value x = encoder(b, words, p);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- the decoder's streams --- */

/* What its layers share. A run holds the T tokens of the main stream and, behind one another, T of each stream. */
typedef struct streams {
    int64_t T, S, count;    /* S: places of the main stream's keys; count: of predicting streams */
    am_value buckets;       /* I32 [T, S]: of the distances from the main stream */
    am_value ahead_buckets; /* I32 [T, S + T]: from a stream, to the main one's keys and its own */
    am_value bias;          /* [1 or B, 1, T, S]: lowest where the main stream does not look */
    am_value *ahead_bias;   /* the same of each stream: [1 or B, 1, T, S + T] */
} streams;

/* How many streams predict: only stream 0 tells the next token, and where it has one token none feeds another. */
static int64_t stream_count(am_builder *b, const prophetnet *p, int64_t T)
{
    return am_wants_last_logits_only(b) && T == 1 ? 1 : p->ngram;
}

/* Bucket of each distance 0 .. relative_max_distance; beyond, it stays the same. In float, as the class computes. */
static am_value bucket_table(am_builder *b, const prophetnet *p)
{
    int64_t M = p->relative_max_distance, n = p->num_buckets, exact = n / 2;
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(M + 1), sizeof *table);
    if (exact < 1 || M <= exact)
        am_config_fail(am_model_config(b), "relative_max_distance", "%lld buckets do not fit distances up to %lld",
                       (long long)n, (long long)M);
    if (!table) am_builder_fail(b, am_out_of_memory());
    if (!table || exact < 1 || M <= exact) return AM_NONE;
    for (int64_t d = 0; d <= M; d++) {
        float part = logf((float)d / (float)exact) / (float)log((double)M / (double)exact);
        int64_t bucket = d < exact ? d : (int64_t)((float)exact + part * (float)(n - exact));
        table[d] = (int32_t)(bucket < n ? bucket : n - 1);
    }
    return am_constant_copy(b, AM_I32, am_shape_of(M + 1), table);
}

/* Buckets of distances: I32 [T, K]; negative ones count as 0. */
static am_value buckets_of(am_builder *b, const prophetnet *p, am_value distances)
{
    distances = am_binary_number(b, AM_MAX, distances, 0);
    distances = am_binary_number(b, AM_MIN, distances, (double)p->relative_max_distance);
    return am_gather(b, bucket_table(b, p), distances, 0, false);
}

static am_value zero_or_lowest(am_builder *b, am_value seen)
{
    return am_select(b, seen, am_scalar(b, AM_F32, 0), am_scalar(b, AM_F32, -(double)FLT_MAX));
}

/* Lowest where the main stream's padding stands: [B, 1, 1, S]; AM_NONE where there is none, and while a text grows:
   then the class looks at all of it. */
static am_value padding_bias(am_builder *b, const stack *s)
{
    am_value mask = am_padding_mask(b, s->mask);
    return mask.id && !am_cross_cached(b) ? zero_or_lowest(b, mask) : AM_NONE;
}

/* Both kinds of hiding add up, as in the class. */
static am_value hide(am_builder *b, am_value seen, am_value padding)
{
    am_value bias = am_reshape(b, zero_or_lowest(b, seen), am_shape_of(1, 1, am_dim(b, seen, 0), am_dim(b, seen, 1)));
    return padding.id ? am_add(b, bias, padding) : bias;
}

/* Stream `index` sees keys that lie more than `index` places before the one it predicts, and always key 0; and itself.
   distance: I32 [T, S] from the main stream's queries. */
static am_value ahead_bias(am_builder *b, const streams *s, am_value distance, am_value padding, int64_t index)
{
    am_value first = am_binary_number(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(1, s->S), 1, 0, 1), 0);
    am_value seen = am_binary_number(b, AM_GREATER_EQUAL, distance, (double)index);
    am_value main = hide(b, am_binary(b, AM_LOGICAL_OR, seen, first), padding);
    am_value own = am_binary(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(s->T, 1), 0, 0, 1),
                             am_iota(b, AM_I32, am_shape_of(1, s->T), 1, 0, 1));
    am_shape shape = am_shape_of_value(b, main);
    shape.dims[3] = s->T;
    return am_concat2(b, main, am_broadcast(b, hide(b, own, AM_NONE), shape), 3);
}

static streams make_streams(am_builder *b, const prophetnet *p, int64_t T)
{
    streams s = {.T = T, .S = am_has_cache(b) ? am_cache_capacity(b) : T, .count = stream_count(b, p, T)};
    am_value query = am_iota(b, AM_I32, am_shape_of(T, 1), 0, 0, 1), padding = padding_bias(b, &p->decoder);
    if (am_has_cache(b)) query = am_add(b, query, am_cache_offset(b));
    am_value distance = am_sub(b, query, am_iota(b, AM_I32, am_shape_of(1, s.S), 1, 0, 1));
    am_value ahead = am_add_number(b, distance, 1), none = am_iota(b, AM_I32, am_shape_of(T, T), 1, 0, 0);
    s.buckets = buckets_of(b, p, distance);
    s.ahead_buckets = buckets_of(b, p, am_concat2(b, ahead, none, 1));
    s.bias = hide(b, am_binary_number(b, AM_GREATER_EQUAL, distance, 0), padding);
    s.ahead_bias = am_arena_array(am_builder_arena(b), (size_t)s.count, sizeof *s.ahead_bias);
    if (!s.ahead_bias) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; s.ahead_bias && i < s.count; i++) s.ahead_bias[i] = ahead_bias(b, &s, distance, padding, i);
    return s;
}

/* Part `index` of the run, 0 being the main stream: x: [B, (1 + count) T, ..] -> [B, T, ..]. */
static am_value part(am_builder *b, am_value x, const streams *s, int64_t index)
{
    return am_slice(b, x, 1, index * s->T, (index + 1) * s->T);
}

/* Of tables: [B, H, T, buckets] the entries at buckets: I32 [T, K]: [B, H, T, K]. */
static am_value entries_at(am_builder *b, am_value tables, am_value buckets)
{
    am_shape shape = am_shape_of_value(b, tables);
    shape.dims[3] = am_dim(b, buckets, 1);
    return am_gather(b, tables, am_broadcast(b, buckets, shape), 3, true);
}

/* The scores that `count` streams in x: [B, count T, C] give each bucket: [B, count, H, T, buckets]. The class computes
   them in the order [B, T, count, H] and reads them in this one, so that a stream of many tokens gets others' scores.
 */
static am_value bucket_scores(am_builder *b, am_value x, const prophetnet *p, int64_t count)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1) / count, H = p->decoder.heads, n = p->num_buckets;
    x = am_linear(b, "relative_pos_embeddings", x, n * H, AM_BIAS);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, count, T, n, H)), am_shape_of(0, 2, 1, 4, 3));
    return am_reshape(b, x, am_shape_of(B, count, H, T, n));
}

/* The same of the main stream, x: [B, T, C], where nothing is read in another order: [B, H, T, buckets]. */
static am_value main_bucket_scores(am_builder *b, am_value x, const prophetnet *p)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), H = p->decoder.heads, n = p->num_buckets;
    x = am_linear(b, "relative_pos_embeddings", x, n * H, AM_BIAS);
    return am_permute(b, am_reshape(b, x, am_shape_of(B, T, n, H)), am_shape_of(0, 3, 1, 2));
}

static am_value ngram_attention(am_builder *b, am_value x, const prophetnet *p, const streams *s)
{
    am_value qkv[3], *parts = am_arena_array(am_builder_arena(b), (size_t)s->count + 1, sizeof *parts);
    am_attention_options options = attention_options(&p->decoder);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    am_attention_heads(b, x, &options, qkv);
    am_value k = am_cache_append(b, "key", part(b, qkv[1], s, 0));
    am_value v = am_cache_append(b, "value", part(b, qkv[2], s, 0));
    am_value ahead = bucket_scores(b, am_slice(b, x, 1, s->T, AM_SLICE_END), p, s->count);
    options.bias = am_add(b, entries_at(b, main_bucket_scores(b, part(b, x, s, 0), p), s->buckets), s->bias);
    parts[0] = am_attend_cached(b, part(b, qkv[0], s, 0), k, v, &options);
    for (int64_t i = 1; i <= s->count; i++) {
        am_value scores = entries_at(b, am_index(b, ahead, 1, i - 1), s->ahead_buckets);
        am_attention_inputs inputs = {.q = part(b, qkv[0], s, i),
                                      .k = am_concat2(b, k, part(b, qkv[1], s, i), 1),
                                      .v = am_concat2(b, v, part(b, qkv[2], s, i), 1),
                                      .bias = am_add(b, scores, s->ahead_bias[i - 1])};
        parts[i] = am_attention_op(b, &inputs, &(am_attention_attributes){0});
    }
    x = am_merge_heads(b, am_concat(b, parts, (int)s->count + 1, 1));
    return am_linear(b, "out_proj", x, p->hidden_size, AM_BIAS);
}

/* --- decoder --- */

/* All streams' beginnings: words: [B, T, C] -> [B, (1 + count) T, C]. */
static am_value embed_streams(am_builder *b, am_value words, const prophetnet *p, const streams *s)
{
    am_value places = am_iota(b, AM_I32, am_shape_of(1, s->T), 1, (double)p->pad_token_id + 1, 1), x;
    if (am_has_cache(b)) places = am_add(b, places, am_cache_offset(b));
    am_value next = positions_at(b, p, am_add_number(b, places, 1));
    am_value table = am_weight(b, "ngram_embeddings.weight", am_shape_of(p->ngram, p->hidden_size));
    x = am_add(b, words, positions_at(b, p, places));
    for (int64_t i = 0; i < s->count; i++) { /* stream 0 has the last row, the others those before their own */
        am_value stream = am_add(b, next, am_index(b, table, 0, i ? i - 1 : p->ngram - 1));
        x = am_concat2(b, x, am_broadcast(b, stream, am_shape_of_value(b, words)), 1);
    }
    return am_layer_norm(b, "embeddings_layer_norm", x, LAYER_NORM_EPS);
}

static void output_hidden_states(am_builder *b, am_value x, const prophetnet *p, const streams *s, int index)
{
    am_output_hidden_state(b, p->decoder.hidden_states, index, part(b, x, s, 0));
    am_output_hidden_state(b, p->decoder.ngram_hidden_states, index, am_slice(b, x, 1, s->T, AM_SLICE_END));
}

static am_value decoder_layer(am_builder *b, am_value x, const am_encoder_states *encoded, const prophetnet *p,
                              const streams *s)
{
    am_attention_options cross = attention_options(&p->decoder);
    am_scope(b, "self_attn");
    am_value h = ngram_attention(b, x, p, s);
    am_end_scope(b);
    x = am_layer_norm(b, "self_attn_layer_norm", am_add(b, x, h), LAYER_NORM_EPS);
    if (encoded->given) {
        cross.mask = encoded->mask;
        am_scope(b, "cross_attn");
        h = am_cross_attention(b, x, encoded->states, &cross);
        am_end_scope(b);
        x = am_layer_norm(b, "cross_attn_layer_norm", am_add(b, h, x), LAYER_NORM_EPS);
    }
    return feed_forward(b, x, p, &p->decoder);
}

/* The layers below the scope over words: [B, T, C] -> all streams: [B, 1 + count, T, C]. */
static am_value decoder(am_builder *b, am_value words, const am_encoder_states *encoded, const prophetnet *p)
{
    streams s = make_streams(b, p, am_dim(b, words, 1));
    am_value x = embed_streams(b, words, p, &s);
    output_hidden_states(b, x, p, &s, 0);
    for (int i = 0; i < p->decoder.layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", i);
        x = decoder_layer(b, x, encoded, p, &s);
        am_end_scope(b);
        output_hidden_states(b, x, p, &s, i + 1);
    }
    return am_reshape(b, x, am_shape_of(am_dim(b, x, 0), 1 + s.count, s.T, p->hidden_size));
}

static am_value decode(am_builder *b, const void *model, am_value states)
{
    const prophetnet *p = model;
    am_encoder_states encoded = {true, states, am_padding_mask(b, "attention_mask")};
    am_value ids = am_decoder_input_ids(b, false, -1);
    am_scope(b, "%s", p->prefix);
    am_value words = words_of(b, p, "decoder.word_embeddings.weight", ids);
    am_scope(b, "decoder");
    am_value x = decoder(b, words, &encoded, p);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* A decoder that is a class by itself: its table stands `above` the scope of its layers, or in it. */
static am_value decoder_alone(am_builder *b, prophetnet *p, const char *scope)
{
    am_encoder_states encoded = am_encoder_states_input(b);
    p->decoder.hidden_states = "hidden_states";
    p->decoder.ngram_hidden_states = "hidden_states_ngram";
    p->decoder.mask = "attention_mask";
    am_scope(b, "%s", p->prefix);
    am_value words = am_has_input(b, "inputs_embeds")
                         ? am_input(b, "inputs_embeds", 3)
                         : words_of(b, p, "decoder.word_embeddings.weight", am_input(b, "input_ids", 2));
    am_scope(b, "%s", scope);
    am_value x = decoder(b, words, &encoded, p);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

/* x: [B, 1 + ngram, T, C] */
static void output_streams(am_builder *b, am_value x)
{
    am_output(b, "last_hidden_state", am_index(b, x, 1, 0));
    am_output(b, "last_hidden_state_ngram", am_flatten(b, am_slice(b, x, 1, 1, AM_SLICE_END), 1, 2));
}

/* Logits of the next token, and where x has more streams those of the tokens behind it: [B, streams, T, V]. */
static void output_logits(am_builder *b, am_value x, const prophetnet *p)
{
    const char *const names[] = {"lm_head.weight", "prophetnet.word_embeddings.weight",
                                 "prophetnet.decoder.word_embeddings.weight",
                                 "prophetnet.encoder.word_embeddings.weight", NULL};
    am_value table = am_shared_table(b, names, am_shape_of(p->vocab_size, p->hidden_size));
    am_value next = am_last_position_if_wanted(b, am_index(b, x, 1, 1));
    am_output(b, "logits", am_linear_with(b, next, table, AM_NONE));
    if (am_dim(b, x, 1) > 2)
        am_output(b, "logits_ngram", am_linear_with(b, am_slice(b, x, 1, 2, AM_SLICE_END), table, AM_NONE));
}

static void prophetnet_model(am_builder *b)
{
    prophetnet p = read_config(b, "");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &p});
    if (x.id) output_streams(b, x);
}

static void prophetnet_encoder(am_builder *b)
{
    prophetnet p = read_config(b, "");
    p.encoder.hidden_states = "hidden_states";
    am_value words = words_of(b, &p, "word_embeddings.weight", am_input(b, "input_ids", 2));
    am_output(b, "last_hidden_state", encoder(b, words, &p));
}

static void prophetnet_decoder(am_builder *b)
{
    prophetnet p = read_config(b, "");
    output_streams(b, decoder_alone(b, &p, ""));
}

static void for_conditional_generation(am_builder *b)
{
    prophetnet p = read_config(b, "prophetnet");
    am_value x = am_seq2seq_run(b, &(am_seq2seq){encode, decode, &p});
    if (x.id) output_logits(b, x, &p);
}

static void for_causal_lm(am_builder *b)
{
    prophetnet p = read_config(b, "prophetnet");
    output_logits(b, decoder_alone(b, &p, "decoder"), &p);
}

static const am_architecture architectures[] = {
    {"ProphetNetModel", prophetnet_model, "feature-extraction", AM_ENCODER_DECODER},
    {"ProphetNetForConditionalGeneration", for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"ProphetNetForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"ProphetNetEncoder", prophetnet_encoder, "feature-extraction", 0},
    {"ProphetNetDecoder", prophetnet_decoder, NULL, 0},
    {0},
};

const am_model_type am_model_prophetnet = {
    .name = "prophetnet", .base_prefix = "prophetnet", .architectures = architectures};
