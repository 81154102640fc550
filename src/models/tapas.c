/* TAPAS: BERT over a flattened table: every token knows its column, row, rank and more by seven kinds of token
   types, and positions start again in each cell. Question answering picks the cells of one column.
   transformers: models/tapas/modeling_tapas.py */
#include "models/blocks/text_classes.h"

#include <stdio.h>

enum { TYPES_LIMIT = 16, COLUMN = 1, ROW = 2 }; /* kinds of token types */

typedef struct tapas_config {
    am_bert_options body;
    int64_t type_vocab_sizes[TYPES_LIMIT];
    int types;
    bool reset_position_index_per_cell;
} tapas_config;

static tapas_config read_config(am_builder *b)
{
    static const int64_t sizes[] = {3, 256, 256, 2, 256, 256, 10};
    const am_config *c = am_model_config(b);
    tapas_config t = {.body = am_bert_options_read(c)};
    t.body.max_position_embeddings = am_config_size(c, "max_position_embeddings", 1024);
    t.body.type_vocab_size = 0;
    t.types = am_config_sizes(c, "type_vocab_sizes", t.type_vocab_sizes, TYPES_LIMIT, sizes, 7);
    t.reset_position_index_per_cell = am_config_flag(c, "reset_position_index_per_cell", true);
    if (t.body.is_decoder) am_config_unsupported(c, "is_decoder", "this class is an encoder here, found true");
    if (t.types <= ROW) am_config_fail(c, "type_vocab_sizes", "expected more than %d kinds, found %d", ROW, t.types);
    return t;
}

/* Input token_type_ids: [B, T, types], or zeros. */
static am_value token_types(am_builder *b, am_value ids, const tapas_config *c)
{
    am_value types = am_input_optional(b, "token_type_ids", 3);
    return types.id ? types : am_iota(b, AM_I32, am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1), c->types), 1, 0, 0);
}

/* Which tokens stand in one cell: BOOL [B, T, T], from cell numbers I32 [B, T]. */
static am_value same_cell(am_builder *b, am_value cells)
{
    return am_binary(b, AM_EQUAL, am_unsqueeze(b, cells, 2), am_unsqueeze(b, cells, 1));
}

/* Places counted from the first token of each cell, [B, T]. */
static am_value positions(am_builder *b, const tapas_config *c, am_value types)
{
    int64_t T = am_dim(b, types, 1);
    if (!c->reset_position_index_per_cell || am_has_input(b, "position_ids")) return am_position_ids(b, T);
    am_value cells = am_add(b, am_mul_number(b, am_index(b, types, 2, COLUMN), (double)c->type_vocab_sizes[ROW]),
                            am_index(b, types, 2, ROW));
    am_value places = am_iota(b, AM_I32, am_shape_of(1, 1, T), 2, 0, 1);
    am_value inside = am_select(b, same_cell(b, cells), places, am_scalar(b, AM_I32, (double)T));
    am_value first = am_reduce(b, AM_REDUCE_MIN, inside, am_shape_of(2), false);
    am_value offset = am_sub(b, am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1), first);
    return am_binary_number(b, AM_MIN, offset, (double)c->body.max_position_embeddings - 1);
}

static am_value embeddings(am_builder *b, const tapas_config *c)
{
    am_value ids = am_input(b, "input_ids", 2), types = token_types(b, ids, c);
    int64_t C = c->body.hidden_size;
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", ids, c->body.vocab_size, C);
    x = am_add(b, x,
               am_embedding(b, "position_embeddings", positions(b, c, types), c->body.max_position_embeddings, C));
    for (int i = 0; i < c->types; i++) {
        char name[64];
        snprintf(name, sizeof name, "token_type_embeddings_%d", i);
        x = am_add(b, x, am_embedding(b, name, am_index(b, types, 2, i), c->type_vocab_sizes[i], C));
    }
    x = am_layer_norm(b, "LayerNorm", x, c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    tapas_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_encoder(b, embeddings(b, &c), &c.body);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    tapas_config c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &c.body, "tapas"));
}

/* --- question answering --- */

static const double LOG_ZERO = -10000; /* CLOSE_ENOUGH_TO_LOG_ZERO */

/* The table in cells, [B, R * N] for at most R rows and N columns; cell i is in column i % N. */
typedef struct cells {
    am_value token; /* cell of each token: I32 [B, T] */
    am_value count; /* of tokens in each cell: [B, cells], at least 1 */
    am_value mask;  /* mean of the attention mask over each cell: [B, cells] */
    int64_t columns, size;
} cells;

/* x: [B, T] summed by cell: [B, cells] */
static am_value sum_by_cell(am_builder *b, am_value x, const cells *c)
{
    am_value zeros = am_iota(b, AM_F32, am_shape_of(am_dim(b, x, 0), c->size), 1, 0, 0);
    return am_scatter(b, zeros, c->token, x,
                      &(am_scatter_attributes){.axis = 1, .elementwise = true, .fn = AM_SCATTER_ADD});
}

static am_value mean_by_cell(am_builder *b, am_value x, const cells *c)
{
    return am_div(b, sum_by_cell(b, x, c), c->count);
}

static cells read_cells(am_builder *b, const tapas_config *t)
{
    const am_config *config = am_model_config(b);
    am_value ids = am_input(b, "input_ids", 2), types = token_types(b, ids, t);
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1), rows = am_config_size(config, "max_num_rows", 64);
    cells c = {.columns = am_config_size(config, "max_num_columns", 32)};
    c.size = rows * c.columns;
    am_value row = am_binary_number(b, AM_MIN, am_index(b, types, 2, ROW), (double)rows - 1);
    am_value column = am_binary_number(b, AM_MIN, am_index(b, types, 2, COLUMN), (double)c.columns - 1);
    c.token = am_add(b, am_mul_number(b, row, (double)c.columns), column);
    am_value ones = am_iota(b, AM_F32, am_shape_of(B, T), 1, 1, 0), given = am_input_optional(b, "attention_mask", 2);
    c.count = am_binary_number(b, AM_MAX, sum_by_cell(b, ones, &c), 1);
    c.mask = mean_by_cell(b, given.id ? am_cast(b, given, AM_F32) : ones, &c);
    return c;
}

/* x: [B, T, C] times the vector NAME_weights plus NAME_bias: [B, T] */
static am_value token_scores(am_builder *b, const char *name, am_value x)
{
    char weights[64], bias[64];
    snprintf(weights, sizeof weights, "%s_weights", name);
    snprintf(bias, sizeof bias, "%s_bias", name);
    am_value vector = am_unsqueeze(b, am_weight(b, weights, am_shape_of(am_dim(b, x, -1))), 0);
    return am_add(b, am_squeeze(b, am_linear_with(b, x, vector, AM_NONE), -1), am_weight(b, bias, (am_shape){0}));
}

/* x: [B, cells] summed by column: [B, columns] */
static am_value sum_by_column(am_builder *b, am_value x, const cells *c)
{
    return am_reduce(b, AM_REDUCE_SUM, am_reshape(b, x, am_shape_of(am_dim(b, x, 0), -1, c->columns)), am_shape_of(1),
                     false);
}

static am_value where(am_builder *b, am_value condition, double yes, double no)
{
    return am_select(b, condition, am_scalar(b, AM_F32, yes), am_scalar(b, AM_F32, no));
}

/* [B, columns]; column 0 is no column of the table but the question, or no answer */
static am_value column_scores(am_builder *b, am_value x, const cells *c)
{
    am_value by_cell = mean_by_cell(b, token_scores(b, "column_output", x), c);
    am_value count = sum_by_column(b, c->mask, c);
    am_value scores = am_div(b, sum_by_column(b, am_mul(b, by_cell, c->mask), c), am_add_number(b, count, 1e-10));
    am_value is_zero = am_binary_number(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(1, c->columns), 1, 0, 1), 0);
    am_value is_padding =
        am_binary(b, AM_LOGICAL_AND, am_binary_number(b, AM_LESS, count, 0.5), am_unary(b, AM_LOGICAL_NOT, is_zero));
    scores = am_add(b, scores, where(b, is_padding, LOG_ZERO, 0));
    bool may_be_empty = am_config_flag(am_model_config(b), "allow_empty_column_selection", false);
    return may_be_empty ? scores : am_add(b, scores, where(b, is_zero, LOG_ZERO, 0));
}

/* Scores of tokens: the mean of their cell's, as good as none outside of the best column. [B, T] */
static am_value one_column(am_builder *b, am_value tokens, am_value x, const cells *c)
{
    am_value best = am_unsqueeze(b, am_arg_reduce(b, column_scores(b, x, c), 1, false), 1);
    am_value column =
        am_binary_number(b, AM_MOD, am_iota(b, AM_I32, am_shape_of(1, c->size), 1, 0, 1), (double)c->columns);
    am_value chosen = am_binary(b, AM_LOGICAL_AND, am_binary(b, AM_EQUAL, column, best),
                                am_binary_number(b, AM_NOT_EQUAL, column, 0));
    am_value kept = am_mul(b, c->mask, where(b, chosen, 1, 0));
    am_value penalty = am_add_number(b, am_mul_number(b, kept, -LOG_ZERO), LOG_ZERO);
    return am_gather(b, am_add(b, mean_by_cell(b, tokens, c), penalty), c->token, 1, true);
}

static void for_question_answering(am_builder *b)
{
    const am_config *config = am_model_config(b);
    tapas_config t = read_config(b);
    cells c = read_cells(b, &t);
    am_value x = am_text_body(b);
    int64_t operators = am_config_count(config, "num_aggregation_labels", 0);
    am_value logits = am_mul_number(b, token_scores(b, "output", x), 1 / am_config_real(config, "temperature", 1));
    if (!am_config_flag(config, "select_one_column", true))
        am_config_unsupported(config, "select_one_column", "only the cells of one column are picked, found false");
    am_output(b, "logits", one_column(b, logits, x, &c));
    if (operators > 0)
        am_output(b, "logits_aggregation",
                  am_linear(b, "aggregation_classifier", am_bert_pooler(b, "tapas", x), operators, AM_BIAS));
}

static const am_architecture architectures[] = {
    {"TapasModel", am_text_model, "feature-extraction", 0},
    {"TapasForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"TapasForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"TapasForQuestionAnswering", for_question_answering, "table-question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "tapas", .body = body};

const am_model_type am_model_tapas = {
    .name = "tapas", .base_prefix = "tapas", .architectures = architectures, .family = &family};
