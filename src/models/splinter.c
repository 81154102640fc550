/* Splinter: BERT without a pooler, whose answers are the tokens that fit best to the question token, or to each of
   several. transformers: models/splinter/modeling_splinter.py */
#include "models/blocks/bert_classes.h"
#include "models/blocks/heads.h"

#include <float.h>

static const double SPAN_NORM_EPS = 1e-5; /* not configurable */

static am_bert_options read_options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    o.is_decoder = false; /* no field of the class */
    return o;
}

static void splinter_model(am_builder *b)
{
    am_bert_options o = read_options(b);
    am_output(b, "last_hidden_state", am_bert_body(b, &o, ""));
}

/* norm(activation(dense(x))): x: [B, T, C] -> [B, T, C] */
static am_value transform(am_builder *b, const char *name, am_value x)
{
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense", x, am_dim(b, x, -1), AM_BIAS, AM_GELU);
    x = am_layer_norm(b, "LayerNorm", x, SPAN_NORM_EPS);
    am_end_scope(b);
    return x;
}

/* Rows of x: [B, T, C] at positions: I32 [B, Q] -> [B, Q, C] */
static am_value rows_of_questions(am_builder *b, am_value x, am_value positions)
{
    am_shape shape = am_shape_of(am_dim(b, x, 0), am_dim(b, positions, 1), am_dim(b, x, 2));
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, positions, 2), shape), 1, true);
}

/* How well each token of x: [B, T, C] fits as an end of the answers to questions: [B, Q, C] -> [B, Q, T]; the least
   number there is where the input attention_mask is zero, whose rows are those of texts or, as the class adds it to
   given questions, those of questions. */
static am_value scores(am_builder *b, am_value x, am_value questions, const char *query, const char *token,
                       const char *classifier, bool by_question)
{
    questions = am_linear(b, classifier, transform(b, query, questions), am_dim(b, x, 2), AM_NO_BIAS);
    am_value found = am_matmul(b, questions, transform(b, token, x), false, true);
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return found;
    am_value hidden = am_add_number(b, am_mul_number(b, am_cast(b, mask, AM_F32), -1), 1);
    return am_add(b, found, am_unsqueeze(b, am_mul_number(b, hidden, -(double)FLT_MAX), by_question ? 0 : 1));
}

/* Outputs start_logits and end_logits of questions at positions: I32 [B, Q]: [B, Q, T], or [B, T] without the
   dimension of questions where there is `one`; for by_question see scores. */
static void output_spans(am_builder *b, am_value positions, bool one, bool by_question)
{
    am_bert_options o = read_options(b);
    am_value x = am_bert_body(b, &o, "splinter"), questions = rows_of_questions(b, x, positions);
    am_scope(b, "splinter_qass");
    am_value start =
                 scores(b, x, questions, "query_start_transform", "start_transform", "start_classifier", by_question),
             end = scores(b, x, questions, "query_end_transform", "end_transform", "end_classifier", by_question);
    am_end_scope(b);
    am_output(b, "start_logits", one ? am_squeeze(b, start, 1) : start);
    am_output(b, "end_logits", one ? am_squeeze(b, end, 1) : end);
}

/* Which of input_ids: [B, T] are question tokens, as 1 and 0. */
static am_value question_tokens(am_builder *b)
{
    double token = (double)am_config_int(am_model_config(b), "question_token_id", 104);
    return am_cast(b, am_binary_number(b, AM_EQUAL, am_input(b, "input_ids", 2), token), AM_I32);
}

static void for_question_answering(am_builder *b)
{
    am_value given = am_input_optional(b, "question_positions", 2), first;
    if (given.id) {
        output_spans(b, given, false, true);
        return;
    }
    if (am_has_input(b, "inputs_embeds"))
        first = am_iota(b, AM_I32, am_shape_of(am_dim(b, am_input(b, "inputs_embeds", 3), 0)), 0, 0, 0);
    else first = am_arg_reduce(b, question_tokens(b), 1, false);
    output_spans(b, am_unsqueeze(b, first, 1), true, false);
}

/* Places of the question tokens of each row, as many as the row with most of them has: I32 [B, Q]; behind those of a
   row with fewer stands the number of the pad token. */
static am_value all_questions(am_builder *b)
{
    int64_t count = am_model_argument(b, "question_positions", -1), pad = am_pad_token(am_model_config(b), 0);
    am_value marks = question_tokens(b);
    am_shape shape = am_shape_of_value(b, marks);
    if (count < 1) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_ids have no question token, and no question_positions "
                                                         "are given"));
        return AM_NONE;
    }
    am_value order = am_scan(b, AM_REDUCE_SUM, marks, 1, true, false);
    am_value place =
        am_select(b, am_binary_number(b, AM_NOT_EQUAL, marks, 0), order, am_scalar(b, AM_I32, (double)count));
    am_value rows = am_iota(b, AM_I32, am_shape_of(shape.dims[0], count + 1), 1, (double)(pad < 0 ? 0 : pad), 0);
    am_scatter_attributes options = {.axis = 1, .elementwise = true, .fn = AM_SCATTER_SET};
    return am_slice(b, am_scatter(b, rows, place, am_iota(b, AM_I32, shape, 1, 0, 1), &options), 1, 0, count);
}

static void for_pretraining(am_builder *b)
{
    am_value given = am_input_optional(b, "question_positions", 2);
    output_spans(b, given.id ? given : all_questions(b), false, false);
}

static const am_architecture architectures[] = {
    {"SplinterModel", splinter_model, "feature-extraction", 0},
    {"SplinterForPreTraining", for_pretraining, NULL, 0},
    {"SplinterForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

/* How many questions there are decides the shapes of their answers. */
static const am_shaping_input shaping_inputs[] = {{.name = "input_ids",
                                                   .kind = AM_SHAPED_BY_TOKEN,
                                                   .argument = "question_positions",
                                                   .token = "question_token_id",
                                                   .fallback = 104},
                                                  {0}};

const am_model_type am_model_splinter = {
    .name = "splinter", .base_prefix = "splinter", .architectures = architectures, .shaping_inputs = shaping_inputs};
