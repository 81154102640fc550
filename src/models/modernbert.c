/* ModernBERT: pre-norm layers with gated feed-forward and rotary positions; layers see the whole text or a
   window of it, each kind with rotations of its own. transformers: models/modernbert/modeling_modernbert.py */
#include "models/blocks/attention.h"
#include "models/blocks/text_classes.h"

#include <string.h>

typedef struct modernbert_config {
    int64_t vocab_size, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
    int64_t sliding_window; /* on each side */
    double norm_eps;
    am_unary_fn hidden_activation, classifier_activation;
    int norm_bias, attention_bias, mlp_bias, decoder_bias, classifier_bias;
    bool pools_mean;      /* classifier_pooling */
    int64_t global_every; /* without layer_types every so many layers see everything */
} modernbert_config;

static modernbert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    modernbert_config m = {
        .vocab_size = am_config_size(c, "vocab_size", 50368),
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .intermediate_size = am_config_size(c, "intermediate_size", 1152),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 22),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .sliding_window = am_config_count(c, "local_attention", 128) / 2,
        .norm_eps = am_config_real(c, "norm_eps", 1e-5),
        .hidden_activation = am_config_activation(c, "hidden_activation", AM_GELU),
        .classifier_activation = am_config_activation(c, "classifier_activation", AM_GELU),
        .norm_bias = am_config_flag(c, "norm_bias", false),
        .attention_bias = am_config_flag(c, "attention_bias", false),
        .mlp_bias = am_config_flag(c, "mlp_bias", false),
        .decoder_bias = am_config_flag(c, "decoder_bias", true),
        .classifier_bias = am_config_flag(c, "classifier_bias", false),
        .pools_mean = am_config_is(c, "classifier_pooling", "mean"),
        .global_every = am_config_size(c, "global_attn_every_n_layers", 3),
    };
    am_config_check_divides(c, "num_attention_heads", m.num_attention_heads, "hidden_size", m.hidden_size);
    return m;
}

static am_value norm(am_builder *b, const char *name, am_value x, const modernbert_config *c)
{
    return c->norm_bias ? am_layer_norm(b, name, x, c->norm_eps) : am_layer_norm_no_bias(b, name, x, c->norm_eps);
}

static bool is_local(am_builder *b, const modernbert_config *c, int layer)
{
    const am_config *config = am_model_config(b);
    const char *type = am_config_list_text(config, "layer_types", layer);
    return type ? strcmp(type, "sliding_attention") == 0 : layer % c->global_every != 0;
}

static am_rope rotations(am_builder *b, const modernbert_config *c, bool local, int64_t T)
{
    const am_config *config = am_model_config(b);
    double theta =
        local ? am_config_real(config, "local_rope_theta", 10000) : am_config_real(config, "global_rope_theta", 160000);
    am_rope_config r = am_rope_config_read(config, local ? "sliding_attention" : "full_attention",
                                           c->hidden_size / c->num_attention_heads, theta, 1, 8192);
    return am_rope_tables(b, &r, T);
}

static am_value attention(am_builder *b, am_value x, const modernbert_config *c, const am_rope *rope, am_value mask,
                          bool local)
{
    am_value qkv[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear(b, "Wqkv", x, 3 * c->hidden_size, c->attention_bias), c->num_attention_heads, false,
                   qkv);
    am_attention_inputs inputs = {
        .q = am_rope_apply(b, rope, qkv[0]), .k = am_rope_apply(b, rope, qkv[1]), .v = qkv[2], .mask = mask};
    am_attention_attributes attributes = {.window = local ? c->sliding_window + 1 : 0};
    x = am_merge_heads(b, am_attention_op(b, &inputs, &attributes));
    x = am_linear(b, "Wo", x, c->hidden_size, c->attention_bias);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, am_value x, const modernbert_config *c)
{
    am_scope(b, "mlp");
    x = am_linear(b, "Wi", x, 2 * c->intermediate_size, c->mlp_bias);
    x = am_linear(b, "Wo", am_gated_activation(b, c->hidden_activation, x, AM_NONE), c->hidden_size, c->mlp_bias);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    modernbert_config c = read_config(b);
    am_value ids = am_flat_input(b, "input_ids"), mask = am_flat_padding_mask(b);
    if (!ids.id) return am_input(b, "input_ids", 2);
    am_rope whole = rotations(b, &c, false, am_dim(b, ids, 1)), windowed = rotations(b, &c, true, am_dim(b, ids, 1));
    am_scope(b, "%s", prefix);
    am_value x = am_embedding(b, "embeddings.tok_embeddings", ids, c.vocab_size, c.hidden_size);
    x = norm(b, "embeddings.norm", x, &c);
    for (int i = 0; i < c.num_hidden_layers && !am_builder_failed(b); i++) {
        bool local = is_local(b, &c, i);
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        am_value h = i > 0 ? norm(b, "attn_norm", x, &c) : x; /* the first has the embeddings' */
        x = am_add(b, x, attention(b, h, &c, local ? &windowed : &whole, mask, local));
        x = am_add(b, x, feed_forward(b, norm(b, "mlp_norm", x, &c), &c));
        am_end_scope(b);
    }
    x = norm(b, "final_norm", x, &c);
    am_output_hidden_state(b, "hidden_states", (int)c.num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

/* --- heads --- */

static am_value head(am_builder *b, am_value x)
{
    modernbert_config c = read_config(b);
    x = am_linear_activation(b, "head.dense", x, c.hidden_size, c.classifier_bias, c.classifier_activation);
    return norm(b, "head.norm", x, &c);
}

/* mean over attended tokens: x: [B, T, C] -> [B, C] */
static am_value attended_mean(am_builder *b, am_value x)
{
    am_value mask = am_flat_padding_mask(b);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value weight = am_cast(b, am_reshape(b, mask, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), 1)), AM_F32);
    return am_div(b, am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(1), false),
                  am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(1), false));
}

/* the first attended token: [B, C] */
static am_value first_attended(am_builder *b, am_value x)
{
    am_value mask = am_flat_input(b, "attention_mask");
    return mask.id ? am_rows_at(b, x, am_arg_reduce(b, mask, 1, false)) : am_index(b, x, 1, 0);
}

static void for_masked_lm(am_builder *b)
{
    modernbert_config c = read_config(b);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_output(b, "logits",
              am_lm_head(b, "decoder", head(b, am_text_body(b)), c.vocab_size, tied,
                         "model.embeddings.tok_embeddings.weight", c.decoder_bias));
}

static void for_sequence_classification(am_builder *b)
{
    am_value x = am_text_body(b);
    x = read_config(b).pools_mean ? attended_mean(b, x) : am_index(b, x, 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", head(b, x), am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    am_value x = am_text_body(b);
    x = read_config(b).pools_mean ? attended_mean(b, x) : first_attended(b, x);
    am_output_choices(b, am_linear(b, "classifier", head(b, x), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_value x = head(b, am_text_body(b));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    am_output_span_logits(b, "classifier", head(b, am_text_body(b)));
}

static const am_architecture architectures[] = {
    {"ModernBertModel", am_text_model, "feature-extraction", 0},
    {"ModernBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"ModernBertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"ModernBertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"ModernBertForTokenClassification", for_token_classification, "token-classification", 0},
    {"ModernBertForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "model", .body = body};

const am_model_type am_model_modernbert = {
    .name = "modernbert", .base_prefix = "model", .architectures = architectures, .family = &family};
