/* X-MOD: RoBERTa with an adapter for each language in every layer; norms may stand before the parts. transformers:
   models/xmod/modeling_xmod.py */
#include "models/blocks/experts.h"
#include "models/blocks/roberta.h"

#include <inttypes.h>
#include <string.h>

enum { LANGUAGES_LIMIT = 1024 };

static const char *language(const am_config *c, int i)
{
    if (am_config_has(c, "languages")) return am_config_list_text(c, "languages", i);
    return i == 0 ? "en_XX" : NULL;
}

/* The place of default_language in the list. */
static int default_language(const am_config *c)
{
    const char *wanted = am_config_text(c, "default_language", NULL);
    for (int i = 0; wanted && i < LANGUAGES_LIMIT && language(c, i); i++)
        if (strcmp(language(c, i), wanted) == 0) return i;
    am_config_fail(c, "default_language", "lang_ids are not given, and \"%s\" is none of the languages",
                   wanted ? wanted : "(none)");
    return 0;
}

/* The input lang_ids: [B] for each of B * T rows: I32 [B * T, 1]. */
static am_value languages_of_rows(am_builder *b, am_value x)
{
    am_value ids = am_input(b, "lang_ids", 1);
    am_shape shape = am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1));
    return am_reshape(b, am_broadcast(b, am_unsqueeze(b, ids, 1), shape), am_shape_of(-1, 1));
}

/* A linear of each row's language, x: [N, K], chosen: I32 [N, 1] -> [N, out] */
static am_value linear_of_language(am_builder *b, am_value x, am_value chosen, const char *weight, const char *bias,
                                   int64_t out)
{
    am_value weights[AM_INPUT_LIMIT], biases[AM_INPUT_LIMIT], all = AM_NONE, offsets = AM_NONE;
    const am_config *c = am_model_config(b);
    int count = 0;
    for (int i = 0; language(c, i) && !am_builder_failed(b); i++) {
        am_scope(b, "%s", language(c, i));
        weights[count] = am_unsqueeze(b, am_weight(b, weight, am_shape_of(out, am_dim(b, x, 1))), 0);
        biases[count++] = am_unsqueeze(b, am_weight(b, bias, am_shape_of(out)), 0);
        am_end_scope(b);
        if (count < AM_INPUT_LIMIT && language(c, i + 1)) continue;
        am_value more = am_concat(b, weights, count, 0), shifts = am_concat(b, biases, count, 0);
        all = all.id ? am_concat2(b, all, more, 0) : more;
        offsets = offsets.id ? am_concat2(b, offsets, shifts, 0) : shifts;
        count = 0;
    }
    return am_squeeze(b, am_grouped_matmul(b, x, chosen, all, offsets), 1);
}

/* dense2(activation(dense1(x))) of the text's language: x: [B, T, C] */
static am_value adapter(am_builder *b, am_value x, const am_bert_options *o)
{
    const am_config *c = am_model_config(b);
    int64_t C = o->hidden_size, inner = C / am_config_size(c, "adapter_reduction_factor", 2);
    am_scope(b, "adapter_modules");
    if (am_has_input(b, "lang_ids")) {
        am_value rows = am_flatten(b, x, 0, 1), chosen = languages_of_rows(b, x);
        rows = linear_of_language(b, rows, chosen, "dense1.weight", "dense1.bias", inner);
        rows = am_unary(b, o->hidden_act, rows);
        rows = linear_of_language(b, rows, chosen, "dense2.weight", "dense2.bias", C);
        x = am_reshape(b, rows, am_shape_of_value(b, x));
    } else {
        const char *name = language(c, default_language(c));
        am_scope(b, "%s", name ? name : "");
        x = am_linear_activation(b, "dense1", x, inner, AM_BIAS, o->hidden_act);
        x = am_linear(b, "dense2", x, C, AM_BIAS);
        am_end_scope(b);
    }
    am_end_scope(b);
    return x;
}

/* The adapter with its norm and its residual, below output: x: [B, T, C]. */
static am_value adapt_language(am_builder *b, am_value x, const am_bert_options *o)
{
    const am_config *c = am_model_config(b);
    am_value normed = x;
    if (am_config_flag(c, "adapter_layer_norm", false))
        normed = am_layer_norm(b, "adapter_layer_norm", x, o->layer_norm_eps);
    else if (am_config_flag(c, "adapter_reuse_layer_norm", true))
        normed = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_value residual = am_config_flag(c, "ln_before_adapter", true) ? normed : x;
    return am_add(b, adapter(b, normed, o), residual);
}

static am_value feed_forward(am_builder *b, am_value x, const am_bert_options *o)
{
    am_value h = o->pre_norms ? am_layer_norm(b, o->pre_norms->feed_forward, x, o->layer_norm_eps) : x;
    h = am_linear_activation(b, "intermediate.dense", h, o->intermediate_size, AM_BIAS, o->hidden_act);
    am_scope(b, "output");
    x = am_add(b, am_linear(b, "dense", h, o->hidden_size, AM_BIAS), x);
    x = adapt_language(b, x, o);
    if (!o->pre_norms) x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

static void adapt(const am_config *c, am_bert_options *o)
{
    static const am_bert_pre_norms norms = {.attention = "output.LayerNorm",
                                            .feed_forward = "output.LayerNorm",
                                            .last = "encoder.LayerNorm",
                                            .embeddings = true};
    if (am_config_flag(c, "pre_norm", false)) o->pre_norms = &norms;
    o->feed_forward = feed_forward;
    if (!language(c, 0)) am_config_fail(c, "languages", "expected the name of one language at least");
    if (am_config_size(c, "adapter_reduction_factor", 2) > o->hidden_size)
        am_config_fail(c, "adapter_reduction_factor", "leaves nothing of %" PRId64 " numbers", o->hidden_size);
}

static const am_architecture architectures[] = {
    {"XmodModel", am_roberta_model, "feature-extraction", 0},
    {"XmodForMaskedLM", am_roberta_for_language_modeling, "fill-mask", 0},
    {"XmodForCausalLM", am_roberta_for_language_modeling, "text-generation", AM_GENERATES},
    {"XmodForSequenceClassification", am_roberta_for_sequence_classification, "text-classification", 0},
    {"XmodForMultipleChoice", am_roberta_for_multiple_choice, NULL, 0},
    {"XmodForTokenClassification", am_roberta_for_token_classification, "token-classification", 0},
    {"XmodForQuestionAnswering", am_roberta_for_question_answering, "question-answering", 0},
    {0},
};

static const am_roberta_family family = {.prefix = "roberta", .vocab_size = 30522, .adapt = adapt};

const am_model_type am_model_xmod = {
    .name = "xmod", .base_prefix = "roberta", .architectures = architectures, .family = &family};
