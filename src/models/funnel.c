/* Funnel Transformer: an encoder of blocks, each of which halves the text as it begins: pooled queries attend to keys
   not yet pooled, with relative positions. A decoder brings what is left back to full length, adds the states after the
   first block, and attends a few times more. transformers: models/funnel/modeling_funnel.py */
#include "models/blocks/attention.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/text_classes.h"
#include "models/blocks/transformer_xl.h"

#include <math.h>
#include <string.h>

enum { LAYERS_LIMIT = 4096, BLOCK_LIMIT = 16 };

typedef struct funnel_config {
    int64_t vocab_size, d_model, n_head, d_head, d_inner, num_decoder_layers;
    int64_t block_sizes[BLOCK_LIMIT], block_repeats[BLOCK_LIMIT];
    int blocks;
    am_unary_fn hidden_act;
    double layer_norm_eps;
    bool pools_max, separate_cls, truncate_seq, pool_q_only;
} funnel_config;

static void read_blocks(const am_config *c, funnel_config *f)
{
    static const int64_t sizes[] = {4, 4, 4};
    int64_t ones[BLOCK_LIMIT];
    f->blocks = am_config_sizes(c, "block_sizes", f->block_sizes, BLOCK_LIMIT, sizes, 3);
    if (f->blocks < 1) am_config_fail(c, "block_sizes", "the list is empty");
    for (int i = 0; i < BLOCK_LIMIT; i++) ones[i] = 1;
    int repeats = am_config_sizes(c, "block_repeats", f->block_repeats, BLOCK_LIMIT, ones, f->blocks);
    if (repeats != f->blocks)
        am_config_fail(c, "block_repeats", "expected as many as block_sizes, %d, found %d", f->blocks, repeats);
    for (int i = 0; i < f->blocks && i < repeats; i++)
        if (f->block_sizes[i] > LAYERS_LIMIT || f->block_repeats[i] > LAYERS_LIMIT / (f->block_sizes[i] + 1))
            am_config_fail(c, "block_sizes", "block %d has more than %d layers", i, LAYERS_LIMIT);
}

static funnel_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const char *pooling = am_config_text(c, "pooling_type", "mean");
    const char *attention = am_config_text(c, "attention_type", "relative_shift");
    funnel_config f = {
        .vocab_size = am_config_size(c, "vocab_size", 30522),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 768),
        .n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), 12),
        .d_head = am_config_size(c, "d_head", 64),
        .d_inner = am_config_size(c, "d_inner", 3072),
        .num_decoder_layers = am_config_count(c, "num_decoder_layers", 2),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-9),
        .pools_max = strcmp(pooling, "max") == 0,
        .separate_cls = am_config_flag(c, "separate_cls", true),
        .truncate_seq = am_config_flag(c, "truncate_seq", true),
        .pool_q_only = am_config_flag(c, "pool_q_only", true),
    };
    read_blocks(c, &f);
    if (f.d_model % 2) am_config_fail(c, "d_model", "%lld is odd: sines and cosines share it", (long long)f.d_model);
    if (!f.pools_max && strcmp(pooling, "mean") != 0)
        am_config_unsupported(c, "pooling_type", "\"%s\" is not supported", pooling);
    /* two ways to compute the same scores */
    if (strcmp(attention, "relative_shift") != 0 && strcmp(attention, "factorized") != 0)
        am_config_unsupported(c, "attention_type", "\"%s\" is not supported", attention);
    return f;
}

/* --- pooling --- */

/* A text, its tokens `stride` apart in the text that was given. */
typedef struct text {
    am_value x;     /* [B, T, C] */
    am_value types; /* I32 [B or 1, T] */
    am_value mask;  /* F32 [B, T], 1 where attended, or AM_NONE */
    int64_t stride;
} text;

/* What pairs are made of, along axis 1: with a separate <cls> that is a pair by itself, and the last token may go. */
static am_value before_pooling(am_builder *b, am_value x, const funnel_config *c)
{
    if (!c->separate_cls) return x;
    am_value rest = c->truncate_seq ? am_slice(b, x, 1, 0, -1) : x;
    return am_concat2(b, am_slice(b, x, 1, 0, 1), rest, 1);
}

/* Pairs of x: [B, T, C]; a last one may be alone. */
static am_value pool_pairs(am_builder *b, am_value x, int fn, const funnel_config *c)
{
    am_pool_attributes pairs = {.fn = fn, .kernel = am_shape_of(2, 1), .ceil_mode = true};
    return am_squeeze(b, am_pool(b, am_unsqueeze(b, before_pooling(b, x, c), 1), &pairs), 1);
}

/* 1 where all of a pair are attended: mask: [B, T] */
static am_value pool_mask(am_builder *b, am_value mask, const funnel_config *c)
{
    if (!mask.id) return AM_NONE;
    am_value negative = am_unsqueeze(b, am_unary(b, AM_NEG, mask), 2);
    return am_unary(b, AM_NEG, am_squeeze(b, pool_pairs(b, negative, AM_POOL_MAX, c), 2));
}

static text pool(am_builder *b, const text *t, const funnel_config *c)
{
    return (text){.x = pool_pairs(b, t->x, c->pools_max ? AM_POOL_MAX : AM_POOL_AVERAGE, c),
                  .types = am_slice_step(b, before_pooling(b, t->types, c), 1, 0, AM_SLICE_END, 2),
                  .mask = pool_mask(b, t->mask, c),
                  .stride = 2 * t->stride};
}

/* --- layers --- */

/* Sinusoids of all distances of keys before queries, farthest first: [rows, d_model]; index: the row of each pair,
   I32 [T, S]. Tokens are evenly apart but for a separate <cls>, whose distances do not count. */
static am_value distances(am_builder *b, const text *q, const text *k, const funnel_config *c, am_value *index)
{
    int64_t T = am_dim(b, q->x, 1), S = am_dim(b, k->x, 1), step = q->stride / k->stride, rows = step * (T - 1) + S;
    double *far = am_arena_array(am_builder_arena(b), (size_t)rows, sizeof *far);
    if (!far) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    /* a separate <cls> shifts pairs by one token */
    int64_t first = step * (T - 1) - (step > 1 && c->separate_cls);
    for (int64_t r = 0; r < rows; r++) far[r] = (double)((first - r) * k->stride);
    am_value key = am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1);
    am_value query = am_iota(b, AM_I32, am_shape_of(T, 1), 0, (double)(step * (T - 1)), (double)-step);
    *index = am_add(b, query, key);
    return am_sinusoids_at(b, far, rows, c->d_model);
}

/* I32 [B or 1, 1, T, S]: 1 where query and key are of one type, or one of them is <cls>, whose type is 2 */
static am_value same_type(am_builder *b, const text *q, const text *k)
{
    am_value x = am_unsqueeze(b, q->types, 2), y = am_unsqueeze(b, k->types, 1);
    am_value cls =
        am_binary(b, AM_LOGICAL_OR, am_binary_number(b, AM_EQUAL, x, 2), am_binary_number(b, AM_EQUAL, y, 2));
    return am_unsqueeze(b, am_cast(b, am_binary(b, AM_LOGICAL_OR, am_binary(b, AM_EQUAL, x, y), cls), AM_I32), 1);
}

/* scores: [B, H, T, S] with zeros where query or key is the first */
static am_value without_cls(am_builder *b, am_value scores)
{
    am_shape s = am_shape_of_value(b, scores);
    am_value query = am_iota(b, AM_I32, am_shape_of(s.dims[2], 1), 0, 0, 1);
    am_value key = am_iota(b, AM_I32, am_shape_of(1, s.dims[3]), 1, 0, 1);
    am_value others = am_binary_number(b, AM_GREATER, am_mul(b, query, key), 0);
    return am_mul(b, scores, am_cast(b, others, AM_F32));
}

/* What is added to the scores of contents, before they are scaled: [B, H, T, S] */
static am_value relative_scores(am_builder *b, am_value heads, const text *q, const text *k, const funnel_config *c)
{
    am_value index = AM_NONE, table = distances(b, q, k, c, &index);
    am_value rows = am_xl_heads(b, "r_kernel", table, c->n_head, c->d_head);
    am_value kinds = am_cast(b, am_weight(b, "seg_embed", am_shape_of(2, c->n_head, c->d_head)), AM_F32);
    am_value scores = am_add(b, am_xl_scores(b, am_xl_biased(b, heads, "r_r_bias"), rows, index),
                             am_xl_scores(b, am_xl_biased(b, heads, "r_s_bias"), kinds, same_type(b, q, k)));
    return c->separate_cls ? without_cls(b, scores) : scores;
}

/* BOOL [B, 1, 1, S]; where nothing is attended, everything is: the class subtracts a number from the scores. */
static am_value attended(am_builder *b, am_value mask)
{
    if (!mask.id) return AM_NONE;
    am_value seen = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    am_value any = am_reduce(b, AM_REDUCE_ANY, seen, am_shape_of(1), true);
    seen = am_binary(b, AM_LOGICAL_OR, seen, am_unary(b, AM_LOGICAL_NOT, any));
    return am_unsqueeze(b, am_unsqueeze(b, seen, 1), 1);
}

static am_value project(am_builder *b, const char *name, am_value x, const funnel_config *c, int bias)
{
    return am_split_heads(b, am_linear(b, name, x, c->n_head * c->d_head, bias), c->n_head);
}

static am_value attention(am_builder *b, const text *q, const text *k, const funnel_config *c)
{
    double scale = 1 / sqrt((double)c->d_head);
    am_scope(b, "attention");
    am_value heads = project(b, "q_head", q->x, c, AM_NO_BIAS);
    am_attention_inputs inputs = {.q = am_xl_biased(b, heads, "r_w_bias"),
                                  .k = project(b, "k_head", k->x, c, AM_BIAS),
                                  .v = project(b, "v_head", k->x, c, AM_BIAS),
                                  .mask = attended(b, k->mask),
                                  .bias = am_mul_number(b, relative_scores(b, heads, q, k, c), scale)};
    am_value y = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){.scale = scale}));
    y = am_add(b, q->x, am_linear(b, "post_proj", y, c->d_model, AM_BIAS));
    y = am_layer_norm(b, "layer_norm", y, c->layer_norm_eps);
    am_end_scope(b);
    return y;
}

static am_value layer(am_builder *b, const text *q, const text *k, const funnel_config *c)
{
    am_value x = attention(b, q, k, c);
    am_scope(b, "ffn");
    am_value h = am_linear_activation(b, "linear_1", x, c->d_inner, AM_BIAS, c->hidden_act);
    x = am_add(b, x, am_linear(b, "linear_2", h, c->d_model, AM_BIAS));
    x = am_layer_norm(b, "layer_norm", x, c->layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* --- the funnel --- */

/* The states so far. */
typedef struct states {
    int count;
    am_value first_block; /* the one that the decoder adds: after as many layers as the first block has */
} states;

static void add_state(am_builder *b, states *s, const funnel_config *c, am_value x)
{
    if (s->count == c->block_sizes[0]) s->first_block = x;
    am_output_hidden_state(b, "hidden_states", s->count++, x);
}

/* A layer as often as its block says; at the beginning of a block that pools, of pooled queries. */
static void run_layer(am_builder *b, text *t, bool pools, int64_t repeats, const funnel_config *c, states *s)
{
    for (int64_t i = 0; i < repeats && !am_builder_failed(b); i++) {
        text q = pools && i == 0 ? pool(b, t, c) : *t;
        q.x = layer(b, &q, c->pool_q_only ? t : &q, c);
        *t = q;
        add_state(b, s, c, t->x);
    }
}

static void encode(am_builder *b, text *t, const funnel_config *c, states *s)
{
    add_state(b, s, c, t->x);
    for (int i = 0; i < c->blocks; i++) {
        bool pools = i > 0 && am_dim(b, t->x, 1) > (c->separate_cls ? 2 : 1);
        for (int j = 0; j < c->block_sizes[i] && !am_builder_failed(b); j++) {
            am_scope(b, "encoder.blocks.%d.%d", i, j);
            run_layer(b, t, pools && j == 0, c->block_repeats[i], c, s);
            am_end_scope(b);
        }
    }
}

/* x: [B, S, C] -> [B, T, C]: every token `times` times, a separate <cls> once; zeros where a last token went. */
static am_value stretch(am_builder *b, am_value x, int64_t times, int64_t T, const funnel_config *c)
{
    if (times == 1 || T == 1) return x;
    am_value rest = c->separate_cls ? am_slice(b, x, 1, 1, AM_SLICE_END) : x;
    am_shape s = am_shape_of_value(b, rest);
    rest = am_broadcast(b, am_unsqueeze(b, rest, 2), am_shape_of(s.dims[0], s.dims[1], times, s.dims[2]));
    rest = am_flatten(b, rest, 1, 2);
    if (!c->separate_cls) return am_slice(b, rest, 1, 0, T);
    if (c->truncate_seq) rest = am_pad_zero(b, rest, 1, 0, times - 1);
    return am_concat2(b, am_slice(b, x, 1, 0, 1), am_slice(b, rest, 1, 0, T - 1), 1);
}

static void decode(am_builder *b, text *t, am_value encoded, const funnel_config *c, states *s)
{
    if (am_builder_failed(b)) return;
    am_value full = stretch(b, encoded, (int64_t)1 << (c->blocks - 1), am_dim(b, t->x, 1), c);
    t->x = am_add(b, full, s->first_block);
    add_state(b, s, c, t->x);
    for (int i = 0; i < c->num_decoder_layers && !am_builder_failed(b); i++) {
        am_scope(b, "decoder.layers.%d", i);
        run_layer(b, t, false, 1, c, s);
        am_end_scope(b);
    }
}

static text embed(am_builder *b, const funnel_config *c)
{
    am_scope(b, "embeddings");
    am_value x = am_input_embeddings(b, "word_embeddings", c->vocab_size, c->d_model);
    am_value mask = am_flat_input(b, "attention_mask");
    text t = {.x = am_layer_norm(b, "layer_norm", x, c->layer_norm_eps),
              .types = am_token_types(b, am_dim(b, x, 1)),
              .mask = mask.id ? am_cast(b, mask, AM_F32) : AM_NONE,
              .stride = 1};
    am_end_scope(b);
    return t;
}

/* FunnelBaseModel, or with the decoder FunnelModel */
static am_value funnel(am_builder *b, const char *prefix, bool with_decoder)
{
    funnel_config c = read_config(b);
    states s = {0};
    am_scope(b, "%s", prefix);
    text t = embed(b, &c), pooled = t;
    encode(b, &pooled, &c, &s);
    if (with_decoder) decode(b, &t, pooled.x, &c, &s);
    am_end_scope(b);
    return with_decoder ? t.x : pooled.x;
}

static am_value body(am_builder *b, const char *prefix)
{
    return funnel(b, prefix, true);
}

static void base_model(am_builder *b)
{
    am_output(b, "last_hidden_state", funnel(b, "", false));
}

static void for_pretraining(am_builder *b)
{
    am_output_replaced(b, am_text_body(b), read_config(b).hidden_act);
}

static void for_masked_lm(am_builder *b)
{
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_output(b, "logits",
              am_lm_head(b, "lm_head", am_text_body(b), read_config(b).vocab_size, tied,
                         "funnel.embeddings.word_embeddings.weight", AM_BIAS));
}

/* of the first token that the encoder leaves: [B, labels] */
static am_value classify(am_builder *b, int64_t labels)
{
    am_value x = am_index(b, funnel(b, "funnel", false), 1, 0);
    am_scope(b, "classifier");
    x = am_linear_activation(b, "linear_hidden", x, am_dim(b, x, -1), AM_BIAS, AM_TANH);
    x = am_linear(b, "linear_out", x, labels, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void for_sequence_classification(am_builder *b)
{
    am_output(b, "logits", classify(b, am_config_labels(am_model_config(b))));
}

static void for_multiple_choice(am_builder *b)
{
    am_output_choices(b, classify(b, 1));
}

static const am_architecture architectures[] = {
    {"FunnelModel", am_text_model, "feature-extraction", 0},
    {"FunnelBaseModel", base_model, "feature-extraction", 0},
    {"FunnelForPreTraining", for_pretraining, NULL, 0},
    {"FunnelForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"FunnelForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"FunnelForMultipleChoice", for_multiple_choice, NULL, 0},
    {"FunnelForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"FunnelForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "funnel", .body = body};

const am_model_type am_model_funnel = {
    .name = "funnel", .base_prefix = "funnel", .architectures = architectures, .family = &family};
