/* XLNet: post-norm layers whose scores are three products: of contents, of contents with the distance (a
   projected sinusoid), and of contents with whether two tokens are of one segment. Each has a bias of its own
   added to the query. A second stream of queries that do not see their own token predicts where target_mapping
   says. transformers: models/xlnet/modeling_xlnet.py */
#include "models/blocks/answer_beams.h"
#include "models/blocks/attention.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/text_classes.h"
#include "models/blocks/transformer_xl.h"

#include <math.h>

typedef struct xlnet_config {
    int64_t vocab_size, d_model, n_layer, n_head, d_head, d_inner, clamp_len;
    double layer_norm_eps;
    am_unary_fn ff_activation;
    bool causal;      /* attn_type "uni" */
    bool same_length; /* causal queries see themselves only, and what was remembered */
} xlnet_config;

static xlnet_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    xlnet_config x = {
        .vocab_size = am_config_size(c, am_config_either(c, "vocab_size", "n_token"), 32000),
        .d_model = am_config_size(c, am_config_either(c, "d_model", "hidden_size"), 1024),
        .n_layer = am_config_count(c, am_config_either(c, "n_layer", "num_hidden_layers"), 24),
        .n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), 16),
        .d_inner = am_config_size(c, "d_inner", 4096),
        .clamp_len = am_config_int(c, "clamp_len", -1),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .ff_activation = am_config_activation(c, "ff_activation", AM_GELU),
        .causal = am_config_is(c, "attn_type", "uni"),
        .same_length = am_config_flag(c, "same_length", false),
    };
    if (am_config_flag(c, "bi_data", false))
        am_config_unsupported(c, "bi_data", "batches of two directions are for training, found true");
    am_config_check_divides(c, "n_head", x.n_head, "d_model", x.d_model);
    x.d_head = am_config_size(c, "d_head", x.d_model / x.n_head);
    return x;
}

/* --- what all layers share --- */

/* Sinusoids of the distances first, first - 1, .. of keys before queries: [count, d_model]. */
static am_value distance_table(am_builder *b, const xlnet_config *c, int64_t first, int64_t count)
{
    double *distances = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *distances);
    if (!distances) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t r = 0; r < count; r++) {
        double limit = (double)c->clamp_len;
        distances[r] = (double)(first - r);
        if (limit > 0) distances[r] = fmin(fmax(distances[r], -limit), limit);
    }
    return am_sinusoids_at(b, distances, count, c->d_model / 2 * 2);
}

/* Row of a table that begins with distance `first` for queries at places: I32 [T] and keys at 0 .. S - 1:
   I32 [T, S]. */
static am_value distance_rows(am_builder *b, am_value places, int64_t S, int64_t first)
{
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1);
    return am_add_number(b, am_sub(b, keys, am_unsqueeze(b, places, 1)), (double)first);
}

/* true on the diagonal (or below it, too): BOOL [T, T] */
static am_value square(am_builder *b, int64_t T, am_binary_fn compare)
{
    return am_binary(b, compare, am_iota(b, AM_I32, am_shape_of(T, 1), 0, 0, 1),
                     am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1));
}

static am_value both(am_builder *b, am_value x, am_value y)
{
    return x.id && y.id ? am_binary(b, AM_LOGICAL_AND, x, y) : x.id ? x : y;
}

/* Which keys a query may see, BOOL broadcastable to [B, 1, T, T], or AM_NONE: from attention_mask or input_mask
   (1 at padding), perm_mask: [B, T, T] (1 where not seen) and attn_type. */
static am_value visible(am_builder *b, const xlnet_config *c, int64_t T)
{
    am_value mask = am_flat_padding_mask(b), padding = am_flat_input(b, "input_mask");
    am_value hidden = am_input_optional(b, "perm_mask", 3);
    if (padding.id) {
        padding = am_binary_number(b, AM_EQUAL, padding, 0);
        mask = am_reshape(b, padding, am_shape_of(am_dim(b, padding, 0), 1, 1, T));
    }
    if (hidden.id) mask = both(b, mask, am_unsqueeze(b, am_binary_number(b, AM_EQUAL, hidden, 0), 1));
    return c->causal ? both(b, mask, square(b, T, c->same_length ? AM_EQUAL : AM_GREATER_EQUAL)) : mask;
}

typedef struct shared {
    am_value distances, rows, other_segment; /* other_segment: I32 [B, T, T], or AM_NONE without token types */
    am_value mask_content, mask_query;       /* for each stream: contents always see themselves */
    am_value targets;                        /* target_mapping: [B, M, T], or AM_NONE */
} shared;

static shared prepare(am_builder *b, const xlnet_config *c, int64_t T)
{
    am_value types = am_flat_input(b, "token_type_ids"), mask = visible(b, c, T);
    shared s = {.distances = distance_table(b, c, T, 2 * T),
                .rows = distance_rows(b, am_iota(b, AM_I32, am_shape_of(T), 0, 0, 1), T, T),
                .mask_query = mask,
                .targets = am_input_optional(b, "target_mapping", 3)};
    if (mask.id) s.mask_content = am_binary(b, AM_LOGICAL_OR, mask, square(b, T, AM_EQUAL));
    if (types.id)
        s.other_segment =
            am_cast(b, am_binary(b, AM_NOT_EQUAL, am_unsqueeze(b, types, 2), am_unsqueeze(b, types, 1)), AM_I32);
    return s;
}

/* --- layers --- */

static am_value heads_of(am_builder *b, const char *name, am_value x, const xlnet_config *c)
{
    return am_xl_heads(b, name, x, c->n_head, c->d_head);
}

/* Attention of one stream of queries: [B, T, H, D] -> [B, T, H, D]. */
static am_value attend(am_builder *b, am_value q, am_value k, am_value v, const shared *s, const xlnet_config *c,
                       am_value mask)
{
    double scale = 1 / sqrt((double)c->d_head);
    am_value bias = am_xl_scores(b, am_xl_biased(b, q, "r_r_bias"), heads_of(b, "r", s->distances, c), s->rows);
    if (s->other_segment.id) {
        am_value rows = am_cast(b, am_weight(b, "seg_embed", am_shape_of(2, c->n_head, c->d_head)), AM_F32);
        bias = am_add(b, bias,
                      am_xl_scores(b, am_xl_biased(b, q, "r_s_bias"), rows, am_unsqueeze(b, s->other_segment, 1)));
    }
    am_attention_inputs inputs = {
        .q = am_xl_biased(b, q, "r_w_bias"), .k = k, .v = v, .mask = mask, .bias = am_mul_number(b, bias, scale)};
    return am_attention_op(b, &inputs, &(am_attention_attributes){.scale = scale});
}

/* o, residual and norm, then the feed-forward part, below a layer's scope; heads: [B, T, H, D] */
static am_value finish(am_builder *b, am_value x, am_value heads, const xlnet_config *c)
{
    int64_t C = c->d_model, width = c->n_head * c->d_head;
    am_scope(b, "rel_attn");
    am_value o = am_reshape(b, am_weight(b, "o", am_shape_of(C, c->n_head, c->d_head)), am_shape_of(C, width));
    x = am_add(b, am_linear_with(b, am_merge_heads(b, heads), o, AM_NONE), x);
    x = am_layer_norm(b, "layer_norm", x, c->layer_norm_eps);
    am_end_scope(b);
    am_scope(b, "ff");
    am_value h = am_linear_activation(b, "layer_1", x, c->d_inner, AM_BIAS, c->ff_activation);
    x = am_layer_norm(b, "layer_norm", am_add(b, am_linear(b, "layer_2", h, C, AM_BIAS), x), c->layer_norm_eps);
    am_end_scope(b);
    return x;
}

/* targets: [B, M, T] put queries [B, M, H, D] at their places [B, T, H, D], or (back) read them from there */
static am_value at_targets(am_builder *b, am_value targets, am_value heads, bool back)
{
    am_shape s = am_shape_of_value(b, heads);
    am_value moved = am_matmul(b, targets, am_merge_heads(b, heads), !back, false);
    s.dims[1] = am_dim(b, moved, 1);
    return am_reshape(b, moved, s);
}

/* content: [B, T, C]; query: [B, M, C], or AM_NONE without targets */
static void layer(am_builder *b, am_value *content, am_value *query, const shared *s, const xlnet_config *c)
{
    am_value of_query = AM_NONE;
    am_scope(b, "rel_attn");
    am_value k = heads_of(b, "k", *content, c), v = heads_of(b, "v", *content, c);
    am_value of_content = attend(b, heads_of(b, "q", *content, c), k, v, s, c, s->mask_content);
    if (query->id) {
        am_value q = at_targets(b, s->targets, heads_of(b, "q", *query, c), false);
        of_query = at_targets(b, s->targets, attend(b, q, k, v, s, c, s->mask_query), true);
    }
    am_end_scope(b);
    *content = finish(b, *content, of_content, c);
    if (query->id) *query = finish(b, *query, of_query, c);
}

static am_value body(am_builder *b, const char *prefix)
{
    xlnet_config c = read_config(b);
    am_value ids = am_flat_input(b, "input_ids"), query = AM_NONE;
    if (!ids.id) return am_input(b, "input_ids", 2);
    shared s = prepare(b, &c, am_dim(b, ids, 1));
    am_scope(b, "%s", prefix);
    am_value content = am_embedding(b, "word_embedding", ids, c.vocab_size, c.d_model);
    if (s.targets.id) {
        am_value start = am_cast(b, am_weight(b, "mask_emb", am_shape_of(1, 1, c.d_model)), AM_F32);
        query = am_broadcast(b, start, am_shape_of(am_dim(b, ids, 0), am_dim(b, s.targets, 1), c.d_model));
    }
    for (int i = 0; i < c.n_layer && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, content);
        am_scope(b, "layer.%d", i);
        layer(b, &content, &query, &s, &c);
        am_end_scope(b);
    }
    am_output_hidden_state(b, "hidden_states", (int)c.n_layer, content);
    am_end_scope(b);
    return query.id ? query : content;
}

/* --- generation ---

   transformers appends a token that nothing sees and asks the stream of queries for it. Of the text it keeps the
   inputs of every layer (mems), as they were when it was shorter, but for the last token, which runs again. */

/* Which keys of a cache of S places queries at `places` see: BOOL [1, 1, T, S]. */
static am_value remembered(am_builder *b, const xlnet_config *c, am_value places, int64_t S, int64_t T)
{
    int64_t reach = am_config_int(am_model_config(b), "mem_len", 512);
    am_value keys = am_iota(b, AM_I32, am_shape_of(1, S), 1, 0, 1);
    am_value end = am_add_number(b, am_cache_offset(b), (double)T);
    am_value seen = am_binary(b, AM_LESS, keys, end);
    if (T == 1 && reach > 0)
        seen = both(b, seen, am_binary(b, AM_GREATER_EQUAL, keys, am_add_number(b, end, (double)-reach)));
    if (c->causal) seen = both(b, seen, am_binary(b, AM_LESS_EQUAL, keys, am_unsqueeze(b, places, 1)));
    seen = am_broadcast(b, seen, am_shape_of(am_dim(b, places, 0), S));
    return am_unsqueeze(b, am_unsqueeze(b, seen, 0), 0);
}

static shared prepare_generation(am_builder *b, const xlnet_config *c, am_value places, int64_t T)
{
    int64_t S = am_cache_capacity(b);
    return (shared){.distances = distance_table(b, c, S, 2 * S + 1),
                    .rows = distance_rows(b, places, S, S),
                    .mask_content = remembered(b, c, places, S, T)};
}

static void check_generation(am_builder *b, const xlnet_config *c, int64_t T)
{
    const am_config *config = am_model_config(b);
    int64_t reach = am_config_int(config, "mem_len", 512), reuse = am_config_int(config, "reuse_len", 0);
    if (!am_config_flag(config, "use_mems_eval", true))
        am_config_unsupported(config, "use_mems_eval", "generation keeps memories here, found false");
    if (reach > 0 && reach < 3)
        am_config_unsupported(config, "mem_len", "generation needs 3, found %lld", (long long)reach);
    if (reuse > 0 && T >= reuse)
        am_config_unsupported(config, "reuse_len",
                              "generation needs more than the %lld tokens of the prompt, found %lld", (long long)T,
                              (long long)reuse);
    if (c->same_length) am_config_unsupported(config, "same_length", "generation needs false, found true");
}

static am_value generating_body(am_builder *b, const char *prefix)
{
    xlnet_config c = read_config(b);
    am_value ids = am_input(b, "input_ids", 2), offset = am_cache_offset(b);
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    check_generation(b, &c, T);
    am_scope(b, "%s", prefix);
    am_value tokens = am_cache_append(b, "tokens", am_cast(b, ids, AM_F32));
    am_value places = am_add(b, am_iota(b, AM_I32, am_shape_of(T), 0, 0, 1), offset),
             next = am_add_number(b, offset, (double)T);
    if (T == 1) { /* the token before it runs again */
        places = am_add(b, am_iota(b, AM_I32, am_shape_of(2), 0, -1, 1), offset);
        places = am_binary_number(b, AM_MAX, places, 0);
        ids = am_cast(b, am_gather(b, tokens, places, 1, false), AM_I32);
    }
    next = am_reshape(b, next, am_shape_of(1));
    shared of_content = prepare_generation(b, &c, places, T), of_query = prepare_generation(b, &c, next, T);
    am_value content = am_embedding(b, "word_embedding", ids, c.vocab_size, c.d_model);
    am_value start = am_cast(b, am_weight(b, "mask_emb", am_shape_of(1, 1, c.d_model)), AM_F32);
    am_value query = am_broadcast(b, start, am_shape_of(B, 1, c.d_model));
    for (int i = 0; i < c.n_layer && !am_builder_failed(b); i++) {
        am_scope(b, "layer.%d", i);
        am_value memory = am_cache_write(b, "memory", content, places);
        am_scope(b, "rel_attn");
        am_value k = heads_of(b, "k", memory, &c), v = heads_of(b, "v", memory, &c);
        am_value h = attend(b, heads_of(b, "q", content, &c), k, v, &of_content, &c, of_content.mask_content);
        am_value g = attend(b, heads_of(b, "q", query, &c), k, v, &of_query, &c, of_query.mask_content);
        am_end_scope(b);
        content = finish(b, content, h, &c);
        query = finish(b, query, g, &c);
        am_end_scope(b);
    }
    am_end_scope(b);
    return query;
}

/* --- heads --- */

static am_value summarized(am_builder *b, const char *prefix, am_value x)
{
    (void)prefix;
    const am_config *c = am_model_config(b);
    am_summary_options summary = {.type = "last", .projected = true, .activation = AM_TANH};
    summary = am_summary_options_read(c, summary);
    return am_sequence_summary(b, "sequence_summary", x, AM_NONE, am_config_labels(c), &summary);
}

static void for_language_modeling(am_builder *b)
{
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_value x = am_has_cache(b) ? generating_body(b, "transformer") : am_text_body(b);
    am_output(
        b, "logits",
        am_lm_head(b, "lm_loss", x, read_config(b).vocab_size, tied, "transformer.word_embedding.weight", AM_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    am_output(b, "logits",
              am_linear(b, "logits_proj", am_text_pooled(b), am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    am_output_choices(b, am_linear(b, "logits_proj", am_text_pooled(b), 1, AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    am_output_answer_beams(b, am_text_body(b), read_config(b).layer_norm_eps);
}

static const am_architecture architectures[] = {
    {"XLNetModel", am_text_model, "feature-extraction", 0},
    {"XLNetLMHeadModel", for_language_modeling, "text-generation", AM_GENERATES | AM_READS_AT_ONCE},
    {"XLNetForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"XLNetForMultipleChoice", for_multiple_choice, NULL, 0},
    {"XLNetForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"XLNetForQuestionAnsweringSimple", am_text_for_question_answering, "question-answering", 0},
    {"XLNetForQuestionAnswering", for_question_answering, NULL, 0},
    {0},
};

static const am_text_family family = {.prefix = "transformer", .body = body, .pooled = summarized};

const am_model_type am_model_xlnet = {
    .name = "xlnet", .base_prefix = "transformer", .architectures = architectures, .family = &family};
