/* DeBERTa-v2 and v3: DeBERTa with plain projections, positions in buckets that widen with distance, position
   projections that may be the contents' own, and a convolution beside the first layer. transformers:
   models/deberta_v2/modeling_deberta_v2.py */
#include "models/blocks/disentangled.h"

typedef struct deberta_v2_config {
    am_deberta_options base;
    am_disentangled attention;
    int64_t conv_kernel_size;
} deberta_v2_config;

static deberta_v2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    deberta_v2_config d = {.base = am_deberta_options_read(b),
                           .conv_kernel_size = am_config_count(c, "conv_kernel_size", 0)};
    am_bert_options *o = &d.base.body;
    o->vocab_size = am_config_size(c, "vocab_size", 128100);
    o->hidden_size = am_config_size(c, "hidden_size", 1536);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 24);
    o->intermediate_size = am_config_size(c, "intermediate_size", 6144);
    o->embedding_size = am_config_size(c, "embedding_size", o->hidden_size);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    d.attention = am_disentangled_read(c, &d.base, &(am_disentangled){.position_buckets = -1});
    return d;
}

/* What stands beside the first layer: a convolution of its input, added to its output x: [B, T, C]. */
static am_value convolved(am_builder *b, am_value input, am_value x, const deberta_v2_config *c)
{
    const am_config *config = am_model_config(b);
    int64_t C = c->base.body.hidden_size, padding = (c->conv_kernel_size - 1) / 2;
    am_convolution_attributes options = {.groups = am_config_size(config, "conv_groups", 1),
                                         .padding_before = am_shape_of(padding),
                                         .padding_after = am_shape_of(padding)};
    am_scope(b, "encoder.conv");
    am_value h =
        am_conv(b, "conv", am_transpose(b, input, 1, 2), C, am_shape_of(c->conv_kernel_size), AM_BIAS, &options);
    h = am_unary(b, am_config_activation(config, "conv_act", AM_TANH), am_zero_masked(b, am_transpose(b, h, 1, 2)));
    x = am_layer_norm(b, "LayerNorm", am_add(b, x, h), c->base.body.layer_norm_eps);
    am_end_scope(b);
    return am_zero_masked(b, x);
}

static am_value body(am_builder *b, const char *prefix)
{
    deberta_v2_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value input = am_deberta_embeddings(b, &c.base), x = input, mask = am_deberta_mask(b);
    am_scope(b, "encoder");
    am_disentangled_places places = am_disentangled_places_of(b, am_dim(b, x, 1), &c.attention);
    am_end_scope(b);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.base.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = am_bert_layer_end(b, x, am_disentangled_attention(b, x, &places, mask, &c.attention), &c.base.body);
        am_end_scope(b);
        if (i == 0 && c.conv_kernel_size > 0) x = convolved(b, input, x, &c);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"DebertaV2Model", am_deberta_model, "feature-extraction", 0},
    {"DebertaV2ForMaskedLM", am_deberta_for_masked_lm, "fill-mask", 0},
    {"DebertaV2ForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"DebertaV2ForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"DebertaV2ForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"DebertaV2ForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "deberta", .body = body, .pooled = am_deberta_pooled};

const am_model_type am_model_deberta_v2 = {
    .name = "deberta-v2", .base_prefix = "deberta", .architectures = architectures, .family = &family};
