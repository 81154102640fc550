#include "models/blocks/xlm.h"

#include "models/blocks/answer_beams.h"
#include "models/blocks/attention.h"

#include <stdio.h>

typedef struct xlm_config {
    int64_t vocab_size, emb_dim, n_layers, n_heads, n_langs, max_position_embeddings, pad_token_id;
    double layer_norm_eps;
    bool gelu_activation, causal, use_lang_emb, pre_norm;
} xlm_config;

static xlm_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const am_xlm_family *f = am_model_family(b);
    xlm_config x = {
        .vocab_size = am_config_size(c, am_config_either(c, "vocab_size", "n_words"), 30145),
        .emb_dim = am_config_size(c, am_config_either(c, "emb_dim", "hidden_size"), 2048),
        .n_layers = am_config_count(c, am_config_either(c, "n_layers", "num_hidden_layers"), 12),
        .n_heads = am_config_size(c, am_config_either(c, "n_heads", "num_attention_heads"), 16),
        .n_langs = am_config_size(c, "n_langs", 1),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 512),
        .pad_token_id = am_config_int(c, am_config_either(c, "pad_token_id", "pad_index"), 2),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
        .gelu_activation = am_config_flag(c, "gelu_activation", true),
        .causal = am_config_flag(c, "causal", false),
        .use_lang_emb = am_config_flag(c, "use_lang_emb", true),
        .pre_norm = f->reads_pre_norm && am_config_flag(c, "pre_norm", false),
    };
    if (!am_config_flag(c, "is_encoder", true))
        am_config_unsupported(c, "is_encoder", "this class is an encoder, found false");
    if (am_config_flag(c, "asm", false))
        am_config_unsupported(c, "asm", "adaptive softmax is not supported, found true");
    am_config_check_divides(c, "n_heads", x.n_heads, "emb_dim", x.emb_dim);
    return x;
}

/* In generation the next token is asked of a mask token behind the text; attention_mask and token types are
   left aside, as transformers does. */
static bool asks_next(const am_builder *b)
{
    return am_wants_last_logits_only(b);
}

static am_value text(am_builder *b)
{
    am_value ids = am_flat_input(b, "input_ids");
    if (!ids.id) return am_input(b, "input_ids", 2);
    double mask_token = (double)am_config_int(am_model_config(b), "mask_token_id", 0);
    am_value asked = am_iota(b, AM_I32, am_shape_of(am_dim(b, ids, 0), 1), 1, mask_token, 0);
    return asks_next(b) ? am_concat2(b, ids, asked, 1) : ids;
}

/* Input langs; in generation lang_id. */
static am_value languages(am_builder *b, am_value ids)
{
    const am_config *c = am_model_config(b);
    if (!asks_next(b)) return am_flat_input(b, "langs");
    if (am_config_is_null(c, "lang_id")) return AM_NONE;
    return am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, (double)am_config_int(c, "lang_id", 0), 0);
}

/* Which tokens are real, BOOL [B, T]: attention_mask, or as many as lengths says, or all that are not padding. */
static am_value real_tokens(am_builder *b, const xlm_config *c, am_value ids)
{
    am_value mask = am_flat_input(b, "attention_mask"), lengths = am_input_optional(b, "lengths", 1);
    const am_xlm_family *f = am_model_family(b);
    if (mask.id && !asks_next(b)) return am_binary_number(b, AM_NOT_EQUAL, mask, 0);
    if (asks_next(b) && f->forgets_lengths) lengths = AM_NONE;
    if (!lengths.id || am_rank(b, am_input(b, "input_ids", -1)) == 3) { /* multiple choice leaves lengths aside */
        am_value real = am_binary_number(b, AM_NOT_EQUAL, ids, (double)c->pad_token_id);
        lengths = am_reduce(b, AM_REDUCE_SUM, am_cast(b, real, AM_I32), am_shape_of(1), false);
    }
    am_value places = am_iota(b, AM_I32, am_shape_of(1, am_dim(b, ids, 1)), 1, 0, 1);
    return am_binary(b, AM_LESS, places, am_unsqueeze(b, lengths, 1));
}

static am_value zero_outside(am_builder *b, am_value x, am_value real)
{
    return am_mul(b, x, am_unsqueeze(b, am_cast(b, real, AM_F32), 2));
}

static am_value embeddings(am_builder *b, const xlm_config *c, am_value ids)
{
    int64_t C = c->emb_dim;
    am_value types = am_flat_input(b, "token_type_ids"), langs = languages(b, ids);
    am_value x = am_embedding(b, "embeddings", ids, c->vocab_size, C);
    am_value places = am_position_ids(b, am_dim(b, ids, 1));
    x = am_add(b, x, am_embedding(b, "position_embeddings", places, c->max_position_embeddings, C));
    if (langs.id && c->use_lang_emb && c->n_langs > 1)
        x = am_add(b, x, am_embedding(b, "lang_embeddings", langs, c->n_langs, C));
    if (types.id && !asks_next(b)) x = am_add(b, x, am_embedding(b, "embeddings", types, c->vocab_size, C));
    return am_layer_norm(b, "layer_norm_emb", x, c->layer_norm_eps);
}

/* The norm `list`.i where it stands there, else x. */
static am_value norm(am_builder *b, const char *list, int i, am_value x, const xlm_config *c, bool there)
{
    char name[32];
    snprintf(name, sizeof name, "%s.%d", list, i);
    return there ? am_layer_norm(b, name, x, c->layer_norm_eps) : x;
}

/* Its parts stand in four lists: PART.i.name. */
static am_value layer(am_builder *b, am_value x, const xlm_config *c, int i, const am_attention_options *attention)
{
    am_value h = norm(b, "layer_norm1", i, x, c, c->pre_norm);
    am_scope(b, "attentions.%d", i);
    x = am_add(b, x, am_self_attention(b, h, attention));
    am_end_scope(b);
    x = norm(b, "layer_norm1", i, x, c, !c->pre_norm);
    h = norm(b, "layer_norm2", i, x, c, c->pre_norm);
    am_scope(b, "ffns.%d", i);
    h = am_linear_activation(b, "lin1", h, 4 * c->emb_dim, AM_BIAS, c->gelu_activation ? AM_GELU : AM_RELU);
    x = am_add(b, x, am_linear(b, "lin2", h, c->emb_dim, AM_BIAS));
    am_end_scope(b);
    return norm(b, "layer_norm2", i, x, c, !c->pre_norm);
}

am_value am_xlm_body(am_builder *b, const char *prefix)
{
    xlm_config c = read_config(b);
    am_value ids = text(b), real = real_tokens(b, &c, ids);
    am_shape keys = am_shape_of(am_dim(b, real, 0), 1, 1, am_dim(b, real, 1));
    am_attention_options attention = {.heads = c.n_heads,
                                      .q = "q_lin",
                                      .k = "k_lin",
                                      .v = "v_lin",
                                      .out = "out_lin",
                                      .causal = c.causal,
                                      .mask = c.causal ? AM_NONE : am_reshape(b, real, keys)};
    am_scope(b, "%s", prefix);
    am_value x = zero_outside(b, embeddings(b, &c, ids), real);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.n_layers && !am_builder_failed(b); i++) {
        x = zero_outside(b, layer(b, x, &c, i, &attention), real);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static am_value summarized(am_builder *b, const char *name, am_value x)
{
    const am_config *c = am_model_config(b);
    am_summary_options summary = {
        .type = "first", .projected = true, .projected_to_labels = true, .activation = AM_IDENTITY};
    summary = am_summary_options_read(c, summary);
    return am_sequence_summary(b, name, x, AM_NONE, am_config_labels(c), &summary);
}

void am_xlm_for_language_modeling(am_builder *b)
{
    xlm_config c = read_config(b);
    am_value x = am_xlm_body(b, "transformer");
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_output(b, "logits",
              am_lm_head(b, "pred_layer.proj", x, c.vocab_size, tied, "transformer.embeddings.weight", AM_BIAS));
}

void am_xlm_for_sequence_classification(am_builder *b)
{
    am_output(b, "logits", summarized(b, "sequence_summary", am_text_body(b)));
}

void am_xlm_for_multiple_choice(am_builder *b)
{
    am_value x = summarized(b, "sequence_summary", am_text_body(b));
    am_output_choices(b, am_linear(b, "logits_proj", x, 1, AM_BIAS));
}

void am_xlm_for_question_answering(am_builder *b)
{
    am_value x = am_text_body(b);
    am_scope(b, "qa_outputs");
    am_output_answer_beams(b, x, read_config(b).layer_norm_eps);
    am_end_scope(b);
}
