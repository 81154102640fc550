/* BigBird: BERT whose tokens, in a long text, see blocks of it: their own and its two neighbours, the first and the
   last, and num_random_blocks more. The first and the last block see everything. transformers draws the random blocks
   while it trains; when it answers, each of them is the first block again, which so counts 1 + num_random_blocks times.
   Short texts have full attention. transformers: models/big_bird/modeling_big_bird.py */
#include "models/blocks/blocks.h"
#include "models/blocks/text_classes.h"

#include <math.h>
#include <string.h>

enum { SEEN_BLOCKS = 5 /* first, before, own, after, last */ };

typedef struct big_bird {
    am_bert_options body;
    int64_t block_size, num_random_blocks, pad_token_id;
    bool block_sparse, use_bias, rescale_embeddings;
} big_bird;

static big_bird read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const char *type = am_config_text(c, "attention_type", "block_sparse");
    big_bird r = {.body = am_bert_fields_read(c),
                  .block_size = am_config_size(c, "block_size", 64),
                  .num_random_blocks = am_config_count(c, "num_random_blocks", 3),
                  .pad_token_id = am_config_int(c, "pad_token_id", 0),
                  .block_sparse = strcmp(type, "block_sparse") == 0,
                  .use_bias = am_config_flag(c, "use_bias", true),
                  .rescale_embeddings = am_config_flag(c, "rescale_embeddings", false)};
    r.body.vocab_size = am_config_size(c, "vocab_size", 50358);
    r.body.max_position_embeddings = am_config_size(c, "max_position_embeddings", 4096);
    r.body.hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    if (!r.block_sparse && strcmp(type, "original_full") != 0)
        am_config_fail(c, "attention_type", "expected block_sparse or original_full, found \"%s\"", type);
    return r;
}

/* Whether a text of T tokens is seen in blocks. */
static bool is_sparse(am_builder *b, const big_bird *c, int64_t T)
{
    bool sparse = c->block_sparse && T > (SEEN_BLOCKS + 2 * c->num_random_blocks) * c->block_size;
    if (sparse && am_has_cache(b))
        am_config_unsupported(am_model_config(b), "attention_type",
                              "%lld tokens are seen in blocks, which keeps no keys and values to go on with",
                              (long long)T);
    return sparse;
}

/* --- embeddings --- */

static am_value embed(am_builder *b, am_value words, am_value types, am_value positions, const big_bird *c)
{
    const am_bert_options *o = &c->body;
    if (c->rescale_embeddings) words = am_mul_number(b, words, sqrt((double)o->hidden_size));
    am_value x = am_add(b, words, am_embedding(b, "token_type_embeddings", types, o->type_vocab_size, o->hidden_size));
    x = am_add(b, x, am_embedding(b, "position_embeddings", positions, o->max_position_embeddings, o->hidden_size));
    return am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
}

/* I32 [B, n] of one number */
static am_value repeated(am_builder *b, int64_t B, int64_t n, int64_t number)
{
    return am_iota(b, AM_I32, am_shape_of(B, n), 1, (double)number, 0);
}

/* What stands behind a text to fill its last block: [B, n, C]. Behind vectors it goes through the embeddings twice. */
static am_value pad_words(am_builder *b, int64_t B, int64_t n, const big_bird *c)
{
    am_value words =
        am_embedding(b, "word_embeddings", repeated(b, B, n, c->pad_token_id), c->body.vocab_size, c->body.hidden_size);
    if (!am_has_input(b, "inputs_embeds")) return words;
    return embed(b, words, repeated(b, 1, n, 0), am_iota(b, AM_I32, am_shape_of(1, n), 1, 0, 1), c);
}

/* types: [1 or B, T], or AM_NONE: the input's. Gives [B, T + padding, C]. */
static am_value embeddings(am_builder *b, am_value types, const big_bird *c)
{
    am_scope(b, "embeddings");
    am_value words = am_input_embeddings(b, "word_embeddings", c->body.vocab_size, c->body.hidden_size);
    int64_t B = am_dim(b, words, 0), T = am_dim(b, words, 1);
    int64_t padding = is_sparse(b, c, T) ? (c->block_size - T % c->block_size) % c->block_size : 0;
    am_value given = am_flat_input(b, "position_ids"), positions = given.id ? given : am_position_ids(b, T + padding);
    if (!types.id) types = am_token_types(b, T);
    if (padding) {
        words = am_concat2(b, words, pad_words(b, B, padding, c), 1);
        types = am_pad_zero(b, types, 1, 0, padding);
        if (given.id) positions = am_concat2(b, given, repeated(b, am_dim(b, given, 0), padding, c->pad_token_id), 1);
    }
    am_value x = embed(b, words, types, positions, c);
    am_end_scope(b);
    return x;
}

/* --- attention over blocks --- */

/* x: [B, n, L, ..] -> what each inner block sees of it: [B, n - 2, 5 L, ..] */
static am_value seen_blocks(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of_value(b, x);
    am_value first = am_slice(b, x, 1, 0, 1), last = am_slice(b, x, 1, -1, AM_SLICE_END);
    shape.dims[1] -= 2;
    return am_concat(
        b, (am_value[]){am_broadcast(b, first, shape), am_block_windows(b, x), am_broadcast(b, last, shape)}, 3, 2);
}

/* BOOL [1, n - 2, 5 L]: not the first block as a neighbour of the second, nor the last as one of the last but one: they
   are there already. */
static am_value each_once(am_builder *b, int64_t n, int64_t L)
{
    int64_t S = SEEN_BLOCKS * L, count = (n - 2) * S;
    bool *table = am_arena_array(am_builder_arena(b), (size_t)count, sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t row = i / S, block = i % S / L;
        table[i] = !(row == 0 && block == 1) && !(row == n - 3 && block == 3);
    }
    return am_constant_copy(b, AM_BOOL, am_shape_of(1, n - 2, S), table);
}

/* [1, 1, 1, 5 L]: makes the first block count 1 + num_random_blocks times. */
static am_value repetitions(am_builder *b, const big_bird *c)
{
    am_value first =
        am_iota(b, AM_F32, am_shape_of(1, 1, 1, c->block_size), 3, log(1.0 + (double)c->num_random_blocks), 0);
    return am_pad_zero(b, first, 3, 0, (SEEN_BLOCKS - 1) * c->block_size);
}

/* x: [B, n, ..] -> [B n, ..] */
static am_value rows(am_builder *b, am_value x)
{
    return am_flatten(b, x, 0, 1);
}

/* The inner blocks of q, k, v: [B, n L, H, D] -> [B, (n - 2) L, H, D] */
static am_value attend_in_blocks(am_builder *b, const am_value qkv[3], am_value seen, const big_bird *c)
{
    am_value blocks[3], mask;
    int64_t B = am_dim(b, qkv[0], 0), n = am_dim(b, qkv[0], 1) / c->block_size;
    for (int i = 0; i < 3; i++) blocks[i] = am_split_blocks(b, qkv[i], c->block_size);
    mask = each_once(b, n, c->block_size);
    if (seen.id) mask = am_binary(b, AM_LOGICAL_AND, seen_blocks(b, am_split_blocks(b, seen, c->block_size)), mask);
    else mask = am_broadcast(b, mask, am_shape_of(B, n - 2, SEEN_BLOCKS * c->block_size));
    am_attention_options options = {.mask = am_unsqueeze(b, am_unsqueeze(b, rows(b, mask), 1), 1),
                                    .bias = repetitions(b, c)};
    am_value y = am_attend_cached(b, rows(b, am_slice(b, blocks[0], 1, 1, -1)), rows(b, seen_blocks(b, blocks[1])),
                                  rows(b, seen_blocks(b, blocks[2])), &options);
    am_shape s = am_shape_of_value(b, y);
    return am_reshape(b, y, am_shape_of(B, -1, s.dims[2], s.dims[3]));
}

/* x: [B, n L, C] -> [B, n L, C], zero where a token is not seen (BOOL [B, n L] or AM_NONE). */
static am_value sparse_attention(am_builder *b, am_value x, am_value seen, const am_attention_options *projections,
                                 const big_bird *c)
{
    am_value qkv[3];
    int64_t L = c->block_size;
    am_attention_heads(b, x, projections, qkv);
    am_attention_options whole = {.mask = seen.id ? am_unsqueeze(b, am_unsqueeze(b, seen, 1), 1) : AM_NONE};
    am_value ends = am_concat2(b, am_slice(b, qkv[0], 1, 0, L), am_slice(b, qkv[0], 1, -L, AM_SLICE_END), 1);
    ends = am_attend_cached(b, ends, qkv[1], qkv[2], &whole);
    am_value y = am_concat(b,
                           (am_value[]){am_slice(b, ends, 1, 0, L), attend_in_blocks(b, qkv, seen, c),
                                        am_slice(b, ends, 1, L, AM_SLICE_END)},
                           3, 1);
    y = am_merge_heads(b, y);
    return seen.id ? am_mul(b, y, am_unsqueeze(b, am_cast(b, seen, AM_F32), 2)) : y;
}

/* Of a text of T tokens and the padding behind: BOOL [B, T + padding]; AM_NONE where all are seen. */
static am_value seen_tokens(am_builder *b, int64_t B, int64_t T, int64_t padding)
{
    am_value mask = am_flat_input(b, "attention_mask");
    if (!mask.id && !padding) return AM_NONE;
    if (!mask.id) mask = repeated(b, B, T, 1);
    if (am_dtype_of(b, mask) != AM_BOOL) mask = am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    return am_pad_zero(b, mask, 1, 0, padding);
}

/* x: [B, T + padding, C] -> [B, T, C]; hidden states but the last have the padding, as transformers gives them. */
static am_value sparse_layers(am_builder *b, am_value x, int64_t T, const am_attention_options *projections,
                              const big_bird *c)
{
    am_value seen = seen_tokens(b, am_dim(b, x, 0), T, am_dim(b, x, 1) - T);
    for (int i = 0; i < c->body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "encoder.layer.%d", i);
        am_scope(b, "attention");
        am_value h = sparse_attention(b, x, seen, projections, c);
        am_end_scope(b);
        x = am_bert_layer_end(b, x, h, &c->body);
        am_end_scope(b);
    }
    x = am_slice(b, x, 1, 0, T);
    am_output_hidden_state(b, "hidden_states", (int)c->body.num_hidden_layers, x);
    return x;
}

/* --- the body --- */

static int64_t text_length(am_builder *b)
{
    bool has_vectors = am_has_input(b, "inputs_embeds");
    return am_dim(b, has_vectors ? am_input(b, "inputs_embeds", 3) : am_input(b, "input_ids", -1),
                  has_vectors ? 1 : -1);
}

static am_value body_with(am_builder *b, const char *prefix, am_value types)
{
    big_bird c = read_config(b);
    int64_t T = text_length(b);
    am_scope(b, "%s", prefix);
    am_value x = embeddings(b, types, &c);
    am_bert_attention attention = am_bert_attention_default(b, &c.body);
    am_attention_options *p = &attention.projections;
    p->no_q_bias = p->no_k_bias = p->no_v_bias = !c.use_bias;
    x = is_sparse(b, &c, T) ? sparse_layers(b, x, T, p, &c) : am_bert_layers(b, x, &c.body, &attention);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    return body_with(b, prefix, AM_NONE);
}

static am_value pooled(am_builder *b, const char *prefix, am_value x)
{
    am_scope(b, "%s", prefix);
    x = am_linear_activation(b, "pooler", am_index(b, x, 1, 0), am_dim(b, x, -1), AM_BIAS, AM_TANH);
    am_end_scope(b);
    return x;
}

/* --- classes --- */

static void big_bird_model(am_builder *b)
{
    am_value x = body(b, "");
    am_output(b, "last_hidden_state", x);
    if (am_has_weight(b, "pooler.weight")) am_output(b, "pooler_output", pooled(b, "", x));
}

static void for_language_modeling(am_builder *b)
{
    big_bird c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, body(b, "bert"), &c.body, "bert"));
}

static void for_pretraining(am_builder *b)
{
    big_bird c = read_config(b);
    am_value x = body(b, "bert");
    am_output(b, "prediction_logits", am_bert_lm_logits(b, x, &c.body, "bert"));
    am_output(b, "seq_relationship_logits", am_linear(b, "cls.seq_relationship", pooled(b, "bert", x), 2, AM_BIAS));
}

static void for_sequence_classification(am_builder *b)
{
    big_bird c = read_config(b);
    am_value first = am_index(b, body(b, "bert"), 1, 0);
    int64_t labels = am_config_labels(am_model_config(b));
    am_output(b, "logits", am_classification_head(b, "classifier", first, labels, c.body.hidden_act));
}

/* Tokens of the question: I32 [B, T]; AM_NONE where nothing tells its length. Without the input question_lengths it
   ends with the first separator. */
static am_value question(am_builder *b)
{
    am_value lengths = am_input_optional(b, "question_lengths", 2), ids = am_input_optional(b, "input_ids", 2);
    if (!lengths.id && !ids.id) return AM_NONE;
    if (!lengths.id) {
        double separator = (double)am_config_int(am_model_config(b), "sep_token_id", 66);
        am_value is_separator = am_cast(b, am_binary_number(b, AM_EQUAL, ids, separator), AM_I32);
        lengths = am_add_number(b, am_unsqueeze(b, am_arg_reduce(b, is_separator, 1, false), 1), 1);
    }
    am_value places = am_iota(b, AM_I32, am_shape_of(1, text_length(b)), 1, 0, 1);
    return am_cast(b, am_binary(b, AM_LESS, places, lengths), AM_I32);
}

/* Where no answer is: the question but its first token, as 1.0 in [B, T, 1]. */
static am_value forbidden(am_builder *b, am_value question)
{
    am_value places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, question, 1)), 1, 0, 1);
    am_value behind = am_cast(b, am_binary_number(b, AM_GREATER, places, 0), AM_I32);
    return am_unsqueeze(b, am_cast(b, am_mul(b, question, behind), AM_F32), 2);
}

static void for_question_answering(am_builder *b)
{
    big_bird c = read_config(b);
    am_value asked = question(b), types = AM_NONE;
    if (asked.id && !am_has_input(b, "token_type_ids"))
        types = am_sub(b, repeated(b, am_dim(b, asked, 0), am_dim(b, asked, 1), 1), asked);
    am_value x = body_with(b, "bert", types);
    am_scope(b, "qa_classifier");
    x = am_linear(b, "qa_outputs", am_bert_feed_forward(b, x, &c.body), 2, AM_BIAS);
    am_end_scope(b);
    if (asked.id) x = am_sub(b, x, am_mul_number(b, forbidden(b, asked), 1e6));
    am_output(b, "start_logits", am_index(b, x, 2, 0));
    am_output(b, "end_logits", am_index(b, x, 2, 1));
}

static const am_architecture architectures[] = {
    {"BigBirdModel", big_bird_model, "feature-extraction", 0},
    {"BigBirdForPreTraining", for_pretraining, NULL, 0},
    {"BigBirdForMaskedLM", for_language_modeling, "fill-mask", 0},
    {"BigBirdForCausalLM", for_language_modeling, "text-generation", AM_GENERATES},
    {"BigBirdForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"BigBirdForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"BigBirdForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"BigBirdForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "bert", .body = body, .pooled = pooled};

const am_model_type am_model_big_bird = {
    .name = "big_bird", .base_prefix = "bert", .architectures = architectures, .family = &family};
