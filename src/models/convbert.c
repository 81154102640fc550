/* ConvBERT: BERT's layers with fewer attention heads, beside which stand as many heads of span-based dynamic
   convolution: each position weighs the values around it by a kernel made of its query and its neighbours' keys.
   transformers: models/convbert/modeling_convbert.py */
#include "models/blocks/text_classes.h"

typedef struct convbert_config {
    am_bert_options body;
    int64_t heads;  /* of attention, and as many of convolution */
    int64_t width;  /* of all heads of one kind */
    int64_t kernel; /* positions that a convolution sees */
    int64_t groups; /* of channels in the feed-forward part */
} convbert_config;

static convbert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    convbert_config v = {.body = am_bert_options_read(c),
                         .kernel = am_config_size(c, "conv_kernel_size", 9),
                         .groups = am_config_size(c, "num_groups", 1)};
    v.body.embedding_size = am_config_size(c, "embedding_size", 768);
    v.body.is_decoder = false;
    v.heads = v.body.num_attention_heads / am_config_size(c, "head_ratio", 2);
    if (v.heads < 1) v.heads = 1;
    v.width = v.body.hidden_size / v.heads / 2 * v.heads;
    if (v.kernel % 2 == 0)
        am_config_fail(c, "conv_kernel_size", "%lld is even: a kernel has a middle", (long long)v.kernel);
    am_config_check_divides(c, "num_groups", v.groups, "hidden_size", v.body.hidden_size);
    am_config_check_divides(c, "num_groups", v.groups, "intermediate_size", v.body.intermediate_size);
    return v;
}

/* key_conv_attn_layer: each channel over the positions around, then a mixture of channels: [B, T, C] -> [B, T, W] */
static am_value span_keys(am_builder *b, am_value x, const convbert_config *c)
{
    int64_t C = c->body.hidden_size;
    am_shape padding = am_shape_of(c->kernel / 2);
    am_convolution_attributes channelwise = {.groups = C, .padding_before = padding, .padding_after = padding};
    am_scope(b, "key_conv_attn_layer");
    x = am_conv(b, "depthwise", am_transpose(b, x, 1, 2), C, am_shape_of(c->kernel), AM_NO_BIAS, &channelwise);
    x = am_conv(b, "pointwise", x, c->width, am_shape_of(1), AM_NO_BIAS, &(am_convolution_attributes){0});
    x = am_add(b, x, am_weight(b, "bias", am_shape_of(c->width, 1)));
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

/* The values around each position: [B, T, C] -> [B, T, H, D, kernel] */
static am_value spans(am_builder *b, am_value x, const convbert_config *c)
{
    am_shape padding = am_shape_of(c->kernel / 2);
    am_unfold_attributes window = {
        .kernel = am_shape_of(c->kernel), .padding_before = padding, .padding_after = padding};
    am_value values = am_transpose(b, am_linear(b, "conv_out_layer", x, c->width, AM_BIAS), 1, 2);
    am_value around = am_transpose(b, am_unfold(b, values, &window), 1, 2);
    return am_reshape(b, around,
                      am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), c->heads, c->width / c->heads, c->kernel));
}

/* x: [B, T, C], its queries: [B, T, H, D] -> [B, T, H, D] */
static am_value convolve(am_builder *b, am_value x, am_value queries, const convbert_config *c)
{
    am_value span = am_mul(b, span_keys(b, x, c), am_merge_heads(b, queries));
    am_value kernels =
        am_split_heads(b, am_linear(b, "conv_kernel_layer", span, c->heads * c->kernel, AM_BIAS), c->heads);
    return am_squeeze(b, am_matmul(b, spans(b, x, c), am_unsqueeze(b, am_softmax(b, kernels, -1), 4), false, false), 4);
}

static am_value attention(am_builder *b, am_value x, const convbert_config *c, am_value mask)
{
    am_attention_options o = {
        .heads = c->heads, .head_dim = c->width / c->heads, .q = "query", .k = "key", .v = "value", .mask = mask};
    am_value qkv[3];
    am_scope(b, "attention.self");
    am_attention_heads(b, x, &o, qkv);
    am_value attended = am_attend_cached(b, qkv[0], qkv[1], qkv[2], &o);
    x = am_merge_heads(b, am_concat2(b, attended, convolve(b, x, qkv[0], c), 2));
    am_end_scope(b);
    return x;
}

/* A linear whose channels work in groups: weight: [groups, in / groups, out / groups]. */
static am_value grouped_linear(am_builder *b, const char *name, am_value x, int64_t out, int64_t groups)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), in = am_dim(b, x, 2);
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(groups, in / groups, out / groups));
    x = am_permute(b, am_reshape(b, x, am_shape_of(B * T, groups, in / groups)), am_shape_of(1, 0, 2));
    x = am_permute(b, am_matmul(b, x, weight, false, false), am_shape_of(1, 0, 2));
    x = am_add(b, am_reshape(b, x, am_shape_of(B, T, out)), am_weight(b, "bias", am_shape_of(out)));
    am_end_scope(b);
    return x;
}

static am_value grouped_feed_forward(am_builder *b, am_value x, const convbert_config *c)
{
    am_value h = grouped_linear(b, "intermediate.dense", x, c->body.intermediate_size, c->groups);
    h = grouped_linear(b, "output.dense", am_unary(b, c->body.hidden_act, h), c->body.hidden_size, c->groups);
    return am_layer_norm(b, "output.LayerNorm", am_add(b, h, x), c->body.layer_norm_eps);
}

static am_value layer(am_builder *b, am_value x, const convbert_config *c, am_value mask)
{
    x = am_bert_attention_end(b, x, attention(b, x, c, mask), &c->body);
    return c->groups == 1 ? am_bert_feed_forward(b, x, &c->body) : grouped_feed_forward(b, x, c);
}

static am_value body(am_builder *b, const char *prefix)
{
    convbert_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &c.body), mask = am_flat_padding_mask(b);
    if (c.body.embedding_size != c.body.hidden_size)
        x = am_linear(b, "embeddings_project", x, c.body.hidden_size, AM_BIAS);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, x, &c, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    convbert_config c = read_config(b);
    am_output(b, "logits", am_generator_lm_logits(b, am_text_body(b), &c.body, "convbert"));
}

static void for_sequence_classification(am_builder *b)
{
    am_text_classify_first_token(b, read_config(b).body.hidden_act);
}

static const am_architecture architectures[] = {
    {"ConvBertModel", am_text_model, "feature-extraction", 0},
    {"ConvBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"ConvBertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"ConvBertForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"ConvBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"ConvBertForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "convbert", .body = body, .pooled = am_text_summarized};

const am_model_type am_model_convbert = {
    .name = "convbert", .base_prefix = "convbert", .architectures = architectures, .family = &family};
