#include "models/blocks/answer_beams.h"

#include "models/blocks/heads.h"

/* scores: [B, T, ..] that p_mask: [B, T] of the input makes impossible */
static am_value masked(am_builder *b, am_value scores)
{
    am_value mask = am_input_optional(b, "p_mask", 2);
    if (!mask.id) return scores;
    if (am_dtype_of(b, mask) != AM_F32) mask = am_cast(b, mask, AM_F32);
    for (int rank = 2; rank < am_rank(b, scores); rank++) mask = am_unsqueeze(b, mask, rank);
    am_value open = am_add_number(b, am_mul_number(b, mask, -1), 1);
    return am_sub(b, am_mul(b, scores, open), am_mul_number(b, mask, 1e30));
}

/* Scores of ends for each of K starts: x: [B, T, C], starts: [B, K, C] -> [B, T, K] */
static am_value end_scores(am_builder *b, am_value x, am_value starts, double eps)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2), K = am_dim(b, starts, 1);
    am_shape pairs = am_shape_of(B, T, K, C);
    am_value both = am_concat2(b, am_broadcast(b, am_unsqueeze(b, x, 2), pairs),
                               am_broadcast(b, am_unsqueeze(b, starts, 1), pairs), 3);
    am_scope(b, "end_logits");
    both = am_layer_norm(b, "LayerNorm", am_linear_activation(b, "dense_0", both, C, AM_BIAS, AM_TANH), eps);
    am_value scores = am_squeeze(b, am_linear(b, "dense_1", both, 1, AM_BIAS), -1);
    am_end_scope(b);
    return masked(b, scores);
}

/* start: [B, C], the expected start's state -> [B] */
static am_value answer_class(am_builder *b, am_value x, am_value start)
{
    am_value at = am_input_optional(b, "cls_index", 1);
    am_value token = at.id ? am_rows_at(b, x, at) : am_index(b, x, 1, -1);
    am_scope(b, "answer_class");
    am_value h = am_linear_activation(b, "dense_0", am_concat2(b, start, token, 1), am_dim(b, x, 2), AM_BIAS, AM_TANH);
    h = am_squeeze(b, am_linear(b, "dense_1", h, 1, AM_NO_BIAS), -1);
    am_end_scope(b);
    return h;
}

void am_output_answer_beams(am_builder *b, am_value x, double eps)
{
    const am_config *c = am_model_config(b);
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 2), starts = am_config_size(c, "start_n_top", 5);
    int64_t ends = am_config_size(c, "end_n_top", 5);
    am_value index,
        probabilities =
            am_softmax(b, masked(b, am_squeeze(b, am_linear(b, "start_logits.dense", x, 1, AM_BIAS), -1)), 1);
    am_output(b, "start_top_log_probs", am_top_k(b, probabilities, 1, starts, false, &index));
    am_output(b, "start_top_index", index);
    am_value rows = am_broadcast(b, am_unsqueeze(b, index, 2), am_shape_of(B, starts, C));
    am_value scores = end_scores(b, x, am_gather(b, x, rows, 1, true), eps);
    am_value best = am_top_k(b, am_softmax(b, scores, 1), 1, ends, false, &index);
    am_output(b, "end_top_log_probs", am_reshape(b, best, am_shape_of(B, ends * starts)));
    am_output(b, "end_top_index", am_reshape(b, index, am_shape_of(B, ends * starts)));
    am_value expected = am_squeeze(b, am_matmul(b, am_unsqueeze(b, probabilities, 1), x, false, false), 1);
    am_output(b, "cls_logits", answer_class(b, x, expected));
}
