/* BigBird: BERT whose tokens, in a long text, see blocks of it. transformers: models/big_bird/modeling_big_bird.py */
#include "models/blocks/block_sparse.h"
#include "models/blocks/text_classes.h"

#include <math.h>

typedef struct big_bird {
    am_bert_options body;
    am_block_sparse sparse;
    int64_t pad_token_id;
    bool use_bias, rescale_embeddings;
} big_bird;

static big_bird read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    big_bird r = {.body = am_bert_fields_read(c),
                  .sparse = am_block_sparse_read(c),
                  .pad_token_id = am_config_int(c, "pad_token_id", 0),
                  .use_bias = am_config_flag(c, "use_bias", true),
                  .rescale_embeddings = am_config_flag(c, "rescale_embeddings", false)};
    r.body.vocab_size = am_config_size(c, "vocab_size", 50358);
    r.body.max_position_embeddings = am_config_size(c, "max_position_embeddings", 4096);
    r.body.hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    return r;
}

/* Whether a text of T tokens is seen in blocks. */
static bool is_sparse(am_builder *b, const big_bird *c, int64_t T)
{
    bool sparse = am_is_block_sparse(&c->sparse, T);
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
    int64_t padding = is_sparse(b, c, T) ? am_block_sparse_padding(&c->sparse, T) : 0;
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

/* --- the body --- */

/* x: [B, T + padding, C] -> [B, T, C]; hidden states but the last have the padding, as transformers gives them. */
static am_value sparse_layers(am_builder *b, am_value x, int64_t T, const am_attention_options *projections,
                              const big_bird *c)
{
    am_value seen = am_block_sparse_seen(b, am_dim(b, x, 0), T, am_dim(b, x, 1) - T);
    for (int i = 0; i < c->body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "encoder.layer.%d", i);
        am_scope(b, "attention");
        am_value h = am_block_sparse_attention(b, x, seen, projections, &c->sparse);
        am_end_scope(b);
        x = am_bert_layer_end(b, x, h, &c->body);
        am_end_scope(b);
    }
    x = am_slice(b, x, 1, 0, T);
    am_output_hidden_state(b, "hidden_states", (int)c->body.num_hidden_layers, x);
    return x;
}

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
