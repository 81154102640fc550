/* DeBERTa-v2 and v3: DeBERTa with plain projections, positions in buckets that widen with distance, position
   projections that may be the contents' own, and a convolution beside the first layer. transformers:
   models/deberta_v2/modeling_deberta_v2.py */
#include "models/blocks/deberta.h"

#include <math.h>
#include <string.h>

typedef struct deberta_v2_config {
    am_deberta_options base;
    int64_t position_buckets, span; /* span: rows of positions on each side */
    bool share_att_key, norm_rel_ebd;
    int64_t attention_head_size, conv_kernel_size;
} deberta_v2_config;

static deberta_v2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    deberta_v2_config d = {.base = am_deberta_options_read(b),
                           .position_buckets = am_config_int(c, "position_buckets", -1),
                           .share_att_key = am_config_flag(c, "share_att_key", false),
                           .norm_rel_ebd = strstr(am_config_text(c, "norm_rel_ebd", "none"), "layer_norm") != NULL,
                           .conv_kernel_size = am_config_count(c, "conv_kernel_size", 0)};
    am_bert_options *o = &d.base.body;
    o->vocab_size = am_config_size(c, "vocab_size", 128100);
    o->hidden_size = am_config_size(c, "hidden_size", 1536);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 24);
    o->intermediate_size = am_config_size(c, "intermediate_size", 6144);
    o->embedding_size = am_config_size(c, "embedding_size", o->hidden_size);
    am_config_check_divides(c, "num_attention_heads", o->num_attention_heads, "hidden_size", o->hidden_size);
    d.attention_head_size = am_config_size(c, "attention_head_size", o->hidden_size / o->num_attention_heads);
    d.span = d.position_buckets > 0 ? d.position_buckets : d.base.max_relative_positions;
    return d;
}

/* Distances up to half of the buckets are exact, those beyond are binned by their logarithm. In float, as the
   models were trained with. */
static int64_t bucket_of(int64_t distance, int64_t buckets, int64_t max_position)
{
    int64_t mid = buckets / 2, size = distance < 0 ? -distance : distance;
    if (buckets < 1 || size <= mid) return distance;
    float part = logf((float)size / (float)mid) / logf((float)(max_position - 1) / (float)mid);
    int64_t bucket = (int64_t)ceilf(part * (float)(mid - 1)) + mid;
    return distance < 0 ? -bucket : bucket;
}

/* Row of each distance t - s: I32 [T, T]. */
static am_value rows(am_builder *b, int64_t T, const deberta_v2_config *c)
{
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t t = 0; t < T; t++)
        for (int64_t s = 0; s < T; s++) {
            int64_t row = bucket_of(t - s, c->position_buckets, c->base.max_relative_positions) + c->span;
            table[t * T + s] = (int32_t)(row < 0 ? 0 : row > 2 * c->span - 1 ? 2 * c->span - 1 : row);
        }
    return am_constant_copy(b, AM_I32, am_shape_of(T, T), table);
}

/* [2 * span, C]; AM_NONE without relative attention */
static am_value position_table(am_builder *b, const deberta_v2_config *c)
{
    if (!c->base.relative_attention) return AM_NONE;
    am_value table = am_weight(b, "encoder.rel_embeddings.weight", am_shape_of(2 * c->span, c->base.body.hidden_size));
    table = am_cast(b, table, AM_F32);
    return c->norm_rel_ebd ? am_layer_norm(b, "encoder.LayerNorm", table, c->base.body.layer_norm_eps) : table;
}

/* x: [.., C] -> [.., H, D] */
static am_value heads_of(am_builder *b, const char *name, am_value x, const deberta_v2_config *c)
{
    int64_t H = c->base.body.num_attention_heads, D = c->attention_head_size;
    am_value y = am_linear(b, name, x, H * D, AM_BIAS);
    am_shape s = am_shape_of_value(b, y);
    s.dims[s.rank - 1] = H;
    s.dims[s.rank++] = D;
    return am_reshape(b, y, s);
}

static am_value attention(am_builder *b, am_value x, const deberta_v2_config *c, am_value table, am_value row,
                          am_value mask)
{
    const am_deberta_options *o = &c->base;
    am_deberta_positions positions = {.row = row};
    am_scope(b, "attention.self");
    am_value qkv[] = {heads_of(b, "query_proj", x, c), heads_of(b, "key_proj", x, c), heads_of(b, "value_proj", x, c)};
    if (table.id && o->c2p) positions.key = heads_of(b, c->share_att_key ? "key_proj" : "pos_key_proj", table, c);
    if (table.id && o->p2c) positions.query = heads_of(b, c->share_att_key ? "query_proj" : "pos_query_proj", table, c);
    double scale = 1 / sqrt((double)c->attention_head_size * (1 + o->c2p + o->p2c));
    x = am_deberta_attend(b, qkv, &positions, scale, mask);
    am_end_scope(b);
    return x;
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
    am_value table = position_table(b, &c), row = rows(b, am_dim(b, x, 1), &c);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.base.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = am_bert_layer_end(b, x, attention(b, x, &c, table, row, mask), &c.base.body);
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
