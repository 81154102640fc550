/* SqueezeBERT: BERT's post-norm layers whose linears work on groups of channels (convolutions of width 1).
   transformers: models/squeezebert/modeling_squeezebert.py */
#include "models/blocks/text_classes.h"

typedef struct squeezebert_config {
    am_bert_options body;
    int64_t q_groups, k_groups, v_groups, post_attention_groups, intermediate_groups, output_groups;
} squeezebert_config;

static squeezebert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    squeezebert_config s = {.body = am_bert_options_read(c),
                            .q_groups = am_config_size(c, "q_groups", 4),
                            .k_groups = am_config_size(c, "k_groups", 4),
                            .v_groups = am_config_size(c, "v_groups", 4),
                            .post_attention_groups = am_config_size(c, "post_attention_groups", 1),
                            .intermediate_groups = am_config_size(c, "intermediate_groups", 4),
                            .output_groups = am_config_size(c, "output_groups", 4)};
    int64_t embedding_size = am_config_size(c, "embedding_size", 768);
    if (embedding_size != s.body.hidden_size)
        am_config_fail(c, "embedding_size", "must be hidden_size %lld, found %lld", (long long)s.body.hidden_size,
                       (long long)embedding_size);
    s.body.is_decoder = false;
    return s;
}

/* x: [B, C, T] -> [B, out, T] */
static am_value mix(am_builder *b, const char *name, am_value x, int64_t out, int64_t groups)
{
    return am_conv(b, name, x, out, am_shape_of(1), AM_BIAS, &(am_convolution_attributes){.groups = groups});
}

/* convolution, residual and norm below NAME; the norm's epsilon is the class's own */
static am_value mix_and_norm(am_builder *b, const char *name, am_value x, am_value residual, int64_t groups)
{
    am_scope(b, "%s", name);
    x = am_add(b, mix(b, "conv1d", x, am_dim(b, residual, 1), groups), residual);
    x = am_layer_norm_channels_first(b, "layernorm", x, 1e-12);
    am_end_scope(b);
    return x;
}

/* [B, C, T] -> [B, T, H, D] */
static am_value heads_of(am_builder *b, const char *name, am_value x, int64_t groups, int64_t heads)
{
    return am_split_heads(b, am_transpose(b, mix(b, name, x, am_dim(b, x, 1), groups), 1, 2), heads);
}

static am_value attention(am_builder *b, am_value x, const squeezebert_config *c, am_value mask)
{
    int64_t heads = c->body.num_attention_heads;
    am_scope(b, "attention");
    am_attention_inputs inputs = {.q = heads_of(b, "query", x, c->q_groups, heads),
                                  .k = heads_of(b, "key", x, c->k_groups, heads),
                                  .v = heads_of(b, "value", x, c->v_groups, heads),
                                  .mask = mask};
    am_value attended = am_attention_op(b, &inputs, &(am_attention_attributes){0});
    am_end_scope(b);
    return am_transpose(b, am_merge_heads(b, attended), 1, 2);
}

static am_value layer(am_builder *b, am_value x, const squeezebert_config *c, am_value mask)
{
    x = mix_and_norm(b, "post_attention", attention(b, x, c, mask), x, c->post_attention_groups);
    am_value h = mix(b, "intermediate.conv1d", x, c->body.intermediate_size, c->intermediate_groups);
    return mix_and_norm(b, "output", am_unary(b, c->body.hidden_act, h), x, c->output_groups);
}

static am_value body(am_builder *b, const char *prefix)
{
    squeezebert_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &c.body), mask = am_flat_padding_mask(b);
    am_output_hidden_state(b, "hidden_states", 0, x);
    x = am_transpose(b, x, 1, 2);
    for (int i = 0; i < c.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layers.%d", i);
        x = layer(b, x, &c, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, am_transpose(b, x, 1, 2));
    }
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

static void for_masked_lm(am_builder *b)
{
    squeezebert_config c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &c.body, "transformer"));
}

static const am_architecture architectures[] = {
    {"SqueezeBertModel", am_text_model, "feature-extraction", 0},
    {"SqueezeBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"SqueezeBertForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"SqueezeBertForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"SqueezeBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"SqueezeBertForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "transformer", .body = body};

const am_model_type am_model_squeezebert = {
    .name = "squeezebert", .base_prefix = "transformer", .architectures = architectures, .family = &family};
