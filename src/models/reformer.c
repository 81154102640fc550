/* Reformer (arXiv 2001.04451): reversible layers, positions of two axes, and attention within chunks of neighbours, of
   the text or of the tokens sorted by a hash of their shared query and key.
   transformers: models/reformer/modeling_reformer.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"
#include "models/blocks/hashed_attention.h"
#include "models/blocks/heads.h"

#include <string.h>

enum { LAYERS_LIMIT = 512, HASHES_LIMIT = 1 << 24 };

typedef enum layer_kind { LOCAL, HASHED } layer_kind;

typedef struct reformer_config {
    int64_t hidden_size, num_attention_heads, attention_head_size, feed_forward_size, max_position_embeddings,
        vocab_size, pad_token_id;
    int layers;
    layer_kind kinds[LAYERS_LIMIT];
    am_chunk_window local;
    am_hashed_attention_options hashed;
    bool is_decoder;
    double eps;
    am_unary_fn hidden_act;
} reformer_config;

/* --- configuration --- */

static void read_layers(const am_config *c, reformer_config *r)
{
    static const char *const fallback[] = {"local", "lsh", "local", "lsh", "local", "lsh", NULL};
    bool given = am_config_has(c, "attn_layers");
    for (const char *kind; r->layers < LAYERS_LIMIT; r->layers++) {
        kind = given ? am_config_list_text(c, "attn_layers", r->layers) : fallback[r->layers];
        if (!kind) break;
        if (strcmp(kind, "local") != 0 && strcmp(kind, "lsh") != 0)
            am_config_unsupported(c, "attn_layers", "\"%s\" is neither \"local\" nor \"lsh\"", kind);
        r->kinds[r->layers] = strcmp(kind, "lsh") == 0 ? HASHED : LOCAL;
    }
    if (r->layers == 0) am_config_fail(c, "attn_layers", "expected one layer at least");
}

/* num_buckets: a whole number, or a list of factors; all even. Buckets of all rounds are kept as floats. */
static void read_buckets(const am_config *c, am_hashed_attention_options *o)
{
    int64_t all = o->hashes;
    if (am_json_kind_of(am_json_get(c->object, "num_buckets")) == AM_JSON_ARRAY)
        o->factors = am_config_sizes(c, "num_buckets", o->num_buckets, AM_HASH_FACTORS_LIMIT, NULL, 0);
    else if (am_config_has(c, "num_buckets")) o->num_buckets[o->factors++] = am_config_size(c, "num_buckets", 2);
    for (int i = 0; i < o->factors; i++) {
        int64_t factor = o->num_buckets[i];
        if (factor == 0 || factor % 2 != 0)
            am_config_fail(c, "num_buckets", "expected even numbers, found %lld", (long long)factor);
        if (all <= HASHES_LIMIT) all *= factor;
    }
    if (all > HASHES_LIMIT) am_config_fail(c, "num_buckets", "more than %d buckets in num_hashes rounds", HASHES_LIMIT);
}

static bool has_kind(const reformer_config *r, layer_kind kind)
{
    for (int i = 0; i < r->layers; i++)
        if (r->kinds[i] == kind) return true;
    return false;
}

static am_chunk_window read_window(const am_config *c, const char *chunk, const char *before, const char *after)
{
    return (am_chunk_window){am_config_size(c, chunk, 64), am_config_count(c, before, 1), am_config_count(c, after, 0)};
}

static void read_hashed(const am_builder *b, const am_config *c, reformer_config *r)
{
    r->hashed = (am_hashed_attention_options){
        .heads = r->num_attention_heads,
        .head_dim = r->attention_head_size,
        .hashes = am_config_size(c, "num_hashes", 1),
        .seed = am_config_int(c, "hash_seed", 0), /* without one every run of transformers draws other directions */
        .max_length = r->max_position_embeddings,
        .window = read_window(c, "lsh_attn_chunk_length", "lsh_num_chunks_before", "lsh_num_chunks_after"),
        .causal = r->is_decoder,
    };
    read_buckets(c, &r->hashed);
    if (am_has_cache(b) && has_kind(r, HASHED) && r->hashed.factors == 0)
        am_config_unsupported(c, "num_buckets", "must be given where text is generated with \"lsh\" layers");
}

static reformer_config read_config(const am_builder *b)
{
    const am_config *c = am_model_config(b);
    reformer_config r = {
        .hidden_size = am_config_size(c, "hidden_size", 256),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .attention_head_size = am_config_size(c, "attention_head_size", 64),
        .feed_forward_size = am_config_size(c, "feed_forward_size", 512),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 4096),
        .vocab_size = am_config_size(c, "vocab_size", 320),
        .pad_token_id = am_config_int(c, "pad_token_id", 0),
        .local = read_window(c, "local_attn_chunk_length", "local_num_chunks_before", "local_num_chunks_after"),
        .is_decoder = am_config_flag(c, "is_decoder", false),
        .eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .hidden_act = am_config_activation(c, "hidden_act", AM_RELU),
    };
    read_layers(c, &r);
    read_hashed(b, c, &r);
    return r;
}

/* --- attention in the order of the text --- */

/* Which keys each chunk's tokens attend: BOOL [B n, 1, chunk, K], of mask: [B, T] or AM_NONE, and places [n, K]. */
static am_value chunk_mask(am_builder *b, const reformer_config *c, am_value mask, am_value places, int64_t B,
                           int64_t chunk)
{
    int64_t n = am_dim(b, places, 0), K = am_dim(b, places, 1);
    am_value causal = AM_NONE, real = AM_NONE;
    if (c->is_decoder) {
        am_value queries = am_reshape(b, am_iota(b, AM_I32, am_shape_of(n * chunk), 0, 0, 1), am_shape_of(n, chunk, 1));
        causal = am_binary(b, AM_GREATER_EQUAL, queries, am_reshape(b, places, am_shape_of(n, 1, K)));
    }
    if (mask.id) real = am_unsqueeze(b, am_gather(b, mask, places, 1, false), 2);
    am_value all = causal.id && real.id ? am_binary(b, AM_LOGICAL_AND, causal, real) : causal.id ? causal : real;
    if (!all.id) return AM_NONE;
    all = am_broadcast(b, all, am_shape_of(B, n, am_rank(b, causal) ? chunk : 1, K));
    return am_reshape(b, all, am_shape_of(B * n, 1, -1, K));
}

/* q, k, v: [B, T, H, D] -> [B, T, H D] */
static am_value attend_chunks(am_builder *b, const reformer_config *c, const am_value qkv[3], am_value mask)
{
    int64_t B = am_dim(b, qkv[0], 0), T = am_dim(b, qkv[0], 1), H = c->num_attention_heads, D = c->attention_head_size;
    am_chunk_window w = am_chunk_window_of(&c->local, T);
    am_value places = am_chunk_key_places(b, T, &w), parts[3];
    int64_t n = am_dim(b, places, 0), K = am_dim(b, places, 1);
    parts[0] = am_reshape(b, qkv[0], am_shape_of(B * n, w.chunk, H, D));
    for (int i = 1; i < 3; i++)
        parts[i] = am_reshape(b, am_gather(b, qkv[i], places, 1, false), am_shape_of(B * n, K, H, D));
    am_attention_inputs inputs = {
        .q = parts[0], .k = parts[1], .v = parts[2], .mask = chunk_mask(b, c, mask, places, B, w.chunk)};
    am_value x = am_attention_op(b, &inputs, &(am_attention_attributes){0});
    return am_reshape(b, x, am_shape_of(B, T, H * D));
}

/* The newest token over the cached ones of its chunk and of those before it. Where there are fewer chunks than looked
   back to, the start is counted from the end, as Python's slices do. */
static am_value attend_cached_chunks(am_builder *b, const reformer_config *c, am_value qkv[3])
{
    const am_chunk_window *w = &c->local;
    am_value at = am_cache_offset(b), places = am_iota(b, AM_I32, am_shape_of(1, 1, 1, am_cache_capacity(b)), 3, 0, 1);
    am_value start = am_binary_number(b, AM_DIV, at, (double)w->chunk);
    start = am_mul_number(b, am_add_number(b, start, -(double)w->before), (double)w->chunk);
    start = am_select(b, am_binary_number(b, AM_LESS, start, 0), am_add(b, at, start), start);
    am_attention_options options = {.causal = true, .mask = am_binary(b, AM_GREATER_EQUAL, places, start)};
    return am_attend(b, qkv[0], qkv[1], qkv[2], &options);
}

/* The first T tokens of x: [B, .., H, D] go to the cache NAME. */
static void keep(am_builder *b, const char *name, am_value x, int64_t T)
{
    (void)am_cache_append(b, name, am_slice(b, x, 1, 0, T));
}

/* A text that is read: its mask BOOL [B, padded length] or AM_NONE, and how many tokens it has before padding. */
typedef struct text {
    am_value mask;
    int64_t length;
} text;

static am_value local_attention(am_builder *b, const reformer_config *c, am_value x, const text *t)
{
    static const char *const names[] = {"query", "key", "value"};
    am_value qkv[3];
    for (int i = 0; i < 3; i++)
        qkv[i] =
            am_split_heads(b, am_linear(b, names[i], x, c->num_attention_heads * c->attention_head_size, AM_NO_BIAS),
                           c->num_attention_heads);
    if (am_cross_cached(b)) return attend_cached_chunks(b, c, qkv);
    keep(b, "key", qkv[1], t->length);
    keep(b, "value", qkv[2], t->length);
    return attend_chunks(b, c, qkv, t->mask);
}

/* --- the model --- */

/* Rows of two tables, side by side: weights.0 of the row of a place in a grid, weights.1 of its column. */
static am_value axial_positions(am_builder *b, const reformer_config *c, am_value places)
{
    static const int64_t sides[] = {64, 64}, widths[] = {64, 192};
    const am_config *config = am_model_config(b);
    int64_t side[2] = {1, 1}, width[2] = {1, 1};
    if (am_config_sizes(config, "axial_pos_shape", side, 2, sides, 2) != 2 || side[0] == 0 || side[1] == 0)
        am_config_fail(config, "axial_pos_shape", "expected rows and columns");
    if (am_config_sizes(config, "axial_pos_embds_dim", width, 2, widths, 2) != 2 ||
        width[0] + width[1] != c->hidden_size)
        am_config_fail(config, "axial_pos_embds_dim", "expected two numbers that add up to hidden_size %lld",
                       (long long)c->hidden_size);
    am_value columns = am_scalar(b, AM_I32, side[1] ? (double)side[1] : 1);
    am_value rows = am_weight(b, "weights.0", am_shape_of(side[0], 1, width[0])),
             cells = am_weight(b, "weights.1", am_shape_of(1, side[1], width[1]));
    rows = am_embedding_op(b, am_squeeze(b, rows, 1), am_binary(b, AM_DIV, places, columns));
    cells = am_embedding_op(b, am_squeeze(b, cells, 0), am_binary(b, AM_MOD, places, columns));
    return am_concat2(b, rows, cells, -1);
}

/* Places of T tokens and of the padding behind them: I32 [1 or B, padded]. A mask that comes with a text to go on with
   does not move them. */
static am_value places_of(am_builder *b, int64_t T, int64_t padded)
{
    if (padded > T && am_has_input(b, "position_ids"))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "position_ids of %lld tokens, expected a multiple of the chunks' length",
                                    (long long)T));
    if (!am_has_cache(b)) return am_position_ids(b, padded);
    if (am_has_input(b, "position_ids") && !am_has_input(b, "attention_mask"))
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "a text with position_ids cannot be continued in this class"));
    am_value places = am_iota(b, AM_I32, am_shape_of(1, padded), 1, 0, 1);
    return am_add(b, places, am_cache_offset(b));
}

static int64_t common_multiple(int64_t x, int64_t y)
{
    int64_t a = x, divisor = y;
    while (a % divisor != 0) {
        int64_t rest = a % divisor;
        a = divisor;
        divisor = rest;
    }
    return x / divisor * y;
}

/* Texts longer than the shortest chunk are padded to whole chunks. */
static int64_t padded_length(const reformer_config *c, int64_t T)
{
    int64_t local = c->local.chunk, hashed = c->hashed.window.chunk;
    if (!has_kind(c, HASHED)) hashed = local;
    if (!has_kind(c, LOCAL)) local = hashed;
    int64_t whole = common_multiple(local, hashed);
    return T <= (local < hashed ? local : hashed) ? T : (T + whole - 1) / whole * whole;
}

/* What tokens are read, of T and padding: BOOL [1 or B, padded], or AM_NONE: all. */
static am_value mask_of(am_builder *b, int64_t T, int64_t padded)
{
    am_value mask = am_has_cache(b) ? AM_NONE : am_input_optional(b, "attention_mask", 2);
    if (mask.id) mask = am_binary_number(b, AM_NOT_EQUAL, am_cast(b, mask, AM_F32), 0);
    if (padded == T) return mask;
    am_value real = am_binary_number(b, AM_LESS, am_iota(b, AM_I32, am_shape_of(1, padded), 1, 0, 1), (double)T);
    if (!mask.id) return real;
    mask = am_pad_zero(b, am_cast(b, mask, AM_I32), 1, 0, padded - T);
    return am_binary_number(b, AM_NOT_EQUAL, mask, 0);
}

static am_value embeddings(am_builder *b, const reformer_config *c, int64_t *out_length)
{
    am_scope(b, "embeddings");
    am_value x = am_input_embeddings(b, "word_embeddings", c->vocab_size, c->hidden_size);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), padded = am_cross_cached(b) ? T : padded_length(c, T);
    if (padded > T) {
        am_value pad = am_iota(b, AM_I32, am_shape_of(B, padded - T), 0, (double)c->pad_token_id, 0);
        x = am_concat2(b, x, am_embedding(b, "word_embeddings", pad, c->vocab_size, c->hidden_size), 1);
    }
    if (padded > c->max_position_embeddings)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "text of %lld tokens, expected %lld at most",
                                    (long long)padded, (long long)c->max_position_embeddings));
    am_value places = places_of(b, T, padded);
    am_scope(b, "position_embeddings");
    places = am_config_flag(am_model_config(b), "axial_pos_embds", true)
                 ? axial_positions(b, c, places)
                 : am_embedding(b, "embedding", places, c->max_position_embeddings, c->hidden_size);
    am_end_scope(b);
    am_end_scope(b);
    *out_length = T;
    return am_add(b, x, places);
}

static am_value attention(am_builder *b, const reformer_config *c, am_value x, layer_kind kind, const text *t)
{
    am_scope(b, "attention");
    x = am_layer_norm(b, "layer_norm", x, c->eps);
    am_scope(b, "self_attention");
    x = kind == LOCAL ? local_attention(b, c, x, t) : am_hashed_attention(b, &c->hashed, x, t->mask, t->length);
    am_end_scope(b);
    x = am_linear(b, "output.dense", x, c->hidden_size, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, const reformer_config *c, am_value x)
{
    am_scope(b, "feed_forward");
    x = am_layer_norm(b, "layer_norm", x, c->eps);
    x = am_linear_activation(b, "dense.dense", x, c->feed_forward_size, AM_BIAS, c->hidden_act);
    x = am_linear(b, "output.dense", x, c->hidden_size, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* Both streams of the last layer, normed: [B, T, 2 C]. Hidden states are of the second one, padding included. */
static am_value body(am_builder *b, const char *prefix)
{
    reformer_config c = read_config(b);
    text t;
    am_scope(b, "%s", prefix);
    am_value x = embeddings(b, &c, &t.length), attended = x;
    t.mask = mask_of(b, t.length, am_dim(b, x, 1));
    am_scope(b, "encoder");
    for (int i = 0; i < c.layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        attended = am_add(b, attended, attention(b, &c, x, c.kinds[i], &t));
        x = am_add(b, x, feed_forward(b, &c, attended));
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", c.layers, x);
    x = am_layer_norm(b, "layer_norm", am_concat2(b, attended, x, 2), c.eps);
    am_end_scope(b);
    am_end_scope(b);
    return am_slice(b, x, 1, 0, t.length);
}

static void language_model(am_builder *b, bool causal)
{
    const am_config *c = am_model_config(b);
    if (am_config_flag(c, "is_decoder", false) != causal)
        am_config_fail(c, "is_decoder", "must be %s in this class", causal ? "true" : "false");
    reformer_config r = read_config(b);
    for (int i = 0; i < r.layers && causal; i++)
        if ((r.kinds[i] == LOCAL ? r.local : r.hashed.window).after)
            am_config_fail(c, r.kinds[i] == LOCAL ? "local_num_chunks_after" : "lsh_num_chunks_after",
                           "must be 0 in this class");
    am_value x = body(b, "reformer");
    am_output(b, "logits", am_lm_head(b, "lm_head.decoder", x, r.vocab_size, false, NULL, AM_NO_BIAS));
}

static void model_with_lm_head(am_builder *b)
{
    language_model(b, true);
}

static void for_masked_lm(am_builder *b)
{
    language_model(b, false);
}

static void for_sequence_classification(am_builder *b)
{
    am_value x = am_index(b, body(b, "reformer"), 1, 0);
    am_scope(b, "classifier");
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1) / 2, AM_BIAS, AM_TANH);
    am_output(b, "logits", am_linear(b, "out_proj", x, am_config_labels(am_model_config(b)), AM_BIAS));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"ReformerModel", am_causal_model, "feature-extraction", 0},
    {"ReformerModelWithLMHead", model_with_lm_head, "text-generation", AM_GENERATES | AM_READS_AT_ONCE},
    {"ReformerForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"ReformerForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"ReformerForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body, .prefix = "reformer"};

const am_model_type am_model_reformer = {
    .name = "reformer", .base_prefix = "reformer", .architectures = architectures, .family = &family};
