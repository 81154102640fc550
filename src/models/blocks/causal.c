#include "models/blocks/causal.h"

#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

static const am_causal_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static const char *name_or(const char *name, const char *fallback)
{
    return name ? name : fallback;
}

int64_t am_causal_vocab_size(const am_builder *b)
{
    return am_config_size(am_model_config(b), "vocab_size", family_of(b)->vocab_size);
}

/* The body below a head. */
static am_value body(am_builder *b)
{
    return family_of(b)->body(b, name_or(family_of(b)->prefix, "transformer"));
}

static bool is_tied(const am_builder *b)
{
    return am_config_flag(am_model_config(b), "tie_word_embeddings", !family_of(b)->untied);
}

am_value am_causal_logits(am_builder *b, am_value x)
{
    const am_causal_family *f = family_of(b);
    return am_lm_head(b, name_or(f->head, "lm_head"), x, am_causal_vocab_size(b), is_tied(b), f->embedding,
                      f->head_bias ? AM_BIAS : AM_NO_BIAS);
}

void am_causal_model(am_builder *b)
{
    am_value x = family_of(b)->body(b, name_or(family_of(b)->base, ""));
    am_output(b, "last_hidden_state", am_unflatten_choices(b, x));
}

void am_causal_for_causal_lm(am_builder *b)
{
    am_output(b, "logits", am_unflatten_choices(b, am_causal_logits(b, body(b))));
}

void am_causal_for_sequence_classification(am_builder *b)
{
    const am_causal_family *f = family_of(b);
    int64_t pad = am_pad_token(am_model_config(b), f->has_pad_token ? f->pad_token_id : -1);
    am_value x = am_last_token(b, body(b), am_input(b, "input_ids", 2), pad);
    int64_t labels = am_config_labels(am_model_config(b));
    am_output(b, "logits", am_linear(b, name_or(f->sequence_score, "score"), x, labels, AM_NO_BIAS));
}

void am_causal_for_token_classification(am_builder *b)
{
    am_generic_token_classification(b, "classifier", body(b), am_config_labels(am_model_config(b)));
}

void am_causal_for_question_answering(am_builder *b)
{
    am_output_span_logits(b, "qa_outputs", body(b));
}

void am_causal_double_heads(am_builder *b)
{
    am_summary_options summary = {.type = "cls_index", .projected = true, .projected_to_labels = true};
    summary = am_summary_options_read(am_model_config(b), summary);
    am_value x = body(b), positions = am_input_optional(b, "mc_token_ids", -1);
    am_output(b, "logits", am_unflatten_choices(b, am_causal_logits(b, x)));
    if (positions.id) positions = am_reshape(b, positions, am_shape_of(-1));
    am_value scores = am_sequence_summary(b, "multiple_choice_head", x, positions, 1, &summary);
    if (am_dim(b, scores, -1) == 1) scores = am_squeeze(b, scores, -1);
    am_output(b, "mc_logits", am_unflatten_choices(b, scores));
}

/* A file may keep a table that is tied under the name of the head only. */
static am_value rows_of_words(am_builder *b, const char *name, am_value ids, int64_t C)
{
    int64_t vocab = am_causal_vocab_size(b);
    am_scope(b, "%s", name);
    bool own = am_has_weight(b, "weight") || !is_tied(b);
    am_value table = own ? am_weight(b, "weight", am_shape_of(vocab, C))
                         : am_weight_absolute(b, "lm_head.weight", am_shape_of(vocab, C));
    am_value x = am_embedding_op(b, table, ids);
    am_end_scope(b);
    return x;
}

am_value am_causal_words(am_builder *b, const char *name, int64_t C)
{
    if (am_has_input(b, "inputs_embeds")) return am_input_embeddings(b, name, am_causal_vocab_size(b), C);
    am_value ids = am_flat_input(b, "input_ids");
    return am_merge_part_features(b, rows_of_words(b, name, ids.id ? ids : am_input(b, "input_ids", 2), C));
}

am_value am_causal_embeddings(am_builder *b, const char *name, int64_t C)
{
    am_value x = am_causal_words(b, name, C), types = am_flat_input(b, "token_type_ids");
    return types.id ? am_add(b, x, rows_of_words(b, name, types, C)) : x;
}

am_value am_causal_layers(am_builder *b, const char *name, int64_t count, am_value x, am_causal_layer *layer,
                          const void *context)
{
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "%s.%d", name, i);
        x = layer(b, x, context, i);
        am_end_scope(b);
    }
    return x;
}

am_value am_causal_final_norm(am_builder *b, const char *name, am_value x, double eps, int64_t layers)
{
    x = am_layer_norm(b, name, x, eps);
    am_output_hidden_state(b, "hidden_states", (int)layers, am_unflatten_choices(b, x));
    return x;
}

am_value am_gpt_mask(am_builder *b, const am_gpt_config *g)
{
    am_value mask = am_flat_padding_mask(b);
    return g->is_causal ? am_packed_mask(b, mask, "position_ids") : mask;
}

am_gpt_config am_gpt_config_read(const am_config *c, am_gpt_config g)
{
    g.n_positions = am_config_size(c, am_config_either(c, "n_positions", "max_position_embeddings"), g.n_positions);
    g.n_embd = am_config_size(c, am_config_either(c, "n_embd", "hidden_size"), g.n_embd);
    g.n_layer = am_config_count(c, am_config_either(c, "n_layer", "num_hidden_layers"), g.n_layer);
    g.n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), g.n_head);
    g.n_inner = am_config_size(c, "n_inner", g.n_inner ? g.n_inner : 4 * g.n_embd);
    g.layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", g.layer_norm_epsilon);
    g.is_causal = am_config_flag(c, "is_causal", true);
    am_config_check_divides(c, "n_head", g.n_head, "n_embd", g.n_embd);
    return g;
}
