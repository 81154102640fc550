#include "models/blocks/own_attention.h"

static const am_own_attention_family *family_of(am_builder *b)
{
    return am_model_family(b);
}

am_bert_options am_own_attention_options(const am_config *c, int64_t vocab_size, int64_t max_positions)
{
    am_bert_options o = am_bert_options_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", vocab_size);
    o.first_position = 2;
    o.max_position_embeddings = am_config_size(c, "max_position_embeddings", max_positions) + o.first_position;
    o.is_decoder = false;
    return o;
}

void am_own_attention_heads(am_builder *b, am_value x, int64_t heads, am_value out[3])
{
    am_attention_options o = {.heads = heads, .q = "query", .k = "key", .v = "value"};
    am_attention_heads(b, x, &o, out);
}

am_value am_own_attention_convolution(am_builder *b, am_value x, int64_t kernel)
{
    int64_t heads = am_dim(b, x, 2);
    am_shape padding = am_shape_of(kernel / 2, 0);
    am_convolution_attributes by_head = {.groups = heads, .padding_before = padding, .padding_after = padding};
    x = am_conv(b, "conv", am_transpose(b, x, 1, 2), heads, am_shape_of(kernel, 1), AM_NO_BIAS, &by_head);
    return am_transpose(b, x, 1, 2);
}

am_value am_own_attention_body(am_builder *b, const char *prefix)
{
    const am_own_attention_family *f = family_of(b);
    am_bert_options o = f->options(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &o);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < o.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        am_scope(b, "attention.self");
        am_value attended = f->attention(b, x, &o);
        am_end_scope(b);
        x = am_bert_layer_end(b, x, attended, &o);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

am_value am_own_attention_pooled(am_builder *b, const char *prefix, am_value x)
{
    (void)prefix;
    return am_linear_activation(b, "pre_classifier", am_index(b, x, 1, 0), am_dim(b, x, -1), AM_BIAS, AM_RELU);
}

void am_own_attention_for_masked_lm(am_builder *b)
{
    am_bert_options o = family_of(b)->options(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &o, family_of(b)->text.prefix));
}

void am_own_attention_for_sequence_classification(am_builder *b)
{
    am_text_classify_first_token(b, family_of(b)->options(b).hidden_act);
}
